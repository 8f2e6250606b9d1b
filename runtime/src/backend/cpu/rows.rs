//! The sum of the rows of a matrix: the gradient of a bias.

#![allow(unsafe_code)]

use pulp::{Arch, Simd, WithSimd};

use super::lanes::Lanes;

/// `sums = the sum of the rows`, which are as long as `sums` and follow each other, or `sums += …`.
pub(super) fn sum_rows<E: Lanes>(arch: Arch, rows: &[E], accumulate: bool, sums: &mut [E]) {
    if sums.is_empty() {
        return;
    }
    if !accumulate {
        sums.fill(E::default());
    }
    arch.dispatch(SumRows { rows, sums });
}

struct SumRows<'a, E> {
    rows: &'a [E],
    sums: &'a mut [E],
}

impl<E: Lanes> WithSimd for SumRows<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (len, lanes) = (self.sums.len(), E::lanes::<S>());
        let mut column = 0;
        while column + lanes <= len {
            if column + 2 * lanes <= len {
                sum_columns::<S, E, 2>(simd, self.rows, column, self.sums);
                column += 2 * lanes;
            } else {
                sum_columns::<S, E, 1>(simd, self.rows, column, self.sums);
                column += lanes;
            }
        }
        for row in self.rows.chunks_exact(len) {
            self.sums[column..].iter_mut().zip(&row[column..]).for_each(|(sum, &value)| *sum += value);
        }
    }
}

/// Adds the columns of `N` registers, four rows at a time so that one addition need not wait for another.
#[inline(always)]
fn sum_columns<S: Simd, E: Lanes, const N: usize>(simd: S, rows: &[E], column: usize, sums: &mut [E]) {
    const TOGETHER: usize = 4;
    let (len, lanes) = (sums.len(), E::lanes::<S>());
    let load = |row: &[E], i: usize| {
        let values = &row[column + i * lanes..][..lanes];
        // SAFETY: the slice is as long as a register.
        unsafe { E::load::<S>(values.as_ptr()) }
    };
    let mut parts = [[E::splat(simd, E::default()); N]; TOGETHER];
    let mut groups = rows.chunks_exact(TOGETHER * len);
    for group in &mut groups {
        for (part, row) in parts.iter_mut().zip(group.chunks_exact(len)) {
            for (i, part) in part.iter_mut().enumerate() {
                *part = E::add_lanes(simd, *part, load(row, i));
            }
        }
    }
    for row in groups.remainder().chunks_exact(len) {
        for (i, part) in parts[0].iter_mut().enumerate() {
            *part = E::add_lanes(simd, *part, load(row, i));
        }
    }
    for i in 0..N {
        let [a, b, c, d] = parts.map(|part| part[i]);
        let sum = E::add_lanes(simd, E::add_lanes(simd, a, b), E::add_lanes(simd, c, d));
        let sum = E::add_lanes(simd, load(sums, i), sum);
        // SAFETY: `load` has just read as many elements here.
        unsafe { E::store::<S>(sums[column + i * lanes..].as_mut_ptr(), sum) };
    }
}
