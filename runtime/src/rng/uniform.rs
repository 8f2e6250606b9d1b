//! Uniform floats.

use super::bits::Distribution;
use super::key::Key;

/// `jax.random.uniform`: multiples of 2^-23 in `[0, 1)`, scaled to `[minval, maxval)`.
///
/// The 23 high bits are the mantissa of a number in `[1, 2)`, from which 1 is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uniform {
    minval: f32,
    span: f32,
}

impl Uniform {
    /// From 0 to 1.
    pub const UNIT: Self = Self::new(0.0, 1.0);

    /// From `minval`, included, to `maxval`, not included but by rounding.
    pub const fn new(minval: f32, maxval: f32) -> Self {
        Self { minval, span: maxval - minval }
    }
}

impl Default for Uniform {
    fn default() -> Self {
        Self::UNIT
    }
}

impl Distribution for Uniform {
    type Value = f32;

    #[inline(always)]
    fn value(&self, bits: u32) -> f32 {
        let unit = f32::from_bits((bits >> 9) | 0x3F80_0000) - 1.0;
        unit.mul_add(self.span, self.minval).max(self.minval)
    }
}

impl Key {
    /// Fills a slice with the values of `jax.random.uniform(key, shape, bfloat16)`, which are multiples of
    /// 2^-7: 8 bits are drawn for each.
    pub fn fill_uniform_bf16(self, out: &mut [f32]) {
        let mut bits = vec![0; out.len()];
        self.fill_bits8(&mut bits);
        out.iter_mut().zip(bits).for_each(|(place, bits)| *place = f32::from(bits >> 1) / 128.0);
    }

    /// Fills a slice with the values of `jax.random.uniform(key, shape, float16)`, which are multiples of
    /// 2^-10: 16 bits are drawn for each.
    pub fn fill_uniform_f16(self, out: &mut [f32]) {
        let mut bits = vec![0; out.len()];
        self.fill_bits16(&mut bits);
        out.iter_mut().zip(bits).for_each(|(place, bits)| *place = f32::from(bits >> 6) / 1024.0);
    }
}
