//! What maxima and minima have in common: which of two wins, and how a cotangent is shared among equals.
//!
//! As in JAX, NaN wins, and where several elements are the largest, each has an equal share of the cotangent.

use super::broadcast::{broadcast, pairs, sum_to};
use crate::backend::map::Function;
use crate::backend::reduce::{self, Axis};
use crate::shape::Shape;
use crate::shape::broadcast::{Broadcast, Plan};
use crate::tensor::{Float, Tensor};

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
        if self.0.wins(a, b) || a.is_nan() { a } else { b }
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
    Tensor::written(shape, |out| reduce::fold(&Winner(extremum), extremum.start(), x, axis, out))
}

/// The cotangent of `x`, whose winners along an axis are `y`.
pub(super) fn spread<S: Shape, E: Float>(
    x: &Tensor<S, E>,
    y: &[E],
    cotangent: &[E],
    axis: Axis,
) -> Tensor<S, E> {
    let Axis { outer, len, inner } = axis;
    let x_elements = x.as_slice();
    Tensor::written(x.shape(), |dx| {
        for (outer, inner_index) in (0..outer).flat_map(|outer| (0..inner).map(move |index| (outer, index))) {
            let result = outer * inner + inner_index;
            let places = || (0..len).map(|row| (outer * len + row) * inner + inner_index);
            let equals = places().filter(|&place| x_elements[place] == y[result]).count();
            let share = cotangent[result] / E::from_f64(equals as f64);
            for place in places() {
                dx[place] = if x_elements[place] == y[result] { share } else { E::ZERO };
            }
        }
    })
}
