//! AdaDelta: `optax.adadelta`.

use super::schedule::Schedule;
use super::setters::setters;
use super::{AddDecayedWeights, Chain, Masked, ScaleByAdadelta, ScaleByLearningRate};
use super::{add_decayed_weights, chain, scale_by_adadelta, scale_by_learning_rate};
use crate::tree::Path;

/// Gradients scaled by the size of past updates over that of past gradients ([Zeiler,
/// 2012](https://arxiv.org/abs/1212.5701)).
pub type Adadelta<L = f64, D = AddDecayedWeights> = Chain<(D, ScaleByAdadelta, ScaleByLearningRate<L>)>;

/// AdaDelta with a learning rate, a number or a schedule. `rho` is 0.9, `eps` 1e-6, and there is no weight decay.
pub const fn adadelta<L: Schedule>(learning_rate: L) -> Adadelta<L> {
    chain((add_decayed_weights(0.0), scale_by_adadelta(), scale_by_learning_rate(learning_rate)))
}

impl<L: Schedule> Adadelta<L> {
    setters! {
        /// With this decay of the means of squares.
        rho: f64 => 1;
        /// With this number added inside of the roots.
        eps: f64 => 1;
        /// With this weight decay, added to the gradients.
        weight_decay: f64 => 0;
    }

    /// With weight decay only for the leaves where `mask` is true.
    pub fn mask(
        self,
        mask: impl Fn(&Path) -> bool + Send + Sync + 'static,
    ) -> Adadelta<L, Masked<AddDecayedWeights>> {
        let Chain((decay, scale, descend)) = self;
        chain((decay.mask(mask), scale, descend))
    }
}
