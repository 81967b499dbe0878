//! System calls that more than one part needs, and what stands on nothing but them: locks ([`lock`]), signals ([`signal`]), the end of the program ([`die`]).

pub use crate::arch::syscall::*;
use linux_raw_sys::general::*;

pub mod die;
pub mod lock;
pub mod signal;

/// Flags of clone(2) for a thread of this process, with a thread pointer of its own, whose id the kernel writes to a word, and clears at its end.
pub const THREAD: u32 = CLONE_VM
    | CLONE_FS
    | CLONE_FILES
    | CLONE_SIGHAND
    | CLONE_THREAD
    | CLONE_SYSVSEM
    | CLONE_SETTLS
    | CLONE_PARENT_SETTID
    | CLONE_CHILD_CLEARTID;

/// Ends the process, all threads, at once.
pub fn exit_group(status: i32) -> ! {
    loop {
        // SAFETY: does not return.
        unsafe { syscall1(__NR_exit_group, status as usize) };
    }
}

/// Writes all of `bytes` to standard error, as far as it takes them.
pub fn write_stderr(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: a valid range.
        let n = unsafe { syscall3(__NR_write, 2, bytes.as_ptr() as usize, bytes.len()) };
        match n {
            n if n > 0 => bytes = bytes.get(n as usize..).unwrap_or(&[]),
            n if n == -(linux_raw_sys::errno::EINTR as isize) => {}
            _ => return,
        }
    }
}

/// The value of a system call's result, or the errno.
#[inline(always)]
pub fn check(result: isize) -> Result<usize, i32> {
    if (-4095..0).contains(&result) {
        Err(-result as i32)
    } else {
        Ok(result as usize)
    }
}

/// Has every other thread of the process see what this one wrote, and this one what they wrote (membarrier(2)). False where the system cannot.
pub fn all_threads_see() -> bool {
    use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
    static REGISTERED: AtomicBool = AtomicBool::new(false);
    let call = |command: membarrier_cmd| {
        // SAFETY: changes nothing but what the command says.
        unsafe { syscall3(__NR_membarrier, command as usize, 0, 0) == 0 }
    };
    if !REGISTERED.load(Relaxed) {
        let registered = call(membarrier_cmd::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
        REGISTERED.store(registered, Relaxed);
    }
    call(membarrier_cmd::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
}

/// Sleeps while `*word == value`, until it is woken; may return early.
pub fn futex_wait(word: &core::sync::atomic::AtomicU32, value: u32) {
    // SAFETY: a valid word; no time limit.
    unsafe {
        syscall4(
            __NR_futex,
            word.as_ptr() as usize,
            (FUTEX_WAIT | FUTEX_PRIVATE_FLAG) as usize,
            value as usize,
            0,
        )
    };
}

/// As [`futex_wait`], for so many milliseconds, less than a second, at most. Whether they have passed.
pub fn futex_wait_for(word: &core::sync::atomic::AtomicU32, value: u32, ms: u32) -> bool {
    let limit = __kernel_timespec {
        tv_sec: 0,
        tv_nsec: i64::from(ms) * 1_000_000,
    };
    // SAFETY: a valid word; the limit is read during the call.
    let result = unsafe {
        syscall4(
            __NR_futex,
            word.as_ptr() as usize,
            (FUTEX_WAIT | FUTEX_PRIVATE_FLAG) as usize,
            value as usize,
            &raw const limit as usize,
        )
    };
    result == -(linux_raw_sys::errno::ETIMEDOUT as isize)
}

/// Wakes up to `count` threads that sleep on `word`.
pub fn futex_wake(word: &core::sync::atomic::AtomicU32, count: usize) {
    // SAFETY: a valid word.
    unsafe {
        syscall3(
            __NR_futex,
            word.as_ptr() as usize,
            (FUTEX_WAKE | FUTEX_PRIVATE_FLAG) as usize,
            count,
        )
    };
}

/// Anonymous memory, all zero, taken only where it is touched.
pub fn map_zeroed(bytes: usize) -> Result<usize, i32> {
    // SAFETY: a fresh mapping.
    check(unsafe {
        syscall6(
            __NR_mmap,
            0,
            bytes,
            (PROT_READ | PROT_WRITE) as usize,
            (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE) as usize,
            usize::MAX,
            0,
        )
    })
}
