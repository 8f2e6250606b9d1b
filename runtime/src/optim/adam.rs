//! Adam: `optax.adam`, and with Nesterov's momentum `optax.nadam`.

use super::schedule::Schedule;
use super::setters::{adam_setters, nesterov_setter};
use super::{
    AccumulatorDtype, Chain, ParamsDtype, ScaleByAdam, ScaleByLearningRate, chain, scale_by_adam,
    scale_by_learning_rate,
};

/// Adam ([Kingma and Ba, 2014](https://arxiv.org/abs/1412.6980)), whose mean of the gradients has the elements `M`.
pub type Adam<L = f64, M = ParamsDtype> = Chain<(ScaleByAdam<M>, ScaleByLearningRate<L>)>;

/// Adam with a learning rate, a number or a schedule. `b1` is 0.9, `b2` 0.999, `eps` 1e-8 and `eps_root` 0.
///
/// ```
/// let optimizer = flaxen::optim::adam(1e-3).b1(0.8).eps(1e-6);
/// ```
pub const fn adam<L: Schedule>(learning_rate: L) -> Adam<L> {
    chain((scale_by_adam(), scale_by_learning_rate(learning_rate)))
}

/// Adam with Nesterov's momentum ([Dozat, 2016](https://openreview.net/pdf?id=OM0jvwB8jIp57ZJjtNEZ)).
pub fn nadam<L: Schedule>(learning_rate: L) -> Adam<L> {
    adam(learning_rate).nesterov()
}

impl<L: Schedule, M: AccumulatorDtype> Adam<L, M> {
    adam_setters!();
    nesterov_setter!(0);

    /// With the mean of the gradients in these elements.
    ///
    /// ```
    /// use flaxen::optim::{self, Adam, Bf16};
    ///
    /// // The state takes six bytes a parameter instead of eight.
    /// let optimizer: Adam<f64, Bf16> = optim::adam(1e-3).mu_dtype(Bf16);
    /// ```
    pub fn mu_dtype<T: AccumulatorDtype>(self, mu_dtype: T) -> Adam<L, T> {
        let Chain((adam, descend)) = self;
        chain((adam.mu_dtype(mu_dtype), descend))
    }
}
