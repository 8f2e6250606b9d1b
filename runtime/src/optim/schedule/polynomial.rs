//! From one value to another along a power: `optax.polynomial_schedule`, `optax.linear_schedule`.

use super::schedules;
use serde::{Deserialize, Serialize};

/// `(init_value - end_value) (1 - n / transition_steps)^power + end_value`, where `n` counts the steps after
/// `transition_begin` up to `transition_steps`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Polynomial {
    /// The first value.
    pub init_value: f64,
    /// The last value.
    pub end_value: f64,
    /// The power.
    pub power: f64,
    /// How many steps it takes from one to the other. If it is not positive, the first value stays.
    pub transition_steps: i32,
    /// The step where it begins.
    pub transition_begin: i32,
}

/// From one value to another along a power of the steps left.
pub const fn polynomial_schedule(
    init_value: f64,
    end_value: f64,
    power: f64,
    transition_steps: i32,
) -> Polynomial {
    Polynomial { init_value, end_value, power, transition_steps, transition_begin: 0 }
}

/// From one value to another in equal steps.
pub const fn linear_schedule(init_value: f64, end_value: f64, transition_steps: i32) -> Polynomial {
    polynomial_schedule(init_value, end_value, 1.0, transition_steps)
}

impl Polynomial {
    /// Beginning at this step.
    pub const fn transition_begin(mut self, transition_begin: i32) -> Self {
        self.transition_begin = transition_begin;
        self
    }

    pub(super) fn at(&self, count: i32) -> f32 {
        if self.transition_steps <= 0 {
            return self.init_value as f32;
        }
        let passed = count.saturating_sub(self.transition_begin.max(0)).clamp(0, self.transition_steps);
        let left = 1.0 - passed as f32 / self.transition_steps as f32;
        (self.init_value - self.end_value) as f32 * power(left, self.power) + self.end_value as f32
    }
}

/// A whole number as an exponent is a product, in JAX too.
pub(super) fn power(base: f32, exponent: f64) -> f32 {
    match exponent as i32 {
        whole if f64::from(whole) == exponent => base.powi(whole),
        _ => base.powf(exponent as f32),
    }
}

schedules!(Polynomial);
