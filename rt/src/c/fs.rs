//! Files by name: opening, asking, making, removing, changing. The kernel's calls that take a directory descriptor are
//! used throughout, since newer machines have no others.

use libc::{
    AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW, c_char, c_int, c_uint, c_void, dev_t, gid_t,
    mode_t, size_t, ssize_t, stat as Stat, stat64 as Stat64, statfs as Statfs,
    statfs64 as Statfs64, statvfs as Statvfs, statvfs64 as Statvfs64, statx as Statx, timespec,
    timeval, uid_t,
};

use crate::c::define::{about_to_wait, fail, ret};
use crate::c::string::length_up_to;
use crate::sys;
use linux_raw_sys::general::*;

c_fn! {
    /// open(2)
    variadic fn open(path: *const c_char, flags: c_int; mode: mode_t) -> c_int {
        // SAFETY: the caller's; without O_CREAT and O_TMPFILE the mode is not looked at.
        unsafe { open_at(AT_FDCWD, path, flags, mode) }
    }

    /// open(2)
    variadic fn open64(path: *const c_char, flags: c_int; mode: mode_t) -> c_int {
        // SAFETY: as in `open`.
        unsafe { open_at(AT_FDCWD, path, flags, mode) }
    }

    /// openat(2)
    variadic fn openat(dir: c_int, path: *const c_char, flags: c_int; mode: mode_t) -> c_int {
        // SAFETY: as in `open`.
        unsafe { open_at(dir, path, flags, mode) }
    }

    /// openat(2)
    variadic fn openat64(dir: c_int, path: *const c_char, flags: c_int; mode: mode_t) -> c_int {
        // SAFETY: as in `open`.
        unsafe { open_at(dir, path, flags, mode) }
    }

    /// creat(2)
    fn creat(path: *const c_char, mode: mode_t) -> c_int {
        // SAFETY: as in `open`.
        unsafe { open_at(AT_FDCWD, path, libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC, mode) }
    }
}

/// openat(2). The kernel refuses a mode with unknown bits only for openat2, so that a left-out mode may be anything; it
/// is cleared all the same.
///
/// # Safety
/// `path` must be a C string.
unsafe fn open_at(dir: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    let creates = flags & libc::O_CREAT != 0 || flags & libc::O_TMPFILE == libc::O_TMPFILE;
    let mode = if creates { mode } else { 0 };
    about_to_wait();
    // SAFETY: `path` is a C string, as this function demands.
    ret(unsafe { syscall!(__NR_openat, dir, path, flags, mode) }) as c_int
}

syscalls! {
    /// stat(2). The C library's structure is the kernel's on 64-bit machines.
    stat(path: *const c_char, to: *mut Stat) -> c_int = __NR_newfstatat(AT_FDCWD, path, to, 0);
    /// stat(2)
    stat64(path: *const c_char, to: *mut Stat64) -> c_int = __NR_newfstatat(AT_FDCWD, path, to, 0);
    /// lstat(2)
    lstat(path: *const c_char, to: *mut Stat) -> c_int = __NR_newfstatat(AT_FDCWD, path, to, AT_SYMLINK_NOFOLLOW);
    /// lstat(2)
    lstat64(path: *const c_char, to: *mut Stat64) -> c_int = __NR_newfstatat(AT_FDCWD, path, to, AT_SYMLINK_NOFOLLOW);
    /// fstat(2)
    fstat(fd: c_int, to: *mut Stat) -> c_int = __NR_fstat(fd, to);
    /// fstat(2)
    fstat64(fd: c_int, to: *mut Stat64) -> c_int = __NR_fstat(fd, to);
    /// fstatat(2)
    fstatat(dir: c_int, path: *const c_char, to: *mut Stat, flags: c_int) -> c_int = __NR_newfstatat(dir, path, to, flags);
    /// fstatat(2)
    fstatat64(dir: c_int, path: *const c_char, to: *mut Stat64, flags: c_int) -> c_int = __NR_newfstatat(dir, path, to, flags);
    /// statx(2)
    statx(dir: c_int, path: *const c_char, flags: c_int, mask: c_uint, to: *mut Statx) -> c_int = __NR_statx(dir, path, flags, mask, to);
    /// access(2)
    access(path: *const c_char, mode: c_int) -> c_int = __NR_faccessat(AT_FDCWD, path, mode);
    /// mkdir(2)
    mkdir(path: *const c_char, mode: mode_t) -> c_int = __NR_mkdirat(AT_FDCWD, path, mode);
    /// mkdirat(2)
    mkdirat(dir: c_int, path: *const c_char, mode: mode_t) -> c_int = __NR_mkdirat(dir, path, mode);
    /// mkfifo(3)
    mkfifo(path: *const c_char, mode: mode_t) -> c_int = __NR_mknodat(AT_FDCWD, path, mode | libc::S_IFIFO, 0);
    /// mkfifoat(3)
    mkfifoat(dir: c_int, path: *const c_char, mode: mode_t) -> c_int = __NR_mknodat(dir, path, mode | libc::S_IFIFO, 0);
    /// mknod(2). The kernel takes the low word of the device number, in the same encoding.
    mknod(path: *const c_char, mode: mode_t, device: dev_t) -> c_int = __NR_mknodat(AT_FDCWD, path, mode, device as u32);
    /// mknodat(2)
    mknodat(dir: c_int, path: *const c_char, mode: mode_t, device: dev_t) -> c_int = __NR_mknodat(dir, path, mode, device as u32);
    /// rmdir(2)
    rmdir(path: *const c_char) -> c_int = __NR_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
    /// unlink(2)
    unlink(path: *const c_char) -> c_int = __NR_unlinkat(AT_FDCWD, path, 0);
    /// unlinkat(2)
    unlinkat(dir: c_int, path: *const c_char, flags: c_int) -> c_int = __NR_unlinkat(dir, path, flags);
    /// rename(2)
    rename(from: *const c_char, to: *const c_char) -> c_int = __NR_renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
    /// renameat(2)
    renameat(from_dir: c_int, from: *const c_char, to_dir: c_int, to: *const c_char) -> c_int = __NR_renameat2(from_dir, from, to_dir, to, 0);
    /// renameat2(2)
    renameat2(from_dir: c_int, from: *const c_char, to_dir: c_int, to: *const c_char, flags: c_uint) -> c_int
        = __NR_renameat2(from_dir, from, to_dir, to, flags);
    /// link(2)
    link(from: *const c_char, to: *const c_char) -> c_int = __NR_linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
    /// linkat(2)
    linkat(from_dir: c_int, from: *const c_char, to_dir: c_int, to: *const c_char, flags: c_int) -> c_int
        = __NR_linkat(from_dir, from, to_dir, to, flags);
    /// symlink(2)
    symlink(target: *const c_char, path: *const c_char) -> c_int = __NR_symlinkat(target, AT_FDCWD, path);
    /// symlinkat(2)
    symlinkat(target: *const c_char, dir: c_int, path: *const c_char) -> c_int = __NR_symlinkat(target, dir, path);
    /// readlink(2)
    readlink(path: *const c_char, buf: *mut c_char, size: size_t) -> ssize_t = __NR_readlinkat(AT_FDCWD, path, buf, size);
    /// readlinkat(2)
    readlinkat(dir: c_int, path: *const c_char, buf: *mut c_char, size: size_t) -> ssize_t = __NR_readlinkat(dir, path, buf, size);
    /// chmod(2)
    chmod(path: *const c_char, mode: mode_t) -> c_int = __NR_fchmodat(AT_FDCWD, path, mode);
    /// fchmod(2)
    fchmod(fd: c_int, mode: mode_t) -> c_int = __NR_fchmod(fd, mode);
    /// chown(2)
    chown(path: *const c_char, user: uid_t, group: gid_t) -> c_int = __NR_fchownat(AT_FDCWD, path, user, group, 0);
    /// lchown(2)
    lchown(path: *const c_char, user: uid_t, group: gid_t) -> c_int = __NR_fchownat(AT_FDCWD, path, user, group, AT_SYMLINK_NOFOLLOW);
    /// fchown(2)
    fchown(fd: c_int, user: uid_t, group: gid_t) -> c_int = __NR_fchown(fd, user, group);
    /// fchownat(2)
    fchownat(dir: c_int, path: *const c_char, user: uid_t, group: gid_t, flags: c_int) -> c_int = __NR_fchownat(dir, path, user, group, flags);
    /// truncate(2)
    truncate(path: *const c_char, length: libc::off_t) -> c_int = __NR_truncate(path, length);
    /// truncate(2)
    truncate64(path: *const c_char, length: libc::off64_t) -> c_int = __NR_truncate(path, length);
    /// utimensat(2)
    utimensat(dir: c_int, path: *const c_char, times: *const timespec, flags: c_int) -> c_int = __NR_utimensat(dir, path, times, flags);
    /// futimens(3): the kernel's call without a name is about the descriptor itself.
    futimens(fd: c_int, times: *const timespec) -> c_int = __NR_utimensat(fd, 0usize, times, 0);
    /// chdir(2)
    chdir(path: *const c_char) -> c_int = __NR_chdir(path);
    /// fchdir(2)
    fchdir(fd: c_int) -> c_int = __NR_fchdir(fd);
    /// chroot(2)
    chroot(path: *const c_char) -> c_int = __NR_chroot(path);
    /// umask(2)
    umask(mask: mode_t) -> mode_t = __NR_umask(mask);
    /// statfs(2)
    statfs(path: *const c_char, to: *mut Statfs) -> c_int = __NR_statfs(path, to);
    /// statfs(2)
    statfs64(path: *const c_char, to: *mut Statfs64) -> c_int = __NR_statfs(path, to);
    /// fstatfs(2)
    fstatfs(fd: c_int, to: *mut Statfs) -> c_int = __NR_fstatfs(fd, to);
    /// fstatfs(2)
    fstatfs64(fd: c_int, to: *mut Statfs64) -> c_int = __NR_fstatfs(fd, to);
    /// inotify_init1(2)
    inotify_init1(flags: c_int) -> c_int = __NR_inotify_init1(flags);
    /// inotify_init(2)
    inotify_init() -> c_int = __NR_inotify_init1(0);
    /// inotify_add_watch(2)
    inotify_add_watch(fd: c_int, path: *const c_char, mask: u32) -> c_int = __NR_inotify_add_watch(fd, path, mask);
    /// inotify_rm_watch(2)
    inotify_rm_watch(fd: c_int, watch: c_int) -> c_int = __NR_inotify_rm_watch(fd, watch);
    /// getxattr(2)
    getxattr(path: *const c_char, name: *const c_char, to: *mut c_void, size: size_t) -> ssize_t = __NR_getxattr(path, name, to, size);
    /// getxattr(2)
    lgetxattr(path: *const c_char, name: *const c_char, to: *mut c_void, size: size_t) -> ssize_t = __NR_lgetxattr(path, name, to, size);
    /// getxattr(2)
    fgetxattr(fd: c_int, name: *const c_char, to: *mut c_void, size: size_t) -> ssize_t = __NR_fgetxattr(fd, name, to, size);
    /// setxattr(2)
    setxattr(path: *const c_char, name: *const c_char, value: *const c_void, size: size_t, flags: c_int) -> c_int
        = __NR_setxattr(path, name, value, size, flags);
    /// setxattr(2)
    lsetxattr(path: *const c_char, name: *const c_char, value: *const c_void, size: size_t, flags: c_int) -> c_int
        = __NR_lsetxattr(path, name, value, size, flags);
    /// setxattr(2)
    fsetxattr(fd: c_int, name: *const c_char, value: *const c_void, size: size_t, flags: c_int) -> c_int
        = __NR_fsetxattr(fd, name, value, size, flags);
    /// listxattr(2)
    listxattr(path: *const c_char, to: *mut c_char, size: size_t) -> ssize_t = __NR_listxattr(path, to, size);
    /// listxattr(2)
    llistxattr(path: *const c_char, to: *mut c_char, size: size_t) -> ssize_t = __NR_llistxattr(path, to, size);
    /// listxattr(2)
    flistxattr(fd: c_int, to: *mut c_char, size: size_t) -> ssize_t = __NR_flistxattr(fd, to, size);
    /// removexattr(2)
    removexattr(path: *const c_char, name: *const c_char) -> c_int = __NR_removexattr(path, name);
    /// removexattr(2)
    lremovexattr(path: *const c_char, name: *const c_char) -> c_int = __NR_lremovexattr(path, name);
    /// removexattr(2)
    fremovexattr(fd: c_int, name: *const c_char) -> c_int = __NR_fremovexattr(fd, name);
}

c_fn! {
    /// fchmodat(2): with flags only where the kernel can (Linux 6.6).
    fn fchmodat(dir: c_int, path: *const c_char, mode: mode_t, flags: c_int) -> c_int {
        if flags == 0 {
            return ret(syscall!(__NR_fchmodat, dir, path, mode)) as c_int;
        }
        match sys::check(syscall!(__NR_fchmodat2, dir, path, mode, flags)) {
            Ok(_) => 0,
            Err(libc::ENOSYS) => fail(libc::EOPNOTSUPP),
            Err(errno) => fail(errno),
        }
    }

    /// faccessat(2): with flags only where the kernel can (Linux 5.8).
    fn faccessat(dir: c_int, path: *const c_char, mode: c_int, flags: c_int) -> c_int {
        ret({
            match flags {
                0 => syscall!(__NR_faccessat, dir, path, mode),
                _ => syscall!(__NR_faccessat2, dir, path, mode, flags),
            }
        }) as c_int
    }

    /// getcwd(3)
    fn getcwd(buf: *mut c_char, size: size_t) -> *mut c_char {
        let null = core::ptr::null_mut();
        if !buf.is_null() && size == 0 {
            fail(libc::EINVAL);
            return null;
        }
        let mut path = [0u8; PATH_MAX as usize];
        // SAFETY: the buffer's own size.
        let length = match sys::check(unsafe { syscall!(__NR_getcwd, path.as_mut_ptr(), path.len()) }) {
            // The kernel says "(unreachable)..." for a directory outside the root.
            Ok(_) if path[0] != b'/' => { fail(libc::ENOENT); return null; }
            Ok(length) => length,
            Err(errno) => { fail(errno); return null; }
        };
        if size != 0 && size < length {
            fail(libc::ERANGE);
            return null;
        }
        // SAFETY: plain allocation.
        let to = if buf.is_null() { unsafe { libc::malloc(size.max(length)).cast() } } else { buf };
        if !to.is_null() {
            // SAFETY: at least `length` bytes are there.
            unsafe { core::ptr::copy_nonoverlapping(path.as_ptr().cast(), to, length) };
        }
        to
    }

    /// utimes(2)
    fn utimes(path: *const c_char, times: *const timeval) -> c_int {
        // SAFETY: null or two values, as the caller promises.
        let times = unsafe { times.cast::<[timeval; 2]>().as_ref() }.map(|pair| {
            pair.map(|t| timespec { tv_sec: t.tv_sec, tv_nsec: t.tv_usec.saturating_mul(1000) })
        });
        let at = times.as_ref().map_or(core::ptr::null(), |pair| pair.as_ptr());
        // SAFETY: the caller's path; null or two values.
        ret(unsafe { syscall!(__NR_utimensat, AT_FDCWD, path, at, 0) }) as c_int
    }

    /// statvfs(3)
    fn statvfs(path: *const c_char, to: *mut Statvfs) -> c_int {
        // SAFETY: all bits zero are a value; the caller's path and place.
        unsafe {
            let mut facts: Statfs = core::mem::zeroed();
            if ret(syscall!(__NR_statfs, path, &raw mut facts)) == -1 {
                return -1;
            }
            *to = vfs_of(&facts);
        }
        0
    }

    /// statvfs(3)
    fn fstatvfs(fd: c_int, to: *mut Statvfs) -> c_int {
        // SAFETY: as in `statvfs`.
        unsafe {
            let mut facts: Statfs = core::mem::zeroed();
            if ret(syscall!(__NR_fstatfs, fd, &raw mut facts)) == -1 {
                return -1;
            }
            *to = vfs_of(&facts);
        }
        0
    }

    /// statvfs(3)
    fn statvfs64(path: *const c_char, to: *mut Statvfs64) -> c_int {
        // SAFETY: the two structures are one on 64-bit machines (below).
        unsafe { statvfs(path, to.cast()) }
    }

    /// statvfs(3)
    fn fstatvfs64(fd: c_int, to: *mut Statvfs64) -> c_int {
        // SAFETY: the two structures are one on 64-bit machines (below).
        unsafe { fstatvfs(fd, to.cast()) }
    }

    /// mkstemp(3)
    fn mkstemp(template: *mut c_char) -> c_int {
        make_temporary(template, 0, |path| open_at(AT_FDCWD, path, libc::O_RDWR | libc::O_CREAT | libc::O_EXCL, 0o600))
    }

    /// mkstemp(3)
    fn mkostemp(template: *mut c_char, flags: c_int) -> c_int {
        let flags = flags & !libc::O_ACCMODE | libc::O_RDWR | libc::O_CREAT | libc::O_EXCL;
        make_temporary(template, 0, |path| open_at(AT_FDCWD, path, flags, 0o600))
    }

    /// mkdtemp(3)
    fn mkdtemp(template: *mut c_char) -> *mut c_char {
        match make_temporary(template, 0, |path| mkdir(path, 0o700)) {
            -1 => core::ptr::null_mut(),
            _ => template,
        }
    }
}

const _: () = assert!(size_of::<Statvfs>() == size_of::<Statvfs64>());

/// statvfs(3) from statfs(2).
fn vfs_of(facts: &Statfs) -> Statvfs {
    // SAFETY: all bits zero are a value.
    let mut vfs: Statvfs = unsafe { core::mem::zeroed() };
    vfs.f_bsize = facts.f_bsize as _;
    vfs.f_frsize = match facts.f_frsize {
        0 => facts.f_bsize as _,
        size => size as _,
    };
    vfs.f_blocks = facts.f_blocks;
    vfs.f_bfree = facts.f_bfree;
    vfs.f_bavail = facts.f_bavail;
    vfs.f_files = facts.f_files;
    vfs.f_ffree = facts.f_ffree;
    vfs.f_favail = facts.f_ffree;
    vfs.f_namemax = facts.f_namelen as _;
    // The kernel marks flags that are valid by this bit, which is none of statvfs's (fs/statfs.c).
    const ST_VALID: u64 = 0x20;
    vfs.f_flag = flags_of(facts) & !ST_VALID;
    // SAFETY: two 32-bit words, whatever the type calls them.
    vfs.f_fsid = unsafe { core::mem::transmute::<libc::fsid_t, u64>(facts.f_fsid) };
    vfs
}

/// The mount's flags: the word after `f_frsize`, which the libc crate counts among the spare ones (statfs(2)).
fn flags_of(facts: &Statfs) -> u64 {
    let at = core::mem::offset_of!(Statfs, f_frsize) + size_of_val(&facts.f_frsize);
    const { assert!(core::mem::offset_of!(Statfs, f_frsize) + 16 <= size_of::<Statfs>()) };
    // SAFETY: a word inside the structure (above).
    unsafe {
        core::ptr::from_ref(facts)
            .cast::<u8>()
            .add(at)
            .cast::<u64>()
            .read_unaligned()
    }
}

/// Replaces the six X before the last `suffix` bytes until `make` succeeds or fails for another reason than that the
/// name is taken.
///
/// # Safety
/// `template` must be a C string that may be written to.
unsafe fn make_temporary(
    template: *mut c_char,
    suffix: usize,
    make: impl Fn(*const c_char) -> c_int,
) -> c_int {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const PLACES: usize = 6;
    // SAFETY: the caller's C string.
    let text = unsafe {
        core::slice::from_raw_parts_mut(template.cast::<u8>(), length_up_to(template, usize::MAX))
    };
    let places = text
        .len()
        .checked_sub(suffix)
        .and_then(|end| text.get_mut(end.checked_sub(PLACES)?..end))
        .filter(|places| places.iter().all(|&b| b == b'X'));
    let Some(places) = places else {
        return fail(libc::EINVAL);
    };
    // Far more names than a directory holds by chance.
    for _ in 0..1000 {
        let mut random = [0u8; PLACES];
        // SAFETY: the buffer's own size.
        if ret(unsafe { syscall!(__NR_getrandom, random.as_mut_ptr(), random.len(), 0) })
            != PLACES as isize
        {
            return -1;
        }
        for (place, byte) in places.iter_mut().zip(random) {
            *place = ALPHABET[usize::from(byte) % ALPHABET.len()];
        }
        let made = make(template);
        if made != -1 || crate::c::errno::errno() != libc::EEXIST {
            return made;
        }
    }
    fail(libc::EEXIST)
}
