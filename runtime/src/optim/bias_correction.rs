//! What a moment is divided by, because it began at zero: `optax.tree.bias_correction`.

use crate::tensor::Float;

/// `1 - decay^count`, computed in the precision of the elements as Optax does: in f32, `1 - 0.999` is 0.00100005.
#[derive(Clone, Copy, Debug)]
pub(super) struct BiasCorrection {
    single: f64,
    double: f64,
}

impl BiasCorrection {
    pub(super) fn new(decay: f64, count: i32) -> Self {
        BiasCorrection { single: computed_in::<f32>(decay, count), double: computed_in::<f64>(decay, count) }
    }

    #[inline(always)]
    pub(super) fn get<E: Float>(&self) -> E {
        E::from_f64(if size_of::<E>() == size_of::<f64>() { self.double } else { self.single })
    }
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
    }
}
