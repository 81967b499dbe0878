//! What compilers and headers put into C code to catch mistakes: assertions, stack protectors, checked copies.

use core::sync::atomic::{AtomicUsize, Ordering::*};

use libc::{c_char, c_int, c_uint, c_void, size_t};

use crate::c::define::overflowed;
use crate::c::string::bytes;
use crate::sys;
use crate::sys::die::fatal;

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
        overflowed();
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
        overflowed()
    }

    /// memcpy(3), checked.
    undeclared fn __memcpy_chk(to: *mut c_void, from: *const c_void, n: size_t, room: size_t) -> *mut c_void {
        must_fit(n, room);
        core::ptr::copy_nonoverlapping::<u8>(from.cast(), to.cast(), n);
        to
    }

    /// memmove(3), checked.
    undeclared fn __memmove_chk(to: *mut c_void, from: *const c_void, n: size_t, room: size_t) -> *mut c_void {
        must_fit(n, room);
        core::ptr::copy::<u8>(from.cast(), to.cast(), n);
        to
    }

    /// memset(3), checked.
    undeclared fn __memset_chk(to: *mut c_void, byte: c_int, n: size_t, room: size_t) -> *mut c_void {
        must_fit(n, room);
        core::ptr::write_bytes::<u8>(to.cast(), byte as u8, n);
        to
    }

    /// strcpy(3), checked.
    undeclared fn __strcpy_chk(to: *mut c_char, from: *const c_char, room: size_t) -> *mut c_char {
        must_fit(bytes(from).len() + 1, room);
        crate::c::string::strcpy(to, from)
    }

    /// stpcpy(3), checked.
    undeclared fn __stpcpy_chk(to: *mut c_char, from: *const c_char, room: size_t) -> *mut c_char {
        must_fit(bytes(from).len() + 1, room);
        crate::c::string::stpcpy(to, from)
    }

    /// strncpy(3), checked.
    undeclared fn __strncpy_chk(to: *mut c_char, from: *const c_char, n: size_t, room: size_t) -> *mut c_char {
        must_fit(n, room);
        crate::c::string::strncpy(to, from, n)
    }

    /// strcat(3), checked.
    undeclared fn __strcat_chk(to: *mut c_char, from: *const c_char, room: size_t) -> *mut c_char {
        must_fit(bytes(to).len() + bytes(from).len() + 1, room);
        crate::c::string::strcat(to, from)
    }

    /// strncat(3), checked.
    undeclared fn __strncat_chk(to: *mut c_char, from: *const c_char, n: size_t, room: size_t) -> *mut c_char {
        must_fit(bytes(to).len() + crate::c::string::length_up_to(from, n) + 1, room);
        crate::c::string::strncat(to, from, n)
    }

    /// stpncpy(3), checked.
    undeclared fn __stpncpy_chk(to: *mut c_char, from: *const c_char, n: size_t, room: size_t) -> *mut c_char {
        must_fit(n, room);
        crate::c::string::old::stpncpy(to, from, n)
    }

    /// mempcpy(3), checked.
    undeclared fn __mempcpy_chk(to: *mut c_void, from: *const c_void, n: size_t, room: size_t) -> *mut c_void {
        must_fit(n, room);
        crate::c::string::mempcpy(to, from, n)
    }

    /// explicit_bzero(3), checked.
    undeclared fn __explicit_bzero_chk(to: *mut c_void, n: size_t, room: size_t) {
        must_fit(n, room);
        crate::c::string::explicit_bzero(to, n)
    }

    /// What `FD_SET` and its kin call: the word of a descriptor in a set.
    undeclared fn __fdelt_chk(fd: libc::c_long) -> libc::c_long {
        must_fit(fd as usize, libc::FD_SETSIZE - 1);
        fd / libc::c_long::from(libc::c_long::BITS)
    }

    /// realpath(3), checked: any path must have room.
    undeclared fn __realpath_chk(path: *const c_char, to: *mut c_char, room: size_t) -> *mut c_char {
        if !to.is_null() {
            must_fit(libc::PATH_MAX as usize, room);
        }
        crate::c::path::realpath(path, to)
    }

    /// fgets(3), checked.
    undeclared fn __fgets_chk(to: *mut c_char, room: size_t, n: c_int, file: *mut libc::FILE) -> *mut c_char {
        must_fit(n.max(0) as usize, room);
        crate::c::stdio::fgets(to, n, file)
    }

    /// fread(3), checked.
    undeclared fn __fread_chk(to: *mut c_void, room: size_t, size: size_t, count: size_t, file: *mut libc::FILE) -> size_t {
        must_fit(size.saturating_mul(count), room);
        crate::c::stdio::fread(to, size, count, file)
    }

    /// pread(2), checked.
    undeclared fn __pread_chk(fd: c_int, to: *mut c_void, n: size_t, offset: i64, room: size_t) -> isize {
        must_fit(n, room);
        crate::c::fd::pread(fd, to, n, offset)
    }

    /// pread(2), checked.
    undeclared fn __pread64_chk(fd: c_int, to: *mut c_void, n: size_t, offset: i64, room: size_t) -> isize {
        must_fit(n, room);
        crate::c::fd::pread64(fd, to, n, offset)
    }

    /// recv(2), checked.
    undeclared fn __recv_chk(fd: c_int, to: *mut c_void, n: size_t, room: size_t, flags: c_int) -> isize {
        must_fit(n, room);
        crate::c::socket::recv(fd, to, n, flags)
    }

    /// recvfrom(2), checked.
    undeclared fn __recvfrom_chk(
        fd: c_int,
        to: *mut c_void,
        n: size_t,
        room: size_t,
        flags: c_int,
        from: *mut libc::sockaddr,
        length: *mut libc::socklen_t,
    ) -> isize {
        must_fit(n, room);
        crate::c::socket::recvfrom(fd, to, n, flags, from, length)
    }

    /// poll(2), checked.
    undeclared fn __poll_chk(fds: *mut libc::pollfd, count: libc::nfds_t, timeout: c_int, room: size_t) -> c_int {
        must_fit(count as usize, room / size_of::<libc::pollfd>());
        crate::c::poll::poll(fds, count, timeout)
    }

    /// readlink(2), checked.
    undeclared fn __readlink_chk(path: *const c_char, to: *mut c_char, n: size_t, room: size_t) -> isize {
        must_fit(n, room);
        crate::c::fs::readlink(path, to, n)
    }

    /// getcwd(3), checked.
    undeclared fn __getcwd_chk(to: *mut c_char, n: size_t, room: size_t) -> *mut c_char {
        must_fit(n, room);
        crate::c::fs::getcwd(to, n)
    }

    /// gethostname(2), checked.
    undeclared fn __gethostname_chk(to: *mut c_char, n: size_t, room: size_t) -> c_int {
        must_fit(n, room);
        crate::c::process::gethostname(to, n)
    }

    /// strlcpy(3), checked.
    undeclared fn __strlcpy_chk(to: *mut c_char, from: *const c_char, n: size_t, room: size_t) -> size_t {
        must_fit(n, room);
        crate::c::string::strlcpy(to, from, n)
    }

    /// strlcat(3), checked.
    undeclared fn __strlcat_chk(to: *mut c_char, from: *const c_char, n: size_t, room: size_t) -> size_t {
        must_fit(n, room);
        crate::c::string::strlcat(to, from, n)
    }

    /// read(2), checked.
    undeclared fn __read_chk(fd: c_int, to: *mut c_void, n: size_t, room: size_t) -> isize {
        must_fit(n, room);
        crate::c::fd::read(fd, to, n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What fits goes through; what does not ends the program, which is not tried here.
    #[test]
    fn what_fits_is_done() {
        // SAFETY: buffers of the sizes that are given.
        unsafe {
            let mut buf = [0u8; 4096];
            let (to, room) = (buf.as_mut_ptr(), buf.len());
            let text = to.cast::<c_char>();
            assert_eq!(
                (
                    __fdelt_chk(0),
                    __fdelt_chk(63),
                    __fdelt_chk(64),
                    __fdelt_chk(1023)
                ),
                (0, 0, 1, 15)
            );
            assert_eq!(__realpath_chk(c"/usr/..".as_ptr(), text, room), text);
            assert_eq!(bytes(text), b"/");
            assert!(__readlink_chk(c"/proc/self/exe".as_ptr(), text, room, room) > 0);
            assert_eq!(__getcwd_chk(text, room, room), text);
            assert_eq!(__gethostname_chk(text, room, room), 0);
            assert_eq!(__strlcpy_chk(text, c"abc".as_ptr(), room, room), 3);
            assert_eq!(__strlcat_chk(text, c"def".as_ptr(), room, room), 6);
            assert_eq!(bytes(text), b"abcdef");
            let fd = libc::open(c"/proc/self/exe".as_ptr(), libc::O_RDONLY);
            for read in [__pread_chk, __pread64_chk] {
                assert_eq!(read(fd, to.cast(), 4, 0, room), 4);
                assert_eq!(&buf[..4], b"\x7fELF");
            }
            libc::close(fd);
            let file = crate::c::stdio::fopen(c"/proc/self/stat".as_ptr(), c"r".as_ptr());
            assert_eq!(__fread_chk(to.cast(), room, 1, 1, file), 1);
            assert_eq!(__fgets_chk(text, room, 3, file), text);
            crate::c::stdio::fclose(file);
            let mut pair = [0; 2];
            assert_eq!(
                libc::socketpair(libc::AF_UNIX, libc::SOCK_DGRAM, 0, pair.as_mut_ptr()),
                0
            );
            for _ in 0..2 {
                assert_eq!(libc::send(pair[0], c"hey".as_ptr().cast(), 3, 0), 3);
            }
            let mut ready = libc::pollfd {
                fd: pair[1],
                events: libc::POLLIN,
                revents: 0,
            };
            assert_eq!(
                __poll_chk(&mut ready, 1, 1000, size_of::<libc::pollfd>()),
                1
            );
            assert_eq!(__recv_chk(pair[1], to.cast(), 3, room, 0), 3);
            let null = core::ptr::null_mut();
            assert_eq!(
                __recvfrom_chk(pair[1], to.cast(), 3, room, 0, null, null.cast()),
                3
            );
            assert_eq!(&buf[..3], b"hey");
            for fd in pair {
                libc::close(fd);
            }
        }
    }
}
