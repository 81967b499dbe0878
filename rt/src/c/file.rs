//! Reading the small text files that stand in for a C library's own knowledge (/proc, /etc).

use core::ffi::CStr;

use libc::c_int;

use crate::sys;
use linux_raw_sys::general::*;

/// A descriptor that is closed on drop.
pub(crate) struct Fd(usize);

impl Fd {
    /// Opens for reading.
    pub(crate) fn open(path: &CStr) -> Result<Fd, c_int> {
        let flags = libc::O_RDONLY | libc::O_CLOEXEC;
        loop {
            // SAFETY: a C string.
            match sys::check(unsafe {
                syscall!(__NR_openat, libc::AT_FDCWD, path.as_ptr(), flags, 0)
            }) {
                Err(libc::EINTR) => {}
                result => return result.map(Fd),
            }
        }
    }

    /// Takes over an open descriptor.
    pub(crate) fn own(fd: usize) -> Fd {
        Fd(fd)
    }

    /// The descriptor's number.
    pub(crate) fn number(&self) -> usize {
        self.0
    }

    /// Reads some bytes; 0 at the end.
    pub(crate) fn read(&self, buf: &mut [u8]) -> Result<usize, c_int> {
        loop {
            // SAFETY: the buffer's own size.
            match sys::check(unsafe { syscall!(__NR_read, self.0, buf.as_mut_ptr(), buf.len()) }) {
                Err(libc::EINTR) => {}
                result => return result,
            }
        }
    }
}

impl Drop for Fd {
    fn drop(&mut self) {
        // SAFETY: the descriptor is this value's own.
        unsafe { syscall!(__NR_close, self.0) };
    }
}

/// Reads a file's start into `buf`; says how many bytes it holds, at most the buffer's.
pub(crate) fn read_into(path: &CStr, buf: &mut [u8]) -> Result<usize, c_int> {
    let file = Fd::open(path)?;
    let mut filled = 0;
    while let Some(rest) = buf.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => break,
            n => filled = filled.saturating_add(n),
        }
    }
    Ok(filled)
}

/// Writes `bytes` to a file that exists, in one call.
pub(crate) fn write_all(path: &CStr, bytes: &[u8]) -> Result<(), c_int> {
    let flags = libc::O_WRONLY | libc::O_CLOEXEC;
    // SAFETY: a C string.
    let fd = sys::check(unsafe { syscall!(__NR_openat, libc::AT_FDCWD, path.as_ptr(), flags, 0) })?;
    let file = Fd::own(fd);
    // SAFETY: the slice's own size.
    sys::check(unsafe { syscall!(__NR_write, file.number(), bytes.as_ptr(), bytes.len()) })
        .map(|_| ())
}

/// A file read line by line through a fixed buffer; lines that are longer than it are left out.
pub(crate) struct Lines<const N: usize> {
    file: Fd,
    buf: [u8; N],
    start: usize,
    end: usize,
    /// Inside a line that is too long.
    skipping: bool,
}

impl<const N: usize> Lines<N> {
    /// Opens a file.
    pub(crate) fn open(path: &CStr) -> Result<Self, c_int> {
        Ok(Lines {
            file: Fd::open(path)?,
            buf: [0; N],
            start: 0,
            end: 0,
            skipping: false,
        })
    }

    /// The next line, without its end.
    pub(crate) fn next(&mut self) -> Option<&[u8]> {
        loop {
            if let Some(n) = self.pending().iter().position(|&b| b == b'\n') {
                let line = self.start..self.start + n;
                self.start += n + 1;
                if !core::mem::take(&mut self.skipping) {
                    return self.buf.get(line);
                }
                continue;
            }
            if !self.refill() {
                // A last line without an end.
                let line = self.start..self.end;
                self.start = self.end;
                let skip = core::mem::take(&mut self.skipping);
                return self.buf.get(line).filter(|line| !line.is_empty() && !skip);
            }
        }
    }

    fn pending(&self) -> &[u8] {
        self.buf.get(self.start..self.end).unwrap_or(&[])
    }

    /// Reads more behind what is pending; says whether there was any.
    fn refill(&mut self) -> bool {
        self.buf.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == N {
            self.skipping = true;
            self.end = 0;
        }
        let place = self.buf.get_mut(self.end..).unwrap_or(&mut []);
        match self.file.read(place) {
            Ok(n) if n > 0 => {
                self.end += n;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    #[test]
    fn long_lines_are_left_out() {
        let path = std::env::temp_dir().join(format!("rsyso-lines-{}", std::process::id()));
        std::fs::write(&path, "one\n\n0123456789\ntwo\n01234567\n0123456\nlast").expect("write");
        let name = CString::new(path.to_str().expect("utf-8")).expect("no NUL");
        let mut lines = Lines::<8>::open(&name).expect("open");
        let mut seen = Vec::new();
        while let Some(line) = lines.next() {
            seen.push(String::from_utf8(line.to_vec()).expect("utf-8"));
        }
        assert_eq!(seen, ["one", "", "two", "0123456", "last"]);
        std::fs::remove_file(path).expect("clean up");
    }
}
