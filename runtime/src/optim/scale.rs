//! Multiplies the updates by a number: `optax.scale`.

use super::{Kernel, Stateless};
use crate::tensor::Float;
use serde::{Deserialize, Serialize};

/// `u = step_size g`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// The factor.
    pub step_size: f64,
}

/// Multiplies the updates by `step_size`.
pub const fn scale(step_size: f64) -> Scale {
    Scale { step_size }
}

impl Stateless for Scale {}

impl Kernel for Scale {
    const SLOTS: usize = 0;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], _: &mut [&mut [E]]) {
        let factor = E::from_f64(self.step_size);
        updates.iter_mut().for_each(|update| *update *= factor);
    }
}
