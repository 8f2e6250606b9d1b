//! At a kink the derivative is the same in both directions, and JAX's.

use flaxen::prelude::*;

use super::trees::close;

fn zero() -> Tensor![2; f64] {
    Tensor::zeros(Default::default())
}

fn one() -> Tensor![2; f64] {
    Tensor::full(Default::default(), 1.0)
}

macro_rules! agree {
    ($($op:ident $expected:literal),+) => {$(
        let (_, tangent) = jvp!(|x| $op(x), zero(), one());
        let gradient = grad!(|x| $op(x).sum(), zero());
        assert_eq!(tangent, gradient, stringify!($op));
        assert_eq!(tangent.as_slice()[0], $expected, stringify!($op));
    )+};
}

#[test]
fn of_one_number() {
    agree! { relu 0.0, abs 0.0, softplus 0.5, log_sigmoid 0.5, relu6 0.0, elu_of_one 1.0, soft_sign 1.0, log_cosh_of_error 0.0 }
}

#[differentiable]
fn elu_of_one<E: Float>(x: Tensor![2; E]) -> Tensor![2; E] {
    elu(x, 1.0)
}

#[differentiable]
fn log_cosh_of_error<E: Float>(x: Tensor![2; E]) -> Tensor![2; E] {
    log_cosh(x.clone(), x * 2.0)
}

/// Logits of zero, where a head that is initialised with zeros begins.
#[test]
fn of_pairs() {
    let labels: Tensor![2; f64] = Tensor::of(&[0.0, 1.0]).expect("two labels");
    let (_, tangent) = jvp!(|x| sigmoid_binary_cross_entropy(x, labels.clone()), zero(), one());
    assert_eq!(tangent.as_slice(), [0.5, -0.5]);
    let (_, tangent) = jvp!(|x, y| maximum(x, y), (zero(), zero()), (one(), one() * 3.0));
    assert_eq!(tangent.as_slice(), [2.0, 2.0]);
    let (_, tangent) = jvp!(|x| hinge_loss(x, one()), one(), one());
    assert_eq!(tangent, grad!(|x| hinge_loss(x, one()).sum(), one()));
}

/// Equals share: each has the same part in the tangent of a maximum.
#[test]
fn of_an_axis() {
    let x: Tensor![2, 3; f64] = Tensor::of(&[1.0, 1.0, 1.0, 2.0, 0.0, 2.0]).expect("six elements");
    let along: Tensor![2, 3; f64] = Tensor::of(&[3.0, 6.0, 0.0, 1.0, 50.0, 2.0]).expect("six elements");
    let (_, tangent) = jvp!(|x| max_axis::<1>(x), x.clone(), along.clone());
    assert_eq!(tangent.as_slice(), [3.0, 1.5]);
    let (_, tangent) = jvp!(|x| min_axis::<0>(x), x.clone(), along.clone());
    assert_eq!(tangent.as_slice(), [3.0, 50.0, 0.0]);
    let (value, tangent) = jvp!(|x| x.max(), x.clone(), along.clone());
    assert_eq!((value.item(), tangent.item()), (2.0, 1.5));
    // Row by row and column by column, the same matrix.
    close(&jacfwd!(|x| max_axis::<1>(x), x.clone()), &jacrev!(|x| max_axis::<1>(x), x), 0.0);
}

/// The first maximum of a window has the tangent, as it has the cotangent.
#[test]
fn of_a_window() {
    let x: Tensor![1, 2, 2, 1; f64] = Tensor::of(&[1.0, 1.0, 0.0, 1.0]).expect("four elements");
    let along: Tensor![1, 2, 2, 1; f64] = Tensor::of(&[5.0, 6.0, 7.0, 8.0]).expect("four elements");
    let (_, tangent) = jvp!(|x| max_pool::<2, 2>(x), x.clone(), along);
    assert_eq!(tangent.as_slice(), [5.0]);
    assert_eq!(grad!(|x| max_pool::<2, 2>(x).sum(), x).as_slice(), [1.0, 0.0, 0.0, 0.0]);
}
