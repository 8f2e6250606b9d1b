//! What dropout is made of: a mask of coins, and the division of what it keeps.

use super::reduction::along;
use crate::backend::map::{self, Function};
use crate::rng::Key;
use crate::shape::axis::Axes;
use crate::shape::{Dyn, MAX_RANK, Shape};
use crate::tensor::{Float, Tensor};

/// A mask that is true with the probability `keep`, with one coin for all elements along the axes `D`:
/// `jax.random.bernoulli(key, keep, shape)`, broadcast.
pub(crate) fn keep_mask<X: Shape, D: Axes>(key: Key, keep: f32, shape: X) -> Tensor<X, bool> {
    let sizes = shape.sizes();
    let sizes = sizes.as_ref();
    if (0..sizes.len()).all(|axis| !D::contain(axis)) {
        return key.bernoulli(keep, shape);
    }
    let mut drawn = [1; MAX_RANK];
    for (axis, place) in drawn[..sizes.len()].iter_mut().enumerate().filter(|(axis, _)| !D::contain(*axis)) {
        *place = sizes[axis];
    }
    let mut mask = key.bernoulli(keep, (Dyn(drawn[..sizes.len()].iter().product()),));
    for axis in (0..sizes.len()).filter(|&axis| D::contain(axis)) {
        drawn[axis] = sizes[axis];
        mask = repeated(&mask, &drawn[..sizes.len()], axis);
    }
    mask.reshaped(sizes)
}

/// The elements repeated along an axis, which has the size 1 before and that of `sizes` after it.
fn repeated(mask: &Tensor<(Dyn,), bool>, sizes: &[usize], axis: usize) -> Tensor<(Dyn,), bool> {
    let axis = along(sizes, axis);
    let (len, inner) = (axis.len, axis.inner);
    Tensor::written((Dyn(axis.outer * len * inner),), |out| {
        map::rows(out, inner, |row, out| out.copy_from_slice(&mask.as_slice()[row / len * inner..][..inner]));
    })
}

/// `x / keep` where the mask is true, and 0 elsewhere. An `x` that nobody else holds is overwritten.
pub(crate) fn masked<X: Shape, E: Float>(
    mut x: Tensor<X, E>,
    mask: &Tensor<X, bool>,
    keep: E,
) -> Tensor<X, E> {
    let function = Keep(keep);
    if let Some(elements) = x.get_mut() {
        map::zip_in_place(&function, elements, mask.as_slice());
        return x;
    }
    Tensor::written(x.shape(), |y| map::zip(&function, x.as_slice(), mask.as_slice(), y))
}

struct Keep<E>(E);

impl<E: Float> Function<(E, bool)> for Keep<E> {
    type Out = E;

    #[inline(always)]
    fn at(&self, (x, kept): (E, bool)) -> E {
        if kept { x / self.0 } else { E::ZERO }
    }
}
