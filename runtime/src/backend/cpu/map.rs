//! Loops over elements: a function of one or two scalars, applied to slices.
//!
//! A loop is compiled once for every instruction set, with the function inlined into it, so that the compiler
//! turns both into vector instructions. Big slices are split over the threads; no result depends on how.

use std::hint::black_box;

use super::simd::arch;
use super::threads::parallel_chunks;
use pulp::NullaryFnOnce;

/// A function of scalars, of `E` or of a pair of them.
///
/// `at` is written with `#[inline(always)]` and without branches that call: only then does a loop over it become
/// vector instructions.
pub trait Function<In>: Sync {
    /// What it returns.
    type Out;

    /// The value at `input`.
    fn at(&self, input: In) -> Self::Out;
}

/// The elements that one thread takes at a time: about a microsecond of work, as much as it takes to call a thread. That pays
/// all the same, since each thread then finds in its cache what it has written before.
pub const CHUNK: usize = 1 << 13;

/// Elements that a loop in place reads before it writes them, through a pointer that the compiler cannot follow. It would see that
/// a function such as relu leaves some as they are, and write the others alone: with AVX2 by masked stores, which took a
/// Zen 3 four to eight times as long as to write all.
const BLOCK: usize = 32;

/// Runs a loop with the best instructions of this machine. Its `call` is `#[inline(always)]`.
pub fn vectorized<L: NullaryFnOnce>(body: L) -> L::Output {
    arch().dispatch(body)
}

/// `out[i] = f(x[i])`
pub fn map<A: Copy + Sync, R: Send, F: Function<A, Out = R>>(f: &F, x: &[A], out: &mut [R]) {
    struct Loop<'a, A, R, F>(&'a F, &'a [A], &'a mut [R]);
    impl<A: Copy, R, F: Function<A, Out = R>> NullaryFnOnce for Loop<'_, A, R, F> {
        type Output = ();
        #[inline(always)]
        fn call(self) {
            for (out, &x) in self.2.iter_mut().zip(self.1) {
                *out = self.0.at(x);
            }
        }
    }
    assert_eq!(x.len(), out.len(), "a map has as many outputs as inputs");
    split(out, |from, part| vectorized(Loop(f, &x[from..][..part.len()], part)));
}

/// `x[i] = f(x[i])`
pub fn map_in_place<E: Copy + Send, F: Function<E, Out = E>>(f: &F, x: &mut [E]) {
    struct Loop<'a, E, F>(&'a F, &'a mut [E]);
    impl<E: Copy, F: Function<E, Out = E>> NullaryFnOnce for Loop<'_, E, F> {
        type Output = ();
        #[inline(always)]
        fn call(self) {
            let (blocks, rest) = self.1.as_chunks_mut::<BLOCK>();
            for block in blocks {
                let mut new = *block;
                new.iter_mut().for_each(|x| *x = self.0.at(*x));
                *black_box(block) = new;
            }
            rest.iter_mut().for_each(|x| *x = self.0.at(*x));
        }
    }
    split(x, |_, part| vectorized(Loop(f, part)));
}

/// `out[i] = f(a[i], b[i])`
pub fn zip<A, B, R, F>(f: &F, a: &[A], b: &[B], out: &mut [R])
where
    A: Copy + Sync,
    B: Copy + Sync,
    R: Send,
    F: Function<(A, B), Out = R>,
{
    struct Loop<'a, A, B, R, F>(&'a F, &'a [A], &'a [B], &'a mut [R]);
    impl<A: Copy, B: Copy, R, F: Function<(A, B), Out = R>> NullaryFnOnce for Loop<'_, A, B, R, F> {
        type Output = ();
        #[inline(always)]
        fn call(self) {
            for ((out, &a), &b) in self.3.iter_mut().zip(self.1).zip(self.2) {
                *out = self.0.at((a, b));
            }
        }
    }
    assert!(a.len() == out.len() && b.len() == out.len(), "a zip has as many outputs as inputs");
    split(out, |from, part| {
        let len = part.len();
        vectorized(Loop(f, &a[from..][..len], &b[from..][..len], part));
    });
}

/// `a[i] = f(a[i], b[i])`
pub fn zip_in_place<A, B, F>(f: &F, a: &mut [A], b: &[B])
where
    A: Copy + Send,
    B: Copy + Sync,
    F: Function<(A, B), Out = A>,
{
    struct Loop<'a, A, B, F>(&'a F, &'a mut [A], &'a [B]);
    impl<A: Copy, B: Copy, F: Function<(A, B), Out = A>> NullaryFnOnce for Loop<'_, A, B, F> {
        type Output = ();
        #[inline(always)]
        fn call(self) {
            zip_within(self.0, self.1, self.2);
        }
    }
    assert_eq!(a.len(), b.len(), "a zip has as many elements on either side");
    split(a, |from, part| {
        let b = &b[from..][..part.len()];
        vectorized(Loop(f, part, b));
    });
}

/// [`zip_in_place`] as a part of another kernel's loop.
#[inline(always)]
pub fn zip_within<A: Copy, B: Copy, F: Function<(A, B), Out = A>>(f: &F, a: &mut [A], b: &[B]) {
    let b = &b[..a.len()];
    let ((blocks, rest), (others, rest_of_others)) = (a.as_chunks_mut::<BLOCK>(), b.as_chunks::<BLOCK>());
    for (block, others) in blocks.iter_mut().zip(others) {
        let mut new = *block;
        new.iter_mut().zip(others).for_each(|(a, &b)| *a = f.at((*a, b)));
        *black_box(block) = new;
    }
    rest.iter_mut().zip(rest_of_others).for_each(|(a, &b)| *a = f.at((*a, b)));
}

/// Calls `work(offset, part)` for the parts of `data`, on several threads where there is enough of it.
pub fn split<T: Send>(data: &mut [T], work: impl Fn(usize, &mut [T]) + Sync) {
    if data.len() <= 2 * CHUNK {
        work(0, data);
    } else {
        parallel_chunks(data, CHUNK, |index, part| work(index * CHUNK, part));
    }
}

/// Calls `work(row, elements)` for the rows of `row` elements of `data`, on several threads where there is enough of it.
pub fn rows<T: Send>(data: &mut [T], row: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    let together = (CHUNK / row.max(1)).max(1);
    parallel_chunks(data, together * row, |chunk, part| {
        for (index, elements) in part.chunks_mut(row).enumerate() {
            work(chunk * together + index, elements);
        }
    });
}

/// A function of a pair with the left one given.
pub struct WithLeft<'a, A, F>(pub A, pub &'a F);

impl<A: Copy + Sync, B, F: Function<(A, B)>> Function<B> for WithLeft<'_, A, F> {
    type Out = F::Out;

    #[inline(always)]
    fn at(&self, b: B) -> F::Out {
        self.1.at((self.0, b))
    }
}

/// A function of a pair with the right one given.
pub struct WithRight<'a, B, F>(pub &'a F, pub B);

impl<A, B: Copy + Sync, F: Function<(A, B)>> Function<A> for WithRight<'_, B, F> {
    type Out = F::Out;

    #[inline(always)]
    fn at(&self, a: A) -> F::Out {
        self.0.at((a, self.1))
    }
}

/// A function of a pair with the two exchanged.
pub struct Swapped<'a, F>(pub &'a F);

impl<A, B, F: Function<(A, B)>> Function<(B, A)> for Swapped<'_, F> {
    type Out = F::Out;

    #[inline(always)]
    fn at(&self, (b, a): (B, A)) -> F::Out {
        self.0.at((a, b))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is negative becomes 0, or the other's absolute value; the rest stays as it is.
    struct Clip;

    impl Function<f32> for Clip {
        type Out = f32;
        #[inline(always)]
        fn at(&self, x: f32) -> f32 {
            if x < 0.0 { 0.0 } else { x }
        }
    }

    impl Function<(f32, f32)> for Clip {
        type Out = f32;
        #[inline(always)]
        fn at(&self, (a, b): (f32, f32)) -> f32 {
            if a < 0.0 { b.abs() } else { a }
        }
    }

    proptest! {
        #[test]
        fn in_place_is_as_out_of_place(
            pairs in prop::collection::vec((-1.0_f32..1.0, -1.0_f32..1.0), 0..5 * BLOCK),
        ) {
            let (a, b): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let (mut mapped, mut zipped) = (a.clone(), a.clone());
            map_in_place(&Clip, &mut mapped);
            zip_in_place(&Clip, &mut zipped, &b);
            let (mut map_out, mut zip_out) = (vec![f32::NAN; a.len()], vec![f32::NAN; a.len()]);
            map(&Clip, &a, &mut map_out);
            zip(&Clip, &a, &b, &mut zip_out);
            prop_assert_eq!(mapped, map_out);
            prop_assert_eq!(zipped, zip_out);
        }
    }
}
