//! The process's arguments and environment, as C passes them to `main`.
//!
//! Go's start-up does not hand them on, so they are read from /proc: as the process was started, not as Go's `os.Setenv` changed them since. Where
//! /proc is not mounted there are none.

use core::sync::atomic::{AtomicPtr, Ordering::*};

use linux_raw_sys::general::*;

use crate::lane::heap;
use crate::sys;

/// Arguments and environment; it and all it points to live as long as the process.
pub struct Args {
    /// Number of arguments.
    pub argc: i32,
    /// `argc` C strings, then null.
    pub argv: *const *const u8,
    /// C strings `NAME=value`, then null.
    pub envp: *const *const u8,
}

static ARGS: AtomicPtr<Args> = AtomicPtr::new(core::ptr::null_mut());

/// Reads them on first use.
pub fn get() -> &'static Args {
    let known = ARGS.load(Acquire);
    if !known.is_null() {
        // SAFETY: never freed.
        return unsafe { &*known };
    }
    let (argc, argv) = read_strings(c"/proc/self/cmdline");
    let (_, envp) = read_strings(c"/proc/self/environ");
    let fresh = heap::take::<Args>(1);
    // SAFETY: fresh memory for one.
    unsafe {
        fresh.write(Args {
            argc: argc.min(i32::MAX as usize) as i32,
            argv,
            envp,
        })
    };
    // If two threads read at once, the first one's stands; the other's leaks, once.
    match ARGS.compare_exchange(core::ptr::null_mut(), fresh, AcqRel, Acquire) {
        // SAFETY: never freed.
        Ok(_) => unsafe { &*fresh },
        // SAFETY: never freed.
        Err(first) => unsafe { &*first },
    }
}

/// The NUL-terminated strings in a file, as an array of pointers that ends with null.
fn read_strings(path: &core::ffi::CStr) -> (usize, *const *const u8) {
    let (bytes, len) = read_file(path);
    // SAFETY: `len` bytes were read there.
    let bytes = unsafe { core::slice::from_raw_parts(bytes, len) };
    let count = bytes.iter().filter(|b| **b == 0).count();
    let pointers = heap::take::<*const u8>(count + 1);
    let mut rest = bytes;
    for i in 0..count {
        // SAFETY: `count` pointers and one more fit.
        unsafe { pointers.add(i).write(rest.as_ptr()) };
        let end = rest
            .iter()
            .position(|b| *b == 0)
            .map_or(rest.len(), |p| p + 1);
        rest = rest.get(end..).unwrap_or(&[]);
    }
    // SAFETY: as above.
    unsafe { pointers.add(count).write(core::ptr::null()) };
    (count, pointers)
}

/// All of a file, and a NUL after it if it does not end in one; nothing if it cannot be read.
fn read_file(path: &core::ffi::CStr) -> (*mut u8, usize) {
    let mut capacity = 4096;
    let mut buffer = heap::take::<u8>(capacity);
    let mut len = 0;
    // SAFETY: a C string.
    let fd = unsafe {
        sys::syscall4(
            __NR_openat,
            AT_FDCWD as usize,
            path.as_ptr() as usize,
            (O_RDONLY | O_CLOEXEC) as usize,
            0,
        )
    };
    if fd < 0 {
        return (buffer, 0);
    }
    loop {
        if len + 1 == capacity {
            let larger = heap::take::<u8>(capacity * 2);
            // SAFETY: `len` bytes are there, and fit; the old buffer is ours to give back.
            unsafe {
                core::ptr::copy_nonoverlapping(buffer, larger, len);
                heap::give_back(buffer);
            }
            buffer = larger;
            capacity *= 2;
        }
        // SAFETY: the rest of the buffer, less one byte.
        let n = unsafe {
            sys::syscall3(
                __NR_read,
                fd as usize,
                buffer.add(len) as usize,
                capacity - len - 1,
            )
        };
        match sys::check(n) {
            Ok(0) => break,
            Ok(n) => len += n,
            Err(e) if e == linux_raw_sys::errno::EINTR as i32 => {}
            Err(_) => break,
        }
    }
    // SAFETY: our own descriptor; one byte was kept free for the NUL.
    unsafe {
        sys::syscall1(__NR_close, fd as usize);
        if len > 0 && buffer.add(len - 1).read() != 0 {
            buffer.add(len).write(0);
            len += 1;
        }
    }
    (buffer, len)
}
