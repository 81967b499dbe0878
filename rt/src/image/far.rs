//! Statics that lie outside the image (the linker's `link/far.rs`): large ones that begin as zeros, and those that are aligned to more than a page.

use core::sync::atomic::{AtomicUsize, Ordering::*};

use super::{base, params};
use crate::arch::page::LEAST;
use crate::sys::die::fatal_errno;
use crate::sys::map_zeroed;

/// Their memory; 0 if there is none.
static MEMORY: AtomicUsize = AtomicUsize::new(0);

/// The address of their memory.
pub fn memory() -> usize {
    MEMORY.load(Acquire)
}

/// Maps their memory, once. Called before the fix-ups are applied.
pub fn map() {
    let p = params();
    if p.far_size == 0 {
        return;
    }
    // What mmap(2) gives is aligned to a page.
    let spare = (p.far_align as usize).saturating_sub(LEAST);
    match map_zeroed((p.far_size as usize).saturating_add(spare)) {
        Ok(memory) => MEMORY.store(
            memory.next_multiple_of((p.far_align as usize).max(1)),
            Release,
        ),
        Err(errno) => fatal_errno(
            "cannot map memory for the large statics of the Rust library (mmap failed)",
            errno,
        ),
    }
}

/// Calls `each` with the address of every word of the image that holds an address of theirs.
pub fn for_each_fixup(each: impl Fn(usize)) {
    let p = params();
    let places = (base() + p.far_fixups_offset as usize) as *const u32;
    for i in 0..p.far_fixups_count as usize {
        // SAFETY: within the list.
        each(base() + unsafe { places.add(i).read_unaligned() } as usize);
    }
}

/// Gives those that do not begin as zeros their values. Called once the fix-ups are applied, for they may hold addresses.
pub fn fill() {
    let p = params();
    let copies = (base() + p.far_copies_offset as usize) as *const [u64; 3];
    for i in 0..p.far_copies_count as usize {
        // SAFETY: within the list; the linker made room for each.
        unsafe {
            let [from, to, bytes] = copies.add(i).read_unaligned();
            ((memory() + to as usize) as *mut u8)
                .copy_from_nonoverlapping((base() + from as usize) as *const u8, bytes as usize);
        }
    }
}
