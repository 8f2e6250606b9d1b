//! Bounds the norm of all updates together: `optax.clip_by_global_norm`.

use super::state::EmptyState;
use super::{GradientTransformation, kernel};
use crate::backend::sum_of_squares;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Visit};
use serde::{Deserialize, Serialize};

/// `u = g / ‖g‖ max_norm` where `‖g‖ >= max_norm`, and `g` elsewhere ([Pascanu et al.,
/// 2012](https://arxiv.org/abs/1211.5063)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClipByGlobalNorm {
    /// The largest norm that an update may have.
    pub max_norm: f64,
}

/// Scales all updates down together where their [`global_norm`] is above `max_norm`.
pub const fn clip_by_global_norm(max_norm: f64) -> ClipByGlobalNorm {
    ClipByGlobalNorm { max_norm }
}

impl GradientTransformation for ClipByGlobalNorm {
    type State<P: Tree> = EmptyState;
    type Kernel = Kernel;
    const WHOLE_TREE: bool = true;

    fn init<P: Tree>(&self, _: &P) -> EmptyState {
        EmptyState {}
    }

    fn begin<P: Tree>(&self, _: &mut EmptyState, updates: &mut P, _: &P) -> Kernel {
        Kernel { norm: global_norm(updates), max_norm: self.max_norm }
    }
}

/// Scales what is longer than `max_norm`.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    norm: f64,
    max_norm: f64,
}

impl kernel::Kernel for Kernel {
    const SLOTS: usize = 0;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], _: &mut [&mut [E]]) {
        // Compared in this direction so that a norm of NaN shows in the parameters, as it does in Optax.
        if self.norm < self.max_norm {
            return;
        }
        let (norm, max_norm) = (E::from_f64(self.norm), E::from_f64(self.max_norm));
        updates.iter_mut().for_each(|update| *update = *update / norm * max_norm);
    }
}

/// The root of the sum of all squares of a tree: `optax.global_norm`.
pub fn global_norm<P: Tree>(tree: &P) -> f64 {
    struct Sum(f64);
    impl Visit for Sum {
        fn leaf<S: Shape, E: Float>(&mut self, _: &Path, leaf: &Tensor<S, E>) {
            self.0 += sum_of_squares(leaf.as_slice());
        }
    }
    let mut sum = Sum(0.0);
    tree.visit(&Path::ROOT, &mut sum);
    sum.0.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Dyn;

    #[test]
    fn a_nan_is_not_hidden() {
        let updates = Tensor::<(Dyn,), f32>::from_slice((Dyn(2),), &[f32::NAN, 1.0]);
        let params = Tensor::zeros((Dyn(2),));
        let clipped =
            clip_by_global_norm(1.0).update(updates.unwrap_or(params.clone()), &mut EmptyState {}, &params);
        assert!(clipped.as_slice().iter().all(|x| x.is_nan()));
    }
}
