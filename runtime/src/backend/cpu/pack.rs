//! Packing: the operands of a panel, copied to where its tiles find them in order.

#![allow(unsafe_code)]

use pulp::{Arch, Simd, WithSimd};

use super::lanes::{FirstLanes, Lanes};
use super::panel::{BLOCK, Cut, REGISTERS, highest};
use super::transpose::transpose_at;

/// The elements from one packed strip to the next: room for a step more than it has. Were strips a power of two apart, the
/// same few lines of the cache would have to do for all of them.
pub(super) fn strip_len(strip: usize, depth: usize) -> usize {
    strip * (depth + 1)
}

/// Packs columns of `B` in strips, each with zeros to its right where it is not full.
///
/// # Safety
/// `b` must be readable for `depth` by `columns` elements with these strides, `packed` writable for [`strip_len`] elements
/// a strip, and for `depth` rows of the last.
pub(super) unsafe fn pack_strips<E: Lanes>(
    arch: Arch,
    b: *const E,
    strides: [usize; 2],
    depth: usize,
    columns: usize,
    strip: usize,
    packed: *mut E,
) {
    if !columns.is_multiple_of(strip) && strides[1] != 1 {
        // SAFETY: the caller's promise: this is the last strip.
        unsafe { packed.add(columns / strip * strip_len(strip, depth)).write_bytes(0, depth * strip) };
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
        let (apart, whole) = (strip_len(strip, depth), columns / strip);
        let full = whole * strip;
        if column_stride == 1 {
            let tail: [_; REGISTERS] = std::array::from_fn(|i| {
                E::first_lanes(simd, (columns - full).saturating_sub(i * E::lanes::<S>()))
            });
            for row in 0..depth {
                let (from, to) = (b.wrapping_add(row * step), packed.wrapping_add(row * strip));
                for index in 0..whole {
                    let (from, to) = (from.wrapping_add(index * strip), to.wrapping_add(index * apart));
                    // SAFETY: the promise of `pack_strips`, the only way here.
                    unsafe { copy_strip::<S, E>(from, to, strip) };
                }
                if full < columns {
                    let (from, to) = (from.wrapping_add(full), to.wrapping_add(whole * apart));
                    // SAFETY: as above.
                    unsafe { copy_tail(simd, from, to, tail, strip, columns - full) };
                }
            }
        } else {
            for (index, start) in (0..columns).step_by(strip).enumerate() {
                let (from, to) = (b.wrapping_add(start * column_stride), packed.wrapping_add(index * apart));
                let columns = strip.min(columns - start);
                if step == 1 {
                    // SAFETY: as above.
                    unsafe { transpose_at(from, column_stride, [columns, depth], to, strip) };
                    continue;
                }
                for column in 0..columns {
                    let from = from.wrapping_add(column * column_stride);
                    // SAFETY: as above.
                    unsafe { copy(from, step, to.wrapping_add(column), strip, depth) };
                }
            }
        }
    }
}

/// The steps for which there is room after each tile: because of the cache, as for [`strip_len`], and because whole registers
/// are written.
const SPARE: usize = 2;

/// The elements that a row of packed tiles takes up.
pub(super) fn tile_row(depth: usize) -> usize {
    depth + SPARE
}

/// The elements of `rows` packed in tiles, and a register that may be written beyond them.
pub(super) fn tiles_len(rows: usize, depth: usize) -> usize {
    rows * tile_row(depth) + BLOCK
}

/// Packs rows of `A` as the tiles of a panel read them: [`Rows::Tiled`](super::panel::Rows::Tiled) with [`tile_row`].
///
/// # Safety
/// `a` must be readable for `rows` by `depth` elements with these strides, `packed` writable for [`tiles_len`] elements.
pub(super) unsafe fn pack_tiles<E: Lanes>(
    arch: Arch,
    a: *const E,
    strides: [usize; 2],
    rows: usize,
    depth: usize,
    packed: *mut E,
) {
    arch.dispatch(PackTiles { a, strides, rows, depth, packed });
}

struct PackTiles<E> {
    a: *const E,
    strides: [usize; 2],
    rows: usize,
    depth: usize,
    packed: *mut E,
}

impl<E: Lanes> WithSimd for PackTiles<E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { a, strides: [row_stride, step_stride], rows, depth, packed } = self;
        let (cut, lanes) = (Cut::new::<S, E>(rows), E::lanes::<S>());
        if row_stride == 1 {
            let mut first = 0;
            for (tiles, height) in cut.groups() {
                debug_assert!(
                    cut.tiles() == 1 || (1 + SPARE) * height >= lanes,
                    "room for what is written beyond"
                );
                // Where the last of a tile's registers begins, and no loop where the compiler sees that there is one only.
                let last =
                    if highest::<S, E>() <= lanes { 0 } else { height.saturating_sub(1) / lanes * lanes };
                let some = E::first_lanes(simd, height - last);
                for step in 0..depth {
                    let mut from = a.wrapping_add(step * step_stride + first);
                    let mut to = packed.wrapping_add(first * tile_row(depth) + step * height);
                    for _ in 0..tiles {
                        for start in (0..last).step_by(lanes) {
                            // SAFETY: the promise of `pack_tiles`, the only way here.
                            unsafe { E::store::<S>(to.add(start), E::load::<S>(from.add(start))) };
                        }
                        // SAFETY: as above. What is written beyond the step is the next one's place, which is written
                        // afterwards, or the spare one between two tiles, or lies beyond the last.
                        unsafe { E::store::<S>(to.add(last), E::load_some(simd, some, from.add(last))) };
                        from = from.wrapping_add(height);
                        to = to.wrapping_add(height * tile_row(depth));
                    }
                }
                first += tiles * height;
            }
            return;
        }
        let mut row = 0;
        for height in cut.heights() {
            for i in 0..height {
                let from = a.wrapping_add((row + i) * row_stride);
                let to = packed.wrapping_add(row * tile_row(depth) + i);
                // SAFETY: as above.
                unsafe { copy(from, step_stride, to, height, depth) };
            }
            row += height;
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
