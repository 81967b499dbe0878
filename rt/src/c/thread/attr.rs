//! Attributes of threads. What matters here is the size of the stack: a lane's is what there is, smaller wishes are
//! met, larger ones are errors.

use libc::{c_int, c_void, pthread_attr_t, size_t};

use crate::contract::GUARD_SIZE;

/// What this file keeps in a `pthread_attr_t`.
#[repr(C)]
struct Attr {
    stack_size: usize,
    guard_size: usize,
    /// The lowest byte of the stack, for `pthread_getattr_np`; 0 otherwise.
    stack_start: usize,
    detached: bool,
}

const _: () = assert!(size_of::<Attr>() <= size_of::<pthread_attr_t>());
const _: () = assert!(align_of::<Attr>() <= align_of::<pthread_attr_t>());

/// Bytes of stack in a lane.
fn lane_stack() -> usize {
    #[cfg(test)]
    return 8 << 20;
    #[cfg(not(test))]
    return (crate::image::params().lane_control - GUARD_SIZE) as usize;
}

/// # Safety
/// `attr` must be initialised.
unsafe fn view<'a>(attr: *const pthread_attr_t) -> &'a Attr {
    // SAFETY: the caller's; `pthread_attr_init` wrote an `Attr`.
    unsafe { &*attr.cast() }
}

/// # Safety
/// `attr` must be initialised, and no other thread's.
unsafe fn edit<'a>(attr: *mut pthread_attr_t) -> &'a mut Attr {
    // SAFETY: `pthread_attr_init` wrote an `Attr`, and no other thread uses it meanwhile.
    unsafe { &mut *attr.cast() }
}

/// Whether a thread with these attributes starts detached.
///
/// # Safety
/// Null or initialised.
#[cfg(not(test))]
pub(super) unsafe fn is_detached(attr: *const pthread_attr_t) -> bool {
    // SAFETY: not null, so it is initialised.
    !attr.is_null() && unsafe { view(attr) }.detached
}

c_fn! {
    /// pthread_attr_init(3)
    fn pthread_attr_init(attr: *mut pthread_attr_t) -> c_int {
        let fresh = Attr {
            stack_size: lane_stack(),
            guard_size: GUARD_SIZE as usize,
            stack_start: 0,
            detached: false,
        };
        // SAFETY: the caller's place, large enough (above).
        unsafe {
            attr.write_bytes(0, 1);
            attr.cast::<Attr>().write(fresh);
        }
        0
    }

    /// pthread_attr_init(3)
    fn pthread_attr_destroy(_attr: *mut pthread_attr_t) -> c_int {
        0
    }

    /// pthread_attr_setstacksize(3): EINVAL for more than a lane has.
    fn pthread_attr_setstacksize(attr: *mut pthread_attr_t, size: size_t) -> c_int {
        if size < libc::PTHREAD_STACK_MIN || size > lane_stack() {
            return libc::EINVAL;
        }
        edit(attr).stack_size = size;
        0
    }

    /// pthread_attr_getstacksize(3)
    fn pthread_attr_getstacksize(attr: *const pthread_attr_t, size: *mut size_t) -> c_int {
        *size = view(attr).stack_size;
        0
    }

    /// pthread_attr_setguardsize(3): every lane has a guard, of one size; it cannot be had larger.
    fn pthread_attr_setguardsize(attr: *mut pthread_attr_t, size: size_t) -> c_int {
        if size > GUARD_SIZE as usize {
            return libc::EINVAL;
        }
        edit(attr).guard_size = size;
        0
    }

    /// pthread_attr_getguardsize(3)
    fn pthread_attr_getguardsize(attr: *const pthread_attr_t, size: *mut size_t) -> c_int {
        *size = view(attr).guard_size;
        0
    }

    /// pthread_attr_setdetachstate(3)
    fn pthread_attr_setdetachstate(attr: *mut pthread_attr_t, state: c_int) -> c_int {
        match state {
            libc::PTHREAD_CREATE_JOINABLE | libc::PTHREAD_CREATE_DETACHED => {
                edit(attr).detached = state == libc::PTHREAD_CREATE_DETACHED;
                0
            }
            _ => libc::EINVAL,
        }
    }

    /// pthread_attr_getdetachstate(3)
    undeclared fn pthread_attr_getdetachstate(attr: *const pthread_attr_t, state: *mut c_int) -> c_int {
        *state = match view(attr).detached {
            true => libc::PTHREAD_CREATE_DETACHED,
            false => libc::PTHREAD_CREATE_JOINABLE,
        };
        0
    }

    /// pthread_attr_getstack(3): the lowest byte of the stack and its size, after `pthread_getattr_np`.
    fn pthread_attr_getstack(attr: *const pthread_attr_t, start: *mut *mut c_void, size: *mut size_t) -> c_int {
        *start = view(attr).stack_start as *mut c_void;
        *size = view(attr).stack_size;
        0
    }
}

#[cfg(not(test))]
c_fn! {
    /// pthread_getattr_np(3): where the thread's stack lies: that part of its lane.
    fn pthread_getattr_np(thread: libc::pthread_t, attr: *mut pthread_attr_t) -> c_int {
        let thread = super::record(thread);
        pthread_attr_init(attr);
        let attr = edit(attr);
        attr.stack_start = thread.control as usize - attr.stack_size;
        attr.detached = thread.state.load(core::sync::atomic::Ordering::Acquire) == super::DETACHED;
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::MaybeUninit;

    #[test]
    fn sizes_beyond_the_lane_are_refused() {
        let mut attr = MaybeUninit::uninit();
        let attr = attr.as_mut_ptr();
        let mut size = 0;
        // SAFETY: initialised first.
        unsafe {
            assert_eq!(pthread_attr_init(attr), 0);
            assert_eq!(pthread_attr_setstacksize(attr, 2 << 20), 0);
            assert_eq!(pthread_attr_setstacksize(attr, 9 << 20), libc::EINVAL);
            assert_eq!(pthread_attr_setstacksize(attr, 1), libc::EINVAL);
            assert_eq!(pthread_attr_getstacksize(attr, &mut size), 0);
            assert_eq!(size, 2 << 20);
            assert_eq!(pthread_attr_setdetachstate(attr, 7), libc::EINVAL);
        }
    }
}
