//! sysconf(3) and its kin: what the system is like.

use libc::{c_char, c_int, c_long};

use crate::c::define::fail;
use crate::c::file::read_into;
use crate::c::process::page_size;
use crate::sys;
use linux_raw_sys::general::*;

/// A soft limit (getrlimit(2)); `None` if there is none.
pub(crate) fn soft_limit(resource: u32) -> Option<c_long> {
    let mut limit = [0u64; 2];
    // SAFETY: a place of our own, of `struct rlimit64`'s shape.
    let result = unsafe { syscall!(__NR_prlimit64, 0, resource, 0usize, &raw mut limit) };
    sys::check(result).ok()?;
    c_long::try_from(limit[0]).ok()
}

/// Pages of memory: all, and free.
fn memory() -> Option<(c_long, c_long)> {
    // SAFETY: all bits zero are a value; a place of our own.
    let facts = unsafe {
        let mut facts: libc::sysinfo = core::mem::zeroed();
        sys::check(syscall!(__NR_sysinfo, &raw mut facts)).ok()?;
        facts
    };
    let unit = u64::from(facts.mem_unit.max(1));
    let pages = |n: u64| c_long::try_from(n.checked_mul(unit)? / page_size() as u64).ok();
    Some((pages(facts.totalram)?, pages(facts.freeram)?))
}

/// Processors in a list like `0-3,8`.
fn count_cpus(list: &[u8]) -> Option<c_long> {
    let mut count = 0i64;
    for range in core::str::from_utf8(list).ok()?.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (first.parse::<u32>().ok()?, last.parse::<u32>().ok()?);
        count += i64::from(last.checked_sub(first)?) + 1;
    }
    Some(count)
}

/// Processors that the system has, by one of /sys's lists; where /sys is missing, those that this thread may use.
fn cpus(path: &core::ffi::CStr) -> Option<c_long> {
    let mut list = [0; 1024];
    let known = read_into(path, &mut list)
        .ok()
        .and_then(|n| count_cpus(list.get(..n)?));
    known.or_else(|| {
        let mut set = [0u64; 128];
        // SAFETY: a place of our own; the kernel says how many bytes it set.
        let result =
            unsafe { syscall!(__NR_sched_getaffinity, 0, size_of_val(&set), &raw mut set) };
        sys::check(result).ok()?;
        Some(set.iter().map(|word| c_long::from(word.count_ones())).sum())
    })
}

/// What a limit is: a number, or none; `Err` for a name that is not known here.
fn value(name: c_int) -> Result<Option<c_long>, ()> {
    Ok(match name {
        libc::_SC_PAGESIZE => Some(page_size() as c_long),
        libc::_SC_NPROCESSORS_ONLN => cpus(c"/sys/devices/system/cpu/online"),
        libc::_SC_NPROCESSORS_CONF => cpus(c"/sys/devices/system/cpu/present"),
        libc::_SC_PHYS_PAGES => memory().map(|(all, _)| all),
        libc::_SC_AVPHYS_PAGES => memory().map(|(_, free)| free),
        libc::_SC_OPEN_MAX => soft_limit(RLIMIT_NOFILE),
        libc::_SC_CHILD_MAX => soft_limit(RLIMIT_NPROC),
        // A quarter of the stack's limit, but 128 KiB at least (execve(2)).
        libc::_SC_ARG_MAX => soft_limit(RLIMIT_STACK).map(|stack| (stack / 4).max(131_072)),
        libc::_SC_CLK_TCK => Some(100),
        libc::_SC_IOV_MAX => Some(1024),
        libc::_SC_NGROUPS_MAX => Some(65_536),
        libc::_SC_HOST_NAME_MAX => Some(64),
        libc::_SC_LOGIN_NAME_MAX => Some(256),
        libc::_SC_TTY_NAME_MAX => Some(32),
        libc::_SC_LINE_MAX => Some(2048),
        libc::_SC_GETPW_R_SIZE_MAX | libc::_SC_GETGR_R_SIZE_MAX => Some(1024),
        libc::_SC_THREAD_KEYS_MAX => Some(crate::c::thread::KEYS_MAX as c_long),
        libc::_SC_THREAD_DESTRUCTOR_ITERATIONS => {
            Some(crate::c::thread::DESTRUCTOR_ITERATIONS as c_long)
        }
        libc::_SC_THREAD_STACK_MIN => Some(libc::PTHREAD_STACK_MIN as c_long),
        libc::_SC_ATEXIT_MAX => Some(crate::c::process::EXIT_FUNCTIONS as c_long),
        libc::_SC_SYMLOOP_MAX
        | libc::_SC_STREAM_MAX
        | libc::_SC_TZNAME_MAX
        | libc::_SC_THREAD_THREADS_MAX => None,
        // POSIX.1-2008, and what of it is here.
        libc::_SC_VERSION
        | libc::_SC_THREADS
        | libc::_SC_THREAD_SAFE_FUNCTIONS
        | libc::_SC_MAPPED_FILES
        | libc::_SC_MONOTONIC_CLOCK
        | libc::_SC_FSYNC
        | libc::_SC_MEMORY_PROTECTION
        | libc::_SC_TIMERS
        | libc::_SC_REALTIME_SIGNALS => Some(200_809),
        _ => return Err(()),
    })
}

c_fn! {
    /// sysconf(3): -1 without `errno` for what has no limit, EINVAL for a name that is not known here.
    fn sysconf(name: c_int) -> c_long {
        match value(name) {
            Ok(value) => value.unwrap_or(-1),
            Err(()) => fail(libc::EINVAL).into(),
        }
    }

    /// getdtablesize(3)
    fn getdtablesize() -> c_int {
        soft_limit(RLIMIT_NOFILE).and_then(|n| c_int::try_from(n).ok()).unwrap_or(c_int::MAX)
    }

    /// getloadavg(3)
    fn getloadavg(loads: *mut f64, count: c_int) -> c_int {
        // SAFETY: all bits zero are a value; a place of our own; the caller's array.
        unsafe {
            let mut facts: libc::sysinfo = core::mem::zeroed();
            if sys::check(syscall!(__NR_sysinfo, &raw mut facts)).is_err() {
                return -1;
            }
            let count = count.clamp(0, 3);
            for (i, load) in facts.loads.iter().enumerate().take(count as usize) {
                *loads.add(i) = *load as f64 / f64::from(1 << SI_LOAD_SHIFT);
            }
            count
        }
    }

    /// gnu_get_libc_version(3): whose behaviour std may count on. It asks, among other things, whether posix_spawn
    /// reports a missing program itself (since 2.24), and whether resolv.conf is read afresh (since 2.26). Both hold here.
    fn gnu_get_libc_version() -> *const c_char {
        c"2.26".as_ptr()
    }
}

/// Fixed-point digits of sysinfo(2)'s loads.
const SI_LOAD_SHIFT: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_lists() {
        assert_eq!(count_cpus(b"0-3,8,10-11\n"), Some(7));
        assert_eq!(count_cpus(b"0\n"), Some(1));
        assert_eq!(count_cpus(b""), None);
        assert_eq!(count_cpus(b"3-1"), None);
        assert_eq!(count_cpus(b"0-x"), None);
    }

    #[test]
    fn agrees_with_the_host() {
        for name in [
            libc::_SC_PAGESIZE,
            libc::_SC_NPROCESSORS_ONLN,
            libc::_SC_OPEN_MAX,
            libc::_SC_PHYS_PAGES,
            libc::_SC_CLK_TCK,
            libc::_SC_ARG_MAX,
            libc::_SC_NGROUPS_MAX,
            libc::_SC_IOV_MAX,
            libc::_SC_HOST_NAME_MAX,
            libc::_SC_GETPW_R_SIZE_MAX,
        ] {
            // SAFETY: a plain number.
            let host = unsafe { host_sysconf(name) };
            assert_eq!(value(name), Ok(Some(host)), "name {name}");
        }
    }

    unsafe extern "C" {
        #[link_name = "sysconf"]
        fn host_sysconf(name: c_int) -> c_long;
    }
}
