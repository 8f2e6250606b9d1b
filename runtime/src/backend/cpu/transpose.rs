//! Squares of elements, transposed in registers.

#![allow(unsafe_code)]

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
    std::array::from_fn(|i| columns.map(|column| column[i]))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check<E: Copy + PartialEq + std::fmt::Debug>(element: impl Fn(usize) -> E) {
        let columns = std::array::from_fn(|column| std::array::from_fn(|row| element(SQUARE * row + column)));
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
