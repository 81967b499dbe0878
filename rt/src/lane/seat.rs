//! Which lane serves a thread of Go's: another than before, while its own is away with a call, when that comes back, or when its stack is used up.

use core::ptr::null_mut;
use core::sync::atomic::{Ordering::*, compiler_fence};

use linux_raw_sys::general::*;

use super::control::{Control, base_of, init_tls};
use super::list::{register, strike};
use super::pool::{IDLE, SPAWNED, idle};
use super::table::{insert, slot, table};
use crate::image::params;
use crate::sys;

/// The lane of the thread that runs `m` is away: another takes its place. If there is room for none, the thread has no lane for now, and its next call
/// looks for one again.
pub(crate) fn unseat(m: usize, away: *mut Control) {
    // SAFETY: this thread's own.
    let spare = unsafe { core::mem::replace(&mut (*away).spare, null_mut()) };
    let control = match spare.is_null() {
        false => Some(spare),
        true => idle(),
    };
    match (slot(m), control) {
        (Some(slot), Some(control)) => {
            // SAFETY: this thread's own from here on.
            unsafe { (*control).owner = m };
            slot.control.store(control as usize, Release);
        }
        (None, Some(control)) => insert(m, control),
        (Some(slot), None) => slot.empty(),
        (None, None) => {}
    }
}

/// A lane comes back from its call, on the thread that runs `m`, whose lane it is from now on. It keeps the one that was there, but not that
/// one's spare, too: lanes would pile up with threads that make no such calls.
pub(crate) fn seat(m: usize, control: *mut Control) {
    let Some(slot) = slot(m) else {
        return insert(m, control);
    };
    // Only the thread that runs `m` writes there.
    let other = slot.control.load(Relaxed) as *mut Control;
    slot.control.store(control as usize, Release);
    // SAFETY: both are this thread's own.
    let spare = unsafe {
        (*control).owner = m;
        (*control).spare = other;
        core::mem::replace(&mut (*other).spare, null_mut())
    };
    if !spare.is_null() {
        IDLE.lock().put(spare);
    }
}

/// Puts the fresh lane `new` in the place of `old`, whose stack is used up, as that of the thread of Go's that runs now; `old` is retired.
///
/// Nothing that lives on the old stack is ever touched again by its own thread. Another thread may still hold a pointer into it (a job
/// of a thread pool, a scoped thread), so while threads of Rust's own live, it stays as it is. Otherwise its memory goes back to the
/// system, and its addresses stay taken, without access: what should not be able to reach it fails loudly.
///
/// The fresh lane is of the same thread of Go's (`ended.rs` asks). The call goes on with it: where Go waits for it, and that it takes Go functions. Which handles it uses has ended before.
///
/// # Safety
/// Called on `new`, fresh from `map_fresh`, by the thread that ran on `old` and has left it for good.
pub(crate) unsafe fn replace(old: *mut Control, new: *mut Control) {
    register(new);
    init_tls(new);
    // SAFETY: both are this thread's.
    unsafe {
        let (to, from) = (&mut (*new).head, &(*old).head);
        to.go_sp = from.go_sp;
        to.go_bp = from.go_bp;
        to.m = from.m;
        to.frame_sp = from.frame_sp;
        (*new).owner = (*old).owner;
        (*new).spare = (*old).spare;
        (*new).callbacks.callee = (*old).callbacks.callee;
        (*new).callbacks.away = (*old).callbacks.away;
        // The landing last: by it, signal handlers know that a call of Go's runs here (`leave/polite.rs`).
        compiler_fence(SeqCst);
        (&raw mut to.go_landing).write_volatile(from.go_landing);
        (*old).heap.flush();
    }
    for slot in table() {
        if slot.control.load(Acquire) == old as usize {
            slot.control.store(new as usize, Release);
        }
    }
    if SPAWNED.load(Acquire) != 0 {
        return;
    }
    strike(old);
    let base = base_of(old);
    // SAFETY: the lane is nobody's any more. A fresh mapping over it; should that fail, it stays as it is.
    unsafe {
        sys::syscall6(
            __NR_mmap,
            base,
            params().lane_size as usize,
            PROT_NONE as usize,
            (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED) as usize,
            usize::MAX,
            0,
        )
    };
}
