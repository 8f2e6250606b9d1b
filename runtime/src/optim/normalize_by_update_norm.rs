//! Divides all updates by their norm: `optax.normalize_by_update_norm`.

use super::{EmptyState, GradientTransformation, Kernel, global_norm};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `u = g scale_factor / (‖g‖ + eps)` with the norm of all leaves together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NormalizeByUpdateNorm {
    /// The norm that the updates have then.
    pub scale_factor: f64,
    /// Added to the norm.
    pub eps: f64,
}

/// Divides all updates by their norm with Optax's defaults: `scale_factor` is 1 and `eps` 1e-6.
pub const fn normalize_by_update_norm() -> NormalizeByUpdateNorm {
    NormalizeByUpdateNorm { scale_factor: 1.0, eps: 1e-6 }
}

impl GradientTransformation for NormalizeByUpdateNorm {
    type State<P: Tree> = EmptyState;
    type Kernel = Divide;
    const WHOLE_TREE: bool = true;

    fn init<P: Tree>(&self, _: &P) -> EmptyState {
        EmptyState {}
    }

    fn begin<P: Tree>(&self, _: &mut EmptyState, updates: &mut P, _: &P) -> Divide {
        Divide { divisor: (global_norm(updates) + self.eps) / self.scale_factor }
    }
}

/// Divides by a number.
#[derive(Clone, Copy, Debug)]
pub struct Divide {
    divisor: f64,
}

impl Kernel for Divide {
    const SLOTS: usize = 0;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], _: &mut [&mut [E]]) {
        let divisor = E::from_f64(self.divisor);
        updates.iter_mut().for_each(|update| *update /= divisor);
    }
}
