//! Where waiting begins: C functions and system calls by name, and why they wait.

use crate::arch::Arguments;

/// Why a call does not return at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Another thread must let go of a lock, send or end.
    Thread,
    /// Time must pass.
    Sleep,
    /// Data must come in.
    Input,
    /// Somebody must take data out: a pipe or a socket is full.
    Output,
    /// One of many events must come.
    Events,
    /// A peer must answer.
    Connection,
    /// Another process must let go of a file.
    FileLock,
    /// The other end of a FIFO must be opened.
    Open,
    /// A child process must end.
    Child,
    /// The disk must have written all of it.
    Disk,
    /// The number of the system call is not known.
    Unknown,
}

impl Why {
    /// Completes "it can ...".
    pub fn words(self) -> &'static str {
        match self {
            Why::Thread => "wait for another thread",
            Why::Sleep => "sleep",
            Why::Input => "wait for input",
            Why::Output => "wait until its output is taken",
            Why::Events => "wait for events",
            Why::Connection => "wait for a connection or an answer",
            Why::FileLock => "wait for a lock on a file",
            Why::Open => "wait for the other end of a FIFO",
            Why::Child => "wait for a child process",
            Why::Disk => "wait for a disk",
            Why::Unknown => "make a system call whose number cannot be told",
        }
    }
}

/// C functions that wait, whatever their arguments.
const FUNCTIONS: &[(Why, &[&str])] = &[
    (
        Why::Thread,
        &[
            "cnd_timedwait",
            "cnd_wait",
            "futex_wait",
            "futex_waitv",
            "mq_timedreceive",
            "mq_timedsend",
            "msgrcv",
            "msgsnd",
            "mtx_lock",
            "mtx_timedlock",
            "pthread_barrier_wait",
            "pthread_cond_clockwait",
            "pthread_cond_timedwait",
            "pthread_cond_wait",
            "pthread_join",
            "pthread_mutex_clocklock",
            "pthread_mutex_lock",
            "pthread_mutex_timedlock",
            "pthread_rwlock_rdlock",
            "pthread_rwlock_timedrdlock",
            "pthread_rwlock_timedwrlock",
            "pthread_rwlock_wrlock",
            "pthread_spin_lock",
            "pthread_timedjoin_np",
            "sem_clockwait",
            "sem_timedwait",
            "sem_wait",
            "semop",
            "semtimedop",
            "thrd_join",
        ],
    ),
    (
        Why::Sleep,
        &[
            "clock_nanosleep",
            "nanosleep",
            "sleep",
            "thrd_sleep",
            "usleep",
        ],
    ),
    (
        Why::Input,
        &[
            "__fgets_chk",
            "__fread_chk",
            "__pread64_chk",
            "__pread_chk",
            "__read_chk",
            "__recv_chk",
            "__recvfrom_chk",
            "eventfd_read",
            "fgetc",
            "fgets",
            "fread",
            "getc",
            "getchar",
            "__getdelim",
            "getdelim",
            "getline",
            "pread",
            "pread64",
            "preadv",
            "preadv2",
            "preadv64",
            "preadv64v2",
            "read",
            "readv",
            "recv",
            "recvfrom",
            "recvmmsg",
            "recvmsg",
        ],
    ),
    (
        Why::Output,
        &[
            "__dprintf_chk",
            "__fprintf_chk",
            "__printf_chk",
            "__syslog_chk",
            "__vdprintf_chk",
            "__vfprintf_chk",
            "__vprintf_chk",
            "__vsyslog_chk",
            "copy_file_range",
            "dprintf",
            "eventfd_write",
            "fclose",
            "fflush",
            "fprintf",
            "fputc",
            "fputs",
            "fseek",
            "fseeko",
            "fseeko64",
            "fwrite",
            "perror",
            "printf",
            "putc",
            "putchar",
            "puts",
            "pwrite",
            "pwrite64",
            "pwritev",
            "pwritev2",
            "pwritev64",
            "pwritev64v2",
            "rewind",
            "send",
            "sendfile",
            "sendfile64",
            "sendmmsg",
            "sendmsg",
            "sendto",
            "splice",
            "syslog",
            "tcdrain",
            "tee",
            "ungetc",
            "vdprintf",
            "vfprintf",
            "vmsplice",
            "vprintf",
            "vsyslog",
            "write",
            "writev",
        ],
    ),
    (
        Why::Events,
        &[
            "epoll_pwait",
            "epoll_pwait2",
            "epoll_wait",
            "io_getevents",
            "io_pgetevents",
            "io_uring_enter",
            "pause",
            "ppoll",
            "pselect",
            "pselect6",
            "rt_sigsuspend",
            "rt_sigtimedwait",
            "select",
            "sigsuspend",
            "sigtimedwait",
            "sigwait",
            "sigwaitinfo",
        ],
    ),
    (
        Why::Connection,
        &[
            "accept",
            "accept4",
            "connect",
            "getaddrinfo",
            "gethostbyaddr",
            "gethostbyname",
            "getnameinfo",
        ],
    ),
    (Why::FileLock, &["lockf", "lockf64"]),
    (
        Why::Open,
        &[
            "creat", "creat64", "fopen", "fopen64", "freopen", "open", "open64", "openat",
            "openat2", "openat64",
        ],
    ),
    (Why::Child, &["pclose", "system", "wait", "wait3", "waitid"]),
    (
        Why::Disk,
        &[
            "fdatasync",
            "fsync",
            "msync",
            "sync",
            "sync_file_range",
            "syncfs",
        ],
    ),
];

/// A function of which one argument decides.
struct Decided {
    name: &'static str,
    why: Why,
    /// Which argument, from 0.
    argument: usize,
    /// Whether it waits with this value.
    waits: fn(u64) -> bool,
}

const fn decided(name: &'static str, why: Why, argument: usize, waits: fn(u64) -> bool) -> Decided {
    Decided {
        name,
        why,
        argument,
        waits,
    }
}

const DECIDED: &[Decided] = &[
    // futex(2): FUTEX_WAIT, LOCK_PI, WAIT_BITSET, WAIT_REQUEUE_PI, LOCK_PI2; two flags are left out.
    decided("futex", Why::Thread, 1, |operation| {
        matches!(operation & 0x7f, 0 | 6 | 9 | 11 | 13)
    }),
    decided("fcntl", Why::FileLock, 1, waits_for_lock),
    decided("fcntl64", Why::FileLock, 1, waits_for_lock),
    // flock(2): neither LOCK_NB nor LOCK_UN.
    decided("flock", Why::FileLock, 1, |operation| operation & 12 == 0),
    // poll(2): a timeout of 0 only asks.
    decided("poll", Why::Events, 2, |timeout| timeout & 0xffff_ffff != 0),
    decided("__poll_chk", Why::Events, 2, |timeout| {
        timeout & 0xffff_ffff != 0
    }),
    // tcsetattr(3): all but TCSANOW wait until the output is gone.
    decided("tcsetattr", Why::Output, 1, |when| when & 0xffff_ffff != 0),
    // waitpid(2): WNOHANG.
    decided("waitpid", Why::Child, 2, |options| options & 1 == 0),
    decided("wait4", Why::Child, 2, |options| options & 1 == 0),
];

/// fcntl(2): F_SETLKW, F_OFD_SETLKW.
fn waits_for_lock(command: u64) -> bool {
    matches!(command & 0xffff_ffff, 7 | 38)
}

/// C's function that takes the number of a system call.
pub const SYSCALL: &str = "syscall";

/// Whether the arguments of a function's calls must be looked at.
pub fn by_arguments(name: &str) -> bool {
    name == SYSCALL || DECIDED.iter().any(|d| d.name == name)
}

/// Why a function can wait when it is called with these arguments; None when it cannot.
pub fn why(name: &str, arguments: &[Option<u64>]) -> Option<Why> {
    if let Some(decided) = DECIDED.iter().find(|d| d.name == name) {
        let argument = arguments.get(decided.argument).copied().flatten();
        return argument.is_none_or(decided.waits).then_some(decided.why);
    }
    let found = FUNCTIONS.iter().find(|(_, names)| names.contains(&name));
    found.map(|(why, _)| *why)
}

/// The name and the reason of a system call that can wait. `name_of` tells the names of the machine's waiting calls.
pub fn system_call(
    call: &Arguments,
    name_of: impl Fn(u64) -> Option<&'static str>,
) -> Option<(&'static str, Why)> {
    let [number, arguments @ ..] = &call.0;
    let Some(number) = number else {
        return Some((SYSCALL, Why::Unknown));
    };
    let name = name_of(*number)?;
    Some((name, why(name, arguments)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::{ALL, Analysis};

    #[test]
    fn names_stand_once() {
        let mut all: Vec<_> = FUNCTIONS.iter().flat_map(|(_, names)| *names).collect();
        all.extend(DECIDED.iter().map(|d| &d.name));
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn every_waiting_call_of_a_machine_has_its_reason() {
        for arch in ALL {
            let names = (0..1000).filter_map(|n| arch.waiting_call(n));
            for name in names {
                assert!(why(name, &[]).is_some(), "{name}");
            }
        }
    }

    #[test]
    fn the_operation_decides() {
        let call = |number, operation| {
            let call = Arguments([number, None, operation, None]);
            system_call(&call, |n| crate::arch::amd64::Amd64.waiting_call(n))
        };
        const WAIT: u64 = 0x89;
        const WAKE: u64 = 0x81;
        assert_eq!(call(Some(202), Some(WAIT)), Some(("futex", Why::Thread)));
        assert_eq!(call(Some(202), None), Some(("futex", Why::Thread)));
        assert_eq!(call(Some(202), Some(WAKE)), None);
        assert_eq!(call(Some(318), None), None, "getrandom");
        assert_eq!(call(None, None), Some((SYSCALL, Why::Unknown)));
        const F_DUPFD_CLOEXEC: u64 = 1030;
        assert_eq!(why("fcntl", &[None, Some(F_DUPFD_CLOEXEC)]), None);
        assert_eq!(why("fcntl", &[None, Some(7)]), Some(Why::FileLock));
        const LOCK_SH_NB: u64 = 5;
        assert_eq!(why("flock", &[None, Some(LOCK_SH_NB)]), None);
        assert_eq!(why("flock", &[None, Some(2)]), Some(Why::FileLock));
        assert_eq!(why("poll", &[None, None, Some(0)]), None);
        assert_eq!(
            why("poll", &[None, None, Some(u64::MAX)]),
            Some(Why::Events)
        );
        assert_eq!(why("waitpid", &[None, None, Some(1)]), None);
        assert_eq!(why("strlen", &[]), None);
    }
}
