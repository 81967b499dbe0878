//! brk(2) and sbrk(2): memory that grows at one end.
//!
//! The kernel's own break is left alone. A C library that the program has too (cgo) remembers where it put the break, and would hand
//! out the same memory again. What grows here is a range of addresses of the image's own, reserved when it is first asked for.

use core::ptr::null_mut;

use libc::{c_int, c_void, intptr_t};

use crate::arch::page::PAGE;
use crate::c::define::fail;
use crate::c::sysconf::soft_limit;
use crate::sys;
use crate::sys::lock::Lock;
use linux_raw_sys::general::*;

/// Bytes of addresses that are reserved where nothing limits them; and the least that is of use.
const RESERVED: usize = 64 << 30;
const LEAST: usize = 1 << 20;

/// Of a limited address space (`ulimit -v`), this part.
const SHARE: usize = 16;

/// The range: memory up to `end`, and addresses up to `limit`.
struct Range {
    start: usize,
    end: usize,
    limit: usize,
}

static RANGE: Lock<Option<Range>> = Lock::new(None);

/// Addresses without memory.
fn reserve() -> Result<Range, c_int> {
    let most = soft_limit(RLIMIT_AS).map_or(RESERVED, |limit| limit as usize / SHARE);
    let mut size = (most & !(PAGE - 1)).clamp(LEAST, RESERVED);
    let flags = MAP_PRIVATE | MAP_ANONYMOUS;
    loop {
        // SAFETY: a fresh mapping wherever the kernel likes, that nobody can touch.
        let mapped = unsafe { syscall!(__NR_mmap, 0usize, size, PROT_NONE, flags, -1, 0usize) };
        match sys::check(mapped) {
            Ok(start) => {
                return Ok(Range {
                    start,
                    end: start,
                    limit: start + size,
                });
            }
            Err(errno) if size <= LEAST => return Err(errno),
            Err(_) => size = ((size / 2) & !(PAGE - 1)).max(LEAST),
        }
    }
}

impl Range {
    /// Moves the end. Pages that come are zero, and those that go are given back.
    fn move_to(&mut self, end: usize) -> Result<(), c_int> {
        if !(self.start..=self.limit).contains(&end) {
            return Err(libc::ENOMEM);
        }
        let (had, wants) = (self.end.next_multiple_of(PAGE), end.next_multiple_of(PAGE));
        // SAFETY: pages of this range: fresh ones, or those that the caller gives up.
        unsafe {
            if wants > had {
                let prot = PROT_READ | PROT_WRITE;
                sys::check(syscall!(__NR_mprotect, had, wants - had, prot))?;
            } else if wants < had {
                sys::check(syscall!(__NR_madvise, wants, had - wants, MADV_DONTNEED))?;
                sys::check(syscall!(__NR_mprotect, wants, had - wants, PROT_NONE))?;
            }
        }
        self.end = end;
        Ok(())
    }
}

/// Moves the end to where `to` says, given where it is; gives where it was.
fn change(to: impl FnOnce(&Range) -> Option<usize>) -> Result<usize, c_int> {
    let mut range = RANGE.lock();
    let range = match &mut *range {
        Some(range) => range,
        none => none.insert(reserve()?),
    };
    let was = range.end;
    range.move_to(to(range).ok_or(libc::ENOMEM)?)?;
    Ok(was)
}

c_fn! {
    /// brk(2). An address below all of it changes nothing, and is no error in the C library either.
    fn brk(end: *mut c_void) -> c_int {
        let end = end as usize;
        let moved = change(|range| Some(if end < range.start { range.end } else { end }));
        moved.map_or_else(fail, |_| 0)
    }

    /// sbrk(2)
    fn sbrk(increment: intptr_t) -> *mut c_void {
        match change(|range| range.end.checked_add_signed(increment)) {
            Ok(was) => was as *mut c_void,
            Err(errno) => null_mut::<c_void>().wrapping_offset(fail(errno) as isize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    const FAILED: *mut c_void = usize::MAX as *mut c_void;

    #[test]
    fn grows_and_shrinks_from_all_threads() {
        // SAFETY: as the manual page demands; nobody else in this program uses these functions.
        unsafe {
            let start = sbrk(0).cast::<u8>();
            assert_eq!(sbrk(10).cast(), start);
            assert_eq!(sbrk(5000).cast(), start.add(10));
            start.add(5009).write(7);
            assert_eq!(sbrk(-5000).cast(), start.add(5010));
            assert_eq!(sbrk(5000).cast(), start.add(10));
            assert_eq!(start.add(5009).read(), 0, "the second page is a new one");
            assert_eq!(brk(start.cast()), 0);
            assert_eq!(sbrk(0).cast(), start);
            assert_eq!(brk(null_mut()), 0, "as glibc, which looks no further");
            for too_much in [isize::MAX, isize::MIN, RESERVED as isize + 1, -1] {
                assert_eq!(sbrk(too_much), FAILED);
                assert_eq!(crate::c::errno::errno(), libc::ENOMEM);
            }
            assert_eq!(sbrk(0).cast(), start, "a failure changes nothing");

            const EACH: usize = 3 * PAGE / 2;
            let mut pieces: Vec<usize> = thread::scope(|scope| {
                let grow = || {
                    let piece = sbrk(EACH as isize).cast::<u8>();
                    piece.write_bytes(1, EACH);
                    piece as usize
                };
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(grow)).collect();
                threads.into_iter().map(|t| t.join().unwrap()).collect()
            });
            pieces.sort_unstable();
            let expected: Vec<_> = (0..8).map(|i| start as usize + i * EACH).collect();
            assert_eq!(pieces, expected);
            assert_eq!(brk(start.cast()), 0);
        }
    }
}
