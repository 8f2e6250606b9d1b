//! Distributions that are logarithms of uniform floats.

use super::bits::Distribution;
use super::uniform::Uniform;
use super::xla_math::{log, log1p};

/// `jax.random.exponential`: rate 1, `-log1p(-u)` with `u` uniform in `[0, 1)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exponential;

impl Distribution for Exponential {
    type Value = f32;

    #[inline(always)]
    fn value(&self, bits: u32) -> f32 {
        -log1p(-Uniform::UNIT.value(bits))
    }
}

/// `jax.random.gumbel` in its default mode: location 0, scale 1, `-log(-log(u))` with `u` uniform in `(0,
/// 1)`.
///
/// Added to logits, the largest sum is a draw from the classes of those logits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gumbel;

impl Distribution for Gumbel {
    type Value = f32;

    #[inline(always)]
    fn value(&self, bits: u32) -> f32 {
        const POSITIVE: Uniform = Uniform::new(f32::MIN_POSITIVE, 1.0);
        -log(-log(POSITIVE.value(bits)))
    }
}

/// `jax.random.laplace`: location 0, scale 1, `sign(u) * log1p(-|u|)` with `u` uniform in `(-1, 1)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Laplace;

impl Distribution for Laplace {
    type Value = f32;

    #[inline(always)]
    fn value(&self, bits: u32) -> f32 {
        const OPEN: Uniform = Uniform::new(-1.0 + f32::EPSILON / 2.0, 1.0);
        let u = OPEN.value(bits);
        let sign = if u == 0.0 { 0.0 } else { 1.0_f32.copysign(u) };
        sign * log1p(-u.abs())
    }
}
