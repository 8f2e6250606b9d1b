//! What ops along a named axis have in common: where the axis lies among the examples.

use super::reduction::sum_along;
use crate::backend::map;
use crate::backend::reduce::Axis;
use crate::batching::{Axes, Batched, Named, Stack};
use crate::shape::{Dyn, Shape};
use crate::tensor::{Element, Float, Tensor};

/// The named axis of values with `elements` elements an example.
pub(super) fn along<A, L: Named<A>>(axes: L, elements: usize) -> Axis {
    let counts = axes.counts_of_all();
    Axis {
        outer: counts[L::POSITION + 1..].iter().product(),
        len: counts[L::POSITION],
        inner: counts[..L::POSITION].iter().product::<usize>() * elements,
    }
}

/// The sums over the named axis.
pub(super) fn sum<A, L: Named<A>, S: Shape, E: Float>(
    x: &Batched<L, Tensor<S, E>>,
) -> Batched<L::Reduced, Tensor<S, E>> {
    let (axes, shape) = (x.axes(), x.shape());
    let axis = along(axes, shape.elements());
    let sums: Tensor<(Dyn,), E> = sum_along(x.as_slice(), axis, (Dyn(axis.outer * axis.inner),));
    Batched::new(axes.reduced(), Stack::new(axes.reduced().count(), shape, sums))
}

/// The same value at every index of the named axis of `axes`.
pub(super) fn spread<A, L: Named<A>, S: Shape, E: Element>(
    axes: L,
    x: &Batched<L::Reduced, Tensor<S, E>>,
) -> Batched<L, Tensor<S, E>> {
    let (shape, axis) = (x.shape(), along(axes, x.shape().elements()));
    let all = Tensor::written((Dyn(axes.count() * shape.elements()),), |all| {
        map::rows(all, axis.inner.max(1), |row, place| {
            place.copy_from_slice(&x.as_slice()[row / axis.len * axis.inner..][..axis.inner]);
        });
    });
    Batched::new(axes, Stack::new(axes.count(), shape, all))
}
