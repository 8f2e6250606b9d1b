//! Loops over the rows of a matrix with numbers of their own for each column: what batch normalisation is made of.
//!
//! The order in which a column is added up depends on the sizes only: blocks of rows, in them runs.

use super::map::{CHUNK, vectorized};
use super::threads::parallel_chunks;
use crate::tensor::Float;
use pulp::NullaryFnOnce;

/// The rows that are added up before their sum is added to that of the block.
const RUN: usize = 64;
/// The columns that are summed at a time.
const STRIP: usize = 16;

/// The rows of a block that is summed by one thread.
fn block(columns: usize) -> usize {
    (CHUNK / columns.max(1)).max(RUN)
}

/// The number of blocks of a matrix.
pub fn blocks(rows: usize, columns: usize) -> usize {
    rows.div_ceil(block(columns)).max(1)
}

/// Two terms that are summed over the rows, from an element of each of two matrices and a number of their column.
///
/// `at` is `#[inline(always)]`, so that its loops become vector instructions.
pub trait Terms<E>: Sync {
    /// The two terms.
    fn at(&self, a: E, b: E, column: E) -> (E, E);
}

/// `x` and `x²`.
pub struct Powers;

impl<E: Float> Terms<E> for Powers {
    #[inline(always)]
    fn at(&self, x: E, _: E, _: E) -> (E, E) {
        (x, x * x)
    }
}

/// `x - mean` and its square.
pub struct Deviations;

impl<E: Float> Terms<E> for Deviations {
    #[inline(always)]
    fn at(&self, x: E, _: E, mean: E) -> (E, E) {
        let deviation = x - mean;
        (deviation, deviation * deviation)
    }
}

/// A cotangent, and its product with `x - mean`.
pub struct Correlations;

impl<E: Float> Terms<E> for Correlations {
    #[inline(always)]
    fn at(&self, dy: E, x: E, mean: E) -> (E, E) {
        (dy, dy * (x - mean))
    }
}

/// The sums of two terms over the rows of two matrices, for every block: `out` is `[blocks, 2, columns]`.
pub fn sums<E: Float, F: Terms<E>>(f: &F, a: &[E], b: &[E], column: &[E], out: &mut [E]) {
    let columns = column.len();
    if columns == 0 {
        return;
    }
    let rows = a.len() / columns;
    assert!(a.len() == rows * columns && b.len() == a.len(), "rows of two matrices");
    assert_eq!(out.len(), 2 * columns * blocks(rows, columns), "two sums for each block and column");
    let block = block(columns);
    parallel_chunks(out, 2 * columns, |index, sums| {
        let (from, to) = (index * block * columns, ((index + 1) * block).min(rows) * columns);
        vectorized(Block { f, a: &a[from..to], b: &b[from..to], column, sums });
    });
}

struct Block<'a, E, F> {
    f: &'a F,
    a: &'a [E],
    b: &'a [E],
    column: &'a [E],
    sums: &'a mut [E],
}

impl<E: Float, F: Terms<E>> NullaryFnOnce for Block<'_, E, F> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Block { f, a, b, column, sums } = self;
        let columns = column.len();
        sums.fill(E::ZERO);
        let (firsts, seconds) = sums.split_at_mut(columns);
        for from in (0..columns).step_by(STRIP) {
            let width = STRIP.min(columns - from);
            let neighbours = from..from + width;
            let column: [E; STRIP] = zero_padded(&column[neighbours.clone()]);
            for (a, b) in a.chunks(RUN * columns).zip(b.chunks(RUN * columns)) {
                let (mut first, mut second) = ([E::ZERO; STRIP], [E::ZERO; STRIP]);
                for (a, b) in a.chunks_exact(columns).zip(b.chunks_exact(columns)) {
                    let (a, b): ([E; STRIP], [E; STRIP]) =
                        (zero_padded(&a[neighbours.clone()]), zero_padded(&b[neighbours.clone()]));
                    for lane in 0..STRIP {
                        let (one, other) = f.at(a[lane], b[lane], column[lane]);
                        first[lane] += one;
                        second[lane] += other;
                    }
                }
                let sums = firsts[from..].iter_mut().zip(&mut seconds[from..]);
                for (index, (sum_of_firsts, sum_of_seconds)) in sums.take(width).enumerate() {
                    *sum_of_firsts += first[index];
                    *sum_of_seconds += second[index];
                }
            }
        }
    }
}

/// Neighbouring elements of a row, with zeros where there are fewer than `N`: a loop over all of them becomes vector
/// instructions.
#[inline(always)]
pub(super) fn zero_padded<E: Float, const N: usize>(elements: &[E]) -> [E; N] {
    elements.first_chunk().copied().unwrap_or_else(|| {
        let mut padded = [E::ZERO; N];
        padded[..elements.len()].copy_from_slice(elements);
        padded
    })
}

/// Adds up the sums of the blocks: `out` is `[2, columns]`.
pub fn total<E: Float>(of_blocks: &[E], out: &mut [E]) {
    out.fill(E::ZERO);
    if out.is_empty() {
        return;
    }
    for block in of_blocks.chunks_exact(out.len()) {
        out.iter_mut().zip(block).for_each(|(sum, &term)| *sum += term);
    }
}

/// The numbers of a column that [`normalize`] and [`normalize_pullback`] read: `[4, columns]`.
fn numbers<E>(column: &[E]) -> [&[E]; 4] {
    let columns = column.len() / 4;
    [0, 1, 2, 3].map(|index| &column[index * columns..][..columns])
}

/// `y = (x - mean) mul + bias`; `column` is `mean`, `mul`, `bias` and one more, which is not read.
pub fn normalize<E: Float>(x: &[E], column: &[E], y: &mut [E]) {
    struct Rows<'a, E>(&'a [E], [&'a [E]; 4], &'a mut [E]);
    impl<E: Float> NullaryFnOnce for Rows<'_, E> {
        type Output = ();

        #[inline(always)]
        fn call(self) {
            let Rows(x, [mean, mul, bias, _], y) = self;
            let columns = mean.len();
            for (y, x) in y.chunks_exact_mut(columns).zip(x.chunks_exact(columns)) {
                for ((y, &x), ((&mean, &mul), &bias)) in
                    y.iter_mut().zip(x).zip(mean.iter().zip(mul).zip(bias))
                {
                    *y = (x - mean) * mul + bias;
                }
            }
        }
    }
    assert_eq!(x.len(), y.len(), "rows of two matrices");
    by_rows(y, column, |from, numbers, y| vectorized(Rows(&x[from..][..y.len()], numbers, y)));
}

/// As [`normalize`], where `x` is.
pub fn normalize_in_place<E: Float>(x: &mut [E], column: &[E]) {
    struct Rows<'a, E>([&'a [E]; 4], &'a mut [E]);
    impl<E: Float> NullaryFnOnce for Rows<'_, E> {
        type Output = ();

        #[inline(always)]
        fn call(self) {
            let Rows([mean, mul, bias, _], x) = self;
            for x in x.chunks_exact_mut(mean.len()) {
                for (x, ((&mean, &mul), &bias)) in x.iter_mut().zip(mean.iter().zip(mul).zip(bias)) {
                    *x = (*x - mean) * mul + bias;
                }
            }
        }
    }
    by_rows(x, column, |_, numbers, x| vectorized(Rows(numbers, x)));
}

/// `dx = mul (dy - a - (x - mean) b)`, where `dy` is; `column` is `mean`, `mul`, `a` and `b`.
pub fn normalize_pullback<E: Float>(dy: &mut [E], x: &[E], column: &[E]) {
    struct Rows<'a, E>(&'a [E], [&'a [E]; 4], &'a mut [E]);
    impl<E: Float> NullaryFnOnce for Rows<'_, E> {
        type Output = ();

        #[inline(always)]
        fn call(self) {
            let Rows(x, [mean, mul, a, b], dy) = self;
            let columns = mean.len();
            for (dy, x) in dy.chunks_exact_mut(columns).zip(x.chunks_exact(columns)) {
                let numbers = mean.iter().zip(mul).zip(a.iter().zip(b));
                for ((dy, &x), ((&mean, &mul), (&a, &b))) in dy.iter_mut().zip(x).zip(numbers) {
                    *dy = mul * (*dy - a - (x - mean) * b);
                }
            }
        }
    }
    assert_eq!(x.len(), dy.len(), "rows of two matrices");
    by_rows(dy, column, |from, numbers, dy| vectorized(Rows(&x[from..][..dy.len()], numbers, dy)));
}

/// Calls `work(offset, numbers, rows)` for parts of whole rows, on several threads where there is enough of them.
fn by_rows<E: Float>(data: &mut [E], column: &[E], work: impl Fn(usize, [&[E]; 4], &mut [E]) + Sync) {
    let (columns, numbers) = (column.len() / 4, numbers(column));
    if columns == 0 {
        return;
    }
    assert!(data.len().is_multiple_of(columns), "whole rows");
    let together = (CHUNK / columns).max(1) * columns;
    parallel_chunks(data, together, |chunk, part| work(chunk * together, numbers, part));
}
