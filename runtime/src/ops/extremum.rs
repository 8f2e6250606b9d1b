//! What maxima and minima have in common: which of two wins, and how a cotangent is shared among equals.
//!
//! As in JAX, NaN wins, and where several elements are the largest, each has an equal share of the cotangent.

use super::broadcast::{broadcast, pairs, sum_to};
use crate::backend::map::{CHUNK, Function, vectorized};
use crate::backend::parallel_zipped;
use crate::backend::reduce::{self, Axis};
use crate::shape::Shape;
use crate::shape::broadcast::{Broadcast, Plan};
use crate::tensor::{Float, Primitive, Tensor};
use pulp::NullaryFnOnce;

/// The largest or the smallest.
pub(super) trait Extremum: Sync {
    /// Whether `a` wins over `b`.
    fn wins<E: Float>(&self, a: E, b: E) -> bool;
    /// What everything else wins over.
    fn start<E: Float>(&self) -> E;
}

/// The largest wins.
pub(super) struct Largest;

impl Extremum for Largest {
    #[inline(always)]
    fn wins<E: Float>(&self, a: E, b: E) -> bool {
        a > b
    }

    fn start<E: Float>(&self) -> E {
        E::NEG_INFINITY
    }
}

/// The smallest wins.
pub(super) struct Smallest;

impl Extremum for Smallest {
    #[inline(always)]
    fn wins<E: Float>(&self, a: E, b: E) -> bool {
        a < b
    }

    fn start<E: Float>(&self) -> E {
        -E::NEG_INFINITY
    }
}

/// The winner of two.
struct Winner<'a, X>(&'a X);

impl<X: Extremum, E: Float> Function<(E, E)> for Winner<'_, X> {
    type Out = E;

    #[inline(always)]
    fn at(&self, (a, b): (E, E)) -> E {
        E::primitive(self, [a, b])
    }
}

impl<X: Extremum> Primitive<2> for Winner<'_, X> {
    #[inline(always)]
    fn value<E: Float>(&self, [a, b]: [E; 2]) -> E {
        if self.0.wins(a, b) || a.is_nan() { a } else { b }
    }

    #[inline(always)]
    fn tangent<E: Float>(&self, [a, b]: [E; 2], _: E, [da, db]: [E; 2]) -> E {
        let share = Share(self.0).at((a, b));
        share * da + (E::ONE - share) * db
    }
}

/// The share of the left one of two in the cotangent: 1, 0, or one half if they are equal.
struct Share<'a, X>(&'a X);

impl<X: Extremum, E: Float> Function<(E, E)> for Share<'_, X> {
    type Out = E;

    #[inline(always)]
    fn at(&self, (a, b): (E, E)) -> E {
        let equal = if a == b { E::from_f64(0.5) } else { E::ZERO };
        if self.0.wins(a, b) { E::ONE } else { equal }
    }
}

/// What the left or the right one gets of a cotangent.
struct Part {
    left: bool,
}

impl<E: Float> Function<(E, E)> for Part {
    type Out = E;

    #[inline(always)]
    fn at(&self, (cotangent, share): (E, E)) -> E {
        cotangent * if self.left { share } else { E::ONE - share }
    }
}

/// The winner of every pair.
pub(super) fn of_pairs<A: Broadcast<B>, B: Shape, E: Float>(
    extremum: &impl Extremum,
    a: Tensor<A, E>,
    b: Tensor<B, E>,
) -> Tensor<A::Out, E> {
    broadcast(&Winner(extremum), a, b)
}

/// The share of the left one of every pair.
pub(super) fn shares<A: Broadcast<B>, B: Shape, E: Float>(
    extremum: &impl Extremum,
    a: &Tensor<A, E>,
    b: &Tensor<B, E>,
) -> Tensor<A::Out, E> {
    let plan = Plan::new(a.sizes().as_ref(), b.sizes().as_ref());
    pairs(&Share(extremum), &plan, a.as_slice(), b.as_slice())
}

/// The cotangent of the left or the right input of shape `shape`, from the shares of the left one.
pub(super) fn part<S: Shape, O: Shape, E: Float>(
    left: bool,
    cotangent: Tensor<O, E>,
    shares: Tensor<O, E>,
    shape: S,
) -> Tensor<S, E> {
    sum_to(super::elementwise::zip(&Part { left }, cotangent, shares), shape)
}

/// The winners along an axis, in a tensor of shape `shape`.
pub(super) fn along<S: Shape, E: Float>(
    extremum: &impl Extremum,
    x: &[E],
    axis: Axis,
    shape: S,
) -> Tensor<S, E> {
    Tensor::written(shape, |out| {
        reduce::fold(&Winner(extremum), extremum.start(), x, axis, out);
        if E::IS_DUAL {
            out.iter_mut().enumerate().for_each(|(result, y)| *y = with_tangent(x, *y, axis, result));
        }
    })
}

/// The winner with the mean of the tangents of all that equal it.
fn with_tangent<E: Float>(x: &[E], y: E, axis: Axis, result: usize) -> E {
    let equals = || places(axis, result).filter(|&place| x[place] == y).map(|place| x[place]);
    if !y.is_finite() {
        return y.primal();
    }
    let tangent: E = equals().map(|x| x - x.primal()).sum();
    y.primal() + tangent / E::from_f64(equals().count() as f64)
}

/// The places of the elements of which the result with this number is the winner.
fn places(Axis { len, inner, .. }: Axis, result: usize) -> impl Iterator<Item = usize> {
    let (outer, index) = (result / inner, result % inner);
    (0..len).map(move |row| (outer * len + row) * inner + index)
}

/// The cotangent of `x`, whose winners along an axis are `y`. That of `y` becomes the shares, where it is.
pub(super) fn spread<S: Shape, O: Shape, E: Float>(
    x: &Tensor<S, E>,
    y: &[E],
    mut cotangent: Tensor<O, E>,
    axis: Axis,
) -> Tensor<S, E> {
    let (block, inner) = (axis.len * axis.inner, axis.inner);
    Tensor::written(x.shape(), |dx| {
        if dx.is_empty() {
            return;
        }
        let together = (CHUNK / block).max(1);
        let shares = (cotangent.as_mut_slice(), together * inner);
        parallel_zipped(
            axis.outer.div_ceil(together),
            [(dx, together * block)],
            [shares],
            |part, [dx], [shares]| {
                let from = part * together;
                let (x, y) = (&x.as_slice()[from * block..][..dx.len()], &y[from * inner..][..shares.len()]);
                vectorized(Spread { x, y, shares, dx, inner });
            },
        );
    })
}

/// Shares the cotangents, which are in `shares`, among those elements of their columns that equal `y`; there may be several
/// matrices of `inner` columns.
struct Spread<'a, E> {
    x: &'a [E],
    y: &'a [E],
    shares: &'a mut [E],
    dx: &'a mut [E],
    inner: usize,
}

impl<E: Float> NullaryFnOnce for Spread<'_, E> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Spread { x, y, shares, dx, inner } = self;
        let block = x.len() / (y.len() / inner);
        let inputs = x.chunks_exact(block).zip(y.chunks_exact(inner));
        let outputs = shares.chunks_exact_mut(inner).zip(dx.chunks_exact_mut(block));
        for ((x, y), (shares, dx)) in inputs.zip(outputs) {
            match (y, &mut *shares) {
                ([y], [share]) => spread_column(x, *y, *share, dx),
                _ => spread_columns(x, y, shares, dx),
            }
        }
    }
}

#[inline(always)]
fn spread_column<E: Float>(x: &[E], y: E, cotangent: E, dx: &mut [E]) {
    let equals = x.iter().filter(|&&x| x == y).count();
    let share = cotangent / E::from_f64(equals as f64);
    dx.iter_mut().zip(x).for_each(|(dx, &x)| *dx = choose(x == y, share));
}

/// Row by row; `dx` has the numbers of equals in its first row meanwhile, up to those that `E` can count.
#[inline(always)]
fn spread_columns<E: Float>(x: &[E], y: &[E], shares: &mut [E], dx: &mut [E]) {
    let equals = &mut dx[..y.len()];
    equals.fill(E::ZERO);
    for x in x.chunks_exact(y.len()) {
        for (equals, (x, y)) in equals.iter_mut().zip(x.iter().zip(y)) {
            *equals += choose(x == y, E::ONE);
        }
    }
    shares.iter_mut().zip(equals).for_each(|(share, equals)| *share /= *equals);
    for (dx, x) in dx.chunks_exact_mut(y.len()).zip(x.chunks_exact(y.len())) {
        for ((dx, &share), (x, y)) in dx.iter_mut().zip(&*shares).zip(x.iter().zip(y)) {
            *dx = choose(x == y, share);
        }
    }
}

#[inline(always)]
fn choose<E: Float>(equal: bool, share: E) -> E {
    if equal { share } else { E::ZERO }
}
