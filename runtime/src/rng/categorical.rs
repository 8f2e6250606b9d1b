//! Draws of classes.

use super::exponential::Gumbel;
use super::key::Key;

impl Key {
    /// Draws a class by its logit: `jax.random.categorical(key, logits, axis)`.
    ///
    /// The logits are given in row-major order with their sizes; the classes lie along `axis`, which the
    /// result is without. `out` may hold several times as many elements as one draw has: then so many draws
    /// are made, which in JAX are leading axes of `shape`. With Gumbel noise added, the largest logit is the
    /// class.
    ///
    /// # Panics
    /// If the sizes are not those of the logits, have no such axis or no class, or `out` holds no whole
    /// number of draws.
    pub fn fill_categorical(self, logits: &[f32], sizes: &[usize], axis: usize, out: &mut [u32]) {
        assert_eq!(logits.len(), sizes.iter().product::<usize>(), "logits of sizes {sizes:?}");
        let classes = sizes[axis];
        assert!(classes > 0, "there is no class to draw");
        let inner: usize = sizes[axis + 1..].iter().product();
        let lines = logits.len() / classes;
        assert_eq!(out.len() % lines.max(1), 0, "{} classes for draws of {lines}", out.len());

        let mut noise = vec![0.0; out.len() * classes];
        self.fill(&Gumbel, &mut noise);
        for (i, place) in out.iter_mut().enumerate() {
            let (draw, line) = (i / lines, i % lines);
            let first = line / inner * classes * inner + line % inner;
            let score = |class: usize| {
                let at = first + class * inner;
                noise[draw * logits.len() + at] + logits[at]
            };
            *place = argmax((0..classes).map(score)) as u32;
        }
    }
}

/// Where the largest value is: the first of equal ones; NaN counts as the largest.
fn argmax(values: impl Iterator<Item = f32>) -> usize {
    let mut best = (0, f32::NEG_INFINITY);
    for (i, value) in values.enumerate() {
        if value > best.1 || (value.is_nan() && !best.1.is_nan()) {
            best = (i, value);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_impossible_class_is_not_drawn() {
        let mut out = [9; 100];
        Key::new(2).fill_categorical(&[0.0, f32::NEG_INFINITY, 0.0], &[3], 0, &mut out);
        assert!(out.contains(&0) && out.contains(&2) && !out.contains(&1));
    }

    #[test]
    fn the_first_of_equals() {
        assert_eq!(argmax([1.0, 3.0, 3.0].into_iter()), 1);
        assert_eq!(argmax([1.0, f32::NAN, 3.0].into_iter()), 1);
        assert_eq!(argmax([f32::NEG_INFINITY; 2].into_iter()), 0);
    }
}
