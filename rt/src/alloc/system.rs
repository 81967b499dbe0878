//! Memory from the kernel.

use core::ptr::null_mut;

use linux_raw_sys::general::*;

use crate::arch::page::PAGE;
use crate::sys;

/// A fresh mapping, zeroed; null when there is none.
pub(super) fn map(size: usize) -> *mut u8 {
    // SAFETY: a fresh mapping.
    let result = unsafe {
        sys::syscall6(
            __NR_mmap,
            0,
            size,
            (PROT_READ | PROT_WRITE) as usize,
            (MAP_PRIVATE | MAP_ANONYMOUS) as usize,
            usize::MAX,
            0,
        )
    };
    sys::check(result).map_or(null_mut(), |address| address as *mut u8)
}

/// Another size for a mapping, maybe elsewhere; null when that cannot be, and then the mapping stays.
///
/// # Safety
/// The mapping is the caller's, and may move if so said.
pub(super) unsafe fn remap(start: *mut u8, old: usize, new: usize, can_move: bool) -> *mut u8 {
    let flags = if can_move { MREMAP_MAYMOVE } else { 0 };
    // SAFETY: the mapping may change its size and, if `can_move` says so, its place: nobody holds on to it.
    let result = unsafe { sys::syscall4(__NR_mremap, start as usize, old, new, flags as usize) };
    sys::check(result).map_or(null_mut(), |address| address as *mut u8)
}

/// Gives a mapping back, or part of one.
///
/// # Safety
/// It is the caller's, and not used any more.
pub(super) unsafe fn unmap(start: *mut u8, size: usize) -> bool {
    // SAFETY: nobody uses these pages any more.
    unsafe { sys::syscall2(__NR_munmap, start as usize, size) == 0 }
}

/// The kernel, as dlmalloc asks for memory.
pub(super) struct System;

// SAFETY: every mapping is fresh, and is given back whole or in part as asked.
unsafe impl dlmalloc::Allocator for System {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        (map(size), size, 0)
    }

    fn remap(&self, ptr: *mut u8, old: usize, new: usize, can_move: bool) -> *mut u8 {
        // SAFETY: the heap's own mapping.
        unsafe { remap(ptr, old, new, can_move) }
    }

    fn free_part(&self, ptr: *mut u8, old: usize, new: usize) -> bool {
        // SAFETY: the heap's own mapping.
        unsafe { unmap(ptr.add(new), old - new) }
    }

    fn free(&self, ptr: *mut u8, size: usize) -> bool {
        // SAFETY: the heap's own mapping.
        unsafe { unmap(ptr, size) }
    }

    fn can_release_part(&self, _flags: u32) -> bool {
        true
    }

    fn allocates_zeros(&self) -> bool {
        true
    }

    fn page_size(&self) -> usize {
        PAGE
    }
}
