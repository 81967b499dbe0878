//! In front of Go's other signal handlers, on machines where they need it ([`NEEDS_FRONT`]): they must not see what a lane has in Go's registers.
//!
//! A signal that Go does not handle when the library is first used, and that it begins to handle later (`signal.Ignore`, then `signal.Notify`), has no front.

use core::ffi::{c_int, c_void};

use libc::siginfo_t;
use linux_raw_sys::general::*;

use crate::arch::calls::{Words, called};
use crate::arch::fault::restorer;
use crate::arch::handler::NEEDS_FRONT;
use crate::image::{base, params};
use crate::lane::containing;
use crate::sys::signal::{Action, Before, Blocked, SIGNALS, action_of};

/// What stood there before, by the number of the signal.
static BEFORE: [Before; SIGNALS as usize + 1] = [const { Before::unknown() }; SIGNALS as usize + 1];

/// Puts the handlers in place, once, after those that have more to do.
pub(crate) fn install() {
    if !NEEDS_FRONT {
        return;
    }
    for (signal, before) in (0..).zip(&BEFORE) {
        let Some(there) = action_of(signal).filter(|action| action.is_handler()) else {
            continue;
        };
        if ours(there.handler) {
            continue;
        }
        let new = Action {
            handler: handler as *const () as usize,
            flags: there.flags | (SA_SIGINFO | SA_RESTORER) as usize,
            restorer: restorer as *const () as usize,
            mask: there.mask,
        };
        // Another thread's signal waits for what stood there; this thread's must not come meanwhile.
        let _blocked = Blocked::these(1 << (signal - 1));
        before.replace(signal, &new);
    }
}

/// Whether there is code of the image at an address.
fn ours(pc: usize) -> bool {
    let p = params();
    (pc.wrapping_sub(base()) as u64).wrapping_sub(p.code_offset) < p.code_size
}

unsafe extern "C" fn handler(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    if let Some(before) = BEFORE.get(signal as usize) {
        // SAFETY: handed on as it came.
        unsafe { before.hand_on(signal, info, context) };
    }
}

called! {
    /// What a signal has interrupted: the control block of the lane that the stack pointer leads to, or 0, and whether it is code of the image, 1 or 0.
    fn rsyso_interrupted(sp: usize, pc: usize) -> Words {
        let lane = containing(sp).map_or(0, |control| control as usize);
        Words(lane, ours(pc).into())
    }
}
