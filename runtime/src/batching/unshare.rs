//! The exit of a `vmap!` for a result that is the same for every example: `out_axes = None`.

use super::axes::Along;
use super::batched::Batched;
use super::extent::Invariant;
use super::leave::Leaving;
use super::level::Level;
use crate::op::{self, Differentiable, Yes};
use crate::shape::{Rule, Shape, Sizes};
use crate::tensor::{Element, Float, Tensor};

/// The value that all examples have.
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

impl<A: 'static, N: Invariant, L: Level, S: Shape, E: Element> op::Op<Leaving<A, N, L, S, E>> for Op {
    type Out = L::Value<Tensor<S, E>>;

    fn infer(&self, Leaving(x): Leaving<A, N, L, S, E>) -> Self::Out {
        x.axes().outer.close(x.into_stack())
    }
}

impl<A: 'static, N: Invariant, L: Level, S: Shape, E: Float> Differentiable<Leaving<A, N, L, S, E>, Yes>
    for Op
{
    type Residuals = N;

    fn forward(&self, x: Leaving<A, N, L, S, E>) -> (Self::Out, N) {
        let extent = x.0.axes().extent;
        (op::Op::infer(self, x), extent)
    }

    fn backward(&self, extent: N, cotangent: Self::Out) -> Leaving<A, N, L, S, E> {
        let (outer, stack) = L::open::<Tensor<S, E>>(cotangent);
        Leaving(Batched::new(Along::new(extent, outer), stack))
    }
}
