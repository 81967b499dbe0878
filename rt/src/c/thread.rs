//! Threads, as POSIX has them: pthread_create, join, detach, names, identity.
//!
//! A thread is a raw clone(2) with a lane of its own and every signal blocked, unknown to Go's scheduler. A thread of
//! Go's that runs in the library has a record too, made when it is first asked for, so that it has an identity and keys; it
//! never ends as far as the library can tell, so none of its destructors run.

use core::cell::Cell;
use core::ffi::CStr;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering::*};

use libc::{c_char, c_int, c_void, pthread_t, size_t};

use crate::c::define::{about_to_wait, code};
use crate::c::file;
use crate::c::string::{Text, bytes, copy_cstr};
use crate::lane::Faults;
use crate::sys::signal::FAULT_SET;
use linux_raw_sys::general::*;

pub mod attr;
pub mod keys;
#[cfg(not(test))]
mod spawn;

pub use keys::{DESTRUCTOR_ITERATIONS, KEYS_MAX};

/// What is known of one thread; `pthread_t` is its address.
pub(crate) struct Thread {
    /// The thread's lane; null in tests.
    control: *mut crate::lane::Control,
    /// Whether Rust spawned it; else it is one of Go's.
    spawned: bool,
    /// The kernel's id, for threads that Rust spawned. The thread and its creator both write it, each before it needs it.
    tid: AtomicI32,
    /// Whether the creator is done with the record.
    released: AtomicBool,
    state: AtomicU32,
    #[cfg_attr(test, allow(dead_code, reason = "tests spawn no thread of their own"))]
    start: Option<extern "C" fn(*mut c_void) -> *mut c_void>,
    /// The start function's argument, and later its result.
    value: Cell<*mut c_void>,
    /// What failed of dynamic linking since the thread asked last (`dl.rs`).
    pub(crate) dl_failure: Cell<u8>,
    /// The signal mask that the thread believes to have (`signal.rs`).
    mask: Cell<u64>,
}

/// Runs, or ran, and somebody will ask for the result.
const JOINABLE: u32 = 0;
/// Nobody will ask; the thread frees its own record.
const DETACHED: u32 = 1;
/// Ended, or about to; whoever joins or detaches frees the record.
const ENDED: u32 = 2;

impl Thread {
    fn new(control: *mut crate::lane::Control) -> Self {
        Thread {
            control,
            spawned: false,
            tid: AtomicI32::new(0),
            released: AtomicBool::new(false),
            state: AtomicU32::new(JOINABLE),
            start: None,
            value: Cell::new(null_mut()),
            dl_failure: Cell::new(0),
            mask: Cell::new(0),
        }
    }

    fn id(&self) -> pthread_t {
        core::ptr::from_ref(self) as pthread_t
    }
}

#[cfg(not(test))]
fn current_control() -> *mut crate::lane::Control {
    crate::lane::control()
}

#[cfg(test)]
fn current_control() -> *mut crate::lane::Control {
    null_mut()
}

/// Where the calling thread's record is kept.
#[cfg(not(test))]
fn record_slot() -> *mut *mut c_void {
    // SAFETY: the lane is this thread's own; a field's address.
    unsafe { &raw mut (*crate::lane::control()).pthread }
}

#[cfg(test)]
fn record_slot() -> *mut *mut c_void {
    std::thread_local! { static SLOT: Cell<*mut c_void> = const { Cell::new(null_mut()) } }
    SLOT.with(Cell::as_ptr)
}

/// The calling thread's record, if it has one.
fn known() -> Option<&'static Thread> {
    // SAFETY: the slot is this thread's, and holds null or a record that lives as long as the thread.
    unsafe { record_slot().read().cast::<Thread>().as_ref() }
}

/// The calling thread's record; ends the program if there is no memory for one.
pub(crate) fn current() -> &'static Thread {
    known().unwrap_or_else(|| {
        // SAFETY: plain allocation.
        let fresh: *mut Thread = unsafe { libc::malloc(size_of::<Thread>()).cast() };
        if fresh.is_null() {
            crate::sys::die::fatal("out of memory for a thread's record");
        }
        // SAFETY: fresh memory for one; the slot is this thread's.
        unsafe {
            fresh.write(Thread::new(current_control()));
            record_slot().write(fresh.cast());
            &*fresh
        }
    })
}

/// The signal mask that the calling thread believes to have, if it is one that Rust spawned.
pub(crate) fn spawned_mask() -> Option<&'static Cell<u64>> {
    known()
        .filter(|thread| thread.spawned)
        .map(|thread| &thread.mask)
}

/// What this thread has of the library's handlers of faults.
#[cfg(not(test))]
pub(crate) fn faults() -> &'static Faults {
    // SAFETY: a lane's control block stays mapped, and this one is the thread's own.
    unsafe { &(*crate::lane::control()).faults }
}

#[cfg(test)]
pub(crate) fn faults() -> &'static Faults {
    std::thread_local! { static FAULTS: &'static Faults = Box::leak(Box::default()) }
    FAULTS.with(|faults| *faults)
}

/// The signal mask that the calling thread believes to have; the kernel's is given.
pub(crate) fn believed_mask(kernels: u64) -> u64 {
    spawned_mask().map_or(kernels, Cell::get) & !FAULT_SET | faults().blocked.get()
}

/// The record behind a `pthread_t`.
///
/// # Safety
/// It must be one of a thread that was neither joined nor, once ended, detached.
unsafe fn record<'a>(thread: pthread_t) -> &'a Thread {
    // SAFETY: a `pthread_t` is the address of a record, which lives until the thread is joined, or detached and ended.
    unsafe { &*(thread as *const Thread) }
}

c_fn! {
    /// pthread_self(3)
    fn pthread_self() -> pthread_t {
        current().id()
    }

    /// pthread_equal(3)
    undeclared fn pthread_equal(a: pthread_t, b: pthread_t) -> c_int {
        (a == b).into()
    }

    /// pthread_detach(3)
    fn pthread_detach(thread: pthread_t) -> c_int {
        let thread = record(thread);
        match thread.state.compare_exchange(JOINABLE, DETACHED, AcqRel, Acquire) {
            Ok(_) => 0,
            Err(ENDED) => {
                libc::free(core::ptr::from_ref(thread).cast_mut().cast());
                0
            }
            Err(_) => libc::EINVAL,
        }
    }

    /// pthread_join(3). When it returns the thread is gone from the kernel too.
    fn pthread_join(thread: pthread_t, result: *mut *mut c_void) -> c_int {
        // SAFETY: the caller's; he joins once.
        unsafe {
            let thread = record(thread);
            if !thread.spawned || thread.state.load(Acquire) == DETACHED {
                return libc::EINVAL;
            }
            if core::ptr::eq(thread, current()) {
                return libc::EDEADLK;
            }
            wait_until_gone(thread);
            if let Some(result) = result.as_mut() {
                *result = thread.value.get();
            }
            libc::free(core::ptr::from_ref(thread).cast_mut().cast());
        }
        0
    }

    /// pthread_kill(3); signals are blocked on threads that Rust spawned: a directed one stays pending.
    fn pthread_kill(thread: pthread_t, signal: c_int) -> c_int {
        // SAFETY: the caller's; plain numbers.
        unsafe {
            let tid = tid_of(record(thread));
            code(syscall!(__NR_tgkill, syscall!(__NR_getpid), tid, signal))
        }
    }

    /// pthread_setname_np(3)
    fn pthread_setname_np(thread: pthread_t, name: *const c_char) -> c_int {
        let name = bytes(name);
        if name.len() >= NAME_SIZE {
            return libc::ERANGE;
        }
        let thread = record(thread);
        if core::ptr::eq(thread, current()) {
            let mut text = [0; NAME_SIZE];
            text[..name.len()].copy_from_slice(name);
            // SAFETY: a C string.
            return code(unsafe { syscall!(__NR_prctl, libc::PR_SET_NAME, text.as_ptr()) });
        }
        with_comm_path(tid_of(thread), |path| match file::write_all(path, name) {
            Ok(()) => 0,
            Err(errno) => errno,
        })
    }

    /// pthread_getname_np(3)
    fn pthread_getname_np(thread: pthread_t, buf: *mut c_char, size: size_t) -> c_int {
        if size < NAME_SIZE {
            return libc::ERANGE;
        }
        let tid = tid_of(record(thread));
        let mut name = [0; NAME_SIZE + 1];
        with_comm_path(tid, |path| match file::read_into(path, &mut name) {
            Ok(n) => {
                // The kernel adds a line end.
                let n = n.saturating_sub(1).min(NAME_SIZE - 1);
                // SAFETY: the caller's buffer of NAME_SIZE bytes or more.
                unsafe { copy_cstr(&name[..n], buf, size) };
                0
            }
            Err(errno) => errno,
        })
    }

    /// sched_getcpu(3)
    fn sched_getcpu() -> c_int {
        let mut cpu = 0u32;
        // SAFETY: a place of our own.
        match crate::c::define::ret(unsafe { syscall!(__NR_getcpu, &raw mut cpu, 0usize, 0usize) }) {
            -1 => -1,
            _ => cpu as c_int,
        }
    }
}

/// Bytes of a thread's name in the kernel, with the terminator (prctl(2), PR_SET_NAME).
const NAME_SIZE: usize = 16;

/// The kernel's id of a thread; for one of Go's, which has no fixed one, that of the calling thread.
fn tid_of(thread: &Thread) -> i32 {
    match thread.tid.load(Relaxed) {
        // SAFETY: no arguments.
        0 => unsafe { syscall!(__NR_gettid) as i32 },
        tid => tid,
    }
}

/// Calls `f` with the path of the file that holds a thread's name.
fn with_comm_path(tid: i32, f: impl FnOnce(&CStr) -> c_int) -> c_int {
    let mut buf = [0; 48];
    let mut text = Text::new(&mut buf);
    // The longest number fits.
    let _ = core::fmt::Write::write_fmt(&mut text, format_args!("/proc/self/task/{tid}/comm\0"));
    match CStr::from_bytes_with_nul(text.into_written()) {
        Ok(path) => f(path),
        Err(_) => libc::ERANGE,
    }
}

/// Waits until the kernel has let go of the thread's lane. The lane may have gone to another thread since: then its
/// word holds another id.
fn wait_until_gone(thread: &Thread) {
    let tid = thread.tid.load(Relaxed);
    // SAFETY: lanes are never unmapped.
    let word = unsafe { &(*thread.control).tid };
    while word.load(Acquire) == tid {
        about_to_wait();
        // CLONE_CHILD_CLEARTID wakes by the shared kind of futex (kernel/fork.c, mm_release).
        // SAFETY: a word of the lane.
        unsafe { syscall!(__NR_futex, word.as_ptr(), FUTEX_WAIT, tid, 0usize) };
    }
}

const _: () = assert!(size_of::<pthread_t>() == size_of::<usize>());
