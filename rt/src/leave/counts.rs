//! What std's `resume_unwind` does, in libraries without it: LTO leaves out what nobody calls.
//!
//! What raises a panic for it, `__rust_start_panic`, is in all that can be unwound. It takes the payload from a `&mut dyn PanicPayload`; so
//! here is one (library/core/src/panic.rs). std counts the panics of each thread, by which locks are poisoned and `thread::panicking` answers: so
//! they are counted here, and, if std's end of a catch was left out, too, their end is.

use core::ffi::c_void;
use core::ptr::null;
use core::sync::atomic::{AtomicUsize, Ordering::*};

use super::callback;
use super::payload::Payload;
use crate::arch::calls::{Words, called};
use crate::arch::counts::local_panic_count;
use crate::arch::stack::std_function;
use crate::lane::{base_of, control};

/// The table of a `dyn PanicPayload`: drop, size, alignment, `fmt`, `take_box`, `get`, `as_str`. Before Rust 1.81 there was no `fmt`.
#[repr(C)]
struct Table {
    drop: *const c_void,
    size: usize,
    align: usize,
    methods: [extern "C" fn(*mut c_void) -> Payload; 2],
}

// SAFETY: constants.
unsafe impl Sync for Table {}

static TABLE: Table = Table {
    drop: null(),
    size: 0,
    align: 1,
    methods: [take_box; 2],
};

extern "C" fn take_box(_: *mut c_void) -> Payload {
    callback::payload()
}

called! {
    /// Counts a panic of this thread, and gives what raises it its payload, a `&mut dyn PanicPayload`: that of a Go function that did not return.
    fn rsyso_callback_ended_counted() -> Words {
        count(1);
        Words(&raw const TABLE as usize, &raw const TABLE as usize)
    }
}

/// A panic of this thread has ended. False if std's counts cannot be found.
pub(crate) fn ended() -> bool {
    count(-1)
}

/// Adds to std's counts of panics: that of all threads, and this one's (`std::panicking::panic_count`).
fn count(by: isize) -> bool {
    let all = std_function!("rsyso_std_global_panic_count") as *const AtomicUsize;
    let own = local_panic_count();
    if all.is_null() || own == 0 {
        return false;
    }
    // SAFETY: both are words of std's, the second in this thread's lane: a pair of the count and whether a hook runs.
    unsafe {
        (*all).fetch_add(by as usize, Relaxed);
        let own = (base_of(control()) + own) as *mut usize;
        *own = (*own).wrapping_add_signed(by);
    }
    true
}
