//! Steps in proportion to the norm of a leaf: `optax.scale_by_param_block_norm`.

use super::norms::safe_norm;
use super::{EmptyState, GradientTransformation, Kernel, Scale};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `u = g max(‖p‖, min_scale)` for each leaf.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByParamBlockNorm {
    /// The smallest factor.
    pub min_scale: f64,
}

/// Multiplies the updates of each leaf by the leaf's norm, which counts as `min_scale` where it is smaller. Optax's default
/// is 1e-3.
pub const fn scale_by_param_block_norm(min_scale: f64) -> ScaleByParamBlockNorm {
    ScaleByParamBlockNorm { min_scale }
}

impl GradientTransformation for ScaleByParamBlockNorm {
    type State<P: Tree> = EmptyState;
    type Kernel = ParamNorm;

    fn init<P: Tree>(&self, _: &P) -> EmptyState {
        EmptyState {}
    }

    fn begin<P: Tree>(&self, _: &mut EmptyState, _: &mut P, _: &P) -> ParamNorm {
        ParamNorm { min_scale: self.min_scale, scale: Scale { step_size: 1.0 } }
    }
}

/// The norm of one leaf.
#[derive(Clone, Copy, Debug)]
pub struct ParamNorm {
    min_scale: f64,
    scale: Scale,
}

impl Kernel for ParamNorm {
    const SLOTS: usize = 0;

    fn prepare<E: Float>(&self, _: usize, _: &[E], params: &[E]) -> Self {
        ParamNorm { scale: Scale { step_size: safe_norm(params, self.min_scale) }, ..*self }
    }

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], params: &[E], slots: &mut [&mut [E]]) {
        Kernel::update(&self.scale, updates, params, slots);
    }
}
