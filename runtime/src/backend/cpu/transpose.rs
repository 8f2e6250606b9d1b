//! Transposed matrices, a square of elements at a time, which is turned in registers.

#![allow(unsafe_code)]

use std::array::from_fn;

/// The side of a square.
pub(super) const SQUARE: usize = 4;

/// The rows of a square, of which the columns are given.
#[inline(always)]
pub(super) fn square<E: Copy>(columns: [[E; SQUARE]; SQUARE]) -> [[E; SQUARE]; SQUARE] {
    #[cfg(target_arch = "x86_64")]
    if size_of::<E>() == 4 {
        // SAFETY: four elements of four bytes are as many bits as a register, whose values are all bits. No element of a tensor
        // has bytes that it leaves undefined.
        return unsafe { std::mem::transmute_copy(&of_four_bytes(std::mem::transmute_copy(&columns))) };
    }
    from_fn(|i| columns.map(|column| column[i]))
}

/// [`square`] in eight steps. The compiler does not find them, and would move sixteen elements one by one.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn of_four_bytes([a, b, c, d]: [std::arch::x86_64::__m128; SQUARE]) -> [std::arch::x86_64::__m128; SQUARE] {
    use std::arch::x86_64::{_mm_movehl_ps, _mm_movelh_ps, _mm_unpackhi_ps, _mm_unpacklo_ps};
    // SAFETY: every processor of this architecture has these instructions.
    unsafe {
        let (ab, cd) = (_mm_unpacklo_ps(a, b), _mm_unpacklo_ps(c, d));
        let (ab_end, cd_end) = (_mm_unpackhi_ps(a, b), _mm_unpackhi_ps(c, d));
        [
            _mm_movelh_ps(ab, cd),
            _mm_movehl_ps(cd, ab),
            _mm_movelh_ps(ab_end, cd_end),
            _mm_movehl_ps(cd_end, ab_end),
        ]
    }
}

/// Writes the columns of a matrix of `rows` by `columns` as rows. The matrix' own rows are `x_stride` apart, those that are
/// written `out_stride`; what lies between these stays as it is.
#[inline(always)]
pub(super) fn transpose<E: Copy>(
    x: &[E],
    x_stride: usize,
    [rows, columns]: [usize; 2],
    out: &mut [E],
    out_stride: usize,
) {
    if rows == 0 || columns == 0 {
        return;
    }
    assert!(columns <= x_stride && (rows - 1) * x_stride + columns <= x.len(), "the matrix");
    assert!(rows <= out_stride && (columns - 1) * out_stride + rows <= out.len(), "room for the columns");
    // SAFETY: measured above; a borrowed slice overlaps with none that is borrowed mutably.
    unsafe { transpose_at(x.as_ptr(), x_stride, [rows, columns], out.as_mut_ptr(), out_stride) };
}

/// [`transpose`] by pointers.
///
/// # Safety
/// `x` must be readable for such a matrix and `out` writable for its columns as rows; they must not overlap.
#[inline(always)]
pub(super) unsafe fn transpose_at<E: Copy>(
    x: *const E,
    x_stride: usize,
    [rows, columns]: [usize; 2],
    out: *mut E,
    out_stride: usize,
) {
    if rows.min(columns) < SQUARE {
        for row in 0..rows {
            for column in 0..columns {
                // SAFETY: the caller's promise.
                unsafe { *out.add(column * out_stride + row) = *x.add(row * x_stride + column) };
            }
        }
        return;
    }
    for row in (0..rows).step_by(SQUARE) {
        for column in (0..columns).step_by(SQUARE) {
            // The last squares may write some elements again.
            let (row, column) = (row.min(rows - SQUARE), column.min(columns - SQUARE));
            let lines = from_fn(|i| {
                let from = x.wrapping_add((row + i) * x_stride + column);
                // SAFETY: the caller's promise.
                unsafe { from.cast::<[E; SQUARE]>().read() }
            });
            for (i, elements) in square(lines).into_iter().enumerate() {
                let to = out.wrapping_add((column + i) * out_stride + row);
                // SAFETY: the caller's promise.
                unsafe { to.cast::<[E; SQUARE]>().write(elements) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn columns_are_written_as_rows(
            rows in 0_usize..20,
            columns in 0_usize..20,
            gaps in prop::array::uniform2(0_usize..3),
        ) {
            let (x_stride, out_stride) = (columns + gaps[0], rows + gaps[1]);
            let x: Vec<u32> = (0..(rows * x_stride) as u32).collect();
            let mut out = vec![u32::MAX; columns * out_stride];
            transpose(&x, x_stride, [rows, columns], &mut out, out_stride);
            for (column, to) in out.chunks(out_stride.max(1)).enumerate() {
                let expected = (0..rows).map(|row| x[row * x_stride + column]);
                prop_assert!(to.iter().copied().eq(expected.chain([u32::MAX].repeat(gaps[1]))));
            }
        }
    }

    fn check<E: Copy + PartialEq + std::fmt::Debug>(element: impl Fn(usize) -> E) {
        let columns = from_fn(|column| from_fn(|row| element(SQUARE * row + column)));
        let rows: [[E; SQUARE]; SQUARE] = square(columns);
        assert_eq!(rows.as_flattened(), (0..SQUARE * SQUARE).map(element).collect::<Vec<_>>());
    }

    #[test]
    fn rows_are_read_across_columns() {
        check(|i| i as u8);
        check(|i| i as u32);
        check(|i| i as f32);
        check(|i| i as f64);
        check(|i| [i; 3]);
    }

    #[test]
    fn bits_stay_as_they_are() {
        check(|i| 0x7f80_0001 + i as u32);
    }
}
