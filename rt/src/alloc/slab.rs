//! Small blocks, for the caches of threads: every span holds blocks of one class, and each class has a lock.
//!
//! Threads take and give lists of blocks, so that the lock is taken once for many of them. Lists that were given are kept whole, and given to who asks
//! next: a block that one thread makes and another frees travels back in this way. What is more than that goes back to its span, which is
//! found by its address; a span without blocks in use goes back to where it came from (`spans.rs`).
//!
//! A block's header says its class, its size and that it is of this kind.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::class;
use super::heap::IN_USE;
use super::spans::{self, SPAN};
use super::{ALIGN, HEADER};
use crate::sys::die::fatal;
use crate::sys::lock::Lock;

/// The bit of a header that tells these blocks from others.
pub(super) const SLAB: usize = 0b100;

const CLASS_SHIFT: u32 = 32;

/// Bytes of one class that are kept in lists, at most.
const KEPT: usize = 4 << 20;

/// What stands at the start of a span.
#[repr(C)]
struct Span {
    /// Free blocks, linked by their first word.
    free: *mut u8,
    /// Neighbours in the list of spans of the class that have a block to give.
    next: *mut Span,
    previous: *mut Span,
    /// Blocks that there is room for; that have been made; that are not free.
    room: u32,
    made: u32,
    used: u32,
}

/// From the start of a span to the header of its first block.
const FIRST: usize = size_of::<Span>().next_multiple_of(ALIGN) + ALIGN - HEADER;

/// A list of free blocks, linked by their first word. All are of one class.
#[derive(Clone, Copy)]
pub(super) struct List {
    pub(super) first: *mut u8,
    pub(super) length: usize,
}

/// What stands in the first block of a list that is kept.
#[repr(C)]
struct Kept {
    next_block: *mut u8,
    next_list: *mut u8,
    length: usize,
}
const _: () = assert!(size_of::<Kept>() <= class::MIN - HEADER);

/// The blocks of a class that no thread has.
struct Class {
    /// Lists, linked in their first block, and the bytes of their blocks.
    lists: *mut u8,
    bytes: usize,
    /// Spans that have a block to give.
    spans: *mut Span,
}

// SAFETY: what a class leads to is used with its lock held alone.
unsafe impl Send for Class {}

static CLASSES: [Lock<Class>; class::COUNT] = [const {
    Lock::new(Class {
        lists: null_mut(),
        bytes: 0,
        spans: null_mut(),
    })
}; class::COUNT];

/// Bytes of all lists that are kept.
static LISTED: AtomicUsize = AtomicUsize::new(0);

/// The class of a block with that header.
#[inline(always)]
pub(super) fn class_of(header: usize) -> usize {
    header >> CLASS_SHIFT
}

/// The header of a block.
const fn header_of(class: usize) -> usize {
    class << CLASS_SHIFT | class::size(class) | SLAB | IN_USE
}

/// Blocks of a class: `want` of them or some other number, none if there is no memory.
pub(super) fn take(class: usize, want: usize) -> List {
    let mut own = CLASSES[class].lock();
    if !own.lists.is_null() {
        return own.pop_list(class);
    }
    if own.spans.is_null() && !own.add_span(class) {
        return List {
            first: null_mut(),
            length: 0,
        };
    }
    own.cut(class, want)
}

/// Takes a list of blocks back. Returns how many bytes lie free.
///
/// # Safety
/// The blocks are of that class, at least one, and nobody uses them any more.
pub(super) unsafe fn give(class: usize, list: List) -> usize {
    let bytes = list.length * class::size(class);
    let mut own = CLASSES[class].lock();
    if own.bytes + bytes <= KEPT {
        own.push_list(list, bytes);
        return LISTED.load(Relaxed);
    }
    // SAFETY: the caller's.
    unsafe { own.scatter(list) }
}

/// Bytes that lie free in lists.
pub(super) fn listed() -> usize {
    LISTED.load(Relaxed)
}

/// Gives all lists back to their spans, and spans without blocks in use to where they came from.
pub(super) fn trim() {
    for (class, own) in CLASSES.iter().enumerate() {
        loop {
            // Anew for each, so that nobody waits for long.
            let mut own = own.lock();
            if own.lists.is_null() {
                own.give_unused();
                break;
            }
            let list = own.pop_list(class);
            // SAFETY: a list that was kept, of this class.
            unsafe { own.scatter(list) };
        }
    }
}

impl Class {
    fn push_list(&mut self, list: List, bytes: usize) {
        // SAFETY: a free block, which has room for this; the next block is where it was.
        unsafe {
            let kept: *mut Kept = list.first.cast();
            (*kept).next_list = self.lists;
            (*kept).length = list.length;
        }
        self.lists = list.first;
        self.bytes += bytes;
        LISTED.fetch_add(bytes, Relaxed);
    }

    /// The newest list. There must be one.
    fn pop_list(&mut self, class: usize) -> List {
        let first = self.lists;
        // SAFETY: `push_list` left this there.
        let kept = unsafe { first.cast::<Kept>().read() };
        self.lists = kept.next_list;
        let bytes = kept.length * class::size(class);
        self.bytes -= bytes;
        LISTED.fetch_sub(bytes, Relaxed);
        List {
            first,
            length: kept.length,
        }
    }

    /// Gets a span. False if there is no memory.
    fn add_span(&mut self, class: usize) -> bool {
        let span: *mut Span = spans::take().cast();
        if span.is_null() {
            return false;
        }
        // SAFETY: the start of a span that is this class's now.
        unsafe {
            span.write(Span {
                free: null_mut(),
                next: null_mut(),
                previous: null_mut(),
                room: ((SPAN - FIRST) / class::size(class)) as u32,
                made: 0,
                used: 0,
            });
            self.link(span);
        }
        true
    }

    /// Up to `want` blocks of the first span. There must be one.
    fn cut(&mut self, class: usize, want: usize) -> List {
        let span = self.spans;
        let mut list = List {
            first: null_mut(),
            length: 0,
        };
        // SAFETY: spans in the list are this class's, and have a block to give.
        unsafe {
            while list.length < want {
                let mut block = (*span).free;
                if !block.is_null() {
                    (*span).free = block.cast::<*mut u8>().read();
                } else if (*span).made < (*span).room {
                    let at = FIRST + (*span).made as usize * class::size(class);
                    block = span.cast::<u8>().add(at + HEADER);
                    block.sub(HEADER).cast::<usize>().write(header_of(class));
                    (*span).made += 1;
                } else {
                    break;
                }
                block.cast::<*mut u8>().write(list.first);
                list.first = block;
                list.length += 1;
            }
            (*span).used += list.length as u32;
            if !has_block(span) {
                self.unlink(span);
            }
        }
        list
    }

    /// Gives blocks back to their spans. Returns how many bytes of free spans are there.
    ///
    /// # Safety
    /// The blocks are of this class, and nobody uses them any more.
    unsafe fn scatter(&mut self, list: List) -> usize {
        let mut block = list.first;
        let mut unused = 0;
        for _ in 0..list.length {
            let span = (block as usize & !(SPAN - 1)) as *mut Span;
            // SAFETY: a block lies in its span, which stays while one of its blocks is not free.
            unsafe {
                let next = block.cast::<*mut u8>().read();
                if (*span).used == 0 {
                    fatal("a block of memory was freed twice");
                }
                if !has_block(span) {
                    self.link(span);
                }
                block.cast::<*mut u8>().write((*span).free);
                (*span).free = block;
                (*span).used -= 1;
                // The last one stays, so that a single block does not make a span come and go.
                let others = !(*span).next.is_null() || !(*span).previous.is_null();
                if (*span).used == 0 && others {
                    self.unlink(span);
                    unused = spans::give(span.cast());
                }
                block = next;
            }
        }
        unused
    }

    /// Gives up spans without blocks in use.
    fn give_unused(&mut self) {
        let mut span = self.spans;
        while !span.is_null() {
            // SAFETY: spans in the list are this class's.
            unsafe {
                let next = (*span).next;
                if (*span).used == 0 {
                    self.unlink(span);
                    spans::give(span.cast());
                }
                span = next;
            }
        }
    }

    /// Puts a span first in the list.
    ///
    /// # Safety
    /// It is this class's, and not in the list.
    unsafe fn link(&mut self, span: *mut Span) {
        // SAFETY: the caller's; spans in the list are this class's.
        unsafe {
            (*span).previous = null_mut();
            (*span).next = self.spans;
            if !self.spans.is_null() {
                (*self.spans).previous = span;
            }
        }
        self.spans = span;
    }

    /// Takes a span out of the list.
    ///
    /// # Safety
    /// It is in the list.
    unsafe fn unlink(&mut self, span: *mut Span) {
        // SAFETY: spans in the list are this class's.
        unsafe {
            let (next, previous) = ((*span).next, (*span).previous);
            match previous.is_null() {
                true => self.spans = next,
                false => (*previous).next = next,
            }
            if !next.is_null() {
                (*next).previous = previous;
            }
        }
    }
}

/// Whether a span has a block to give, and so is in its class's list.
///
/// # Safety
/// It is a span of the class whose lock is held.
unsafe fn has_block(span: *mut Span) -> bool {
    // SAFETY: the caller's.
    unsafe { !(*span).free.is_null() || (*span).made < (*span).room }
}
