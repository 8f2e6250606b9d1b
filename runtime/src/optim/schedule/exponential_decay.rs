//! A value multiplied by a rate again and again: `optax.exponential_decay`.

use super::schedules;
use serde::{Deserialize, Serialize};

/// `init_value decay_rate^(n / transition_steps)`, where `n` counts the steps after `transition_begin`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExponentialDecay {
    /// The first value.
    pub init_value: f64,
    /// After how many steps the value has been multiplied once. If it is not positive, the first value stays.
    pub transition_steps: i32,
    /// What it is multiplied by. If it is 0, the first value stays.
    pub decay_rate: f64,
    /// The step where it begins.
    pub transition_begin: i32,
    /// Whether the value jumps every `transition_steps` instead of changing in every step.
    pub staircase: bool,
    /// Where it stops: the smallest value if the rate is below 1, and the largest if not.
    pub end_value: Option<f64>,
}

/// A value multiplied by `decay_rate` over and over again.
///
/// ```
/// use flaxen::optim::{Schedule, exponential_decay};
/// let schedule = exponential_decay(1.0, 10, 0.5).staircase();
/// assert_eq!([0, 9, 10, 25].map(|count| schedule.value(count)), [1.0, 1.0, 0.5, 0.25]);
/// ```
pub const fn exponential_decay(init_value: f64, transition_steps: i32, decay_rate: f64) -> ExponentialDecay {
    ExponentialDecay {
        init_value,
        transition_steps,
        decay_rate,
        transition_begin: 0,
        staircase: false,
        end_value: None,
    }
}

impl ExponentialDecay {
    /// Beginning at this step.
    pub const fn transition_begin(mut self, transition_begin: i32) -> Self {
        self.transition_begin = transition_begin;
        self
    }

    /// Jumping every `transition_steps`.
    pub const fn staircase(mut self) -> Self {
        self.staircase = true;
        self
    }

    /// Stopping at this value.
    pub const fn end_value(mut self, end_value: f64) -> Self {
        self.end_value = Some(end_value);
        self
    }

    pub(super) fn at(&self, count: i32) -> f32 {
        let first = self.init_value as f32;
        if self.transition_steps <= 0 || self.decay_rate == 0.0 {
            return first;
        }
        let passed = count.saturating_sub(self.transition_begin.max(0));
        let times = passed as f32 / self.transition_steps as f32;
        let times = if self.staircase { times.floor() } else { times };
        let decayed = if passed <= 0 { first } else { first * (self.decay_rate as f32).powf(times) };
        match self.end_value.map(|end_value| end_value as f32) {
            Some(end_value) if self.decay_rate < 1.0 => decayed.max(end_value),
            Some(end_value) => decayed.min(end_value),
            None => decayed,
        }
    }
}

schedules!(ExponentialDecay);
