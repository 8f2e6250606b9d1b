//! A transformation in the closure of another.

use flaxen::prelude::*;

use super::trees::{close, distance, moved};
use crate::finite_differences::weights;

fn x() -> Tensor![3; f64] {
    Tensor::of(&[0.5, -1.0, 2.0]).expect("three elements")
}

fn u() -> Tensor![3; f64] {
    Tensor::of(&[1.0, 0.25, -0.5]).expect("three elements")
}

fn v() -> Tensor![3; f64] {
    Tensor::of(&[-2.0, 1.5, 0.75]).expect("three elements")
}

/// Generic in its element, as a function and as a model.
#[differentiable]
fn coupled<E: Float>(x: Tensor![3; E]) -> Tensor![; E] {
    (exp(x.clone() * 0.5) * tanh(x)).sum()
}

#[module]
struct Mlp;

#[module]
impl Mlp {
    fn call<B: Batch, E: Float>(&self, x: Tensor![B, 3; E]) -> Tensor![B, 1; E] {
        let x = tanh(compact!(Dense<4>)(x));
        compact!(Dense<1>)(x)
    }
}

/// `hvp!` is `jvp!` of `grad!`, and so is what is written out.
#[test]
fn jvp_of_grad() {
    let weight = v();
    let ((gradient, loss), (product, slope)) = jvp!(
        |x| {
            let (loss, gradient) = value_and_grad!(|y| (exp(y) * weight.clone()).sum(), x);
            (gradient, loss)
        },
        x(),
        u()
    );
    assert_eq!(loss, (exp(x()) * v()).sum());
    assert_eq!(gradient, exp(x()) * v());
    close(&product, &(exp(x()) * v() * u()), 1e-15);
    close(&slope, &(exp(x()) * v() * u()).sum(), 1e-15);
    assert_eq!(product, hvp!(|y| (exp(y) * weight.clone()).sum(), x(), u()));
}

/// The inner closure reads a variable of the outer one, which is differentiated by too.
#[test]
fn the_inner_closure_reads_the_outer() {
    // g(x) = d/dy Σ x y² at y = x: 2 x²; its derivative along u: 4 x u.
    let (gradient, tangent) = jvp!(|x| grad!(|y| (x * square(y)).sum(), x), x(), u());
    assert_eq!(gradient, square(x()) * 2.0);
    assert_eq!(tangent, x() * u() * 4.0);
}

/// Siskind and Pearlmutter's example of perturbations that must not be confused: `d/dx (x · d/dy (x + y)) = 1`.
#[test]
fn perturbations_are_not_confused() {
    let one = || Tensor::scalar(1.0_f64);
    let (_, derivative) = jvp!(
        |x| {
            let (_, inner) = jvp!(|y| x.clone() + y, one(), one());
            x * inner
        },
        one(),
        one()
    );
    assert_eq!(derivative.item(), 1.0);
    let (_, derivative) = jvp!(|x| x.clone() * grad!(|y| x.clone() + y, one()), one(), one());
    assert_eq!(derivative.item(), 1.0);
}

/// `jvp!` of `hvp!`, of `jvp!` of `jvp!`, and a fourth derivative.
#[test]
fn third_and_fourth_derivatives() {
    // f(x) = (Σ x)⁵: all derivatives of an order are the same.
    let (sum, along) = (x().sum().item(), |t: Tensor![3; f64]| t.sum().item());
    let (product, third) = jvp!(|x| hvp!(|y| pow(y.sum(), 5.0), x, u()), x(), v());
    close(&product, &Tensor::full(Default::default(), 20.0 * sum.powi(3) * along(u())), 1e-12);
    close(&third, &Tensor::full(Default::default(), 60.0 * sum.powi(2) * along(u()) * along(v())), 1e-12);
    let (_, third) = jvp!(
        |x| {
            let (_, second) = jvp!(
                |y| {
                    let (_, first) = jvp!(|z| pow(z.sum(), 5.0), y, u());
                    first
                },
                x,
                v()
            );
            second
        },
        x(),
        u()
    );
    close(&third, &Tensor::scalar(60.0 * sum.powi(2) * along(u()).powi(2) * along(v())), 1e-12);
    let (_, fourth) = jvp!(
        |x| {
            let (_, third) = jvp!(|y| hvp!(|z| pow(z.sum(), 5.0), y, u()), x, v());
            third
        },
        x(),
        u()
    );
    let expected = 120.0 * sum * along(u()).powi(2) * along(v());
    close(&fourth, &Tensor::full(Default::default(), expected), 1e-12);
}

/// A Jacobian of a gradient is the Hessian, and a Jacobian of a Hessian the third derivative.
#[test]
fn matrices_of_derivatives() {
    let hessian = hessian!(|x| coupled(x), x());
    assert_eq!(jacfwd!(|x| grad!(|y| coupled(y), x), x()), hessian);
    let third: Tensor![3, 3, 3; f64] = jacfwd!(|x| hessian!(|y| coupled(y), x), x());
    for i in 0..27 {
        let diagonal = i / 9 == i % 3 && i / 9 == i / 3 % 3;
        assert_eq!(third.as_slice()[i] != 0.0, diagonal, "element {i}");
    }
    let (_, along) = jvp!(|x| hvp!(|y| coupled(y), x, u()), x(), v());
    let contracted = Tensor::from_fn(Default::default(), |i| {
        third.as_slice()[13 * i] * u().as_slice()[i] * v().as_slice()[i]
    });
    close(&along, &contracted, 1e-14);
    let rows = jacfwd!(|x| jacrev!(|y| softmax(y), x), x());
    close(&rows, &jacfwd!(|x| jacfwd!(|y| softmax(y), x), x()), 1e-15);
}

/// A direction that is a variable, and a gradient in a block among other statements.
#[test]
fn among_other_statements() {
    let (value, tangent) = jvp!(
        |x| {
            let scale = 2.0_f64;
            let gradient = {
                let half = scale / 2.0;
                grad!(|y| (pow(y, 3.0) * scale * half).sum(), x)
            };
            let product = hvp!(|y| pow(y, 3.0).sum(), x, gradient);
            product.sum()
        },
        x(),
        u()
    );
    // Σ 6x · 6x²
    close(&value, &(pow(x(), 3.0) * 36.0).sum(), 1e-12);
    close(&tangent, &(square(x()) * u() * 108.0).sum(), 1e-12);
}

/// The variables of a model go through two closures, by name and from outside.
#[test]
fn trees_in_both_closures() {
    let (model, at) = (Mlp::new(), Mlp::new().init::<f64>(Key::new(0)).params);
    let along = weights(&at);
    let rows: Tensor![2, 3; f64] = Tensor::of(&[0.5, -1.0, 0.25, 2.0, 0.125, -0.75]).expect("six elements");
    let (gradient, product) =
        jvp!(|params| grad!(|inner| square(model.apply(inner, rows.clone())).sum(), params), &at, &along);
    assert_eq!(gradient, grad!(|params| square(model.apply(params, rows.clone())).sum(), &at));
    let expected = hvp!(|params| square(model.apply(params, rows.clone())).sum(), &at, &along);
    assert_eq!(product, expected);
    // The gradient by the input, along a direction in the parameters.
    let (forces, tangent) = jvp!(|params| grad!(|x| model.apply(params, x).sum(), rows.clone()), &at, &along);
    let forces_at = |at: &MlpParams<f64>| grad!(|x| model.apply(at, x).sum(), rows.clone());
    assert_eq!(forces, forces_at(&at));
    let (ahead, behind) = (forces_at(&moved(&at, &along, 1e-5)), forces_at(&moved(&at, &along, -1e-5)));
    close(&tangent, &((ahead - behind) / 2e-5), 1e-8);
    // A third derivative along one direction, against differences of the product.
    let (_, third) = jvp!(
        |params| hvp!(|inner| square(model.apply(inner, rows.clone())).sum(), params, &along),
        &at,
        &along
    );
    let product_at = |step| {
        let at = moved(&at, &along, step);
        hvp!(|params| square(model.apply(params, rows.clone())).sum(), &at, &along)
    };
    let difference = moved(&product_at(1e-5), &product_at(-1e-5), -1.0);
    close(&third, &moved(&third.zeros_like(), &difference, 0.5e5), 1e-6);
    assert!(distance(third.zeros_like(), third) > 0.1);
}

/// A function of the user's that is generic in its element differentiates inside, and is differentiated from outside.
#[test]
fn in_a_generic_function() {
    fn newton<E: Float>(x: Tensor![3; E]) -> Tensor![3; E] {
        let gradient = grad!(|y| coupled(y), x.clone());
        let (_, curvature) = jvp!(|y| grad!(|z| coupled(z), y), x.clone(), Tensor::full(x.shape(), E::ONE));
        x - gradient / curvature
    }
    let step = newton(x());
    let expected =
        x() - grad!(|y| coupled(y), x()) / hvp!(|y| coupled(y), x(), Tensor::full(x().shape(), 1.0));
    assert_eq!(step, expected);
    let dual = newton(flaxen::transform::Primal::<()>::with_tangent(&x(), &u()));
    let (value, tangent) = flaxen::transform::Split::<()>::split(dual);
    assert_eq!(value, step);
    let difference = newton(x() + u() * 1e-6) - newton(x() - u() * 1e-6);
    close(&tangent, &(difference / 2e-6), 1e-7);
}
