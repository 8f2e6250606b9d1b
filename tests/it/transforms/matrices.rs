//! `jacfwd!`, `jacrev!` and `hessian!`.

use flaxen::prelude::*;

use super::trees::close;

fn x() -> Tensor![3; f64] {
    Tensor::of(&[0.5, -1.0, 2.0]).expect("three elements")
}

/// Row by row and column by column it is the same matrix, that of softmax by hand.
#[test]
fn jacobians_of_softmax() {
    let p = softmax(x());
    let p = p.as_slice();
    let expected: Tensor![3, 3; f64] = Tensor::from_fn(Default::default(), |i| {
        let (row, column) = (i / 3, i % 3);
        p[row] * (if row == column { 1.0 } else { 0.0 } - p[column])
    });
    close(&jacfwd!(|x| softmax(x), x()), &expected, 1e-15);
    close(&jacrev!(|x| softmax(x), x()), &expected, 1e-15);
}

/// The output's shape comes first, then the input's; what is read from outside stays there for the next row.
#[test]
fn shapes_of_jacobians() {
    let (weights, rate): (Tensor![2, 3; f64], f64) = (Tensor::full(Default::default(), 0.5), 2.0);
    let batch: Tensor![Dyn, 3; f64] = Tensor::full((Dyn(4), Default::default()), 1.0);
    let forward: Tensor![Dyn, 2, Dyn, 3; f64] = jacfwd!(
        |x| {
            let scaled = x * rate;
            matmul(scaled, transpose(weights.clone()))
        },
        batch.clone()
    );
    let reverse: Tensor![Dyn, 2, Dyn, 3; f64] =
        jacrev!(|x| matmul(x * rate, transpose(weights.clone())), batch.clone());
    assert_eq!(forward.sizes(), [4, 2, 4, 3]);
    assert_eq!(forward, reverse);
    assert_eq!(forward.as_slice().iter().filter(|&&x| x == 1.0).count(), 4 * 2 * 3);
    let of_scalar: Tensor![3; f64] = jacrev!(|x| square(x).sum(), x());
    assert_eq!(of_scalar, x() * 2.0);
    // `weights` and `batch` are still here: they were read by reference.
    assert_eq!((weights.sizes(), batch.sizes()), ([2, 3], [4, 3]));
}

#[test]
fn hessians() {
    // f(x) = (Σ x)³ + Σ x²: 6 Σx everywhere, and 2 more on the diagonal.
    let hessian = hessian!(|x| pow(x.clone().sum(), 3.0) + square(x).sum(), x());
    let expected: Tensor![3, 3; f64] =
        Tensor::from_fn(Default::default(), |i| 9.0 + if i % 4 == 0 { 2.0 } else { 0.0 });
    close(&hessian, &expected, 1e-14);
    assert_eq!(hessian!(|x| square(x), Tensor::scalar(3.0_f64)).item(), 2.0);
}

/// By the input of a model.
#[test]
fn of_a_model() {
    #[module]
    struct Energy;

    #[module]
    impl Energy {
        fn call<B: Batch, E: Float>(&self, x: Tensor![B, 3; E]) -> Tensor![B, 1; E] {
            let x = tanh(compact!(Dense<5>)(x));
            compact!(Dense<1>)(x)
        }
    }
    let (model, variables) = (Energy::new(), Energy::new().init::<f64>(Key::new(0)));
    let x: Tensor![2, 3; f64] = Tensor::of(&[0.5, -1.0, 0.25, 2.0, 0.125, -0.75]).expect("six elements");
    let hessian: Tensor![2, 3, 2, 3; f64] = hessian!(|x| model.apply(&variables, x).sum(), x.clone());
    let of_gradient = jacfwd!(|x| grad!(|x| model.apply(&variables, x).sum(), x), x.clone());
    assert_eq!(hessian, of_gradient);
    let transposed = permute::Op::<U2, U3, U0, U1>::new().infer(hessian.clone());
    close(&hessian, &transposed, 1e-15);
    let by_rows = jacrev!(|x| model.apply(&variables, x), x.clone());
    close(&jacfwd!(|x| model.apply(&variables, x), x), &by_rows, 1e-15);
    assert!(hessian.as_slice().iter().any(|x| x.abs() > 1e-3));
}
