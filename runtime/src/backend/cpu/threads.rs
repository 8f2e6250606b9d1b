//! A pool of threads that work on one job at a time.
//!
//! A job is published in a fixed slot and its tasks are counted out, so that a call allocates nothing. (rayon
//! was considered: its injector and its deques allocate, and a training step must not.) A worker that finds no
//! job spins for some microseconds, about as long as the gap between two kernels of a training step, and then
//! sleeps.
//!
//! Every seat begins with a stretch of the tasks of its own, and helps with the others' when it is through. So the same
//! core works on the same rows in one kernel after the other, and finds in its cache what it has written before: a line
//! that lies in the other core's cache takes longer to come than one from memory.

#![allow(unsafe_code)]

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, TryLockError};
use std::thread;

/// How often a worker looks for a job before it sleeps: some tens of microseconds.
const SPINS: usize = 1000;

/// The bit of [`Pool::door`] that lets workers in; the rest counts those inside.
const OPEN: usize = 1 << (usize::BITS - 1);

/// The tasks of a call: `(seat, task)`.
type Task<'a> = dyn Fn(usize, usize) + Sync + 'a;

/// The stretches that the tasks of a job are cut into, at the most. Of more seats than that, some share one.
const STRETCHES: usize = 64;

/// A counter in a cache line of its own.
#[repr(align(64))]
struct Counter(AtomicUsize);

struct Job {
    /// Borrowed from the caller's stack; valid while the door is open or somebody is inside.
    task: *const Task<'static>,
    tasks: usize,
    /// Seats, the caller's among them: workers beyond them stay out.
    seats: usize,
}

impl Job {
    fn stretches(&self) -> usize {
        self.seats.min(STRETCHES)
    }

    /// The first task of a stretch.
    fn start(&self, stretch: usize) -> usize {
        stretch * self.tasks / self.stretches()
    }
}

struct Pool {
    /// Held by the thread whose job it is; counts the workers that have been started.
    owner: Mutex<usize>,
    /// Written by the owner while the door is closed and nobody is inside.
    job: UnsafeCell<Job>,
    /// The next task of each stretch to be handed out.
    next: [Counter; STRETCHES],
    door: AtomicUsize,
    /// Counts the jobs, so that a worker sees a new one.
    jobs: AtomicUsize,
    sleepers: AtomicUsize,
    sleep: Mutex<()>,
    wake: Condvar,
    /// The first panic of a task.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

// SAFETY: `job` is written by the owner only while no worker may read it, as `door` tells.
unsafe impl Sync for Pool {}

static POOL: Pool = Pool {
    owner: Mutex::new(0),
    job: UnsafeCell::new(Job { task: &|_, _| (), tasks: 0, seats: 0 }),
    next: [const { Counter(AtomicUsize::new(0)) }; STRETCHES],
    door: AtomicUsize::new(0),
    jobs: AtomicUsize::new(0),
    sleepers: AtomicUsize::new(0),
    sleep: Mutex::new(()),
    wake: Condvar::new(),
    panic: Mutex::new(None),
};

/// What `set_threads` was told; 0 before the first question.
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether this thread is working on a task, so that a nested call runs on the spot.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// How many threads [`parallel`] may use, the calling one among them. Unless set, as many as the machine lends.
pub fn threads() -> usize {
    match THREADS.load(Ordering::Relaxed) {
        0 => {
            let count = thread::available_parallelism().map_or(1, |count| count.get());
            // Whoever called `set_threads` meanwhile wins.
            match THREADS.compare_exchange(0, count, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => count,
                Err(set) => set,
            }
        }
        count => count,
    }
}

/// Sets how many threads [`parallel`] may use; 0 and 1 both mean the calling one only.
pub fn set_threads(count: usize) {
    THREADS.store(count.max(1), Ordering::Relaxed);
}

/// Calls `task(0)`, `task(1)`, … `task(tasks - 1)`, in any order and on any thread, and returns when all have
/// returned. A panic of a task is passed on. One task, or a call from inside a task, runs on the spot.
///
/// A task should be worth ten microseconds or more: waking a sleeping thread costs about as much. Whatever the
/// tasks make must not depend on how many threads there are; so a sum is split into a number of parts that only
/// its size decides, and the parts are added in order.
pub fn parallel(tasks: usize, task: impl Fn(usize) + Sync) {
    parallel_seated(seats(tasks, usize::MAX), tasks, |_, index| task(index));
}

/// Splits `data` into chunks of `chunk` elements (the last may be shorter) and calls `task(index, chunk)` on
/// each as [`parallel`] does.
pub fn parallel_chunks<T: Send>(data: &mut [T], chunk: usize, task: impl Fn(usize, &mut [T]) + Sync) {
    let (len, start, chunk) = (data.len(), Shared(data.as_mut_ptr()), chunk.max(1));
    if (1..=chunk).contains(&len) {
        return task(0, data);
    }
    parallel(len.div_ceil(chunk), |index| {
        let from = index * chunk;
        // SAFETY: the chunks of different tasks do not overlap, and each lies within `data`, which stays
        // borrowed until `parallel` returns.
        let part = unsafe { std::slice::from_raw_parts_mut(start.at(from), chunk.min(len - from)) };
        task(index, part);
    });
}

/// A pointer that tasks share; each must keep to its own part of what it points to.
pub(super) struct Shared<T>(pub *mut T);

// SAFETY: a pointer alone does nothing; those who read or write through it say why they may.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shared<T> {}

impl<T> Shared<T> {
    /// The pointer, `offset` elements on.
    pub fn at(self, offset: usize) -> *mut T {
        self.0.wrapping_add(offset)
    }
}

/// Fewer multiply-adds than this are not worth a second thread, even one that waits for them: as measured, a few microseconds.
const SMALL: usize = 1 << 18;

/// The number of seats of a job: how many threads may work on `tasks` tasks if they begin now, where all of them
/// together are as much work as `work` multiply-adds.
pub(super) fn seats(tasks: usize, work: usize) -> usize {
    if INSIDE.get() || work < SMALL { 1 } else { threads().min(tasks).max(1) }
}

/// Like [`parallel`] with at most `seats` threads, and tells each task the seat of the thread that works on it:
/// no two threads share a seat, so it can say which piece of a scratch buffer to use.
pub(super) fn parallel_seated(seats: usize, tasks: usize, task: impl Fn(usize, usize) + Sync) {
    if seats <= 1 || INSIDE.get() {
        return (0..tasks).for_each(|index| task(0, index));
    }
    // Another thread's job is running: this one is done on the spot.
    let mut started = match POOL.owner.try_lock() {
        Ok(started) => started,
        Err(TryLockError::Poisoned(started)) => started.into_inner(),
        Err(TryLockError::WouldBlock) => return (0..tasks).for_each(|index| task(0, index)),
    };
    while *started + 1 < seats {
        let seat = *started + 1;
        let builder = thread::Builder::new().name(format!("flaxen-{seat}"));
        if builder.spawn(move || POOL.worker(seat)).is_err() {
            break;
        }
        *started += 1;
    }
    POOL.run(tasks, seats, &task);
}

impl Pool {
    /// Runs a job; the caller holds `owner`.
    fn run(&self, tasks: usize, seats: usize, task: &Task<'_>) {
        // SAFETY: only the lifetime is changed; the job is not touched after this function returns, because
        // it waits until the door is closed and nobody is inside.
        let task: *const Task<'static> = unsafe { std::mem::transmute(std::ptr::from_ref(task)) };
        // SAFETY: the door is closed and nobody is inside, so nobody else looks.
        let job = unsafe { &mut *self.job.get() };
        *job = Job { task, tasks, seats };
        for (stretch, next) in self.next[..job.stretches()].iter().enumerate() {
            next.0.store(job.start(stretch), Ordering::Relaxed);
        }
        self.door.store(OPEN, Ordering::Release);
        self.jobs.fetch_add(1, Ordering::SeqCst);
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            drop(self.sleep.lock());
            self.wake.notify_all();
        }
        self.work(0);
        self.door.fetch_and(!OPEN, Ordering::AcqRel);
        let mut looks = 0_usize;
        while self.door.load(Ordering::Acquire) != 0 {
            looks += 1;
            // On a machine with other work a worker may have lost its core in the middle of a task.
            if looks.is_multiple_of(SPINS) { thread::yield_now() } else { std::hint::spin_loop() }
        }
        let panic = self.panic.lock().map_or(None, |mut panic| panic.take());
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }

    /// Takes tasks until none are left.
    fn work(&self, seat: usize) {
        // SAFETY: called by the owner between publishing and closing, and by workers that are inside.
        let job = unsafe { &*self.job.get() };
        // SAFETY: as above; so whoever lent the task still waits.
        let task = unsafe { &*job.task };
        let stretches = job.stretches();
        INSIDE.set(true);
        let result = catch_unwind(AssertUnwindSafe(|| {
            for stretch in (0..stretches).map(|step| (seat + step) % stretches) {
                let end = job.start(stretch + 1);
                loop {
                    let index = self.next[stretch].0.fetch_add(1, Ordering::Relaxed);
                    if index >= end {
                        break;
                    }
                    task(seat, index);
                }
            }
        }));
        INSIDE.set(false);
        if let Err(panic) = result {
            self.next[..stretches].iter().for_each(|next| next.0.store(job.tasks, Ordering::Relaxed));
            if let Ok(mut first) = self.panic.lock() {
                first.get_or_insert(panic);
            }
        }
    }

    /// The life of a worker.
    fn worker(&self, seat: usize) {
        let mut seen = 0;
        loop {
            seen = self.next_job(seen);
            let enter = |door: usize| (door & OPEN != 0).then_some(door + 1);
            if self.door.fetch_update(Ordering::AcqRel, Ordering::Relaxed, enter).is_err() {
                continue;
            }
            // SAFETY: this worker is inside.
            if seat < unsafe { (*self.job.get()).seats } {
                self.work(seat);
            }
            self.door.fetch_sub(1, Ordering::Release);
        }
    }

    /// Waits for a job other than number `seen`.
    fn next_job(&self, seen: usize) -> usize {
        for _ in 0..SPINS {
            let jobs = self.jobs.load(Ordering::Acquire);
            if jobs != seen {
                return jobs;
            }
            std::hint::spin_loop();
        }
        let mut guard = self.sleep.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        // The caller counts the job up before it looks for sleepers: either it sees this one, or this one
        // sees the job.
        while self.jobs.load(Ordering::SeqCst) == seen {
            guard = self.wake.wait(guard).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
        self.jobs.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_runs_once() {
        for tasks in [0, 1, 2, 3, 100, 1000] {
            let counts: Vec<_> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
            parallel(tasks, |i| {
                counts[i].fetch_add(1, Ordering::Relaxed);
            });
            assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
        }
    }

    #[test]
    fn chunks_cover_the_data() {
        let mut data = vec![0_usize; 1003];
        parallel_chunks(&mut data, 10, |index, chunk| chunk.iter_mut().for_each(|value| *value += index + 1));
        assert!(data.iter().enumerate().all(|(i, &value)| value == i / 10 + 1));
    }

    #[test]
    fn nested_calls_and_many_callers_finish() {
        let total = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        parallel(5, |_| {
                            parallel(3, |_| {
                                total.fetch_add(1, Ordering::Relaxed);
                            });
                        });
                    }
                });
            }
        });
        assert_eq!(total.load(Ordering::Relaxed), 4 * 200 * 5 * 3);
    }

    #[test]
    fn a_panic_is_passed_on_and_the_pool_lives() {
        for _ in 0..3 {
            let result = catch_unwind(|| parallel(64, |i| assert!(i != 33, "task 33")));
            let payload = result.expect_err("the panic of a task reaches the caller");
            assert!(payload.downcast_ref::<&str>().is_some_and(|text| text.contains("task 33")));
            every_task_runs_once();
        }
    }
}
