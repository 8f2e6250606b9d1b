//! Normalisation: every group of elements less its mean, divided by its standard deviation.
//!
//! Where a group is a stretch of memory (a layer normalisation), its sums are made along it: [`rows`]. Where it goes over
//! positions too, strips of columns are summed down the positions first: [`columns`].

mod columns;
mod rows;

use super::map::{CHUNK, vectorized};
use super::share::parallel_zipped;
use crate::tensor::Float;
use pulp::NullaryFnOnce;

/// The samples are summed in so many parts, or fewer, for the gradients of scale and bias, however many threads there are.
const PARTS: usize = 64;

/// What is normalised: `[batch, positions, groups * width]`, where a group is `width` features at all positions of a
/// sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NormGeometry {
    /// Number of samples.
    pub batch: usize,
    /// Places in a sample.
    pub positions: usize,
    /// Groups of features.
    pub groups: usize,
    /// Features of a group.
    pub width: usize,
}

impl NormGeometry {
    /// Features of a position.
    pub const fn features(&self) -> usize {
        self.groups * self.width
    }

    /// Elements of a sample.
    pub const fn sample(&self) -> usize {
        self.positions * self.features()
    }

    /// Elements of the statistics: a mean and a reciprocal standard deviation for each group of each sample.
    pub const fn statistics_len(&self) -> usize {
        2 * self.batch * self.groups
    }

    /// The number of parts that the samples are summed in.
    pub fn parts(&self) -> usize {
        self.batch.div_ceil(self.part())
    }

    /// Elements of the sums of a part: for each feature that of the scale's and that of the bias's cotangent, and room for
    /// two sums a group.
    pub const fn sums_len(&self) -> usize {
        2 * self.features() + 2 * self.groups
    }

    /// The samples of a part, which one thread works on at a time.
    fn part(&self) -> usize {
        (CHUNK / 2 / self.sample().max(1)).max(self.batch.div_ceil(PARTS)).max(1)
    }
}

/// How the mean and the variance of a group are computed, as Flax's `_compute_stats` does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// Whether the mean is subtracted; if not, it counts as 0.
    pub use_mean: bool,
    /// Whether the variance is `E[x²] - E[x]²`, in one pass, and not `E[(x - E[x])²]`.
    pub use_fast_variance: bool,
    /// What is added to the variance.
    pub epsilon: f64,
}

impl Moments {
    fn mean<E: Float>(&self, sum: E, count: E) -> E {
        if self.use_mean { sum / count } else { E::ZERO }
    }

    /// Whether the squares are those of `x - mean`, so that `x` is read a second time.
    fn of_differences(&self) -> bool {
        self.use_mean && !self.use_fast_variance
    }

    /// The reciprocal of the standard deviation, from the sum of the squares. A variance below zero, which rounding can
    /// make, counts as zero; NaN stays NaN.
    fn reciprocal<E: Float>(&self, squares: E, mean: E, count: E) -> E {
        let mut variance = squares / count;
        if !self.of_differences() {
            variance -= mean * mean;
        }
        let variance = if variance < E::ZERO { E::ZERO } else { variance };
        E::ONE / (variance + E::from_f64(self.epsilon)).sqrt()
    }
}

/// `y = (x - mean) / sqrt(variance + epsilon) * scale + bias`, and the statistics of every group.
pub fn normalize<E: Float>(
    geometry: &NormGeometry,
    moments: &Moments,
    x: &[E],
    [scale, bias]: [&[E]; 2],
    y: &mut [E],
    statistics: &mut [E],
) {
    assert!(x.len() == geometry.batch * geometry.sample() && x.len() == y.len(), "elements of {geometry:?}");
    assert!(scale.len() == geometry.features() && bias.len() == scale.len(), "features of {geometry:?}");
    assert_eq!(statistics.len(), geometry.statistics_len(), "statistics of {geometry:?}");
    if x.is_empty() {
        return;
    }
    let part = geometry.part();
    let (y, statistics) = ((y, part * geometry.sample()), (statistics, part * 2 * geometry.groups));
    parallel_zipped(geometry.parts(), [y], [statistics], |index, [y], [statistics]| {
        let x = &x[index * part * geometry.sample()..][..y.len()];
        vectorized(Forward { geometry, moments, x, features: [scale, bias], y, statistics });
    });
}

/// What [`normalize_pullback`] reads: the input and statistics of [`normalize`], and the cotangent of its output.
#[derive(Clone, Copy)]
pub struct Pullback<'a, E> {
    /// The input.
    pub x: &'a [E],
    /// The statistics.
    pub statistics: &'a [E],
    /// The scale.
    pub scale: &'a [E],
    /// The cotangent of the output.
    pub dy: &'a [E],
}

/// The cotangent of the input of [`normalize`], if `dx` is not empty, and of every part the sums that the cotangents of
/// scale and bias are made of, see [`NormGeometry::sums_len`].
pub fn normalize_pullback<'a, E: Float>(
    geometry: &NormGeometry,
    use_mean: bool,
    pullback: Pullback<'a, E>,
    dx: &mut [E],
    sums: &mut [E],
) {
    let Pullback { x, statistics, scale, dy } = pullback;
    assert!(x.len() == geometry.batch * geometry.sample() && x.len() == dy.len(), "elements of {geometry:?}");
    assert!(dx.is_empty() || dx.len() == x.len(), "the cotangent of {geometry:?}");
    assert_eq!(scale.len(), geometry.features(), "features of {geometry:?}");
    assert_eq!(statistics.len(), geometry.statistics_len(), "statistics of {geometry:?}");
    assert_eq!(sums.len(), geometry.parts() * geometry.sums_len(), "sums of {geometry:?}");
    sums.fill(E::ZERO);
    if x.is_empty() {
        return;
    }
    let part = geometry.part();
    let (dx, sums) = ((dx, part * geometry.sample()), (sums, geometry.sums_len()));
    parallel_zipped(geometry.parts(), [dx], [sums], |index, [dx], [sums]| {
        let samples = index * part..geometry.batch.min((index + 1) * part);
        let of = |elements: &'a [E], len: usize| &elements[samples.start * len..samples.end * len];
        let (x, dy) = (of(x, geometry.sample()), of(dy, geometry.sample()));
        let statistics = of(statistics, 2 * geometry.groups);
        let pullback = Pullback { x, statistics, scale, dy };
        vectorized(Backward { geometry, use_mean, pullback, dx, sums });
    });
}

struct Forward<'a, E> {
    geometry: &'a NormGeometry,
    moments: &'a Moments,
    x: &'a [E],
    features: [&'a [E]; 2],
    y: &'a mut [E],
    statistics: &'a mut [E],
}

impl<E: Float> NullaryFnOnce for Forward<'_, E> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Forward { geometry, moments, x, features, y, statistics } = self;
        let samples = x.chunks_exact(geometry.sample()).zip(y.chunks_exact_mut(geometry.sample()));
        for ((x, y), statistics) in samples.zip(statistics.chunks_exact_mut(2 * geometry.groups)) {
            if geometry.positions > 1 {
                columns::statistics(geometry, moments, x, statistics);
                columns::normalize(geometry, statistics, x, features, y);
            } else {
                rows::normalize(geometry.width, moments, x, features, y, statistics);
            }
        }
    }
}

struct Backward<'a, E> {
    geometry: &'a NormGeometry,
    use_mean: bool,
    pullback: Pullback<'a, E>,
    dx: &'a mut [E],
    sums: &'a mut [E],
}

impl<E: Float> NullaryFnOnce for Backward<'_, E> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Backward { geometry, use_mean, pullback: Pullback { x, statistics, scale, dy }, dx, sums } = self;
        let mut dx = dx.chunks_exact_mut(geometry.sample());
        let samples = x.chunks_exact(geometry.sample()).zip(dy.chunks_exact(geometry.sample()));
        for ((x, dy), statistics) in samples.zip(statistics.chunks_exact(2 * geometry.groups)) {
            let dx = dx.next().unwrap_or_default();
            let sample = Pullback { x, statistics, scale, dy };
            if geometry.positions > 1 {
                columns::sum(geometry, sample, sums);
                columns::pull(geometry, use_mean, sample, sums, dx);
            } else {
                rows::pull(geometry.width, use_mean, sample, sums, dx);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(len: usize, seed: usize) -> Vec<f64> {
        (0..len).map(|i| ((i * 7919 + seed * 104_729) % 1009) as f64 / 500.0 - 1.0).collect()
    }

    /// The mean and the reciprocal standard deviation of a group, by definition.
    fn plain(
        geometry: &NormGeometry,
        moments: &Moments,
        x: &[f64],
        sample: usize,
        group: usize,
    ) -> (f64, f64) {
        let start = sample * geometry.sample() + group * geometry.width;
        let elements = (0..geometry.positions).flat_map(|position| {
            (0..geometry.width).map(move |i| start + position * geometry.features() + i)
        });
        let group: Vec<f64> = elements.map(|index| x[index]).collect();
        let count = group.len() as f64;
        let mean = if moments.use_mean { group.iter().sum::<f64>() / count } else { 0.0 };
        let variance = group.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        (mean, 1.0 / (variance + moments.epsilon).sqrt())
    }

    #[test]
    fn rows_and_columns_agree_with_the_definition() {
        let sizes = [1, 2, 3, 31, 32, 33, 70];
        for (index, (&width, &positions)) in
            sizes.iter().flat_map(|width| sizes.iter().map(move |positions| (width, positions))).enumerate()
        {
            let geometry = NormGeometry { batch: 1 + index % 3, positions, groups: 1 + index % 4, width };
            let moments =
                Moments { use_mean: index % 5 != 0, use_fast_variance: index % 2 == 0, epsilon: 1e-3 };
            let x = numbers(geometry.batch * geometry.sample(), index);
            let (scale, bias) = (numbers(geometry.features(), 1), numbers(geometry.features(), 2));
            let mut y = vec![0.0; x.len()];
            let mut statistics = vec![0.0; geometry.statistics_len()];
            normalize(&geometry, &moments, &x, [&scale, &bias], &mut y, &mut statistics);
            for (index, &found) in y.iter().enumerate() {
                let feature = index % geometry.features();
                let (sample, group) = (index / geometry.sample(), feature / width);
                let (mean, reciprocal) = plain(&geometry, &moments, &x, sample, group);
                let expected = (x[index] - mean) * reciprocal * scale[feature] + bias[feature];
                assert!((found - expected).abs() < 1e-12, "{geometry:?} {moments:?}: {found}, {expected}");
            }
        }
    }

    #[test]
    fn threads_change_nothing() {
        for positions in [1, 5] {
            let geometry = NormGeometry { batch: 900, positions, groups: 3, width: 37 };
            let moments = Moments { use_mean: true, use_fast_variance: true, epsilon: 1e-6 };
            let x: Vec<f32> =
                numbers(geometry.batch * geometry.sample(), 3).iter().map(|&x| x as f32).collect();
            let scale: Vec<f32> = numbers(geometry.features(), 4).iter().map(|&x| x as f32).collect();
            let run = |threads| {
                super::super::threads::set_threads(threads);
                let mut statistics = vec![0.0; geometry.statistics_len()];
                let mut y = vec![0.0; x.len()];
                normalize(&geometry, &moments, &x, [&scale, &scale], &mut y, &mut statistics);
                let mut sums = vec![0.0; geometry.parts() * geometry.sums_len()];
                let mut dx = vec![0.0; x.len()];
                let pullback = Pullback { x: &x, statistics: &statistics, scale: &scale, dy: &y };
                normalize_pullback(&geometry, true, pullback, &mut dx, &mut sums);
                (y, dx, sums)
            };
            assert!(geometry.parts() > 1);
            assert_eq!(run(1), run(3));
        }
    }
}
