//! Goroutines that run on for threads of Rust's own: those that call a Go function which the library keeps.
//!
//! Go code needs a goroutine, and such a thread has none. When it first calls a Go function, it hands its lane over and waits: a goroutine, bound to a thread
//! of Go's, calls the function, and then goes on with what the thread was about, on the thread's lane, as a system call of Go's. So it is there already when the
//! thread calls Go again. At the thread's end the lane goes back, and the thread ends itself.
//!
//! Another goroutine waits for threads that need one, while there are threads. It begins when the first is made ([`begins`]), or with the first function that is
//! kept ([`rsyso_kept_begin`]), and ends a while after the last of them, so that Go can tell a deadlock.

use core::mem::replace;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering::*};

use super::departure::reaches_go;
use super::polite::about_to_wait;
use crate::arch::calls::called;
use crate::arch::kept::{ask, give_back};
use crate::contract::{KEPT_SERVE, Shown};
use crate::image::params;
use crate::lane::{Control, NEWS, SPAWNED, base_of, control, tell};
use crate::sys;
use crate::sys::lock::Lock;

/// Milliseconds for which the goroutine stays after the last thread: there may be another soon.
const LINGERS: u32 = 100;

/// Threads that wait for a goroutine.
struct Waiting {
    first: *mut Control,
    last: *mut Control,
    /// Whether a goroutine serves them, or is about to.
    served: bool,
}

// SAFETY: lanes, whose threads do nothing but wait.
unsafe impl Send for Waiting {}

static WAITING: Lock<Waiting> = Lock::new(Waiting {
    first: null_mut(),
    last: null_mut(),
    served: false,
});

/// 0 before the first function is kept; then the address of [`serve`]. So libraries that keep none are linked without all this.
static BEGINS: AtomicUsize = AtomicUsize::new(0);

/// Whether Go functions may be called on threads of Rust's own: some are kept.
pub(super) fn serves() -> bool {
    BEGINS.load(SeqCst) != 0
}

/// From now on a goroutine serves threads, when there are some. Gives 1 if Go is to begin at once, else 0.
#[unsafe(no_mangle)]
pub extern "C" fn rsyso_kept_begin() -> usize {
    BEGINS.store(serve as *const () as usize, SeqCst);
    needed().into()
}

/// Called where a thread is made, once it is counted.
pub(crate) fn begins() {
    let serve = BEGINS.load(SeqCst);
    if serve != 0 {
        // SAFETY: 0, or that function.
        unsafe { core::mem::transmute::<usize, fn()>(serve)() }
    }
}

/// Has Go serve threads, unless it does. One that a thread of Rust's own makes is not the first.
fn serve() {
    if reaches_go(control()) && needed() {
        // SAFETY: what Go does then is known to it, and does not panic.
        unsafe { ask(KEPT_SERVE as usize) }
    }
}

/// Whether there are threads that nobody serves: the caller sees to it.
fn needed() -> bool {
    let mut waiting = WAITING.lock();
    SPAWNED.load(SeqCst) != 0 && !replace(&mut waiting.served, true)
}

/// Waits for a thread that calls a Go function. Gives what it calls, or null when there are no threads any more: nobody serves them then.
#[unsafe(no_mangle)]
pub extern "C" fn rsyso_kept_next() -> *mut Shown {
    let mut lingered = false;
    loop {
        let seen = NEWS.load(Acquire);
        let none;
        {
            let mut waiting = WAITING.lock();
            let first = waiting.first;
            // SAFETY: a lane whose thread waits.
            if let Some(lane) = unsafe { first.as_mut() } {
                waiting.first = replace(&mut lane.next_waiting, null_mut());
                return &raw mut lane.head.shown;
            }
            none = SPAWNED.load(SeqCst) == 0;
            if none && lingered {
                waiting.served = false;
                return null_mut();
            }
        }
        about_to_wait();
        lingered = none && sys::futex_wait_for(&NEWS, seen, LINGERS);
        if !none {
            sys::futex_wait(&NEWS, seen);
        }
    }
}

/// Makes the lane of a thread of Rust's own ready for a goroutine.
pub(super) fn prepare(control: *mut Control) {
    // SAFETY: this thread's own. It waits where it would handle its faults: waiting makes none.
    unsafe {
        (*control).adopted = true;
        (*control).head.thread_sp = base_of(control) + params().lane_size as usize;
        (*control).head.lent.store(1, Relaxed);
    }
}

called! {
    /// Waits until a goroutine has done all that the thread was about.
    fn rsyso_kept_hand_over() {
        let control = control();
        {
            let mut waiting = WAITING.lock();
            match waiting.first.is_null() {
                true => waiting.first = control,
                // SAFETY: lanes whose threads wait.
                false => unsafe { (*waiting.last).next_waiting = control },
            }
            waiting.last = control;
        }
        tell();
        // SAFETY: a lane's word, which stays mapped.
        let lent = unsafe { &(*control).head.lent };
        while lent.load(Acquire) != 0 {
            sys::futex_wait(lent, 1);
        }
    }
}

/// The end of a thread of Rust's own: what is left to do it does itself.
pub(crate) fn ends(control: *mut Control) {
    // SAFETY: this lane's own, on which a goroutine runs in the place of the thread.
    unsafe {
        if replace(&mut (*control).adopted, false) {
            (&raw mut (*control).head.go_landing).write_volatile(0);
            give_back(control.cast());
        }
    }
}
