//! What a module in a `vmap!` takes from itself: a parameter, which all examples share.

use super::axes::Axes;
use super::batched::Batched;
use super::example::Stack;
use crate::op::{self, Differentiable, Yes};
use crate::shape::{Rule, Shape, Sizes};
use crate::tensor::{Element, Float, Tensor};
use std::marker::PhantomData;

/// A tensor as a value that is the same along the axes `L`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op<L>(PhantomData<L>);

impl<L: Axes> Op<L> {
    /// The op.
    pub const fn new() -> Self {
        Op(PhantomData)
    }

    /// The rule in numbers: the output has the input's sizes.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        Rule::Out(x)
    }
}

impl<L: Axes, S: Shape, E: Element> op::Op<Tensor<S, E>> for Op<L> {
    type Out = Batched<L::Shared, Tensor<S, E>>;

    fn infer(&self, x: Tensor<S, E>) -> Self::Out {
        Batched::new(L::shared(), Stack::of_one(x))
    }
}

impl<L: Axes, S: Shape, E: Float> Differentiable<Tensor<S, E>, Yes> for Op<L> {
    type Residuals = ();

    fn forward(&self, x: Tensor<S, E>) -> (Self::Out, ()) {
        (op::Op::infer(self, x), ())
    }

    fn backward(&self, (): (), cotangent: Self::Out) -> Tensor<S, E> {
        cotangent.into_stack().into_one()
    }
}
