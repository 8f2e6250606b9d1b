//! Parameters and state: the second tutorial.
//!
//! Variables are split into parameters, which an optimiser changes, and state, which calls change; then a model with batch
//! normalisation is written for one example and mapped over a batch, whose moments are taken along the named axis.
//!
//! The numbers of the asserts are those of Flax with the same (older) keys.

use flaxen::optim::GradientTransformation;
use flaxen::prelude::*;

axis!(
    /// The axis of a batch.
    pub batch
);

fn main() {
    split_and_put_together();
    one_example_at_a_time();
}

/// Adds a bias to the running mean of what it has seen.
#[module]
struct BiasAdderWithRunningMean {
    #[default(0.9)]
    momentum: f64,
}

#[module]
impl BiasAdderWithRunningMean {
    fn call<B: Batch>(&self, x: Tensor![B, 5]) -> Tensor![5] {
        let mean = variable!(BatchStats, "mean", zeros(), [5]);
        let bias = param!("bias", zeros(), [5]);
        mean.value = self.momentum * mean.value + (1.0 - self.momentum) * mean_axis::<0>(x);
        mean.value + bias
    }
}

/// The optimiser changes the parameters, the calls change the state.
fn split_and_put_together() {
    let model = BiasAdderWithRunningMean::new();
    let x: Tensor![32, 5] = Tensor::full(Default::default(), 1.0);
    let Variables { mut params, mut state } = model.init(Key::legacy(0));
    let tx = sgd(0.02);
    let mut opt_state = tx.init(&params);
    for (loss, mean, bias) in
        [(129.59996, 0.1, 1.1519996), (18.714184, 0.19, 0.7142403), (0.03485561, 0.271, 0.73313266)]
    {
        let ((found, updated), gradient) = value_and_grad!(
            |params| {
                let (y, updated) = model.apply_mut((params, &state), &x, rngs! {});
                ((&x - y).square().sum(), updated)
            },
            &params
        );
        tx.apply_gradients(&mut params, gradient, &mut opt_state);
        state = updated;
        println!("loss {found}, {state:?}");
        assert_near(found.item(), loss, 1e-3);
        assert_near(state.mean.as_slice()[0], mean, 1e-6);
        assert_near(params.bias.as_slice()[0], bias, 1e-5);
    }
    let variables = Variables { params, state };
    println!("put together again: {variables:#?}");
}

/// A network for one example. The moments of its normalisations are those of all examples along the axis `batch`.
#[module]
struct Mlp;

#[module(axis = batch)]
impl Mlp {
    fn call<P: Phase>(&self, x: Tensor![5], train: P) -> Tensor![1] {
        let x = compact!(Dense<10>)(x);
        let x = compact!(BatchNorm, momentum = 0.9, axis_name = batch)(x, train);
        let x = relu(x);
        let x = compact!(Dense<10>)(x);
        let x = compact!(BatchNorm, momentum = 0.9, axis_name = batch)(x, train);
        let x = relu(x);
        compact!(Dense<1>)(x)
    }
}

/// The same network for a batch.
#[module]
struct OfBatch;

#[module]
impl OfBatch {
    fn call<B: Batch, P: Phase>(&self, x: Tensor![B, 5], train: P) -> Tensor![B, 1] {
        let x = compact!(Dense<10>)(x);
        let x = relu(compact!(BatchNorm, momentum = 0.9)(x, train));
        let x = compact!(Dense<10>)(x);
        let x = relu(compact!(BatchNorm, momentum = 0.9)(x, train));
        compact!(Dense<1>)(x)
    }
}

/// Trains the network, one example at a time.
fn one_example_at_a_time() {
    let (xs, ys) = data();
    let model = Mlp::new();
    let Variables { mut params, mut state } = model.init(Key::legacy(0));

    // Training with the moments of the batch is what the layer does for a batch as a whole.
    let of_batch = OfBatch::new();
    let mut batched = of_batch.init(Key::legacy(0));
    let tx = sgd(0.02);
    let (mut opt_state, mut batched_opt_state) = (tx.init(&params), tx.init(&batched.params));
    for (epoch, expected) in [4.427073, 3.6276217, 3.005742, 2.5131905, 2.1174166].into_iter().enumerate() {
        let ((loss, updated), gradient) = value_and_grad!(
            |params| {
                let (losses, updated) = vmap!(
                    |x, y| {
                        let (prediction, updated) = model.apply_mut((params, &state), x, Train, rngs! {});
                        ((prediction - y).square(), updated)
                    },
                    &xs,
                    &ys,
                    out_axes = (0, None),
                    axis = batch
                );
                (losses.mean(), updated)
            },
            &params
        );
        tx.apply_gradients(&mut params, gradient, &mut opt_state);
        state = updated;
        println!("Loss for epoch {}: {loss}", epoch + 1);
        assert_near(loss.item(), expected, 2e-4);

        let ((whole, updated), gradient) = value_and_grad!(
            |params| {
                let (predictions, updated) =
                    of_batch.apply_mut((params, &batched.state), &xs, Train, rngs! {});
                ((predictions - &ys).square().mean(), updated)
            },
            &batched.params
        );
        tx.apply_gradients(&mut batched.params, gradient, &mut batched_opt_state);
        batched.state = updated;
        assert_near(loss.item(), whole.item(), 1e-4);
    }
    let expected = [
        -0.27071404,
        -0.45635295,
        -0.1564413,
        -0.05168773,
        -0.05607761,
        0.07357535,
        -0.24132311,
        0.12964568,
        0.07690524,
        -0.09270708,
    ];
    for (found, expected) in state.batch_norm_0.mean.as_slice().iter().zip(expected) {
        assert_near(*found, expected, 1e-5);
    }
}

/// 128 points with a little noise, and a linear function of them.
fn data() -> (Tensor![128, 5], Tensor![128, 1]) {
    let noise: Tensor![] = Key::legacy(0).uniform((), 0.0, 0.1);
    let points: Tensor![128, 5] = Key::legacy(0).uniform(Default::default(), 0.0, 1.0);
    let x = points + noise;
    let weights: Tensor![5, 1] = Key::legacy(0).uniform(Default::default(), 0.0, 1.0);
    let bias: Tensor![] = Key::legacy(0).uniform((), 0.0, 1.0);
    let y = matmul(x.clone(), weights) + bias;
    (x, y)
}

/// Asserts that two numbers agree to an absolute error.
fn assert_near(found: f32, expected: f32, tolerance: f32) {
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
}
