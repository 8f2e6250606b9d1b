//! Images of ten classes: a pattern for each class, and noise, so that a few steps already learn.

use flaxen::prelude::*;

/// The batches that training goes through again and again.
const BATCHES: usize = 8;

const CLASSES: usize = 10;

/// Labelled batches, one after the other, for ever.
pub struct Batches<S: Shape, B: Dim> {
    batches: Vec<(Tensor<S>, Tensor<(B,), i32>)>,
    index: usize,
}

impl<S: Shape, B: Dim> Batches<S, B> {
    /// Images of this shape, of which the first dimension is the batch.
    pub fn new(images: S, batch: B) -> Self {
        let pixels = images.elements() / batch.size();
        let patterns: Tensor<(Dyn, Dyn)> = Key::new(10).uniform((Dyn(CLASSES), Dyn(pixels)), 0.0, 1.0);
        let draw = |key: Key| {
            let (for_labels, for_noise) = key.split();
            let labels: Tensor<(B,), i32> = for_labels.randint((batch,), 0, CLASSES as i64);
            let mut images: Tensor<S> = for_noise.uniform(images, 0.0, 1.0);
            let rows = images.as_mut_slice().chunks_exact_mut(pixels);
            for (row, &label) in rows.zip(labels.as_slice()) {
                let pattern = &patterns.as_slice()[label as usize * pixels..][..pixels];
                row.iter_mut().zip(pattern).for_each(|(pixel, pattern)| *pixel = 0.5 * (*pixel + pattern));
            }
            (images, labels)
        };
        Batches { batches: Key::new(11).split_n(BATCHES).into_iter().map(draw).collect(), index: 0 }
    }

    /// The next batch.
    pub fn next(&mut self) -> (Tensor<S>, Tensor<(B,), i32>) {
        self.index = (self.index + 1) % self.batches.len();
        self.batches[self.index].clone()
    }
}
