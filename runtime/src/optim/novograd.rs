//! NovoGrad: `optax.novograd`.

use super::schedule::Schedule;
use super::setters::{adam_setters, setters};
use super::{Chain, ScaleByLearningRate, ScaleByNovograd, chain, scale_by_learning_rate, scale_by_novograd};

/// Adam with one second moment for each leaf ([Ginsburg et al., 2019](https://arxiv.org/abs/1905.11286)).
pub type Novograd<L = f64> = Chain<(ScaleByNovograd, ScaleByLearningRate<L>)>;

/// NovoGrad with a learning rate, a number or a schedule. `b1` is 0.9, `b2` 0.25, `eps` 1e-6, `eps_root` 0, and there
/// is no weight decay.
pub const fn novograd<L: Schedule>(learning_rate: L) -> Novograd<L> {
    chain((ScaleByNovograd { eps: 1e-6, ..scale_by_novograd() }, scale_by_learning_rate(learning_rate)))
}

impl<L: Schedule> Novograd<L> {
    adam_setters!();
    setters! {
        /// With this weight decay.
        weight_decay: f64 => 0;
    }
}
