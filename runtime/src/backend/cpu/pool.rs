//! Average and maximum pooling over two-dimensional windows of NHWC images.
//!
//! The loops run over the channels innermost, which the compiler turns into the instructions of
//! [`Arch::dispatch`]; a task is a row of the array that is written, or an image where windows may overlap.

use std::ops::Range;

use pulp::Arch;

use super::lanes::Lanes;
use super::simd::arch;
use super::threads::parallel_chunks;
use crate::backend::{Divisor, PoolGeometry};

/// Arrays of fewer elements than this are not worth a second thread.
const SMALL: usize = 1 << 14;

/// Channels whose maxima are looked for together.
const CHANNELS: usize = 64;

/// The average of every window; padding counts as zeros.
pub fn avg_pool<E: Lanes>(geometry: &PoolGeometry, divisor: Divisor, input: &[E], output: &mut [E]) {
    check(geometry, input, output);
    let g = geometry;
    rows(arch(), output, g.output[1] * g.features, |index, row| {
        let (image, y) = (index / g.output[0], index % g.output[0]);
        for (x, sums) in row.chunks_exact_mut(g.features).enumerate() {
            sums.fill(E::default());
            let window = [g.inside(0, y), g.inside(1, x)];
            for from in g.pixels(image, &window) {
                sums.iter_mut()
                    .zip(&input[from])
                    .for_each(|(sum, &value)| *sum += value);
            }
            divide(sums, divisor.of(g, &window));
        }
    });
}

/// The gradient of [`avg_pool`] with respect to its input.
pub fn avg_pool_gradient<E: Lanes>(
    geometry: &PoolGeometry,
    divisor: Divisor,
    cotangent: &[E],
    input_gradient: &mut [E],
) {
    check(geometry, input_gradient, cotangent);
    let g = geometry;
    rows(arch(), input_gradient, g.input[1] * g.features, |index, row| {
        let (image, iy) = (index / g.input[0], index % g.input[0]);
        for (ix, sums) in row.chunks_exact_mut(g.features).enumerate() {
            sums.fill(E::default());
            for y in g.reaching(0, iy) {
                for x in g.reaching(1, ix) {
                    let from = &cotangent[((image * g.output[0] + y) * g.output[1] + x) * g.features..];
                    let count = E::from_count(divisor.of(g, &[g.inside(0, y), g.inside(1, x)]));
                    sums.iter_mut()
                        .zip(from)
                        .for_each(|(sum, &value)| *sum += value / count);
                }
            }
        }
    });
}

/// The maximum of every window; padding never wins, NaN always does.
pub fn max_pool<E: Lanes>(geometry: &PoolGeometry, input: &[E], output: &mut [E]) {
    check(geometry, input, output);
    let g = geometry;
    rows(arch(), output, g.output[1] * g.features, |index, row| {
        let (image, y) = (index / g.output[0], index % g.output[0]);
        for (x, maxima) in row.chunks_exact_mut(g.features).enumerate() {
            maxima.fill(E::LOWEST);
            for from in g.pixels(image, &[g.inside(0, y), g.inside(1, x)]) {
                for (best, &value) in maxima.iter_mut().zip(&input[from]) {
                    // The second comparison is false for NaN only.
                    *best = if *best >= value || *best != *best {
                        *best
                    } else {
                        value
                    };
                }
            }
        }
    });
}

/// The gradient of [`max_pool`] with respect to its input: each cotangent goes to the first maximum of its
/// window, in row-major order, as XLA's `select-and-scatter` with `>=` does.
pub fn max_pool_gradient<E: Lanes>(
    geometry: &PoolGeometry,
    input: &[E],
    cotangent: &[E],
    input_gradient: &mut [E],
) {
    check(geometry, input, cotangent);
    assert_eq!(
        input_gradient.len(),
        input.len(),
        "the input's gradient of {geometry:?}"
    );
    let g = geometry;
    // Windows may overlap, so that an image is one task.
    rows(
        arch(),
        input_gradient,
        g.input[0] * g.input[1] * g.features,
        |image, gradient| {
            gradient.fill(E::default());
            let start = image * gradient.len();
            for y in 0..g.output[0] {
                for x in 0..g.output[1] {
                    let window = [g.inside(0, y), g.inside(1, x)];
                    let from = &cotangent[((image * g.output[0] + y) * g.output[1] + x) * g.features..]
                        [..g.features];
                    for (block, from) in from.chunks(CHANNELS).enumerate() {
                        let part = |pixel: Range<usize>| {
                            pixel.start + block * CHANNELS..pixel.start + block * CHANNELS + from.len()
                        };
                        let winners = winners(g.pixels(image, &window).map(|pixel| &input[part(pixel)]));
                        for (index, pixel) in g.pixels(image, &window).map(part).enumerate() {
                            let to = &mut gradient[pixel.start - start..pixel.end - start];
                            for ((to, &value), &winner) in to.iter_mut().zip(from).zip(&winners) {
                                *to += if winner == index as u32 {
                                    value
                                } else {
                                    E::default()
                                };
                            }
                        }
                    }
                }
            }
        },
    );
}

/// For each channel the first pixel whose value no other exceeds.
#[inline(always)]
fn winners<'a, E: Lanes>(pixels: impl Iterator<Item = &'a [E]>) -> [u32; CHANNELS] {
    let (mut best, mut winners) = ([E::default(); CHANNELS], [0; CHANNELS]);
    for (index, values) in pixels.enumerate() {
        for ((best, winner), &value) in best.iter_mut().zip(&mut winners).zip(values) {
            let stays = index > 0 && *best >= value;
            *best = if stays { *best } else { value };
            *winner = if stays { *winner } else { index as u32 };
        }
    }
    winners
}

/// Panics unless the slices have the lengths that the geometry says.
fn check<E>(geometry: &PoolGeometry, input: &[E], output: &[E]) {
    assert_eq!(input.len(), geometry.input_len(), "the input of {geometry:?}");
    assert_eq!(output.len(), geometry.output_len(), "the output of {geometry:?}");
}

/// Calls `f(index, row)` for each row of `len` elements, with the instructions of `arch`.
fn rows<E: Lanes>(arch: Arch, data: &mut [E], len: usize, f: impl Fn(usize, &mut [E]) + Sync) {
    if data.is_empty() {
        return;
    }
    let together = if data.len() < SMALL {
        data.len() / len
    } else {
        (SMALL / 2).div_ceil(len)
    };
    parallel_chunks(data, together * len, |index, rows| {
        arch.dispatch(
            #[inline(always)]
            || {
                rows.chunks_exact_mut(len)
                    .enumerate()
                    .for_each(|(i, row)| f(index * together + i, row))
            },
        );
    });
}

/// `values / count`; where that is the same, a multiplication.
#[inline(always)]
fn divide<E: Lanes>(values: &mut [E], count: usize) {
    let count_as_float = E::from_count(count);
    if count.is_power_of_two() {
        let factor = E::from_count(1) / count_as_float;
        values.iter_mut().for_each(|value| *value = *value * factor);
    } else {
        values
            .iter_mut()
            .for_each(|value| *value = *value / count_as_float);
    }
}

impl Divisor {
    /// What the sum over a window is divided by.
    fn of(self, g: &PoolGeometry, inside: &[Range<usize>; 2]) -> usize {
        match self {
            Self::Window => g.window[0] * g.window[1],
            Self::Inside => inside[0].len() * inside[1].len(),
        }
    }
}

impl PoolGeometry {
    /// The part of a window along one axis that lies inside the input.
    fn inside(&self, axis: usize, position: usize) -> Range<usize> {
        let start = position * self.strides[axis];
        let clip = |at: usize| at.saturating_sub(self.padding[axis][0]).min(self.input[axis]);
        clip(start)..clip(start + self.window[axis])
    }

    /// The windows along one axis that contain an input position.
    fn reaching(&self, axis: usize, position: usize) -> Range<usize> {
        let at = position + self.padding[axis][0];
        let first = (at + 1)
            .saturating_sub(self.window[axis])
            .div_ceil(self.strides[axis]);
        let last = (at / self.strides[axis] + 1).min(self.output[axis]);
        first.min(last)..last
    }

    /// Where the pixels of a window lie in the input, in row-major order.
    #[inline(always)]
    fn pixels(&self, image: usize, inside: &[Range<usize>; 2]) -> impl Iterator<Item = Range<usize>> {
        let [rows, columns] = inside.clone();
        let g = *self;
        rows.flat_map(move |row| {
            columns.clone().map(move |column| {
                let start = ((image * g.input[0] + row) * g.input[1] + column) * g.features;
                start..start + g.features
            })
        })
    }
}
