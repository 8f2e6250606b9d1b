//! Rectified Adam: `optax.radam`.

use super::schedule::Schedule;
use super::setters::{adam_setters, nesterov_setter, setters};
use super::{Chain, ScaleByLearningRate, ScaleByRadam, chain, scale_by_learning_rate, scale_by_radam};

/// Adam whose first steps are rectified for the variance of their denominator ([Liu et al.,
/// 2019](https://arxiv.org/abs/1908.03265)).
pub type Radam<L = f64> = Chain<(ScaleByRadam, ScaleByLearningRate<L>)>;

/// Rectified Adam with a learning rate, a number or a schedule. `b1` is 0.9, `b2` 0.999, `eps` 1e-8, `eps_root` 0 and
/// `threshold` 5.
pub const fn radam<L: Schedule>(learning_rate: L) -> Radam<L> {
    chain((scale_by_radam(), scale_by_learning_rate(learning_rate)))
}

impl<L: Schedule> Radam<L> {
    adam_setters!();
    nesterov_setter!(0);
    setters! {
        /// With this threshold for the length of the average from which on steps are rectified.
        threshold: f64 => 0;
    }
}
