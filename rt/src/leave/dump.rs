//! Dumps of all goroutines while the library runs: SIGQUIT, and SIGABRT from outside.
//!
//! Go's handler walks the goroutine's stack from what the signal has interrupted (runtime/signal_unix.go, `sighandler`). On a lane that leads nowhere:
//! the goroutine is shown without a frame, and if the thread was in the vDSO, Go prints the words between the goroutine's stack and the lane, until it crashes. So
//! it is shown the landing of the call, as if the Go caller had called that. Of a goroutine that runs on another thread Go
//! shows no stack, since it does not stop the world. So the calls there become system calls first, whose stacks it shows.
//!
//! Go may survive the signal (`signal.Notify`): then the call goes on.

use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicBool, Ordering::*};

use libc::{siginfo_t, ucontext_t};
use linux_raw_sys::general::*;

use super::polite::may;
use crate::arch::fault::{Interrupted, restorer};
use crate::lane::{containing, ended};
use crate::sys;
use crate::sys::signal::{Action, Before, Blocked, action_of};

/// The signals that have Go show its goroutines and end.
const SIGNALS: [u32; 2] = [SIGQUIT, SIGABRT];

/// What stood there before, in the order of [`SIGNALS`].
static BEFORE: [Before; SIGNALS.len()] = [const { Before::unknown() }; SIGNALS.len()];

/// Set while a thread asks others: with GOTRACEBACK=crash all of Go's threads get the signal, one after the other.
static ASKING: AtomicBool = AtomicBool::new(false);

/// Puts the handlers in place, once, behind which Go's are. Where there are none, Go shows nothing.
pub(crate) fn install() {
    let new = Action {
        handler: handler as *const () as usize,
        flags: (SA_SIGINFO | SA_ONSTACK | SA_RESTORER | SA_RESTART) as usize,
        restorer: restorer as *const () as usize,
        mask: u64::MAX,
    };
    for (signal, before) in SIGNALS.iter().zip(&BEFORE) {
        if action_of(*signal as i32).is_some_and(|action| action.is_handler()) {
            // Another thread's signal waits for what stood there; this thread's must not come meanwhile.
            let _blocked = Blocked::these(1 << (signal - 1));
            before.replace(*signal as i32, &new);
        }
    }
}

unsafe extern "C" fn handler(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let Some(at) = SIGNALS.iter().position(|s| *s as c_int == signal) else {
        return;
    };
    let first = !ASKING.swap(true, Relaxed);
    if first {
        ask_others();
    }
    // SAFETY: the kernel's, for the time of the handler, and nobody else's until Go's is called.
    let mut interrupted = Interrupted(unsafe { &mut *context.cast::<ucontext_t>() });
    // SAFETY: of the lane that this thread runs on.
    let lane = containing(interrupted.sp()).filter(|c| unsafe { (**c).head.go_landing } != 0);
    // SAFETY: as above.
    let place = lane.map(|c| interrupted.seem_in_go(unsafe { &(*c).head }));
    // SAFETY: handed on as it came, but for where the thread seems to be.
    unsafe { BEFORE[at].hand_on(signal, info, context) };
    if let Some(place) = place {
        // SAFETY: as above; Go's handler is done with it.
        Interrupted(unsafe { &mut *context.cast::<ucontext_t>() }).put_back(place);
    }
    if first {
        ASKING.store(false, Relaxed);
    }
}

/// Has the calls on other threads become system calls, as far as they may, and waits for that, but not for long: this thread may have been interrupted
/// where it holds a lock of Go's that the others need.
fn ask_others() {
    const ROUNDS: usize = 50;
    const PAUSE: [usize; 2] = [0, 1_000_000];
    for _ in 0..ROUNDS {
        if ended::signal_threads(SIGURG, may) == 0 {
            break;
        }
        // SAFETY: a time of our own.
        unsafe { sys::syscall2(__NR_nanosleep, PAUSE.as_ptr() as usize, 0) };
    }
}
