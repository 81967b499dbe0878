//! What Go calls: the test program's own entry, which rustc made and std and the test harness work through.
#![no_std]
#![allow(missing_docs)]

use core::ffi::c_void;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering::*};

unsafe extern "C" {
    fn main(argc: i32, argv: *const *const u8) -> i32;
    fn pthread_key_create(key: *mut u32, end: unsafe extern "C" fn(*mut c_void)) -> i32;
    fn pthread_key_delete(key: u32) -> i32;
    fn pthread_getspecific(key: u32) -> *mut c_void;
    fn pthread_setspecific(key: u32, value: *const c_void) -> i32;
    fn posix_memalign(to: *mut *mut c_void, align: usize, size: usize) -> i32;
    fn free(memory: *mut c_void);
    fn abort() -> !;
}

/// Runs the tests that the program's arguments choose; the exit status.
#[unsafe(no_mangle)]
pub extern "C" fn run_tests() -> i32 {
    // SAFETY: std takes the arguments from the process itself (`.init_array`), as it does under glibc; called once.
    unsafe { main(0, core::ptr::null()) }
}

/// std's start of a program ignores SIGPIPE, and ends the program when it cannot. Signals are Go's here, the runtime says so,
/// and a library never runs that start. In its place for this program: Go does not let a broken pipe end it either.
#[unsafe(no_mangle)]
pub extern "C" fn signal(_number: i32, _handler: usize) -> usize {
    0
}

/// What the compiler makes for a thread-local with `-Z tls-model=emulated`: GCC's layout.
#[repr(C)]
pub struct Variable {
    size: usize,
    align: usize,
    /// The pthread key, plus one; 0 before the first use.
    key: AtomicUsize,
    /// The initial bytes; null for zeros.
    template: *const u8,
}

/// The calling thread's copy of a variable.
///
/// # Safety
/// As compilers call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __emutls_get_address(variable: &Variable) -> *mut c_void {
    let key = match variable.key.load(Acquire) {
        0 => make_key(variable),
        key => key,
    } as u32
        - 1;
    // SAFETY: a key that was made; fresh memory of the size and alignment asked for.
    unsafe {
        let known = pthread_getspecific(key);
        if !known.is_null() {
            return known;
        }
        let mut copy = null_mut();
        if posix_memalign(&mut copy, variable.align.max(8), variable.size.max(1)) != 0 {
            abort();
        }
        match variable.template.is_null() {
            true => copy.cast::<u8>().write_bytes(0, variable.size),
            false => core::ptr::copy_nonoverlapping(variable.template, copy.cast(), variable.size),
        }
        if pthread_setspecific(key, copy) != 0 {
            abort();
        }
        copy
    }
}

/// The key of a variable, plus one. Of several threads that make one at once, the first wins.
fn make_key(variable: &Variable) -> usize {
    let mut key = 0;
    // SAFETY: a place for the key; the copies come from `posix_memalign`.
    unsafe {
        if pthread_key_create(&mut key, free) != 0 {
            abort();
        }
    }
    let own = key as usize + 1;
    match variable.key.compare_exchange(0, own, AcqRel, Acquire) {
        Ok(_) => own,
        Err(first) => {
            // SAFETY: nobody has seen it.
            unsafe { pthread_key_delete(key) };
            first
        }
    }
}
