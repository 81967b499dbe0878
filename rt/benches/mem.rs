//! The memory functions beside glibc's: `cargo bench --bench mem`. Nanoseconds per call, ours and glibc's, the best of several runs.

#[allow(dead_code)] // Not all of them are measured.
#[path = "../src/arch/x86_64/find.rs"]
mod find;
#[allow(dead_code)] // Not all of them are measured.
#[path = "../src/arch/x86_64/mem.rs"]
mod mem;
#[path = "../src/arch/x86_64/wide.rs"]
mod wide;

use std::hint::black_box;
use std::time::Instant;

/// Nanoseconds per call, the best of ten runs of about a millisecond.
fn time(len: usize, mut call: impl FnMut()) -> f64 {
    let calls = (20_000_000 / (len + 200)).clamp(10, 100_000);
    (0..10)
        .map(|_| {
            let start = Instant::now();
            (0..calls).for_each(|_| call());
            start.elapsed().as_nanos() as f64 / calls as f64
        })
        .fold(f64::MAX, f64::min)
}

fn main() {
    mem::detect();
    let mut a = vec![1u8; (8 << 20) + 64];
    let mut b = vec![1u8; (8 << 20) + 64];
    println!(
        "{:>9}  {:^17}  {:^17}  {:^17}  {:^17}",
        "bytes", "memcpy", "memset", "memcmp", "strlen"
    );
    for len in [
        1,
        7,
        15,
        24,
        40,
        64,
        100,
        200,
        500,
        1000,
        2000,
        4000,
        8000,
        16_000,
        64_000,
        1 << 20,
        8 << 20,
    ] {
        let (to, from) = (
            black_box(a.as_mut_ptr().wrapping_add(3)),
            black_box(b.as_mut_ptr().wrapping_add(9)),
        );
        let len = black_box(len);
        // SAFETY: both buffers have that many bytes after these places; the strings end where a NUL was put.
        let row = unsafe {
            let copy = (
                time(len, || {
                    black_box(mem::memcpy(to, from, len));
                }),
                time(len, || {
                    black_box(libc::memcpy(to.cast(), from.cast(), len));
                }),
            );
            let set = (
                time(len, || {
                    black_box(mem::memset(to, 1, len));
                }),
                time(len, || {
                    black_box(libc::memset(to.cast(), 1, len));
                }),
            );
            let compare = (
                time(len, || {
                    black_box(mem::memcmp(to, from, len));
                }),
                time(len, || {
                    black_box(libc::memcmp(to.cast(), from.cast(), len));
                }),
            );
            to.add(len).write(0);
            let length = (
                time(len, || {
                    black_box(find::strlen(to));
                }),
                time(len, || {
                    black_box(libc::strlen(to.cast()));
                }),
            );
            to.add(len).write(1);
            [copy, set, compare, length]
        };
        let row: Vec<_> = row
            .iter()
            .map(|(ours, theirs)| format!("{ours:8.1} {theirs:8.1}"))
            .collect();
        println!("{len:>9}  {}", row.join("  "));
    }
}
