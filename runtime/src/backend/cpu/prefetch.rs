//! Asking for memory before it is needed.

#![allow(unsafe_code)]

/// The bytes that come from memory together.
const LINE: usize = 64;

/// Tells the processor that these elements will be needed soon, so that they arrive while it works on others.
#[inline(always)]
pub fn prefetch<E>(elements: &[E]) {
    let start: *const u8 = elements.as_ptr().cast();
    for offset in (0..size_of_val(elements)).step_by(LINE) {
        to_read(start.wrapping_add(offset));
    }
}

/// Tells the processor that the line at `from` will be read soon.
#[inline(always)]
pub(super) fn to_read<E>(from: *const E) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing, whatever the address.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(from.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = from;
}

/// Tells the processor that the line at `to` will be written soon.
#[inline(always)]
pub(super) fn to_write<E>(to: *mut E) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: as above.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_ET0 }>(to.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = to;
}
