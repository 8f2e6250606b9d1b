//! What reductions have in common: the loop over an axis, in blocks whose sums are summed again.

use crate::backend::reduce::{self, Axis};
use crate::backend::stretch;
use crate::shape::{Dyn, MAX_RANK, Shape};
use crate::tensor::{Float, Tensor, shape_of};

/// The sums along an axis, in a tensor of shape `shape`.
pub(super) fn sum_along<S: Shape, E: Float>(x: &[E], axis: Axis, shape: S) -> Tensor<S, E> {
    Tensor::written(shape, |sums| sum_into(x, axis, sums))
}

/// Writes the sums along an axis.
pub(super) fn sum_into<E: Float>(x: &[E], axis: Axis, sums: &mut [E]) {
    match axis.blocks() {
        1 => reduce::sum_blocks(x, axis, sums),
        _ => sum_blocks_into(x, axis, sums),
    }
}

/// [`sum_into`] by way of the sums of blocks.
#[inline(never)]
fn sum_blocks_into<E: Float>(x: &[E], axis: Axis, sums: &mut [E]) {
    let blocks = Axis { len: axis.blocks(), ..axis };
    let partial = Tensor::<_, E>::written((Dyn(blocks.outer * blocks.len * blocks.inner),), |sums| {
        reduce::sum_blocks(x, axis, sums);
    });
    sum_into(partial.as_slice(), blocks, sums);
}

/// All elements as one axis.
pub(super) fn whole(len: usize) -> Axis {
    Axis { outer: 1, len, inner: 1 }
}

/// Axis number `axis` of a tensor of these sizes.
pub(super) fn along(sizes: &[usize], axis: usize) -> Axis {
    Axis {
        outer: sizes[..axis].iter().product(),
        len: sizes[axis],
        inner: sizes[axis + 1..].iter().product(),
    }
}

/// The shape of these sizes without one axis.
pub(super) fn without<S: Shape>(sizes: &[usize], axis: usize) -> S {
    let mut rest = [0; MAX_RANK];
    rest[..axis].copy_from_slice(&sizes[..axis]);
    rest[axis..sizes.len() - 1].copy_from_slice(&sizes[axis + 1..]);
    shape_of(&rest[..sizes.len() - 1])
}

/// A tensor of shape `shape` that has `x` at every place along an axis.
pub(super) fn stretched<S: Shape, E: Float>(shape: S, axis: Axis, x: &[E]) -> Tensor<S, E> {
    Tensor::written(shape, |out| stretch::stretch(x, axis, out))
}
