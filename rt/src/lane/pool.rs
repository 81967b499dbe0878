//! Lanes for threads: of threads that have ended, or fresh ones.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering::*};

use linux_raw_sys::general::*;

use super::control::{Control, base_of, control, init_tls, map_fresh, wipe};
use super::list::register;
use crate::arch::calls::read;
use crate::arch::page::PAGE;
use crate::arch::stack::stack_pointer;
use crate::contract::GUARD_SIZE;
use crate::sys;
use crate::sys::lock::Lock;

/// A new lane for a thread that Rust spawns, ready for use: an ended thread's, or a fresh one. The error is an errno.
///
/// Its stack begins right below the control block, which is 64-byte aligned; the thread must end with [`release`].
pub fn acquire() -> Result<*mut Control, i32> {
    // Not in the `match`: the pool would stay locked while a lane is mapped.
    let pooled = POOL.lock().take();
    let control = match pooled {
        Some(control) => control,
        None => {
            let control = map_fresh()?;
            register(control);
            control
        }
    };
    // SAFETY: no thread runs in this lane.
    unsafe { wipe(control) };
    init_tls(control);
    SPAWNED.fetch_add(1, SeqCst);
    Ok(control)
}

/// Threads that Rust spawned and that have not ended.
pub(crate) static SPAWNED: AtomicUsize = AtomicUsize::new(0);

/// Counts what is of interest to the goroutine that serves such threads (`leave/adopt.rs`): that one needs it, and that the last has ended.
pub(crate) static NEWS: AtomicU32 = AtomicU32::new(0);

/// Has it look.
pub(crate) fn tell() {
    NEWS.fetch_add(1, Release);
    sys::futex_wake(&NEWS, 1);
}

/// One less.
fn ended() {
    if SPAWNED.fetch_sub(1, AcqRel) == 1 {
        tell();
    }
}

/// Gives back a lane from [`acquire`] whose thread never started.
///
/// # Safety
/// `control` came from `acquire`, and no thread runs in its lane or will.
pub unsafe fn discard(control: *mut Control) {
    // SAFETY: a lane of the pool's, which stays mapped.
    unsafe { (*control).tid.store(0, Relaxed) };
    ended();
    POOL.lock().put(control);
}

/// Gives back the lane that the calling thread runs in. The thread must do nothing after that but end itself by exit(2): the lane goes to
/// another thread once the kernel has cleared `Control::tid` (CLONE_CHILD_CLEARTID), which must be non-zero until then.
///
/// # Safety
/// The lane came from [`acquire`]; thread-locals of the thread are not used any more.
pub unsafe fn release() {
    let control = control();
    // SAFETY: this thread's own.
    unsafe { (*control).heap.flush() };
    give_back_deep_stack(control);
    ended();
    POOL.lock().put(control);
}

/// Bytes of a released lane's stack that stay with it.
const WARM_STACK: usize = 256 * 1024;

/// Gives the system those pages of the stack that only a deep recursion can have touched.
fn give_back_deep_stack(control: *mut Control) {
    give_back_below(control, stack_pointer());
}

/// Gives the system the pages of a lane's stack that lie more than [`WARM_STACK`] below an address.
pub(super) fn give_back_below(control: *mut Control, top: usize) {
    let start = base_of(control) + GUARD_SIZE as usize;
    let end = (top.saturating_sub(WARM_STACK)) & PAGE.wrapping_neg();
    if end > start {
        // SAFETY: the pages lie below everything that this thread still uses.
        unsafe { sys::syscall3(__NR_madvise, start, end - start, MADV_DONTNEED as usize) };
    }
}

/// Lanes of threads that have ended, or are about to.
pub(super) struct Pool(*mut Control);

// SAFETY: the lanes in the pool belong to nobody else.
unsafe impl Send for Pool {}

static POOL: Lock<Pool> = Lock::new(Pool(null_mut()));

impl Pool {
    pub(super) fn put(&mut self, control: *mut Control) {
        // SAFETY: in the pool, the link is the pool's.
        unsafe { (*control).next_free = self.0 };
        self.0 = control;
    }

    /// Any lane that its last thread has left for good.
    pub(super) fn take(&mut self) -> Option<*mut Control> {
        let mut link = &raw mut self.0;
        // SAFETY: links lead from lane to lane of the pool.
        unsafe {
            while !(*link).is_null() {
                let control = *link;
                if (*control).tid.load(Acquire) == 0 {
                    *link = (*control).next_free;
                    return Some(control);
                }
                link = &raw mut (*control).next_free;
            }
        }
        None
    }
}

/// Lanes of Go's that are in no slot: each took the place of one that was away with its call (`leave/callback.rs`), and is a thread to Rust
/// as it stands.
pub(super) static IDLE: Lock<Pool> = Lock::new(Pool(null_mut()));

/// A lane of Go's that is in no slot; none if there is no room for another.
#[cold]
pub(super) fn idle() -> Option<*mut Control> {
    // Not in the `or_else`: the pool would stay locked while a lane is mapped.
    let pooled = IDLE.lock().take();
    pooled.or_else(|| {
        let control = map_fresh().ok()?;
        register(control);
        init_tls(control);
        Some(control)
    })
}

read! {
    /// The lane that the next thread of Go's takes that comes without one; 0 if it is to map one.
    static rsyso_lane_ready: AtomicUsize = AtomicUsize::new(0);
}

/// Readies a lane of an ended thread, if there is one.
pub(crate) fn make_ready() {
    if rsyso_lane_ready.load(Relaxed) != 0 {
        return;
    }
    let Some(control) = IDLE.lock().take() else {
        return;
    };
    if rsyso_lane_ready
        .compare_exchange(0, control as usize, Release, Relaxed)
        .is_err()
    {
        IDLE.lock().put(control);
    }
}
