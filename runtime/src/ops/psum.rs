//! The sum over a named axis of a `vmap!`, as `jax.lax.psum`: `psum::<batch>(x)`. The result is the same for every example.

use super::collective::{spread, sum};
use crate::batching::{Axis, Batched, Named, Varying, Within};
use crate::op::{self, Differentiable, Yes};
use crate::shape::{Rule, Shape, Sizes};
use crate::tensor::{Float, Tensor};
use std::marker::PhantomData;

/// The sum over the axis called `A`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op<A>(PhantomData<A>);

impl<A: Axis> Op<A> {
    /// The op.
    pub const fn new() -> Self {
        Op(PhantomData)
    }

    /// The op, for an input in a `vmap!` that binds the axis.
    pub fn within<In: Within<A>>(self, _: &In) -> In::Op<Self> {
        In::op(self)
    }

    /// The rule in numbers: the sizes of an example stay.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        Rule::Out(x)
    }
}

impl<A, L, S, E> op::Op<Batched<L, Tensor<S, E>>> for Op<A>
where
    A: Axis,
    L: Named<A, Extent: Varying>,
    S: Shape,
    E: Float,
{
    type Out = Batched<L::Reduced, Tensor<S, E>>;

    fn infer(&self, x: Batched<L, Tensor<S, E>>) -> Self::Out {
        sum(&x)
    }
}

impl<A, L, S, E> Differentiable<Batched<L, Tensor<S, E>>, Yes> for Op<A>
where
    A: Axis,
    L: Named<A, Extent: Varying>,
    S: Shape,
    E: Float,
{
    type Residuals = L;

    fn forward(&self, x: Batched<L, Tensor<S, E>>) -> (Self::Out, L) {
        (sum(&x), x.axes())
    }

    fn backward(&self, axes: L, cotangent: Self::Out) -> Batched<L, Tensor<S, E>> {
        spread(axes, &cotangent)
    }
}
