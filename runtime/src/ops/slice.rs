//! A part of a tensor along an axis, as `jax.lax.slice_in_dim`: `slice::<1, 0, 3>(x)` is `x[:, 0:3]`.

use super::concat::columns;
use super::reduction::along;
use crate::op::{self, Differentiable, Op as _, Yes};
use crate::shape::arithmetic::DimSub;
use crate::shape::axis::{HasAxis, has_axis};
use crate::shape::{MAX_RANK, Message, Rule, Size, Sizes, Static};
use crate::tensor::{Element, Float, Tensor, shape_of};
use std::marker::PhantomData;

/// What is at `START` and after, and before `END`, along the axis `A`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op<A, START, END>(PhantomData<(A, START, END)>);

impl<A: Static, START: Static, END: Static> Op<A, START, END> {
    /// The op.
    pub const fn new() -> Self {
        Op(PhantomData)
    }

    /// The rule in numbers: the size along the axis is `END - START`.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        if let Rule::Refused(message) = has_axis("slice", x, A::N) {
            return Rule::Refused(message);
        }
        let inside = match x.at(A::N).known() {
            Some(size) => END::N <= size,
            None => true,
        };
        if START::N > END::N || !inside {
            let message = Message::new("slice: there is no ").number(START::N).text(" to ").number(END::N);
            return Rule::Refused(message.text(" along axis ").number(A::N).text(" of ").sizes(x));
        }
        Rule::Out(x.with(A::N, Size::Known(END::N - START::N)))
    }
}

impl<A, START, END, S, E> op::Op<Tensor<S, E>> for Op<A, START, END>
where
    A: Static,
    START: Static,
    END: Static + DimSub<START>,
    S: HasAxis<A>,
    E: Element,
{
    type Out = Tensor<S::Replaced<<END as DimSub<START>>::Out>, E>;

    fn infer(&self, x: Tensor<S, E>) -> Self::Out {
        const { Self::shape([S::STATIC]).speak() };
        let mut sizes = [0; MAX_RANK];
        sizes[..S::RANK].copy_from_slice(x.sizes().as_ref());
        let axis = along(&sizes[..S::RANK], A::N);
        assert!(
            END::N <= axis.len,
            "slice: there is no {} to {} in an axis of {}",
            START::N,
            END::N,
            axis.len
        );
        sizes[A::N] = END::N - START::N;
        let shape = shape_of(&sizes[..S::RANK]);
        columns(x.as_slice(), axis.len * axis.inner, START::N * axis.inner, shape, A::N)
    }
}

impl<A, START, END, S, E> Differentiable<Tensor<S, E>, Yes> for Op<A, START, END>
where
    A: Static,
    START: Static,
    END: Static + DimSub<START>,
    S: HasAxis<A>,
    E: Float,
{
    type Residuals = S;

    fn forward(&self, x: Tensor<S, E>) -> (Self::Out, S) {
        let shape = x.shape();
        (self.infer(x), shape)
    }

    fn backward(&self, shape: S, cotangent: Self::Out) -> Tensor<S, E> {
        let axis = along(shape.sizes().as_ref(), A::N);
        let (from, len) = (START::N * axis.inner, (END::N - START::N) * axis.inner);
        Tensor::written(shape, |dx| {
            for (index, dx) in dx.chunks_exact_mut((axis.len * axis.inner).max(1)).enumerate() {
                dx[..from].fill(E::ZERO);
                dx[from..from + len].copy_from_slice(&cotangent.as_slice()[index * len..][..len]);
                dx[from + len..].fill(E::ZERO);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing::{fits, gradient, random, refused};
    use crate::prelude::*;

    #[test]
    fn values() {
        let x = Tensor::<(U2, U3), i32>::of(&[1, 2, 3, 4, 5, 6]).unwrap();
        let y: Tensor<(U2, U2), i32> = Op::<U1, U1, U3>::new().infer(x.clone());
        assert_eq!(y.as_slice(), [2, 3, 5, 6]);
        assert_eq!(Op::<U0, U1, U2>::new().infer(x.clone()).as_slice(), [4, 5, 6]);
        assert_eq!(Op::<U1, U3, U3>::new().infer(x).as_slice(), [0; 0]);
    }

    #[test]
    fn gradients() {
        gradient(&Op::<U1, U1, U3>::new(), random((Dyn(2), U4::default(), U2::default()), 1));
        gradient(&Op::<U0, U0, U2>::new(), random((Dyn(3), U4::default()), 1));
        gradient(&Op::<U1, U1, U3>::new(), random((Dyn(0), U4::default()), 1));
    }

    #[test]
    fn parts_that_are_not_there_are_refused() {
        fits(Op::<U1, U1, U3>::shape([<(Dyn, U3)>::STATIC]), "[?, 2]");
        let message = "slice: there is no 1 to 4 along axis 1 of [?, 3]";
        refused(Op::<U1, U1, U4>::shape([<(Dyn, U3)>::STATIC]), message);
        let message = "slice: there is no 2 to 1 along axis 0 of [3]";
        refused(Op::<U0, U2, U1>::shape([Sizes::known(&[3])]), message);
    }
}
