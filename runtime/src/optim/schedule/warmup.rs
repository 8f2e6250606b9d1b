//! A warm-up and what follows: `optax.warmup_constant_schedule`, `optax.warmup_cosine_decay_schedule`,
//! `optax.warmup_exponential_decay_schedule`.

use super::cosine_decay::CosineDecay;
use super::exponential_decay::{ExponentialDecay, exponential_decay};
use super::polynomial::{Polynomial, linear_schedule};
use super::schedules;
use serde::{Deserialize, Serialize};

/// Along a line to the peak, where it stays.
pub const fn warmup_constant_schedule(init_value: f64, peak_value: f64, warmup_steps: i32) -> Polynomial {
    linear_schedule(init_value, peak_value, warmup_steps)
}

/// Along a line to the peak, and from there along half a cosine.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WarmupCosineDecay {
    /// The first value.
    pub init_value: f64,
    /// The value after the warm-up.
    pub peak_value: f64,
    /// The steps of the warm-up.
    pub warmup_steps: i32,
    /// All steps, those of the warm-up included.
    pub decay_steps: i32,
    /// The last value.
    pub end_value: f64,
    /// The power of the cosine.
    pub exponent: f64,
}

/// Along a line to the peak, and from there along half a cosine to 0, or to another value. `decay_steps` includes the
/// warm-up.
///
/// ```
/// use flaxen::optim::{Schedule, warmup_cosine_decay_schedule};
/// let schedule = warmup_cosine_decay_schedule(0.0, 1.0, 10, 50).end_value(0.5);
/// assert_eq!([0, 5, 10, 50].map(|count| schedule.value(count)), [0.0, 0.5, 1.0, 0.5]);
/// ```
pub const fn warmup_cosine_decay_schedule(
    init_value: f64,
    peak_value: f64,
    warmup_steps: i32,
    decay_steps: i32,
) -> WarmupCosineDecay {
    WarmupCosineDecay { init_value, peak_value, warmup_steps, decay_steps, end_value: 0.0, exponent: 1.0 }
}

impl WarmupCosineDecay {
    /// Down to this value.
    pub const fn end_value(mut self, end_value: f64) -> Self {
        self.end_value = end_value;
        self
    }

    /// With this power of the cosine.
    pub const fn exponent(mut self, exponent: f64) -> Self {
        self.exponent = exponent;
        self
    }

    pub(super) fn at(&self, count: i32) -> f32 {
        if count < self.warmup_steps {
            return linear_schedule(self.init_value, self.peak_value, self.warmup_steps).at(count);
        }
        let alpha = if self.peak_value == 0.0 { 0.0 } else { self.end_value / self.peak_value };
        let decay_steps = self.decay_steps - self.warmup_steps;
        let decay = CosineDecay { init_value: self.peak_value, decay_steps, alpha, exponent: self.exponent };
        decay.at(count - self.warmup_steps)
    }
}

/// Along a line to the peak, and from there an exponential decay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WarmupExponentialDecay {
    /// The first value.
    pub init_value: f64,
    /// The steps of the warm-up.
    pub warmup_steps: i32,
    /// What follows; its first value is the peak.
    pub decay: ExponentialDecay,
}

/// Along a line to the peak, and from there an exponential decay.
pub const fn warmup_exponential_decay_schedule(
    init_value: f64,
    peak_value: f64,
    warmup_steps: i32,
    transition_steps: i32,
    decay_rate: f64,
) -> WarmupExponentialDecay {
    let decay = exponential_decay(peak_value, transition_steps, decay_rate);
    WarmupExponentialDecay { init_value, warmup_steps, decay }
}

impl WarmupExponentialDecay {
    /// With a decay that begins so many steps after the warm-up.
    pub const fn transition_begin(mut self, transition_begin: i32) -> Self {
        self.decay.transition_begin = transition_begin;
        self
    }

    /// Jumping every `transition_steps`.
    pub const fn staircase(mut self) -> Self {
        self.decay.staircase = true;
        self
    }

    /// Stopping at this value.
    pub const fn end_value(mut self, end_value: f64) -> Self {
        self.decay.end_value = Some(end_value);
        self
    }

    fn at(&self, count: i32) -> f32 {
        if count < self.warmup_steps {
            return linear_schedule(self.init_value, self.decay.init_value, self.warmup_steps).at(count);
        }
        self.decay.at(count - self.warmup_steps)
    }
}

schedules!(WarmupCosineDecay, WarmupExponentialDecay);
