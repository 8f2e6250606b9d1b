//! Rprop: `optax.rprop`.

use super::setters::setters;
use super::{Chain, Scale, ScaleByRprop, chain, scale, scale_by_rprop};

/// Resilient backpropagation: a step size for each element, which follows the signs of its gradients ([Riedmiller and Braun,
/// 1993](https://ieeexplore.ieee.org/document/298623)).
pub type Rprop = Chain<(ScaleByRprop, Scale)>;

/// Rprop with the size of the first steps. Step sizes shrink by 0.5, grow by 1.2, and stay between 1e-6 and 50.
pub const fn rprop(learning_rate: f64) -> Rprop {
    chain((scale_by_rprop(learning_rate), scale(-1.0)))
}

impl Rprop {
    setters! {
        /// With this factor after a change of sign.
        eta_minus: f64 => 0;
        /// With this factor while the sign stays.
        eta_plus: f64 => 0;
        /// With this smallest step.
        min_step_size: f64 => 0;
        /// With this largest step.
        max_step_size: f64 => 0;
    }
}
