//! Memory from the kernel.

use core::cell::Cell;
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
/// The mapping is the caller's, and may move.
pub(super) unsafe fn remap(start: *mut u8, old: usize, new: usize) -> *mut u8 {
    let flags = MREMAP_MAYMOVE as usize;
    // SAFETY: the mapping may change its size and its place: nobody holds on to it.
    let result = unsafe { sys::syscall4(__NR_mremap, start as usize, old, new, flags) };
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

/// Gives the memory of whole pages back, which read as zero from then on (madvise(2), MADV_DONTNEED).
///
/// # Safety
/// They are the caller's, and nobody needs what stands there.
pub(super) unsafe fn empty(start: usize, size: usize) {
    // SAFETY: nobody needs the contents. An error leaves them as they are.
    unsafe { sys::syscall3(__NR_madvise, start, size, MADV_DONTNEED as usize) };
}

/// The kernel, as dlmalloc asks for memory. It keeps a list of the regions that it gave, so that they can be walked through.
pub(super) struct System {
    newest: Cell<*mut Region>,
    bytes: Cell<usize>,
    /// Whether the heap may give regions back now.
    releasing: Cell<bool>,
}

// SAFETY: the regions belong to the heap, whose lock guards them all.
unsafe impl Send for System {}

/// What stands at the start of a region, before what dlmalloc gets. It keeps regions apart, too: dlmalloc would make one of two neighbours.
#[repr(C, align(64))]
struct Region {
    older: *mut Region,
    /// Of the mapping.
    bytes: usize,
}

const REGION_HEADER: usize = size_of::<Region>();

/// A region is a quarter of what there is, within these bounds: pages are not there before they are touched.
const REGION_MIN: usize = 1 << 20;
const REGION_MAX: usize = 64 << 20;

impl System {
    pub(super) const fn new() -> Self {
        System {
            newest: Cell::new(null_mut()),
            bytes: Cell::new(0),
            releasing: Cell::new(false),
        }
    }

    /// Says whether the heap may give regions back. Else it would do so whenever one is free, and get it anew.
    pub(super) fn set_releasing(&self, releasing: bool) {
        self.releasing.set(releasing);
    }

    /// Calls `f` with start and end of each region, as dlmalloc knows them.
    pub(super) fn each_region(&self, mut f: impl FnMut(usize, usize)) {
        let mut region = self.newest.get();
        while !region.is_null() {
            // SAFETY: the list leads from region to region, which are mapped.
            let (older, bytes) = unsafe { ((*region).older, (*region).bytes) };
            f(region as usize + REGION_HEADER, region as usize + bytes);
            region = older;
        }
    }

    /// Takes a region out of the list. False if it is not there.
    fn forget(&self, region: *mut Region) -> bool {
        let mut link = self.newest.as_ptr();
        // SAFETY: links lead from region to region, which are mapped; the heap's lock is held.
        unsafe {
            while !(*link).is_null() {
                if *link == region {
                    *link = (*region).older;
                    self.bytes.set(self.bytes.get() - (*region).bytes);
                    return true;
                }
                link = &raw mut (**link).older;
            }
        }
        false
    }
}

// SAFETY: every region is fresh, and is given back whole.
unsafe impl dlmalloc::Allocator for System {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        let share = (self.bytes.get() / 4).clamp(REGION_MIN, REGION_MAX) & !(REGION_MIN - 1);
        let none = (null_mut(), 0, 0);
        let Some(least) = size.checked_add(REGION_HEADER + PAGE - 1) else {
            return none;
        };
        let mut bytes = (least & !(PAGE - 1)).max(share);
        let mut region: *mut Region = map(bytes).cast();
        if region.is_null() {
            bytes = least & !(PAGE - 1);
            region = map(bytes).cast();
        }
        if region.is_null() {
            return none;
        }
        // SAFETY: the start of a fresh mapping of ours.
        unsafe {
            region.write(Region {
                older: self.newest.replace(region),
                bytes,
            })
        };
        self.bytes.set(self.bytes.get() + bytes);
        let memory = region.cast::<u8>().wrapping_add(REGION_HEADER);
        (memory, bytes - REGION_HEADER, 0)
    }

    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        null_mut()
    }

    /// The end of a region stays: it is emptied when that is due (`heap.rs`).
    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }

    fn free(&self, memory: *mut u8, size: usize) -> bool {
        let region: *mut Region = memory.wrapping_sub(REGION_HEADER).cast();
        // SAFETY: a region that this gave, which the heap does not use any more.
        self.forget(region) && unsafe { unmap(region.cast(), size + REGION_HEADER) }
    }

    fn can_release_part(&self, _flags: u32) -> bool {
        self.releasing.get()
    }

    fn allocates_zeros(&self) -> bool {
        true
    }

    fn page_size(&self) -> usize {
        PAGE
    }
}
