//! What stat(2) and mknod(2) were in objects compiled against glibc before 2.33: functions that say which layout they mean.

use libc::{AT_FDCWD, AT_SYMLINK_NOFOLLOW, c_char, c_int, dev_t, mode_t, stat, stat64};

use crate::c::define::fail;
use crate::c::fs;

/// The layouts of `struct stat`, which are one on 64-bit machines (glibc's bits/xstatver.h), and that of a
/// device's number.
const LAYOUTS: core::ops::RangeInclusive<c_int> = 0..=1;
const DEVICE_LAYOUT: c_int = 0;

/// Does what `known` does if the layout is known.
fn with(known: bool, then: impl FnOnce() -> c_int) -> c_int {
    if known { then() } else { fail(libc::EINVAL) }
}

macro_rules! stats {
    ($($name:ident($($a:ident: $t:ty),*; $stat:ty) = $at:ident($($w:expr),*);)*) => {
        c_fn! {$(
            /// stat(2), of a layout.
            undeclared fn $name(layout: c_int, $($a: $t,)* to: *mut $stat) -> c_int {
                with(LAYOUTS.contains(&layout), || fs::$at($($w,)* to))
            }
        )*}
    };
}

stats! {
    __xstat(path: *const c_char; stat) = stat(path);
    __xstat64(path: *const c_char; stat64) = stat64(path);
    __lxstat(path: *const c_char; stat) = lstat(path);
    __lxstat64(path: *const c_char; stat64) = lstat64(path);
    __fxstat(fd: c_int; stat) = fstat(fd);
    __fxstat64(fd: c_int; stat64) = fstat64(fd);
}

c_fn! {
    /// fstatat(2), of a layout.
    undeclared fn __fxstatat(layout: c_int, dir: c_int, path: *const c_char, to: *mut stat, flags: c_int) -> c_int {
        with(LAYOUTS.contains(&layout), || fs::fstatat(dir, path, to, flags))
    }

    /// fstatat(2), of a layout.
    undeclared fn __fxstatat64(layout: c_int, dir: c_int, path: *const c_char, to: *mut stat64, flags: c_int) -> c_int {
        with(LAYOUTS.contains(&layout), || fs::fstatat64(dir, path, to, flags))
    }

    /// mknod(2), of a layout.
    undeclared fn __xmknod(layout: c_int, path: *const c_char, mode: mode_t, device: *const dev_t) -> c_int {
        with(layout == DEVICE_LAYOUT, || fs::mknod(path, mode, *device))
    }

    /// mknodat(2), of a layout.
    undeclared fn __xmknodat(layout: c_int, dir: c_int, path: *const c_char, mode: mode_t, device: *const dev_t) -> c_int {
        with(layout == DEVICE_LAYOUT, || fs::mknodat(dir, path, mode, *device))
    }
}

const _: () = assert!(AT_FDCWD < 0 && AT_SYMLINK_NOFOLLOW > 0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_is_the_one_that_there_is() {
        let path = c"/proc/self/exe".as_ptr();
        // SAFETY: all bits zero are a value; a C string; places of our own.
        unsafe {
            let (mut now, mut then): (stat64, stat64) = core::mem::zeroed();
            let (mut short_now, mut short_then): (stat, stat) = core::mem::zeroed();
            let fd = libc::open(path, libc::O_RDONLY);
            for layout in LAYOUTS {
                assert_eq!(
                    (
                        libc::stat64(path, &mut now),
                        __xstat64(layout, path, &mut then)
                    ),
                    (0, 0)
                );
                assert_eq!(
                    (now.st_ino, now.st_size, now.st_mode),
                    (then.st_ino, then.st_size, then.st_mode)
                );
                assert_eq!(__fxstat64(layout, fd, &mut then), 0);
                assert_eq!(now.st_ino, then.st_ino);
                assert_eq!(__fxstatat64(layout, AT_FDCWD, path, &mut then, 0), 0);
                assert_eq!(now.st_ino, then.st_ino);
                assert_eq!(
                    (
                        libc::lstat64(path, &mut now),
                        __lxstat64(layout, path, &mut then)
                    ),
                    (0, 0)
                );
                assert_eq!(then.st_mode & libc::S_IFMT, libc::S_IFLNK);
                assert_eq!(
                    (
                        libc::stat(path, &mut short_now),
                        __xstat(layout, path, &mut short_then)
                    ),
                    (0, 0)
                );
                assert_eq!(short_now.st_ino, short_then.st_ino);
                assert_eq!(
                    (
                        __fxstat(layout, fd, &mut short_then),
                        __lxstat(layout, path, &mut short_now)
                    ),
                    (0, 0)
                );
                assert_eq!(short_now.st_mode & libc::S_IFMT, libc::S_IFLNK);
                assert_eq!(
                    __fxstatat(layout, AT_FDCWD, path, &mut short_now, AT_SYMLINK_NOFOLLOW),
                    0
                );
                assert_eq!(short_now.st_mode & libc::S_IFMT, libc::S_IFLNK);
            }
            assert_eq!(__xstat64(3, path, &mut then), -1);
            assert_eq!(crate::c::errno::errno(), libc::EINVAL);
            libc::close(fd);

            let fifo = c"/tmp/rsyso-xmknod".as_ptr();
            for at in [false, true] {
                libc::unlink(fifo);
                let mode = libc::S_IFIFO | 0o600;
                let made = match at {
                    false => __xmknod(0, fifo, mode, &0),
                    true => __xmknodat(0, AT_FDCWD, fifo, mode, &0),
                };
                assert_eq!((made, libc::stat(fifo, &mut short_now)), (0, 0));
                assert_eq!(short_now.st_mode & libc::S_IFMT, libc::S_IFIFO);
            }
            libc::unlink(fifo);
            assert_eq!(__xmknod(1, fifo, libc::S_IFIFO, &0), -1);
        }
    }
}
