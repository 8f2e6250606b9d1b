//! Work on pieces of several slices at once, shared by threads.

#![allow(unsafe_code)]

use super::threads::{Shared, parallel};
use std::marker::PhantomData;

/// Splits every slice into chunks of its own length and calls `work(index, chunks)` for each of `count` places, as [`parallel`] does:
/// so a thread that begins with some places here begins with the same in the next call. Of a slice that ends before, the chunks are
/// shorter, or empty.
pub fn parallel_zipped<A: Send, B: Send, const N: usize, const M: usize>(
    count: usize,
    a: [(&mut [A], usize); N],
    b: [(&mut [B], usize); M],
    work: impl Fn(usize, [&mut [A]; N], [&mut [B]; M]) + Sync,
) {
    let (a, b) = (a.map(Split::new), b.map(Split::new));
    parallel(count, |index| {
        // SAFETY: each index is asked for once.
        let (a, b) = unsafe { (a.each_ref().map(|a| a.chunk(index)), b.each_ref().map(|b| b.chunk(index))) };
        work(index, a, b);
    });
}

/// A slice that is lent to several threads in chunks.
struct Split<'a, T> {
    start: Shared<T>,
    len: usize,
    chunk: usize,
    borrow: PhantomData<&'a ()>,
}

impl<'a, T> Split<'a, T> {
    fn new((slice, chunk): (&'a mut [T], usize)) -> Self {
        Split { start: Shared(slice.as_mut_ptr()), len: slice.len(), chunk, borrow: PhantomData }
    }

    /// As much of this chunk as there is.
    ///
    /// # Safety
    /// Nobody else has the same chunk.
    #[allow(clippy::mut_from_ref)]
    unsafe fn chunk(&self, index: usize) -> &mut [T] {
        let start = index.saturating_mul(self.chunk).min(self.len);
        let len = self.chunk.min(self.len - start);
        // SAFETY: the chunk lies within the slice, which stays borrowed, and overlaps no other; the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.at(start), len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slice_is_split_into_chunks_of_its_own_length() {
        let (mut a, mut b, mut short) = ([1; 7], [2; 3], [0_u8; 4]);
        parallel_zipped(3, [(&mut a, 3), (&mut b, 1)], [(&mut short, 3)], |index, [a, b], [short]| {
            a.iter_mut().for_each(|a| *a += index);
            b.iter_mut().for_each(|b| *b *= index);
            short.fill(1 + index as u8);
        });
        assert_eq!((a, b, short), ([1, 1, 1, 2, 2, 2, 3], [0, 2, 4], [1, 1, 1, 2]));
        parallel_zipped(2, [(&mut a, 0)], [(&mut [0_u8; 0], 3)], |_, [a], [b]| {
            assert!(a.is_empty() && b.is_empty());
        });
        parallel_zipped(0, [(&mut a, 3)], [(&mut b, 1)], |_, _, _| unreachable!("there is nothing"));
    }
}
