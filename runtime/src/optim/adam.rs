//! Adam: `optax.adam`.

use super::schedule::Schedule;
use super::{Chain, ScaleByAdam, ScaleByLearningRate, chain, scale_by_adam, scale_by_learning_rate};

/// Adam ([Kingma and Ba, 2014](https://arxiv.org/abs/1412.6980)).
pub type Adam<L = f64> = Chain<(ScaleByAdam, ScaleByLearningRate<L>)>;

/// Adam with a learning rate, a number or a schedule.
///
/// ```
/// let optimizer = flaxen::optim::adam(1e-3).b1(0.8).eps(1e-6);
/// ```
pub const fn adam<L: Schedule>(learning_rate: L) -> Adam<L> {
    chain((scale_by_adam(), scale_by_learning_rate(learning_rate)))
}

/// Declares the setters that a chain with [`ScaleByAdam`] in front has.
macro_rules! adam_setters {
    () => {
        /// With this decay of the mean of the gradients instead of 0.9.
        pub fn b1(mut self, b1: f64) -> Self {
            self.0.0.b1 = b1;
            self
        }

        /// With this decay of the mean of their squares instead of 0.999.
        pub fn b2(mut self, b2: f64) -> Self {
            self.0.0.b2 = b2;
            self
        }

        /// With this number added outside of the root instead of 1e-8.
        pub fn eps(mut self, eps: f64) -> Self {
            self.0.0.eps = eps;
            self
        }

        /// With this number added inside of the root instead of 0.
        pub fn eps_root(mut self, eps_root: f64) -> Self {
            self.0.0.eps_root = eps_root;
            self
        }

        /// With Nesterov's momentum.
        pub fn nesterov(mut self) -> Self {
            self.0.0.nesterov = true;
            self
        }
    };
}
pub(super) use adam_setters;

impl<L: Schedule> Adam<L> {
    adam_setters!();
}
