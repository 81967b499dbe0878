//! Calls under way that become system calls in Go's eyes: polite ones, which hold up neither the collector nor other goroutines.
//!
//! A call keeps its goroutine running, as far as Go can see, so Go waits for it when it wants to stop the world, to scan the stack, or to run another goroutine.
//! When it wants one of these, it sends SIGURG to the thread (runtime/signal_unix.go, `preemptM`), again and again until it has it. The handler here comes
//! behind Go's own. Where it finds a call on a lane, what was interrupted is put aside, and the goroutine goes on in a Go function of the package, as
//! if its caller had called that: the away function of the export. It enters a system call (`runtime.entersyscall`) and takes up
//! what was put aside. Until then the goroutine must stay on its thread, whose lane it is, so that function is assembly (`src/arch/amd64/stub.rs` of the
//! tool). So the goroutine's stack is whole, and Go may walk it; it neither shrinks nor moves such a stack (runtime/stack.go, `isShrinkStackSafe`).
//! The call ends by a return into it, and it exits the system call.
//!
//! A call does the same by itself before a system call that may wait ([`about_to_wait`]).
//!
//! A signal may come at any instruction of a lane. What makes that safe is that all ways out of a lane take Go's stack pointer and the landing from the
//! control block, the former in one instruction that also leaves the lane; and that the landing says whether a call may become polite, and is 0 where there is none.

use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicUsize, Ordering::*};

use libc::{siginfo_t, ucontext_t};
use linux_raw_sys::general::*;

use crate::arch::fault::{Interrupted, restorer};
use crate::arch::polite::{go_polite, go_polite_interrupted};
use crate::arch::stack::stack_pointer;
use crate::contract::{LANDING_STAYS, SIGNAL_STACK_SIZE};
use crate::image::params;
use crate::lane::{Control, base_of, containing};
use crate::sys::signal::{Action, Before, Blocked, action_of};

/// The handler that ours took the place of.
static BEFORE: Before = Before::unknown();

/// Calls that a signal has made polite. They may compute, and then no longer count for GOMAXPROCS: Go runs other goroutines beside them, whose calls a signal
/// makes polite in turn.
static BY_SIGNAL: AtomicUsize = AtomicUsize::new(0);

/// As many of them there may be: each needs a thread, and Go ends the program at 10,000 (runtime/debug.SetMaxThreads). One more stays as it is.
const BY_SIGNAL_MAX: usize = 1024;

/// Puts the handler in place, once, behind one that is there. If there is none, Go sends no such signals.
pub(crate) fn install() {
    let new = Action {
        handler: handler as *const () as usize,
        // As Go's: a system call of the library's that is interrupted begins anew where the kernel can do that.
        flags: (SA_SIGINFO | SA_ONSTACK | SA_RESTORER | SA_RESTART) as usize,
        restorer: restorer as *const () as usize,
        mask: u64::MAX,
    };
    if action_of(SIGURG as i32).is_some_and(|action| action.is_handler()) {
        // Another thread's signal waits for what stood there; this thread's must not come meanwhile.
        let _blocked = Blocked::these(1 << (SIGURG - 1));
        BEFORE.replace(SIGURG as i32, &new);
    }
}

unsafe extern "C" fn handler(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // Go's comes first: until it has run Go sends no other. It changes what was interrupted in Go code alone.
    // SAFETY: handed on as it came.
    unsafe { BEFORE.hand_on(signal, info, context) };
    // SAFETY: the kernel's, for the time of the handler.
    let context = unsafe { &mut *context.cast::<ucontext_t>() };
    let Some(control) = containing(Interrupted(context).sp()).filter(|c| may(*c)) else {
        return;
    };
    if BY_SIGNAL.fetch_add(1, Relaxed) >= BY_SIGNAL_MAX {
        BY_SIGNAL.fetch_sub(1, Relaxed);
        return;
    }
    // The stack for faults, which a thread of Rust's own uses: this is one of Go's.
    let end = base_of(control) + params().lane_size as usize;
    let room = end - SIGNAL_STACK_SIZE as usize..end;
    // SAFETY: this thread runs on the lane, and a call of Go's does; its landing says that it may.
    unsafe {
        (*control).head.polite_count = &raw const BY_SIGNAL;
        if !go_polite_interrupted(control.cast(), context, room) {
            BY_SIGNAL.fetch_sub(1, Relaxed);
        }
    }
}

/// Whether a call of Go's runs on the lane that Go does not take for a system call yet, and may.
pub(super) fn may(control: *mut Control) -> bool {
    // SAFETY: a lane's control block, which stays mapped. A signal may change it, or the thread whose lane it is.
    let landing = unsafe { (&raw const (*control).head.go_landing).read_volatile() };
    landing != 0 && landing & LANDING_STAYS as usize == 0
}

/// Called before a system call that may wait, on any stack: makes the call polite.
pub(crate) fn about_to_wait() {
    // Code that brings a stack of its own is left alone.
    let Some(control) = containing(stack_pointer()).filter(|c| may(*c)) else {
        return;
    };
    // SAFETY: this thread runs on the lane.
    unsafe { go_polite(control.cast()) }
}
