//! Panics in a library that catches none itself, but for one feature: what std leaves in it differs from profile to profile.

use std::ffi::c_void;
use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::*};

static LIVE: AtomicU64 = AtomicU64::new(0);

/// Counts those that are alive.
struct Guard(#[allow(dead_code)] Vec<u8>);

impl Guard {
    fn new() -> Guard {
        LIVE.fetch_add(1, SeqCst);
        Guard(vec![1; 100])
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, SeqCst);
    }
}

/// The value at an index, from a function that may unwind.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn unwinds(index: usize) -> u64 {
    let _guard = Guard::new();
    [1u64, 2, 3][black_box(index)]
}

/// The value at an index, from a function that may not.
#[unsafe(no_mangle)]
pub extern "C" fn plain(index: usize) -> u64 {
    inner(index)
}

#[inline(never)]
fn inner(index: usize) -> u64 {
    let _guard = Guard::new();
    [1u64, 2, 3][black_box(index)]
}

/// A Go function.
type Each = extern "C-unwind" fn(u32, *mut c_void) -> u32;

static TABLE: Mutex<u32> = Mutex::new(0);

/// Calls a Go function with a lock held, and a guard alive.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn calls(f: Each, user: *mut c_void) -> u32 {
    let _guard = Guard::new();
    let mut table = TABLE.lock().unwrap_or_else(|e| e.into_inner());
    *table += 1;
    f(*table, user)
}

/// Whether the lock is poisoned; it is not afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn poisoned() -> bool {
    let poisoned = TABLE.is_poisoned();
    TABLE.clear_poison();
    poisoned
}

/// As `calls`, from a function that catches panics: 0 if there was one.
#[cfg(feature = "catches")]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn catches_call(f: Each, user: *mut c_void) -> u32 {
    std::panic::catch_unwind(|| calls(f, user)).unwrap_or(0)
}

/// Guards that are alive.
#[unsafe(no_mangle)]
pub extern "C" fn live() -> u64 {
    LIVE.load(SeqCst)
}

/// Whether the thread believes to be panicking.
#[unsafe(no_mangle)]
pub extern "C" fn panicking() -> bool {
    std::thread::panicking()
}

/// The value at an index, or 0, from a function that catches its panic.
#[cfg(feature = "catches")]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn catches(index: usize) -> u64 {
    std::panic::catch_unwind(|| [1u64, 2, 3][black_box(index)]).unwrap_or(0)
}
