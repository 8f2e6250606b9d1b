//! The same elements at every place along an axis: what sums along an axis are the pullback of.

use super::map::{CHUNK, rows, vectorized};
use super::reduce::Axis;
use pulp::NullaryFnOnce;

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
        match len {
            2 => shortest::<E, 2>(x, out),
            3 => shortest::<E, 3>(x, out),
            4 => shortest::<E, 4>(x, out),
            5 => shortest::<E, 5>(x, out),
            6 => shortest::<E, 6>(x, out),
            7 => shortest::<E, 7>(x, out),
            8 => shortest::<E, 8>(x, out),
            _ => x.iter().zip(out.chunks_exact_mut(len)).for_each(|(&x, out)| out.fill(x)),
        }
    }
}

/// Stretches so short that a loop over each would take longer than to write it.
#[inline(always)]
fn shortest<E: Copy, const LEN: usize>(x: &[E], out: &mut [E]) {
    out.as_chunks_mut().0.iter_mut().zip(x).for_each(|(out, &x)| *out = [x; LEN]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_place_along_the_axis_has_the_same_elements(
            outer in prop_oneof![0_usize..4, Just(3000)],
            len in prop_oneof![0_usize..20, Just(130)],
            inner in prop_oneof![Just(1_usize), 0_usize..20],
        ) {
            let x: Vec<u32> = (0..outer * inner).map(|i| i as u32).collect();
            let mut out = vec![u32::MAX; outer * len * inner];
            stretch(&x, Axis { outer, len, inner }, &mut out);
            let expected = (0..out.len()).map(|i| x[i / inner / len * inner + i % inner]);
            prop_assert!(out.iter().copied().eq(expected));
        }
    }
}
