//! Fromage: `optax.fromage`.

use super::schedule::Schedule;
use super::setters::setters;
use super::{AddDecayedWeights, Chain, ScaleByLearningRate, ScaleByTrustRatio};
use super::{add_decayed_weights, chain, scale_by_learning_rate, scale_by_trust_ratio};
use serde::{Deserialize, Serialize};

/// Frobenius matched gradient descent: relative steps, which never leave a ball ([Bernstein et al.,
/// 2020](https://arxiv.org/abs/2002.03432)).
pub type Fromage<L = f64> =
    Chain<(ScaleByTrustRatio, ScaleByLearningRate<Step<L>>, AddDecayedWeights<Shrinkage<L>>)>;

/// Fromage with a learning rate, a number or a schedule. Norms below 1e-6 count as that.
pub fn fromage<L: Schedule>(learning_rate: L) -> Fromage<L> {
    chain((
        ScaleByTrustRatio { min_norm: 1e-6, ..scale_by_trust_ratio() },
        scale_by_learning_rate(Step(learning_rate.clone())),
        add_decayed_weights(Shrinkage(learning_rate)),
    ))
}

impl<L: Schedule> Fromage<L> {
    setters! {
        /// With this smallest norm.
        min_norm: f64 => 0;
    }
}

/// `learning_rate / sqrt(1 + learning_rate²)`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step<L>(pub L);

impl<L: Schedule> Schedule for Step<L> {
    type Counter = L::Counter;

    fn value(&self, count: i32) -> f64 {
        let rate = self.0.value(count);
        rate / (1.0 + rate * rate).sqrt()
    }
}

/// `1 / sqrt(1 + learning_rate²) - 1`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shrinkage<L>(pub L);

impl<L: Schedule> Schedule for Shrinkage<L> {
    type Counter = L::Counter;

    fn value(&self, count: i32) -> f64 {
        let rate = self.0.value(count);
        1.0 / (1.0 + rate * rate).sqrt() - 1.0
    }
}
