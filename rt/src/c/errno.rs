//! `errno`, and the sentences for its values.

use libc::{c_char, c_int, size_t};

use crate::c::string::copy_cstr;

#[cfg(not(test))]
pub(crate) use crate::lane::{errno, set_errno};

#[cfg(test)]
mod host {
    use std::cell::Cell;

    std::thread_local! { static ERRNO: Cell<i32> = const { Cell::new(0) } }

    /// `errno` of the host's thread, for tests.
    pub fn errno() -> i32 {
        ERRNO.get()
    }

    /// Sets `errno` of the host's thread, for tests.
    pub fn set_errno(errno: i32) {
        ERRNO.set(errno)
    }
}
#[cfg(test)]
pub(crate) use host::{errno, set_errno};

#[cfg(not(test))]
c_fn! {
    /// errno(3): where this thread's value lies.
    fn __errno_location() -> *mut c_int {
        crate::lane::errno_location()
    }
}

c_fn! {
    /// strerror_r(3), POSIX's.
    undeclared fn __xpg_strerror_r(errno: c_int, buf: *mut c_char, size: size_t) -> c_int {
        strerror_into(errno, buf, size)
    }
}

c_fn! {
    /// strerror_r(3), GNU's: always in the caller's memory, cut to fit.
    undeclared fn strerror_r(errno: c_int, buf: *mut c_char, size: size_t) -> *mut c_char {
        strerror_into(errno, buf, size);
        buf
    }

    /// strerror(3): in one place for all threads, as C has it.
    fn strerror(errno: c_int) -> *mut c_char {
        let place = SENTENCE.0.get().cast::<c_char>();
        // SAFETY: the shared place, of that size.
        unsafe { strerror_into(errno, place, MESSAGE_MAX) };
        place
    }
}

/// More than the longest sentence.
const MESSAGE_MAX: usize = 64;

/// Where `strerror` puts its sentence.
struct Sentence(core::cell::UnsafeCell<[u8; MESSAGE_MAX]>);
// SAFETY: as for C's function, users must keep order among themselves.
unsafe impl Sync for Sentence {}
static SENTENCE: Sentence = Sentence(core::cell::UnsafeCell::new([0; MESSAGE_MAX]));

const _: unsafe extern "C" fn(c_int, *mut c_char, size_t) -> c_int = libc::strerror_r;

/// Writes the sentence for `errno`, cut to fit, with a terminator.
///
/// # Safety
/// `buf` must have `size` bytes.
unsafe fn strerror_into(errno: c_int, buf: *mut c_char, size: size_t) -> c_int {
    let mut unknown = Unknown::default();
    let (text, result) = match message(errno) {
        Some(text) => (text.as_bytes(), 0),
        None => (unknown.write(errno), libc::EINVAL),
    };
    // SAFETY: `buf` has `size` bytes, as this function demands.
    match unsafe { copy_cstr(text, buf, size) } {
        true => result,
        false => libc::ERANGE,
    }
}

/// The sentence for a number that is no error.
#[derive(Default)]
pub(crate) struct Unknown([u8; 32]);

impl Unknown {
    /// "Unknown error N".
    pub(crate) fn write(&mut self, errno: c_int) -> &[u8] {
        let mut text = crate::c::string::Text::new(&mut self.0);
        // The longest number fits.
        let _ = core::fmt::Write::write_fmt(&mut text, format_args!("Unknown error {errno}"));
        text.into_written()
    }
}

/// What the manual pages of Linux call the error (errno(3)).
pub fn message(errno: c_int) -> Option<&'static str> {
    usize::try_from(errno)
        .ok()
        .and_then(|n| MESSAGES.get(n))
        .copied()
        .filter(|text| !text.is_empty())
}

/// By number; empty where Linux has no such error.
#[rustfmt::skip]
const MESSAGES: [&str; 134] = [
    "Success",
    "Operation not permitted",
    "No such file or directory",
    "No such process",
    "Interrupted system call",
    "Input/output error",
    "No such device or address",
    "Argument list too long",
    "Exec format error",
    "Bad file descriptor",
    "No child processes",
    "Resource temporarily unavailable",
    "Cannot allocate memory",
    "Permission denied",
    "Bad address",
    "Block device required",
    "Device or resource busy",
    "File exists",
    "Invalid cross-device link",
    "No such device",
    "Not a directory",
    "Is a directory",
    "Invalid argument",
    "Too many open files in system",
    "Too many open files",
    "Inappropriate ioctl for device",
    "Text file busy",
    "File too large",
    "No space left on device",
    "Illegal seek",
    "Read-only file system",
    "Too many links",
    "Broken pipe",
    "Numerical argument out of domain",
    "Numerical result out of range",
    "Resource deadlock avoided",
    "File name too long",
    "No locks available",
    "Function not implemented",
    "Directory not empty",
    "Too many levels of symbolic links",
    "",
    "No message of desired type",
    "Identifier removed",
    "Channel number out of range",
    "Level 2 not synchronized",
    "Level 3 halted",
    "Level 3 reset",
    "Link number out of range",
    "Protocol driver not attached",
    "No CSI structure available",
    "Level 2 halted",
    "Invalid exchange",
    "Invalid request descriptor",
    "Exchange full",
    "No anode",
    "Invalid request code",
    "Invalid slot",
    "",
    "Bad font file format",
    "Device not a stream",
    "No data available",
    "Timer expired",
    "Out of streams resources",
    "Machine is not on the network",
    "Package not installed",
    "Object is remote",
    "Link has been severed",
    "Advertise error",
    "Srmount error",
    "Communication error on send",
    "Protocol error",
    "Multihop attempted",
    "RFS specific error",
    "Bad message",
    "Value too large for defined data type",
    "Name not unique on network",
    "File descriptor in bad state",
    "Remote address changed",
    "Can not access a needed shared library",
    "Accessing a corrupted shared library",
    ".lib section in a.out corrupted",
    "Attempting to link in too many shared libraries",
    "Cannot exec a shared library directly",
    "Invalid or incomplete multibyte or wide character",
    "Interrupted system call should be restarted",
    "Streams pipe error",
    "Too many users",
    "Socket operation on non-socket",
    "Destination address required",
    "Message too long",
    "Protocol wrong type for socket",
    "Protocol not available",
    "Protocol not supported",
    "Socket type not supported",
    "Operation not supported",
    "Protocol family not supported",
    "Address family not supported by protocol",
    "Address already in use",
    "Cannot assign requested address",
    "Network is down",
    "Network is unreachable",
    "Network dropped connection on reset",
    "Software caused connection abort",
    "Connection reset by peer",
    "No buffer space available",
    "Transport endpoint is already connected",
    "Transport endpoint is not connected",
    "Cannot send after transport endpoint shutdown",
    "Too many references: cannot splice",
    "Connection timed out",
    "Connection refused",
    "Host is down",
    "No route to host",
    "Operation already in progress",
    "Operation now in progress",
    "Stale file handle",
    "Structure needs cleaning",
    "Not a XENIX named type file",
    "No XENIX semaphores available",
    "Is a named type file",
    "Remote I/O error",
    "Disk quota exceeded",
    "No medium found",
    "Wrong medium type",
    "Operation canceled",
    "Required key not available",
    "Key has expired",
    "Key has been revoked",
    "Key was rejected by service",
    "Owner died",
    "State not recoverable",
    "Operation not possible due to RF-kill",
    "Memory page has hardware error",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_match_the_numbers() {
        assert_eq!(message(libc::ENOENT), Some("No such file or directory"));
        assert_eq!(
            message(libc::EHWPOISON),
            Some("Memory page has hardware error")
        );
        assert_eq!(message(41), None, "EWOULDBLOCK's place in other systems");
        assert_eq!(message(-1), None);
        for errno in 0..140 {
            let host = std::io::Error::from_raw_os_error(errno).to_string();
            let ours =
                message(errno).map_or_else(|| format!("Unknown error {errno}"), str::to_owned);
            assert_eq!(host, format!("{ours} (os error {errno})"));
        }
    }

    #[test]
    fn strerror_r_cuts_and_says_so() {
        let mut buf = [b'x' as c_char; 8];
        // SAFETY: the buffer's own size.
        let result = unsafe { __xpg_strerror_r(libc::ENOENT, buf.as_mut_ptr(), buf.len()) };
        assert_eq!(result, libc::ERANGE);
        assert_eq!(buf.map(|c| c as u8), *b"No such\0");
    }
}
