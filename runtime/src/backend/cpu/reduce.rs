//! Sums and other folds along an axis: of `[outer, len, inner]` elements remain `[outer, inner]`.
//!
//! The order in which a sum is added up depends on the sizes only: blocks of rows, in them runs, in them lanes. So an
//! error grows with the logarithm of the length, about, and the threads do not change a bit.

use super::lanes::Number;
use super::map::{CHUNK, Function, vectorized, zip_in_place};
use super::threads::parallel_chunks;
use pulp::NullaryFnOnce;

/// The sums that run side by side in a contiguous sum.
const LANES: usize = 64;
/// The elements that are folded side by side.
const FOLD_LANES: usize = 32;
/// The elements that one lane adds up before the lanes are added.
const RUN: usize = 64;
/// The columns that are summed at a time.
const STRIP: usize = 256;
/// The columns of a matrix that is so narrow that a register holds more than a row.
const NARROW: usize = 16;
/// The elements of a stretch that is shorter than the lanes are worth.
const SHORT: usize = 16;

/// What a fold works on.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    /// The product of the sizes before the axis.
    pub outer: usize,
    /// The size of the axis.
    pub len: usize,
    /// The product of the sizes after the axis.
    pub inner: usize,
}

impl Axis {
    /// The rows of a block that is summed by one thread.
    pub fn block(&self) -> usize {
        (CHUNK / self.inner.max(1)).max(RUN)
    }

    /// The number of blocks along the axis.
    #[inline]
    pub fn blocks(&self) -> usize {
        // Without a division where there is little.
        if self.len * self.inner <= CHUNK {
            return 1;
        }
        self.len.div_ceil(self.block()).max(1)
    }
}

/// The sum of every block: `out` is `[outer, blocks, inner]`.
pub fn sum_blocks<E: Number>(x: &[E], axis: Axis, out: &mut [E]) {
    let Axis { len, inner, .. } = axis;
    let blocks = axis.blocks();
    assert_eq!(x.len(), axis.outer * len * inner, "the elements to be summed");
    assert_eq!(out.len(), axis.outer * blocks * inner, "the sums of the blocks");
    if out.is_empty() {
        return;
    }
    if inner == 1 && x.len() <= CHUNK && len <= LANES * RUN {
        return vectorized(SumsOfRuns { x, len, sums: out });
    }
    if out.len() == inner && blocks == 1 {
        return sum_rows(x, out);
    }
    let block = axis.block();
    let together = (CHUNK / (block.min(len) * inner).max(1)).max(1);
    parallel_chunks(out, together * inner, |chunk, sums| {
        if inner == 1 && blocks == 1 && len <= LANES * RUN {
            let x = &x[chunk * together * len..][..sums.len() * len];
            return vectorized(SumsOfRuns { x, len, sums });
        }
        for (index, sums) in sums.chunks_exact_mut(inner).enumerate() {
            let (outer, place) = ((chunk * together + index) / blocks, (chunk * together + index) % blocks);
            let rows = place * block..((place + 1) * block).min(len);
            let x = &x[(outer * len + rows.start) * inner..(outer * len + rows.end) * inner];
            if inner == 1 { sums[0] = sum(x) } else { sum_rows(x, sums) }
        }
    });
}

/// The sum of contiguous elements.
pub fn sum<E: Number>(x: &[E]) -> E {
    if x.len() <= LANES * RUN {
        return vectorized(SumOfRun(x));
    }
    let (left, right) = x.split_at((x.len() / 2).next_multiple_of(LANES * RUN));
    sum(left) + sum(right)
}

/// The sums of stretches of `len` elements each, none of them longer than what lanes add up in one go. Short ones are added up
/// one element after the other, a few stretches at once as the processor sees fit.
struct SumsOfRuns<'a, E> {
    x: &'a [E],
    len: usize,
    sums: &'a mut [E],
}

impl<E: Number> NullaryFnOnce for SumsOfRuns<'_, E> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { x, len, sums } = self;
        match len {
            2 => shortest::<E, 2>(x, sums),
            3 => shortest::<E, 3>(x, sums),
            4 => shortest::<E, 4>(x, sums),
            5 => shortest::<E, 5>(x, sums),
            6 => shortest::<E, 6>(x, sums),
            7 => shortest::<E, 7>(x, sums),
            8 => shortest::<E, 8>(x, sums),
            1..=SHORT => sums.iter_mut().zip(x.chunks_exact(len)).for_each(|(sum, row)| *sum = in_turn(row)),
            _ => {
                for (index, sum) in sums.iter_mut().enumerate() {
                    *sum = SumOfRun(&x[index * len..][..len]).call();
                }
            }
        }
    }
}

/// The sums of stretches so short that a loop over each would take longer than its additions.
#[inline(always)]
fn shortest<E: Number, const LEN: usize>(x: &[E], sums: &mut [E]) {
    sums.iter_mut().zip(x.as_chunks::<LEN>().0).for_each(|(sum, row)| *sum = in_turn(row));
}

/// The sum of one element after the other, at least one.
#[inline(always)]
fn in_turn<E: Number>(x: &[E]) -> E {
    x[1..].iter().fold(x[0], |sum, &x| sum + x)
}

struct SumOfRun<'a, E>(&'a [E]);

impl<E: Number> NullaryFnOnce for SumOfRun<'_, E> {
    type Output = E;

    #[inline(always)]
    fn call(self) -> E {
        let mut sums = [E::default(); LANES];
        let runs = self.0.chunks_exact(LANES);
        let rest = runs.remainder();
        for run in runs {
            for (sum, &x) in sums.iter_mut().zip(run) {
                *sum += x;
            }
        }
        for (sum, &x) in sums.iter_mut().zip(rest) {
            *sum += x;
        }
        // The lanes beyond the elements are zero. To add them up too takes less than to ask which there are.
        halve(&mut sums, |a, b| a + b);
        sums[0]
    }
}

/// Joins the upper half of the lanes to the lower, until the first has all.
#[inline(always)]
fn halve<E: Copy, const N: usize>(lanes: &mut [E; N], join: impl Fn(E, E) -> E) {
    let mut width = N / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] = join(lanes[lane], lanes[lane + width]);
        }
        width /= 2;
    }
}

/// The sum of rows of `sums.len()` elements.
fn sum_rows<E: Number>(x: &[E], sums: &mut [E]) {
    struct Columns<'a, E>(&'a [E], &'a mut [E]);
    impl<E: Number> NullaryFnOnce for Columns<'_, E> {
        type Output = ();

        #[inline(always)]
        fn call(self) {
            let Columns(x, sums) = self;
            let inner = sums.len();
            if inner <= NARROW {
                return narrow(x, sums);
            }
            let mut partial = [E::default(); STRIP];
            for (strip, sums) in sums.chunks_mut(STRIP).enumerate() {
                let (from, partial) = (strip * STRIP, &mut partial[..sums.len()]);
                sums.fill(E::default());
                for run in x.chunks(RUN * inner) {
                    partial.fill(E::default());
                    add_rows(partial, run, inner, from);
                    sums.iter_mut().zip(&*partial).for_each(|(sum, &partial)| *sum += partial);
                }
            }
        }
    }
    vectorized(Columns(x, sums));
}

/// Adds the columns from `from` on of rows that are `inner` apart, one row after the other: of a few rows with each visit to the
/// sums, so that it is the rows that the time is taken by.
#[inline(always)]
fn add_rows<E: Number>(sums: &mut [E], rows: &[E], inner: usize, from: usize) {
    let fours = rows.chunks_exact(4 * inner);
    let rest = fours.remainder();
    for four in fours {
        let [a, b, c, d] = [0, 1, 2, 3].map(|row| &four[row * inner + from..][..sums.len()]);
        for ((((sum, &a), &b), &c), &d) in sums.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *sum = *sum + a + b + c + d;
        }
    }
    for row in rest.chunks_exact(inner) {
        sums.iter_mut().zip(&row[from..]).for_each(|(sum, &x)| *sum += x);
    }
}

/// The sum of rows of at most [`NARROW`] elements, in the order in which wider ones are added up. A row is read together
/// with what follows it, or with zeros, whose sums are not used: so the sums stay in registers.
#[inline(always)]
fn narrow<E: Number>(x: &[E], sums: &mut [E]) {
    let inner = sums.len();
    let mut wide = [E::default(); NARROW];
    for run in x.chunks(RUN * inner) {
        let mut partial = [E::default(); NARROW];
        let mut from = 0;
        while let Some(row) = run[from..].first_chunk::<NARROW>() {
            add(&mut partial, row);
            from += inner;
        }
        let rest = &run[from..];
        let mut last = [E::default(); 2 * NARROW];
        last[..rest.len()].copy_from_slice(rest);
        for row in 0..rest.len() / inner {
            if let Some(row) = last[row * inner..].first_chunk() {
                add(&mut partial, row);
            }
        }
        add(&mut wide, &partial);
    }
    sums.copy_from_slice(&wide[..inner]);
}

#[inline(always)]
fn add<E: Number>(sums: &mut [E; NARROW], values: &[E; NARROW]) {
    sums.iter_mut().zip(values).for_each(|(sum, &value)| *sum += value);
}

/// Folds with a function that does not care for order or repetition, such as a maximum; nothing folds to `start`.
pub fn fold<E, F>(f: &F, start: E, x: &[E], axis: Axis, out: &mut [E])
where
    E: Copy + Send + Sync,
    F: Function<(E, E), Out = E>,
{
    let Axis { len, inner, .. } = axis;
    assert_eq!(x.len(), axis.outer * len * inner, "the elements to be folded");
    assert_eq!(out.len(), axis.outer * inner, "the results of a fold");
    if out.is_empty() {
        return;
    }
    let together = (CHUNK / (len * inner).max(1)).max(1);
    parallel_chunks(out, together * inner, |chunk, out| {
        for (index, out) in out.chunks_exact_mut(inner).enumerate() {
            let outer = chunk * together + index;
            let x = &x[outer * len * inner..(outer + 1) * len * inner];
            if inner == 1 {
                out[0] = vectorized(FoldOfRun(f, start, x));
                continue;
            }
            out.fill(start);
            x.chunks_exact(inner).for_each(|row| zip_in_place(f, out, row));
        }
    });
}

struct FoldOfRun<'a, E, F>(&'a F, E, &'a [E]);

impl<E: Copy, F: Function<(E, E), Out = E>> NullaryFnOnce for FoldOfRun<'_, E, F> {
    type Output = E;

    #[inline(always)]
    fn call(self) -> E {
        let FoldOfRun(f, start, x) = self;
        let mut lanes = [start; FOLD_LANES];
        let runs = x.chunks_exact(FOLD_LANES);
        let rest = runs.remainder();
        for run in runs {
            for (lane, &x) in lanes.iter_mut().zip(run) {
                *lane = f.at((*lane, x));
            }
        }
        for (lane, &x) in lanes.iter_mut().zip(rest) {
            *lane = f.at((*lane, x));
        }
        halve(&mut lanes, |a, b| f.at((a, b)));
        lanes[0]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whole numbers, so that sums are exact in any order.
    fn numbers(len: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 31 + 7) % 17) as f32 - 8.0).collect()
    }

    struct Larger;

    impl Function<(f32, f32)> for Larger {
        type Out = f32;
        #[inline(always)]
        fn at(&self, (a, b): (f32, f32)) -> f32 {
            if a > b { a } else { b }
        }
    }

    proptest! {
        #[test]
        fn sums_and_folds_are_the_plain_ones(
            outer in 1_usize..4,
            len in prop_oneof![1_usize..20, RUN - 2..RUN + 9, 3 * RUN..4 * RUN],
            inner in prop_oneof![1_usize..40, STRIP - 1..STRIP + 9],
        ) {
            let axis = Axis { outer, len, inner };
            let x = numbers(outer * len * inner);
            let column = |index: usize| (0..len).map(move |row| (index / inner * len + row) * inner + index % inner);
            let mut blocks = vec![f32::NAN; outer * axis.blocks() * inner];
            sum_blocks(&x, axis, &mut blocks);
            let mut folded = vec![f32::NAN; outer * inner];
            fold(&Larger, f32::NEG_INFINITY, &x, axis, &mut folded);
            for (index, &folded) in folded.iter().enumerate() {
                let parts = (0..axis.blocks()).map(|b| blocks[(index / inner * axis.blocks() + b) * inner + index % inner]);
                prop_assert_eq!(parts.sum::<f32>(), column(index).map(|at| x[at]).sum::<f32>());
                prop_assert_eq!(folded, column(index).map(|at| x[at]).fold(f32::NEG_INFINITY, f32::max));
            }
        }
    }
}
