//! AdaGrad: `optax.adagrad`.

use super::schedule::Schedule;
use super::setters::setters;
use super::{Chain, ScaleByLearningRate, ScaleByRss, chain, scale_by_learning_rate, scale_by_rss};

/// Descent by gradients divided by the root of the sum of their squares ([Duchi et al.,
/// 2011](https://jmlr.org/papers/v12/duchi11a.html)).
pub type Adagrad<L = f64> = Chain<(ScaleByRss, ScaleByLearningRate<L>)>;

/// AdaGrad with a learning rate, a number or a schedule. The sum begins at 0.1, and `eps` is 1e-7.
pub const fn adagrad<L: Schedule>(learning_rate: L) -> Adagrad<L> {
    chain((scale_by_rss(), scale_by_learning_rate(learning_rate)))
}

impl<L: Schedule> Adagrad<L> {
    setters! {
        /// With a sum of squares that begins at this number.
        initial_accumulator_value: f64 => 0;
        /// With this number added inside of the root.
        eps: f64 => 0;
    }
}
