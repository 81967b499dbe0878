//! The heap behind a lock: dlmalloc, and the way back of memory that it does not use.
//!
//! A block is at least 32 bytes with its header, a word before the memory that the program gets: the bytes of
//! the block and, in its low bits, whether this block and the one before it are in use (dlmalloc.rs, `Chunk`).
//! The crate has no call for the usable size, nor for a walk through the heap, so headers are read here; hence its exact version in Cargo.toml,
//! and tests.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use dlmalloc::Dlmalloc;

use super::HEADER;
use super::system::{System, empty};
use crate::arch::page::PAGE;
use crate::sys::lock::{Guard, Lock};

/// Bits of the header that say "in use" of this block or the one before it, both clear in a block that is a mapping of its own.
pub(super) const IN_USE: usize = 0b11;
pub(super) const FLAGS: usize = 0b111;

/// The bit of the block itself.
const OWN_IN_USE: usize = 0b10;

/// The header of what stands at the end of a region that is not the newest any more (dlmalloc.rs, `fencepost_head`).
const FENCE: usize = IN_USE | size_of::<usize>();

/// Bytes at the start of a free block that dlmalloc needs (dlmalloc.rs, `TreeChunk`).
const FREE_HEADER: usize = 64;

/// Free memory between two blocks in use goes back from this size on. Smaller runs cost more than they bring.
const RUN_MIN: usize = 16 * PAGE;

/// dlmalloc, and what is in use of it.
pub(super) struct Heap {
    blocks: Dlmalloc<System>,
    /// Bytes in use.
    used: usize,
    /// The most of them since memory was last given back.
    peak: usize,
}

static HEAP: Lock<Heap> = Lock::new(Heap::new());

/// Counts what was given back to the heap, for those who want to know whether it rests.
static FREES: AtomicUsize = AtomicUsize::new(0);

/// The heap.
pub(super) fn heap() -> Guard<'static, Heap> {
    HEAP.lock()
}

impl Heap {
    pub(super) const fn new() -> Self {
        Heap {
            blocks: Dlmalloc::new_with_allocator(System::new()),
            used: 0,
            peak: 0,
        }
    }

    fn count(&mut self, memory: *mut u8) -> *mut u8 {
        if !memory.is_null() {
            // SAFETY: a live block.
            self.used += unsafe { size(memory) };
            self.peak = self.peak.max(self.used);
        }
        memory
    }

    /// A block of at least `size` bytes at a multiple of `align`, a power of two; or null.
    pub(super) fn allocate(&mut self, align: usize, size: usize) -> *mut u8 {
        // SAFETY: `align` is a power of two.
        let memory = unsafe { self.blocks.c_memalign(align, size) };
        self.count(memory)
    }

    /// Gives regions back in which nothing is in use. The newest stays.
    fn release_regions(&mut self) {
        self.blocks.allocator().set_releasing(true);
        // SAFETY: callable at any time.
        unsafe { self.blocks.trim(0) };
        self.blocks.allocator().set_releasing(false);
    }

    /// Gives a block back. Returns how many bytes may be free that were in use since [`Heap::trim`].
    ///
    /// # Safety
    /// `memory` is a live block of the heap, which nobody uses any more.
    pub(super) unsafe fn free(&mut self, memory: *mut u8) -> usize {
        // SAFETY: a live block that nobody uses any more.
        unsafe {
            self.used -= size(memory);
            self.blocks.c_free(memory);
        }
        FREES.store(FREES.load(Relaxed) + 1, Relaxed);
        self.peak - self.used
    }
}

/// The size of the block at `memory`, with its header.
///
/// # Safety
/// `memory` is a live block of the heap.
unsafe fn size(memory: *mut u8) -> usize {
    // SAFETY: the word before a block is its header. Neighbours change flags in it under the lock, which is held here.
    unsafe { memory.sub(HEADER).cast::<usize>().read() & !FLAGS }
}

/// How many blocks were given back to the heap, ever; wraps around.
pub(super) fn frees() -> usize {
    FREES.load(Relaxed)
}

/// How many bytes may be free that were in use since memory was last given back.
pub(super) fn slack() -> usize {
    let heap = heap();
    heap.peak - heap.used
}

/// Gives the pages of free blocks back to the system. Others wait for no longer than one region takes.
pub(super) fn trim() {
    let mut after = 0;
    loop {
        let mut heap = heap();
        let mut next = None;
        heap.blocks.allocator().each_region(|start, end| {
            if start > after && next.is_none_or(|(other, _)| start < other) {
                next = Some((start, end));
            }
        });
        let Some((start, end)) = next else {
            heap.release_regions();
            heap.peak = heap.used;
            return;
        };
        // SAFETY: a region of the heap, and the lock is held.
        unsafe { trim_region(start, end) };
        after = start;
    }
}

/// Empties the pages of the free blocks of a region.
///
/// # Safety
/// The region is the heap's, and nobody else uses the heap.
unsafe fn trim_region(start: usize, end: usize) {
    let mut block = start;
    // A block's own bytes begin at its header, one word on; the first word is the block's before it while that is in use.
    while block + 2 * HEADER <= end {
        // SAFETY: blocks lie side by side from the start of the region to a fence, or to the free rest of the newest region,
        // after which comes a header without flags.
        let header = unsafe { ((block + HEADER) as *const usize).read() };
        if header == FENCE || header & IN_USE == 0 {
            return;
        }
        let next = block + (header & !FLAGS);
        if header & OWN_IN_USE == 0 {
            let first = (block + FREE_HEADER + PAGE - 1) & !(PAGE - 1);
            let last = next & !(PAGE - 1);
            if last >= first + RUN_MIN {
                // SAFETY: the pages lie in a free block, behind what dlmalloc keeps there.
                unsafe { empty(first, last - first) };
            }
        }
        block = next;
    }
}
