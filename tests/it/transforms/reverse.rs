//! `grad!` and `vjp!`.

use flaxen::prelude::*;

/// A linear model and a nonlinearity.
#[module]
struct Model;

#[module]
impl Model {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 2; f64] {
        tanh(compact!(Dense<2>)(x))
    }
}

fn rows() -> Tensor![2, 3; f64] {
    Tensor::of(&[0.5, -1.0, 0.25, 2.0, 0.125, -0.75]).expect("six elements")
}

fn kernel() -> Tensor![3, 2; f64] {
    Tensor::of(&[1.0, -2.0, 0.5, 0.25, -0.5, 3.0]).expect("six elements")
}

fn params() -> ModelParams {
    Model::new().init(Key::new(0)).params
}

#[test]
fn grad_is_the_gradient_alone() {
    let (model, at) = (Model::new(), params());
    let (loss, expected) = value_and_grad!(|params| square(model.apply(params, rows())).mean(), &at);
    assert_eq!(grad!(|params| square(model.apply(params, rows())).mean(), &at), expected);
    let (gradient, aux) = grad!(
        |params| {
            let out = square(model.apply(params, rows()));
            (out.mean(), out)
        },
        &at
    );
    assert_eq!((gradient, aux.mean()), (expected, loss));
    let (dx, dw) = grad!(|x, w| matmul(x, w).sum(), rows(), kernel());
    let (_, expected) = value_and_grad!(|x, w| matmul(x, w).sum(), rows(), kernel());
    assert_eq!((dx, dw), expected);
}

/// The pullback of a product, by hand.
#[test]
fn vjp_pulls_a_cotangent_back() {
    let (out, pullback) = vjp!(|x, w| matmul(x, w), rows(), kernel());
    assert_eq!(out, matmul(rows(), kernel()));
    let cotangent: Tensor![2, 2; f64] = Tensor::of(&[1.0, -1.0, 0.5, 2.0]).expect("four elements");
    let (dx, dw) = pullback(cotangent.clone());
    assert_eq!(dx, matmul(cotangent.clone(), transpose(kernel())));
    assert_eq!(dw, matmul(transpose(rows()), cotangent));
}

/// Of a model, with a cotangent that makes it the gradient of a sum.
#[test]
fn vjp_of_a_model() {
    let (model, at) = (Model::new(), params());
    let (out, pullback) = vjp!(|params| model.apply(params, rows()), &at);
    let gradient = pullback(Tensor::full(out.shape(), 1.0));
    assert_eq!(gradient, grad!(|params| model.apply(params, rows()).sum(), &at));
}

/// A tuple of outputs takes a tuple of cotangents, and what is returned twice adds.
#[test]
fn vjp_of_several_outputs() {
    let ((sum, same, square_of), pullback) = vjp!(
        |x| {
            let sum = x.clone().sum();
            (sum.clone(), sum, square(x))
        },
        rows()
    );
    assert_eq!((&sum, square_of), (&same, square(rows())));
    let dx = pullback((Tensor::scalar(2.0), Tensor::scalar(3.0), Tensor::full(Default::default(), 1.0)));
    assert_eq!(dx, rows() * 2.0 + 5.0);
}

/// An output that is an argument, and an argument that no output depends on.
#[test]
fn vjp_of_the_identity() {
    let (_, pullback) = vjp!(|x, y| x, rows(), kernel());
    assert_eq!(pullback(rows()), (rows(), Tensor::zeros(Default::default())));
}
