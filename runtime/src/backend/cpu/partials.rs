//! Sums that are made in parts, by any threads, and added up in an order that depends on nothing but how many parts there are.

use pulp::{Arch, NullaryFnOnce};

use super::lanes::Lanes;
use super::map::CHUNK;
use super::threads::parallel_chunks;

/// Adds up parts of `len` elements, and writes to each of `to` the elements from its offset on. So many neighbours are added
/// to the first of them before: most of the time the same thread has made them, so that only what they add up to crosses
/// from core to core.
pub(super) fn add_up<E: Lanes, const N: usize>(
    arch: Arch,
    parts: &mut [E],
    len: usize,
    neighbours: usize,
    to: [(usize, &mut [E]); N],
) {
    let group = neighbours * len;
    if neighbours > 1 {
        parallel_chunks(parts, group * (CHUNK / group).max(1), |_, parts| {
            for group in parts.chunks_mut(group) {
                let (sum, others) = group.split_at_mut(len);
                arch.dispatch(Add { sum, others: others.chunks_exact(len) });
            }
        });
    }
    let groups = parts.chunks(group);
    for (start, to) in to {
        let piece = to.len().div_ceil(8).max(CHUNK / 8);
        parallel_chunks(to, piece, |index, sum| {
            let from = start + index * piece;
            let range = from..from + sum.len();
            let mut groups = groups.clone().map(|group| &group[range.clone()]);
            sum.copy_from_slice(groups.next().unwrap_or_default());
            arch.dispatch(Add { sum, others: groups });
        });
    }
}

/// Adds slices to one as long, one after the other.
pub(super) struct Add<'a, E, I> {
    pub sum: &'a mut [E],
    pub others: I,
}

impl<'a, E: Lanes, I: Iterator<Item = &'a [E]>> NullaryFnOnce for Add<'_, E, I> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for other in self.others {
            self.sum.iter_mut().zip(other).for_each(|(sum, &value)| *sum += value);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::simd::arch;
    use super::super::threads::set_threads;
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn parts_are_added_up(
            count in 1_usize..20,
            neighbours in 1_usize..6,
            len in prop_oneof![1_usize..40, 3000_usize..9000],
        ) {
            let start = len / 3;
            let parts: Vec<f32> = (0..count * len).map(|i| (i * 7 % 31) as f32 - 12.0).collect();
            let expected: Vec<f32> = (0..len).map(|i| parts.iter().skip(i).step_by(len).sum()).collect();
            let (mut all, mut some) = (vec![f32::NAN; len], vec![f32::NAN; len - start]);
            add_up(arch(), &mut parts.clone(), len, neighbours, [(0, &mut all), (start, &mut some)]);
            prop_assert_eq!(&all, &expected);
            prop_assert_eq!(&some, &expected[start..]);
        }
    }

    #[test]
    fn threads_do_not_change_the_sum() {
        let parts: Vec<f32> = (0..16 * 5000).map(|i| (i as f32 * 0.37).sin()).collect();
        let [one, two] = [1, 2].map(|threads| {
            set_threads(threads);
            let mut sum = vec![0.0; 5000];
            add_up(arch(), &mut parts.clone(), 5000, 4, [(0, &mut sum)]);
            sum
        });
        assert_eq!(one, two);
    }
}
