//! LARS: `optax.lars`.

use super::schedule::Schedule;
use super::setters::{nesterov_setter, setters};
use super::{AddDecayedWeights, Chain, Masked, ScaleByLearningRate, ScaleByTrustRatio, Trace};
use super::{add_decayed_weights, chain, masked, scale_by_learning_rate, scale_by_trust_ratio, trace};
use crate::tree::Path;

/// Momentum for large batches: each leaf takes steps in proportion to its norm ([You et al.,
/// 2017](https://arxiv.org/abs/1708.03888)).
pub type Lars<L = f64, D = AddDecayedWeights, R = ScaleByTrustRatio> =
    Chain<(D, R, ScaleByLearningRate<L>, Trace)>;

/// LARS with a learning rate, a number or a schedule. The momentum is 0.9, the trust coefficient 0.001, `eps` 0, and there is
/// no weight decay.
pub const fn lars<L: Schedule>(learning_rate: L) -> Lars<L> {
    chain((
        add_decayed_weights(0.0),
        ScaleByTrustRatio { trust_coefficient: 0.001, ..scale_by_trust_ratio() },
        scale_by_learning_rate(learning_rate),
        trace(0.9),
    ))
}

impl<L: Schedule> Lars<L> {
    setters! {
        /// With this weight decay, added to the gradients.
        weight_decay: f64 => 0;
        /// With this factor of the trust ratio.
        trust_coefficient: f64 => 1;
        /// With this number added to the norm of an update.
        eps: f64 => 1;
    }
    nesterov_setter!(3);

    /// With this decay of the momentum.
    pub fn momentum(mut self, decay: f64) -> Self {
        self.0.3.decay = decay;
        self
    }

    /// With weight decay and the trust ratio only for the leaves where `mask` is true, such as those that are no biases.
    pub fn mask(
        self,
        mask: impl Fn(&Path) -> bool + Clone + Send + Sync + 'static,
    ) -> Lars<L, Masked<AddDecayedWeights>, Masked<ScaleByTrustRatio>> {
        let Chain((decay, trust, descend, momentum)) = self;
        chain((decay.mask(mask.clone()), masked(trust, mask), descend, momentum))
    }
}
