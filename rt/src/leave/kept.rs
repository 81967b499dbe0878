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
use core::sync::atomic::Ordering::Relaxed;

use super::adopt;
use super::callback::{misused, takes_functions};
use super::departure::reaches_go;
use crate::arch::calls::{Words, called};
use crate::contract::{KEPT_DESTROY, Shown};
use crate::lane::{self, Control, control};
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

/// Where a kept function is called from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A call of Go's that takes no Go functions.
    Call,
    /// One that does.
    GivingCall,
    /// A thread of Rust's own in whose place a goroutine runs.
    Adopted,
    /// Another one.
    Thread,
}

impl Place {
    /// None while the image is being set up.
    fn of(control: *mut Control) -> Option<Place> {
        // SAFETY: this thread's own.
        let (adopted, spawned) = unsafe { ((*control).adopted, (*control).tid.load(Relaxed) != 0) };
        match (adopted, spawned) {
            (true, _) => Some(Place::Adopted),
            (false, true) => Some(Place::Thread),
            _ if !reaches_go(control) => None,
            _ if takes_functions(control) => Some(Place::GivingCall),
            _ => Some(Place::Call),
        }
    }
}

called! {
    /// The calling side of a kept function: makes the lane ready to be left. Returns its control block, and how it is left; null if there is nothing to be
    /// called.
    fn rsyso_kept_depart(frame: *mut c_void, which: usize, code: usize, user: usize) -> Words {
        let control = control();
        let place = Place::of(control);
        if which == KEPT_DESTROY as usize && (user == 0 || matches!(place, None | Some(Place::Thread))) {
            destroyed(user);
            return Words(0, 0);
        }
        let Some(place) = place else {
            misused(control, code, "while the library was being set up");
        };
        if place == Place::Thread && !adopt::serves() {
            misused(control, code, "on a thread of its own, before Go had provided any");
        }
        if user == 0 {
            misused(control, code, "with other user data than it was given with");
        }
        // SAFETY: this thread's own.
        let (head, c) = unsafe { (&mut (*control).head, &mut (*control).callbacks) };
        match place {
            // SAFETY: this thread's own.
            Place::Call => lane::seat::unseat(unsafe { (*control).owner }, control),
            Place::GivingCall => {
                if !core::mem::replace(&mut c.away, true) {
                    lane::seat::unseat(head.m, control);
                }
            }
            Place::Adopted => {}
            Place::Thread => adopt::prepare(control),
        }
        head.shown = Shown {
            which,
            frame,
            unwind: false,
            user,
        };
        let how = match place {
            Place::Call => 0,
            Place::GivingCall | Place::Adopted => 1,
            Place::Thread => 2,
        };
        Words(control as usize, how)
    }

    /// Called when Go has come back, with or without a result.
    fn rsyso_kept_back(unwind: usize) {
        let control = control();
        if Place::of(control) != Some(Place::Call) {
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
