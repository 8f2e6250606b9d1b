//! Buffers for packing, grown once and kept.

#![allow(unsafe_code)]

use std::cell::Cell;

use super::lanes::Lanes;
use super::panel::Tap;

/// A cache line: what the buffers are aligned to, so that threads never write to the same one.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line(#[expect(dead_code, reason = "read and written through pointers to elements")] [u8; 64]);

thread_local! {
    static LINES: Cell<Vec<Line>> = const { Cell::new(Vec::new()) };
    static TAPS: Cell<Vec<Tap>> = const { Cell::new(Vec::new()) };
}

/// Rounds a number of elements up to whole cache lines.
pub(super) fn padded<E>(len: usize) -> usize {
    len.next_multiple_of(size_of::<Line>() / size_of::<E>())
}

/// Calls `f` with a buffer of `len` elements of unknown value. The calling thread keeps the buffer, so that
/// the next call allocates only if it wants more; a nested call gets a buffer of its own.
pub(super) fn with_scratch<E: Lanes, R>(len: usize, f: impl FnOnce(&mut [E]) -> R) -> R {
    let mut lines = LINES.take();
    let wanted = (len * size_of::<E>()).div_ceil(size_of::<Line>());
    if lines.len() < wanted {
        lines.resize(wanted, Line([0; 64]));
    }
    // SAFETY: the lines are initialised, long enough and aligned for any float, and any bits are a float
    // (`Lanes` is implemented for `f32` and `f64` only). `lines` is not touched while the slice lives.
    let result = f(unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), len) });
    LINES.set(lines);
    result
}

/// Calls `f` with an empty list of taps, kept like [`with_scratch`]'s buffer.
pub(super) fn with_taps<R>(f: impl FnOnce(&mut Vec<Tap>) -> R) -> R {
    let mut taps = TAPS.take();
    taps.clear();
    let result = f(&mut taps);
    TAPS.set(taps);
    result
}
