//! Adaptive gradient clipping: `optax.adaptive_grad_clip`.

use super::identity::Identity;
use super::norms::at_least;
use super::{EmptyState, GradientTransformation};
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Zip};
use serde::{Deserialize, Serialize};

/// Bounds the norm of the updates of each unit by `clipping max(‖p‖, eps)` with the unit's parameters ([Brock et al.,
/// 2021](https://arxiv.org/abs/2102.06171)).
///
/// A unit is what one output depends on: a column of a kernel `[in, out]`, all but the last axis of one of a
/// convolution, and the whole of a vector. Of three dimensions it is the first axis, as in Optax.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdaptiveGradClip {
    /// The largest ratio of norms.
    pub clipping: f64,
    /// The smallest norm of parameters: what is shorter counts as that.
    pub eps: f64,
}

/// Scales the updates of a unit down where their norm is above `clipping` times that of its parameters. `eps` is 1e-3.
pub const fn adaptive_grad_clip(clipping: f64) -> AdaptiveGradClip {
    AdaptiveGradClip { clipping, eps: 1e-3 }
}

impl GradientTransformation for AdaptiveGradClip {
    type State<P: Tree> = EmptyState;
    type Kernel = Identity;
    const WHOLE_TREE: bool = true;

    fn init<P: Tree>(&self, _: &P) -> EmptyState {
        EmptyState {}
    }

    fn begin<P: Tree>(&self, _: &mut EmptyState, updates: &mut P, params: &P) -> Identity {
        updates.zip([&mut params.clone()], &Path::ROOT, &mut Units(*self));
        Identity {}
    }
}

struct Units(AdaptiveGradClip);

impl Zip<1> for Units {
    fn leaf<S: Shape, E: Float>(
        &mut self,
        _: &Path,
        leaf: &mut Tensor<S, E>,
        [params]: [&mut Tensor<S, E>; 1],
    ) {
        let units = units(leaf.sizes().as_ref());
        if !leaf.as_slice().is_empty() {
            self.clip(units, leaf.as_mut_slice(), params.as_slice());
        }
    }
}

/// How many units a leaf has: they are the columns when it is seen as a matrix with so many.
fn units(sizes: &[usize]) -> usize {
    if sizes.iter().filter(|&&size| size > 1).count() <= 1 {
        return 1;
    }
    match sizes {
        [_, rest @ ..] if rest.len() <= 2 => rest.iter().product(),
        _ => sizes.last().copied().unwrap_or(1),
    }
}

impl Units {
    /// Works on some columns at a time, so that their norms need no memory.
    fn clip<E: Float>(&self, units: usize, updates: &mut [E], params: &[E]) {
        const TOGETHER: usize = 64;
        for first in (0..units).step_by(TOGETHER) {
            let columns = first..units.min(first + TOGETHER);
            let (mut of_updates, mut of_params) = ([0.0; TOGETHER], [0.0; TOGETHER]);
            for (updates, params) in updates.chunks(units).zip(params.chunks(units)) {
                let squares = |sums: &mut [f64], row: &[E]| {
                    let row = row[columns.clone()].iter().map(|x| x.to_f64());
                    sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x * x);
                };
                squares(&mut of_updates, updates);
                squares(&mut of_params, params);
            }
            let mut factors = [E::ONE; TOGETHER];
            for ((factor, of_updates), of_params) in factors.iter_mut().zip(of_updates).zip(of_params) {
                let largest = self.0.clipping * at_least(of_params.sqrt(), self.0.eps);
                let norm = of_updates.sqrt();
                if norm < largest {
                    continue;
                }
                *factor = E::from_f64(largest / at_least(norm, 1e-6));
            }
            for updates in updates.chunks_mut(units) {
                let columns = updates[columns.clone()].iter_mut();
                columns.zip(factors).for_each(|(update, factor)| *update *= factor);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn units_of_each_shape() {
        assert_eq!([units(&[]), units(&[7]), units(&[1, 7, 1])], [1, 1, 1]);
        assert_eq!([units(&[7, 5]), units(&[2, 3, 4]), units(&[3, 3, 2, 5])], [5, 12, 5]);
    }

    #[test]
    fn many_columns() {
        let params = Tensor::<(U2, Dyn)>::full((Default::default(), Dyn(150)), 1.0);
        let grads = Tensor::from_fn(params.shape(), |i| if i % 150 == 149 { 10.0 } else { 1e-3 });
        let clipped = adaptive_grad_clip(0.1).update(grads.clone(), &mut EmptyState {}, &params);
        let (got, given) = (clipped.as_slice(), grads.as_slice());
        assert_eq!(got[..149], given[..149]);
        assert!((got[149] - 0.1).abs() < 1e-6 && (got[299] - 0.1).abs() < 1e-6);
    }
}
