//! Adam with decoupled weight decay: `optax.adamw`.

use super::adam::adam_setters;
use super::schedule::Schedule;
use super::{AddDecayedWeights, Chain, ScaleByAdam, ScaleByLearningRate};
use super::{add_decayed_weights, chain, scale_by_adam, scale_by_learning_rate};

/// Adam with decoupled weight decay ([Loshchilov and Hutter, 2017](https://arxiv.org/abs/1711.05101)).
pub type AdamW<L = f64> = Chain<(ScaleByAdam, AddDecayedWeights, ScaleByLearningRate<L>)>;

/// AdamW with a learning rate, a number or a schedule, and Optax's weight decay of 1e-4.
///
/// ```
/// let optimizer = flaxen::optim::adamw(1e-3).weight_decay(0.1);
/// ```
pub const fn adamw<L: Schedule>(learning_rate: L) -> AdamW<L> {
    chain((scale_by_adam(), add_decayed_weights(1e-4), scale_by_learning_rate(learning_rate)))
}

impl<L: Schedule> AdamW<L> {
    adam_setters!();

    /// With this weight decay.
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.0.1.weight_decay = weight_decay;
        self
    }
}
