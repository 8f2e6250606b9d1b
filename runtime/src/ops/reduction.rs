//! What reductions have in common: the loop over an axis, in blocks whose sums are summed again.

use crate::backend::reduce::{self, Axis};
use crate::shape::{Dyn, Shape};
use crate::tensor::{Float, Tensor};

/// The sums along an axis, in a tensor of shape `shape`.
pub(super) fn sum_along<S: Shape, E: Float>(x: &[E], axis: Axis, shape: S) -> Tensor<S, E> {
    if axis.blocks() == 1 {
        return Tensor::written(shape, |sums| reduce::sum_blocks(x, axis, sums));
    }
    let blocks = Axis {
        len: axis.blocks(),
        ..axis
    };
    let partial = Tensor::<_, E>::written((Dyn(blocks.outer * blocks.len * blocks.inner),), |sums| {
        reduce::sum_blocks(x, axis, sums);
    });
    sum_along(partial.as_slice(), blocks, shape)
}

/// All elements as one axis.
pub(super) fn whole(len: usize) -> Axis {
    Axis {
        outer: 1,
        len,
        inner: 1,
    }
}

/// Axis number `axis` of a tensor of these sizes.
pub(super) fn along(sizes: &[usize], axis: usize) -> Axis {
    Axis {
        outer: sizes[..axis].iter().product(),
        len: sizes[axis],
        inner: sizes[axis + 1..].iter().product(),
    }
}
