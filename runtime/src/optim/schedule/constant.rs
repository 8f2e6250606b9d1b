//! The same value in every step: `optax.constant_schedule`.

use super::schedules;
use serde::{Deserialize, Serialize};

/// The same value in every step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Constant {
    /// The value.
    pub value: f64,
}

/// The same value in every step. A learning rate may just be the number; this one counts steps, as Optax's does.
pub const fn constant_schedule(value: f64) -> Constant {
    Constant { value }
}

impl Constant {
    fn at(&self, _: i32) -> f32 {
        self.value as f32
    }
}

schedules!(Constant);
