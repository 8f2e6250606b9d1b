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
const CHANNELS: usize = 16;

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
        let (image, input_row) = (index / g.input[0], index % g.input[0]);
        row.fill(E::default());
        for y in g.reaching(0, input_row) {
            let from = &cotangent[(image * g.output[0] + y) * g.output[1] * g.features..];
            for (x, from) in from.chunks_exact(g.features).take(g.output[1]).enumerate() {
                let columns = g.inside(1, x);
                let count = divisor.of(g, &[g.inside(0, y), columns.clone()]);
                for to in
                    row[columns.start * g.features..columns.end * g.features].chunks_exact_mut(g.features)
                {
                    add_share(to, from, count);
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
    let len = g.input[0] * g.input[1] * g.features;
    rows(arch(), input_gradient, len, |image, gradient| {
        gradient.fill(E::default());
        let input = &input[image * len..][..len];
        for y in 0..g.output[0] {
            for x in 0..g.output[1] {
                let pixel = (image * g.output[0] + y) * g.output[1] + x;
                let from = &cotangent[pixel * g.features..][..g.features];
                let window = [g.inside(0, y), g.inside(1, x)];
                let (blocks, rest) = from.as_chunks::<CHANNELS>();
                for (block, from) in blocks.iter().enumerate() {
                    scatter(g, &window, block * CHANNELS, from, input, gradient);
                }
                for (i, from) in rest.iter().enumerate() {
                    scatter(g, &window, blocks.len() * CHANNELS + i, &[*from], input, gradient);
                }
            }
        }
    });
}

/// Adds the cotangents of `N` channels of a window of an image to the window's first maxima.
#[inline(always)]
fn scatter<E: Lanes, const N: usize>(
    g: &PoolGeometry,
    window: &[Range<usize>; 2],
    channel: usize,
    from: &[E; N],
    input: &[E],
    gradient: &mut [E],
) {
    let (mut best, mut winners) = ([E::LOWEST; N], [0_u32; N]);
    for (index, pixel) in g.pixels(0, window).enumerate() {
        let values = &input[pixel.start + channel..][..N];
        for i in 0..N {
            let stays = index > 0 && best[i] >= values[i];
            best[i] = if stays { best[i] } else { values[i] };
            winners[i] = if stays { winners[i] } else { index as u32 };
        }
    }
    for (index, pixel) in g.pixels(0, window).enumerate() {
        let to = &mut gradient[pixel.start + channel..][..N];
        for i in 0..N {
            to[i] += if winners[i] == index as u32 {
                from[i]
            } else {
                E::default()
            };
        }
    }
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

/// `values /= count`; where that is the same, a multiplication.
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

/// `to += from / count`; where that is the same, a multiplication.
#[inline(always)]
fn add_share<E: Lanes>(to: &mut [E], from: &[E], count: usize) {
    let count_as_float = E::from_count(count);
    if count.is_power_of_two() {
        let factor = E::from_count(1) / count_as_float;
        to.iter_mut()
            .zip(from)
            .for_each(|(to, &from)| *to += from * factor);
    } else {
        to.iter_mut()
            .zip(from)
            .for_each(|(to, &from)| *to += from / count_as_float);
    }
}

impl Divisor {
    /// What the sum over a window is divided by.
    #[inline(always)]
    fn of(self, g: &PoolGeometry, inside: &[Range<usize>; 2]) -> usize {
        match self {
            Self::Window => g.window[0] * g.window[1],
            Self::Inside => inside[0].len() * inside[1].len(),
        }
    }
}

impl PoolGeometry {
    /// The part of a window along one axis that lies inside the input.
    #[inline(always)]
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
