//! What compilers and headers put into C code to catch mistakes: assertions, stack protectors, checked copies.

use core::sync::atomic::{AtomicUsize, Ordering::*};

use libc::{c_char, c_int, c_uint, c_void, size_t};

use crate::c::string::bytes;
use crate::die::fatal;
use crate::sys;

/// A value for the stack protector, with a zero byte in front, so that no string's copy can restore it.
#[cfg(not(test))]
fn new_protector() -> usize {
    let mut random = [0u8; size_of::<usize>()];
    // SAFETY: the buffer's own size. If it fails the value can be guessed; the protector still catches mistakes.
    unsafe {
        syscall!(
            linux_raw_sys::general::__NR_getrandom,
            random.as_mut_ptr(),
            random.len(),
            linux_raw_sys::general::GRND_NONBLOCK
        )
    };
    usize::from_ne_bytes(random) & !0xff
}

/// What functions compiled with -fstack-protector keep in front of their return address. One for all threads: a call that comes back from Go
/// on another thread finds the same. (gcc and clang read it at `%fs:40`; the linker has them read it here.)
#[cfg_attr(not(test), unsafe(no_mangle))]
#[allow(non_upper_case_globals)] // The name is C's.
pub static __stack_chk_guard: AtomicUsize = AtomicUsize::new(0);

/// Makes the value up, before any code of the library runs.
#[cfg(not(test))]
pub(crate) fn init() {
    __stack_chk_guard.store(new_protector(), Relaxed);
}

/// Ends the program if a copy does not fit.
fn must_fit(n: usize, room: usize) {
    if n > room {
        fatal("buffer overflow in C code of the library (__chk_fail)");
    }
}

c_fn! {
    /// What a failed `assert` calls.
    undeclared fn __assert_fail(what: *const c_char, file: *const c_char, line: c_uint, function: *const c_char) -> ! {
        let write = |text: *const c_char| {
            if !text.is_null() {
                // SAFETY: a C string, as the macro passes it.
                sys::write_stderr(unsafe { bytes(text) });
            }
        };
        let mut buf = [0; 16];
        let mut number = crate::c::string::Text::new(&mut buf);
        // Every line number fits.
        let _ = core::fmt::Write::write_fmt(&mut number, format_args!(":{line}: "));
        write(file);
        sys::write_stderr(number.into_written());
        write(function);
        sys::write_stderr(b": Assertion `");
        write(what);
        sys::write_stderr(b"' failed.\n");
        // SAFETY: ends the program.
        unsafe { libc::abort() }
    }

    /// What code compiled with -fstack-protector calls when its guard value was overwritten.
    undeclared fn __stack_chk_fail() -> ! {
        fatal("stack smashing detected in C code of the library")
    }

    /// What checked copies call (_FORTIFY_SOURCE).
    undeclared fn __chk_fail() -> ! {
        fatal("buffer overflow in C code of the library (__chk_fail)")
    }

    /// memcpy(3), checked.
    undeclared fn __memcpy_chk(to: *mut c_void, from: *const c_void, n: size_t, room: size_t) -> *mut c_void {
        must_fit(n, room);
        // SAFETY: the caller's.
        unsafe { core::ptr::copy_nonoverlapping::<u8>(from.cast(), to.cast(), n) };
        to
    }

    /// memmove(3), checked.
    undeclared fn __memmove_chk(to: *mut c_void, from: *const c_void, n: size_t, room: size_t) -> *mut c_void {
        must_fit(n, room);
        // SAFETY: the caller's.
        unsafe { core::ptr::copy::<u8>(from.cast(), to.cast(), n) };
        to
    }

    /// memset(3), checked.
    undeclared fn __memset_chk(to: *mut c_void, byte: c_int, n: size_t, room: size_t) -> *mut c_void {
        must_fit(n, room);
        // SAFETY: the caller's.
        unsafe { core::ptr::write_bytes::<u8>(to.cast(), byte as u8, n) };
        to
    }

    /// strcpy(3), checked.
    undeclared fn __strcpy_chk(to: *mut c_char, from: *const c_char, room: size_t) -> *mut c_char {
        // SAFETY: the caller's.
        unsafe {
            must_fit(bytes(from).len() + 1, room);
            crate::c::string::strcpy(to, from)
        }
    }

    /// stpcpy(3), checked.
    undeclared fn __stpcpy_chk(to: *mut c_char, from: *const c_char, room: size_t) -> *mut c_char {
        // SAFETY: the caller's.
        unsafe {
            must_fit(bytes(from).len() + 1, room);
            crate::c::string::stpcpy(to, from)
        }
    }

    /// strncpy(3), checked.
    undeclared fn __strncpy_chk(to: *mut c_char, from: *const c_char, n: size_t, room: size_t) -> *mut c_char {
        must_fit(n, room);
        // SAFETY: the caller's.
        unsafe { crate::c::string::strncpy(to, from, n) }
    }

    /// strcat(3), checked.
    undeclared fn __strcat_chk(to: *mut c_char, from: *const c_char, room: size_t) -> *mut c_char {
        // SAFETY: the caller's.
        unsafe {
            must_fit(bytes(to).len() + bytes(from).len() + 1, room);
            crate::c::string::strcat(to, from)
        }
    }

    /// strncat(3), checked.
    undeclared fn __strncat_chk(to: *mut c_char, from: *const c_char, n: size_t, room: size_t) -> *mut c_char {
        // SAFETY: the caller's.
        unsafe {
            must_fit(bytes(to).len() + crate::c::string::length_up_to(from, n) + 1, room);
            crate::c::string::strncat(to, from, n)
        }
    }

    /// stpncpy(3), checked.
    undeclared fn __stpncpy_chk(to: *mut c_char, from: *const c_char, n: size_t, room: size_t) -> *mut c_char {
        must_fit(n, room);
        // SAFETY: the caller's.
        unsafe { crate::c::string::old::stpncpy(to, from, n) }
    }

    /// mempcpy(3), checked.
    undeclared fn __mempcpy_chk(to: *mut c_void, from: *const c_void, n: size_t, room: size_t) -> *mut c_void {
        must_fit(n, room);
        // SAFETY: the caller's.
        unsafe { crate::c::string::mempcpy(to, from, n) }
    }

    /// explicit_bzero(3), checked.
    undeclared fn __explicit_bzero_chk(to: *mut c_void, n: size_t, room: size_t) {
        must_fit(n, room);
        // SAFETY: the caller's.
        unsafe { crate::c::string::explicit_bzero(to, n) }
    }

    /// read(2), checked.
    undeclared fn __read_chk(fd: c_int, to: *mut c_void, n: size_t, room: size_t) -> isize {
        must_fit(n, room);
        // SAFETY: the caller's.
        unsafe { crate::c::fd::read(fd, to, n) }
    }
}
