//! One stream: a descriptor with a buffer, which holds either what was read ahead or what is to be written.

use core::ptr::null_mut;

use libc::c_int;

use crate::c::printf::Sink;
use crate::sys;
use linux_raw_sys::general::*;

/// As much as files are read and written at once.
const BUFFER: usize = 8 * 1024;
/// Bytes in front of what was read that can be pushed back.
const PUSH_BACK: usize = 8;

/// What the buffer holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Nothing,
    Read,
    Written,
}

/// A stream's state.
pub(crate) struct Stream {
    fd: c_int,
    readable: bool,
    writable: bool,
    /// Everything is handed to the kernel at the end of each call.
    pub(super) eager: bool,
    pub(super) end_of_file: bool,
    pub(super) failed: bool,
    holds: Holds,
    /// `PUSH_BACK + BUFFER` bytes of the heap; null before the first use.
    buffer: *mut u8,
    /// What was read and not taken yet, or what is to be written.
    start: usize,
    end: usize,
}

// SAFETY: the buffer is the stream's own.
unsafe impl Send for Stream {}

impl Stream {
    /// A stream over an open descriptor.
    pub(super) const fn new(fd: c_int, readable: bool, writable: bool, eager: bool) -> Self {
        Stream {
            fd,
            readable,
            writable,
            eager,
            end_of_file: false,
            failed: false,
            holds: Holds::Nothing,
            buffer: null_mut(),
            start: PUSH_BACK,
            end: PUSH_BACK,
        }
    }

    /// The descriptor.
    pub(super) fn fd(&self) -> c_int {
        self.fd
    }

    fn room(&mut self) -> Result<&mut [u8], c_int> {
        if self.buffer.is_null() {
            // SAFETY: plain allocation, zeroed.
            self.buffer = unsafe { libc::calloc(1, PUSH_BACK + BUFFER).cast() };
            if self.buffer.is_null() {
                return Err(libc::ENOMEM);
            }
        }
        // SAFETY: this many bytes are the stream's own.
        Ok(unsafe { core::slice::from_raw_parts_mut(self.buffer, PUSH_BACK + BUFFER) })
    }

    fn note<T>(&mut self, result: Result<T, c_int>) -> Result<T, c_int> {
        self.failed |= result.is_err();
        result
    }

    /// Hands the kernel what is to be written.
    pub(super) fn flush(&mut self) -> Result<(), c_int> {
        if self.holds != Holds::Written {
            return Ok(());
        }
        let (fd, start, end) = (self.fd, self.start, self.end);
        self.start = PUSH_BACK;
        self.end = PUSH_BACK;
        self.holds = Holds::Nothing;
        let result = self
            .room()
            .and_then(|room| super::write_all(fd, &room[start..end]));
        self.note(result)
    }

    /// What every call that writes ends with.
    pub(super) fn end_of_call(&mut self) -> Result<(), c_int> {
        if self.eager { self.flush() } else { Ok(()) }
    }

    /// Drops what was read ahead, so that the descriptor stands where the program believes it to.
    fn forget_read(&mut self) -> Result<(), c_int> {
        if self.holds == Holds::Read && self.start < self.end {
            let ahead = (self.end - self.start) as i64;
            // SAFETY: plain numbers. What cannot be sought loses what was read ahead, as in C.
            unsafe { syscall!(__NR_lseek, self.fd, -ahead, libc::SEEK_CUR) };
        }
        self.start = PUSH_BACK;
        self.end = PUSH_BACK;
        self.holds = Holds::Nothing;
        Ok(())
    }

    /// Reads ahead if nothing is left; what there is then, none at the end of the file.
    pub(super) fn fill(&mut self) -> Result<&[u8], c_int> {
        if !self.readable {
            return self.note(Err(libc::EBADF));
        }
        self.flush()?;
        if self.holds != Holds::Read || self.start >= self.end {
            let fd = self.fd;
            let read = self.room().and_then(|room| {
                loop {
                    let place = &mut room[PUSH_BACK..];
                    crate::c::define::about_to_wait();
                    // SAFETY: the slice's own size.
                    match sys::check(unsafe {
                        syscall!(__NR_read, fd, place.as_mut_ptr(), place.len())
                    }) {
                        Err(libc::EINTR) => {}
                        result => break result,
                    }
                }
            });
            let n = self.note(read)?;
            self.end_of_file |= n == 0;
            self.holds = Holds::Read;
            self.start = PUSH_BACK;
            self.end = PUSH_BACK + n;
        }
        let (start, end) = (self.start, self.end);
        Ok(&self.room()?[start..end])
    }

    /// Takes bytes that [`Stream::fill`] showed.
    pub(super) fn consume(&mut self, n: usize) {
        self.start = (self.start + n).min(self.end);
    }

    /// The next byte; `None` at the end.
    pub(super) fn byte(&mut self) -> Result<Option<u8>, c_int> {
        let first = self.fill()?.first().copied();
        self.consume(usize::from(first.is_some()));
        Ok(first)
    }

    /// Puts a byte back in front of what is to be read.
    pub(super) fn push_back(&mut self, byte: u8) -> Result<(), c_int> {
        if !self.readable {
            return Err(libc::EBADF);
        }
        self.flush()?;
        let start = self.start.checked_sub(1).ok_or(libc::ENOBUFS)?;
        self.room()?[start] = byte;
        if self.holds != Holds::Read {
            self.end = self.start;
            self.holds = Holds::Read;
        }
        self.start = start;
        self.end_of_file = false;
        Ok(())
    }

    /// Where the program stands in the file.
    pub(super) fn position(&mut self) -> Result<i64, c_int> {
        // SAFETY: plain numbers.
        let at = sys::check(unsafe { syscall!(__NR_lseek, self.fd, 0, libc::SEEK_CUR) })? as i64;
        let held = (self.end - self.start) as i64;
        Ok(match self.holds {
            Holds::Nothing => at,
            Holds::Read => at - held,
            Holds::Written => at + held,
        })
    }

    /// Goes to a place in the file.
    pub(super) fn seek(&mut self, offset: i64, whence: c_int) -> Result<(), c_int> {
        self.flush()?;
        self.forget_read()?;
        // SAFETY: plain numbers.
        sys::check(unsafe { syscall!(__NR_lseek, self.fd, offset, whence) })?;
        self.end_of_file = false;
        Ok(())
    }

    /// The end of the stream: what is to be written is written, and the descriptor closed.
    pub(super) fn close(&mut self) -> Result<(), c_int> {
        let flushed = self.flush();
        self.forget_read()?;
        // SAFETY: the stream's own descriptor and block.
        let closed = unsafe {
            libc::free(core::mem::replace(&mut self.buffer, null_mut()).cast());
            sys::check(syscall!(__NR_close, self.fd))
        };
        flushed.and(closed.map(|_| ()))
    }
}

impl Sink for Stream {
    fn put(&mut self, bytes: &[u8]) -> Result<(), c_int> {
        if !self.writable {
            return self.note(Err(libc::EBADF));
        }
        if self.holds == Holds::Read {
            self.forget_read()?;
        }
        self.holds = Holds::Written;
        let mut rest = bytes;
        while !rest.is_empty() {
            let end = self.end;
            let result = self.room().map(|room| {
                let n = rest.len().min(room.len() - end);
                room[end..end + n].copy_from_slice(&rest[..n]);
                n
            });
            let n = self.note(result)?;
            self.end += n;
            rest = &rest[n..];
            if !rest.is_empty() {
                self.flush()?;
                self.holds = Holds::Written;
            }
        }
        Ok(())
    }
}
