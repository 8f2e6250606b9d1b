//! AdaBelief: `optax.adabelief`.

use super::schedule::Schedule;
use super::setters::{adam_setters, nesterov_setter};
use super::{Chain, ScaleByBelief, ScaleByLearningRate, chain, scale_by_belief, scale_by_learning_rate};

/// Adam that divides by how far gradients are from their mean ([Zhuang et al., 2020](https://arxiv.org/abs/2010.07468)).
pub type Adabelief<L = f64> = Chain<(ScaleByBelief, ScaleByLearningRate<L>)>;

/// AdaBelief with a learning rate, a number or a schedule. `b1` is 0.9, `b2` 0.999, `eps` and `eps_root` 1e-16.
pub const fn adabelief<L: Schedule>(learning_rate: L) -> Adabelief<L> {
    chain((scale_by_belief(), scale_by_learning_rate(learning_rate)))
}

impl<L: Schedule> Adabelief<L> {
    adam_setters!();
    nesterov_setter!(0);
}
