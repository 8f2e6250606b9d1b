//! What a moment is divided by, because it began at zero: `optax.tree.bias_correction`.

use super::{EmptyState, Kernel, sweep};
use crate::tensor::Float;
use crate::tree::Tree;

/// `moment / (1 - decay^count)`, on every leaf: what a decaying mean that began at zero is after `count` steps.
pub fn bias_correction<P: Tree>(moment: &P, decay: f64, count: i32) -> P {
    let mut corrected = moment.clone();
    sweep::update(&BiasCorrection::new(decay, count), &mut corrected, &mut EmptyState {}, moment);
    corrected
}

impl Kernel for BiasCorrection {
    const SLOTS: usize = 0;

    #[inline(always)]
    fn update<E: Float>(&self, moments: &mut [E], _: &[E], _: &mut [&mut [E]]) {
        let correction = self.get();
        moments.iter_mut().for_each(|moment| *moment /= correction);
    }
}

/// `1 - decay^count`, computed in the precision of the elements as Optax does: in f32, `1 - 0.999` is 0.00100005.
#[derive(Clone, Copy, Debug)]
pub(super) struct BiasCorrection {
    single: f64,
    double: f64,
}

impl BiasCorrection {
    /// No correction.
    pub(super) const NONE: Self = BiasCorrection { single: 1.0, double: 1.0 };

    pub(super) fn new(decay: f64, count: i32) -> Self {
        BiasCorrection { single: computed_in::<f32>(decay, count), double: computed_in::<f64>(decay, count) }
    }

    #[inline(always)]
    pub(super) fn get<E: Float>(&self) -> E {
        E::from_f64(if size_of::<E>() == size_of::<f64>() { self.double } else { self.single })
    }
}

/// `base^exponent` in f32 by squaring, as `jax.lax.integer_pow` rounds it. Where little is left of `1 - base^exponent`,
/// the rounding shows.
pub(super) fn integer_pow(mut base: f32, mut exponent: i32) -> f32 {
    let mut power = 1.0;
    while exponent > 0 {
        if exponent & 1 == 1 {
            power *= base;
        }
        base *= base;
        exponent >>= 1;
    }
    power
}

fn computed_in<E: Float>(decay: f64, count: i32) -> f64 {
    let power = E::from_f64(E::from_f64(decay).to_f64().powi(count));
    (E::ONE - power).to_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_the_precision_of_the_elements() {
        let correction = BiasCorrection::new(0.999, 1);
        assert_eq!(correction.get::<f32>(), 1.0 - 0.999_f32);
        assert_eq!(correction.get::<f64>(), 1.0 - 0.999_f64);
        assert_eq!(BiasCorrection::new(0.9, i32::MAX).get::<f32>(), 1.0);
        assert_eq!([0, 1, 6, 7].map(|n| integer_pow(0.999, n)), [1.0, 0.999, 0.9940151, 0.99302113]);
    }
}
