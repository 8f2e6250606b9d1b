//! Loops over the rows of tensors, a row being the elements along the last axis.

use crate::backend::map::vectorized;
use crate::backend::parallel_zipped;
use crate::shape::{Shape, SplitLast};
use crate::tensor::{Float, Tensor, shape_of};
use pulp::NullaryFnOnce;

/// Elements of the longest slice that one thread takes at a time.
const BLOCK: usize = 1 << 14;

/// Something done to the same row of several arrays: `R` are read and `W` are written.
pub(super) trait Row<E, const R: usize, const W: usize>: Sync {
    /// Works on row `index`. It is written with `#[inline(always)]`: it is compiled once for each instruction set.
    fn row(&self, index: usize, read: [&[E]; R], written: [&mut [E]; W]);

    /// Works on `count` rows from `first` on, at least one, that follow each other.
    #[inline(always)]
    fn rows(&self, first: usize, count: usize, read: [&[E]; R], written: [&mut [E]; W]) {
        let read = read.map(|rows| (rows.len() / count, rows));
        let mut written = written.map(|rows| (rows.len() / count, rows));
        for row in 0..count {
            let read = read.map(|(width, rows)| &rows[row * width..][..width]);
            let written = written.each_mut().map(|(width, rows)| &mut rows[row * *width..][..*width]);
            self.row(first + row, read, written);
        }
    }
}

/// Calls `f` for each of `count` rows. Every array is cut into so many rows, so that their lengths may differ: an
/// array of one number for each row has rows of length one.
pub(super) fn for_each<E: Float, const R: usize, const W: usize>(
    count: usize,
    f: &impl Row<E, R, W>,
    read: [&[E]; R],
    written: [&mut [E]; W],
) {
    if count == 0 {
        return;
    }
    let longest = read.iter().map(|array| array.len()).chain(written.iter().map(|array| array.len())).max();
    let block = (BLOCK * count / longest.unwrap_or(1).max(1)).clamp(1, count);
    let written = written.map(|array| {
        let width = array.len() / count;
        (array, width * block)
    });
    parallel_zipped::<E, E, W, 0>(count.div_ceil(block), written, [], |index, written, []| {
        let first = index * block;
        let rows = block.min(count - first);
        let read = read.map(|array| {
            let width = array.len() / count;
            &array[first * width..][..rows * width]
        });
        vectorized(Block { f, first, rows, read, written });
    });
}

/// Rows that one thread works on.
struct Block<'a, F, E, const R: usize, const W: usize> {
    f: &'a F,
    first: usize,
    rows: usize,
    read: [&'a [E]; R],
    written: [&'a mut [E]; W],
}

impl<F: Row<E, R, W>, E: Float, const R: usize, const W: usize> NullaryFnOnce for Block<'_, F, E, R, W> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Block { f, first, rows, read, written } = self;
        f.rows(first, rows, read, written);
    }
}

/// The shape without its last dimension.
pub(super) fn front<S: SplitLast>(shape: S) -> S::Front {
    shape_of(&shape.sizes().as_ref()[..S::RANK - 1])
}

/// One number for each row of two tensors.
pub(super) fn reduce<S: SplitLast, E: Float>(
    f: &impl Row<E, 2, 1>,
    a: &Tensor<S, E>,
    b: &Tensor<S, E>,
) -> Tensor<S::Front, E> {
    let front = front(a.shape());
    Tensor::written(front, |out| for_each(front.elements(), f, [a.as_slice(), b.as_slice()], [out]))
}

/// Multiplies each row by its number.
pub(super) fn scale<S: SplitLast, E: Float>(
    mut rows: Tensor<S, E>,
    numbers: &Tensor<S::Front, E>,
) -> Tensor<S, E> {
    struct Scale;
    impl<E: Float> Row<E, 1, 1> for Scale {
        #[inline(always)]
        fn row(&self, _: usize, [number]: [&[E]; 1], [row]: [&mut [E]; 1]) {
            row.iter_mut().for_each(|x| *x *= number[0]);
        }
    }
    let numbers = numbers.as_slice();
    for_each(numbers.len(), &Scale, [numbers], [rows.as_mut_slice()]);
    rows
}

/// `Σ f(a, b)` over two rows, in 16 sums that become one, so that it can be computed with vectors.
#[inline(always)]
pub(super) fn sum<E: Float>(a: &[E], b: &[E], f: impl Fn(E, E) -> E) -> E {
    let ((a_lanes, a_rest), (b_lanes, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    let mut sums = [E::ZERO; 16];
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..16 {
            sums[lane] += f(a[lane], b[lane]);
        }
    }
    // A short row is one vector too: its end is padded, and what the padding gives is left out.
    let (mut a_end, mut b_end, rest) = ([E::ZERO; 16], [E::ZERO; 16], a_rest.len());
    a_end[..rest].copy_from_slice(a_rest);
    b_end[..rest].copy_from_slice(&b_rest[..rest]);
    for lane in 0..16 {
        let value = f(a_end[lane], b_end[lane]);
        sums[lane] += if lane < rest { value } else { E::ZERO };
    }
    sums.into_iter().fold(E::ZERO, |total, sum| total + sum)
}

/// The largest element; NaN if there is one.
#[inline(always)]
pub(super) fn max<E: Float>(row: &[E]) -> E {
    let (lanes, rest) = row.as_chunks::<16>();
    let larger = |max: E, x: E| if x > max || x.is_nan() { x } else { max };
    let mut maxima = [E::NEG_INFINITY; 16];
    for x in lanes {
        for lane in 0..16 {
            maxima[lane] = larger(maxima[lane], x[lane]);
        }
    }
    let max = maxima.into_iter().fold(E::NEG_INFINITY, larger);
    rest.iter().copied().fold(max, larger)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{set_threads, threads};

    /// Adds the row to one of the same width and its sum, times its index, to a number.
    struct Add;
    impl Row<f32, 1, 2> for Add {
        fn row(&self, index: usize, [x]: [&[f32]; 1], [y, number]: [&mut [f32]; 2]) {
            y.iter_mut().zip(x).for_each(|(y, x)| *y += x);
            number[0] += x.iter().sum::<f32>() * index as f32;
        }
    }

    #[test]
    fn every_row_is_worked_on_once_by_any_number_of_threads() {
        let (count, width) = (3 * BLOCK / 5, 5);
        let x: Vec<f32> = (0..count * width).map(|i| (i % 17) as f32 - 8.0).collect();
        let before = threads();
        for threads in [1, 3] {
            set_threads(threads);
            let (mut y, mut numbers) = (vec![1.0; x.len()], vec![0.0; count]);
            for_each(count, &Add, [&x], [&mut y, &mut numbers]);
            assert!(y.iter().zip(&x).all(|(y, x)| *y == 1.0 + x));
            let expected = x.chunks(width).enumerate().map(|(i, row)| row.iter().sum::<f32>() * i as f32);
            assert!(expected.eq(numbers.iter().copied()));
        }
        set_threads(before);
    }
}
