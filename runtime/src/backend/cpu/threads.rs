//! A pool of threads that work on one job at a time.

use crate::backend::Float;

/// How many threads [`parallel`] may use, the calling one among them.
pub fn threads() -> usize {
    1
}

/// Sets how many threads [`parallel`] may use; 0 and 1 both mean the calling one only.
pub fn set_threads(_count: usize) {}

/// Calls `task(0)`, `task(1)`, … `task(tasks - 1)`, in any order and on any thread, and returns when all have
/// returned. A panic of a task is passed on. One task, or a call from inside a task, runs on the spot.
pub fn parallel(tasks: usize, task: impl Fn(usize) + Sync) {
    (0..tasks).for_each(task);
}

/// Splits `data` into chunks of `chunk` elements (the last may be shorter) and calls `task(index, chunk)` on
/// each as [`parallel`] does.
pub fn parallel_chunks<E: Float>(data: &mut [E], chunk: usize, task: impl Fn(usize, &mut [E]) + Sync) {
    data.chunks_mut(chunk)
        .enumerate()
        .for_each(|(i, part)| task(i, part));
}
