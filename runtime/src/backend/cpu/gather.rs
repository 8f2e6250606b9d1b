//! Rows of a table by their numbers, and back.

use super::map::{CHUNK, rows, vectorized};
use super::threads::{parallel_chunks, threads};
use crate::tensor::Float;
use pulp::NullaryFnOnce;

/// Row `i` of `out` is row `place(i)` of a table whose rows have `len` elements, or `missing` where there is none.
pub fn gather<E: Copy + Send + Sync>(
    table: &[E],
    len: usize,
    place: impl Fn(usize) -> Option<usize> + Sync,
    missing: E,
    out: &mut [E],
) {
    rows(out, len, |row, out| match place(row) {
        Some(place) => out.copy_from_slice(&table[place * len..][..len]),
        None => out.fill(missing),
    });
}

/// Row `r` of `table` is the sum of the rows `i` of `x` for which `place(i)` is `r`, in their order.
pub fn scatter_add<E: Float>(
    x: &[E],
    len: usize,
    place: impl Fn(usize) -> Option<usize> + Sync,
    table: &mut [E],
) {
    if len == 0 || table.is_empty() {
        return;
    }
    // Each task adds to some rows of the table, so that every sum is made in the same order by any number of threads.
    let tasks = if x.len() + table.len() < CHUNK { 1 } else { threads() };
    let together = (table.len() / len).div_ceil(tasks);
    parallel_chunks(table, together * len, |chunk, table| {
        vectorized(Add { x, len, place: &place, first: chunk * together, table });
    });
}

struct Add<'a, E, P> {
    x: &'a [E],
    len: usize,
    place: &'a P,
    /// The number of the first row of `table`, which is a part of the whole one.
    first: usize,
    table: &'a mut [E],
}

impl<E: Float, P: Fn(usize) -> Option<usize>> NullaryFnOnce for Add<'_, E, P> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Add { x, len, place, first, table } = self;
        table.fill(E::ZERO);
        for (index, x) in x.chunks_exact(len).enumerate() {
            let row = place(index).and_then(|place| place.checked_sub(first));
            if let Some(row) = row.and_then(|row| table.chunks_exact_mut(len).nth(row)) {
                row.iter_mut().zip(x).for_each(|(sum, &x)| *sum += x);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_change_nothing() {
        let (rows, len, many) = (97, 33, 1200);
        let place = |index: usize| (!index.is_multiple_of(5)).then(|| index * 31 % rows);
        let x: Vec<f32> = (0..many * len).map(|i| (i % 1013) as f32 * 0.37).collect();
        let mut plain = vec![0.0; rows * len];
        for index in 0..many {
            if let Some(place) = place(index) {
                (0..len).for_each(|i| plain[place * len + i] += x[index * len + i]);
            }
        }
        for threads in 1..4 {
            super::super::threads::set_threads(threads);
            let mut table = vec![f32::NAN; rows * len];
            scatter_add(&x, len, place, &mut table);
            assert_eq!(table, plain);
        }
    }
}
