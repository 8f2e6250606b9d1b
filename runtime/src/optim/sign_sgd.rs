//! Descent by signs: `optax.sign_sgd`.

use super::schedule::Schedule;
use super::{Chain, ScaleByLearningRate, ScaleBySign, chain, scale_by_learning_rate, scale_by_sign};

/// Descent by the signs of the gradients ([Bernstein et al., 2018](https://arxiv.org/abs/1802.04434)).
pub type SignSgd<L = f64> = Chain<(ScaleBySign, ScaleByLearningRate<L>)>;

/// Descent by signs with a learning rate, a number or a schedule.
pub const fn sign_sgd<L: Schedule>(learning_rate: L) -> SignSgd<L> {
    chain((scale_by_sign(), scale_by_learning_rate(learning_rate)))
}
