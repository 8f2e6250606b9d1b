//! Half a cosine: `optax.cosine_decay_schedule`.

use super::polynomial::power;
use super::schedules;
use serde::{Deserialize, Serialize};
use std::f32::consts::PI;

/// `init_value ((1 - alpha) ((1 + cos(π n / decay_steps)) / 2)^exponent + alpha)`, where `n` counts the steps up to
/// `decay_steps` ([Loshchilov and Hutter, 2016](https://arxiv.org/abs/1608.03983)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CosineDecay {
    /// The first value.
    pub init_value: f64,
    /// How many steps it takes to the last.
    pub decay_steps: i32,
    /// The share of the first value that is left.
    pub alpha: f64,
    /// The exponent.
    pub exponent: f64,
}

/// From a value to 0, or to a share of it, along half a cosine. Of no steps, the last value is there at once.
pub const fn cosine_decay_schedule(init_value: f64, decay_steps: i32) -> CosineDecay {
    CosineDecay { init_value, decay_steps, alpha: 0.0, exponent: 1.0 }
}

impl CosineDecay {
    /// Down to this share of the first value.
    pub const fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// With this power of the cosine.
    pub const fn exponent(mut self, exponent: f64) -> Self {
        self.exponent = exponent;
        self
    }

    pub(super) fn at(&self, count: i32) -> f32 {
        let angle = if count >= self.decay_steps { PI } else { PI * count as f32 / self.decay_steps as f32 };
        let cosine = power(0.5 * (1.0 + angle.cos()), self.exponent);
        self.init_value as f32 * ((1.0 - self.alpha) as f32 * cosine + self.alpha as f32)
    }
}

schedules!(CosineDecay);
