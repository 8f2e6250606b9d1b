//! Yogi: `optax.yogi`.

use super::schedule::Schedule;
use super::setters::adam_setters;
use super::{Chain, ScaleByLearningRate, ScaleByYogi, chain, scale_by_learning_rate, scale_by_yogi};

/// Adam whose second moment grows and shrinks by steps of a bounded size ([Zaheer et al.,
/// 2018](https://proceedings.neurips.cc/paper/2018/hash/90365351ccc7437a1309dc64e4db32a3-Abstract.html)).
pub type Yogi<L = f64> = Chain<(ScaleByYogi, ScaleByLearningRate<L>)>;

/// Yogi with a learning rate, a number or a schedule. `b1` is 0.9, `b2` 0.999 and `eps` 1e-3.
pub const fn yogi<L: Schedule>(learning_rate: L) -> Yogi<L> {
    chain((scale_by_yogi(), scale_by_learning_rate(learning_rate)))
}

impl<L: Schedule> Yogi<L> {
    adam_setters!();
}
