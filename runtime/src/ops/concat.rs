//! Two tensors one after the other along an axis, as `jnp.concatenate([a, b], axis)`: `concat::<1>(a, b)`.

use super::reduction::along;
use crate::op::{self, Differentiable, Need, Op as _};
use crate::shape::axis::{Concat, has_axis};
use crate::shape::{MAX_RANK, Message, Rule, Shape, Size, Sizes, Static};
use crate::tensor::{Element, Float, Tensor, shape_of};
use std::marker::PhantomData;

/// `a` and then `b` along the axis `A`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op<A>(PhantomData<A>);

impl<A: Static> Op<A> {
    /// The op.
    pub const fn new() -> Self {
        Op(PhantomData)
    }

    /// The rule in numbers: the sizes along the axis are added, the others agree.
    pub const fn shape([a, b]: [Sizes; 2]) -> Rule {
        if let Rule::Refused(message) = has_axis("concat", a, A::N) {
            return Rule::Refused(message);
        }
        let (rank, mut axis) = (a.rank(), 0);
        let mut fits = rank == b.rank();
        while fits && axis < rank {
            fits = axis == A::N || !a.at(axis).differs(b.at(axis));
            axis += 1;
        }
        if !fits {
            let message = Message::new("concat: only the sizes of axis ").number(A::N).text(" may differ: ");
            return Rule::Refused(message.sizes(a).text(" and ").sizes(b));
        }
        let total = match (a.at(A::N).known(), b.at(A::N).known()) {
            (Some(a), Some(b)) => Size::Known(a + b),
            _ => Size::Unknown,
        };
        Rule::Out(a.or(b).with(A::N, total))
    }
}

impl<A, S, T, E> op::Op<(Tensor<S, E>, Tensor<T, E>)> for Op<A>
where
    A: Static,
    S: Concat<T, A>,
    T: Shape,
    E: Element,
{
    type Out = Tensor<S::Out, E>;

    fn infer(&self, (a, b): (Tensor<S, E>, Tensor<T, E>)) -> Self::Out {
        let (a_sizes, b_sizes) = (a.sizes(), b.sizes());
        let (a_sizes, b_sizes) = (a_sizes.as_ref(), b_sizes.as_ref());
        let mut sizes = [0; MAX_RANK];
        sizes[..S::RANK].copy_from_slice(a_sizes);
        sizes[A::N] += b_sizes[A::N];
        for axis in (0..S::RANK).filter(|&axis| axis != A::N) {
            assert!(
                a_sizes[axis] == b_sizes[axis],
                "concat: sizes {a_sizes:?} and {b_sizes:?} along axis {}",
                A::N
            );
        }
        let (left, right) = (block(a_sizes, A::N), block(b_sizes, A::N));
        Tensor::written(shape_of(&sizes[..S::RANK]), |out| {
            for (index, out) in out.chunks_exact_mut((left + right).max(1)).enumerate() {
                out[..left].copy_from_slice(&a.as_slice()[index * left..][..left]);
                out[left..].copy_from_slice(&b.as_slice()[index * right..][..right]);
            }
        })
    }
}

impl<A, S, T, E, NA, NB> Differentiable<(Tensor<S, E>, Tensor<T, E>), (NA, NB)> for Op<A>
where
    A: Static,
    S: Concat<T, A>,
    T: Shape,
    E: Float,
    NA: Need,
    NB: Need,
{
    type Residuals = (S, T);

    fn forward(&self, (a, b): (Tensor<S, E>, Tensor<T, E>)) -> (Self::Out, (S, T)) {
        let shapes = (a.shape(), b.shape());
        (self.infer((a, b)), shapes)
    }

    fn backward(&self, (a, b): (S, T), cotangent: Self::Out) -> (NA::Of<Tensor<S, E>>, NB::Of<Tensor<T, E>>) {
        let left = block(a.sizes().as_ref(), A::N);
        let dy = cotangent.as_slice();
        let row = left + block(b.sizes().as_ref(), A::N);
        (NA::when(|| columns(dy, row, 0, a, A::N)), NB::when(|| columns(dy, row, left, b, A::N)))
    }
}

/// The elements of one index before the axis.
fn block(sizes: &[usize], axis: usize) -> usize {
    let axis = along(sizes, axis);
    axis.len * axis.inner
}

/// A tensor of shape `shape` from a part of every row of `row` elements, which begins at `from`.
pub(super) fn columns<S: Shape, E: Element>(
    x: &[E],
    row: usize,
    from: usize,
    shape: S,
    axis: usize,
) -> Tensor<S, E> {
    let len = block(shape.sizes().as_ref(), axis);
    Tensor::written(shape, |out| {
        for (index, out) in out.chunks_exact_mut(len.max(1)).enumerate() {
            out.copy_from_slice(&x[index * row + from..][..len]);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing::{fits, gradient2, random, refused};
    use crate::prelude::*;

    #[test]
    fn values() {
        let a = Tensor::<(U2, U2), i32>::of(&[1, 2, 3, 4]).unwrap();
        let b = Tensor::<(U2, U1), i32>::of(&[5, 6]).unwrap();
        let y: Tensor<(U2, U3), i32> = Op::<U1>::new().infer((a.clone(), b));
        assert_eq!(y.as_slice(), [1, 2, 5, 3, 4, 6]);
        let y: Tensor<(U4, U2), i32> = Op::<U0>::new().infer((a.clone(), a));
        assert_eq!(y.as_slice(), [1, 2, 3, 4, 1, 2, 3, 4]);
    }

    #[test]
    fn gradients() {
        gradient2(&Op::<U1>::new(), random((Dyn(2), U3::default()), 1), random((Dyn(2), U1::default()), 2));
        gradient2(&Op::<U0>::new(), random((Dyn(2), U3::default()), 1), random((Dyn(0), U3::default()), 2));
    }

    #[test]
    fn sizes() {
        fits(Op::<U1>::shape([<(Dyn, U3)>::STATIC, Sizes::known(&[2, 4])]), "[2, 7]");
        let message = "concat: only the sizes of axis 1 may differ: [2, 3] and [4, 3]";
        refused(Op::<U1>::shape([Sizes::known(&[2, 3]), Sizes::known(&[4, 3])]), message);
        let message = "concat: there is no axis 1 in [2]; axes count from 0";
        refused(Op::<U1>::shape([Sizes::known(&[2]), Sizes::known(&[4])]), message);
    }
}
