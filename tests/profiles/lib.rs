//! Panics in a library that catches none itself, but for one feature: what std leaves in it differs from profile to profile.

use std::hint::black_box;
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
