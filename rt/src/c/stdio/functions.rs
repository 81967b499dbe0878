//! The functions of stdio.h, but for formatting.

use core::ptr::null_mut;

use libc::{FILE, c_char, c_int, c_long, c_void, off_t, off64_t, size_t, ssize_t};

use super::{Locked, Stream, locked, stderr, stdin, stdout, with_output};
use crate::c::define::{about_to_wait, fail};
use crate::c::string::bytes;
use crate::sys;
use crate::sys::lock::Lock;
use linux_raw_sys::general::*;

const EOF: c_int = -1;

/// What a mode like "r+e" means: readable, writable, flags of open(2).
fn parse_mode(mode: &[u8]) -> Option<(bool, bool, c_int)> {
    let (first, rest) = mode.split_first()?;
    let both = rest.contains(&b'+');
    let (readable, writable, mut flags) = match first {
        b'r' => (true, both, 0),
        b'w' => (both, true, libc::O_CREAT | libc::O_TRUNC),
        b'a' => (both, true, libc::O_CREAT | libc::O_APPEND),
        _ => return None,
    };
    flags |= match (readable, writable) {
        (true, true) => libc::O_RDWR,
        (true, false) => libc::O_RDONLY,
        _ => libc::O_WRONLY,
    };
    if rest.contains(&b'e') {
        flags |= libc::O_CLOEXEC;
    }
    if rest.contains(&b'x') {
        flags |= libc::O_EXCL;
    }
    Some((readable, writable, flags))
}

/// A stream on the heap; null with `errno` set if there is no memory.
fn allocate(stream: Stream) -> *mut FILE {
    // SAFETY: fresh memory for one.
    unsafe {
        let place: *mut Locked = libc::malloc(size_of::<Locked>()).cast();
        if !place.is_null() {
            place.write(Lock::new(stream));
        }
        place.cast()
    }
}

fn eof_or(result: Result<Option<u8>, c_int>) -> c_int {
    match result {
        Ok(Some(byte)) => byte.into(),
        Ok(None) => EOF,
        Err(errno) => fail(errno),
    }
}

fn zero_or(result: Result<(), c_int>) -> c_int {
    result.map_or_else(fail, |()| 0)
}

c_fn! {
    /// fopen(3)
    fn fopen(path: *const c_char, mode: *const c_char) -> *mut FILE {
        let Some((readable, writable, flags)) = parse_mode(bytes(mode)) else {
            fail(libc::EINVAL);
            return null_mut();
        };
        about_to_wait();
        let fd = match sys::check(syscall!(__NR_openat, libc::AT_FDCWD, path, flags, 0o666)) {
            Ok(fd) => fd as c_int,
            Err(errno) => {
                fail(errno);
                return null_mut();
            }
        };
        let file = allocate(Stream::new(fd, readable, writable, false));
        if file.is_null() {
            syscall!(__NR_close, fd);
        }
        file
    }

    /// fopen(3)
    undeclared fn fopen64(path: *const c_char, mode: *const c_char) -> *mut FILE {
        fopen(path, mode)
    }

    /// fdopen(3)
    fn fdopen(fd: c_int, mode: *const c_char) -> *mut FILE {
        // SAFETY: the caller's C string; plain numbers.
        unsafe {
            let Some((readable, writable, _)) = parse_mode(bytes(mode)) else {
                fail(libc::EINVAL);
                return null_mut();
            };
            match sys::check(syscall!(__NR_fcntl, fd, libc::F_GETFD)) {
                Ok(_) => allocate(Stream::new(fd, readable, writable, false)),
                Err(errno) => {
                    fail(errno);
                    null_mut()
                }
            }
        }
    }

    /// fclose(3)
    fn fclose(file: *mut FILE) -> c_int {
        // SAFETY: the caller's, who does not use it again. The three of the process are no blocks of the heap.
        unsafe {
            let result = locked(file).lock().close();
            if !super::is_of_the_process(file) {
                libc::free(file.cast());
            }
            if result.is_err() {
                return result.map_or_else(fail, |()| 0);
            }
        }
        0
    }

    /// fflush(3); of all streams, with null, only those of the process are known, and they hold nothing back.
    fn fflush(file: *mut FILE) -> c_int {
        match file.is_null() {
            true => 0,
            false => zero_or(locked(file).lock().flush()),
        }
    }

    /// fread(3)
    fn fread(to: *mut c_void, size: size_t, count: size_t, file: *mut FILE) -> size_t {
        let Some(wanted) = size.checked_mul(count).filter(|n| *n > 0) else {
            return 0;
        };
        let mut done = 0;
        // SAFETY: the caller's stream and memory.
        unsafe {
            let mut stream = locked(file).lock();
            while done < wanted {
                let n = match stream.fill() {
                    Ok([]) => break,
                    Ok(ready) => {
                        let n = ready.len().min(wanted - done);
                        core::ptr::copy_nonoverlapping(ready.as_ptr(), to.cast::<u8>().add(done), n);
                        n
                    }
                    Err(errno) => {
                        fail(errno);
                        break;
                    }
                };
                stream.consume(n);
                done += n;
            }
        }
        done / size
    }

    /// fwrite(3)
    fn fwrite(from: *const c_void, size: size_t, count: size_t, file: *mut FILE) -> size_t {
        let Some(length) = size.checked_mul(count).filter(|n| *n > 0) else {
            return 0;
        };
        // SAFETY: the caller's stream and memory.
        let result = unsafe {
            let all = core::slice::from_raw_parts(from.cast(), length);
            with_output(file, |out| out.put(all))
        };
        match result {
            Ok(()) => count,
            Err(errno) => {
                fail(errno);
                0
            }
        }
    }

    /// fgetc(3)
    fn fgetc(file: *mut FILE) -> c_int {
        eof_or(locked(file).lock().byte())
    }

    /// fgetc(3)
    undeclared fn getc(file: *mut FILE) -> c_int {
        fgetc(file)
    }

    /// fgetc(3)
    fn getchar() -> c_int {
        // SAFETY: a stream of the process.
        unsafe { fgetc(stdin.file()) }
    }

    /// ungetc(3)
    fn ungetc(c: c_int, file: *mut FILE) -> c_int {
        if c == EOF {
            return EOF;
        }
        match locked(file).lock().push_back(c as u8) {
            Ok(()) => (c as u8).into(),
            Err(errno) => fail(errno),
        }
    }

    /// fgets(3)
    fn fgets(to: *mut c_char, size: c_int, file: *mut FILE) -> *mut c_char {
        let Some(room) = usize::try_from(size).ok().and_then(|n| n.checked_sub(1)) else {
            return null_mut();
        };
        let mut done = 0;
        // SAFETY: the caller's stream and memory.
        unsafe {
            let mut stream = locked(file).lock();
            while done < room {
                match stream.byte() {
                    Ok(Some(byte)) => {
                        to.add(done).write(byte as c_char);
                        done += 1;
                        if byte == b'\n' {
                            break;
                        }
                    }
                    Ok(None) if done > 0 => break,
                    Ok(None) => return null_mut(),
                    Err(errno) => {
                        fail(errno);
                        return null_mut();
                    }
                }
            }
            to.add(done).write(0);
        }
        to
    }

    /// fputc(3)
    fn fputc(c: c_int, file: *mut FILE) -> c_int {
        match with_output(file, |out| out.put(&[c as u8])) {
            Ok(()) => (c as u8).into(),
            Err(errno) => fail(errno),
        }
    }

    /// fputc(3)
    undeclared fn putc(c: c_int, file: *mut FILE) -> c_int {
        fputc(c, file)
    }

    /// fputc(3)
    fn putchar(c: c_int) -> c_int {
        // SAFETY: a stream of the process.
        unsafe { fputc(c, stdout.file()) }
    }

    /// fputs(3)
    fn fputs(text: *const c_char, file: *mut FILE) -> c_int {
        zero_or(with_output(file, |out| out.put(bytes(text))))
    }

    /// puts(3)
    fn puts(text: *const c_char) -> c_int {
        // SAFETY: the caller's; a stream of the process.
        zero_or(unsafe {
            with_output(stdout.file(), |out| {
                out.put(bytes(text))?;
                out.put(b"\n")
            })
        })
    }

    /// fseek(3)
    fn fseek(file: *mut FILE, offset: c_long, whence: c_int) -> c_int {
        zero_or(locked(file).lock().seek(offset, whence))
    }

    /// fseek(3)
    fn fseeko(file: *mut FILE, offset: off_t, whence: c_int) -> c_int {
        zero_or(locked(file).lock().seek(offset, whence))
    }

    /// fseek(3)
    fn fseeko64(file: *mut FILE, offset: off64_t, whence: c_int) -> c_int {
        zero_or(locked(file).lock().seek(offset, whence))
    }

    /// fseek(3)
    fn ftell(file: *mut FILE) -> c_long {
        locked(file).lock().position().unwrap_or_else(|errno| fail(errno).into())
    }

    /// fseek(3)
    fn ftello(file: *mut FILE) -> off_t {
        ftell(file)
    }

    /// fseek(3)
    fn ftello64(file: *mut FILE) -> off64_t {
        ftell(file)
    }

    /// fseek(3)
    fn rewind(file: *mut FILE) {
        let mut stream = locked(file).lock();
        let _ = stream.seek(0, libc::SEEK_SET);
        stream.failed = false;
    }

    /// feof(3)
    fn feof(file: *mut FILE) -> c_int {
        locked(file).lock().end_of_file.into()
    }

    /// feof(3)
    fn ferror(file: *mut FILE) -> c_int {
        locked(file).lock().failed.into()
    }

    /// feof(3)
    fn clearerr(file: *mut FILE) {
        let mut stream = locked(file).lock();
        stream.end_of_file = false;
        stream.failed = false;
    }

    /// fileno(3)
    fn fileno(file: *mut FILE) -> c_int {
        locked(file).lock().fd()
    }

    /// setvbuf(3): the buffer stays the stream's own; without buffering every call writes.
    fn setvbuf(file: *mut FILE, _buffer: *mut c_char, mode: c_int, _size: size_t) -> c_int {
        if mode == libc::_IONBF {
            locked(file).lock().eager = true;
        }
        0
    }

    /// setvbuf(3)
    fn setbuf(file: *mut FILE, buffer: *mut c_char) {
        let mode = if buffer.is_null() { libc::_IONBF } else { libc::_IOFBF };
        setvbuf(file, buffer, mode, 0);
    }

    /// getdelim(3), as glibc's `getline` in line has it.
    undeclared fn __getdelim(line: *mut *mut c_char, size: *mut size_t, end: c_int, file: *mut FILE) -> ssize_t {
        getdelim(line, size, end, file)
    }

    /// getdelim(3)
    undeclared fn getdelim(line: *mut *mut c_char, size: *mut size_t, end: c_int, file: *mut FILE) -> ssize_t {
        let mut used = 0;
        // SAFETY: the caller's stream; a block of the heap, or null, and its size.
        unsafe {
            let mut stream = locked(file).lock();
            loop {
                let byte = match stream.byte() {
                    Ok(byte) => byte,
                    Err(errno) => return fail(errno) as ssize_t,
                };
                let last = byte.is_none() || byte.map(c_int::from) == Some(end);
                // One more byte, and the terminator.
                if (*line).is_null() || used + 2 > *size {
                    let room = (used + 2).next_power_of_two().max(128);
                    let block: *mut c_char = libc::realloc((*line).cast(), room).cast();
                    if block.is_null() {
                        return fail(libc::ENOMEM) as ssize_t;
                    }
                    *line = block;
                    *size = room;
                }
                if let Some(byte) = byte {
                    (*line).add(used).write(byte as c_char);
                    used += 1;
                }
                if last {
                    (*line).add(used).write(0);
                    return if used == 0 { -1 } else { used as ssize_t };
                }
            }
        }
    }

    /// getline(3)
    undeclared fn getline(line: *mut *mut c_char, size: *mut size_t, file: *mut FILE) -> ssize_t {
        getdelim(line, size, b'\n'.into(), file)
    }

    /// perror(3)
    fn perror(text: *const c_char) {
        let mut unknown = crate::c::errno::Unknown::default();
        let errno = crate::c::errno::errno();
        let message = crate::c::errno::message(errno).map_or_else(|| unknown.write(errno), str::as_bytes);
        // SAFETY: null or the caller's C string; a stream of the process.
        let _ = unsafe {
            with_output(stderr.file(), |out| {
                if !text.is_null() && *text != 0 {
                    out.put(bytes(text))?;
                    out.put(b": ")?;
                }
                out.put(message)?;
                out.put(b"\n")
            })
        };
    }

    /// remove(3)
    fn remove(path: *const c_char) -> c_int {
        match sys::check(syscall!(__NR_unlinkat, libc::AT_FDCWD, path, 0)) {
            Ok(_) => 0,
            Err(libc::EISDIR) => crate::c::fs::rmdir(path),
            Err(errno) => fail(errno),
        }
    }
}

#[cfg(test)]
mod tests;
