//! Bounds the root mean square of each leaf's updates: `optax.clip_by_block_rms`.

use super::norms::safe_root_mean_squares;
use super::{EmptyState, GradientTransformation, Kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `u = g / max(1, rms(g) / threshold)` for each leaf.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClipByBlockRms {
    /// The largest root mean square.
    pub threshold: f64,
}

/// Scales the updates of a leaf down where their root mean square is above `threshold`.
pub const fn clip_by_block_rms(threshold: f64) -> ClipByBlockRms {
    ClipByBlockRms { threshold }
}

impl GradientTransformation for ClipByBlockRms {
    type State<P: Tree> = EmptyState;
    type Kernel = BlockClip;
    const WHOLE_TREE: bool = true;

    fn init<P: Tree>(&self, _: &P) -> EmptyState {
        EmptyState {}
    }

    fn begin<P: Tree>(&self, _: &mut EmptyState, _: &mut P, _: &P) -> BlockClip {
        BlockClip { threshold: self.threshold, divisor: 1.0 }
    }
}

/// What the updates of one leaf are divided by.
#[derive(Clone, Copy, Debug)]
pub struct BlockClip {
    threshold: f64,
    divisor: f64,
}

impl Kernel for BlockClip {
    const SLOTS: usize = 0;

    fn prepare<E: Float>(&self, _: usize, updates: &[E], _: &[E]) -> Self {
        let ratio = safe_root_mean_squares(updates, 0.0) / self.threshold;
        // A NaN stays.
        BlockClip { divisor: if ratio <= 1.0 { 1.0 } else { ratio }, ..*self }
    }

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], _: &mut [&mut [E]]) {
        let divisor = E::from_f64(self.divisor);
        updates.iter_mut().for_each(|update| *update /= divisor);
    }
}
