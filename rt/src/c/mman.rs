//! Mappings: the mmap family.

use libc::{c_char, c_int, c_uchar, c_uint, c_void, mode_t, off_t, off64_t, size_t};

use crate::c::define::{code, fail, ret};
use linux_raw_sys::general::*;

syscalls! {
    /// mmap(2); MAP_FAILED is all ones, as -1 is.
    mmap(addr: *mut c_void, length: size_t, prot: c_int, flags: c_int, fd: c_int, offset: off_t) -> *mut c_void
        = __NR_mmap(addr, length, prot, flags, fd, offset);
    /// mmap(2)
    mmap64(addr: *mut c_void, length: size_t, prot: c_int, flags: c_int, fd: c_int, offset: off64_t) -> *mut c_void
        = __NR_mmap(addr, length, prot, flags, fd, offset);
    /// munmap(2)
    munmap(addr: *mut c_void, length: size_t) -> c_int = __NR_munmap(addr, length);
    /// madvise(2)
    madvise(addr: *mut c_void, length: size_t, advice: c_int) -> c_int = __NR_madvise(addr, length, advice);
    /// msync(2)
    msync(addr: *mut c_void, length: size_t, flags: c_int) -> c_int = waiting __NR_msync(addr, length, flags);
    /// mlock(2)
    mlock(addr: *const c_void, length: size_t) -> c_int = __NR_mlock(addr, length);
    /// mlock(2)
    mlock2(addr: *const c_void, length: size_t, flags: c_uint) -> c_int = __NR_mlock2(addr, length, flags);
    /// munlock(2)
    munlock(addr: *const c_void, length: size_t) -> c_int = __NR_munlock(addr, length);
    /// mlockall(2)
    mlockall(flags: c_int) -> c_int = __NR_mlockall(flags);
    /// munlockall(2)
    munlockall() -> c_int = __NR_munlockall();
    /// mincore(2)
    mincore(addr: *mut c_void, length: size_t, residence: *mut c_uchar) -> c_int = __NR_mincore(addr, length, residence);
}

c_fn! {
    /// mprotect(2)
    fn mprotect(addr: *mut c_void, length: size_t, prot: c_int) -> c_int {
        if prot as u32 & (PROT_READ | PROT_WRITE) != PROT_READ | PROT_WRITE {
            crate::alloc::spare::protected(addr as usize, length);
        }
        // SAFETY: the caller's.
        ret(unsafe { syscall!(__NR_mprotect, addr, length, prot) }) as c_int
    }

    /// mremap(2)
    variadic fn mremap(addr: *mut c_void, old: size_t, new: size_t, flags: c_int; new_addr: *mut c_void) -> *mut c_void {
        // SAFETY: the caller's; without MREMAP_FIXED the last word is ignored.
        ret(unsafe { syscall!(__NR_mremap, addr, old, new, flags, new_addr) }) as *mut c_void
    }

    /// posix_madvise(3)
    fn posix_madvise(addr: *mut c_void, length: size_t, advice: c_int) -> c_int {
        // On private anonymous memory the kernel's MADV_DONTNEED would drop the contents, which POSIX does not allow.
        if advice == libc::POSIX_MADV_DONTNEED {
            return 0;
        }
        // SAFETY: the caller's; the other advices have no effect on contents.
        code(unsafe { syscall!(__NR_madvise, addr, length, advice) })
    }

    /// shm_open(3): a file in /dev/shm.
    fn shm_open(name: *const c_char, flags: c_int, mode: mode_t) -> c_int {
        let mut path = [0; SHM_PATH];
        match shm_path(name, &mut path) {
            Ok(()) => {
                let flags = flags | libc::O_CLOEXEC | libc::O_NOFOLLOW | libc::O_NONBLOCK;
                // SAFETY: a C string in `path`.
                ret(unsafe { syscall!(__NR_openat, libc::AT_FDCWD, path.as_ptr(), flags, mode) }) as c_int
            }
            Err(errno) => fail(errno),
        }
    }

    /// shm_unlink(3)
    fn shm_unlink(name: *const c_char) -> c_int {
        let mut path = [0; SHM_PATH];
        match shm_path(name, &mut path) {
            // SAFETY: a C string in `path`.
            Ok(()) => ret(unsafe { syscall!(__NR_unlinkat, libc::AT_FDCWD, path.as_ptr(), 0) }) as c_int,
            Err(errno) => fail(errno),
        }
    }
}

const SHM_DIR: &[u8] = b"/dev/shm/";
/// Directory, the longest name, and the terminator.
const SHM_PATH: usize = SHM_DIR.len() + NAME_MAX as usize + 1;

/// Writes the path of a shared memory object: one name, with or without a leading slash.
///
/// # Safety
/// `name` must be a C string.
unsafe fn shm_path(name: *const c_char, path: &mut [u8; SHM_PATH]) -> Result<(), c_int> {
    // SAFETY: `name` is a C string, as this function demands.
    let name = unsafe { core::ffi::CStr::from_ptr(name) }.to_bytes();
    let name = name.strip_prefix(b"/").unwrap_or(name);
    if name.is_empty() || name.contains(&b'/') || name == b"." || name == b".." {
        return Err(libc::EINVAL);
    }
    if name.len() > NAME_MAX as usize {
        return Err(libc::ENAMETOOLONG);
    }
    path[..SHM_DIR.len()].copy_from_slice(SHM_DIR);
    path[SHM_DIR.len()..][..name.len()].copy_from_slice(name);
    Ok(())
}
