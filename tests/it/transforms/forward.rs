//! `jvp!` and `hvp!`, of tensors and of models.

use flaxen::prelude::*;

use super::trees::{close, distance, moved};
use crate::finite_differences::weights;

type Rows = Tensor![2, 3; f64];

fn rows() -> Rows {
    Tensor::of(&[0.5, -1.0, 0.25, 2.0, 0.125, -0.75]).expect("six elements")
}

fn direction() -> Rows {
    Tensor::of(&[1.0, 0.5, -2.0, 0.25, -1.0, 3.0]).expect("six elements")
}

/// Generic in its element, with layers that are.
#[module]
struct Mlp;

#[module]
impl Mlp {
    fn call<B: Batch, E: Float>(&self, x: Tensor![B, 3; E]) -> Tensor![B, 2; E] {
        let x = tanh(compact!(Dense<4>)(x));
        let shift = param!("shift", constant(0.25), [4; E]);
        compact!(Dense<2>, use_bias = false)(x + shift)
    }
}

fn params() -> MlpParams<f64> {
    Mlp::new().init::<f64>(Key::new(0)).params
}

#[test]
fn jvp_of_a_function() {
    let (out, tangent) = jvp!(|x| square(x), rows(), direction());
    assert_eq!(out, square(rows()));
    assert_eq!(tangent, rows() * direction() * 2.0);
}

/// Several arguments, several results, and tensors, references and numbers from outside.
#[test]
fn jvp_of_several_arguments() {
    let (scale, rate): (Tensor![3; f64], f64) = (Tensor::of(&[1.0, 2.0, 3.0]).expect("three elements"), 0.5);
    let ((sum, product, constant), (dsum, dproduct, dconstant)) = jvp!(
        |x, y| {
            let scaled = x.clone() * &scale + rate;
            (scaled.sum(), x * y, exp(&scale))
        },
        (rows(), direction()),
        (direction(), rows())
    );
    assert_eq!(sum, (rows() * &scale + rate).sum());
    assert_eq!(dsum, (direction() * &scale).sum());
    assert_eq!(product, rows() * direction());
    assert_eq!(dproduct, direction() * direction() + rows() * rows());
    assert_eq!((constant, dconstant), (exp(scale), Tensor::zeros(Default::default())));
}

/// Labels are no floats, and stay as they are.
#[test]
fn integers_are_not_lifted() {
    let labels: Tensor![2; i32] = Tensor::of(&[2, 0]).expect("two labels");
    let (loss, tangent) =
        jvp!(|x| softmax_cross_entropy_with_integer_labels(x, labels.clone()).sum(), rows(), direction());
    let one_hot = one_hot::Op::<U3>::new().infer(labels.clone());
    let one_hot: Rows = Tensor::from_fn(Default::default(), |i| f64::from(one_hot.as_slice()[i]));
    let expected = ((softmax(rows()) - one_hot) * direction()).sum();
    assert_eq!(loss, softmax_cross_entropy_with_integer_labels(rows(), labels).sum());
    assert!((tangent.item() - expected.item()).abs() < 1e-14);
}

/// Along a direction in the parameters, and along one in the input, with the parameters from outside.
#[test]
fn jvp_of_a_model() {
    let (model, at) = (Mlp::new(), params());
    let along = weights(&at);
    let (out, tangent) = jvp!(|params| model.apply(params, rows()), &at, &along);
    assert_eq!(out, model.apply(&at, rows()));
    let moved_out = |step| model.apply(&moved(&at, &along, step), rows());
    close(&tangent, &((moved_out(1e-5) - moved_out(-1e-5)) / 2e-5), 1e-8);

    let variables = model.init::<f64>(Key::new(0));
    let (out, tangent) = jvp!(|x| model.apply(&variables, x), rows(), direction());
    assert_eq!(out, model.apply(&variables, rows()));
    let moved_out = |step: f64| model.apply(&variables, rows() + direction() * step);
    close(&tangent, &((moved_out(1e-5) - moved_out(-1e-5)) / 2e-5), 1e-8);
}

/// What does not depend on the arguments is computed without tangents, also by a model of one element only.
#[test]
fn what_is_constant_needs_no_tangents() {
    #[module]
    struct Fixed;

    #[module]
    impl Fixed {
        fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
            compact!(Dense<3>)(x)
        }
    }
    let (model, at) = (Fixed::new(), Fixed::new().init(Key::new(1)).params);
    let (out, tangent) = jvp!(
        |x| {
            let fixed = model.apply(&at, rows());
            x * tanh(fixed)
        },
        rows(),
        direction()
    );
    let factor = tanh(model.apply(&at, rows()));
    assert_eq!((out, tangent), (rows() * &factor, direction() * factor));
}

#[test]
fn hvp_of_a_function() {
    // f(x) = Σ x³, whose Hessian is 6 diag(x).
    let product = hvp!(|x| pow(x, 3.0).sum(), rows(), direction());
    assert_eq!(product, rows() * direction() * 6.0);
    // f(x, y) = Σ x² y
    let (along_x, along_y) = hvp!(|x, y| (square(x) * y).sum(), (rows(), direction()), (direction(), rows()));
    assert_eq!(along_x, (direction() * direction() + rows() * rows()) * 2.0);
    assert_eq!(along_y, rows() * direction() * 2.0);
}

/// Against differences of the gradient.
#[test]
fn hvp_of_a_model() {
    let (model, at) = (Mlp::new(), params());
    let along = weights(&at);
    let product = hvp!(|params| square(model.apply(params, rows())).mean(), &at, &along);
    let gradient = |step| {
        let at = moved(&at, &along, step);
        grad!(|params| square(model.apply(params, rows())).mean(), &at)
    };
    let mut expected = moved(&gradient(1e-5), &gradient(-1e-5), -1.0);
    expected = moved(&expected.zeros_like(), &expected, 0.5e5);
    close(&product, &expected, 1e-7);
    assert!(distance(product.zeros_like(), product) > 0.1);
}

/// By the input, with the parameters from outside: they are lifted for the backward pass.
#[test]
fn hvp_by_the_input_of_a_model() {
    let (model, variables) = (Mlp::new(), Mlp::new().init::<f64>(Key::new(3)));
    let product = hvp!(|x| square(model.apply(&variables, x)).sum(), rows(), direction());
    let gradient = |step: f64| {
        let at = rows() + direction() * step;
        grad!(|x| square(model.apply(&variables, x)).sum(), at)
    };
    close(&product, &((gradient(1e-5) - gradient(-1e-5)) / 2e-5), 1e-7);
}

/// A loop whose passes have variables of their own, an arm in it, a submodule that may not be there, and one that an arm declares.
#[module]
struct Looped {
    projection: Option<Dense<3>>,
    gated: bool,
}

#[module]
impl Looped {
    fn call<B: Batch, E: Float>(&self, x: Tensor![B, 3; E]) -> Tensor![B, 3; E] {
        let mut x = x;
        if let Some(projection) = &self.projection {
            x = tanh(projection(x));
        }
        for i in 0..3 {
            x = compact!(Dense<3>, name = format!("layers_{i}"))(x);
            if i != 1 {
                x = sigmoid(x);
            }
        }
        if self.gated { x * compact!(Dense<3>, name = "gate")(exp(x)) } else { x }
    }
}

fn all_looped() -> [Looped; 3] {
    let with = Looped::new().projection(Some(Dense::new()));
    [Looped::new(), with.clone(), with.gated(true)]
}

#[test]
fn jvp_through_loops_arms_and_optional_submodules() {
    for model in all_looped() {
        let at = weights(&model.init::<f64>(Key::new(1)).params);
        let along = moved(&at, &weights(&at), 0.5);
        let (out, tangent) = jvp!(|params, x| model.apply(params, x), (&at, rows()), (&along, direction()));
        assert_eq!(out, model.apply(&at, rows()));
        let moved_out = |step: f64| model.apply(&moved(&at, &along, step), rows() + direction() * step);
        close(&tangent, &((moved_out(1e-5) - moved_out(-1e-5)) / 2e-5), 1e-8);
    }
}

#[test]
fn hvp_through_loops_arms_and_optional_submodules() {
    for model in all_looped() {
        let at = weights(&model.init::<f64>(Key::new(1)).params);
        let along = weights(&at);
        let product = hvp!(|params| square(model.apply(params, rows())).sum(), &at, &along);
        let gradient = |step: f64| {
            let at = moved(&at, &along, step);
            value_and_grad!(|params| square(model.apply(params, rows())).sum(), &at).1
        };
        let difference = moved(&gradient(1e-5), &gradient(-1e-5), -1.0);
        let zero = moved(&product, &product, -1.0);
        close(&product, &moved(&zero, &difference, 0.5e5), 1e-6);
    }
}
