//! Signum: `optax.signum`.

use super::schedule::Schedule;
use super::{
    Chain, Ema, ScaleByLearningRate, ScaleBySign, chain, ema, scale_by_learning_rate, scale_by_sign,
};

/// Descent by the signs of the mean of the gradients ([Bernstein et al., 2018](https://arxiv.org/abs/1802.04434)).
pub type Signum<L = f64> = Chain<(Ema, ScaleBySign, ScaleByLearningRate<L>)>;

/// Signum with a learning rate, a number or a schedule. The mean decays by 0.9.
pub const fn signum<L: Schedule>(learning_rate: L) -> Signum<L> {
    chain((ema(0.9).debias(false), scale_by_sign(), scale_by_learning_rate(learning_rate)))
}

impl<L: Schedule> Signum<L> {
    /// With this decay of the mean.
    pub fn beta(mut self, beta: f64) -> Self {
        self.0.0.decay = beta;
        self
    }
}
