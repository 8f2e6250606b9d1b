//! Work on borrowed pieces of several slices at once, shared by threads.

#![allow(unsafe_code)]

use super::threads::{Shared, parallel};
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Calls `work` for each of the `count` items, in any order and on any thread, as [`parallel`] does. The items are often
/// chunks of several slices, zipped. Which thread gets which item must not change what `work` does.
pub fn parallel_items<I: Iterator + Send>(count: usize, items: I, work: impl Fn(I::Item) + Sync) {
    let items = Mutex::new(items);
    parallel(count, |_| {
        let item = items.lock().unwrap_or_else(PoisonError::into_inner).next();
        if let Some(item) = item {
            work(item);
        }
    });
}

/// Splits slices of `len` elements into chunks of `chunk` and calls `work(range, chunks)` for each place, as [`parallel`] does: so
/// a thread that begins with some places here begins with the same in the next call. A slice may be shorter, or empty; then its
/// chunks are.
pub fn parallel_zipped<A: Send, B: Send, const N: usize, const M: usize>(
    len: usize,
    chunk: usize,
    a: [&mut [A]; N],
    b: [&mut [B]; M],
    work: impl Fn(Range<usize>, [&mut [A]; N], [&mut [B]; M]) + Sync,
) {
    let (chunk, a, b) = (chunk.max(1), a.map(Split::new), b.map(Split::new));
    parallel(len.div_ceil(chunk), |index| {
        let range = index * chunk..len.min((index + 1) * chunk);
        // SAFETY: the ranges of different tasks do not overlap, and each is asked for once.
        let (a, b) = unsafe { (a.each_ref().map(|a| a.part(&range)), b.each_ref().map(|b| b.part(&range))) };
        work(range, a, b);
    });
}

/// A slice that is lent to several threads in parts.
struct Split<'a, T> {
    start: Shared<T>,
    len: usize,
    borrow: PhantomData<&'a ()>,
}

impl<'a, T> Split<'a, T> {
    fn new(slice: &'a mut [T]) -> Self {
        Split { start: Shared(slice.as_mut_ptr()), len: slice.len(), borrow: PhantomData }
    }

    /// As much of this range as there is.
    ///
    /// # Safety
    /// Nobody else has a part that overlaps.
    #[allow(clippy::mut_from_ref)]
    unsafe fn part(&self, range: &Range<usize>) -> &mut [T] {
        let (start, end) = (range.start.min(self.len), range.end.min(self.len));
        // SAFETY: the part lies within the slice, which stays borrowed; the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.at(start), end - start) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_split_at_the_same_places() {
        let (mut a, mut b, mut short) = ([1; 7], [2; 7], [0_u8; 3]);
        parallel_zipped(7, 3, [&mut a, &mut b], [&mut short], |range, [a, b], [short]| {
            a.iter_mut().zip(range.clone()).for_each(|(a, index)| *a += index);
            b.iter_mut().zip(range).for_each(|(b, index)| *b *= index);
            short.fill(1);
        });
        assert_eq!((a, b, short), ([1, 2, 3, 4, 5, 6, 7], [0, 2, 4, 6, 8, 10, 12], [1; 3]));
        parallel_zipped(0, 3, [&mut a], [&mut [0_u8; 0]], |_, _, _| unreachable!("there is nothing"));
    }

    #[test]
    fn every_item_is_worked_on_once() {
        let (a, mut b) = ([1, 2, 3, 4, 5, 6, 7], [10; 7]);
        parallel_items(4, a.chunks(2).zip(b.chunks_mut(2)), |(a, b)| {
            b.iter_mut().zip(a).for_each(|(b, a)| *b += a);
        });
        assert_eq!(b, [11, 12, 13, 14, 15, 16, 17]);
    }
}
