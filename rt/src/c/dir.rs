//! Directory streams. The kernel's directory entries have the C library's layout (getdents64(2), readdir(3)), so that
//! entries are handed out where the kernel wrote them.

use core::mem::offset_of;
use core::ptr::null_mut;

use libc::{DIR, c_char, c_int, c_long, dirent, dirent64};

use crate::c::define::{fail, ret};
use crate::sys;
use linux_raw_sys::general::*;

/// As much as the C library asks for at once.
const BUFFER: usize = 32 * 1024;

/// What a `DIR` points to.
struct Stream {
    fd: c_int,
    /// The entries that were read, up to `end`; those before `next` were handed out.
    next: usize,
    end: usize,
    /// Where the directory is to be read on after the entry that was handed out last.
    position: i64,
    buffer: Buffer,
}

#[repr(align(8))]
struct Buffer([u8; BUFFER]);

impl Stream {
    /// The next entry in the buffer: where it lies, and its length. An entry that does not fit into what the kernel says it wrote is none.
    fn entry(&self) -> Option<(usize, usize)> {
        let rest = self.buffer.0.get(self.next..self.end)?;
        let length = rest
            .get(offset_of!(dirent64, d_reclen)..)?
            .first_chunk::<2>()?;
        let length = usize::from(u16::from_ne_bytes(*length));
        (length > offset_of!(dirent64, d_name) && length <= rest.len())
            .then_some((self.next, length))
    }

    fn refill(&mut self) -> Result<bool, c_int> {
        // SAFETY: the buffer's own size.
        let read =
            unsafe { syscall!(__NR_getdents64, self.fd, self.buffer.0.as_mut_ptr(), BUFFER) };
        self.next = 0;
        self.end = match sys::check(read) {
            Ok(n) => n,
            // The directory was removed meanwhile: POSIX has it empty then.
            Err(libc::ENOENT) => 0,
            Err(errno) => {
                self.end = 0;
                return Err(errno);
            }
        };
        Ok(self.end > 0)
    }

    /// The next entry; null at the end.
    fn read(&mut self) -> Result<*mut dirent64, c_int> {
        if self.next >= self.end && !self.refill()? {
            return Ok(null_mut());
        }
        let (at, length) = self.entry().ok_or(libc::EIO)?;
        self.next = at + length;
        let entry: *mut dirent64 = self.buffer.0.as_mut_ptr().wrapping_add(at).cast();
        // SAFETY: the kernel wrote an entry there, aligned to 8.
        self.position = unsafe { (*entry).d_off };
        Ok(entry)
    }
}

/// A stream over an open directory, which then belongs to it.
fn stream(fd: c_int) -> *mut DIR {
    // SAFETY: plain allocation; zero is a value of every field but the descriptor.
    unsafe {
        let stream: *mut Stream = libc::calloc(1, size_of::<Stream>()).cast();
        if !stream.is_null() {
            (*stream).fd = fd;
        }
        stream.cast()
    }
}

/// # Safety
/// `dir` must be a stream of this file, in use by one thread at a time.
unsafe fn view<'a>(dir: *mut DIR) -> &'a mut Stream {
    // SAFETY: `opendir` or `fdopendir` made it of a `Stream`, and one thread uses it at a time.
    unsafe { &mut *dir.cast() }
}

c_fn! {
    /// opendir(3)
    fn opendir(path: *const c_char) -> *mut DIR {
        let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC;
        let fd = ret(syscall!(__NR_openat, libc::AT_FDCWD, path, flags, 0)) as c_int;
        if fd == -1 {
            return null_mut();
        }
        let dir = stream(fd);
        if dir.is_null() {
            // SAFETY: the descriptor is this function's own.
            unsafe { syscall!(__NR_close, fd) };
        }
        dir
    }

    /// fdopendir(3)
    fn fdopendir(fd: c_int) -> *mut DIR {
        // SAFETY: all bits zero are a value; a place of our own.
        let kind = unsafe {
            let mut facts: libc::stat = core::mem::zeroed();
            if ret(syscall!(__NR_fstat, fd, &raw mut facts)) == -1 {
                return null_mut();
            }
            facts.st_mode & libc::S_IFMT
        };
        if kind != libc::S_IFDIR {
            fail(libc::ENOTDIR);
            return null_mut();
        }
        stream(fd)
    }

    /// readdir(3)
    fn readdir64(dir: *mut DIR) -> *mut dirent64 {
        match view(dir).read() {
            Ok(entry) => entry,
            Err(errno) => {
                fail(errno);
                null_mut()
            }
        }
    }

    /// readdir(3)
    fn readdir(dir: *mut DIR) -> *mut dirent {
        // SAFETY: the caller's; the two structures are one on 64-bit machines.
        unsafe { readdir64(dir) }.cast()
    }

    /// closedir(3)
    fn closedir(dir: *mut DIR) -> c_int {
        // SAFETY: the caller's, who does not use the stream again.
        unsafe {
            let fd = view(dir).fd;
            libc::free(dir.cast());
            ret(syscall!(__NR_close, fd)) as c_int
        }
    }

    /// dirfd(3)
    fn dirfd(dir: *mut DIR) -> c_int {
        view(dir).fd
    }

    /// rewinddir(3)
    fn rewinddir(dir: *mut DIR) {
        seekdir(dir, 0)
    }

    /// telldir(3)
    fn telldir(dir: *mut DIR) -> c_long {
        view(dir).position
    }

    /// seekdir(3)
    fn seekdir(dir: *mut DIR, position: c_long) {
        // SAFETY: the caller's; plain numbers.
        unsafe {
            let stream = view(dir);
            syscall!(__NR_lseek, stream.fd, position, libc::SEEK_SET);
            stream.position = position;
            stream.next = 0;
            stream.end = 0;
        }
    }
}

const _: () =
    assert!(offset_of!(dirent64, d_name) == 19 && size_of::<dirent>() == size_of::<dirent64>());
const _: () = assert!(
    size_of::<linux_dirent64>() == 24
        && offset_of!(linux_dirent64, d_reclen) == offset_of!(dirent64, d_reclen)
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::c::string::bytes;
    use std::collections::BTreeSet;
    use std::ffi::CString;

    #[test]
    fn every_entry_is_seen_once() {
        let dir = std::env::temp_dir().join(format!("rsyso-dir-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("mkdir");
        let mut wanted = BTreeSet::from([".".to_owned(), "..".to_owned()]);
        for i in 0..3000 {
            let name = format!("a-rather-long-name-for-a-file-so-that-the-buffer-fills-{i}");
            std::fs::write(dir.join(&name), b"").expect("write");
            wanted.insert(name);
        }
        let path = CString::new(dir.to_str().expect("utf-8")).expect("no NUL");
        // SAFETY: a stream of this test's.
        unsafe {
            let stream = opendir(path.as_ptr());
            assert!(!stream.is_null());
            for _ in 0..2 {
                let mut seen = BTreeSet::new();
                loop {
                    let entry = readdir64(stream);
                    if entry.is_null() {
                        break;
                    }
                    let name =
                        String::from_utf8(bytes((&raw const (*entry).d_name).cast()).to_vec())
                            .expect("utf-8");
                    assert!(seen.insert(name));
                }
                assert_eq!(seen, wanted);
                rewinddir(stream);
            }
            assert_eq!(closedir(stream), 0);
        }
        std::fs::remove_dir_all(dir).expect("clean up");
    }
}
