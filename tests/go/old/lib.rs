//! What every archive must do, whatever compiler made it: written for Rust 1.63.
#![allow(improper_ctypes_definitions)]

use std::collections::HashMap;
use std::os::raw::c_void;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Where and how much.
#[repr(C)]
pub struct Point {
    /// Across.
    pub x: f64,
    /// Down.
    pub y: f32,
    /// How many.
    pub n: u8,
}

/// One of a few.
#[repr(u8)]
pub enum Mode {
    /// The first.
    Plain,
    /// Another.
    Fast = 5,
}

/// Counts words of a text.
#[no_mangle]
pub extern "C" fn old_words(text: &str) -> usize {
    let mut words = HashMap::new();
    text.split_whitespace().for_each(|w| *words.entry(w).or_insert(0) += 1);
    words.len()
}

/// Adds in threads, with thread-locals.
#[no_mangle]
pub extern "C" fn old_threads(n: u64) -> u64 {
    static SUM: AtomicU64 = AtomicU64::new(0);
    thread_local!(static OWN: std::cell::Cell<u64> = std::cell::Cell::new(1));
    SUM.store(0, Ordering::SeqCst);
    let all: Vec<_> = (0..n)
        .map(|i| {
            thread::spawn(move || {
                OWN.with(|own| own.set(own.get() + i));
                SUM.fetch_add(OWN.with(|own| own.get()), Ordering::SeqCst);
            })
        })
        .collect();
    all.into_iter().for_each(|t| t.join().unwrap());
    SUM.load(Ordering::SeqCst)
}

/// Panics for 0.
#[no_mangle]
pub extern "C" fn old_divide(numerator: u32, denominator: u32) -> u32 {
    match denominator {
        0 => panic!("{} by nothing", numerator),
        _ => numerator / denominator,
    }
}

/// Catches a panic of its own.
#[no_mangle]
pub extern "C" fn old_catches() -> bool {
    std::panic::catch_unwind(|| old_divide(1, 0)).is_err()
}

/// Moves a point.
#[no_mangle]
pub extern "C" fn old_move(mut point: Point, by: &Point, mode: Mode) -> Point {
    let times = match mode {
        Mode::Plain => 1.0,
        Mode::Fast => 10.0,
    };
    point.x += by.x * times;
    point.y += by.y;
    point.n = point.n.wrapping_add(by.n);
    point
}

/// Calls a function for each number, until it says no.
#[no_mangle]
pub extern "C" fn old_each(numbers: &[u32], f: extern "C" fn(u32, *mut c_void) -> bool, data: *mut c_void) -> usize {
    numbers.iter().take_while(|n| f(**n, data)).count()
}

/// Reads a file of the system.
#[no_mangle]
pub extern "C" fn old_reads() -> usize {
    std::fs::read_to_string("/proc/self/stat").map_or(0, |s| s.len())
}
