//! Optimistic Adam: `optax.optimistic_adam_v2`.

use super::schedule::Schedule;
use super::setters::adam_setters;
use super::{Chain, ScaleByAdam, ScaleByLearningRate, ScaleByOptimisticGradient};
use super::{chain, scale_by_adam, scale_by_learning_rate, scale_by_optimistic_gradient};

/// Adam whose updates are extrapolated one step ([Daskalakis et al., 2017](https://arxiv.org/abs/1711.00141)).
pub type OptimisticAdamV2<L = f64> = Chain<(ScaleByAdam, ScaleByOptimisticGradient, ScaleByLearningRate<L>)>;

/// Optimistic Adam, with Nesterov's momentum, and a learning rate, a number or a schedule. `alpha` and `beta` are 1,
/// the other options Adam's.
pub const fn optimistic_adam_v2<L: Schedule>(learning_rate: L) -> OptimisticAdamV2<L> {
    chain((
        ScaleByAdam { nesterov: true, ..scale_by_adam() },
        scale_by_optimistic_gradient(),
        scale_by_learning_rate(learning_rate),
    ))
}

impl<L: Schedule> OptimisticAdamV2<L> {
    adam_setters!();

    /// With Nesterov's momentum, or without.
    pub fn nesterov(mut self, nesterov: bool) -> Self {
        self.0.0.nesterov = nesterov;
        self
    }

    /// With this coefficient of an update.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.0.1.alpha = alpha;
        self
    }

    /// With this coefficient of its change.
    pub fn beta(mut self, beta: f64) -> Self {
        self.0.1.beta = beta;
        self
    }
}
