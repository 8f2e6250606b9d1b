//! The harness of the ops: derivatives against central finite differences, in both directions and of second order, and
//! what the op contract asks for.

mod cases;
mod tangent;

use crate::op::{Differentiable, Needs, No, Op, Yes};
use crate::shape::{Message, Rule, Shape};
use crate::tensor::{Dual, Tensor};

pub(crate) use cases::{along_axes, broadcasts};
pub use tangent::tangents;

/// How far an input is moved to either side. The error of the difference is about its square.
const STEP: f64 = 1e-5;
const TOLERANCE: f64 = 1e-7;

/// Numbers spread evenly over -2 to 2, the same for the same seed (SplitMix64).
pub fn random<S: Shape>(shape: S, seed: u64) -> Tensor<S, f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Tensor::from_fn(shape, |_| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1u64 << 51) as f64 - 2.0
    })
}

/// [`random`] numbers, none of which is closer than 0.01 to a kink, where the derivative jumps.
pub fn random_away_from<S: Shape>(shape: S, seed: u64, kinks: &[f64]) -> Tensor<S, f64> {
    let mut x = random(shape, seed);
    for x in x.as_mut_slice() {
        while kinks.iter().any(|kink| (*x - kink).abs() < 0.01) {
            *x += 0.02;
        }
    }
    x
}

/// `1 + |x|` of [`random`] numbers, for ops that take positive numbers only.
pub fn random_positive<S: Shape>(shape: S, seed: u64) -> Tensor<S, f64> {
    let mut x = random(shape, seed);
    x.as_mut_slice().iter_mut().for_each(|x| *x = 1.0 + x.abs());
    x
}

/// Checks `backward` of an op of one input at `x`, and that `forward` is `infer`.
#[track_caller]
pub fn gradient<S, T, F>(op: &F, x: Tensor<S, f64>)
where
    S: Shape,
    T: Shape,
    F: Differentiable<Tensor<S, f64>, Yes>
        + Op<Tensor<S, f64>, Out = Tensor<T, f64>>
        + Differentiable<Tensor<S, Dual<f64>>, Yes>
        + Op<Tensor<S, Dual<f64>>, Out = Tensor<T, Dual<f64>>>,
{
    let (y, dy) = outputs(op, &x);
    let dx = pull::<_, Yes, _, _>(op, &x, &y, &dy);
    compare("the input", &x, &dx, |x| weighted(&op.infer(x), &dy));
    tangents::<_, Yes, _, _>(op, &x, &dy);
}

/// Checks `backward` of an op of two inputs, with each one's need on and off, and that `forward` is `infer`.
#[track_caller]
pub fn gradient2<A, B, T, F>(op: &F, a: Tensor<A, f64>, b: Tensor<B, f64>)
where
    A: Shape,
    B: Shape,
    T: Shape,
    F: Op<(Tensor<A, f64>, Tensor<B, f64>), Out = Tensor<T, f64>>
        + Differentiable<(Tensor<A, f64>, Tensor<B, f64>), (Yes, Yes)>
        + Differentiable<(Tensor<A, f64>, Tensor<B, f64>), (Yes, No)>
        + Differentiable<(Tensor<A, f64>, Tensor<B, f64>), (No, Yes)>
        + Op<(Tensor<A, Dual<f64>>, Tensor<B, Dual<f64>>), Out = Tensor<T, Dual<f64>>>
        + Differentiable<(Tensor<A, Dual<f64>>, Tensor<B, Dual<f64>>), (Yes, Yes)>,
{
    let input = (a.clone(), b.clone());
    let (y, dy) = outputs(op, &input);
    let (da, db) = pull::<_, (Yes, Yes), _, _>(op, &input, &y, &dy);
    compare("the first input", &a, &da, |a| weighted(&op.infer((a, b.clone())), &dy));
    compare("the second input", &b, &db, |b| weighted(&op.infer((a.clone(), b)), &dy));
    assert_eq!(pull::<_, (Yes, No), _, _>(op, &input, &y, &dy).0, da, "only the first is needed");
    assert_eq!(pull::<_, (No, Yes), _, _>(op, &input, &y, &dy).1, db, "only the second is needed");
    tangents::<_, (Yes, Yes), _, _>(op, &input, &dy);
}

/// Checks `backward` of an op of three inputs, all needed, one needed, and all but the first.
#[track_caller]
pub fn gradient3<A, B, C, T, F>(op: &F, a: Tensor<A, f64>, b: Tensor<B, f64>, c: Tensor<C, f64>)
where
    A: Shape,
    B: Shape,
    C: Shape,
    T: Shape,
    F: Op<(Tensor<A, f64>, Tensor<B, f64>, Tensor<C, f64>), Out = Tensor<T, f64>>
        + Differentiable<(Tensor<A, f64>, Tensor<B, f64>, Tensor<C, f64>), (Yes, Yes, Yes)>
        + Differentiable<(Tensor<A, f64>, Tensor<B, f64>, Tensor<C, f64>), (No, Yes, Yes)>
        + Differentiable<(Tensor<A, f64>, Tensor<B, f64>, Tensor<C, f64>), (Yes, No, No)>
        + Differentiable<(Tensor<A, f64>, Tensor<B, f64>, Tensor<C, f64>), (No, Yes, No)>
        + Differentiable<(Tensor<A, f64>, Tensor<B, f64>, Tensor<C, f64>), (No, No, Yes)>
        + Op<(Tensor<A, Dual<f64>>, Tensor<B, Dual<f64>>, Tensor<C, Dual<f64>>), Out = Tensor<T, Dual<f64>>>
        + Differentiable<(Tensor<A, Dual<f64>>, Tensor<B, Dual<f64>>, Tensor<C, Dual<f64>>), (Yes, Yes, Yes)>,
{
    let input = (a.clone(), b.clone(), c.clone());
    let (y, dy) = outputs(op, &input);
    let (da, db, dc) = pull::<_, (Yes, Yes, Yes), _, _>(op, &input, &y, &dy);
    compare("the first input", &a, &da, |a| weighted(&op.infer((a, b.clone(), c.clone())), &dy));
    compare("the second input", &b, &db, |b| weighted(&op.infer((a.clone(), b, c.clone())), &dy));
    compare("the third input", &c, &dc, |c| weighted(&op.infer((a.clone(), b.clone(), c)), &dy));
    let ((), db_too, dc_too) = pull::<_, (No, Yes, Yes), _, _>(op, &input, &y, &dy);
    assert!(db_too == db && dc_too == dc, "all but the first are needed");
    assert_eq!(pull::<_, (Yes, No, No), _, _>(op, &input, &y, &dy).0, da, "only the first is needed");
    assert_eq!(pull::<_, (No, Yes, No), _, _>(op, &input, &y, &dy).1, db, "only the second is needed");
    // The sum that makes the cotangent of a bias may run in another order when it is made together with a kernel's.
    let dc_alone = pull::<_, (No, No, Yes), _, _>(op, &input, &y, &dy).2;
    let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12 * (1.0 + a.abs());
    assert!(
        dc_alone.as_slice().iter().zip(dc.as_slice()).all(close),
        "only the third is needed: {dc_alone:?} instead of {dc:?}"
    );
    tangents::<_, (Yes, Yes, Yes), _, _>(op, &input, &dy);
}

/// Checks that a rule in numbers gives these sizes, written as `[B, 7, 64]`.
#[track_caller]
pub fn fits(rule: Rule, expected: &str) {
    let Rule::Out(sizes) = rule else { panic!("{rule:?} instead of {expected}") };
    assert_eq!(Message::new("").sizes(sizes).as_str(), expected);
}

/// Checks that a rule in numbers refuses, with this message.
#[track_caller]
pub fn refused(rule: Rule, message: &str) {
    let Rule::Refused(found) = rule else { panic!("{rule:?} instead of the message {message:?}") };
    assert_eq!(found.as_str(), message);
}

/// The output and a random cotangent of it.
fn outputs<In: Clone, T: Shape>(
    op: &impl Op<In, Out = Tensor<T, f64>>,
    input: &In,
) -> (Tensor<T, f64>, Tensor<T, f64>) {
    let y = op.infer(input.clone());
    let dy = random(y.shape(), 4242);
    (y, dy)
}

/// The cotangents of the inputs; `forward` must give the output `y` and leave shared inputs and cotangents alone.
#[track_caller]
fn pull<In, N, T, F>(op: &F, input: &In, y: &Tensor<T, f64>, dy: &Tensor<T, f64>) -> N::Cotangents
where
    In: Clone + PartialEq + std::fmt::Debug,
    N: Needs<In>,
    T: Shape,
    F: Differentiable<In, N> + Op<In, Out = Tensor<T, f64>>,
{
    let (before, dy_before) = (format!("{input:?}"), dy.as_slice().to_vec());
    let (output, residuals) = op.forward(input.clone());
    assert_eq!(&output, y, "forward gives what infer gives");
    let cotangents = op.backward(residuals, dy.clone());
    assert_eq!(format!("{input:?}"), before, "an input that somebody else holds does not change");
    assert_eq!(dy.as_slice(), dy_before, "a cotangent that somebody else holds does not change");
    cotangents
}

/// `sum(y * dy)`, the scalar whose gradient `backward` computes.
fn weighted<T: Shape>(y: &Tensor<T, f64>, dy: &Tensor<T, f64>) -> f64 {
    y.as_slice().iter().zip(dy.as_slice()).map(|(y, dy)| y * dy).sum()
}

/// Compares a gradient with the differences of `loss` at every element.
#[track_caller]
fn compare<S: Shape>(
    input: &str,
    x: &Tensor<S, f64>,
    gradient: &Tensor<S, f64>,
    loss: impl Fn(Tensor<S, f64>) -> f64,
) {
    assert_eq!(gradient.sizes().as_ref(), x.sizes().as_ref(), "sizes of the cotangent of {input}");
    for (index, &found) in gradient.as_slice().iter().enumerate() {
        // A fresh copy is held by nobody else, so that the path in place is taken too.
        let moved = |step: f64| {
            let mut x = x.clone();
            x.as_mut_slice()[index] += step;
            loss(x)
        };
        let expected = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
        assert!(
            (found - expected).abs() <= TOLERANCE * (1.0 + expected.abs()),
            "element {index} of the cotangent of {input}: {found} instead of {expected}"
        );
    }
}
