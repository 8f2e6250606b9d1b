//! Packing: the operands of a panel, copied to where its tiles find them in order.

#![allow(unsafe_code)]

use pulp::{Arch, Simd, WithSimd};

use super::lanes::{FirstLanes, Lanes};
use super::panel::{BLOCK, REGISTERS};

/// Packs columns of `B` in strips, each with zeros to its right where it is not full.
///
/// # Safety
/// `b` must be readable for `depth` by `columns` elements with these strides, `packed` writable for `depth` times
/// `columns` rounded up to strips.
pub(super) unsafe fn pack_strips<E: Lanes>(
    arch: Arch,
    b: *const E,
    strides: [usize; 2],
    depth: usize,
    columns: usize,
    strip: usize,
    packed: *mut E,
) {
    let tail = columns % strip;
    if tail != 0 && strides[1] != 1 {
        // SAFETY: the caller's promise: this is the last strip.
        unsafe { packed.add((columns - tail) * depth).write_bytes(0, depth * strip) };
    }
    arch.dispatch(PackStrips { b, strides, depth, columns, strip, packed });
}

struct PackStrips<E> {
    b: *const E,
    strides: [usize; 2],
    depth: usize,
    columns: usize,
    strip: usize,
    packed: *mut E,
}

impl<E: Lanes> WithSimd for PackStrips<E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { b, strides: [step, column_stride], depth, columns, strip, packed } = self;
        let full = columns - columns % strip;
        if column_stride == 1 {
            let tail: [_; REGISTERS] = std::array::from_fn(|i| {
                E::first_lanes(simd, (columns - full).saturating_sub(i * E::lanes::<S>()))
            });
            for row in 0..depth {
                let (from, to) = (b.wrapping_add(row * step), packed.wrapping_add(row * strip));
                for start in (0..full).step_by(strip) {
                    // SAFETY: the promise of `pack_strips`, the only way here.
                    unsafe {
                        copy_strip::<S, E>(from.wrapping_add(start), to.wrapping_add(start * depth), strip)
                    };
                }
                if full < columns {
                    let (from, to) = (from.wrapping_add(full), to.wrapping_add(full * depth));
                    // SAFETY: as above.
                    unsafe { copy_tail(simd, from, to, tail, strip, columns - full) };
                }
            }
        } else {
            for start in (0..columns).step_by(strip) {
                let (from, to) = (b.wrapping_add(start * column_stride), packed.wrapping_add(start * depth));
                let columns = strip.min(columns - start);
                for column in (0..columns).step_by(SQUARE) {
                    let from = from.wrapping_add(column * column_stride);
                    let count = SQUARE.min(columns - column);
                    // SAFETY: as above; of a strip's columns the last are fewer than a square's, and counted.
                    unsafe {
                        transpose(
                            from,
                            [step, column_stride],
                            to.wrapping_add(column),
                            strip,
                            [depth, count],
                        );
                    }
                }
            }
        }
    }
}

/// Copies the row of a strip, in as many registers as a panel's strip is wide.
///
/// # Safety
/// `from` must be readable and `to` writable for a strip, and they must not overlap.
#[inline(always)]
unsafe fn copy_strip<S: Simd, E: Lanes>(from: *const E, to: *mut E, strip: usize) {
    if strip != REGISTERS * E::lanes::<S>() {
        // SAFETY: the caller's promise.
        return unsafe { copy(from, 1, to, 1, strip) };
    }
    for i in 0..REGISTERS {
        let at = i * E::lanes::<S>();
        // SAFETY: the caller's promise.
        unsafe { E::store::<S>(to.add(at), E::load::<S>(from.add(at))) };
    }
}

/// Copies the columns of the row of a strip that is not full, `lanes` of its registers, and writes zeros after them.
///
/// # Safety
/// `from` must be readable for the columns and `to` writable for a strip, and they must not overlap.
#[inline(always)]
unsafe fn copy_tail<S: Simd, E: Lanes>(
    simd: S,
    from: *const E,
    to: *mut E,
    lanes: [FirstLanes<E::Mask<S>>; REGISTERS],
    strip: usize,
    columns: usize,
) {
    if strip != REGISTERS * E::lanes::<S>() {
        // SAFETY: the caller's promise.
        return unsafe {
            copy(from, 1, to, 1, columns);
            to.add(columns).write_bytes(0, strip - columns);
        };
    }
    for (i, lanes) in lanes.into_iter().enumerate() {
        let at = i * E::lanes::<S>();
        // SAFETY: the caller's promise.
        unsafe { E::store::<S>(to.wrapping_add(at), E::load_some(simd, lanes, from.wrapping_add(at))) };
    }
}

/// The side of the squares that are transposed in registers.
const SQUARE: usize = 4;

/// Copies `steps` by `columns` elements, a square at a time: what lies side by side along a column is written side by side
/// along a row. Where there is no whole square, or elements of a column are apart, one by one.
///
/// # Safety
/// `from` must be readable with these strides and `to` writable in rows that are `row` apart; they must not overlap.
#[inline(always)]
unsafe fn transpose<E: Lanes>(
    from: *const E,
    [step, column_stride]: [usize; 2],
    to: *mut E,
    row: usize,
    [steps, columns]: [usize; 2],
) {
    if columns == SQUARE && step == 1 && steps >= SQUARE {
        for done in (0..steps).step_by(SQUARE) {
            // The last square may write some rows again.
            let at = done.min(steps - SQUARE);
            let square: [[E; SQUARE]; SQUARE] = std::array::from_fn(|column| {
                let from = from.wrapping_add(column * column_stride + at);
                // SAFETY: the caller's promise.
                unsafe { from.cast::<[E; SQUARE]>().read() }
            });
            for i in 0..SQUARE {
                let to = to.wrapping_add((at + i) * row).cast::<[E; SQUARE]>();
                // SAFETY: the caller's promise.
                unsafe { to.write(square.map(|column| column[i])) };
            }
        }
        return;
    }
    for column in 0..columns {
        // SAFETY: the caller's promise.
        unsafe { copy(from.wrapping_add(column * column_stride), step, to.wrapping_add(column), row, steps) };
    }
}

/// Copies `len` elements with these strides; side by side, in pieces of known size as far as possible: a call of
/// `memcpy` would take longer.
///
/// # Safety
/// `from` must be readable and `to` writable for `len` elements, and they must not overlap.
#[inline(always)]
unsafe fn copy<E: Lanes>(from: *const E, from_stride: usize, to: *mut E, to_stride: usize, len: usize) {
    let mut done = 0;
    if from_stride == 1 && to_stride == 1 {
        while done + BLOCK <= len {
            // SAFETY: the caller's promise.
            unsafe { to.add(done).copy_from_nonoverlapping(from.add(done), BLOCK) };
            done += BLOCK;
        }
    }
    for i in done..len {
        // SAFETY: the caller's promise.
        unsafe { *to.add(i * to_stride) = *from.add(i * from_stride) };
    }
}
