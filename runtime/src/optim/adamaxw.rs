//! AdaMax with decoupled weight decay: `optax.adamaxw`.

use super::schedule::Schedule;
use super::setters::setters;
use super::{AddDecayedWeights, Chain, Masked, ScaleByAdamax, ScaleByLearningRate};
use super::{add_decayed_weights, chain, scale_by_adamax, scale_by_learning_rate};
use crate::tree::Path;

/// AdaMax with decoupled weight decay ([Loshchilov and Hutter, 2017](https://arxiv.org/abs/1711.05101)).
pub type AdamaxW<L = f64, D = AddDecayedWeights> = Chain<(ScaleByAdamax, D, ScaleByLearningRate<L>)>;

/// AdaMaxW with a learning rate, a number or a schedule. `b1` is 0.9, `b2` 0.999, `eps` 1e-8 and the weight decay 1e-4.
pub const fn adamaxw<L: Schedule>(learning_rate: L) -> AdamaxW<L> {
    chain((scale_by_adamax(), add_decayed_weights(1e-4), scale_by_learning_rate(learning_rate)))
}

impl<L: Schedule> AdamaxW<L> {
    setters! {
        /// With this decay of the mean of the gradients.
        b1: f64 => 0;
        /// With this decay of the largest gradient.
        b2: f64 => 0;
        /// With this number added to the size of a gradient.
        eps: f64 => 0;
        /// With this weight decay.
        weight_decay: f64 => 1;
    }

    /// With weight decay only for the leaves where `mask` is true.
    pub fn mask(
        self,
        mask: impl Fn(&Path) -> bool + Send + Sync + 'static,
    ) -> AdamaxW<L, Masked<AddDecayedWeights>> {
        let Chain((scale, decay, descend)) = self;
        chain((scale, decay.mask(mask), descend))
    }
}
