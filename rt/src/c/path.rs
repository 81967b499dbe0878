//! realpath(3).

use libc::{c_char, c_int};

use crate::c::define::fail;
use crate::c::string::bytes;
use crate::sys;
use linux_raw_sys::general::*;

/// The longest path the kernel takes, terminator included.
const MAX: usize = PATH_MAX as usize;

/// A path being resolved: absolute, without `.`, `..`, empty components and symbolic links.
struct Resolved {
    buf: [u8; MAX],
    length: usize,
}

impl Resolved {
    fn push(&mut self, component: &[u8]) -> Result<(), c_int> {
        // A slash, the component, and room for the terminator.
        let end = self.length + 1 + component.len();
        if end >= MAX {
            return Err(libc::ENAMETOOLONG);
        }
        self.buf[self.length] = b'/';
        self.buf[self.length + 1..end].copy_from_slice(component);
        self.buf[end] = 0;
        self.length = end;
        Ok(())
    }

    fn pop(&mut self) {
        let cut = self.buf[..self.length].iter().rposition(|&b| b == b'/');
        self.length = cut.unwrap_or(0);
        self.buf[self.length] = 0;
    }

    /// Starts from the working directory.
    fn start_at_cwd(&mut self) -> Result<(), c_int> {
        // SAFETY: the buffer's own size.
        let n = sys::check(unsafe { syscall!(__NR_getcwd, self.buf.as_mut_ptr(), MAX) })?;
        // The kernel counts the terminator. A directory out of reach of the root shows as "(unreachable)/...".
        if self.buf[0] != b'/' {
            return Err(libc::ENOENT);
        }
        self.length = if n == 2 { 0 } else { n - 1 };
        Ok(())
    }

    /// Reads the symbolic link that the path names now; `None` if it names something else.
    fn read_link(&self, target: &mut [u8; MAX]) -> Result<Option<usize>, c_int> {
        // SAFETY: a C string, and a buffer of its own size.
        let n = unsafe {
            syscall!(
                __NR_readlinkat,
                libc::AT_FDCWD,
                self.buf.as_ptr(),
                target.as_mut_ptr(),
                MAX
            )
        };
        match sys::check(n) {
            Ok(MAX) => Err(libc::ENAMETOOLONG),
            Ok(n) => Ok(Some(n)),
            Err(libc::EINVAL) => Ok(None),
            Err(errno) => Err(errno),
        }
    }
}

/// What is left to resolve, kept at the end of a buffer so that a link's target can be put before it.
struct Rest {
    buf: [u8; MAX],
    start: usize,
    /// The last component that was taken ended in a slash.
    slash: bool,
}

impl Rest {
    fn put(&mut self, bytes: &[u8]) -> Result<(), c_int> {
        let start = self
            .start
            .checked_sub(bytes.len())
            .ok_or(libc::ENAMETOOLONG)?;
        self.buf[start..self.start].copy_from_slice(bytes);
        self.start = start;
        Ok(())
    }

    /// Takes the next component, which is empty between two slashes and after the last one.
    fn take(&mut self, component: &mut [u8; MAX]) -> Option<usize> {
        if self.is_empty() {
            return None;
        }
        let rest = self.buf.get(self.start..).unwrap_or(&[]);
        let slash = rest.iter().position(|&b| b == b'/');
        let n = slash.unwrap_or(rest.len());
        component[..n].copy_from_slice(&rest[..n]);
        self.slash = slash.is_some();
        self.start += n + usize::from(self.slash);
        Some(n)
    }

    fn is_empty(&self) -> bool {
        self.start >= MAX && !self.slash
    }
}

/// Resolves `path`; every component must exist.
fn resolve(path: &[u8], out: &mut Resolved) -> Result<(), c_int> {
    if path.is_empty() {
        return Err(libc::ENOENT);
    }
    let mut rest = Rest {
        buf: [0; MAX],
        start: MAX,
        slash: false,
    };
    rest.put(path)?;
    if path[0] != b'/' {
        out.start_at_cwd()?;
    }
    let mut scratch = [0; MAX];
    let mut links = 0;
    while let Some(n) = rest.take(&mut scratch) {
        match &scratch[..n] {
            b"" | b"." => must_be_directory(out)?,
            b".." => {
                must_be_directory(out)?;
                out.pop();
            }
            component => {
                out.push(component)?;
                let more = !rest.is_empty();
                let Some(n) = out.read_link(&mut scratch)? else {
                    continue;
                };
                links += 1;
                // As many as the kernel follows (path_resolution(7)).
                if links > 40 {
                    return Err(libc::ELOOP);
                }
                if more {
                    rest.put(b"/")?;
                }
                rest.put(&scratch[..n])?;
                match scratch[0] {
                    b'/' => out.length = 0,
                    _ => out.pop(),
                }
            }
        }
    }
    if out.length == 0 {
        out.buf[..2].copy_from_slice(b"/\0");
        out.length = 1;
    }
    Ok(())
}

/// `file/.`, `file/..` and `file/` are errors.
fn must_be_directory(path: &Resolved) -> Result<(), c_int> {
    if path.length == 0 {
        return Ok(());
    }
    let mut target = [0; 1];
    let mut probe = [0; MAX + 2];
    probe[..path.length].copy_from_slice(&path.buf[..path.length]);
    probe[path.length] = b'/';
    // SAFETY: a C string, and a buffer of its own size. A directory is no link: EINVAL.
    let n = unsafe {
        syscall!(
            __NR_readlinkat,
            libc::AT_FDCWD,
            probe.as_ptr(),
            target.as_mut_ptr(),
            target.len()
        )
    };
    match sys::check(n) {
        Ok(_) | Err(libc::EINVAL) => Ok(()),
        Err(errno) => Err(errno),
    }
}

c_fn! {
    /// realpath(3)
    fn realpath(path: *const c_char, out: *mut c_char) -> *mut c_char {
        if path.is_null() {
            fail(libc::EINVAL);
            return core::ptr::null_mut();
        }
        let mut resolved = Resolved { buf: [0; MAX], length: 0 };
        if let Err(errno) = resolve(bytes(path), &mut resolved) {
            fail(errno);
            return core::ptr::null_mut();
        }
        let size = resolved.length + 1;
        let out = match out.is_null() {
            // SAFETY: plain allocation; it sets `errno` when it fails.
            true => unsafe { libc::malloc(size).cast::<c_char>() },
            false => out,
        };
        if !out.is_null() {
            // SAFETY: the caller's buffer has PATH_MAX bytes; ours has `size`.
            unsafe { core::ptr::copy_nonoverlapping(resolved.buf.as_ptr().cast(), out, size) };
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn ours(path: &str) -> Result<String, c_int> {
        let mut out = Resolved {
            buf: [0; MAX],
            length: 0,
        };
        resolve(path.as_bytes(), &mut out)
            .map(|()| String::from_utf8(out.buf[..out.length].to_vec()).expect("utf-8"))
    }

    #[test]
    fn agrees_with_the_host() {
        let dir = std::env::temp_dir().join(format!("rsyso-realpath-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("a/b")).expect("mkdir");
        std::fs::write(dir.join("a/file"), b"").expect("write");
        symlink("../a/./b", dir.join("a/link")).expect("symlink");
        symlink(dir.join("a"), dir.join("abs")).expect("symlink");
        symlink("loop", dir.join("loop")).expect("symlink");
        let root = dir.to_str().expect("utf-8");
        for tail in [
            "",
            "/",
            "/a",
            "/a//b/",
            "/a/../a/b",
            "/a/link",
            "/a/link/..",
            "/abs/link/../file",
            "/abs",
            "/loop",
            "/none",
            "/none/..",
            "/a/file",
            "/a/file/",
            "/a/file/.",
            "/a/file/..",
            "/a/file/x",
            "/abs/",
            "/a/link/.",
        ] {
            let path = format!("{root}{tail}");
            let host = std::fs::canonicalize(&path)
                .map(|p| p.to_str().expect("utf-8").to_owned())
                .map_err(|e| e.raw_os_error().expect("errno"));
            assert_eq!(ours(&path), host, "{path}");
        }
        for path in ["/", "/..", ".", "..", "", "/proc/self/.."] {
            let host = std::fs::canonicalize(path)
                .map(|p| p.to_str().expect("utf-8").to_owned())
                .map_err(|e| e.raw_os_error().expect("errno"));
            assert_eq!(ours(path), host, "{path}");
        }
        std::fs::remove_dir_all(dir).expect("clean up");
    }
}
