//! A library of functions that can wait, and of functions that only seem so.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::net::TcpListener;
use std::sync::{LazyLock, Mutex, mpsc};
use std::thread;
use std::time::Duration;

#[unsafe(no_mangle)]
pub extern "C" fn sleeps(ms: u64) {
    thread::sleep(Duration::from_millis(ms));
}

#[unsafe(no_mangle)]
pub extern "C" fn receives() -> u32 {
    let (sender, receiver) = mpsc::channel();
    black_box(sender).send(1).unwrap();
    receiver.recv().unwrap_or(0)
}

#[unsafe(no_mangle)]
pub extern "C" fn reads(fd: u32) -> usize {
    let mut bytes = Vec::new();
    let file = File::open(format!("/proc/self/fd/{fd}"));
    file.and_then(|mut f| f.read_to_end(&mut bytes))
        .unwrap_or(0)
}

static COUNT: Mutex<u64> = Mutex::new(0);

#[unsafe(no_mangle)]
pub extern "C" fn locks() -> u64 {
    let mut count = COUNT.lock().unwrap();
    *count += 1;
    *count
}

/// Unlocking wakes others by the system call with which `locks` waits.
#[unsafe(no_mangle)]
pub extern "C" fn tries_a_lock() -> u64 {
    COUNT.try_lock().map_or(0, |mut count| {
        *count += 1;
        *count
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn joins() -> u64 {
    thread::spawn(|| 5).join().unwrap_or(0)
}

#[unsafe(no_mangle)]
pub extern "C" fn starts() {
    thread::spawn(|| black_box(()));
}

#[unsafe(no_mangle)]
pub extern "C" fn prints(n: u64) {
    println!("{n}");
}

#[unsafe(no_mangle)]
pub extern "C" fn accepts() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.accept().map_or(0, |(_, peer)| peer.port())
}

/// The seeds of a `HashMap` are random numbers of the system.
#[unsafe(no_mangle)]
pub extern "C" fn counts_bytes(n: u32) -> usize {
    let mut counts: HashMap<u8, usize> = HashMap::new();
    for byte in n.to_ne_bytes() {
        *counts.entry(byte).or_default() += 1;
    }
    counts.len()
}

#[unsafe(no_mangle)]
pub extern "C" fn adds(a: u64, b: u64) -> u64 {
    a.checked_add(b).expect("no overflow")
}

#[unsafe(no_mangle)]
pub extern "C" fn panics(n: u64) -> u64 {
    assert!(n < 3, "too many: {n}");
    n
}

#[unsafe(no_mangle)]
pub extern "C" fn catches(n: u64) -> u64 {
    std::panic::catch_unwind(|| panics(n)).unwrap_or(0)
}

static TABLE: LazyLock<Vec<u64>> = LazyLock::new(|| (0..100).collect());

/// May wait for another thread that makes the table, but never longer than it would take to make it.
#[unsafe(no_mangle)]
pub extern "C" fn looks_up(i: usize) -> u64 {
    TABLE.get(i).copied().unwrap_or(0)
}

static SLOW: LazyLock<u64> = LazyLock::new(|| {
    thread::sleep(Duration::from_secs(1));
    7
});

#[unsafe(no_mangle)]
pub extern "C" fn looks_up_slowly() -> u64 {
    *SLOW
}

thread_local!(static NAMES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) });

/// Registers a destructor for the end of the thread.
#[unsafe(no_mangle)]
pub extern "C" fn remembers(n: u64) -> usize {
    NAMES.with_borrow_mut(|names| {
        names.push(n.to_string());
        names.len()
    })
}

trait Job {
    fn run(&self) -> u64;
}

struct Quick(u64);

impl Job for Quick {
    fn run(&self) -> u64 {
        self.0
    }
}

struct Slow(Vec<u64>);

impl Job for Slow {
    fn run(&self) -> u64 {
        self.0
            .iter()
            .for_each(|ms| thread::sleep(Duration::from_millis(*ms)));
        1
    }
}

/// Waits behind a vtable.
#[unsafe(no_mangle)]
pub extern "C" fn runs_jobs(n: u64) -> u64 {
    let job = |i: u64| -> Box<dyn Job> {
        match i % 2 {
            0 => Box::new(Quick(i)),
            _ => Box::new(Slow(vec![i])),
        }
    };
    let jobs: Vec<_> = (0..n).map(job).collect();
    jobs.iter().map(|j| black_box(j).run()).sum()
}

/// std holds a lock around the environment, for a moment.
#[unsafe(no_mangle)]
pub extern "C" fn asks_the_environment() -> usize {
    std::env::var_os("HOME").map_or(0, |home| home.len())
}

#[unsafe(no_mangle)]
pub extern "C" fn tells_an_error(n: i32) -> usize {
    std::io::Error::from_raw_os_error(n).to_string().len()
}

/// `flock` with LOCK_NB does not wait.
#[unsafe(no_mangle)]
pub extern "C" fn tries_a_file_lock(file: &File) -> bool {
    file.try_lock().is_ok()
}
