//! A thread that gives free memory back to the system when nobody else comes by: it is there while there is much of it.
//!
//! No call of Rust need run after a peak, so neither a later call nor a thread of the library's can be relied on. A timer of Go's would do, but shows: it
//! holds back the report of a deadlock, and belongs to the bubble of a test with a clock of its own (testing/synctest). A thread that only the kernel knows
//! does none of that. It uses no lane and nothing of the library's, takes no signal, and ends with the process.

use core::ffi::c_void;
use core::sync::atomic::{AtomicI32, AtomicU32, AtomicUsize, Ordering::*};

use linux_raw_sys::general::*;

use super::system::map;
use super::{heap, slab, spans, spare};
use crate::arch::thread::{clone, set_up_thread_area};
use crate::sys;
use crate::sys::lock::{Guard, Lock};
use crate::sys::signal::Blocked;

/// Free memory of any kind from which on the keeper is wanted. Less stays.
pub(super) const WORTH: usize = 4 << 20;

/// Seconds between two looks, and looks after which memory goes back even if the heap does not rest.
const SECONDS: i64 = 1;
const PATIENCE: u32 = 3;

/// Whether there is a keeper, or someone is starting one.
static STATE: AtomicU32 = AtomicU32::new(NONE);
const NONE: u32 = 0;
const THERE: u32 = 1;

/// The kernel's id of the thread; 0 once it has left its stack for good (CLONE_CHILD_CLEARTID).
static THREAD: AtomicI32 = AtomicI32::new(0);

/// Where its stack starts; 0 before the first one.
static STACK: AtomicUsize = AtomicUsize::new(0);
const STACK_SIZE: usize = 64 << 10;

/// Held while memory is given back.
static AT_WORK: Lock<()> = Lock::new(());

/// Notes that there is memory to be given back.
#[inline]
pub(super) fn want() {
    // Ordered with `leave`: the memory was freed before, and the keeper looks for some after it has said that it is gone.
    if STATE.load(SeqCst) == NONE {
        start();
    }
}

#[cold]
fn start() {
    if STATE
        .compare_exchange(NONE, THERE, SeqCst, Relaxed)
        .is_err()
    {
        return;
    }
    if let Err(()) = try_start() {
        // No thread to be had. Who frees memory next tries again.
        STATE.store(NONE, SeqCst);
    }
}

fn try_start() -> Result<(), ()> {
    // The one before has nothing left to do but to end.
    while THREAD.load(Acquire) != 0 {
        // SAFETY: no arguments.
        unsafe { sys::syscall0(__NR_sched_yield) };
    }
    let mut stack = STACK.load(Relaxed);
    if stack == 0 {
        stack = map(STACK_SIZE) as usize;
        if stack == 0 {
            return Err(());
        }
        STACK.store(stack, Relaxed);
    }
    let area = (stack + STACK_SIZE - size_of::<[usize; 2]>()) as *mut [usize; 2];
    // Inherited: the keeper is to take no signal, least of all one of Go's.
    let blocked = Blocked::all();
    // SAFETY: the stack and what lies on top of it are the new thread's alone: its predecessor has ended.
    let result = unsafe {
        let pointer = set_up_thread_area(&mut *area);
        let (top, nothing) = (area.cast(), core::ptr::null_mut());
        clone(
            sys::THREAD as usize,
            top,
            THREAD.as_ptr(),
            pointer,
            run,
            nothing,
        )
    };
    drop(blocked);
    sys::check(result).map(drop).map_err(drop)
}

/// The whole life of the thread.
unsafe extern "C" fn run(_: *mut c_void) -> ! {
    let mut frees = heap::frees();
    let mut looks = 0;
    loop {
        sleep();
        let now = heap::frees();
        looks += 1;
        {
            let _at_work = AT_WORK.lock();
            spare::trim();
            // While the heap is in use, what is free now is likely to be used again.
            if now == frees || looks >= PATIENCE {
                looks = 0;
                slab::trim();
                spans::trim();
                heap::trim();
            }
        }
        frees = now;
        if !is_wanted() && leave() {
            loop {
                // SAFETY: ends this thread; nothing of it is used after that.
                unsafe { sys::syscall1(__NR_exit, 0) };
            }
        }
    }
}

fn is_wanted() -> bool {
    [spare::kept(), slab::listed(), spans::dirty(), heap::slack()]
        .iter()
        .any(|unused| *unused >= WORTH)
}

/// Says that there is no keeper any more. False if the calling thread is to go on as one.
fn leave() -> bool {
    STATE.store(NONE, SeqCst);
    // Who frees memory from now on starts another one. What came before that is seen here.
    !is_wanted()
        || STATE
            .compare_exchange(NONE, THERE, SeqCst, Relaxed)
            .is_err()
}

fn sleep() {
    let mut left = __kernel_timespec {
        tv_sec: SECONDS,
        tv_nsec: 0,
    };
    let left = &raw mut left as usize;
    // SAFETY: a place of our own, for the time and for the rest of it. No signal comes; a stop may (SIGSTOP), after which less is slept.
    unsafe { sys::syscall2(__NR_nanosleep, left, left) };
}

/// Has the keeper hold no lock while the value lives, for a fork.
pub(crate) fn pause() -> Guard<'static, ()> {
    AT_WORK.lock()
}

/// In the child of a fork there is no keeper.
pub(crate) fn is_gone() {
    THREAD.store(0, Relaxed);
    STATE.store(NONE, Relaxed);
}
