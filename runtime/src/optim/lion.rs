//! Lion: `optax.lion`.

use super::schedule::Schedule;
use super::setters::setters;
use super::{AddDecayedWeights, Chain, Masked, ScaleByLearningRate, ScaleByLion};
use super::{add_decayed_weights, chain, scale_by_learning_rate, scale_by_lion};
use crate::tree::Path;

/// Descent by the sign of an interpolation between momentum and gradient ([Chen et al.,
/// 2023](https://arxiv.org/abs/2302.06675)).
pub type Lion<L = f64, D = AddDecayedWeights> = Chain<(ScaleByLion, D, ScaleByLearningRate<L>)>;

/// Lion with a learning rate, a number or a schedule. `b1` is 0.9, `b2` 0.99 and the weight decay 1e-3.
pub const fn lion<L: Schedule>(learning_rate: L) -> Lion<L> {
    chain((scale_by_lion(), add_decayed_weights(1e-3), scale_by_learning_rate(learning_rate)))
}

impl<L: Schedule> Lion<L> {
    setters! {
        /// With this share of the momentum in what is signed.
        b1: f64 => 0;
        /// With this decay of the momentum.
        b2: f64 => 0;
        /// With this weight decay.
        weight_decay: f64 => 1;
    }

    /// With weight decay only for the leaves where `mask` is true.
    pub fn mask(
        self,
        mask: impl Fn(&Path) -> bool + Send + Sync + 'static,
    ) -> Lion<L, Masked<AddDecayedWeights>> {
        let Chain((scale, decay, descend)) = self;
        chain((scale, decay.mask(mask), descend))
    }
}
