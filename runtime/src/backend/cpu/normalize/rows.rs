//! Groups that are stretches of memory.

use super::{Moments, Pullback};
use crate::tensor::Float;
use std::array;

/// The sums that run side by side.
const LANES: usize = 32;

/// The sums over all places of the `N` values that `f` makes of the elements there.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // several slices have one index
fn sums<E: Float, const A: usize, const N: usize>(slices: [&[E]; A], f: impl Fn([E; A]) -> [E; N]) -> [E; N] {
    let mut lanes = [[E::ZERO; LANES]; N];
    let len = slices[0].len();
    let runs = slices.map(|slice| slice[..len].as_chunks::<LANES>().0);
    for run in 0..len / LANES {
        let elements: [&[E; LANES]; A] = array::from_fn(|slice| &runs[slice][run]);
        for lane in 0..LANES {
            let values = f(array::from_fn(|slice| elements[slice][lane]));
            for (lanes, value) in lanes.iter_mut().zip(values) {
                lanes[lane] += value;
            }
        }
    }
    let rest = slices.map(|slice| &slice[len / LANES * LANES..len]);
    for place in 0..rest[0].len() {
        let values = f(array::from_fn(|slice| rest[slice][place]));
        for (lanes, value) in lanes.iter_mut().zip(values) {
            lanes[place] += value;
        }
    }
    lanes.map(|mut lanes| {
        let mut width = LANES / 2;
        while width > 0 {
            for lane in 0..width {
                let other = lanes[lane + width];
                lanes[lane] += other;
            }
            width /= 2;
        }
        lanes[0]
    })
}

/// Normalises a sample whose groups have `width` elements.
#[inline(always)]
pub(super) fn normalize<E: Float>(
    width: usize,
    moments: &Moments,
    x: &[E],
    [scale, bias]: [&[E]; 2],
    y: &mut [E],
    statistics: &mut [E],
) {
    let groups = x.chunks_exact(width).zip(y.chunks_exact_mut(width));
    let features = scale.chunks_exact(width).zip(bias.chunks_exact(width));
    for (((x, y), (scale, bias)), statistics) in groups.zip(features).zip(statistics.chunks_exact_mut(2)) {
        let count = E::from_f64(width as f64);
        let [sum, mut squares] = sums([x], |[x]| [x, x * x]);
        let mean = moments.mean(sum, count);
        if moments.of_differences() {
            [squares] = sums([x], |[x]| [(x - mean) * (x - mean)]);
        }
        let reciprocal = moments.reciprocal(squares, mean, count);
        statistics.copy_from_slice(&[mean, reciprocal]);
        for (((y, &x), &scale), &bias) in y.iter_mut().zip(x).zip(scale).zip(bias) {
            *y = (x - mean) * (reciprocal * scale) + bias;
        }
    }
}

/// Adds up what the cotangents of scale and bias are made of, and writes that of the input where `dx` is not empty.
///
/// With `n` the normalised input and `g` the cotangent times the scale, it is `(g - mean(g) - n mean(g n)) / deviation`.
#[inline(always)]
pub(super) fn pull<E: Float>(
    width: usize,
    use_mean: bool,
    sample: Pullback<'_, E>,
    part_sums: &mut [E],
    dx: &mut [E],
) {
    let (scale_sums, bias_sums) = part_sums.split_at_mut(sample.scale.len());
    let mut dx = dx.chunks_exact_mut(width);
    let groups = sample.x.chunks_exact(width).zip(sample.dy.chunks_exact(width));
    let features = sample.scale.chunks_exact(width).zip(scale_sums.chunks_exact_mut(width));
    let features = features.zip(bias_sums.chunks_exact_mut(width));
    let statistics = sample.statistics.chunks_exact(2);
    for (((x, dy), ((scale, scale_sums), bias_sums)), statistics) in groups.zip(features).zip(statistics) {
        let (mean, reciprocal) = (statistics[0], statistics[1]);
        for (((scale_sum, bias_sum), &x), &dy) in scale_sums.iter_mut().zip(bias_sums).zip(x).zip(dy) {
            *scale_sum += dy * ((x - mean) * reciprocal);
            *bias_sum += dy;
        }
        let Some(dx) = dx.next() else { continue };
        let [mut g, mut gn] = sums([x, dy, scale], |[x, dy, scale]| {
            let g = dy * scale;
            [g, g * ((x - mean) * reciprocal)]
        });
        let count = E::from_f64(width as f64);
        g = if use_mean { g / count } else { E::ZERO };
        gn /= count;
        for (((dx, &x), &dy), &scale) in dx.iter_mut().zip(x).zip(dy).zip(scale) {
            *dx = reciprocal * (dy * scale - g - (x - mean) * reciprocal * gn);
        }
    }
}
