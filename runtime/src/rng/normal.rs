//! Normal floats, by the inverse of their distribution function.

use std::f32::consts::SQRT_2;

use super::bits::Distribution;
use super::uniform::Uniform;
use super::xla_math::{erf, erf_inv};

/// `jax.random.normal`: mean 0, standard deviation 1.
///
/// `sqrt(2) * erf_inv(u)` with `u` uniform in `(-1, 1)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Normal;

impl Distribution for Normal {
    type Value = f32;

    #[inline(always)]
    fn value(&self, bits: u32) -> f32 {
        const OPEN: Uniform = Uniform::new((-1.0_f32).next_up(), 1.0);
        SQRT_2 * erf_inv(OPEN.value(bits))
    }
}

/// `jax.random.truncated_normal`: a normal number, drawn until it lies in `(lower, upper)`.
///
/// It is drawn only once, though: `sqrt(2) * erf_inv(u)` with `u` uniform between the images of the bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TruncatedNormal {
    quantile: Uniform,
    lowest: f32,
    highest: f32,
}

impl TruncatedNormal {
    /// Between these bounds, in standard deviations.
    pub fn new(lower: f32, upper: f32) -> Self {
        Self {
            quantile: Uniform::new(erf(lower / SQRT_2), erf(upper / SQRT_2)),
            lowest: lower.next_up(),
            highest: upper.next_down(),
        }
    }
}

impl Distribution for TruncatedNormal {
    type Value = f32;

    #[inline(always)]
    fn value(&self, bits: u32) -> f32 {
        let value = SQRT_2 * erf_inv(self.quantile.value(bits));
        value.max(self.lowest).min(self.highest)
    }
}
