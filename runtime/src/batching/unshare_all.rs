//! What a module in a `vmap!` writes into a variable of its own: a value that all examples share.

use super::axes::AllShared;
use super::batched::Batched;
use super::example::Stack;
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

impl<L: AllShared, S: Shape, E: Element> op::Op<Batched<L, Tensor<S, E>>> for Op {
    type Out = Tensor<S, E>;

    fn infer(&self, x: Batched<L, Tensor<S, E>>) -> Tensor<S, E> {
        x.into_stack().into_one()
    }
}

impl<L: AllShared, S: Shape, E: Float> Differentiable<Batched<L, Tensor<S, E>>, Yes> for Op {
    type Residuals = L;

    fn forward(&self, x: Batched<L, Tensor<S, E>>) -> (Tensor<S, E>, L) {
        let axes = x.axes();
        (op::Op::infer(self, x), axes)
    }

    fn backward(&self, axes: L, cotangent: Tensor<S, E>) -> Batched<L, Tensor<S, E>> {
        Batched::new(axes, Stack::of_one(cotangent))
    }
}
