//! Ends of the program that the runtime itself decides on: one clear line on standard error, then exit status 2.

use crate::sys;

/// Says `message` and ends the program. Safe to call before the image's fix-ups ran.
#[cold]
#[inline(never)]
pub fn fatal(message: &str) -> ! {
    sys::write_stderr(b"rsyso runtime: ");
    sys::write_stderr(message.as_bytes());
    sys::write_stderr(b"\n");
    sys::exit_group(2)
}

/// As [`fatal`], with the number of the system's error.
#[cold]
#[inline(never)]
pub fn fatal_errno(message: &str, errno: i32) -> ! {
    let mut digits = [0u8; 10];
    let mut start = digits.len();
    let mut rest = errno.unsigned_abs();
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 || start == 0 {
            break;
        }
    }
    sys::write_stderr(b"rsyso runtime: ");
    sys::write_stderr(message.as_bytes());
    sys::write_stderr(b", errno ");
    sys::write_stderr(&digits[start..]);
    sys::write_stderr(b"\n");
    sys::exit_group(2)
}

/// A broken invariant of the runtime itself.
#[cfg(not(test))]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    use core::fmt::Write;
    struct Stderr;
    impl Write for Stderr {
        fn write_str(&mut self, s: &str) -> core::fmt::Result {
            sys::write_stderr(s.as_bytes());
            Ok(())
        }
    }
    let _ = writeln!(Stderr, "rsyso runtime: {info}");
    sys::exit_group(2)
}
