//! The library's own handlers of faults (sigaction(2)). Engines have them whose code traps on purpose: an access out of bounds, a division by zero.
//!
//! A handler that ran where the kernel calls it, on Go's signal stack, would find neither its thread-locals nor a way out: what leaves it by longjmp would leave
//! all signals blocked. So the runtime's handler puts aside what was interrupted, below it on the lane, and returns into [`rsyso_fault_shown`]. There the library's
//! handler is called as ordinary code of the thread. It may change what it is shown, never come back, call Go, and become a system call of Go's while it runs.
//!
//! For the kernel none of these signals is ever blocked. Which of them the library has blocked is known of each lane, and such a fault is not shown.

use core::ffi::{c_int, c_void};
use core::mem::transmute;

use libc::{siginfo_t, ucontext_t};
use linux_raw_sys::general::*;

use super::actions;
use crate::arch::aside::{put_aside, show_fault};
use crate::arch::calls::called;
use crate::arch::fault::{Interrupted, digest};
use crate::arch::stack::RED_ZONE;
use crate::contract::GUARD_SIZE;
use crate::lane::{Control, base_of, control};
use crate::sys;
use crate::sys::signal::{Action, FAULT_SET, bit, change_mask};

/// Stack that a handler is sure to have. Where there is less, the stack has ended.
const ROOM: usize = 32 * 1024;

/// A handler that changes nothing has the instruction tried again. When the very same fault has come so often in a row, the handler does not take it.
const TRIES: u32 = 100;

/// What becomes of a fault.
pub(super) enum Shown {
    /// The library's handler runs as soon as the runtime's has returned.
    Yes,
    /// It has none, or does not take the fault.
    No,
    /// There is no stack left for one.
    NoRoom,
}

/// Has the library's handler run for a fault on a lane, above its guards.
///
/// # Safety
/// The arguments of a handler, which has interrupted code that runs on the lane.
pub(super) unsafe fn show(
    signal: u32,
    info: *const siginfo_t,
    address: usize,
    interrupted: &mut Interrupted<'_>,
    lane: *mut Control,
) -> Shown {
    // SAFETY: the interrupted thread's own.
    let faults = unsafe { &(*lane).faults };
    let seen = interrupted.digest(address);
    if bit(signal) & actions::handled() & !faults.blocked.get() == 0
        || faults.unchanged.get() == (seen, TRIES)
    {
        return Shown::No;
    }
    let room = base_of(lane) + GUARD_SIZE as usize + ROOM..interrupted.sp() - RED_ZONE;
    // SAFETY: what lies there on the stack is nobody's.
    let Some(context) = (unsafe { put_aside(interrupted.0, room.clone()) }) else {
        return Shown::NoRoom;
    };
    let stack = context as usize - size_of::<siginfo_t>();
    let told = stack as *mut siginfo_t;
    // SAFETY: as above; the size of both keeps the stack aligned.
    unsafe { told.copy_from_nonoverlapping(info, 1) };
    let arguments = [signal as usize, told as usize, context as usize];
    interrupted.call(show_fault as *const () as usize, stack, arguments);
    Shown::Yes
}

called! {
    /// Runs the library's handler, on the lane. Gives what is to be taken up.
    fn rsyso_fault_shown(signal: usize, info: *mut siginfo_t, context: *mut ucontext_t) -> *mut ucontext_t {
        // SAFETY: what `show` has put there; the lane is this thread's own.
        unsafe {
            let faults = &(*control()).faults;
            let action = actions::change(signal as u32, None);
            // Meanwhile another thread may have taken it away: then the fault comes again.
            if !action.is_handler() {
                return context;
            }
            if action.flags & SA_RESETHAND as usize != 0 {
                actions::change(signal as u32, Some(Action::DEFAULT));
            }
            let address = (*info).si_addr() as usize;
            let seen = digest(&*context, address);
            let times = match faults.unchanged.replace((0, 0)) {
                (before, times) if before == seen => times,
                _ => 0,
            };
            let blocked = faults.blocked.get();
            let itself = match action.flags & SA_NODEFER as usize {
                0 => bit(signal as u32),
                _ => 0,
            };
            faults.blocked.set(blocked | (action.mask | itself) & FAULT_SET);
            let mask: *mut u64 = (&raw mut (*context).uc_sigmask).cast();
            let kernels = mask.replace(*mask & !FAULT_SET | blocked);
            let thread = thread_id();
            run(&action, signal as c_int, info, context.cast());
            faults.blocked.set(*mask & FAULT_SET);
            *mask = kernels;
            if thread_id() != thread {
                // The handler has called Go, and come back on another thread. What is this one's stays.
                *mask = change_mask(SIG_BLOCK, None).unwrap_or(kernels);
                sys::syscall2(__NR_sigaltstack, 0, (&raw mut (*context).uc_stack) as usize);
            }
            // A trap is behind its instruction, which is not tried again.
            if signal as u32 != SIGTRAP && digest(&*context, address) == seen {
                faults.unchanged.set((seen, times + 1));
            }
            context
        }
    }
}

/// The kernel's id of the thread.
fn thread_id() -> isize {
    // SAFETY: only asks.
    unsafe { sys::syscall0(__NR_gettid) }
}

/// Calls a handler.
///
/// # Safety
/// It is one, and the arguments are those of a handler.
unsafe fn run(action: &Action, signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    if action.flags & SA_SIGINFO as usize != 0 {
        // SAFETY: a handler of that shape, by the flag.
        let handler: unsafe extern "C" fn(c_int, *mut siginfo_t, *mut c_void) =
            unsafe { transmute(action.handler) };
        // SAFETY: by the caller's word.
        unsafe { handler(signal, info, context) }
    } else {
        // SAFETY: a handler of that shape, without the flag.
        let handler: unsafe extern "C" fn(c_int) = unsafe { transmute(action.handler) };
        // SAFETY: by the caller's word.
        unsafe { handler(signal) }
    }
}
