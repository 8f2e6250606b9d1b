//! Coins and dice.

use super::bits::{Distribution, Draw, fill};
use super::key::Key;
use super::uniform::Uniform;

/// `jax.random.bernoulli`: true with a given probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bernoulli {
    p: f32,
}

impl Bernoulli {
    /// True with the probability `p`: never if it is 0 or below, always if it is 1 or above.
    pub const fn new(p: f32) -> Self {
        Self { p }
    }
}

impl Distribution for Bernoulli {
    type Value = bool;

    #[inline(always)]
    fn value(&self, bits: u32) -> bool {
        Uniform::UNIT.value(bits) < self.p
    }
}

/// `jax.random.rademacher`: 1 or -1, each half of the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rademacher;

impl Distribution for Rademacher {
    type Value = i32;

    #[inline(always)]
    fn value(&self, bits: u32) -> i32 {
        if Bernoulli::new(0.5).value(bits) { 1 } else { -1 }
    }
}

/// The integers that [`Key::fill_randint`] draws.
pub trait Integer: Copy + Send + Sync {
    /// The smallest and the largest value of the type that JAX draws them as: narrow ones are drawn as `i32`.
    const RANGE: (i64, i64);

    /// The low bits.
    fn from_bits(bits: u32) -> Self;
}

macro_rules! integer {
    ($($type:ty as $drawn:ty),*) => {$(
        impl Integer for $type {
            const RANGE: (i64, i64) = (<$drawn>::MIN as i64, <$drawn>::MAX as i64);

            #[inline(always)]
            fn from_bits(bits: u32) -> Self {
                bits as Self
            }
        }
    )*};
}
integer!(u8 as i32, i8 as i32, u16 as i32, i16 as i32, i32 as i32, u32 as u32);

impl Key {
    /// Fills a slice with integers from `minval`, included, to `maxval`, not included: `jax.random.randint`.
    ///
    /// Bounds beyond the type are its bounds; where nothing lies between them, all integers are `minval`. As
    /// in JAX the distribution is not exactly uniform: 64 bits are drawn for an integer, and their remainder
    /// is taken.
    pub fn fill_randint<T: Integer>(self, minval: i64, maxval: i64, out: &mut [T]) {
        let (lowest, highest) = T::RANGE;
        let beyond = maxval > highest;
        let (minval, maxval) = (minval.clamp(lowest, highest), maxval.clamp(lowest, highest));
        let span = if maxval <= minval { 1 } else { (maxval - minval) as u32 };
        let span = span.wrapping_add(u32::from(beyond && maxval > minval));

        // 2^32 modulo the span, in the wrapping arithmetic that JAX has.
        let half = modulo(1 << 16, span);
        let multiplier = modulo(half.wrapping_mul(half), span);
        let (high, low) = self.split();
        fill([&high, &low], out, Offset { minval: minval as u32, span, multiplier });
    }
}

/// The remainder of 64 bits by the span, added to the minimum.
#[derive(Clone, Copy)]
struct Offset {
    minval: u32,
    span: u32,
    multiplier: u32,
}

impl<T: Integer> Draw<T, 2> for Offset {
    #[inline(always)]
    fn draw(&self, [high, low]: [u32; 2]) -> T {
        let Self { minval, span, multiplier } = *self;
        let offset = modulo(high, span).wrapping_mul(multiplier).wrapping_add(modulo(low, span));
        T::from_bits(minval.wrapping_add(modulo(offset, span)))
    }
}

/// The remainder, where a span of 0 stands for 2^32.
#[inline(always)]
fn modulo(x: u32, span: u32) -> u32 {
    x.checked_rem(span).unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_stay_in_their_range() {
        let mut out = [0_i32; 1000];
        Key::new(1).fill_randint(-3, 4, &mut out);
        assert_eq!((-3..4).filter(|i| out.contains(i)).count(), 7);
        assert!(out.iter().all(|i| (-3..4).contains(i)));

        let mut out = [7_u32; 1000];
        Key::new(1).fill_randint(i64::MIN, i64::MAX, &mut out);
        assert!(out.iter().any(|&i| i > 1 << 31));
        let mut out = [0_u32; 3];
        Key::new(1).fill_randint(9, 2, &mut out);
        assert_eq!(out, [9; 3]);
    }

    #[test]
    fn certain_coins() {
        assert!((0..100).all(|seed| Key::new(seed).draw(&Bernoulli::new(1.0))));
        assert!(!(0..100).any(|seed| Key::new(seed).draw(&Bernoulli::new(0.0))));
    }
}
