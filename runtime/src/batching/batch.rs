//! The entry of a `vmap!`: one axis of a tensor becomes the one that is mapped over.

use super::axes::{Along, Axes};
use super::axis::Axis;
use super::batched::Batched;
use super::example::Stack;
use super::extent::Extent;
use super::level::Level;
use crate::backend::copy;
use crate::op::{self, Differentiable, Yes};
use crate::shape::axis::{HasAxis, removed};
use crate::shape::{Dyn, Rule, Sizes, Static};
use crate::tensor::{Element, Float, Tensor, settled, shape_of};
use std::marker::{PhantomData, PhantomPinned};

/// The examples along the axis number `K` of a tensor, as the axis called `A`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op<A, K>(PhantomData<(A, K)>, PhantomPinned);

impl<A: Axis, K: Static> Op<A, K> {
    /// The op.
    pub const fn new() -> Self {
        Op(PhantomData, PhantomPinned)
    }

    /// The rule in numbers: the sizes of one example.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        removed("vmap", x, K::N)
    }

    /// Examples along the axes `outer`, taken apart.
    fn enter<L: Axes, S: HasAxis<K>, E: Element>(
        outer: L,
        stack: Stack<Tensor<S, E>>,
    ) -> Batched<Along<A, S::Size, L>, Tensor<S::Removed, E>> {
        let (count, sizes) = (stack.count(), stack.shape().sizes());
        let (sizes, len) = (sizes.as_ref(), sizes.as_ref()[K::N]);
        let front = sizes[..K::N].iter().product();
        let example = settled(&Rule::Out(Sizes::known(sizes).without(K::N)));
        let (extent,) = shape_of(&[len]);
        let elements = swapped(stack.into_flat(), [count, front, len]);
        Batched::new(Along::new(extent, outer), Stack::new(count * len, example, elements))
    }

    /// The cotangent of examples of the shape `shape`.
    fn back<L: Axes, S: HasAxis<K>, E: Element>(
        shape: S,
        cotangent: Batched<Along<A, S::Size, L>, Tensor<S::Removed, E>>,
    ) -> Stack<Tensor<S, E>> {
        let (axes, sizes) = (cotangent.axes(), shape.sizes());
        let (count, front) = (axes.outer.count(), sizes.as_ref()[..K::N].iter().product());
        let elements = swapped(cotangent.into_stack().into_flat(), [count, axes.extent.count(), front]);
        Stack::new(count, shape, elements)
    }
}

/// The second and the third axis of `x` exchanged; `sizes` are those of the first three, and the rest is the fourth.
pub(super) fn swapped<E: Element>(x: Tensor<(Dyn,), E>, [a, b, c]: [usize; 3]) -> Tensor<(Dyn,), E> {
    if b == 1 || c == 1 || a * b * c == 0 {
        return x;
    }
    let elements = x.as_slice().len();
    Tensor::written((Dyn(elements),), |out| {
        copy::permute(x.as_slice(), &[a, b, c, elements / (a * b * c)], &[0, 2, 1, 3], out);
    })
}

macro_rules! at_levels {
    ($([$($generics:tt)*] $level:ty, $value:ty;)+) => {$(
        impl<A: Axis, K: Static, S: HasAxis<K>, E: Element, $($generics)*> op::Op<$value> for Op<A, K> {
            type Out = Batched<Along<A, S::Size, $level>, Tensor<S::Removed, E>>;

            fn infer(&self, x: $value) -> Self::Out {
                let (outer, stack) = <$level as Level>::open(x);
                Self::enter(outer, stack)
            }
        }

        impl<A: Axis, K: Static, S: HasAxis<K>, E: Float, $($generics)*> Differentiable<$value, Yes> for Op<A, K> {
            type Residuals = S;

            fn forward(&self, x: $value) -> (Self::Out, S) {
                let (outer, stack) = <$level as Level>::open(x);
                let shape = stack.shape();
                (Self::enter(outer, stack), shape)
            }

            fn backward(&self, shape: S, cotangent: Self::Out) -> $value {
                let outer = cotangent.axes().outer;
                outer.close(Self::back(shape, cotangent))
            }
        }
    )+};
}

at_levels! {
    [] (), Tensor<S, E>;
    [B: 'static, N: Extent, L: Axes] Along<B, N, L>, Batched<Along<B, N, L>, Tensor<S, E>>;
}
