//! Groups that go over several positions: sums down strips of columns.

use super::super::columns::zero_padded;
use super::{Moments, NormGeometry, Pullback};
use crate::tensor::Float;

/// The columns that are worked on at a time.
const STRIP: usize = 32;
/// The rows that one lane adds up before the sums are added.
const RUN: usize = 64;

/// Neighbouring columns of a sample, whose rows are positions: several each, where they have so few features that a strip has
/// room for them.
#[derive(Clone, Copy)]
struct Strip {
    features: usize,
    columns: usize,
    from: usize,
    len: usize,
}

impl Strip {
    #[inline(always)]
    fn all(geometry: &NormGeometry) -> impl Iterator<Item = Strip> {
        let (features, positions) = (geometry.features(), geometry.positions);
        let most = (STRIP / features.max(1)).max(1);
        let together = (1..=most).rev().find(|&together| positions.is_multiple_of(together)).unwrap_or(1);
        let columns = features * together;
        let len = move |from| STRIP.min(columns - from);
        (0..columns).step_by(STRIP).map(move |from| Strip { features, columns, from, len: len(from) })
    }

    /// The feature of a lane.
    #[inline(always)]
    fn feature(self, lane: usize) -> usize {
        (self.from + lane) % self.features
    }

    /// The part of every row.
    #[inline(always)]
    fn of<E>(self, sample: &[E]) -> impl Iterator<Item = &[E]> {
        sample.chunks_exact(self.columns).map(move |row| &row[self.from..][..self.len])
    }

    /// Writes what `f` makes of a lane's number and its elements of the inputs, in every row.
    #[inline(always)]
    fn write<E: Float, const N: usize>(
        self,
        inputs: [&[E]; N],
        sample: &mut [E],
        f: impl Fn(usize, [E; N]) -> E,
    ) {
        for (row, y) in sample.chunks_exact_mut(self.columns).enumerate() {
            let from = row * self.columns + self.from;
            let inputs: [[E; STRIP]; N] = inputs.map(|input| zero_padded(&input[from..][..self.len]));
            let mut values = [E::ZERO; STRIP];
            for (lane, value) in values.iter_mut().enumerate() {
                *value = f(lane, std::array::from_fn(|input| inputs[input][lane]));
            }
            let y = &mut y[self.from..][..self.len];
            match y.first_chunk_mut() {
                Some(y) => *y = values,
                None => y.copy_from_slice(&values[..self.len]),
            }
        }
    }

    /// What `f` says of the feature of each lane.
    #[inline(always)]
    fn lanes<E: Float>(self, f: impl Fn(usize) -> E) -> [E; STRIP] {
        std::array::from_fn(|lane| if lane < self.len { f(self.feature(lane)) } else { E::ZERO })
    }

    /// The sums over all rows of the `N` values that `f` makes of a lane's number and its elements of `a` and `b`.
    #[inline(always)]
    fn sums<E: Float, const N: usize>(
        self,
        [a, b]: [&[E]; 2],
        f: impl Fn(usize, E, E) -> [E; N],
    ) -> [[E; STRIP]; N] {
        let mut sums = [[E::ZERO; STRIP]; N];
        for (a, b) in a.chunks(RUN * self.columns).zip(b.chunks(RUN * self.columns)) {
            let mut partial = [[E::ZERO; STRIP]; N];
            for (a, b) in self.of(a).zip(self.of(b)) {
                let (a, b): ([E; STRIP], [E; STRIP]) = (zero_padded(a), zero_padded(b));
                for lane in 0..STRIP {
                    let values = f(lane, a[lane], b[lane]);
                    for n in 0..N {
                        partial[n][lane] += values[n];
                    }
                }
            }
            for (sums, partial) in sums.iter_mut().zip(partial) {
                sums.iter_mut().zip(partial).for_each(|(sum, partial)| *sum += partial);
            }
        }
        sums
    }
}

/// The mean and the reciprocal standard deviation of every group of a sample.
#[inline(always)]
pub(super) fn statistics<E: Float>(
    geometry: &NormGeometry,
    moments: &Moments,
    x: &[E],
    statistics: &mut [E],
) {
    let NormGeometry { positions, width, .. } = *geometry;
    let count = E::from_f64((positions * width) as f64);
    statistics.fill(E::ZERO);
    for strip in Strip::all(geometry) {
        let [sums, squares] = strip.sums([x, x], |_, x, _| [x, x * x]);
        for lane in 0..strip.len {
            let group = 2 * (strip.feature(lane) / width);
            statistics[group] += sums[lane];
            statistics[group + 1] += squares[lane];
        }
    }
    for statistics in statistics.chunks_exact_mut(2) {
        statistics[0] = moments.mean(statistics[0], count);
        if moments.of_differences() {
            statistics[1] = E::ZERO;
        }
    }
    if moments.of_differences() {
        for strip in Strip::all(geometry) {
            let mean = strip.lanes(|feature| statistics[2 * (feature / width)]);
            let [squares] = strip.sums([x, x], |lane, x, _| [(x - mean[lane]) * (x - mean[lane])]);
            for lane in 0..strip.len {
                statistics[2 * (strip.feature(lane) / width) + 1] += squares[lane];
            }
        }
    }
    for statistics in statistics.chunks_exact_mut(2) {
        statistics[1] = moments.reciprocal(statistics[1], statistics[0], count);
    }
}

/// Normalises a sample whose statistics are known.
#[inline(always)]
pub(super) fn normalize<E: Float>(
    geometry: &NormGeometry,
    statistics: &[E],
    x: &[E],
    [scale, bias]: [&[E]; 2],
    y: &mut [E],
) {
    let group = |feature: usize| 2 * (feature / geometry.width);
    for strip in Strip::all(geometry) {
        let mean = strip.lanes(|feature| statistics[group(feature)]);
        let factor = strip.lanes(|feature| statistics[group(feature) + 1] * scale[feature]);
        let bias = strip.lanes(|feature| bias[feature]);
        strip.write([x], y, |lane, [x]| (x - mean[lane]) * factor[lane] + bias[lane]);
    }
}

/// Adds up what the cotangents of scale and bias are made of, and makes the sums of the groups.
#[inline(always)]
pub(super) fn sum<E: Float>(geometry: &NormGeometry, sample: Pullback<'_, E>, part_sums: &mut [E]) {
    let Pullback { x, statistics, scale, dy } = sample;
    let (scale_sums, rest) = part_sums.split_at_mut(geometry.features());
    let (bias_sums, group_sums) = rest.split_at_mut(geometry.features());
    group_sums.fill(E::ZERO);
    for strip in Strip::all(geometry) {
        let group = |feature: usize| 2 * (feature / geometry.width);
        let mean = strip.lanes(|feature| statistics[group(feature)]);
        let reciprocal = strip.lanes(|feature| statistics[group(feature) + 1]);
        let [of_scale, of_bias] =
            strip.sums([x, dy], |lane, x, dy| [dy * ((x - mean[lane]) * reciprocal[lane]), dy]);
        for lane in 0..strip.len {
            let feature = strip.feature(lane);
            scale_sums[feature] += of_scale[lane];
            bias_sums[feature] += of_bias[lane];
            group_sums[group(feature)] += of_bias[lane] * scale[feature];
            group_sums[group(feature) + 1] += of_scale[lane] * scale[feature];
        }
    }
}

/// The cotangent of the input of a sample, see [`rows::pull`](super::rows::pull), whose groups [`sum`] has summed.
#[inline(always)]
pub(super) fn pull<E: Float>(
    geometry: &NormGeometry,
    use_mean: bool,
    sample: Pullback<'_, E>,
    part_sums: &[E],
    dx: &mut [E],
) {
    let Pullback { x, statistics, scale, dy } = sample;
    let group_sums = &part_sums[2 * geometry.features()..];
    let count = E::from_f64((geometry.positions * geometry.width) as f64);
    for strip in Strip::all(geometry) {
        let group = |feature: usize| 2 * (feature / geometry.width);
        let mean = strip.lanes(|feature| statistics[group(feature)]);
        let reciprocal = strip.lanes(|feature| statistics[group(feature) + 1]);
        let scale = strip.lanes(|feature| scale[feature]);
        let g = strip.lanes(|feature| if use_mean { group_sums[group(feature)] / count } else { E::ZERO });
        let gn = strip.lanes(|feature| group_sums[group(feature) + 1] / count);
        strip.write([x, dy], dx, |lane, [x, dy]| {
            let normalized = (x - mean[lane]) * reciprocal[lane];
            reciprocal[lane] * (dy * scale[lane] - g[lane] - normalized * gn[lane])
        });
    }
}
