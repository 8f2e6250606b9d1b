//! The results of a `vmap!` on their way out.

use super::axes::Along;
use super::batched::Batched;
use super::extent::Extent;
use super::level::Level;
use crate::op::{self, Differentiable, Yes};
use crate::shape::{Rule, Shape, Sizes};
use crate::tensor::{Element, Float, Tensor};

/// A result of a `vmap!` along the axis `A`. It is a type of its own, so that what is wrong with a result is said in words
/// of its extent.
#[derive(Clone, Debug)]
pub struct Leaving<A: 'static, N: Extent, L: Level, S: Shape, E: Element>(
    pub(super) Batched<Along<A, N, L>, Tensor<S, E>>,
);

/// Marks a result.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers: the output has the input's sizes.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        Rule::Out(x)
    }
}

impl<A: 'static, N: Extent, L: Level, S: Shape, E: Element> op::Op<Batched<Along<A, N, L>, Tensor<S, E>>>
    for Op
{
    type Out = Leaving<A, N, L, S, E>;

    fn infer(&self, x: Batched<Along<A, N, L>, Tensor<S, E>>) -> Self::Out {
        Leaving(x)
    }
}

impl<A: 'static, N: Extent, L: Level, S: Shape, E: Float>
    Differentiable<Batched<Along<A, N, L>, Tensor<S, E>>, Yes> for Op
{
    type Residuals = ();

    fn forward(&self, x: Batched<Along<A, N, L>, Tensor<S, E>>) -> (Self::Out, ()) {
        (Leaving(x), ())
    }

    fn backward(&self, (): (), Leaving(cotangent): Self::Out) -> Batched<Along<A, N, L>, Tensor<S, E>> {
        cotangent
    }
}
