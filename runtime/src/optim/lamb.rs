//! LAMB: `optax.lamb`.

use super::schedule::Schedule;
use super::setters::{adam_setters, setters};
use super::{AddDecayedWeights, Chain, Masked, ScaleByAdam, ScaleByLearningRate, ScaleByTrustRatio};
use super::{add_decayed_weights, chain, scale_by_adam, scale_by_learning_rate, scale_by_trust_ratio};
use crate::tree::Path;

/// Adam for large batches: each leaf takes steps in proportion to its norm ([You et al.,
/// 2019](https://arxiv.org/abs/1904.00962)).
pub type Lamb<L = f64, D = AddDecayedWeights> =
    Chain<(ScaleByAdam, D, ScaleByTrustRatio, ScaleByLearningRate<L>)>;

/// LAMB with a learning rate, a number or a schedule. `b1` is 0.9, `b2` 0.999, `eps` 1e-6, `eps_root` 0, and there is no
/// weight decay.
pub const fn lamb<L: Schedule>(learning_rate: L) -> Lamb<L> {
    chain((
        ScaleByAdam { eps: 1e-6, ..scale_by_adam() },
        add_decayed_weights(0.0),
        scale_by_trust_ratio(),
        scale_by_learning_rate(learning_rate),
    ))
}

impl<L: Schedule> Lamb<L> {
    adam_setters!();
    setters! {
        /// With this weight decay.
        weight_decay: f64 => 1;
    }

    /// With weight decay only for the leaves where `mask` is true.
    pub fn mask(
        self,
        mask: impl Fn(&Path) -> bool + Send + Sync + 'static,
    ) -> Lamb<L, Masked<AddDecayedWeights>> {
        let Chain((adam, decay, trust, descend)) = self;
        chain((adam, decay.mask(mask), trust, descend))
    }
}
