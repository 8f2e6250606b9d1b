//! AMSGrad: `optax.amsgrad`.

use super::schedule::Schedule;
use super::setters::adam_setters;
use super::{Chain, ScaleByAmsgrad, ScaleByLearningRate, chain, scale_by_amsgrad, scale_by_learning_rate};

/// Adam that divides by the largest second moment so far ([Reddi et al., 2018](https://openreview.net/forum?id=ryQu7f-RZ)).
pub type Amsgrad<L = f64> = Chain<(ScaleByAmsgrad, ScaleByLearningRate<L>)>;

/// AMSGrad with a learning rate, a number or a schedule. `b1` is 0.9, `b2` 0.999, `eps` 1e-8 and `eps_root` 0.
pub const fn amsgrad<L: Schedule>(learning_rate: L) -> Amsgrad<L> {
    chain((scale_by_amsgrad(), scale_by_learning_rate(learning_rate)))
}

impl<L: Schedule> Amsgrad<L> {
    adam_setters!();
}
