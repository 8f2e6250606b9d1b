//! The exit of a `vmap!`: the results of all examples, stacked along an axis.

use super::axes::{Along, Axes};
use super::batch::swapped;
use super::batched::Batched;
use super::example::Stack;
use super::extent::Varying;
use super::leave::Leaving;
use super::level::Level;
use crate::op::{self, Differentiable, Op as _, Yes};
use crate::shape::axis::InsertAxis;
use crate::shape::{Message, Rule, Size, Sizes, Static};
use crate::tensor::{Element, Float, Tensor, settled};
use std::marker::PhantomData;

/// The examples as the axis number `K` of a tensor.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op<K>(PhantomData<K>);

impl<K: Static> Op<K> {
    /// The op.
    pub const fn new() -> Self {
        Op(PhantomData)
    }

    /// The rule in numbers: one more axis, whose size is that of the `vmap!`.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        inserted(x, K::N, Size::Unknown)
    }
}

const fn inserted(x: Sizes, axis: usize, size: Size) -> Rule {
    if axis <= x.rank() && x.rank() < crate::shape::MAX_RANK {
        return Rule::Out(x.inserted(axis, size));
    }
    let message = Message::new("vmap: `out_axes` puts the examples at axis ").number(axis).text(" of ");
    Rule::Refused(message.sizes(x).text("; axes count from 0, and a tensor has six at most"))
}

impl<K, A, N, L, S, E> op::Op<Leaving<A, N, L, S, E>> for Op<K>
where
    K: Static,
    A: 'static,
    N: Varying,
    L: Level,
    S: InsertAxis<K>,
    E: Element,
{
    type Out = L::Value<Tensor<S::Inserted<N::Size>, E>>;

    fn infer(&self, Leaving(x): Leaving<A, N, L, S, E>) -> Self::Out {
        let Along { extent, outer, .. } = x.axes();
        let (count, sizes) = (outer.count(), x.shape().sizes());
        let (front, len) = (sizes.as_ref()[..K::N].iter().product(), extent.count());
        let shape = settled(&inserted(Sizes::known(sizes.as_ref()), K::N, Size::Known(len)));
        let elements = swapped(x.into_stack().into_flat(), [count, len, front]);
        outer.close(Stack::new(count, shape, elements))
    }
}

impl<K, A, N, L, S, E> Differentiable<Leaving<A, N, L, S, E>, Yes> for Op<K>
where
    K: Static,
    A: 'static,
    N: Varying,
    L: Level,
    S: InsertAxis<K>,
    E: Float,
{
    type Residuals = (Along<A, N, L>, S);

    fn forward(&self, x: Leaving<A, N, L, S, E>) -> (Self::Out, Self::Residuals) {
        let kept = (x.0.axes(), x.0.shape());
        (self.infer(x), kept)
    }

    fn backward(&self, (axes, shape): Self::Residuals, cotangent: Self::Out) -> Leaving<A, N, L, S, E> {
        let (outer, stack) = L::open::<Tensor<S::Inserted<N::Size>, E>>(cotangent);
        let (sizes, len) = (shape.sizes(), axes.extent.count());
        let front = sizes.as_ref()[..K::N].iter().product();
        let elements = swapped(stack.into_flat(), [outer.count(), front, len]);
        Leaving(Batched::new(axes, Stack::new(axes.count(), shape, elements)))
    }
}
