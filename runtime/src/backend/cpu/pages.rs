//! Fresh memory, in pages as large as the system has them.
//!
//! A sweep over tens of megabytes asks for a translation of addresses at each new page, and the processor's own prefetching
//! stops at its end. Pages of 2 MiB make both five hundred times rarer, and a large buffer faster to touch for the first time.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// The size of a large page, of x86-64 and of AArch64.
const LARGE_PAGE: usize = 2 << 20;

/// Memory of a size that begins at a multiple of `alignment`, or at that of a large page if it fills one. Its bytes are zeros.
pub fn allocate(size: usize, alignment: usize) -> NonNull<u8> {
    let layout = layout(size, alignment);
    assert!(size > 0, "memory for nothing");
    // SAFETY: the layout is not empty.
    let start = NonNull::new(unsafe { alloc(layout) }).unwrap_or_else(|| handle_alloc_error(layout));
    if layout.align() == LARGE_PAGE {
        ask_for_large_pages(start, size);
    }
    // SAFETY: these bytes were just allocated.
    unsafe { start.write_bytes(0, size) };
    start
}

/// Gives memory back to the system.
///
/// # Safety
///
/// It came from [`allocate`] with this size and alignment, and nobody uses it any more.
pub unsafe fn free(start: NonNull<u8>, size: usize, alignment: usize) {
    // SAFETY: the same layout as in `allocate`; the rest is the caller's promise.
    unsafe { dealloc(start.as_ptr(), layout(size, alignment)) }
}

fn layout(size: usize, alignment: usize) -> Layout {
    let alignment = if size < LARGE_PAGE { alignment } else { LARGE_PAGE };
    match Layout::from_size_align(size, alignment) {
        Ok(layout) => layout,
        Err(_) => panic!("a tensor of {size} bytes is larger than the address space"),
    }
}

/// Before the memory is touched. Where the system has none to give, small pages serve.
#[cfg(all(target_os = "linux", not(miri)))]
fn ask_for_large_pages(start: NonNull<u8>, size: usize) {
    // SAFETY: the bytes are ours, begin at a page, and keep what they hold.
    unsafe { libc::madvise(start.as_ptr().cast(), size, libc::MADV_HUGEPAGE) };
}

#[cfg(not(all(target_os = "linux", not(miri))))]
fn ask_for_large_pages(_: NonNull<u8>, _: usize) {}

#[cfg(test)]
mod tests {
    use super::{LARGE_PAGE, allocate, free};

    #[test]
    fn memory_is_aligned_and_zero() {
        for size in [1, 4096, LARGE_PAGE - 1, LARGE_PAGE, 2 * LARGE_PAGE + 4097] {
            let start = allocate(size, 64);
            assert_eq!(start.addr().get() % if size < LARGE_PAGE { 64 } else { LARGE_PAGE }, 0);
            // SAFETY: so many bytes were allocated, and were initialised.
            let bytes = unsafe { std::slice::from_raw_parts(start.as_ptr(), size) };
            assert!(bytes.iter().all(|byte| *byte == 0), "{size} bytes");
            // SAFETY: allocated above; `bytes` is not used again.
            unsafe { free(start, size, 64) };
        }
    }
}
