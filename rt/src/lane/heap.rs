//! Memory: the cache of the calling thread, and blocks of the runtime's own.

use core::ptr::null_mut;

use super::control::control;
use crate::alloc::{ALIGN, Cache};

/// The calling thread's cache.
#[inline(always)]
pub fn cache() -> &'static mut Cache {
    // SAFETY: all Rust code runs in a lane, whose cache only its thread uses; nothing that has it calls back here.
    unsafe { &mut (*control()).heap }
}

/// Memory for `count` values of the runtime's own; ends the program if there is none.
pub fn take<T>(count: usize) -> *mut T {
    const { assert!(align_of::<T>() <= ALIGN) };
    let memory = match count.checked_mul(size_of::<T>()) {
        Some(size) => cache().malloc(size),
        None => null_mut(),
    };
    if memory.is_null() {
        crate::sys::die::fatal("out of memory");
    }
    memory.cast()
}

/// Gives back what [`take`] gave.
///
/// # Safety
/// It came from `take`, and is not used any more.
pub unsafe fn give_back<T>(memory: *mut T) {
    // SAFETY: a live block, by the function's own condition.
    unsafe { cache().free(memory.cast()) }
}
