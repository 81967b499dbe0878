//! Pages for small blocks: spans of 64 KiB, cut from chunks that the kernel gives.
//!
//! A chunk is aligned to its size. Its first span holds what is known of the others; of that one a single page is ever touched. Free spans are
//! told apart by whether their memory has been given back to the system ("clean").

use core::ptr::null_mut;

use super::system::{empty, map, unmap};
use crate::arch::page::PAGE;
use crate::sys::lock::Lock;

/// Bytes of a span, which is aligned to them.
pub(super) const SPAN: usize = 64 << 10;

const CHUNK: usize = 4 << 20;

/// A bit for every span of a chunk but the first.
const ALL: u64 = !1;
const _: () = assert!(CHUNK / SPAN == u64::BITS as usize);

/// What stands at the start of a chunk.
#[repr(C)]
struct Chunk {
    /// Neighbours in the list of chunks with free spans.
    next: *mut Chunk,
    previous: *mut Chunk,
    /// Free spans, by whether their memory is there.
    dirty: u64,
    clean: u64,
}

/// Chunks with free spans: first those that have dirty ones, then the others.
struct Pool {
    first: *mut Chunk,
    last: *mut Chunk,
    /// How many free spans are dirty.
    dirty: usize,
}

// SAFETY: what the pool leads to is used with its lock held alone.
unsafe impl Send for Pool {}

static POOL: Lock<Pool> = Lock::new(Pool {
    first: null_mut(),
    last: null_mut(),
    dirty: 0,
});

/// Every function of this takes chunks that are mapped, and those that it says to be in the list are.
impl Pool {
    unsafe fn put_first(&mut self, chunk: *mut Chunk) {
        // SAFETY: mapped, and not in the list.
        unsafe {
            (*chunk).previous = null_mut();
            (*chunk).next = self.first;
            match self.first.is_null() {
                true => self.last = chunk,
                false => (*self.first).previous = chunk,
            }
        }
        self.first = chunk;
    }

    unsafe fn put_last(&mut self, chunk: *mut Chunk) {
        // SAFETY: mapped, and not in the list.
        unsafe {
            (*chunk).next = null_mut();
            (*chunk).previous = self.last;
            match self.last.is_null() {
                true => self.first = chunk,
                false => (*self.last).next = chunk,
            }
        }
        self.last = chunk;
    }

    unsafe fn remove(&mut self, chunk: *mut Chunk) {
        // SAFETY: mapped, and in the list, as its neighbours are.
        unsafe {
            let (next, previous) = ((*chunk).next, (*chunk).previous);
            match previous.is_null() {
                true => self.first = next,
                false => (*previous).next = next,
            }
            match next.is_null() {
                true => self.last = previous,
                false => (*next).previous = previous,
            }
        }
    }

    /// Maps a chunk, which is in the list then. False if there is no memory.
    fn grow(&mut self) -> bool {
        let mapped = map(2 * CHUNK);
        if mapped.is_null() {
            return false;
        }
        let start = (mapped as usize).next_multiple_of(CHUNK);
        let before = start - mapped as usize;
        let chunk = start as *mut Chunk;
        // SAFETY: what lies before and behind the chunk in a mapping of our own; the chunk's start.
        unsafe {
            if before > 0 {
                unmap(mapped, before);
            }
            unmap((start + CHUNK) as *mut u8, CHUNK - before);
            (*chunk).clean = ALL;
            self.put_last(chunk);
        }
        true
    }
}

/// A span, or null. What stands there is anything.
pub(super) fn take() -> *mut u8 {
    let mut pool = POOL.lock();
    if pool.first.is_null() && !pool.grow() {
        return null_mut();
    }
    let chunk = pool.first;
    // SAFETY: chunks in the list are mapped, and have a free span.
    unsafe {
        let which = match (*chunk).dirty {
            0 => (*chunk).clean.trailing_zeros(),
            dirty => dirty.trailing_zeros(),
        };
        let was_dirty = (*chunk).dirty & 1 << which != 0;
        (*chunk).dirty &= !(1 << which);
        (*chunk).clean &= !(1 << which);
        pool.dirty -= usize::from(was_dirty);
        if (*chunk).dirty == 0 && (*chunk).clean == 0 {
            pool.remove(chunk);
        } else if was_dirty && (*chunk).dirty == 0 {
            pool.remove(chunk);
            pool.put_last(chunk);
        }
        chunk.cast::<u8>().add(which as usize * SPAN)
    }
}

/// Gives a span back. Returns how many bytes of free spans are there.
///
/// # Safety
/// It came from [`take`], and nobody uses it any more.
pub(super) unsafe fn give(span: *mut u8) -> usize {
    let chunk = (span as usize & !(CHUNK - 1)) as *mut Chunk;
    let which = (span as usize % CHUNK) / SPAN;
    let mut pool = POOL.lock();
    // SAFETY: the chunk of a span is mapped. It is in the list when it has a free span.
    unsafe {
        if (*chunk).dirty == 0 {
            if (*chunk).clean != 0 {
                pool.remove(chunk);
            }
            pool.put_first(chunk);
        }
        (*chunk).dirty |= 1 << which;
    }
    pool.dirty += 1;
    pool.dirty * SPAN
}

/// Bytes of free spans that are there.
pub(super) fn dirty() -> usize {
    POOL.lock().dirty * SPAN
}

/// Gives the memory of free spans back to the system.
pub(super) fn trim() {
    loop {
        let mut pool = POOL.lock();
        let chunk = pool.first;
        // SAFETY: chunks in the list are mapped.
        if chunk.is_null() || unsafe { (*chunk).dirty } == 0 {
            return;
        }
        // Taken out like any others, so that nobody uses them while they are emptied without the lock.
        // SAFETY: as above.
        let taken = unsafe {
            pool.remove(chunk);
            let taken = core::mem::take(&mut (*chunk).dirty);
            if (*chunk).clean != 0 {
                pool.put_last(chunk);
            }
            taken
        };
        pool.dirty -= taken.count_ones() as usize;
        drop(pool);
        for which in (0..u64::BITS as usize).filter(|which| taken & 1 << which != 0) {
            // SAFETY: the keeper's own for the time.
            unsafe { empty(chunk as usize + which * SPAN, SPAN) };
        }
        put_back(chunk, taken);
    }
}

/// Makes spans of a chunk free again that were emptied; gives a chunk back that is all free.
fn put_back(chunk: *mut Chunk, emptied: u64) {
    let mut pool = POOL.lock();
    // SAFETY: a chunk of which the calling thread holds spans is mapped; it is in the list when it has a free one.
    unsafe {
        let listed = (*chunk).dirty | (*chunk).clean != 0;
        (*chunk).clean |= emptied;
        if (*chunk).clean == ALL {
            if listed {
                pool.remove(chunk);
            }
            drop(pool);
            // All of it is in nobody's hands but the calling thread's.
            unmap(chunk.cast(), CHUNK);
        } else if !listed {
            pool.put_last(chunk);
        }
    }
}

const _: () = assert!(size_of::<Chunk>() <= PAGE);
