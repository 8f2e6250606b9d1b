//! Average and maximum pooling over two-dimensional windows of NHWC images.
//!
//! The loops run over the channels innermost, which the compiler turns into the instructions of
//! [`Arch::dispatch`]; a task is a row of the array that is written, or an image where windows may overlap.

use std::ops::Range;

use pulp::{Arch, NullaryFnOnce};

use super::lanes::Number;
use super::simd::arch;
use super::threads::parallel_chunks;
use crate::backend::{Divisor, PoolGeometry};

/// Arrays of fewer elements than this are not worth a second thread.
const SMALL: usize = 1 << 14;

/// See [`crate::backend::avg_pool`].
pub(super) fn avg_pool<E: Number>(geometry: &PoolGeometry, divisor: Divisor, input: &[E], output: &mut [E]) {
    reduce(geometry, &divisor, input, output);
}

/// See [`crate::backend::max_pool`].
pub(super) fn max_pool<E: Number>(geometry: &PoolGeometry, input: &[E], output: &mut [E]) {
    reduce(geometry, &Maximum, input, output);
}

/// What a pooling makes of the values in a window.
trait Reduction<E>: Sync {
    /// Of no value.
    fn start() -> E;
    /// Of one value more.
    fn join(so_far: E, value: E) -> E;
    /// What is done at the end, for some channels.
    fn finish(&self, g: &PoolGeometry, inside: &[Range<usize>; 2], values: &mut [E]);
}

impl<E: Number> Reduction<E> for Divisor {
    #[inline(always)]
    fn start() -> E {
        E::default()
    }

    #[inline(always)]
    fn join(sum: E, value: E) -> E {
        sum + value
    }

    #[inline(always)]
    fn finish(&self, g: &PoolGeometry, inside: &[Range<usize>; 2], sums: &mut [E]) {
        divide(sums, self.of(g, inside));
    }
}

struct Maximum;

impl<E: Number> Reduction<E> for Maximum {
    #[inline(always)]
    fn start() -> E {
        E::LOWEST
    }

    #[inline(always)]
    #[expect(clippy::eq_op, reason = "only NaN differs from itself")]
    fn join(best: E, value: E) -> E {
        if best >= value || best != best { best } else { value }
    }

    #[inline(always)]
    fn finish(&self, _: &PoolGeometry, _: &[Range<usize>; 2], _: &mut [E]) {}
}

fn reduce<E: Number, R: Reduction<E>>(geometry: &PoolGeometry, reduction: &R, input: &[E], output: &mut [E]) {
    check(geometry, input, output);
    let g = geometry;
    rows(
        arch(),
        output,
        g.output[1] * g.features,
        #[inline(always)]
        |index, row| {
            let (image, y) = (index / g.output[0], index % g.output[0]);
            for (x, pixel) in row.chunks_exact_mut(g.features).enumerate() {
                let inside = [g.inside(0, y), g.inside(1, x)];
                let window = Window { g, reduction, image, inside, input };
                let rest = window.channels::<32>(pixel);
                let rest = window.channels::<16>(rest);
                let rest = window.channels::<4>(rest);
                window.channels::<1>(rest);
            }
        },
    );
}

struct Window<'a, E, R> {
    g: &'a PoolGeometry,
    reduction: &'a R,
    image: usize,
    /// The part of the window that lies inside of the input.
    inside: [Range<usize>; 2],
    input: &'a [E],
}

impl<E: Number, R: Reduction<E>> Window<'_, E, R> {
    /// Fills the last channels of a pixel, `N` at a time, and returns those that are left.
    #[inline(always)]
    fn channels<'p, const N: usize>(&self, pixel: &'p mut [E]) -> &'p mut [E] {
        let first = self.g.features - pixel.len();
        let (blocks, rest) = pixel.as_chunks_mut();
        for (index, block) in blocks.iter_mut().enumerate() {
            *block = self.block::<N>(first + index * N);
        }
        rest
    }

    /// `N` channels, in registers while the window is walked through.
    #[inline(always)]
    fn block<const N: usize>(&self, channel: usize) -> [E; N] {
        let mut values = [R::start(); N];
        self.g.each_pixel(
            self.image,
            &self.inside,
            #[inline(always)]
            |pixel| {
                let input = &self.input[pixel + channel..][..N];
                values.iter_mut().zip(input).for_each(|(so_far, &value)| *so_far = R::join(*so_far, value));
            },
        );
        self.reduction.finish(self.g, &self.inside, &mut values);
        values
    }
}

/// See [`crate::backend::avg_pool_gradient`].
pub(super) fn avg_pool_gradient<E: Number>(
    geometry: &PoolGeometry,
    divisor: Divisor,
    cotangent: &[E],
    finish: impl Fn(usize, &mut [E]) + Sync,
    input_gradient: &mut [E],
) {
    if geometry.is_side_by_side() {
        return shares(
            geometry,
            divisor,
            cotangent,
            #[inline(always)]
            |_, share| share,
            finish,
            input_gradient,
        );
    }
    check(geometry, input_gradient, cotangent);
    let g = geometry;
    rows(
        arch(),
        input_gradient,
        g.input[1] * g.features,
        #[inline(always)]
        |index, row| {
            let (image, input_row) = (index / g.input[0], index % g.input[0]);
            row.fill(E::default());
            for y in g.reaching(0, input_row) {
                share_row(
                    g,
                    divisor,
                    cotangent,
                    [image, y],
                    #[inline(always)]
                    |sum, share| sum + share,
                    row,
                );
            }
            finish(index * row.len(), row);
        },
    );
}

/// See [`crate::backend::avg_pool_gradient_in_place`].
pub(super) fn avg_pool_gradient_in_place<E: Number>(
    geometry: &PoolGeometry,
    divisor: Divisor,
    cotangent: &[E],
    f: impl Fn(E, E) -> E + Sync,
    input: &mut [E],
) {
    assert!(geometry.is_side_by_side(), "one window for each element: {geometry:?}");
    shares(
        geometry,
        divisor,
        cotangent,
        #[inline(always)]
        |input, share| f(share, input),
        |_, _| (),
        input,
    );
}

/// Makes of every element, which is in one window or in none, `put` of what it is and of its share of the cotangent.
fn shares<E: Number>(
    g: &PoolGeometry,
    divisor: Divisor,
    cotangent: &[E],
    put: impl Fn(E, E) -> E + Sync,
    finish: impl Fn(usize, &mut [E]) + Sync,
    elements: &mut [E],
) {
    check(g, elements, cotangent);
    rows(
        arch(),
        elements,
        g.input[1] * g.features,
        #[inline(always)]
        |index, row| {
            let (image, input_row) = (index / g.input[0], index % g.input[0]);
            let windows = g.reaching(0, input_row);
            if windows.is_empty() {
                row.iter_mut().for_each(|element| *element = put(*element, E::default()));
            }
            for y in windows {
                share_row(
                    g,
                    divisor,
                    cotangent,
                    [image, y],
                    #[inline(always)]
                    |element, share| put(element, E::default() + share),
                    row,
                );
            }
            finish(index * row.len(), row);
        },
    );
}

/// Makes of every element of a row of the input `put` of what it is and of its share of the cotangents of the windows in row `y`
/// of an image.
#[inline(always)]
fn share_row<E: Number>(
    g: &PoolGeometry,
    divisor: Divisor,
    cotangent: &[E],
    [image, y]: [usize; 2],
    put: impl Fn(E, E) -> E,
    row: &mut [E],
) {
    let from = &cotangent[(image * g.output[0] + y) * g.output[1] * g.features..];
    for (x, from) in from.chunks_exact(g.features).take(g.output[1]).enumerate() {
        let columns = g.inside(1, x);
        let count = divisor.of(g, &[g.inside(0, y), columns.clone()]);
        for to in row[columns.start * g.features..columns.end * g.features].chunks_exact_mut(g.features) {
            share(to, from, count, &put);
        }
    }
}

/// See [`crate::backend::max_pool_gradient`].
pub(super) fn max_pool_gradient<E: Number>(
    geometry: &PoolGeometry,
    input: &[E],
    cotangent: &[E],
    finish: impl Fn(usize, &mut [E]) + Sync,
    input_gradient: &mut [E],
) {
    check(geometry, input, cotangent);
    assert_eq!(input_gradient.len(), input.len(), "the input's gradient of {geometry:?}");
    let g = geometry;
    // Windows may overlap, so that an image is one task.
    let len = g.input[0] * g.input[1] * g.features;
    rows(
        arch(),
        input_gradient,
        len,
        #[inline(always)]
        |image, gradient| {
            gradient.fill(E::default());
            let input = &input[image * len..][..len];
            for y in 0..g.output[0] {
                for x in 0..g.output[1] {
                    let pixel = (image * g.output[0] + y) * g.output[1] + x;
                    let from = &cotangent[pixel * g.features..][..g.features];
                    let window = [g.inside(0, y), g.inside(1, x)];
                    let maxima = Maxima { g, window, from, input };
                    let done = maxima.scatter::<32>(0, gradient);
                    let done = maxima.scatter::<8>(done, gradient);
                    maxima.scatter::<1>(done, gradient);
                }
            }
            finish(image * len, gradient);
        },
    );
}

/// The maxima of a window of an image, whose cotangents are `from`.
struct Maxima<'a, E> {
    g: &'a PoolGeometry,
    window: [Range<usize>; 2],
    from: &'a [E],
    input: &'a [E],
}

impl<E: Number> Maxima<'_, E> {
    /// Adds the cotangents of the channels from `done` on to the first maxima, `N` at a time, and returns how many are done then.
    #[inline(always)]
    fn scatter<const N: usize>(&self, done: usize, gradient: &mut [E]) -> usize {
        let (blocks, rest) = self.from[done..].as_chunks::<N>();
        for (index, from) in blocks.iter().enumerate() {
            self.scatter_block(done + index * N, from, gradient);
        }
        self.from.len() - rest.len()
    }

    /// [`Self::scatter`] for `N` channels, in registers while the window is walked through.
    #[inline(always)]
    fn scatter_block<const N: usize>(&self, channel: usize, from: &[E; N], gradient: &mut [E]) {
        let (mut best, mut winners) = ([E::LOWEST; N], [E::default(); N]);
        let mut index = 0;
        self.g.each_pixel(
            0,
            &self.window,
            #[inline(always)]
            |pixel| {
                // The number of the pixel is kept as a float, so that it has lanes as wide as the values.
                let number = E::from_count(index);
                let input = &self.input[pixel + channel..][..N];
                for ((best, winner), &value) in best.iter_mut().zip(&mut winners).zip(input) {
                    let stays = index > 0 && *best >= value;
                    *winner = if stays { *winner } else { number };
                    *best = if stays { *best } else { value };
                }
                index += 1;
            },
        );
        let mut index = 0;
        self.g.each_pixel(
            0,
            &self.window,
            #[inline(always)]
            |pixel| {
                let number = E::from_count(index);
                let to = &mut gradient[pixel + channel..][..N];
                for ((to, &from), &winner) in to.iter_mut().zip(from).zip(&winners) {
                    *to += if winner == number { from } else { E::default() };
                }
                index += 1;
            },
        );
    }
}

/// Panics unless the slices have the lengths that the geometry says.
fn check<E>(geometry: &PoolGeometry, input: &[E], output: &[E]) {
    assert_eq!(input.len(), geometry.input_len(), "the input of {geometry:?}");
    assert_eq!(output.len(), geometry.output_len(), "the output of {geometry:?}");
}

/// Calls `f(index, row)` for each row of `len` elements, with the instructions of `arch`.
fn rows<E: Number>(arch: Arch, data: &mut [E], len: usize, f: impl Fn(usize, &mut [E]) + Sync) {
    if data.is_empty() {
        return;
    }
    let together = if data.len() < SMALL { data.len() / len } else { (SMALL / 2).div_ceil(len) };
    parallel_chunks(data, together * len, |index, rows| {
        arch.dispatch(Rows { rows, len, first: index * together, f: &f });
    });
}

/// A loop over rows. It is a struct because a closure, here and within the loop, might be compiled on its own, without
/// the instructions of the [`Arch`]; so the functions that it is given are `#[inline(always)]` too.
struct Rows<'a, E, F> {
    rows: &'a mut [E],
    len: usize,
    first: usize,
    f: &'a F,
}

impl<E, F: Fn(usize, &mut [E])> NullaryFnOnce for Rows<'_, E, F> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (i, row) in self.rows.chunks_exact_mut(self.len).enumerate() {
            (self.f)(self.first + i, row);
        }
    }
}

/// `values /= count`; where that is the same, a multiplication.
#[inline(always)]
fn divide<E: Number>(values: &mut [E], count: usize) {
    let count_as_float = E::from_count(count);
    if count.is_power_of_two() {
        let factor = E::from_count(1) / count_as_float;
        values.iter_mut().for_each(|value| *value = *value * factor);
    } else {
        values.iter_mut().for_each(|value| *value = *value / count_as_float);
    }
}

/// `to = put(to, from / count)`; where that is the same, a multiplication.
#[inline(always)]
fn share<E: Number>(to: &mut [E], from: &[E], count: usize, put: impl Fn(E, E) -> E) {
    let count_as_float = E::from_count(count);
    if count.is_power_of_two() {
        let factor = E::from_count(1) / count_as_float;
        to.iter_mut().zip(from).for_each(|(to, &from)| *to = put(*to, from * factor));
    } else {
        to.iter_mut().zip(from).for_each(|(to, &from)| *to = put(*to, from / count_as_float));
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

    /// Whether every column of the input is in one window, and no row in several.
    pub fn is_side_by_side(&self) -> bool {
        let [rows, columns] = self.padding;
        self.window == self.strides
            && rows[0] == 0
            && columns[0] == 0
            && self.output[1] * self.window[1] == self.input[1]
    }

    /// The windows along one axis that contain an input position.
    fn reaching(&self, axis: usize, position: usize) -> Range<usize> {
        let at = position + self.padding[axis][0];
        let first = (at + 1).saturating_sub(self.window[axis]).div_ceil(self.strides[axis]);
        let last = (at / self.strides[axis] + 1).min(self.output[axis]);
        first.min(last)..last
    }

    /// Calls `f` with where each pixel of a window begins in the input, in row-major order.
    #[inline(always)]
    fn each_pixel(&self, image: usize, inside: &[Range<usize>; 2], mut f: impl FnMut(usize)) {
        let [rows, columns] = inside;
        let first = ((image * self.input[0] + rows.start) * self.input[1] + columns.start) * self.features;
        let (down, right) = (self.input[1] * self.features, self.features);
        if (rows.len(), columns.len()) == (2, 2) {
            // The most common window: without loops.
            f(first);
            f(first + right);
            f(first + down);
            return f(first + down + right);
        }
        for row in 0..rows.len() {
            for column in 0..columns.len() {
                f(first + row * down + column * right);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Calls `visit(output, inputs)` for every element of the output, the inputs in window order.
    fn windows(g: &PoolGeometry, mut visit: impl FnMut(usize, &[usize])) {
        let signed = |at: usize, before: usize| at as isize - before as isize;
        for output in 0..g.output_len() {
            let (c, pixel) = (output % g.features, output / g.features);
            let (x, row) = (pixel % g.output[1], pixel / g.output[1]);
            let (y, n) = (row % g.output[0], row / g.output[0]);
            let mut inputs = Vec::new();
            for wy in 0..g.window[0] {
                for wx in 0..g.window[1] {
                    let iy = signed(y * g.strides[0] + wy, g.padding[0][0]);
                    let ix = signed(x * g.strides[1] + wx, g.padding[1][0]);
                    if (0..g.input[0] as isize).contains(&iy) && (0..g.input[1] as isize).contains(&ix) {
                        let row = n * g.input[0] + iy as usize;
                        inputs.push((row * g.input[1] + ix as usize) * g.features + c);
                    }
                }
            }
            visit(output, &inputs);
        }
    }

    prop_compose! {
        fn geometry()(
            batch in 0_usize..3,
            features in prop_oneof![1_usize..4, 15_usize..34],
            window in prop::array::uniform2(1_usize..4),
            strides in prop::array::uniform2(1_usize..4),
            padding in prop::array::uniform2(prop::array::uniform2(0_usize..3)),
            spare in prop::array::uniform2(0_usize..7),
        ) -> PoolGeometry {
            let input = [0, 1].map(|i| window[i] + spare[i]);
            let output = [0, 1].map(|i| (input[i] + padding[i][0] + padding[i][1] - window[i]) / strides[i] + 1);
            PoolGeometry { batch, input, output, features, window, strides, padding }
        }
    }

    prop_compose! {
        /// Windows that lie side by side, of an image whose last rows may be in none.
        fn tiles()(
            batch in 0_usize..3,
            features in prop_oneof![1_usize..4, 15_usize..34],
            window in prop::array::uniform2(1_usize..4),
            output in prop::array::uniform2(1_usize..5),
            spare in 0_usize..3,
        ) -> PoolGeometry {
            let rows = window[0] * output[0] + spare.min(window[0] - 1);
            let (input, padding) = ([rows, window[1] * output[1]], [[0; 2]; 2]);
            PoolGeometry { batch, input, output, features, window, strides: window, padding }
        }
    }

    /// Few values, so that maxima are often met more than once; and some NaN.
    fn values(len: usize, seed: usize) -> Vec<f32> {
        let value = |i: usize| (i * 7 + seed) * 31 % 13;
        (0..len).map(|i| if value(i) == 12 { f32::NAN } else { value(i) as f32 - 6.0 }).collect()
    }

    fn same(found: &[f32], expected: &[f32]) {
        let close = |a: f32, b: f32| (a - b).abs() <= 1e-5 * (1.0 + b.abs()) || a.to_bits() == b.to_bits();
        let equal = |(&a, &b): (&f32, &f32)| close(a, b) || (a.is_nan() && b.is_nan());
        assert!(
            found.len() == expected.len() && found.iter().zip(expected).all(equal),
            "{found:?} {expected:?}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn averages_are_the_plain_ones(g in prop_oneof![geometry(), tiles()], seed in 0_usize..1000) {
            let (input, cotangent) = (values(g.input_len(), seed), values(g.output_len(), seed + 1));
            for by in [Divisor::Window, Divisor::Inside] {
                let (mut output, mut gradient) = (vec![0.0; cotangent.len()], vec![0.0; input.len()]);
                windows(&g, |o, inputs| {
                    let count = if by == Divisor::Window { g.window[0] * g.window[1] } else { inputs.len() };
                    output[o] = inputs.iter().map(|&i| input[i]).sum::<f32>() / count as f32;
                    inputs.iter().for_each(|&i| gradient[i] += cotangent[o] / count as f32);
                });
                let (mut found, mut found_gradient) = (vec![9.0; output.len()], vec![9.0; gradient.len()]);
                avg_pool(&g, by, &input, &mut found);
                same(&found, &output);
                avg_pool_gradient(&g, by, &cotangent, |_, _| (), &mut found_gradient);
                same(&found_gradient, &gradient);
            }
        }

        #[test]
        fn a_gradient_is_finished_as_a_pass_after_it_would(
            g in prop_oneof![geometry(), tiles()],
            seed in 0_usize..1000,
        ) {
            let (kept, cotangent) = (values(g.input_len(), seed), values(g.output_len(), seed + 1));
            let mask = |gradient: &mut f32, kept: f32| *gradient = if kept > 0.0 { *gradient } else { 0.0 };
            let finish = |from: usize, part: &mut [f32]| {
                part.iter_mut().zip(&kept[from..]).for_each(|(gradient, &kept)| mask(gradient, kept));
            };
            let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            let (mut expected, mut found) = (vec![9.0; kept.len()], vec![9.0; kept.len()]);
            for by in [Divisor::Window, Divisor::Inside] {
                avg_pool_gradient(&g, by, &cotangent, |_, _| (), &mut expected);
                finish(0, &mut expected);
                avg_pool_gradient(&g, by, &cotangent, finish, &mut found);
                prop_assert_eq!(bits(&found), bits(&expected));
                if g.is_side_by_side() {
                    found.copy_from_slice(&kept);
                    let masked = |mut gradient, kept| {
                        mask(&mut gradient, kept);
                        gradient
                    };
                    avg_pool_gradient_in_place(&g, by, &cotangent, masked, &mut found);
                    prop_assert_eq!(bits(&found), bits(&expected));
                }
            }
            max_pool_gradient(&g, &kept, &cotangent, |_, _| (), &mut expected);
            finish(0, &mut expected);
            max_pool_gradient(&g, &kept, &cotangent, finish, &mut found);
            prop_assert_eq!(bits(&found), bits(&expected));
        }

        #[test]
        fn maxima_are_the_plain_ones(g in geometry(), seed in 0_usize..1000) {
            let (input, cotangent) = (values(g.input_len(), seed), values(g.output_len(), seed + 1));
            let (mut output, mut gradient) = (vec![0.0; cotangent.len()], vec![0.0; input.len()]);
            windows(&g, |o, inputs| {
                let max = |a: f32, b: f32| if a.is_nan() || a >= b { a } else { b };
                output[o] = inputs.iter().map(|&i| input[i]).fold(f32::NEG_INFINITY, max);
                let first = inputs.iter().copied().reduce(|a, b| if input[a] >= input[b] { a } else { b });
                first.into_iter().for_each(|i| gradient[i] += cotangent[o]);
            });
            let (mut found, mut found_gradient) = (vec![9.0; output.len()], vec![9.0; gradient.len()]);
            max_pool(&g, &input, &mut found);
            same(&found, &output);
            max_pool_gradient(&g, &input, &cotangent, |_, _| (), &mut found_gradient);
            same(&found_gradient, &gradient);
        }
    }
}
