//! The same elements at every place along an axis: what sums along an axis are the pullback of.

use super::map::{CHUNK, rows, vectorized};
use super::reduce::Axis;
use pulp::NullaryFnOnce;

/// Elements that are written at once, where so many are not needed.
const WINDOW: usize = 16;

/// Writes `x`, of `[outer, inner]` elements, to `out`, of `[outer, len, inner]`.
pub fn stretch<E: Copy + Send + Sync>(x: &[E], axis: Axis, out: &mut [E]) {
    let Axis { outer, len, inner } = axis;
    assert!(x.len() == outer * inner && out.len() == outer * len * inner, "the elements to be stretched");
    if out.len() <= CHUNK {
        return vectorized(Stretch { x, axis, out });
    }
    match inner {
        1 => rows(out, len, |row, out| out.fill(x[row])),
        _ => rows(out, inner, |row, out| out.copy_from_slice(&x[row / len * inner..][..inner])),
    }
}

/// A loop for what is so little that a call for each row would take most of the time.
struct Stretch<'a, E> {
    x: &'a [E],
    axis: Axis,
    out: &'a mut [E],
}

impl<E: Copy> NullaryFnOnce for Stretch<'_, E> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Stretch { x, axis: Axis { len, inner, .. }, out } = self;
        if out.is_empty() {
            return;
        }
        if inner > 1 {
            for (x, out) in x.chunks_exact(inner).zip(out.chunks_exact_mut(len * inner)) {
                out.chunks_exact_mut(inner).for_each(|out| out.copy_from_slice(x));
            }
            return;
        }
        let mut from = 0;
        for &x in x {
            match out[from..].first_chunk_mut::<WINDOW>() {
                // What is written too much is written again.
                Some(out) if len <= WINDOW => *out = [x; WINDOW],
                _ => out[from..][..len].fill(x),
            }
            from += len;
        }
    }
}
