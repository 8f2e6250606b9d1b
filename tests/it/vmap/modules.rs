//! Modules in a `vmap!`.

use flaxen::prelude::*;

axis!(pub batch);

/// A network that can be computed for one example or many.
#[module]
pub struct Mlp;

#[module(vmap)]
impl Mlp {
    fn call<B: Batch>(&self, x: Tensor![B, 4]) -> Tensor![B, 3] {
        let scale = param!("scale", ones(), [4]);
        let x = compact!(Dense<5>)(x * scale);
        let x = tanh(x);
        compact!(Dense<3>)(x)
    }
}

/// The network of the tutorial on parameters and state, for one example of a batch.
#[module]
pub struct Normalized;

#[module(axis = batch)]
impl Normalized {
    fn call<P: Phase>(&self, x: Tensor![5], phase: P) -> Tensor![1] {
        let x = compact!(Dense<10>)(x);
        let x = compact!(BatchNorm, momentum = 0.9, axis_name = batch)(x, phase);
        let x = relu(x);
        let x = compact!(Dense<10>)(x);
        let x = compact!(BatchNorm, momentum = 0.9, axis_name = batch)(x, phase);
        let x = relu(x);
        compact!(Dense<1>)(x)
    }
}

/// The same for a batch.
#[module]
struct OfBatch;

#[module]
impl OfBatch {
    fn call<B: Batch, P: Phase>(&self, x: Tensor![B, 5], phase: P) -> Tensor![B, 1] {
        let x = compact!(Dense<10>)(x);
        let x = compact!(BatchNorm, momentum = 0.9)(x, phase);
        let x = relu(x);
        let x = compact!(Dense<10>)(x);
        let x = compact!(BatchNorm, momentum = 0.9)(x, phase);
        let x = relu(x);
        compact!(Dense<1>)(x)
    }
}

fn close<S: Shape>(found: &Tensor<S>, expected: &Tensor<S>) {
    let pairs = found.as_slice().iter().zip(expected.as_slice());
    pairs.for_each(|(a, b)| {
        assert!((a - b).abs() <= 1e-5 * b.abs().max(1.0), "{found:?} instead of {expected:?}")
    });
}

#[test]
fn a_module_is_lowered_for_examples_too() {
    let model = Mlp::new();
    let variables = model.init(Key::new(0));
    let x: Tensor![6, 2, 4] = Key::new(1).normal(Default::default());
    let params = &variables.params;
    let (loss, grads) =
        value_and_grad!(|params| vmap!(|x| square(model.apply(params, x)).sum(), &x).mean(), params);
    let flat: Tensor![12, 4] = x.clone().into_shape(&[12, 4]).unwrap();
    let (expected, expected_grads) =
        value_and_grad!(|params| square(model.apply(params, flat)).sum() / 6.0, params);
    close(&loss, &expected);
    close(&grads.scale, &expected_grads.scale);
    close(&grads.dense_0.kernel, &expected_grads.dense_0.kernel);
    close(&grads.dense_0.bias, &expected_grads.dense_0.bias);
    close(&grads.dense_1.kernel, &expected_grads.dense_1.kernel);
}

#[test]
fn batch_norm_with_an_axis_is_batch_norm_of_the_batch() {
    let (model, of_batch) = (Normalized::new(), OfBatch::new());
    let variables = model.init(Key::new(0));
    let expected = of_batch.init(Key::new(0));
    let x: Tensor![16, 5] = Key::new(1).normal(Default::default());
    let y: Tensor![16, 1] = Key::new(2).normal(Default::default());
    let (params, state) = (&variables.params, &variables.state);
    let ((loss, updated), grads) = value_and_grad!(
        |params| {
            let (losses, updated) = vmap!(
                |x, y| {
                    let (predicted, updated) = model.apply_mut((params, state), x, Train, rngs! {});
                    (square(predicted - y), updated)
                },
                &x,
                &y,
                out_axes = (0, None),
                axis = batch
            );
            (losses.mean(), updated)
        },
        params
    );
    let (params, state) = (&expected.params, &expected.state);
    let ((expected_loss, expected_state), expected_grads) = value_and_grad!(
        |params| {
            let (predicted, updated) = of_batch.apply_mut((params, state), &x, Train, rngs! {});
            (square(predicted - &y).mean(), updated)
        },
        params
    );
    assert_eq!(loss, expected_loss);
    assert_eq!(updated.batch_norm_0, expected_state.batch_norm_0);
    assert_eq!(updated.batch_norm_1, expected_state.batch_norm_1);
    assert_eq!(grads.dense_0, expected_grads.dense_0);
    assert_eq!(grads.batch_norm_1, expected_grads.batch_norm_1);
    assert_eq!(grads.dense_2, expected_grads.dense_2);
}
