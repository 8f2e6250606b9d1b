//! The number of an example along a named axis of a `vmap!`, as `jax.lax.axis_index`: `axis_index::<batch>(x)`, for an `x` that
//! varies along it.

use super::collective::along;
use crate::batching::{Axis, Batched, Named, Stack, Varying, Within};
use crate::op;
use crate::shape::{Dyn, Rule, Shape, Sizes};
use crate::tensor::{Element, Tensor};
use std::marker::PhantomData;

/// The index along the axis called `A`.
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

    /// The rule in numbers: a scalar.
    pub const fn shape([_]: [Sizes; 1]) -> Rule {
        Rule::Out(Sizes::new(&[]))
    }
}

impl<A, L, S, E> op::Op<Batched<L, Tensor<S, E>>> for Op<A>
where
    A: Axis,
    L: Named<A, Extent: Varying>,
    S: Shape,
    E: Element,
{
    type Out = Batched<L, Tensor<(), i32>>;

    fn infer(&self, x: Batched<L, Tensor<S, E>>) -> Self::Out {
        let (axes, axis) = (x.axes(), along(x.axes(), 1));
        let indices = Tensor::from_fn((Dyn(axes.count()),), |place| {
            i32::try_from(place / axis.inner % axis.len).unwrap_or(i32::MAX)
        });
        Batched::new(axes, Stack::new(axes.count(), (), indices))
    }
}
