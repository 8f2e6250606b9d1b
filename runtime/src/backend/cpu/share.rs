//! Work on borrowed pieces of several slices at once, shared by threads.

use super::threads::parallel;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_worked_on_once() {
        let (a, mut b) = ([1, 2, 3, 4, 5, 6, 7], [10; 7]);
        parallel_items(4, a.chunks(2).zip(b.chunks_mut(2)), |(a, b)| {
            b.iter_mut().zip(a).for_each(|(b, a)| *b += a);
        });
        assert_eq!(b, [11, 12, 13, 14, 15, 16, 17]);
    }
}
