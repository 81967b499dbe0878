//! Lanes of Go's threads that have ended.
//!
//! Go ends few of its threads: those that a goroutine had locked when it returned. Nobody tells the image. So when many lanes are in the
//! table it is looked through, now and then, for those whose thread the kernel does not know any more. Such a lane's thread-locals are dropped, on
//! the lane itself, and another thread gets it.
//!
//! Go keeps the kernel's id of a thread in `m.procid` (runtime/runtime2.go), which it sets when the thread begins, before that runs any goroutine
//! (`minit` in runtime/os_linux.go), and sets to 0 when a thread of C's leaves the `m`. Where that field lies is found by looking, and checked at each
//! lane; if it is not found, lanes stay.
//!
//! An `m` may be made anew at the address of one that has ended, and would find the old one's slot. So a slot is claimed first, and
//! then its `m` is looked at again, after a barrier on all threads (membarrier(2)): a new thread that still found the lane had set its id before,
//! and keeps the lane; one that comes meanwhile waits for the outcome.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering::*};

use linux_raw_sys::errno::ESRCH;
use linux_raw_sys::general::*;

use super::control::{Control, init_tls, wipe};
use super::pool::{IDLE, give_back_below};
use super::table::{CLAIMED, EMPTIED, LOOKING, USED, table};
use crate::arch::lane::visit;
use crate::contract::Head;
use crate::sys;

/// Words of an `m` among which the kernel's id of the thread is: behind `g0`, a `gobuf` of six or seven words and a number (runtime/runtime2.go
/// of Go 1.21 to 1.27).
const PROCID: core::ops::RangeInclusive<usize> = 7..=10;

/// Which word it is; 0 while that is not known, [`NOWHERE`] once it has proved wrong.
static PROCID_AT: AtomicUsize = AtomicUsize::new(0);
const NOWHERE: usize = usize::MAX;

/// Lanes in the table at which the next look is due.
static DUE: AtomicUsize = AtomicUsize::new(FIRST);
const FIRST: usize = 256;

/// Learns where Go keeps threads' ids, from the `m` of the calling thread.
pub(crate) fn learn(m: usize) {
    // SAFETY: no arguments.
    let own = unsafe { sys::syscall0(__NR_gettid) } as usize;
    let known = PROCID_AT.load(Relaxed);
    let now = match known {
        NOWHERE => return,
        // The first word that fits; a wrong one does not fit the next thread.
        0 => PROCID.into_iter().find(|at| word(m, *at) == own),
        at => (word(m, at) == own).then_some(at),
    };
    let now = now.unwrap_or(NOWHERE);
    if now != known {
        PROCID_AT.store(now, Relaxed);
    }
}

/// A word of an `m`, alive or not.
fn word(m: usize, at: usize) -> usize {
    // SAFETY: an `m` lies in Go's heap or data, which stays readable for good; what became of it is checked by the caller.
    unsafe { (m as *const usize).add(at).read_volatile() }
}

/// Sends a signal to each other thread of Go's for whose lane a test holds, and gives their number. Without a lock: safe to call from a signal handler.
pub(crate) fn signal_threads(signal: u32, test: impl Fn(*mut Control) -> bool) -> usize {
    let procid = PROCID_AT.load(Relaxed);
    if procid == 0 || procid == NOWHERE {
        return 0;
    }
    // SAFETY: no arguments.
    let (process, own) = unsafe {
        (
            sys::syscall0(__NR_getpid) as usize,
            sys::syscall0(__NR_gettid) as usize,
        )
    };
    let mut sent = 0;
    for slot in table() {
        let (m, control) = (
            slot.m.load(Acquire),
            slot.control.load(Acquire) as *mut Control,
        );
        if m == 0 || m == CLAIMED || m == EMPTIED || control.is_null() || !test(control) {
            continue;
        }
        let thread = word(m, procid);
        if thread != own && i32::try_from(thread).is_ok_and(|tid| tid > 0) {
            // SAFETY: plain numbers. A thread that has ended meanwhile gets none.
            unsafe { sys::syscall3(__NR_tgkill, process, thread, signal as usize) };
            sent += 1;
        }
    }
    sent
}

/// Whether the thread of an `m` has ended, if there ever was one.
fn has_ended(m: usize, procid: usize) -> bool {
    let Ok(tid @ 1..) = i32::try_from(word(m, procid)) else {
        return true;
    };
    // SAFETY: no signal is sent.
    unsafe {
        let process = sys::syscall0(__NR_getpid) as usize;
        sys::syscall3(__NR_tgkill, process, tid as usize, 0) == -(ESRCH as isize)
    }
}

/// Looks for lanes of ended threads, if that is due. Called by a thread of Go's on its lane, which is in the table.
pub(crate) fn look_if_due() {
    let procid = PROCID_AT.load(Relaxed);
    if USED.load(Relaxed) < DUE.load(Relaxed) || procid == 0 || procid == NOWHERE {
        return;
    }
    let Some(alone) = LOOKING.try_lock() else {
        return;
    };
    let (alive, mut ended) = look(procid);
    // Each look is paid for by as many new lanes as it looks at.
    DUE.store(FIRST.max(2 * alive), Relaxed);
    // What is left to do may be the library's own: nobody is to wait for that.
    drop(alone);
    while !ended.is_null() {
        // SAFETY: a lane of the list, whose thread has ended, and which no other finds.
        unsafe {
            let next = (*ended).next_free;
            renew(ended);
            ended = next;
        }
    }
}

/// Finds them. Returns how many others there are, and the first of them: a list.
fn look(procid: usize) -> (usize, *mut Control) {
    let mut first = null_mut();
    let mut alive = 0;
    let mut claimed = 0;
    for slot in table() {
        let m = slot.m.load(Acquire);
        if m == 0 || m == CLAIMED || m == EMPTIED {
            continue;
        }
        let ended = has_ended(m, procid);
        match ended && slot.m.compare_exchange(m, CLAIMED, AcqRel, Relaxed).is_ok() {
            true => claimed += 1,
            false => alive += 1,
        }
    }
    if claimed == 0 {
        return (alive, first);
    }
    let certain = sys::all_threads_see();
    for slot in table().iter().filter(|s| s.m.load(Relaxed) == CLAIMED) {
        let control = slot.control.load(Acquire) as *mut Control;
        // SAFETY: lanes stay mapped; who claimed the slot reads what its thread wrote when it took the slot.
        let owner = unsafe { (*control).owner };
        if certain && has_ended(owner, procid) {
            slot.empty();
            // SAFETY: its thread has ended, and no other finds it; the link is that of lanes which nobody has.
            unsafe { (*control).next_free = first };
            first = control;
        } else {
            // A new thread at the same `m` may have found the lane before the slot was claimed.
            slot.m.store(owner, Release);
            alive += 1;
        }
    }
    (alive, first)
}

/// Drops what a thread left in its lane, and gives the lane to who comes.
///
/// # Safety
/// The thread has ended, and no other can find the lane.
unsafe fn renew(control: *mut Control) {
    // SAFETY: the lane is nobody's but this thread's, by the caller's word.
    unsafe {
        // A fault there is not to go on in a call that is long over.
        (*control).head.go_landing = 0;
        visit(control.cast(), end_thread);
        let spare = (*control).spare;
        wipe(control);
        init_tls(control);
        give_back_below(control, control as usize);
        let mut idle = IDLE.lock();
        idle.put(control);
        if !spare.is_null() {
            idle.put(spare);
        }
    }
}

/// What is left to do of the thread, on its lane.
unsafe extern "C" fn end_thread(lane: *mut Head) {
    let control: *mut Control = lane.cast();
    // SAFETY: nobody else uses the lane, and nobody asks for the thread's record any more, which is a block of the heap's.
    unsafe {
        (*control).locals.run_destructors();
        libc::free(core::mem::replace(
            &mut (*control).pthread,
            core::ptr::null_mut(),
        ));
        (*control).heap.flush();
    }
}
