//! Adam with decoupled weight decay: `optax.adamw`, and with Nesterov's momentum `optax.nadamw`.

use super::schedule::Schedule;
use super::setters::{adam_setters, nesterov_setter, setters};
use super::{
    AccumulatorDtype, AddDecayedWeights, Chain, Masked, ParamsDtype, ScaleByAdam, ScaleByLearningRate,
};
use super::{add_decayed_weights, chain, scale_by_adam, scale_by_learning_rate};
use crate::tree::Path;

/// Adam with decoupled weight decay ([Loshchilov and Hutter, 2017](https://arxiv.org/abs/1711.05101)).
///
/// `M` are the elements of the mean of the gradients.
pub type AdamW<L = f64, D = AddDecayedWeights, M = ParamsDtype> =
    Chain<(ScaleByAdam<M>, D, ScaleByLearningRate<L>)>;

/// AdamW with a learning rate, a number or a schedule, and Optax's weight decay of 1e-4.
///
/// ```
/// // Kernels decay, biases do not.
/// let optimizer = flaxen::optim::adamw(1e-3).weight_decay(0.1).mask(|path| path.name() == "kernel");
/// ```
pub const fn adamw<L: Schedule>(learning_rate: L) -> AdamW<L> {
    chain((scale_by_adam(), add_decayed_weights(1e-4), scale_by_learning_rate(learning_rate)))
}

/// AdamW with Nesterov's momentum ([Dozat, 2016](https://openreview.net/pdf?id=OM0jvwB8jIp57ZJjtNEZ)).
pub fn nadamw<L: Schedule>(learning_rate: L) -> AdamW<L> {
    adamw(learning_rate).nesterov()
}

impl<L: Schedule, M: AccumulatorDtype> AdamW<L, AddDecayedWeights, M> {
    adam_setters!();
    nesterov_setter!(0);
    setters! {
        /// With this weight decay instead of 1e-4.
        weight_decay: f64 => 1;
    }

    /// With weight decay only for the leaves where `mask` is true.
    pub fn mask(
        self,
        mask: impl Fn(&Path) -> bool + Send + Sync + 'static,
    ) -> AdamW<L, Masked<AddDecayedWeights>, M> {
        let Chain((adam, decay, descend)) = self;
        chain((adam, decay.mask(mask), descend))
    }
}

impl<L: Schedule, D, M: AccumulatorDtype> AdamW<L, D, M> {
    /// With the mean of the gradients in these elements: [`Bf16`](super::Bf16).
    pub fn mu_dtype<T: AccumulatorDtype>(self, mu_dtype: T) -> AdamW<L, D, T> {
        let Chain((adam, decay, descend)) = self;
        chain((adam.mu_dtype(mu_dtype), decay, descend))
    }
}
