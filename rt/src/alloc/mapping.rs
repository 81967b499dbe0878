//! Large blocks: each is a mapping of its own, made, resized and given back without the heap's lock. Freed ones are kept for a while (`spare.rs`).
//!
//! Two words lie before the memory that the program gets: where the mapping starts, and its bytes. The second stands where
//! dlmalloc keeps a block's header; as a multiple of the page size it has none of dlmalloc's "in use" bits, which tells the two kinds apart.

use core::ptr::null_mut;

use super::system::{map, remap};
use super::{ALIGN, spare};
use crate::arch::page::PAGE;

/// Bytes from which on a block gets a mapping of its own. dlmalloc would copy to grow it.
pub(super) const MIN: usize = 1 << 20;

/// Up to this size a block that was used before is cleared for calloc. A larger one is mapped anew: often little of it is ever touched.
const CLEARED: usize = 32 << 20;

/// Bytes before the memory.
const OVERHEAD: usize = 16;

/// A block that was freed before: what is at its place may be another's by now.
const FREED_TWICE: &str = "a large block of memory was freed twice";

/// The two words before the memory at `memory`.
unsafe fn words(memory: *mut u8) -> *mut [usize; 2] {
    memory.wrapping_sub(OVERHEAD).cast()
}

fn round_up(size: usize) -> Option<usize> {
    Some(size.checked_add(PAGE - 1)? & !(PAGE - 1))
}

/// A block at a multiple of `align`, a power of two of at least 16; or null.
pub(super) fn allocate(align: usize, size: usize) -> *mut u8 {
    let Some(bytes) = size.checked_add(align).and_then(round_up) else {
        return null_mut();
    };
    let (start, bytes) = spare::take(bytes).unwrap_or_else(|| (map_anew(bytes), bytes));
    begin(start, bytes, align)
}

/// A zeroed block, or null.
pub(super) fn allocate_zeroed(size: usize) -> *mut u8 {
    let Some(bytes) = size.checked_add(OVERHEAD).and_then(round_up) else {
        return null_mut();
    };
    let spare = if bytes <= CLEARED {
        spare::take(bytes)
    } else {
        None
    };
    let Some((start, bytes)) = spare else {
        return begin(map_anew(bytes), bytes, ALIGN);
    };
    let memory = begin(start, bytes, ALIGN);
    // SAFETY: a fresh block of `size` bytes or more.
    unsafe { memory.write_bytes(0, size) };
    memory
}

/// Makes a block of a mapping, if there is one, with `align` bytes to spare.
fn begin(start: *mut u8, bytes: usize, align: usize) -> *mut u8 {
    if start.is_null() {
        return start;
    }
    // The start is a multiple of the page size, so that at least 16 bytes lie before the memory.
    let memory = ((start as usize + OVERHEAD + align - 1) & !(align - 1)) as *mut u8;
    // SAFETY: within the mapping: `align` bytes are to spare.
    unsafe { words(memory).write([start as usize, bytes]) };
    memory
}

/// A fresh mapping, at the cost of all spare ones if it must be (setrlimit(2), RLIMIT_AS); null when there is none.
fn map_anew(bytes: usize) -> *mut u8 {
    let start = map(bytes);
    match start.is_null() && spare::release_all() {
        true => map(bytes),
        false => start,
    }
}

/// Bytes that the program may use.
///
/// # Safety
/// `memory` is a live block of this kind.
pub(super) unsafe fn usable_size(memory: *mut u8) -> usize {
    // SAFETY: two words lie before each live block of this kind.
    let [start, bytes] = unsafe { words(memory).read() };
    start + bytes - memory as usize
}

/// Gives a block back; how many bytes are kept for later then.
///
/// # Safety
/// `memory` is a live block of this kind, and not used any more.
pub(super) unsafe fn free(memory: *mut u8) -> usize {
    // SAFETY: two words lie before the block, and nobody uses the mapping that they tell.
    let kept = unsafe {
        let [start, bytes] = words(memory).read();
        spare::put(start as *mut u8, bytes)
    };
    kept.unwrap_or_else(|()| crate::sys::die::fatal(FREED_TWICE))
}

/// Another size for a block, maybe elsewhere; null if that cannot be, and then the old block stays. Pages move, bytes do not.
///
/// # Safety
/// `memory` is a live block of this kind.
pub(super) unsafe fn resize(memory: *mut u8, size: usize) -> *mut u8 {
    // SAFETY: two words lie before each live block of this kind.
    let [start, old] = unsafe { words(memory).read() };
    let before = memory as usize - start;
    let Some(new) = size.checked_add(before).and_then(round_up) else {
        return null_mut();
    };
    if new == old {
        return memory;
    }
    if new > old
        && let Some(more) = spare::take_behind(start + old, new - old)
    {
        // SAFETY: as above; what lies behind the mapping is its own now.
        unsafe { words(memory).write([start, old + more]) };
        return memory;
    }
    // SAFETY: the block's own mapping.
    let moved = unsafe { remap(start as *mut u8, old, new) };
    if moved.is_null() {
        return null_mut();
    }
    let memory = moved.wrapping_add(before);
    // SAFETY: within the mapping, as before.
    unsafe { words(memory).write([moved as usize, new]) };
    memory
}
