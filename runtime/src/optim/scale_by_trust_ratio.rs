//! Steps in proportion to the norm of a leaf: `optax.scale_by_trust_ratio`.

use super::norms::safe_norm;
use super::{EmptyState, GradientTransformation, Kernel, Scale};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `u = g trust_coefficient ‖p‖ / (‖g‖ + eps)` for each leaf, and `g` where one of the norms is 0 ([You et al.,
/// 2019](https://arxiv.org/abs/1904.00962)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByTrustRatio {
    /// The smallest norm: what is shorter counts as that.
    pub min_norm: f64,
    /// The factor of the ratio.
    pub trust_coefficient: f64,
    /// Added to the norm of the updates.
    pub eps: f64,
}

/// Steps in proportion to the norms of the leaves with Optax's defaults.
pub const fn scale_by_trust_ratio() -> ScaleByTrustRatio {
    ScaleByTrustRatio { min_norm: 0.0, trust_coefficient: 1.0, eps: 0.0 }
}

impl GradientTransformation for ScaleByTrustRatio {
    type State<P: Tree> = EmptyState;
    type Kernel = TrustRatio;
    const WHOLE_TREE: bool = true;

    fn init<P: Tree>(&self, _: &P) -> EmptyState {
        EmptyState {}
    }

    fn begin<P: Tree>(&self, _: &mut EmptyState, _: &mut P, _: &P) -> TrustRatio {
        TrustRatio { transform: *self, ratio: Scale { step_size: 1.0 } }
    }
}

/// The ratio of one leaf.
#[derive(Clone, Copy, Debug)]
pub struct TrustRatio {
    transform: ScaleByTrustRatio,
    ratio: Scale,
}

impl Kernel for TrustRatio {
    const SLOTS: usize = 0;

    fn prepare<E: Float>(&self, _: usize, updates: &[E], params: &[E]) -> Self {
        let ScaleByTrustRatio { min_norm, trust_coefficient, eps } = self.transform;
        let (of_params, of_updates) = (safe_norm(params, min_norm), safe_norm(updates, min_norm));
        let ratio = trust_coefficient * of_params / (of_updates + eps);
        let step_size = if of_params == 0.0 || of_updates == 0.0 { 1.0 } else { ratio };
        TrustRatio { ratio: Scale { step_size }, ..*self }
    }

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], params: &[E], slots: &mut [&mut [E]]) {
        Kernel::update(&self.ratio, updates, params, slots);
    }
}
