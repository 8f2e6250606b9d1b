//! Noisy gradient descent: `optax.noisy_sgd`.

use super::schedule::Schedule;
use super::setters::setters;
use super::{AddNoise, Chain, ScaleByLearningRate, add_noise, chain, scale_by_learning_rate};
use crate::rng::Key;

/// Descent by gradients with noise that fades ([Neelakantan et al., 2015](https://arxiv.org/abs/1511.06807)).
pub type NoisySgd<L = f64> = Chain<(AddNoise, ScaleByLearningRate<L>)>;

/// Noisy gradient descent with a learning rate, a number or a schedule, and a key for the noise. Its variance in step `t` is
/// `0.01 / t^0.55`.
pub const fn noisy_sgd<L: Schedule>(learning_rate: L, key: Key) -> NoisySgd<L> {
    chain((add_noise(0.01, 0.55, key), scale_by_learning_rate(learning_rate)))
}

impl<L: Schedule> NoisySgd<L> {
    setters! {
        /// With this variance of the noise of the first step.
        eta: f64 => 0;
        /// With this exponent, by which the variance fades.
        gamma: f64 => 0;
    }
}
