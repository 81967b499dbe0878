//! A program that holds the written package twice, under two import paths.
//!
//! Both copies of the assembly refer to wrappers of the same names, and linkers take those of one image for both (`src/link/elf.rs`); cmd/link does not
//! even keep the other image. Yet each copy of a Go package has a state of its own. So an image serves one package, which it
//! tells from others by the landing that stubs pass along: the one whose call came first. The calls of another one come to the slow path of the
//! wrappers, and go on in a copy of the image, made at the first of them. An image is position-independent and refers to nothing outside itself,
//! so a copy of its bytes, as they were before the first call, is an image that nobody has used yet.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::*};

use linux_raw_sys::general::*;

use crate::arch::calls::{Copy, called, read};
use crate::arch::page::PAGE;
use crate::image::{base, far, fixups, params};
use crate::sys;
use crate::sys::die::fatal_errno;
use crate::sys::lock::Lock;
use crate::sys::map_zeroed;

read! {
    /// The images that this one has handed calls on to, the newest first.
    static rsyso_copies: AtomicPtr<Copy> = AtomicPtr::new(null_mut());
}

/// Held to add to [`rsyso_copies`].
static ADDING: Lock<()> = Lock::new(());

/// The image's variables as they were before anything ran; 0 if it has none.
static VARIABLES: AtomicUsize = AtomicUsize::new(0);

const FAILED: &str = "cannot map memory for the Rust library of another copy of its Go package";

/// Remembers what cannot be found out later. Called before the fix-ups are applied.
pub(crate) fn keep_variables() {
    let p = params();
    if p.vars_size == 0 {
        return;
    }
    match map_zeroed(p.vars_size as usize) {
        Ok(kept) => {
            let variables = (base() + p.vars_offset as usize) as *const u8;
            // SAFETY: the linker says where they lie; the copy is fresh.
            unsafe { (kept as *mut u8).copy_from_nonoverlapping(variables, p.vars_size as usize) };
            VARIABLES.store(kept, Release);
        }
        Err(errno) => fatal_errno("cannot map memory (mmap failed)", errno),
    }
}

called! {
    /// Sees to it that the package of `landing` has an image. Called on a lane of this one.
    fn rsyso_serve_copy(landing: usize) {
        let _adding = ADDING.lock();
        let mut copy = rsyso_copies.load(Acquire);
        while !copy.is_null() {
            // SAFETY: on the list, for good.
            let known = unsafe { &*copy };
            if known.landing == landing {
                return;
            }
            copy = known.next;
        }
        rsyso_copies.store(make(landing), Release);
    }
}

/// Makes a copy of the image, as it was before anything ran.
fn make(landing: usize) -> *mut Copy {
    let p = params();
    let size = p.image_size as usize;
    let to = match map_zeroed(size + size_of::<Copy>()) {
        Ok(to) => to,
        Err(errno) => fatal_errno(FAILED, errno),
    };
    let distance = to.wrapping_sub(base());
    let copy = |from: usize, at: u64, bytes: u64| {
        // SAFETY: a range of the image, or what was kept of it; the new memory has the same size.
        unsafe {
            ((to + at as usize) as *mut u8)
                .copy_from_nonoverlapping(from as *const u8, bytes as usize)
        };
    };
    // What lies before the variables was written by the fix-ups alone, what lies behind them begins as zeros.
    copy(base(), 0, p.vars_offset);
    copy(VARIABLES.load(Acquire), p.vars_offset, p.vars_size);
    let undo = |place: usize, added: usize| {
        if place - base() < p.vars_offset as usize {
            let word = place.wrapping_add(distance) as *mut usize;
            // SAFETY: a word of the new memory, that holds an address.
            unsafe { word.write_unaligned(word.read_unaligned().wrapping_sub(added)) };
        }
    };
    fixups::for_each(|place| undo(place, base()));
    far::for_each_fixup(|place| undo(place, far::memory()));
    // The largest page of the machine fits between the code and the writable part.
    let fixed = p.rw_offset as usize & PAGE.wrapping_neg();
    // SAFETY: pages of the new mapping, which hold code and constants from now on.
    let result =
        unsafe { sys::syscall3(__NR_mprotect, to, fixed, (PROT_READ | PROT_EXEC) as usize) };
    if let Err(errno) = sys::check(result) {
        fatal_errno(FAILED, errno);
    }
    // The node of the list lies right behind the bytes of that image.
    let node = (to + size) as *mut Copy;
    // SAFETY: behind the image, within the mapping, aligned to a page.
    unsafe {
        node.write(Copy {
            landing,
            distance,
            next: rsyso_copies.load(Acquire),
        })
    };
    node
}
