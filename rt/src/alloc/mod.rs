//! The heap behind malloc (`c/malloc.rs`): small blocks from a cache of the thread's own, large ones straight from the kernel, and everything
//! between from one heap behind a lock (`heap.rs`). What is free for long goes back to the system (`keeper.rs`).

use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

mod class;
mod heap;
pub(crate) mod keeper;
mod mapping;
pub(crate) mod spare;
mod system;

use heap::{FLAGS, IN_USE, heap};

/// Every block is aligned to this: C's `max_align_t`.
pub const ALIGN: usize = 16;

/// Bytes that a thread keeps of one class, at most: but two blocks always, and never more than 64.
const CACHED_BYTES: usize = 16 * 1024;

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
        (header & !FLAGS) - HEADER
    }
}

/// Free blocks of one thread: a list and its length per class. All zero is an empty cache.
#[repr(C)]
pub struct Cache {
    lists: [*mut u8; class::COUNT],
    lengths: [u8; class::COUNT],
}

/// How many blocks of a class a thread keeps.
static LIMIT: [u8; class::COUNT] = {
    let mut limits = [0; class::COUNT];
    let mut i = 0;
    while i < class::COUNT {
        limits[i] = match CACHED_BYTES / class::size(i) {
            0..2 => 2,
            blocks @ 2..64 => blocks as u8,
            _ => 64,
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

    /// Takes several blocks at once from the heap; returns one of them, or null.
    fn refill(&mut self, class: usize) -> *mut u8 {
        let mut heap = heap();
        let size = class::size(class) - HEADER;
        let memory = heap.allocate(size);
        if memory.is_null() {
            return memory;
        }
        for _ in 0..LIMIT[class] / 8 {
            let more = heap.allocate(size);
            if more.is_null() {
                break;
            }
            // At most 16 bytes more than asked for: it may belong to the next class.
            // SAFETY: a live block.
            match class::of_block(unsafe { header(more) } & !FLAGS) {
                Some(class) if self.lengths[class] < LIMIT[class] => self.push(class, more),
                _ => {
                    // SAFETY: ours, and live.
                    unsafe { heap.free(more) };
                    break;
                }
            }
        }
        memory
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
        let Some(class) = class::of_block(header & !FLAGS) else {
            // SAFETY: a live block that nobody uses any more, and its header.
            return unsafe { free_large(memory, header) };
        };
        if self.lengths[class] >= LIMIT[class] {
            return self.push_to_full(class, memory);
        }
        self.push(class, memory);
    }

    /// As `push`, when there are too many blocks of that size.
    #[cold]
    #[inline(never)]
    fn push_to_full(&mut self, class: usize, memory: *mut u8) {
        self.drain(class, LIMIT[class] / 2);
        self.push(class, memory);
    }

    /// Gives blocks of one size back to the heap until `keep` are left.
    fn drain(&mut self, class: usize, keep: u8) {
        let mut heap = heap();
        let mut slack = 0;
        while self.lengths[class] > keep {
            // SAFETY: free blocks of the heap, and ours.
            slack = unsafe { heap.free(self.pop(class)) };
        }
        drop(heap);
        want_keeper(slack);
    }

    /// Gives all blocks back to the heap.
    pub(crate) fn flush(&mut self) {
        for class in 0..class::COUNT {
            if self.lengths[class] > 0 {
                self.drain(class, 0);
            }
        }
    }

    /// A zeroed block of at least `size` bytes, or null.
    #[inline]
    pub(crate) fn calloc(&mut self, size: usize) -> *mut u8 {
        if size >= mapping::MIN {
            return calloc_large(size);
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
        return mapping::allocate(align.max(ALIGN), size).0;
    }
    heap().allocate_aligned(align, size)
}

/// A zeroed block of its own mapping, or null.
#[inline(never)]
fn calloc_large(size: usize) -> *mut u8 {
    let (memory, zeroed) = mapping::allocate(ALIGN, size);
    if !memory.is_null() && !zeroed {
        // SAFETY: a fresh block of `size` bytes or more.
        unsafe { memory.write_bytes(0, size) };
    }
    memory
}

#[cfg(test)]
mod tests;
