//! Names of string.h and strings.h that old code and GNU code use.

use core::cell::Cell;
use core::ptr::null_mut;

use libc::{c_char, c_int, c_void, size_t, ssize_t};

use super::{bytes, length_up_to, strchr, strrchr, strtok_r};

/// Where `strtok` left off: one place for all threads, as C has it.
struct Left(Cell<*mut c_char>);
// SAFETY: as for C's function, users must keep order among themselves.
unsafe impl Sync for Left {}
static LEFT: Left = Left(Cell::new(null_mut()));

/// The number of the lowest bit that is set, from 1; 0 without one.
fn first_bit(n: u64) -> c_int {
    if n == 0 {
        0
    } else {
        n.trailing_zeros() as c_int + 1
    }
}

c_fn! {
    /// index(3)
    undeclared fn index(s: *const c_char, c: c_int) -> *mut c_char {
        strchr(s, c)
    }

    /// index(3)
    undeclared fn rindex(s: *const c_char, c: c_int) -> *mut c_char {
        strrchr(s, c)
    }

    /// strtok(3)
    fn strtok(s: *mut c_char, separators: *const c_char) -> *mut c_char {
        strtok_r(s, separators, LEFT.0.as_ptr())
    }

    /// rawmemchr(3): the byte is there, says the caller.
    undeclared fn rawmemchr(s: *const c_void, c: c_int) -> *mut c_void {
        let mut at: *const u8 = s.cast();
        // SAFETY: the caller's: up to the byte.
        unsafe {
            while *at != c as u8 {
                at = at.add(1);
            }
        }
        at.cast_mut().cast()
    }

    /// strcasestr(3), in the C locale.
    undeclared fn strcasestr(hay: *const c_char, needle: *const c_char) -> *mut c_char {
        let (text, needle) = (bytes(hay), bytes(needle));
        if needle.is_empty() {
            return hay.cast_mut();
        }
        let found = text.windows(needle.len()).position(|part| part.eq_ignore_ascii_case(needle));
        found.map_or(null_mut(), |at| hay.wrapping_add(at).cast_mut())
    }

    /// stpncpy(3)
    undeclared fn stpncpy(to: *mut c_char, from: *const c_char, n: size_t) -> *mut c_char {
        // SAFETY: the caller's: n bytes to write.
        unsafe {
            let used = length_up_to(from, n);
            core::ptr::copy_nonoverlapping(from, to, used);
            core::ptr::write_bytes(to.add(used), 0, n - used);
            to.add(used)
        }
    }

    /// ffs(3)
    undeclared fn ffs(n: c_int) -> c_int {
        first_bit(n as u32 as u64)
    }

    /// ffs(3)
    undeclared fn ffsl(n: libc::c_long) -> c_int {
        first_bit(n as u64)
    }

    /// ffs(3)
    undeclared fn ffsll(n: libc::c_longlong) -> c_int {
        first_bit(n as u64)
    }

    /// swab(3)
    undeclared fn swab(from: *const c_void, to: *mut c_void, n: ssize_t) {
        let (from, to): (*const u8, *mut u8) = (from.cast(), to.cast());
        for pair in 0..usize::try_from(n).unwrap_or(0) / 2 {
            // SAFETY: the caller's: n bytes each.
            unsafe {
                let (first, second) = (*from.add(2 * pair), *from.add(2 * pair + 1));
                *to.add(2 * pair) = second;
                *to.add(2 * pair + 1) = first;
            }
        }
    }
}
