//! malloc(3) and its family, under their C names.

use core::ffi::c_void;
use core::ptr::null_mut;

use linux_raw_sys::errno::{EINVAL, ENOMEM};

use crate::alloc::{self, ALIGN, usable_size};
use crate::lane::heap::cache;
use crate::lane::set_errno;

/// Passes a block on, and says ENOMEM when there is none.
#[inline(always)]
fn or_enomem(memory: *mut u8) -> *mut c_void {
    if memory.is_null() {
        set_errno(ENOMEM as i32);
    }
    memory.cast()
}

/// malloc(3).
#[unsafe(no_mangle)]
pub extern "C" fn malloc(size: usize) -> *mut c_void {
    let memory = cache().malloc_fast(size);
    if memory.is_null() {
        return malloc_slow(size);
    }
    memory.cast()
}

#[cold]
#[inline(never)]
extern "C" fn malloc_slow(size: usize) -> *mut c_void {
    or_enomem(cache().malloc_slow(size))
}

/// calloc(3).
#[unsafe(no_mangle)]
pub extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    or_enomem(match count.checked_mul(size) {
        Some(size) => cache().calloc(size),
        None => null_mut(),
    })
}

/// realloc(3). A size of 0 gives a block of no bytes, as in musl; glibc frees and returns null. C23 leaves it undefined.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn realloc(memory: *mut c_void, size: usize) -> *mut c_void {
    if memory.is_null() {
        return malloc(size);
    }
    // SAFETY: not null, so C has it be a live block.
    or_enomem(unsafe { cache().realloc(memory.cast(), size) })
}

/// reallocarray(3).
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn reallocarray(
    memory: *mut c_void,
    count: usize,
    size: usize,
) -> *mut c_void {
    match count.checked_mul(size) {
        // SAFETY: C has it be null or a live block.
        Some(size) => unsafe { realloc(memory, size) },
        None => or_enomem(null_mut()),
    }
}

/// free(3). Leaves errno alone.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free(memory: *mut c_void) {
    // SAFETY: C has it be null or a live block, which is not used any more.
    unsafe { cache().free(memory.cast()) }
}

/// posix_memalign(3): returns the error, and leaves errno alone.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn posix_memalign(
    result: *mut *mut c_void,
    align: usize,
    size: usize,
) -> i32 {
    if !align.is_power_of_two() || align < size_of::<*mut c_void>() {
        return EINVAL as i32;
    }
    let memory = aligned(align, size);
    if memory.is_null() {
        return ENOMEM as i32;
    }
    // SAFETY: C has `result` be writable.
    unsafe { result.write(memory.cast()) };
    0
}

/// aligned_alloc(3).
#[unsafe(no_mangle)]
pub extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut c_void {
    if !align.is_power_of_two() {
        set_errno(EINVAL as i32);
        return null_mut();
    }
    or_enomem(aligned(align, size))
}

/// memalign(3).
#[unsafe(no_mangle)]
pub extern "C" fn memalign(align: usize, size: usize) -> *mut c_void {
    aligned_alloc(align, size)
}

fn aligned(align: usize, size: usize) -> *mut u8 {
    if align <= ALIGN {
        cache().malloc(size)
    } else if align > isize::MAX as usize / 2 {
        null_mut()
    } else {
        alloc::memalign(align, size)
    }
}

/// malloc_usable_size(3).
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn malloc_usable_size(memory: *mut c_void) -> usize {
    // SAFETY: C has it be null or a live block.
    unsafe { usable_size(memory.cast()) }
}
