//! The words of the image that hold addresses: what is written there once, and can be undone in a copy.

use super::{base, params};

/// Calls `each` with the address of every word that holds an address of the image. `Params` tells the encodings.
pub fn for_each(each: impl Fn(usize)) {
    let p = params();
    let base = base();
    let words = (base + p.relr_offset as usize) as *const u64;
    let mut next = base;
    for i in 0..p.relr_count as usize {
        // SAFETY: within the list.
        let word = unsafe { words.add(i).read() };
        if word & 1 == 0 {
            next = base + word as usize;
            each(next);
            next += 8;
        } else {
            let mut bits = word >> 1;
            let mut place = next;
            while bits != 0 {
                let skip = bits.trailing_zeros() as usize;
                place += skip * 8;
                each(place);
                place += 8;
                // In two steps: the distance may be all 64 bits.
                bits = bits >> skip >> 1;
            }
            next += 63 * 8;
        }
    }
    let offsets = (base + p.unaligned_offset as usize) as *const u32;
    for i in 0..p.unaligned_count as usize {
        // SAFETY: within the list.
        each(base + unsafe { offsets.add(i).read_unaligned() } as usize);
    }
}

/// Adds a number to a word that the linker listed.
pub fn add(place: usize, number: usize) {
    let place = place as *mut usize;
    // SAFETY: the linker lists words of the writable part, which is writable now, and no other thread runs here.
    unsafe { place.write_unaligned(place.read_unaligned().wrapping_add(number)) };
}
