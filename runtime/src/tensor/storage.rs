//! The memory of a tensor: a reference-counted buffer that goes back to a pool when nobody holds it.
//!
//! A training step asks for the same sizes in every round, so after the first one every request is answered from
//! the pool and nothing is allocated. Buffers begin at a multiple of 64 bytes, a cache line and an AVX-512 lane.
//!
//! A thread keeps a few small buffers to itself ([`Kept`]), where the lock of the pool would cost more than the work
//! that is done on them.
#![allow(unsafe_code)]

use super::element::Element;
use crate::backend::pages;
use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::sync::{Mutex, MutexGuard, PoisonError};

const ALIGNMENT: usize = 64;
/// Four sizes an octave, from one cache line up.
const CLASSES: usize = 4 * (usize::BITS as usize - 6);
/// The classes of which a thread keeps buffers to itself: up to 4 KiB.
const KEPT_CLASSES: usize = 4 * 6 + 1;
/// The most buffers of a class that a thread keeps to itself.
const KEPT: usize = 16;

/// What stands before the elements, in a cache line of its own.
#[repr(C, align(64))]
struct Header {
    holders: AtomicUsize,
    class: usize,
    /// The next in the same [`List`].
    next: Option<NonNull<Header>>,
}

// SAFETY: `next` is read and written by who has the buffer taken out of a list or owns the list.
unsafe impl Sync for Header {}

/// A reference-counted buffer of `len` initialised elements.
pub(crate) struct Storage<E: Element> {
    header: NonNull<Header>,
    len: usize,
    elements: PhantomData<E>,
}

// SAFETY: the count is atomic, elements are plain values, and `get_mut` gives access to a sole holder only.
unsafe impl<E: Element> Send for Storage<E> {}
// SAFETY: as above; a shared storage can only be read.
unsafe impl<E: Element> Sync for Storage<E> {}

/// What stands before no elements. It has one holder more than there are empty storages, so that it is never given back.
static EMPTY: Header = Header { holders: AtomicUsize::new(1), class: 0, next: None };

impl<E: Element> Storage<E> {
    /// No elements, and no memory for them.
    pub(crate) fn empty() -> Self {
        EMPTY.holders.fetch_add(1, Ordering::Relaxed);
        Storage { header: NonNull::from(&EMPTY), len: 0, elements: PhantomData }
    }

    /// A buffer with any contents: the caller writes every element before it reads one.
    ///
    /// Inlined, so that a length that is known when the program is compiled has its class by then.
    #[inline]
    pub(crate) fn scratch(len: usize) -> Self {
        if len == 0 {
            return Self::empty();
        }
        let storage = Storage { header: take(class(len * size_of::<E>())), len, elements: PhantomData };
        if !E::ANY_BITS {
            let first: *mut E = storage.first();
            // SAFETY: the buffer has room for `len` elements, is aligned for all of them, and nobody else holds it.
            unsafe { (0..len).for_each(|i| first.add(i).write(E::default())) };
        }
        storage
    }

    fn first(&self) -> *mut E {
        // SAFETY: the elements begin one header after the start of the allocation.
        unsafe { self.header.as_ptr().add(1).cast() }
    }

    fn holders(&self) -> &AtomicUsize {
        // SAFETY: the header lives as long as anybody holds the storage, and is only changed through the atomic.
        unsafe { &(*self.header.as_ptr()).holders }
    }

    pub(crate) fn as_slice(&self) -> &[E] {
        // SAFETY: `scratch` made room for `len` elements, whose bytes are initialised and valid (`ANY_BITS`, or
        // filled with the default).
        unsafe { std::slice::from_raw_parts(self.first(), self.len) }
    }

    /// The elements, if nobody else holds them.
    pub(crate) fn get_mut(&mut self) -> Option<&mut [E]> {
        if self.len == 0 {
            return Some(&mut []);
        }
        // Acquire: what the last other holder read happens before what we write.
        if self.holders().load(Ordering::Acquire) != 1 {
            return None;
        }
        // SAFETY: as `as_slice`, and we are the only holder while `self` is borrowed mutably.
        Some(unsafe { std::slice::from_raw_parts_mut(self.first(), self.len) })
    }
}

impl<E: Element> Clone for Storage<E> {
    fn clone(&self) -> Self {
        self.holders().fetch_add(1, Ordering::Relaxed);
        Storage { header: self.header, len: self.len, elements: PhantomData }
    }
}

impl<E: Element> Drop for Storage<E> {
    fn drop(&mut self) {
        // A sole holder stays the only one: nobody else is there to clone. A load is cheaper than a subtraction.
        let holders = self.holders();
        if holders.load(Ordering::Acquire) == 1 || holders.fetch_sub(1, Ordering::Release) == 1 {
            fence(Ordering::Acquire);
            give_back(self.header);
        }
    }
}

/// Buffers of one class that nobody holds, linked by their headers.
struct List {
    first: Cell<Option<NonNull<Header>>>,
    len: Cell<usize>,
}

impl List {
    const fn new() -> Self {
        List { first: Cell::new(None), len: Cell::new(0) }
    }

    /// Takes in a buffer that nobody holds and that is in no other list.
    fn push(&self, mut header: NonNull<Header>) {
        // SAFETY: nobody else has the buffer.
        unsafe { header.as_mut() }.next = self.first.replace(Some(header));
        self.len.update(|len| len + 1);
    }

    fn pop(&self) -> Option<NonNull<Header>> {
        let first = self.first.get()?;
        // SAFETY: what is in the list lives, and belongs to it.
        self.first.set(unsafe { first.as_ref() }.next);
        self.len.update(|len| len - 1);
        Some(first)
    }

    /// Gives the memory of all buffers, which are of this class, back to the system.
    fn release(&self, class: usize) {
        while let Some(header) = self.pop() {
            // SAFETY: allocated in `take` with the size of its class; nobody holds it.
            unsafe { pages::free(header.cast(), size(class), ALIGNMENT) };
        }
    }
}

/// Buffers that nobody holds, by class.
struct Pool([List; CLASSES]);

// SAFETY: a buffer in the pool has no holder, so whoever takes it out is its only user.
unsafe impl Send for Pool {}

static POOL: Mutex<Pool> = Mutex::new(Pool([const { List::new() }; CLASSES]));

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Small buffers that nobody holds and that only this thread takes: up to [`KEPT`] of each class. What is beyond them
/// goes to the pool, for all threads, and so does everything when the thread ends.
struct Kept([List; KEPT_CLASSES]);

impl Drop for Kept {
    fn drop(&mut self) {
        for (kept, shared) in self.0.iter().zip(&pool().0) {
            std::iter::from_fn(|| kept.pop()).for_each(|header| shared.push(header));
        }
    }
}

thread_local! {
    static OWN: Kept = const { Kept([const { List::new() }; KEPT_CLASSES]) };
}

/// What `f` makes of this thread's buffers of a class; `None` if it keeps none of that class, or ends.
fn own<R>(class: usize, f: impl FnOnce(&List) -> Option<R>) -> Option<R> {
    if class >= KEPT_CLASSES {
        return None;
    }
    OWN.try_with(|kept| f(&kept.0[class])).ok().flatten()
}

/// The class of a size.
#[inline]
fn class(bytes: usize) -> usize {
    let bytes = bytes.max(ALIGNMENT);
    let octave = (bytes - 1).max(ALIGNMENT).ilog2() as usize;
    // Quarters of the octave, rounded up; a division would take longer than all else here.
    let quarter = octave - 2;
    let step = (bytes - (1 << octave) + (1 << quarter) - 1) >> quarter;
    4 * (octave - 6) + step
}

/// The bytes that a buffer of a class holds.
fn capacity_of(class: usize) -> usize {
    let octave = 1usize << (class / 4 + 6);
    octave + class % 4 * (octave / 4)
}

/// The bytes of a buffer with its header.
fn size(class: usize) -> usize {
    size_of::<Header>() + capacity_of(class)
}

fn take(class: usize) -> NonNull<Header> {
    let mut header = own(class, List::pop).unwrap_or_else(|| take_shared(class));
    // SAFETY: what came from a list or the allocator has no other user.
    unsafe { header.as_mut() }.holders = AtomicUsize::new(1);
    header
}

/// A buffer from the pool or fresh from the allocator. Apart, so that who finds one of the thread's own does without its
/// registers.
#[cold]
fn take_shared(class: usize) -> NonNull<Header> {
    if let Some(header) = pool().0[class].pop() {
        return header;
    }
    let header = pages::allocate(size(class), ALIGNMENT).cast();
    // SAFETY: nobody else has the memory, which is aligned for a header.
    unsafe { header.write(Header { holders: AtomicUsize::new(0), class, next: None }) };
    header
}

fn give_back(header: NonNull<Header>) {
    // SAFETY: the last holder gives it back, so the header is alive and nobody writes it.
    let class = unsafe { header.as_ref() }.class;
    let kept = own(class, |list| (list.len.get() < KEPT).then(|| list.push(header)));
    if kept.is_none() {
        give_to_all(class, header);
    }
}

/// Gives a buffer to the pool; apart, as [`take_shared`].
#[cold]
fn give_to_all(class: usize, header: NonNull<Header>) {
    pool().0[class].push(header);
}

/// Gives the memory of all buffers that nobody holds back to the system, but for a few small ones that other threads
/// keep to themselves.
///
/// flaxen keeps the memory of dropped tensors for the next ones of the same size. Call this between two phases of
/// a program that need tensors of very different sizes.
pub fn release_memory() {
    for class in 0..KEPT_CLASSES {
        own(class, |list| {
            list.release(class);
            Some(())
        });
    }
    pool().0.iter().enumerate().for_each(|(class, list)| list.release(class));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::collections::BTreeSet;
    use std::thread;

    #[test]
    fn a_class_holds_what_was_asked_for_and_little_more() {
        for bytes in (0..5000).chain([1 << 20, (1 << 20) + 1, 12_845_056]) {
            let capacity = capacity_of(class(bytes));
            assert!(capacity >= bytes, "{bytes} bytes in {capacity}");
            assert!(capacity <= 64 + bytes + bytes / 4, "{bytes} bytes in {capacity}");
        }
    }

    #[test]
    fn a_dropped_buffer_is_used_again() {
        let first = Storage::<f32>::scratch(77_777);
        let address = first.as_slice().as_ptr();
        drop(first);
        assert_eq!(Storage::<u32>::scratch(77_776).as_slice().as_ptr().cast(), address);
    }

    /// The class of the buffers below: small, and used by hardly any other test.
    const CLASS: usize = KEPT_CLASSES - 2;

    fn small(count: usize) -> Vec<Storage<u8>> {
        (0..count).map(|_| Storage::scratch(capacity_of(CLASS))).collect()
    }

    fn addresses(buffers: &[Storage<u8>]) -> BTreeSet<usize> {
        buffers.iter().map(|buffer| buffer.as_slice().as_ptr().addr()).collect()
    }

    #[test]
    fn a_thread_keeps_a_few_small_buffers_and_leaves_all_when_it_ends() {
        let kept = || own(CLASS, |list| Some(list.len.get())).expect("a class of small buffers");
        let leaves = || {
            let buffers = small(3 * KEPT);
            let all = addresses(&buffers);
            let left = thread::spawn(move || {
                assert_eq!(kept(), 0);
                drop(buffers);
                assert_eq!(kept(), KEPT);
                let again = small(KEPT);
                assert_eq!(kept(), 0);
                addresses(&again)
            });
            let left = left.join().expect("the thread returns");
            assert!(left.is_subset(&all));
            // All that are taken out are put back.
            let pool = pool();
            let (taken, mut found) = (List::new(), 0);
            while let Some(header) = pool.0[CLASS].pop() {
                found += usize::from(left.contains(&(header.addr().get() + size_of::<Header>())));
                taken.push(header);
            }
            while let Some(header) = taken.pop() {
                pool.0[CLASS].push(header);
            }
            found > 0
        };
        // Other tests take from the pool too, and one releases all of it: once is not enough.
        assert!((0..100).any(|_| leaves()), "what the thread kept is for all when it has ended");
    }

    #[test]
    fn a_buffer_may_outlive_what_its_thread_keeps() {
        thread_local! {
            // Destroyed after `OWN`, which is used first below and so registered later.
            static LATE: RefCell<Vec<Storage<u8>>> = const { RefCell::new(Vec::new()) };
        }
        let ended = thread::spawn(|| {
            LATE.with(|late| late.borrow_mut().reserve(4));
            let buffers = small(4);
            LATE.with(|late| late.borrow_mut().extend(buffers));
        });
        assert!(ended.join().is_ok());
    }

    #[test]
    fn a_thread_releases_what_it_keeps() {
        thread::spawn(|| {
            drop(small(5));
            release_memory();
            assert_eq!(own(CLASS, |list| Some(list.len.get())), Some(0));
        })
        .join()
        .expect("the thread returns");
    }

    #[test]
    fn nothing_is_held_by_everybody() {
        let (first, second) = (Storage::<f32>::scratch(0), Storage::<f64>::empty());
        drop((first.clone(), first, second.clone()));
        assert_eq!(second.clone().get_mut(), Some(&mut [][..]));
        assert!(EMPTY.holders.load(Ordering::Relaxed) >= 2);
    }

    #[test]
    fn only_a_sole_holder_writes() {
        let mut storage = Storage::<i32>::scratch(3);
        let other = storage.clone();
        assert!(storage.get_mut().is_none());
        drop(other);
        storage.get_mut().expect("the only holder").fill(7);
        assert_eq!(storage.as_slice(), [7; 3]);
    }

    #[test]
    fn recycled_bytes_are_never_read_as_bool() {
        let mut bytes = Storage::<u8>::scratch(70);
        bytes.get_mut().expect("the only holder").fill(255);
        drop(bytes);
        assert_eq!(Storage::<bool>::scratch(70).as_slice(), [false; 70]);
    }
}
