//! `#[custom_vjp]`: rules of the user's, in closures and in modules.

use flaxen::prelude::*;

use super::trees::close;

/// `ln(1 + eˣ)` with a derivative that does not overflow, of any shape and element.
#[custom_vjp]
mod log1pexp {
    use flaxen::prelude::*;

    pub fn primal<S: Shape, E: Float>(x: Tensor<S, E>) -> Tensor<S, E> {
        log(exp(x) + E::ONE)
    }

    pub fn forward<S: Shape, E: Float>(x: Tensor<S, E>) -> (Tensor<S, E>, Tensor<S, E>) {
        (primal(x.clone()), sigmoid(x))
    }

    pub fn backward<S: Shape, E: Float>(rate: Tensor<S, E>, cotangent: Tensor<S, E>) -> Tensor<S, E> {
        Tensor::from_fn(rate.shape(), |i| cotangent.as_slice()[i] * rate.as_slice()[i])
    }
}

/// A product of rows, a matrix and a factor, chosen by labels, whose derivative is doubled: wrong, so that a test sees whose it is.
#[custom_vjp]
mod doubled {
    use flaxen::prelude::*;

    type Kept<B> = (Tensor![B, 3; f64], Tensor![3, 2; f64], f64);

    pub fn primal<B: Batch>(
        x: Tensor![B, 3; f64],
        factor: f64,
        kernel: Tensor![3, 2; f64],
        labels: Tensor![B; i32],
    ) -> Tensor![B, 2; f64] {
        assert_eq!(labels.sizes()[0], x.sizes()[0]);
        matmul(x, kernel) * factor
    }

    pub fn forward<B: Batch>(
        x: Tensor![B, 3; f64],
        factor: f64,
        kernel: Tensor![3, 2; f64],
        labels: Tensor![B; i32],
    ) -> (Tensor![B, 2; f64], Kept<B>) {
        (primal(x.clone(), factor, kernel.clone(), labels), (x, kernel, 2.0 * factor))
    }

    pub fn backward<B: Batch>(
        (x, kernel, factor): Kept<B>,
        cotangent: Tensor![B, 2; f64],
    ) -> (Tensor![B, 3; f64], Tensor![3, 2; f64], ()) {
        let dx = matmul(cotangent.clone(), transpose(kernel)) * factor;
        (dx, matmul(transpose(x), cotangent) * factor, ())
    }
}

fn x() -> Tensor![2, 3; f64] {
    Tensor::of(&[0.5, -1.0, 0.25, 2.0, 0.125, -0.75]).expect("six elements")
}

#[test]
fn the_rule_is_the_derivative() {
    assert_eq!(log1pexp(Tensor::scalar(0.0_f64)).item(), 2.0_f64.ln());
    assert_eq!(grad!(|x| log1pexp(x).sum(), x()), sigmoid(x()));
    // Where the formula's own derivative is infinity by infinity.
    let far: Tensor![1; f64] = Tensor::full(Default::default(), 1000.0);
    assert_eq!(grad!(|x| log1pexp(x).sum(), far.clone()).item_of_one(), 1.0);
    assert!(grad!(|x| log(exp(x) + 1.0).sum(), far).item_of_one().is_nan());
}

/// The only element of a tensor.
trait One {
    fn item_of_one(&self) -> f64;
}

impl One for Tensor![1; f64] {
    fn item_of_one(&self) -> f64 {
        self.as_slice()[0]
    }
}

/// The second derivative is that of the rule.
#[test]
fn forward_over_the_rule() {
    let y = sigmoid(x());
    let expected = y.clone() * (1.0 - y) * x();
    close(&hvp!(|x| log1pexp(x).sum(), x(), x()), &expected, 1e-15);
    let (_, tangent) = jvp!(|x| log1pexp(x), x(), x());
    close(&tangent, &(sigmoid(x()) * x()), 1e-15);
}

/// Values, several inputs, and one that has no cotangent.
#[test]
fn several_inputs() {
    let kernel: Tensor![3, 2; f64] = Tensor::of(&[1.0, -2.0, 0.5, 0.25, -0.5, 3.0]).expect("six elements");
    let labels: Tensor![2; i32] = Tensor::zeros(Default::default());
    let (dx, dkernel) = grad!(|x, kernel| doubled(x, 3.0, kernel, labels.clone()).sum(), x(), kernel.clone());
    let (expected_dx, expected_dkernel) =
        grad!(|x, kernel| (matmul(x, kernel) * 6.0).sum(), x(), kernel.clone());
    assert_eq!((dx, dkernel), (expected_dx.clone(), expected_dkernel));
    // With one of them from outside, only the other's is computed.
    assert_eq!(grad!(|x| doubled(x, 3.0, kernel, labels).sum(), x()), expected_dx);
}

/// In a module, whose checks in numbers know its shape rule.
#[module]
struct Soft;

#[module]
impl Soft {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 2; f64] {
        let x = log1pexp(compact!(Dense<2>)(x));
        log1pexp(x)
    }
}

#[test]
fn in_a_module() {
    let (model, params) = (Soft::new(), Soft::new().init(Key::new(0)).params);
    crate::finite_differences::check_module(&model, params, x());
}
