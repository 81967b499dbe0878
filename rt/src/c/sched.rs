//! Where and how threads run: sets of processors, policies, priorities.
//!
//! Each call is about the thread that it names, and 0 is the calling one: a thread of Go's keeps what it was given.

use libc::{c_int, cpu_set_t, pid_t, sched_param, size_t, timespec};

use crate::c::define::ret;
use linux_raw_sys::general::*;

syscalls! {
    /// sched_yield(2)
    sched_yield() -> c_int = __NR_sched_yield();
    /// sched_setaffinity(2)
    sched_setaffinity(pid: pid_t, size: size_t, set: *const cpu_set_t) -> c_int = __NR_sched_setaffinity(pid, size, set);
    /// sched_getscheduler(2)
    sched_getscheduler(pid: pid_t) -> c_int = __NR_sched_getscheduler(pid);
    /// sched_setscheduler(2)
    sched_setscheduler(pid: pid_t, policy: c_int, param: *const sched_param) -> c_int = __NR_sched_setscheduler(pid, policy, param);
    /// sched_getparam(2)
    sched_getparam(pid: pid_t, param: *mut sched_param) -> c_int = __NR_sched_getparam(pid, param);
    /// sched_setparam(2)
    sched_setparam(pid: pid_t, param: *const sched_param) -> c_int = __NR_sched_setparam(pid, param);
    /// sched_get_priority_min(2)
    sched_get_priority_min(policy: c_int) -> c_int = __NR_sched_get_priority_min(policy);
    /// sched_get_priority_max(2)
    sched_get_priority_max(policy: c_int) -> c_int = __NR_sched_get_priority_max(policy);
    /// sched_rr_get_interval(2)
    sched_rr_get_interval(pid: pid_t, to: *mut timespec) -> c_int = __NR_sched_rr_get_interval(pid, to);
}

c_fn! {
    /// sched_getaffinity(2): the kernel writes as many bytes as it has processors for; C wants the rest cleared.
    fn sched_getaffinity(pid: pid_t, size: size_t, set: *mut cpu_set_t) -> c_int {
        match ret(syscall!(__NR_sched_getaffinity, pid, size, set)) {
            -1 => -1,
            written => {
                let written = written as usize;
                // SAFETY: `written` of the caller's `size` bytes are set.
                unsafe { set.cast::<u8>().add(written).write_bytes(0, size - written) };
                0
            }
        }
    }

    /// What `CPU_COUNT` and `CPU_COUNT_S` call: how many processors are in a set of so many bytes (CPU_SET(3)).
    undeclared fn __sched_cpucount(size: size_t, set: *const cpu_set_t) -> c_int {
        let bytes = core::slice::from_raw_parts(set.cast::<u8>(), size);
        bytes.iter().map(|byte| byte.count_ones()).sum::<u32>() as c_int
    }

    /// What `CPU_ALLOC` calls: room for a set of so many processors (CPU_SET(3)).
    undeclared fn __sched_cpualloc(count: size_t) -> *mut cpu_set_t {
        let words = count.div_ceil(usize::BITS as usize);
        // SAFETY: plain allocation.
        unsafe { libc::malloc(words * size_of::<usize>()) }.cast()
    }

    /// What `CPU_FREE` calls (CPU_SET(3)).
    undeclared fn __sched_cpufree(set: *mut cpu_set_t) {
        // SAFETY: the caller's, from `__sched_cpualloc`.
        unsafe { libc::free(set.cast()) }
    }
}
