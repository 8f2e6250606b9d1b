//! What ops of two tensors that broadcast have in common: the loop over pairs of elements, and the way back, which
//! sums a cotangent over the axes along which its input was stretched.

use super::reduction::sum_along;
use crate::backend::map::{self, Function, Swapped, WithLeft, WithRight};
use crate::backend::reduce::Axis;
use crate::shape::broadcast::{Along, Plan};
use crate::shape::{Dyn, Shape};
use crate::tensor::{Element, Float, Tensor, shape_of};

/// `f` of every pair of elements, in place of an input that has the output's sizes and that nobody else holds.
#[track_caller]
pub(super) fn broadcast<A: Shape, B: Shape, O: Shape, E: Element>(
    f: &impl Function<(E, E), Out = E>,
    mut a: Tensor<A, E>,
    mut b: Tensor<B, E>,
) -> Tensor<O, E> {
    let plan = Plan::new(a.sizes().as_ref(), b.sizes().as_ref());
    let elements = plan.elements();
    if a.as_slice().len() == elements && a.is_unique() {
        overwrite(f, &plan, |row| plan.offsets(row).1, Along::Left, a.as_mut_slice(), b.as_slice());
        return a.reshaped(plan.sizes());
    }
    if b.as_slice().len() == elements && b.is_unique() {
        let f = Swapped(f);
        overwrite(&f, &plan, |row| plan.offsets(row).0, Along::Right, b.as_mut_slice(), a.as_slice());
        return b.reshaped(plan.sizes());
    }
    pairs(f, &plan, a.as_slice(), b.as_slice())
}

/// `f` of every pair of elements, in a fresh tensor.
pub(super) fn pairs<O: Shape, E: Element, R: Element>(
    f: &impl Function<(E, E), Out = R>,
    plan: &Plan,
    a: &[E],
    b: &[E],
) -> Tensor<O, R> {
    let (len, along) = plan.row();
    Tensor::written(shape_of(plan.sizes()), |out| {
        map::rows(out, len, |row, out| {
            let (left, right) = plan.offsets(row);
            match along {
                Along::Both => map::zip(f, &a[left..][..len], &b[right..][..len], out),
                Along::Left => map::map(&WithRight(f, b[right]), &a[left..][..len], out),
                Along::Right => map::map(&WithLeft(a[left], f), &b[right..][..len], out),
            }
        });
    })
}

/// `own[i] = f(own[i], other[..])`, where `own` has the output's sizes and `alone` says how the plan calls its axes.
fn overwrite<E: Element>(
    f: &impl Function<(E, E), Out = E>,
    plan: &Plan,
    offset: impl Fn(usize) -> usize + Sync,
    alone: Along,
    own: &mut [E],
    other: &[E],
) {
    let (len, along) = plan.row();
    map::rows(own, len, |row, own| {
        let from = offset(row);
        if along == alone {
            map::map_in_place(&WithRight(f, other[from]), own);
        } else {
            map::zip_in_place(f, own, &other[from..][..len]);
        }
    });
}

/// The cotangent of an input of shape `shape` that was stretched to the sizes of `cotangent`.
pub(super) fn sum_to<S: Shape, O: Shape, E: Float>(cotangent: Tensor<O, E>, shape: S) -> Tensor<S, E> {
    let sizes = shape.sizes();
    let elements = cotangent.as_slice().len();
    if elements == 0 {
        return Tensor::zeros(shape);
    }
    let plan = Plan::new(cotangent.sizes().as_ref(), sizes.as_ref());
    let mut sums: Tensor<(Dyn,), E> = cotangent.reshaped(&[elements]);
    let mut inner = 1;
    for &(len, along) in plan.axes() {
        if along == Along::Both {
            inner *= len;
        } else {
            let outer = sums.as_slice().len() / (len * inner);
            sums = sum_along(sums.as_slice(), Axis { outer, len, inner }, (Dyn(outer * inner),));
        }
    }
    sums.reshaped(sizes.as_ref())
}
