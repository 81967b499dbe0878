//! Reading, writing and everything else that is done to an open file descriptor.

use libc::{c_int, c_uint, c_ulong, c_void, iovec, loff_t, off_t, off64_t, size_t, ssize_t};

use crate::c::define::{about_to_wait, code, fail, ret, uninterrupted};
use crate::c::errno::errno;
use linux_raw_sys::general::*;

syscalls! {
    /// read(2)
    read(fd: c_int, buf: *mut c_void, count: size_t) -> ssize_t = again __NR_read(fd, buf, count);
    /// readv(2)
    readv(fd: c_int, iov: *const iovec, count: c_int) -> ssize_t = again __NR_readv(fd, iov, count);
    /// pread(2)
    pread(fd: c_int, buf: *mut c_void, count: size_t, offset: off_t) -> ssize_t = waiting __NR_pread64(fd, buf, count, offset);
    /// pread(2)
    pread64(fd: c_int, buf: *mut c_void, count: size_t, offset: off64_t) -> ssize_t = waiting __NR_pread64(fd, buf, count, offset);
    /// pwrite(2)
    pwrite(fd: c_int, buf: *const c_void, count: size_t, offset: off_t) -> ssize_t = waiting __NR_pwrite64(fd, buf, count, offset);
    /// pwrite(2)
    pwrite64(fd: c_int, buf: *const c_void, count: size_t, offset: off64_t) -> ssize_t = waiting __NR_pwrite64(fd, buf, count, offset);
    // The kernel takes the offset in two words; on 64-bit machines the first holds all of it.
    /// preadv(2)
    preadv(fd: c_int, iov: *const iovec, count: c_int, offset: off_t) -> ssize_t = waiting __NR_preadv(fd, iov, count, offset, 0usize);
    /// preadv(2)
    preadv64(fd: c_int, iov: *const iovec, count: c_int, offset: off64_t) -> ssize_t = waiting __NR_preadv(fd, iov, count, offset, 0usize);
    /// pwritev(2)
    pwritev(fd: c_int, iov: *const iovec, count: c_int, offset: off_t) -> ssize_t = waiting __NR_pwritev(fd, iov, count, offset, 0usize);
    /// pwritev(2)
    pwritev64(fd: c_int, iov: *const iovec, count: c_int, offset: off64_t) -> ssize_t = waiting __NR_pwritev(fd, iov, count, offset, 0usize);
    /// preadv2(2)
    preadv2(fd: c_int, iov: *const iovec, count: c_int, offset: off_t, flags: c_int) -> ssize_t = waiting __NR_preadv2(fd, iov, count, offset, 0usize, flags);
    /// preadv2(2)
    preadv64v2(fd: c_int, iov: *const iovec, count: c_int, offset: off64_t, flags: c_int) -> ssize_t = waiting __NR_preadv2(fd, iov, count, offset, 0usize, flags);
    /// pwritev2(2)
    pwritev2(fd: c_int, iov: *const iovec, count: c_int, offset: off_t, flags: c_int) -> ssize_t = waiting __NR_pwritev2(fd, iov, count, offset, 0usize, flags);
    /// pwritev2(2)
    pwritev64v2(fd: c_int, iov: *const iovec, count: c_int, offset: off64_t, flags: c_int) -> ssize_t = waiting __NR_pwritev2(fd, iov, count, offset, 0usize, flags);
    /// close_range(2)
    close_range(first: c_uint, last: c_uint, flags: c_int) -> c_int = __NR_close_range(first, last, flags);
    /// close(2)
    close(fd: c_int) -> c_int = __NR_close(fd);
    /// dup(2)
    dup(fd: c_int) -> c_int = __NR_dup(fd);
    /// dup3(2)
    dup3(from: c_int, to: c_int, flags: c_int) -> c_int = __NR_dup3(from, to, flags);
    /// lseek(2)
    lseek(fd: c_int, offset: off_t, whence: c_int) -> off_t = __NR_lseek(fd, offset, whence);
    /// lseek(2)
    lseek64(fd: c_int, offset: off64_t, whence: c_int) -> off64_t = __NR_lseek(fd, offset, whence);
    /// pipe2(2)
    pipe2(fds: *mut c_int, flags: c_int) -> c_int = __NR_pipe2(fds, flags);
    /// pipe(2)
    pipe(fds: *mut c_int) -> c_int = __NR_pipe2(fds, 0);
    /// fsync(2)
    fsync(fd: c_int) -> c_int = waiting __NR_fsync(fd);
    /// fdatasync(2)
    fdatasync(fd: c_int) -> c_int = waiting __NR_fdatasync(fd);
    /// syncfs(2)
    syncfs(fd: c_int) -> c_int = waiting __NR_syncfs(fd);
    /// sync_file_range(2)
    sync_file_range(fd: c_int, offset: off64_t, count: off64_t, flags: c_uint) -> c_int = waiting __NR_sync_file_range(fd, offset, count, flags);
    /// ftruncate(2)
    ftruncate(fd: c_int, length: off_t) -> c_int = __NR_ftruncate(fd, length);
    /// ftruncate(2)
    ftruncate64(fd: c_int, length: off64_t) -> c_int = __NR_ftruncate(fd, length);
    /// fallocate(2)
    fallocate(fd: c_int, mode: c_int, offset: off_t, length: off_t) -> c_int = __NR_fallocate(fd, mode, offset, length);
    /// fallocate(2)
    fallocate64(fd: c_int, mode: c_int, offset: off64_t, length: off64_t) -> c_int = __NR_fallocate(fd, mode, offset, length);
    /// flock(2)
    flock(fd: c_int, operation: c_int) -> c_int = waiting __NR_flock(fd, operation);
    /// sendfile(2)
    sendfile(out: c_int, input: c_int, offset: *mut off_t, count: size_t) -> ssize_t = waiting __NR_sendfile(out, input, offset, count);
    /// sendfile(2)
    sendfile64(out: c_int, input: c_int, offset: *mut off64_t, count: size_t) -> ssize_t = waiting __NR_sendfile(out, input, offset, count);
    /// splice(2)
    splice(from: c_int, from_offset: *mut loff_t, to: c_int, to_offset: *mut loff_t, length: size_t, flags: c_uint) -> ssize_t
        = waiting __NR_splice(from, from_offset, to, to_offset, length, flags);
    /// tee(2)
    tee(from: c_int, to: c_int, length: size_t, flags: c_uint) -> ssize_t = waiting __NR_tee(from, to, length, flags);
    /// copy_file_range(2)
    copy_file_range(from: c_int, from_offset: *mut off64_t, to: c_int, to_offset: *mut off64_t, length: size_t, flags: c_uint) -> ssize_t
        = waiting __NR_copy_file_range(from, from_offset, to, to_offset, length, flags);
    /// readahead(2)
    readahead(fd: c_int, offset: off64_t, count: size_t) -> ssize_t = __NR_readahead(fd, offset, count);
    /// memfd_create(2)
    memfd_create(name: *const libc::c_char, flags: c_uint) -> c_int = __NR_memfd_create(name, flags);
}

/// Whether the runtime keeps what is written to standard error, or has printed it (`leave/panics.rs`).
///
/// # Safety
/// As for write(2).
unsafe fn held_back(fd: c_int, buf: *const c_void, count: size_t) -> bool {
    if cfg!(test) || fd != libc::STDERR_FILENO || count == 0 {
        return false;
    }
    // SAFETY: as for write(2), `count` bytes are readable there.
    let _bytes: &[u8] = unsafe { core::slice::from_raw_parts(buf.cast(), count) };
    #[cfg(not(test))]
    return crate::leave::panics::hold_back(_bytes);
    #[cfg(test)]
    false
}

/// What a report has in the place of its backtrace.
const NO_BACKTRACE: &[u8] =
    b"stack backtrace:\n   left out: the package was converted without --backtrace\n";

/// Stands in front of std's function that formats the backtrace of a report. That writes to standard error as it goes, so what is written here stands in
/// the same place. As std's, it is given the backtrace and the formatter, needs neither, and gives `Ok(())`.
#[unsafe(no_mangle)]
pub extern "C" fn rsyso_no_backtrace() -> bool {
    // SAFETY: the text is readable.
    unsafe {
        write(
            libc::STDERR_FILENO,
            NO_BACKTRACE.as_ptr().cast(),
            NO_BACKTRACE.len(),
        )
    };
    false
}

c_fn! {
    /// write(2)
    fn write(fd: c_int, buf: *const c_void, count: size_t) -> ssize_t {
        if held_back(fd, buf, count) {
            return count as ssize_t;
        }
        ret(uninterrupted(|| syscall!(__NR_write, fd, buf, count)))
    }

    /// writev(2)
    fn writev(fd: c_int, iov: *const iovec, count: c_int) -> ssize_t {
        // A report of a panic comes in one piece, or by write(2).
        if fd == libc::STDERR_FILENO && count == 1 && !iov.is_null() {
            let only = &*iov;
            return write(fd, only.iov_base, only.iov_len);
        }
        ret(uninterrupted(|| syscall!(__NR_writev, fd, iov, count)))
    }

    /// dup2(2), by dup3, which refuses to duplicate a descriptor onto itself.
    fn dup2(from: c_int, to: c_int) -> c_int {
        if from == to {
            // SAFETY: only asks for the flags, to see whether the descriptor is open.
            return match ret(unsafe { syscall!(__NR_fcntl, from, libc::F_GETFD) }) {
                -1 => -1,
                _ => to,
            };
        }
        // SAFETY: plain numbers.
        ret(unsafe { syscall!(__NR_dup3, from, to, 0) }) as c_int
    }

    /// fcntl(2)
    variadic fn fcntl(fd: c_int, command: c_int; argument: c_ulong) -> c_int {
        if matches!(command, libc::F_SETLKW | libc::F_OFD_SETLKW) {
            about_to_wait();
        }
        // SAFETY: the caller's; a command without argument ignores the word.
        ret(unsafe { syscall!(__NR_fcntl, fd, command, argument) }) as c_int
    }

    /// fcntl(2), the name that C code compiled with 64-bit offsets asks for.
    undeclared fn fcntl64(fd: c_int, command: c_int, argument: c_ulong) -> c_int {
        fcntl(fd, command, argument)
    }

    /// ioctl(2)
    variadic fn ioctl(fd: c_int, request: c_ulong; argument: c_ulong) -> c_int {
        // SAFETY: the caller's; a request without argument ignores the word.
        ret(unsafe { syscall!(__NR_ioctl, fd, request, argument) }) as c_int
    }

    /// isatty(3)
    fn isatty(fd: c_int) -> c_int {
        let mut window = [0u16; 4];
        // SAFETY: TIOCGWINSZ writes one `struct winsize`, four 16-bit words.
        let result = ret(unsafe { syscall!(__NR_ioctl, fd, libc::TIOCGWINSZ, &raw mut window) });
        if result != -1 {
            return 1;
        }
        // POSIX knows only these two; the kernel says EINVAL and others for what is no terminal.
        if errno() != libc::EBADF {
            fail(libc::ENOTTY);
        }
        0
    }

    /// posix_fallocate(3); unlike the C library's it does not write zeros where the file system cannot do it, but
    /// reports EOPNOTSUPP.
    fn posix_fallocate(fd: c_int, offset: off_t, length: off_t) -> c_int {
        // SAFETY: plain numbers.
        code(unsafe { syscall!(__NR_fallocate, fd, 0, offset, length) })
    }

    /// As [`posix_fallocate`].
    fn posix_fallocate64(fd: c_int, offset: off64_t, length: off64_t) -> c_int {
        // SAFETY: plain numbers.
        code(unsafe { syscall!(__NR_fallocate, fd, 0, offset, length) })
    }

    /// posix_fadvise(2)
    fn posix_fadvise(fd: c_int, offset: off_t, length: off_t, advice: c_int) -> c_int {
        // SAFETY: plain numbers.
        code(unsafe { syscall!(__NR_fadvise64, fd, offset, length, advice) })
    }

    /// posix_fadvise(2)
    fn posix_fadvise64(fd: c_int, offset: off64_t, length: off64_t, advice: c_int) -> c_int {
        // SAFETY: plain numbers.
        code(unsafe { syscall!(__NR_fadvise64, fd, offset, length, advice) })
    }

    /// sync(2)
    fn sync() {
        about_to_wait();
        // SAFETY: no arguments, cannot fail.
        unsafe { syscall!(__NR_sync) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_read_and_written_at_an_offset() {
        // SAFETY: a file without a name, and memory of our own.
        unsafe {
            let fd = libc::memfd_create(c"pieces".as_ptr(), 0);
            let mut pieces = [*b"ab", *b"cd"];
            let vector = pieces.each_mut().map(|piece| iovec {
                iov_base: piece.as_mut_ptr().cast(),
                iov_len: 2,
            });
            for (write, read) in [
                (pwritev2 as Vectored, preadv2 as Vectored),
                (pwritev64v2, preadv64v2),
            ] {
                assert_eq!(write(fd, vector.as_ptr(), 2, 3, 0), 4);
                assert_eq!(read(fd, vector.as_ptr(), 2, 4, 0), 3);
            }
            assert_eq!(pieces, [*b"cd", *b"dd"]);
            assert_eq!(
                (close_range(fd as c_uint, fd as c_uint, 0), close(fd)),
                (0, -1)
            );
        }
    }

    type Vectored = unsafe extern "C" fn(c_int, *const iovec, c_int, i64, c_int) -> ssize_t;
}
