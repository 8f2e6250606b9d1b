//! Bounds every update: `optax.clip`.

use super::{Kernel, Stateless};
use crate::tensor::Float;
use serde::{Deserialize, Serialize};

/// `u = min(max(g, -max_delta), max_delta)`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clip {
    /// The largest size of an update.
    pub max_delta: f64,
}

/// Bounds every element of the updates by `max_delta`. A NaN stays.
pub const fn clip(max_delta: f64) -> Clip {
    Clip { max_delta }
}

impl Stateless for Clip {}

impl Kernel for Clip {
    const SLOTS: usize = 0;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], _: &mut [&mut [E]]) {
        let max_delta = E::from_f64(self.max_delta);
        updates.iter_mut().for_each(|update| *update = clamped(*update, -max_delta, max_delta));
    }
}

/// The nearest number between two bounds. A NaN stays.
#[inline(always)]
pub(super) fn clamped<E: Float>(x: E, smallest: E, largest: E) -> E {
    if x > largest {
        largest
    } else if x < smallest {
        smallest
    } else {
        x
    }
}
