//! Products that threads share by cutting the sum, not what it makes.
//!
//! A line that another core has written takes longer to come than one from memory, so what counts is which core has what. Of
//! the weights each core has a stretch of rows, which it updates in the optimiser's step; of activations and their cotangents a
//! stretch of examples. Where a product adds over one of the two, each thread adds over its own stretch, and only the
//! sums cross from core to core: `x · kernel` with few examples and many weights, and `xᵀ · g` with many examples
//! and few weights.

#![allow(unsafe_code)]

use pulp::{Arch, NullaryFnOnce};

use super::gemm::{Job, few_rows, work};
use super::lanes::Lanes;
use super::map::rows;
use super::panel::Finish;
use super::partials::Add;
use super::scratch::{padded, with_scratch};
use super::threads::{Shared, parallel_seated, seats, threads};
use crate::backend::{Epilogue, Gemm};

/// The sums of fewer multiply-adds than this are not cut.
const SMALL: usize = 1 << 19;

/// The most parts that a sum is cut into.
const PARTS: usize = 4;

/// The most tasks of a part that read `B` where it lies.
const UNPACKED: usize = 4;

/// The number of parts: it depends on sizes and strides only, so that the threads do not change the sums.
///
/// A thread that made rows of `C` would take from the other core half of `B`; and half of its part of `A`, where the
/// core that has it goes by the sum. The `m·n` sums of a part must be a few times fewer.
fn parts<E>(gemm: &Gemm<'_, E>) -> usize {
    let Gemm { m, k, n, a_strides, b_strides, .. } = *gemm;
    if b_strides[1] != 1 || work(gemm) < SMALL {
        return 1;
    }
    let parts = if a_strides[1] == 1 { k / (3 * m) } else { k * (m + 2 * n) / (3 * m * n) };
    1 << parts.clamp(1, PARTS).ilog2()
}

/// Computes the product if its sum is to be cut, and says whether it has.
///
/// The operands must reach as far as their strides say, and so must `c`, which is not empty.
pub(super) fn product<E: Lanes>(
    arch: Arch,
    gemm: &Gemm<'_, E>,
    c: &mut [E],
    c_stride: usize,
    epilogue: Epilogue<'_, E>,
) -> bool {
    let parts = parts(gemm);
    if parts == 1 {
        return false;
    }
    let Gemm { m, k, n, a_strides, b_strides, .. } = *gemm;
    let depth = k.div_ceil(parts);
    let parts = k.div_ceil(depth);
    let part = |index: usize| {
        let from = index * depth;
        let (a, b) = (&gemm.a[from * a_strides[1]..], &gemm.b[from * b_strides[0]..]);
        Gemm { a, b, k: depth.min(k - from), ..*gemm }
    };
    // Tasks that need not pack `B`, if they are not too many: by rows of so few of them each, by columns where there are few at
    // all. Otherwise no more than there have to be.
    let few = few_rows::<E>(arch, b_strides[0]);
    let unpacked = m.div_ceil(few).max(2);
    let in_place = (m >= n || m <= few) && unpacked <= UNPACKED;
    let tasks = threads().div_ceil(parts).max(if in_place { unpacked } else { 1 });
    // The first part is written to `C`, the others to scratch.
    let job = |index| Job::new(arch, part(index), if index == 0 { c_stride } else { n }, tasks);
    let (each, len, sums) = (job(0).tasks(), job(0).seat_len(), padded::<E>(m * n));
    let finish = Finish::from(epilogue);
    let first = if finish.accumulate { Epilogue::Accumulate } else { Epilogue::Assign };
    let seats = seats(parts * each, work(gemm));
    with_scratch((parts - 1) * sums + seats * len, |scratch: &mut [E]| {
        let (others, packed) = scratch.split_at_mut((parts - 1) * sums);
        let (start, others_start, packed) =
            (Shared(c.as_mut_ptr()), Shared(others.as_mut_ptr()), Shared(packed.as_mut_ptr()));
        parallel_seated(seats, parts * each, |seat, task| {
            let (index, task, packed) = (task / each, task % each, packed.at(seat * len));
            // SAFETY: the tasks of a part write to different places, and parts to different sums, which are long enough; every
            // seat has its own piece of the scratch buffer; `c` and the operands reach as far as their strides say.
            unsafe {
                match index {
                    0 => job(0).compute(task, packed, start, first),
                    _ => {
                        let sums = Shared(others_start.at((index - 1) * sums));
                        job(index).compute(task, packed, sums, Epilogue::Assign);
                    }
                }
            }
        });
        rows(c, c_stride, |row, c| {
            let others = others.chunks_exact(sums).map(|sums| &sums[row * n..][..n]);
            arch.dispatch(AddRow { others, finish, c: &mut c[..n] });
        });
    });
    true
}

/// Adds a row of the other parts to that of the first, and what else is to be done to the sum.
struct AddRow<'a, E, I> {
    others: I,
    finish: Finish<'a, E>,
    c: &'a mut [E],
}

impl<'a, E: Lanes, I: Iterator<Item = &'a [E]>> NullaryFnOnce for AddRow<'_, E, I> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let AddRow { others, finish, c } = self;
        Add { sum: &mut *c, others }.call();
        let finish = Finish { accumulate: false, ..finish };
        for (column, c) in c.iter_mut().enumerate() {
            finish.apply(c, *c, column);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::simd::{arch, available};
    use super::super::threads::set_threads;
    use super::*;

    /// Whole numbers, so that sums are exact in any order.
    fn numbers(len: usize, seed: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 7 + seed) * 31 % 17) as f32 - 8.0).collect()
    }

    /// `x · kernel` or, of the transposed `x`, `xᵀ · g`.
    fn check([m, k, n]: [usize; 3], transposed: bool, gap: usize) {
        let a_strides = if transposed { [1, m] } else { [k, 1] };
        let (a, b, bias, before) =
            (numbers(m * k, 1), numbers(k * n, 2), numbers(n, 3), numbers(m * (n + gap), 4));
        let gemm = Gemm { m, k, n, a: &a, a_strides, b: &b, b_strides: [n, 1] };
        let mut sums = vec![0.0; m * n];
        for (i, row) in sums.chunks_exact_mut(n).enumerate() {
            for (l, b) in b.chunks_exact(n).enumerate() {
                let a = a[i * a_strides[0] + l * a_strides[1]];
                row.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * b);
            }
        }
        for epilogue in
            [Epilogue::Assign, Epilogue::Accumulate, Epilogue::Bias(&bias), Epilogue::BiasRelu(&bias)]
        {
            let mut expected = before.clone();
            for (c, sums) in expected.chunks_mut(n + gap).zip(sums.chunks_exact(n)) {
                let places = c.iter_mut().zip(sums).enumerate();
                places.for_each(|(j, (c, &sum))| Finish::from(epilogue).apply(c, sum, j));
            }
            let c_len = (m - 1) * (n + gap) + n;
            for arch in available().filter(|arch| !matches!(arch, Arch::Scalar)) {
                let mut found = before.clone();
                let is_cut = product(arch, &gemm, &mut found[..c_len], n + gap, epilogue);
                assert_eq!(is_cut, parts(&gemm) > 1);
                if is_cut {
                    assert_eq!(found, expected, "{arch:?} {m} {k} {n} {transposed} {gap} {epilogue:?}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn cut_sums_are_the_plain_sums(
            m in prop_oneof![1_usize..4, 10_usize..80],
            k in 500_usize..1500,
            n in prop_oneof![33_usize..70, 200_usize..300],
            transposed in any::<bool>(),
            gap in prop_oneof![Just(0_usize), Just(3)],
        ) {
            check([m, k, n], transposed, gap);
        }
    }

    #[test]
    fn sums_are_cut_where_that_pays() {
        let count = |[m, k, n]: [usize; 3], a_strides| {
            parts(&Gemm::<f32> { m, k, n, a: &[], a_strides, b: &[], b_strides: [n, 1] })
        };
        assert_eq!(count([128, 784, 256], [784, 1]), 2, "few examples, many weights");
        assert_eq!(count([32, 3136, 256], [3136, 1]), PARTS);
        assert_eq!(count([784, 128, 256], [1, 784]), 1, "its gradient is of many weights, too");
        assert_eq!(count([256, 128, 128], [128, 1]), 1, "many examples, few weights");
        assert_eq!(count([128, 256, 128], [1, 128]), 2, "and their gradient");
        assert_eq!(
            count([1, 784, 256], [784, 1]),
            PARTS,
            "one example: what takes time is to read the weights"
        );
        assert_eq!(count([4, 300, 70], [300, 1]), 1, "little work");
    }

    #[test]
    fn no_part_is_empty() {
        let (a, b) = (numbers(11, 1), numbers(6 * 90_000, 2));
        let gemm = Gemm { m: 1, k: 6, n: 90_000, a: &a, a_strides: [1, 2], b: &b, b_strides: [90_000, 1] };
        assert_eq!(parts(&gemm), PARTS);
        let mut c = vec![0.0; 90_000];
        assert!(product(arch(), &gemm, &mut c, 90_000, Epilogue::Assign));
        for (column, &found) in c.iter().enumerate() {
            assert_eq!(found, (0..6).map(|l| a[2 * l] * b[l * 90_000 + column]).sum::<f32>());
        }
    }

    #[test]
    fn threads_do_not_change_the_sums() {
        let fractions = |len: usize| (0..len).map(|i| (i as f32 * 0.37).sin()).collect::<Vec<_>>();
        for ([m, k, n], transposed) in [([33, 1001, 257], false), ([65, 700, 130], true)] {
            let (a, b) = (fractions(m * k), fractions(k * n));
            let a_strides = if transposed { [1, m] } else { [k, 1] };
            let gemm = Gemm { m, k, n, a: &a, a_strides, b: &b, b_strides: [n, 1] };
            let [one, two, many] = [1, 2, 5].map(|threads| {
                set_threads(threads);
                let mut c = vec![0.0; m * n];
                assert!(product(arch(), &gemm, &mut c, n, Epilogue::Assign));
                c.into_iter().map(f32::to_bits).collect::<Vec<_>>()
            });
            assert!(one == two && one == many);
        }
    }
}
