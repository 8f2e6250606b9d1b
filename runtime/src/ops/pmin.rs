//! The smallest over a named axis of a `vmap!`, as `jax.lax.pmin`: `pmin::<batch>(x)`. The result is the same for every
//! example. NaN wins, and equals share the cotangent.

use super::collective::along;
use super::extremum::{self, Smallest};
use crate::batching::{Axes, Axis, Batched, Named, Stack, Within};
use crate::op::{self, Differentiable, Yes};
use crate::shape::{Dyn, Rule, Shape, Sizes};
use crate::tensor::{Float, Tensor};
use std::marker::PhantomData;

/// The smallest over the axis called `A`.
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
    L: Named<A>,
    S: Shape,
    E: Float,
{
    type Out = Batched<L::Reduced, Tensor<S, E>>;

    fn infer(&self, x: Batched<L, Tensor<S, E>>) -> Self::Out {
        let (axes, shape) = (x.axes().reduced(), x.shape());
        let axis = along(x.axes(), shape.elements());
        let elements: Tensor<(Dyn,), E> =
            extremum::along(&Smallest, x.as_slice(), axis, (Dyn(axis.outer * axis.inner),));
        Batched::new(axes, Stack::new(axes.count(), shape, elements))
    }
}

impl<A, L, S, E> Differentiable<Batched<L, Tensor<S, E>>, Yes> for Op<A>
where
    A: Axis,
    L: Named<A>,
    S: Shape,
    E: Float,
{
    /// Input and output.
    type Residuals = (Batched<L, Tensor<S, E>>, Self::Out);

    fn forward(&self, x: Batched<L, Tensor<S, E>>) -> (Self::Out, Self::Residuals) {
        let y = op::Op::infer(self, x.clone());
        (y.clone(), (x, y))
    }

    fn backward(&self, (x, y): Self::Residuals, cotangent: Self::Out) -> Batched<L, Tensor<S, E>> {
        let (axes, shape) = (x.axes(), x.shape());
        let axis = along(axes, shape.elements());
        let (x, cotangent) = (x.into_stack().into_flat(), cotangent.into_stack().into_flat());
        let dx = extremum::spread(&x, y.as_slice(), cotangent, axis);
        Batched::new(axes, Stack::new(axes.count(), shape, dx))
    }
}
