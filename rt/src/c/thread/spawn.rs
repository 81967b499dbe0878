//! The life of a thread that Rust spawned.

use libc::{c_int, c_void, pthread_attr_t, pthread_t};

use super::*;
use crate::arch::thread::{clone, set_up_thread_area};
use crate::lane;
use crate::sys;
use crate::sys::signal::Blocked;

c_fn! {
    /// pthread_create(3)
    fn pthread_create(
        to: *mut pthread_t,
        attr: *const pthread_attr_t,
        start: extern "C" fn(*mut c_void) -> *mut c_void,
        argument: *mut c_void,
    ) -> c_int {
        // SAFETY: the caller's, null or initialised.
        let detached = unsafe { attr::is_detached(attr) };
        let control = match lane::acquire() {
            Ok(control) => control,
            // POSIX has one error for every lack of resources.
            Err(_) => return libc::EAGAIN,
        };
        crate::leave::adopt::begins();
        // SAFETY: the lane is this function's until the thread runs; the record until then too.
        unsafe {
            let thread: *mut Thread = libc::malloc(size_of::<Thread>()).cast();
            if thread.is_null() {
                lane::discard(control);
                return libc::EAGAIN;
            }
            thread.write(Thread::new(control));
            (*thread).spawned = true;
            (*thread).start = Some(start);
            (*thread).value.set(argument);
            if detached {
                (*thread).state.store(DETACHED, Relaxed);
            }
            (*control).pthread = thread.cast();
            *to = (*thread).id();
            let pointer = set_up_thread_area(&mut (*control).thread_area);
            let blocked = Blocked::all();
            (*thread).mask.set(believed_mask(blocked.before()));
            (*control).faults.blocked.set(faults().blocked.get());
            let tid = (*control).tid.as_ptr();
            let result = clone(sys::THREAD as usize, control.cast(), tid, pointer, run, thread.cast());
            drop(blocked);
            match sys::check(result) {
                Ok(tid) => {
                    (*thread).tid.store(tid as i32, Relaxed);
                    // From here on the record may be gone.
                    (*thread).released.store(true, Release);
                    0
                }
                Err(errno) => {
                    libc::free(thread.cast());
                    lane::discard(control);
                    errno
                }
            }
        }
    }
}

/// The whole life of the thread, at the top of its lane.
///
/// # Safety
/// `thread` must be the record of the calling thread, fresh.
unsafe extern "C" fn run(thread: *mut c_void) -> ! {
    // SAFETY: the record lives until this thread lets go of it.
    let thread = unsafe { &*thread.cast::<Thread>() };
    // SAFETY: the kernel wrote the id before the thread began (CLONE_PARENT_SETTID).
    let tid = unsafe { (*thread.control).tid.load(Relaxed) };
    thread.tid.store(tid, Relaxed);
    crate::leave::fault::accept_on_this_thread(thread.control);
    if let Some(start) = thread.start {
        thread.value.set(start(thread.value.get()));
    }
    // SAFETY: nothing of the library runs on this thread any more.
    unsafe { end(thread) }
}

c_fn! {
    /// pthread_exit(3), for C code: what stands on the stack is not unwound. A thread of Go's is not the library's to end.
    undeclared fn pthread_exit(value: *mut c_void) -> ! {
        let thread = current();
        if !thread.spawned {
            crate::sys::die::fatal("C code of the library called pthread_exit on a thread that it did not start");
        }
        thread.value.set(value);
        // SAFETY: the caller's: he leaves his frames.
        unsafe { end(thread) }
    }
}

/// The end of a thread of the library's: destructors, and what others wait for.
///
/// # Safety
/// `thread` must be the calling thread's record; what stands on the stack is given up.
unsafe fn end(thread: &Thread) -> ! {
    // SAFETY: the lane is this thread's own.
    unsafe { (*lane::control()).locals.run_destructors() };
    crate::leave::adopt::ends(lane::control());
    // Almost always long since.
    while !thread.released.load(Acquire) {
        // SAFETY: no arguments.
        unsafe { syscall!(__NR_sched_yield) };
    }
    // SAFETY: nothing of the library runs on this thread any more. The record is this thread's to free only if nobody
    // will ask for it; after that swap it may be freed by whoever does. The lane goes back last.
    unsafe {
        if thread.state.swap(ENDED, AcqRel) == DETACHED {
            libc::free(core::ptr::from_ref(thread).cast_mut().cast());
        }
        lane::release();
        loop {
            syscall!(__NR_exit, 0);
        }
    }
}
