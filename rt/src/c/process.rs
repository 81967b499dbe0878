//! The process: who it is, what the kernel told it at its start, its limits, its end, and system calls by number.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use libc::{
    c_char, c_int, c_long, c_uint, c_ulong, c_void, gid_t, id_t, idtype_t, pid_t, rlimit, rlimit64,
    rusage, siginfo_t, size_t, ssize_t, sysinfo as Sysinfo, uid_t, utsname,
};

use crate::arch::page::{FIXED_PAGE, PAGE};
use crate::c::define::{about_to_wait, fail, ret};
use crate::sys;
use crate::sys::lock::Lock;
use crate::sys::signal::{Action, change_mask, sigaction};
use linux_raw_sys::general::*;

/// Set in the child of a `fork`: it has one thread, and Go's scheduler does not run in it.
pub(crate) static FORKED: AtomicBool = AtomicBool::new(false);

syscalls! {
    /// getpid(2)
    getpid() -> pid_t = __NR_getpid();
    /// getppid(2)
    getppid() -> pid_t = __NR_getppid();
    /// gettid(2)
    gettid() -> pid_t = __NR_gettid();
    /// getuid(2)
    getuid() -> uid_t = __NR_getuid();
    /// geteuid(2)
    geteuid() -> uid_t = __NR_geteuid();
    /// getgid(2)
    getgid() -> gid_t = __NR_getgid();
    /// getegid(2)
    getegid() -> gid_t = __NR_getegid();
    /// getgroups(2)
    getgroups(size: c_int, list: *mut gid_t) -> c_int = __NR_getgroups(size, list);
    /// getpgid(2)
    getpgid(pid: pid_t) -> pid_t = __NR_getpgid(pid);
    /// getpgrp(2)
    getpgrp() -> pid_t = __NR_getpgid(0);
    /// setpgid(2)
    setpgid(pid: pid_t, group: pid_t) -> c_int = __NR_setpgid(pid, group);
    /// getsid(2)
    getsid(pid: pid_t) -> pid_t = __NR_getsid(pid);
    /// setsid(2)
    setsid() -> pid_t = __NR_setsid();
    /// waitid(2)
    waitid(kind: idtype_t, id: id_t, info: *mut siginfo_t, options: c_int) -> c_int = waiting __NR_waitid(kind, id, info, options, 0usize);
    /// waitpid(2)
    waitpid(pid: pid_t, status: *mut c_int, options: c_int) -> pid_t = waiting __NR_wait4(pid, status, options, 0usize);
    /// wait4(2)
    wait4(pid: pid_t, status: *mut c_int, options: c_int, usage: *mut rusage) -> pid_t = waiting __NR_wait4(pid, status, options, usage);
    /// kill(2)
    kill(pid: pid_t, signal: c_int) -> c_int = __NR_kill(pid, signal);
    /// getrandom(2)
    getrandom(buf: *mut c_void, length: size_t, flags: c_uint) -> ssize_t = __NR_getrandom(buf, length, flags);
    /// setpriority(2)
    setpriority(which: c_uint, who: id_t, priority: c_int) -> c_int = __NR_setpriority(which, who, priority);
    /// uname(2)
    uname(to: *mut utsname) -> c_int = __NR_uname(to);
    /// sysinfo(2)
    sysinfo(to: *mut Sysinfo) -> c_int = __NR_sysinfo(to);
    /// getrusage(2)
    getrusage(who: c_int, to: *mut rusage) -> c_int = __NR_getrusage(who, to);
    /// getrlimit(2)
    getrlimit(resource: c_uint, to: *mut rlimit) -> c_int = __NR_prlimit64(0, resource, 0usize, to);
    /// getrlimit(2)
    getrlimit64(resource: c_uint, to: *mut rlimit64) -> c_int = __NR_prlimit64(0, resource, 0usize, to);
    /// prlimit(2)
    prlimit(pid: pid_t, resource: c_uint, new: *const rlimit, old: *mut rlimit) -> c_int = __NR_prlimit64(pid, resource, new, old);
    /// prlimit(2)
    prlimit64(pid: pid_t, resource: c_uint, new: *const rlimit64, old: *mut rlimit64) -> c_int = __NR_prlimit64(pid, resource, new, old);
    /// getresuid(2)
    getresuid(real: *mut uid_t, effective: *mut uid_t, saved: *mut uid_t) -> c_int = __NR_getresuid(real, effective, saved);
    /// getresgid(2)
    getresgid(real: *mut gid_t, effective: *mut gid_t, saved: *mut gid_t) -> c_int = __NR_getresgid(real, effective, saved);
    /// tgkill(2)
    tgkill(pid: pid_t, thread: pid_t, signal: c_int) -> c_int = __NR_tgkill(pid, thread, signal);
    /// setrlimit(2)
    setrlimit(resource: c_uint, to: *const rlimit) -> c_int = __NR_prlimit64(0, resource, to, 0usize);
    /// setrlimit(2)
    setrlimit64(resource: c_uint, to: *const rlimit64) -> c_int = __NR_prlimit64(0, resource, to, 0usize);
}

/// Whether a system call may wait, by its number and its second argument: all may but those that are called often and never do.
fn may_wait(number: u32, second: u32) -> bool {
    const NEVER: [u32; 5] = [
        __NR_clock_gettime,
        __NR_getrandom,
        __NR_gettid,
        __NR_membarrier,
        __NR_statx,
    ];
    match number == __NR_futex {
        true => matches!(
            second & !(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME),
            FUTEX_WAIT | FUTEX_WAIT_BITSET | FUTEX_LOCK_PI | FUTEX_LOCK_PI2 | FUTEX_WAIT_REQUEUE_PI
        ),
        false => !NEVER.contains(&number),
    }
}

c_fn! {
    /// getpriority(2): the kernel says 20 - nice, so that no result is negative.
    fn getpriority(which: c_uint, who: id_t) -> c_int {
        // SAFETY: plain numbers.
        match ret(unsafe { syscall!(__NR_getpriority, which, who) }) {
            -1 => -1,
            raised => 20 - raised as c_int,
        }
    }

    /// killpg(3)
    fn killpg(group: pid_t, signal: c_int) -> c_int {
        match group {
            // SAFETY: plain numbers.
            0.. => ret(unsafe { syscall!(__NR_kill, -group, signal) }) as c_int,
            _ => fail(libc::EINVAL),
        }
    }

    /// nice(2): the new value, which may be -1.
    fn nice(increment: c_int) -> c_int {
        // SAFETY: plain numbers: this process, or thread, itself.
        unsafe {
            let wanted = getpriority(libc::PRIO_PROCESS, 0).saturating_add(increment);
            match ret(syscall!(__NR_setpriority, libc::PRIO_PROCESS, 0, wanted)) {
                -1 if crate::c::errno::errno() == libc::EACCES => fail(libc::EPERM),
                -1 => -1,
                _ => getpriority(libc::PRIO_PROCESS, 0),
            }
        }
    }

    /// wait(2)
    fn wait(status: *mut c_int) -> pid_t {
        waitpid(-1, status, 0)
    }

    /// syscall(2)
    variadic fn syscall(number: c_long; a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> c_long {
        if may_wait(number as u32, b as u32) {
            about_to_wait();
        }
        // SAFETY: the caller's. The words that he left out are registers, and a word of his own frame.
        ret(unsafe { syscall!(number as u32, a, b, c, d, e, f) }) as c_long
    }

    /// prctl(2)
    variadic fn prctl(option: c_int; a: c_ulong, b: c_ulong, c: c_ulong, d: c_ulong) -> c_int {
        ret(syscall!(__NR_prctl, option, a, b, c, d)) as c_int
    }

    /// pause(2), by ppoll on nothing.
    fn pause() -> c_int {
        about_to_wait();
        // SAFETY: no descriptors, no limit, no mask.
        ret(unsafe { syscall!(__NR_ppoll, 0usize, 0usize, 0usize, 0usize, 0usize) }) as c_int
    }

    /// raise(3): a signal for this thread.
    fn raise(signal: c_int) -> c_int {
        ret(sys::signal::raise(signal)) as c_int
    }

    /// getentropy(3)
    fn getentropy(buf: *mut c_void, length: size_t) -> c_int {
        if length > 256 {
            return fail(libc::EIO);
        }
        let mut done = 0;
        while done < length {
            match sys::check(syscall!(__NR_getrandom, buf.wrapping_byte_add(done), length - done, 0)) {
                Ok(n) => done += n,
                Err(libc::EINTR) => {}
                Err(errno) => return fail(errno),
            }
        }
        0
    }

    /// gethostname(2): the name in uname(2)'s answer.
    fn gethostname(buf: *mut c_char, size: size_t) -> c_int {
        // SAFETY: all bits zero are a value; the kernel terminates the name; the caller's buffer.
        unsafe {
            let mut names: utsname = core::mem::zeroed();
            if ret(syscall!(__NR_uname, &raw mut names)) == -1 {
                return -1;
            }
            match crate::c::string::copy_cstr(crate::c::string::bytes(names.nodename.as_ptr()), buf, size) {
                true => 0,
                false => fail(libc::ENAMETOOLONG),
            }
        }
    }

    /// getpagesize(2)
    undeclared fn getpagesize() -> c_int {
        page_size() as c_int
    }

    /// getauxval(3)
    fn getauxval(kind: c_ulong) -> c_ulong {
        match auxiliary(kind) {
            Some(value) => value,
            None => {
                fail(libc::ENOENT);
                0
            }
        }
    }

    /// abort(3): the process dies of SIGABRT, with a core dump where the system makes them, as a Rust program that panics twice does.
    ///
    /// Go has a handler for the signal; it is put aside, since it would print the goroutines of a program whose message is already out.
    fn abort() -> ! {
        #[cfg(not(test))]
        crate::leave::panics::print_all();
        let _ = sigaction(libc::SIGABRT, Some(&Action::DEFAULT), core::ptr::null_mut());
        let _ = change_mask(SIG_UNBLOCK, Some(1 << (libc::SIGABRT - 1)));
        raise(libc::SIGABRT);
        // The init of a namespace ignores the signal.
        sys::exit_group(128 + libc::SIGABRT)
    }

    /// _exit(2): the end of the whole process, Go's half included.
    fn _exit(status: c_int) -> ! {
        #[cfg(not(test))]
        crate::leave::panics::print_all();
        sys::exit_group(status)
    }

    /// _Exit(3)
    #[allow(non_snake_case, reason = "C's name")]
    undeclared fn _Exit(status: c_int) -> ! {
        sys::exit_group(status)
    }

    /// exit(3): runs what `atexit` was given, then ends the process, Go's half included.
    fn exit(status: c_int) -> ! {
        // SAFETY: each function was given to be called now; the lock is not held while one runs, so it may call atexit.
        unsafe {
            while let Some(last) = pop_exit_function() {
                match last {
                    ExitFunction::Plain(f) => f(),
                    ExitFunction::With(f, argument) => f(argument),
                }
            }
            _exit(status)
        }
    }

    /// atexit(3). Only `exit` in this library runs these functions; the end of Go's `main` does not.
    fn atexit(f: extern "C" fn()) -> c_int {
        push_exit_function(ExitFunction::Plain(f))
    }

    /// __cxa_atexit (Itanium C++ ABI 3.3.6.3), for C++ statics; a library is never unloaded, so that the handle says nothing.
    undeclared fn __cxa_atexit(f: unsafe extern "C" fn(*mut c_void), argument: *mut c_void, _handle: *mut c_void) -> c_int {
        push_exit_function(ExitFunction::With(f, argument))
    }
}

/// The size of a page.
pub(crate) fn page_size() -> usize {
    let told = || auxiliary(linux_raw_sys::auxvec::AT_PAGESZ.into());
    FIXED_PAGE.unwrap_or_else(|| told().map_or(PAGE, |size| size as usize))
}

/// A value of the auxiliary vector that the kernel gave the process at its start (getauxval(3)).
pub(crate) fn auxiliary(kind: u64) -> Option<u64> {
    // A pair is 16 bytes; Linux gives about twenty, and has room for fewer than forty.
    let mut vector = [[0u64; 2]; 64];
    let n = crate::c::file::read_into(c"/proc/self/auxv", bytes_of(&mut vector)).ok()?;
    vector
        .iter()
        .take(n / size_of::<[u64; 2]>())
        .take_while(|pair| pair[0] != u64::from(linux_raw_sys::auxvec::AT_NULL))
        .find(|pair| pair[0] == kind)
        .map(|pair| pair[1])
}

/// The bytes of an array of words.
fn bytes_of(words: &mut [[u64; 2]]) -> &mut [u8] {
    // SAFETY: the same memory; any bytes are words.
    unsafe { core::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), size_of_val(words)) }
}

/// A function to be called by `exit`.
#[derive(Clone, Copy)]
enum ExitFunction {
    Plain(extern "C" fn()),
    With(unsafe extern "C" fn(*mut c_void), *mut c_void),
}

// SAFETY: only handed on; what it is called with is its giver's business.
unsafe impl Send for ExitFunction {}

/// At least 32 are promised (POSIX, ATEXIT_MAX); Rust's std needs none.
pub(crate) const EXIT_FUNCTIONS: usize = 256;

struct ExitFunctions {
    list: [Option<ExitFunction>; EXIT_FUNCTIONS],
    count: usize,
}

static AT_EXIT: Lock<ExitFunctions> = Lock::new(ExitFunctions {
    list: [None; EXIT_FUNCTIONS],
    count: 0,
});

fn push_exit_function(f: ExitFunction) -> c_int {
    let mut functions = AT_EXIT.lock();
    let count = functions.count;
    match functions.list.get_mut(count) {
        Some(place) => {
            *place = Some(f);
            functions.count = count + 1;
            0
        }
        None => libc::ENOMEM,
    }
}

fn pop_exit_function() -> Option<ExitFunction> {
    let mut functions = AT_EXIT.lock();
    functions.count = functions.count.checked_sub(1)?;
    let last = functions.count;
    functions.list.get_mut(last)?.take()
}

/// Why a call that would change the whole Go process is refused.
///
/// A change of user, group or signal handler is per thread or per process in the kernel; Go keeps its own threads
/// and handlers in step and cannot be told. In the child of a fork there is nothing to keep in step with.
pub(crate) fn only_after_fork() -> Result<(), c_int> {
    match FORKED.load(Relaxed) {
        true => Ok(()),
        false => Err(libc::ENOSYS),
    }
}

/// Calls that change the credentials of one thread in the kernel: the C library changes those of all threads, which
/// cannot be done to Go's from here. They work in the child of a fork; before, they are ENOSYS.
macro_rules! credentials {
    ($($(#[$m:meta])* $name:ident($($a:ident: $t:ty),*) = $nr:ident;)*) => {
        c_fn! {$(
            $(#[$m])*
            fn $name($($a: $t),*) -> c_int {
                match only_after_fork() {
                    Ok(()) => ret(syscall!($nr $(, $a)*)) as c_int,
                    Err(errno) => fail(errno),
                }
            }
        )*}
    };
}

credentials! {
    /// setuid(2)
    setuid(user: uid_t) = __NR_setuid;
    /// setgid(2)
    setgid(group: gid_t) = __NR_setgid;
    /// setgroups(2)
    setgroups(size: size_t, list: *const gid_t) = __NR_setgroups;
    /// setreuid(2)
    setreuid(real: uid_t, effective: uid_t) = __NR_setreuid;
    /// setregid(2)
    setregid(real: gid_t, effective: gid_t) = __NR_setregid;
    /// setresuid(2)
    setresuid(real: uid_t, effective: uid_t, saved: uid_t) = __NR_setresuid;
    /// setresgid(2)
    setresgid(real: gid_t, effective: gid_t, saved: gid_t) = __NR_setresgid;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_the_hosts() {
        // SAFETY: all bits zero are a value; places of our own.
        unsafe {
            let (mut ours, mut host): (rlimit, rlimit) = core::mem::zeroed();
            let null = core::ptr::null();
            assert_eq!(prlimit(0, libc::RLIMIT_NOFILE, null, &mut ours), 0);
            assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut host), 0);
            assert_eq!(
                (ours.rlim_cur, ours.rlim_max),
                (host.rlim_cur, host.rlim_max)
            );
            let mut wide: rlimit64 = core::mem::zeroed();
            assert_eq!(prlimit64(0, libc::RLIMIT_NOFILE, null.cast(), &mut wide), 0);
            assert_eq!(wide.rlim_cur, host.rlim_cur);
            let (mut user, mut group) = ([0; 3], [0; 3]);
            let [a, b, c] = &mut user;
            assert_eq!((getresuid(a, b, c), user), (0, [libc::getuid(); 3]));
            let [a, b, c] = &mut group;
            assert_eq!((getresgid(a, b, c), group), (0, [libc::getgid(); 3]));
            let (process, thread) = (libc::getpid(), libc::syscall(libc::SYS_gettid) as pid_t);
            assert_eq!(tgkill(process, thread, 0), 0);
            assert_eq!((tgkill(process, i32::MAX, 0), killpg(-5, 0)), (-1, -1));
            assert_eq!(killpg(libc::getpgrp(), 0), 0);
            crate::c::errno::set_errno(0);
            assert_eq!(nice(0), libc::nice(0));
            assert_eq!(crate::c::errno::errno(), 0);
        }
    }
}
