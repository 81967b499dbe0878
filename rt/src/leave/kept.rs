//! Go functions that the library keeps: it may call them in any later call of Go's, whatever goroutine makes that.
//!
//! Go keeps them in a table of its own, and the library has a number of that table as their user data. What stands for them (the linker's wrappers) is the
//! same code for all functions of an export's parameter. Leaving a lane and coming back is as in [`callback`](super::callback), with these differences:
//!
//! - A call that takes no Go functions has its lane's place in the table back as soon as Go comes back, not only at its end: such a call does not know
//!   whether one will be called.
//! - Where the stub's frame is by then, the wrapper reads from the control block (`Head::frame_sp`).
//! - If the function does not return, Go comes back by a stub of its own, with room for the results of any export: should Rust catch what unwinds it and
//!   return, the results go there, and Go goes on with what it was about.

use core::ffi::c_void;
use core::ptr::null_mut;

use super::callback::{misused, takes_functions};
use super::departure::reaches_go;
use crate::arch::calls::{Words, called};
use crate::contract::{KEPT_DESTROY, Shown};
use crate::lane::{self, control};
use crate::sys::lock::Lock;

/// User data of functions that were destroyed where Go cannot be reached.
struct Due(*mut Node);

/// One of them, a block of the heap's.
struct Node {
    user: usize,
    next: *mut Node,
}

// SAFETY: blocks that no thread owns.
unsafe impl Send for Due {}

static DUE: Lock<Due> = Lock::new(Due(null_mut()));

/// Keeps the user data of a function that was destroyed until Go asks. If there is no memory, Go keeps the function for good.
fn destroyed(user: usize) {
    if user == 0 {
        return;
    }
    // SAFETY: a fresh block of that size, if there is one.
    unsafe {
        let node: *mut Node = libc::malloc(size_of::<Node>()).cast();
        if !node.is_null() {
            let mut due = DUE.lock();
            node.write(Node { user, next: due.0 });
            due.0 = node;
        }
    }
}

/// The user data of one that was destroyed so, or 0.
#[unsafe(no_mangle)]
pub extern "C" fn rsyso_kept_due() -> usize {
    let node = {
        let mut due = DUE.lock();
        let node = due.0;
        if node.is_null() {
            return 0;
        }
        // SAFETY: a block of the list, which is locked.
        due.0 = unsafe { (*node).next };
        node
    };
    // SAFETY: a block that is in no list any more.
    unsafe {
        let user = (*node).user;
        libc::free(node.cast());
        user
    }
}

called! {
    /// The calling side of a kept function: checks that Go can be reached, and makes the lane ready to be left. Returns its control block, and whether
    /// the stub returns to Go; null if there is nothing to be called.
    fn rsyso_kept_depart(frame: *mut c_void, which: usize, code: usize, user: usize) -> Words {
        let control = control();
        if which == KEPT_DESTROY as usize && (user == 0 || !reaches_go(control)) {
            destroyed(user);
            return Words(0, 0);
        }
        if !reaches_go(control) {
            misused(control, code, "on a thread that the library started: Go can be called during its own calls only");
        }
        if user == 0 {
            misused(control, code, "with other user data than it was given with");
        }
        let gives = takes_functions(control);
        // SAFETY: this thread's own.
        let (head, c) = unsafe { (&mut (*control).head, &mut (*control).callbacks) };
        if !gives {
            // SAFETY: this thread's own.
            lane::seat::unseat(unsafe { (*control).owner }, control);
        } else if !core::mem::replace(&mut c.away, true) {
            lane::seat::unseat(head.m, control);
        }
        head.shown = Shown {
            which,
            frame,
            unwind: false,
            user,
        };
        Words(control as usize, gives.into())
    }

    /// Called when Go has come back, with or without a result.
    fn rsyso_kept_back(unwind: usize) {
        let control = control();
        if takes_functions(control) {
            return;
        }
        // SAFETY: this thread's own.
        let head = unsafe { &mut (*control).head };
        lane::seat::seat(head.m, control);
        if unwind != 0 {
            head.unwinding = 1;
        }
    }
}
