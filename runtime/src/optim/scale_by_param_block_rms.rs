//! Steps in proportion to the root mean square of a leaf: `optax.scale_by_param_block_rms`.

use super::norms::safe_root_mean_squares;
use super::{EmptyState, GradientTransformation, Kernel, Scale};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `u = g max(rms(p), min_scale)` for each leaf.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByParamBlockRms {
    /// The smallest factor.
    pub min_scale: f64,
}

/// Multiplies the updates of each leaf by the leaf's root mean square, which counts as `min_scale` where it is smaller.
/// Optax's default is 1e-3.
pub const fn scale_by_param_block_rms(min_scale: f64) -> ScaleByParamBlockRms {
    ScaleByParamBlockRms { min_scale }
}

impl GradientTransformation for ScaleByParamBlockRms {
    type State<P: Tree> = EmptyState;
    type Kernel = ParamRms;

    fn init<P: Tree>(&self, _: &P) -> EmptyState {
        EmptyState {}
    }

    fn begin<P: Tree>(&self, _: &mut EmptyState, _: &mut P, _: &P) -> ParamRms {
        ParamRms { min_scale: self.min_scale, scale: Scale { step_size: 1.0 } }
    }
}

/// The root mean square of one leaf.
#[derive(Clone, Copy, Debug)]
pub struct ParamRms {
    min_scale: f64,
    scale: Scale,
}

impl Kernel for ParamRms {
    const SLOTS: usize = 0;

    fn prepare<E: Float>(&self, _: usize, _: &[E], params: &[E]) -> Self {
        ParamRms { scale: Scale { step_size: safe_root_mean_squares(params, self.min_scale) }, ..*self }
    }

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], params: &[E], slots: &mut [&mut [E]]) {
        Kernel::update(&self.scale, updates, params, slots);
    }
}
