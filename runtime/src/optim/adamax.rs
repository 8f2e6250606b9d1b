//! AdaMax: `optax.adamax`.

use super::schedule::Schedule;
use super::setters::setters;
use super::{Chain, ScaleByAdamax, ScaleByLearningRate, chain, scale_by_adamax, scale_by_learning_rate};

/// Adam with the infinity norm in place of the second moment ([Kingma and Ba, 2014](https://arxiv.org/abs/1412.6980)).
pub type Adamax<L = f64> = Chain<(ScaleByAdamax, ScaleByLearningRate<L>)>;

/// AdaMax with a learning rate, a number or a schedule. `b1` is 0.9, `b2` 0.999 and `eps` 1e-8.
pub const fn adamax<L: Schedule>(learning_rate: L) -> Adamax<L> {
    chain((scale_by_adamax(), scale_by_learning_rate(learning_rate)))
}

impl<L: Schedule> Adamax<L> {
    setters! {
        /// With this decay of the mean of the gradients.
        b1: f64 => 0;
        /// With this decay of the largest gradient.
        b2: f64 => 0;
        /// With this number added to the size of a gradient.
        eps: f64 => 0;
    }
}
