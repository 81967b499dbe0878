//! The heap behind malloc (`c/malloc.rs`): small blocks from a cache of the thread's own (`slab.rs`), large ones straight from the kernel
//! (`mapping.rs`), and everything between from one heap behind a lock (`heap.rs`). What is free for long goes back to the system (`keeper.rs`).
//!
//! The word before each block is its header. Its low bits tell the three kinds apart; the rest is, for small blocks, the class and the size, else the size.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

mod class;
mod heap;
pub(crate) mod keeper;
mod mapping;
mod slab;
mod spans;
pub(crate) mod spare;
mod system;

use heap::{FLAGS, IN_USE, heap};
use slab::{List, SLAB};

/// Every block is aligned to this: C's `max_align_t`.
pub const ALIGN: usize = 16;

/// Bytes of a list of one class that a thread keeps, at most: but four blocks always, and never more than 32. A thread has up to two lists of each.
const LIST_BYTES: usize = 32 * 1024;

/// Bytes of a block's header.
const HEADER: usize = 8;

/// The header of the block at `memory`.
///
/// # Safety
/// `memory` is a live block of the heap.
#[inline(always)]
unsafe fn header(memory: *mut u8) -> usize {
    // Atomic, as the thread that frees the block before this one changes a flag in it, under the lock. The size stays.
    // SAFETY: the word before a block is its header.
    unsafe { (*memory.sub(HEADER).cast::<AtomicUsize>()).load(Relaxed) }
}

/// Whether the block is a mapping of its own.
#[inline(always)]
fn is_mapping(header: usize) -> bool {
    header & IN_USE == 0
}

/// Bytes at `memory` that the program may use; 0 for null.
///
/// # Safety
/// `memory` is null or a live block of the heap.
#[inline]
pub unsafe fn usable_size(memory: *mut u8) -> usize {
    if memory.is_null() {
        return 0;
    }
    // SAFETY: not null, so it is a live block of the heap.
    let header = unsafe { header(memory) };
    if is_mapping(header) {
        // SAFETY: as the header says.
        unsafe { mapping::usable_size(memory) }
    } else {
        size_in(header) - HEADER
    }
}

/// The size of a small block or one of the heap's, with its header.
#[inline(always)]
fn size_in(header: usize) -> usize {
    // The upper half of a small block's header is its class; none of these blocks has as many bytes.
    header as u32 as usize & !FLAGS
}

/// Free blocks of one thread, per class: a list that blocks come from and go to, with its length, and a second one that is full or empty. So a
/// thread that takes and frees blocks in turn, around any number of them, does not go to the slab each time. All zero is an empty cache.
#[repr(C)]
pub struct Cache {
    lists: [*mut u8; class::COUNT],
    full: [*mut u8; class::COUNT],
    lengths: [u8; class::COUNT],
}

/// How many blocks are a full list.
static LIMIT: [u8; class::COUNT] = {
    let mut limits = [0; class::COUNT];
    let mut i = 0;
    while i < class::COUNT {
        limits[i] = match LIST_BYTES / class::size(i) {
            0..4 => 4,
            blocks @ 4..32 => blocks as u8,
            _ => 32,
        };
        i += 1;
    }
    limits
};

impl Cache {
    /// An empty cache.
    #[cfg(test)]
    pub(crate) const fn new() -> Self {
        Cache {
            lists: [null_mut(); class::COUNT],
            full: [null_mut(); class::COUNT],
            lengths: [0; class::COUNT],
        }
    }

    #[inline(always)]
    fn push(&mut self, class: usize, memory: *mut u8) {
        // SAFETY: a free block of the heap has room for a pointer, and is ours.
        unsafe { memory.cast::<*mut u8>().write(self.lists[class]) };
        self.lists[class] = memory;
        self.lengths[class] += 1;
    }

    #[inline(always)]
    fn pop(&mut self, class: usize) -> *mut u8 {
        let memory = self.lists[class];
        if !memory.is_null() {
            // SAFETY: `push` put the next one there.
            self.lists[class] = unsafe { memory.cast::<*mut u8>().read() };
            self.lengths[class] -= 1;
        }
        memory
    }

    /// A block of at least `size` bytes if the cache has one, or null.
    #[inline(always)]
    pub(crate) fn malloc_fast(&mut self, size: usize) -> *mut u8 {
        class::of_request(size).map_or(null_mut(), |class| self.pop(class))
    }

    /// A block of at least `size` bytes, or null.
    #[inline]
    pub(crate) fn malloc(&mut self, size: usize) -> *mut u8 {
        let memory = self.malloc_fast(size);
        if memory.is_null() {
            return self.malloc_slow(size);
        }
        memory
    }

    /// As `malloc`, when the cache has no block of that size.
    #[cold]
    #[inline(never)]
    pub(crate) fn malloc_slow(&mut self, size: usize) -> *mut u8 {
        match class::of_request(size) {
            Some(class) => self.refill(class),
            None => memalign(ALIGN, size),
        }
    }

    /// Gets a list when there is none; returns a block of it, or null.
    fn refill(&mut self, class: usize) -> *mut u8 {
        let full = core::mem::replace(&mut self.full[class], null_mut());
        let list = match full.is_null() {
            false => List {
                first: full,
                length: LIMIT[class].into(),
            },
            true => slab::take(class, LIMIT[class].into()),
        };
        self.lists[class] = list.first;
        // No list has more blocks than a full one.
        self.lengths[class] = list.length as u8;
        self.pop(class)
    }

    /// Gives a block back.
    ///
    /// # Safety
    /// `memory` is null or a live block, which nobody uses any more.
    #[inline(always)]
    pub(crate) unsafe fn free(&mut self, memory: *mut u8) {
        if memory.is_null() {
            return;
        }
        // SAFETY: not null, so it is a live block of the heap.
        let header = unsafe { header(memory) };
        if header & SLAB == 0 {
            // SAFETY: a live block that nobody uses any more, and its header.
            return unsafe { free_large(memory, header) };
        }
        let class = slab::class_of(header);
        if self.lengths[class] >= LIMIT[class] {
            self.put_aside(class);
        }
        self.push(class, memory);
    }

    /// Makes room for more when the list is full: it becomes the second one, and that goes to the slab.
    #[cold]
    #[inline(never)]
    fn put_aside(&mut self, class: usize) {
        let list = core::mem::replace(&mut self.lists[class], null_mut());
        self.lengths[class] = 0;
        let full = core::mem::replace(&mut self.full[class], list);
        give(class, full, LIMIT[class]);
    }

    /// Gives all blocks back to the slab.
    pub(crate) fn flush(&mut self) {
        for (class, limit) in LIMIT.iter().enumerate() {
            let list = core::mem::replace(&mut self.lists[class], null_mut());
            let length = core::mem::take(&mut self.lengths[class]);
            give(class, list, length);
            let full = core::mem::replace(&mut self.full[class], null_mut());
            give(class, full, *limit);
        }
    }

    /// A zeroed block of at least `size` bytes, or null.
    #[inline]
    pub(crate) fn calloc(&mut self, size: usize) -> *mut u8 {
        if size >= mapping::MIN {
            return mapping::allocate_zeroed(size);
        }
        let memory = self.malloc(size);
        if !memory.is_null() {
            // SAFETY: a fresh block of `size` bytes or more.
            unsafe { memory.write_bytes(0, size) };
        }
        memory
    }

    /// The block at `memory` with at least `size` bytes, maybe elsewhere; null if there is no memory, and then the old block stays.
    ///
    /// # Safety
    /// `memory` is a live block.
    pub(crate) unsafe fn realloc(&mut self, memory: *mut u8, size: usize) -> *mut u8 {
        // SAFETY: a live block of the heap.
        let header = unsafe { header(memory) };
        if is_mapping(header) && size >= mapping::MIN / 2 {
            // SAFETY: as the header says.
            let moved = unsafe { mapping::resize(memory, size) };
            if !moved.is_null() {
                return moved;
            }
            // The kernel does not move pages that the program has set apart, say by mlock(2). Bytes can be copied.
        }
        // SAFETY: a live block of the heap.
        let old = unsafe { usable_size(memory) };
        // A block that is less than twice too large stays. Else it moves, without the lock while bytes are copied, which
        // dlmalloc's own realloc would hold.
        if size <= old && old / 2 <= size.max(class::MIN) {
            return memory;
        }
        let fresh = self.malloc(size);
        if !fresh.is_null() {
            // SAFETY: both blocks have that many bytes; the old one is the caller's no more.
            unsafe {
                core::ptr::copy_nonoverlapping(memory, fresh, size.min(old));
                self.free(memory);
            }
        }
        fresh
    }
}

/// Gives a list of blocks to the slab, if there is one.
fn give(class: usize, first: *mut u8, length: u8) {
    if first.is_null() {
        return;
    }
    let length = length.into();
    // SAFETY: a list of a thread's free blocks of that class.
    want_keeper(unsafe { slab::give(class, List { first, length }) });
}

/// Gives a block back that is too large for a cache.
///
/// # Safety
/// As for [`Cache::free`]; `header` is the block's.
#[inline(never)]
unsafe fn free_large(memory: *mut u8, header: usize) {
    // SAFETY: a live block that nobody uses any more, of the kind that its header says.
    let unused = unsafe {
        match is_mapping(header) {
            true => mapping::free(memory),
            false => heap().free(memory),
        }
    };
    want_keeper(unused);
}

/// Has memory given back to the system, if there is much of it.
#[inline]
fn want_keeper(unused: usize) {
    if unused >= keeper::WORTH {
        keeper::want();
    }
}

/// A block of at least `size` bytes at a multiple of `align`, a power of two; or null.
pub(crate) fn memalign(align: usize, size: usize) -> *mut u8 {
    if size >= mapping::MIN || align >= mapping::MIN {
        return mapping::allocate(align.max(ALIGN), size);
    }
    let memory = heap().allocate(align, size);
    match memory.is_null() && spare::release_all() {
        true => heap().allocate(align, size),
        false => memory,
    }
}

#[cfg(test)]
mod tests;
