//! `value_and_grad!` and `#[differentiable]`.

use flaxen::prelude::*;

use crate::finite_differences::{check, weights};

type Rows = Tensor![2, 3; f64];

fn rows(seed: f64) -> Rows {
    weights(&Tensor::full(Default::default(), seed)) + seed
}

fn kernel(seed: f64) -> Tensor![3, 2; f64] {
    weights(&Tensor::full(Default::default(), 1.0)) * seed
}

/// A linear model and a nonlinearity.
#[module]
struct Model;

#[module]
impl Model {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 2; f64] {
        tanh(compact!(Dense<2>)(x))
    }
}

fn params() -> ModelParams {
    weights(&Model::new().init(Key::new(0)).params)
}

/// A loss as the only output, for the finite differences.
type Loss = (Tensor![; f64],);

fn only(loss: Tensor![; f64]) -> Loss {
    (loss,)
}

/// The gradient that the weighted loss must have.
fn weighted<T: Tree>(mut gradient: T, loss: Tensor![; f64], cotangent: fn(&Loss) -> Loss) -> T {
    use flaxen::tree::{Path, Zip};
    struct Scale(f64);
    impl Zip<0> for Scale {
        fn leaf<S: Shape, E: Float>(
            &mut self,
            _: &Path,
            leaf: &mut Tensor<S, E>,
            []: [&mut Tensor<S, E>; 0],
        ) {
            leaf.as_mut_slice().iter_mut().for_each(|x| *x *= E::from_f64(self.0));
        }
    }
    let weight = cotangent(&(loss,)).0.item();
    gradient.zip([], &Path::ROOT, &mut Scale(weight));
    gradient
}

#[test]
fn of_parameters() {
    let x = rows(0.5);
    check(
        params(),
        |params| only(square(Model::new().apply(&params, x.clone())).mean()),
        |at, cotangent| {
            let (loss, gradient) =
                value_and_grad!(|params| square(Model::new().apply(params, x.clone())).mean(), &at);
            assert_eq!(loss, square(Model::new().apply(&at, x.clone())).mean());
            weighted(gradient, loss, cotangent)
        },
    );
}

#[test]
fn with_aux() {
    let (x, at, model) = (rows(0.5), params(), Model::new());
    let (loss, gradient) = value_and_grad!(|params| model.apply(params, x.clone()).sum(), &at);
    let ((with_aux, out), same_gradient) = value_and_grad!(
        |params| {
            let out = model.apply(params, x.clone());
            (out.sum(), out)
        },
        &at
    );
    assert_eq!((&with_aux, &same_gradient), (&loss, &gradient));
    assert_eq!(out, model.apply(&at, x.clone()));
    // What is returned beside the loss has no part in the gradient, whatever was done to it.
    let ((_, _), same_gradient) = value_and_grad!(
        |params| {
            let out = model.apply(params, x.clone());
            let loss = out.clone().sum();
            (loss, exp(out) * 3.0)
        },
        &at
    );
    assert_eq!(same_gradient, gradient);
}

#[test]
fn of_several_arguments() {
    check(
        (params(), rows(0.5), kernel(0.7)),
        |(params, x, kernel)| {
            let y = Model::new().apply(&params, x.clone());
            only((y * matmul(x, kernel)).sum())
        },
        |(params, x, kernel), cotangent| {
            let (loss, gradients) = value_and_grad!(
                |params, x, kernel| {
                    let y = Model::new().apply(params, x.clone());
                    (y * matmul(x, kernel)).sum()
                },
                &params,
                x,
                kernel
            );
            weighted(gradients, loss, cotangent)
        },
    );
}

#[test]
fn two_calls_of_one_model_add_their_gradients() {
    let (a, b) = (rows(0.5), rows(-0.8));
    check(
        params(),
        |params| {
            let model = Model::new();
            only((model.apply(&params, a.clone()) * model.apply(&params, b.clone())).sum())
        },
        |at, cotangent| {
            let model = Model::new();
            let (loss, gradient) = value_and_grad!(
                |params| {
                    let first = model.apply(params, a.clone());
                    let second = model.apply(params, b.clone());
                    (first * second).sum()
                },
                &at
            );
            weighted(gradient, loss, cotangent)
        },
    );
}

/// One model's output goes into another's, and each has its gradient.
#[test]
fn of_two_models() {
    let x = rows(0.5);
    let other_kernel = kernel(0.4);
    check(
        (params(), params()),
        |(first, second)| {
            let y = Model::new().apply(&first, x.clone());
            let wide = matmul(y, transpose(other_kernel.clone()));
            only(Model::new().apply(&second, wide).sum())
        },
        |(first, second), cotangent| {
            let wider = transpose(other_kernel.clone());
            let (loss, gradients) = value_and_grad!(
                |first, second| {
                    let y = Model::new().apply(first, x.clone());
                    let wide = matmul(y, wider);
                    Model::new().apply(second, wide).sum()
                },
                &first,
                &second
            );
            weighted(gradients, loss, cotangent)
        },
    );
}

/// Like a closure it sees tensors and numbers around it, and runs plain statements.
#[test]
fn the_environment_is_captured() {
    struct Batch {
        images: Rows,
        scale: Tensor![2; f64],
    }
    let batch = Batch { images: rows(0.5), scale: Tensor::of(&[2.0, -1.0]).expect("two elements") };
    let mut calls = 0;
    let at = params();
    let (loss, gradient) = value_and_grad!(
        |params| {
            calls += 1;
            let offset = batch.scale.clone() + 1.0;
            let out = Model::new().apply(params, batch.images.clone());
            ((out * batch.scale.clone()) + offset).sum()
        },
        &at
    );
    assert_eq!(calls, 1);
    let expected = Model::new().apply(&at, batch.images.clone()) * &batch.scale + (&batch.scale + 1.0);
    assert_eq!(loss, expected.sum());
    let scale = batch.scale;
    let (_, expected) =
        value_and_grad!(|params| (Model::new().apply(params, batch.images.clone()) * scale).sum(), &at);
    assert_eq!(gradient, expected);
}

#[test]
fn operators_with_scalars_on_both_sides() {
    check(
        rows(0.3),
        |x| only((2.0 - (1.0 / (x.clone() + 3.0)) * 4.0 - x.clone() / 2.0 + -x * 0.5).sum()),
        |x, cotangent| {
            let (loss, gradient) = value_and_grad!(
                |x| (2.0 - (1.0 / (x.clone() + 3.0)) * 4.0 - x.clone() / 2.0 + -x * 0.5).sum(),
                x
            );
            weighted(gradient, loss, cotangent)
        },
    );
}

/// What a plain statement in a block binds ends with the block; tensors go on.
#[test]
fn plain_statements_in_blocks() {
    let (at, model) = (params(), Model::new());
    let factor = kernel(1.0).mean_axis::<U0>();
    let (loss, gradient) = value_and_grad!(
        |params| {
            let y = {
                let factor = Tensor::full(factor.shape(), 10.0);
                let out = model.apply(params, rows(0.5));
                let shifted = { out.clone() + factor.clone() };
                exp(shifted * 0.1) * out
            };
            (y * factor.clone()).sum()
        },
        &at
    );
    let ten = Tensor::full(factor.shape(), 10.0);
    let (expected, same) = value_and_grad!(
        |params| {
            let out = model.apply(params, rows(0.5));
            let y = exp((out.clone() + ten) * 0.1) * out;
            (y * factor).sum()
        },
        &at
    );
    assert_eq!((loss, gradient), (expected, same));
}

/// A constant is a scalar by its name, and so is a number on either side of a tensor.
#[test]
fn constants() {
    const RATE: f64 = 3.0;
    let (loss, gradient) = value_and_grad!(|x| (std::f64::consts::LN_2 * x * RATE - RATE).sum(), rows(0.3));
    assert_eq!(loss, (std::f64::consts::LN_2 * rows(0.3) * RATE - RATE).sum());
    assert_eq!(gradient.as_slice(), [std::f64::consts::LN_2 * RATE; 6]);
}

/// `x² / (1 + exp(y))`, of which the callers below ask for one part or both.
#[differentiable]
fn ratio<B: Batch>(x: Tensor![B, 3; f64], y: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
    square(x) / (1.0 + exp(y))
}

/// Calls the function above, twice on the same tensor.
#[differentiable]
fn nested<B: Batch>(x: Tensor![B, 3; f64], y: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
    let inner = ratio(x.clone(), y);
    ratio(inner.clone(), x) + ratio(inner.clone(), inner)
}

/// One argument.
#[differentiable]
fn energy<B: Batch>(x: Tensor![B, 3; f64]) -> Tensor![; f64] {
    nested(x.clone(), tanh(x)).sum()
}

#[test]
fn functions_in_functions() {
    check(
        (rows(0.5), rows(-0.2)),
        |(x, y)| only(nested(x, y).sum()),
        |(x, y), cotangent| {
            let (loss, gradients) = value_and_grad!(|x, y| nested(x, y).sum(), x, y);
            weighted(gradients, loss, cotangent)
        },
    );
    check(
        rows(0.5),
        |x| only(energy(x)),
        |x, cotangent| {
            let (loss, gradient) = value_and_grad!(|x| energy(x), x);
            weighted(gradient, loss, cotangent)
        },
    );
}

/// Where one argument comes from outside, only the other has a gradient.
#[test]
fn a_function_with_an_argument_from_outside() {
    let y = rows(-0.2);
    check(
        rows(0.5),
        |x| only((ratio(x.clone(), y.clone()) * ratio(y.clone(), x)).sum()),
        |x, cotangent| {
            let (loss, gradient) = value_and_grad!(
                |x| {
                    let first = ratio(x.clone(), y.clone());
                    (first * ratio(y.clone(), x)).sum()
                },
                x
            );
            weighted(gradient, loss, cotangent)
        },
    );
}

/// A function in a module, on the way of parameters.
#[module]
struct WithFunction;

#[module]
impl WithFunction {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
        let y = compact!(Dense<3>)(x.clone());
        ratio(nested(x, y.clone()), y)
    }
}

#[test]
fn functions_in_modules() {
    let params = weights(&WithFunction::new().init(Key::new(0)).params);
    crate::finite_differences::check_module(&WithFunction::new(), params, rows(0.4));
}

#[test]
fn stop_gradient_stops() {
    let (loss, gradient) = value_and_grad!(|x| (stop_gradient(exp(x.clone())) * x).sum(), rows(0.3));
    assert_eq!(loss, (exp(rows(0.3)) * rows(0.3)).sum());
    assert_eq!(gradient, exp(rows(0.3)));
    let (_, gradient) = value_and_grad!(|x| stop_gradient(x).sum(), rows(0.3));
    assert_eq!(gradient.as_slice(), [0.0; 6]);
}

/// A model whose output is only compared has no gradient.
#[test]
fn stop_gradient_of_a_model() {
    let (x, at) = (rows(0.5), params());
    let model = Model::new();
    let (_, gradient) = value_and_grad!(
        |params| {
            let target = stop_gradient(model.apply(params, x.clone()) * 2.0);
            square(model.apply(params, x.clone()) - target).sum()
        },
        &at
    );
    let target = model.apply(&at, x.clone()) * 2.0;
    let (_, expected) = value_and_grad!(|params| square(model.apply(params, x.clone()) - target).sum(), &at);
    assert_eq!(gradient, expected);
    assert_ne!(gradient, at.zeros_like());
}

#[test]
fn numbers_and_references_from_outside_are_inputs() {
    let x: Tensor![3] = Tensor::of(&[1.0, 2.0, 3.0]).unwrap();
    let weights: Tensor![3] = Tensor::of(&[1.0, 10.0, 100.0]).unwrap();
    let rate = 0.5_f32;
    let (loss, dx) = value_and_grad!(|x| ((x * &weights) * rate - rate).sum(), x.clone());
    assert_eq!(loss.item(), 159.0);
    assert_eq!(dx.as_slice(), [0.5, 5.0, 50.0]);
    let (loss, dx) = value_and_grad!(|x| (rate / (x + weights)).sum(), x);
    assert!((loss.item() - (0.25 + 0.5 / 12.0 + 0.5 / 103.0)).abs() < 1e-6);
    assert!((dx.as_slice()[0] + 0.125).abs() < 1e-6);
}
