//! Packing: the operands of a panel, copied to where its tiles find them in order.

#![allow(unsafe_code)]

use pulp::Arch;

use super::lanes::Lanes;
use super::panel::BLOCK;

/// Packs rows of `A` for [`Rows::Blocked`](super::panel::Rows::Blocked): block after block of the sum, in each row after
/// row.
///
/// # Safety
/// `a` must be readable for `rows` by `depth` elements with these strides, `packed` writable for `rows` times `depth`
/// rounded up to blocks.
pub(super) unsafe fn pack_rows<E: Lanes>(
    arch: Arch,
    a: *const E,
    strides: [usize; 2],
    rows: usize,
    depth: usize,
    packed: *mut E,
) {
    arch.dispatch(
        #[inline(always)]
        || {
            for row in 0..rows {
                for start in (0..depth).step_by(BLOCK) {
                    let from = a.wrapping_add(row * strides[0] + start * strides[1]);
                    let to = packed.wrapping_add(start * rows + row * BLOCK);
                    let len = BLOCK.min(depth - start);
                    // SAFETY: the caller's promise.
                    unsafe {
                        if strides[1] == 1 {
                            copy(from, to, len);
                        } else {
                            (0..len).for_each(|i| *to.add(i) = *from.add(i * strides[1]));
                        }
                    }
                }
            }
        },
    );
}

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
    if tail != 0 {
        // SAFETY: the caller's promise: this is the last strip.
        unsafe { packed.add((columns - tail) * depth).write_bytes(0, depth * strip) };
    }
    arch.dispatch(
        #[inline(always)]
        || {
            if strides[1] == 1 {
                for step in 0..depth {
                    for start in (0..columns).step_by(strip) {
                        let from = b.wrapping_add(step * strides[0] + start);
                        let to = packed.wrapping_add(start * depth + step * strip);
                        // SAFETY: the caller's promise.
                        unsafe { copy(from, to, strip.min(columns - start)) };
                    }
                }
                return;
            }
            for column in 0..columns {
                let to = packed.wrapping_add(column / strip * strip * depth + column % strip);
                for step in 0..depth {
                    // SAFETY: the caller's promise.
                    unsafe { *to.add(step * strip) = *b.add(step * strides[0] + column * strides[1]) };
                }
            }
        },
    );
}

/// Copies `len` elements, in pieces of known size as far as possible: a call of `memcpy` would take longer.
///
/// # Safety
/// `from` must be readable and `to` writable for `len` elements, and they must not overlap.
#[inline(always)]
unsafe fn copy<E: Lanes>(from: *const E, to: *mut E, len: usize) {
    let whole = len - len % BLOCK;
    for start in (0..whole).step_by(BLOCK) {
        // SAFETY: the caller's promise.
        unsafe { to.add(start).copy_from_nonoverlapping(from.add(start), BLOCK) };
    }
    for i in whole..len {
        // SAFETY: the caller's promise.
        unsafe { *to.add(i) = *from.add(i) };
    }
}
