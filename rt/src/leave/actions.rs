//! What the library has asked for on faults (sigaction(2)). The kernel is told nothing of it: `trap.rs` calls the handlers.

use core::sync::atomic::{AtomicU64, Ordering::*};

use crate::sys::lock::Lock;
use crate::sys::signal::{Action, FAULTS, bit};

/// What the library has asked for, in the order of [`FAULTS`]: nothing, at first.
static ACTIONS: Lock<[Action; FAULTS.len()]> = Lock::new([Action::DEFAULT; FAULTS.len()]);

/// The signals that have a handler there.
static HANDLED: AtomicU64 = AtomicU64::new(0);

/// Sets what the library does on a fault, and gives what it did before.
pub(crate) fn change(signal: u32, new: Option<Action>) -> Action {
    let mut actions = ACTIONS.lock();
    let Some(at) = FAULTS.iter().position(|fault| *fault == signal) else {
        return Action::DEFAULT;
    };
    let was = actions[at];
    if let Some(new) = new {
        actions[at] = new;
        match new.is_handler() {
            true => HANDLED.fetch_or(bit(signal), SeqCst),
            false => HANDLED.fetch_and(!bit(signal), SeqCst),
        };
    }
    was
}

/// The signals whose faults the library handles, as a set of the kernel's.
pub(crate) fn handled() -> u64 {
    HANDLED.load(SeqCst)
}
