//! Signals. Go owns the handlers of the process and the alternate stacks of its threads; nothing here may disturb them.
//!
//! - The signals of faults ([`FAULT_SET`]) have handlers of the library's (`leave/trap.rs`). They see the faults of the library's threads alone, so what the
//!   library has asked for is remembered, not told to the kernel: handlers, which of these signals are blocked, alternate stacks.
//! - Other handlers can be asked for, not changed: a change is EINVAL, as for SIGKILL, but in the child of a fork. (A handler of the library
//!   would run on Go's signal stack, outside any lane.) One change is left to exec: see [`exec_will_do`].
//! - Other signals are blocked for real in a thread of Go's. A thread that Rust spawned has all of them blocked for good, so
//!   that Go's handlers never run on it; the mask that it asks for is remembered, and is what a child process starts with.

use libc::{c_int, sighandler_t, sigset_t, stack_t};

use crate::c::define::{about_to_wait, fail, ret};
use crate::c::process::only_after_fork;
use crate::c::thread::{believed_mask, faults, spawned_mask};
use crate::leave::actions;
use crate::sys;
use crate::sys::signal::{Action, FAULT_SET, FAULTS, SET_SIZE, SIGNALS, action_of};
use linux_raw_sys::general::*;

// The C library's set is larger than the kernel's, which is its first word.
const _: () =
    assert!(size_of::<sigset_t>() >= SET_SIZE && align_of::<sigset_t>() >= align_of::<u64>());

/// The kernel's part of a set.
///
/// # Safety
/// `set` must be readable.
unsafe fn word_of(set: *const sigset_t) -> u64 {
    // SAFETY: the caller's; aligned and large enough (above).
    unsafe { set.cast::<u64>().read() }
}

/// A set of the C library from the kernel's.
///
/// # Safety
/// `set` must be writable.
unsafe fn set_from(set: *mut sigset_t, word: u64) {
    // SAFETY: the caller's; all bits zero are a value.
    unsafe {
        set.write(core::mem::zeroed());
        set.cast::<u64>().write(word);
    }
}

/// The first realtime signal that is nobody's: glibc keeps two for itself, and Go uses one of these (runtime/signal_unix.go,
/// `sigPerThreadSyscall`).
const FIRST_REALTIME: c_int = 34;

/// The bit of a signal.
fn bit(signal: c_int) -> Option<u64> {
    (1..=SIGNALS).contains(&signal).then(|| 1 << (signal - 1))
}

c_fn! {
    /// sigemptyset(3)
    fn sigemptyset(set: *mut sigset_t) -> c_int {
        set_from(set, 0);
        0
    }

    /// sigfillset(3)
    fn sigfillset(set: *mut sigset_t) -> c_int {
        set_from(set, u64::MAX);
        0
    }

    /// sigaddset(3)
    fn sigaddset(set: *mut sigset_t, signal: c_int) -> c_int {
        match bit(signal) {
            Some(bit) => {
                *set.cast::<u64>() |= bit;
                0
            }
            None => fail(libc::EINVAL),
        }
    }

    /// sigdelset(3)
    fn sigdelset(set: *mut sigset_t, signal: c_int) -> c_int {
        match bit(signal) {
            Some(bit) => {
                *set.cast::<u64>() &= !bit;
                0
            }
            None => fail(libc::EINVAL),
        }
    }

    /// sigismember(3)
    fn sigismember(set: *const sigset_t, signal: c_int) -> c_int {
        match bit(signal) {
            Some(bit) => (word_of(set) & bit != 0).into(),
            None => fail(libc::EINVAL),
        }
    }

    /// What `SIGRTMIN` stands for (signal(7)).
    fn __libc_current_sigrtmin() -> c_int {
        FIRST_REALTIME
    }

    /// What `SIGRTMAX` stands for (signal(7)).
    fn __libc_current_sigrtmax() -> c_int {
        SIGNALS
    }

    /// sigaction(2): handlers of faults are the library's; of the others asking works, and a change is EINVAL, but in the child of a fork.
    fn sigaction(signal: c_int, new: *const libc::sigaction, old: *mut libc::sigaction) -> c_int {
        // SAFETY: the caller's, null or valid.
        unsafe {
            let new = new.as_ref().map(|new| Action {
                handler: new.sa_sigaction,
                flags: new.sa_flags as usize,
                restorer: new.sa_restorer.map_or(0, |f| f as usize),
                mask: word_of(&new.sa_mask),
            });
            let was = match change_action(signal, new) {
                Ok(was) => was,
                Err(errno) => return fail(errno),
            };
            if let Some(old) = old.as_mut() {
                old.sa_sigaction = was.handler;
                old.sa_flags = was.flags as c_int;
                old.sa_restorer = core::mem::transmute::<usize, Option<extern "C" fn()>>(was.restorer);
                set_from(&mut old.sa_mask, was.mask);
            }
        }
        0
    }

    /// signal(2), as [`sigaction`].
    fn signal(signal: c_int, handler: sighandler_t) -> sighandler_t {
        // SAFETY: all bits zero are a value; both are of our own.
        unsafe {
            let mut new: libc::sigaction = core::mem::zeroed();
            let mut old: libc::sigaction = core::mem::zeroed();
            new.sa_sigaction = handler;
            new.sa_flags = libc::SA_RESTART;
            match sigaction(signal, &new, &mut old) {
                -1 => libc::SIG_ERR,
                _ => old.sa_sigaction,
            }
        }
    }

    /// sigaltstack(2): remembered for the thread. The library's handlers run on its stack all the same, where its thread-locals are.
    fn sigaltstack(new: *const stack_t, old: *mut stack_t) -> c_int {
        /// Once a handler runs on the stack, it is the thread's no more (sigaltstack(2)).
        const SS_AUTODISARM: c_int = 1 << 31;
        let stack = &faults().stack;
        let [address, bytes] = stack.get();
        // SAFETY: the caller's, null or valid.
        unsafe {
            if let Some(new) = new.as_ref() {
                match new.ss_flags & !SS_AUTODISARM {
                    libc::SS_DISABLE => stack.set([0, 0]),
                    0 | libc::SS_ONSTACK if new.ss_size < libc::MINSIGSTKSZ => return fail(libc::ENOMEM),
                    0 | libc::SS_ONSTACK => stack.set([new.ss_sp as usize, new.ss_size]),
                    _ => return fail(libc::EINVAL),
                }
            }
            if let Some(old) = old.as_mut() {
                old.ss_sp = address as *mut _;
                old.ss_flags = if bytes == 0 { libc::SS_DISABLE } else { 0 };
                old.ss_size = bytes;
            }
        }
        0
    }

    /// sigpending(2)
    fn sigpending(set: *mut sigset_t) -> c_int {
        let mut word = 0u64;
        // SAFETY: a place of our own.
        if ret(unsafe { syscall!(__NR_rt_sigpending, &raw mut word, SET_SIZE) }) == -1 {
            return -1;
        }
        set_from(set, word);
        0
    }

    /// sigtimedwait(2). The signals must be blocked in the thread; a thread of Rust's own has all blocked.
    fn sigtimedwait(set: *const sigset_t, info: *mut libc::siginfo_t, limit: *const libc::timespec) -> c_int {
        about_to_wait();
        ret(syscall!(__NR_rt_sigtimedwait, set, info, limit, SET_SIZE)) as c_int
    }

    /// sigwaitinfo(2)
    fn sigwaitinfo(set: *const sigset_t, info: *mut libc::siginfo_t) -> c_int {
        sigtimedwait(set, info, core::ptr::null())
    }

    /// sigwait(3); returns the error number.
    fn sigwait(set: *const sigset_t, signal: *mut c_int) -> c_int {
        loop {
            match sigwaitinfo(set, core::ptr::null_mut()) {
                -1 if crate::c::errno::errno() == libc::EINTR => {}
                -1 => return crate::c::errno::errno(),
                taken => {
                    *signal = taken;
                    return 0;
                }
            }
        }
    }

    /// pthread_sigmask(3); returns the error number.
    fn pthread_sigmask(how: c_int, new: *const sigset_t, old: *mut sigset_t) -> c_int {
        change_mask(how, new, old).err().unwrap_or(0)
    }

    /// sigprocmask(2): the calling thread's mask.
    fn sigprocmask(how: c_int, new: *const sigset_t, old: *mut sigset_t) -> c_int {
        match change_mask(how, new, old) {
            Ok(()) => 0,
            Err(errno) => fail(errno),
        }
    }
}

/// Sets a handler of the library's for a fault, and gives the one before.
fn change_handler(signal: u32, new: Option<Action>) -> Action {
    // The tests' own program has no such handler.
    #[cfg(not(test))]
    if new.is_some() {
        crate::leave::fault::expect(signal);
    }
    actions::change(signal, new)
}

/// Sets the action of a signal, if there is a new one, and gives the one before.
///
/// # Safety
/// A handler must be one.
unsafe fn change_action(signal: c_int, mut new: Option<Action>) -> Result<Action, c_int> {
    match only_after_fork() {
        // The kernel may insist on a restorer for a handler; there is none to give in such a child.
        Ok(()) if new.as_ref().is_some_and(Action::is_handler) => return Err(libc::ENOSYS),
        Ok(()) => {}
        Err(_) if FAULTS.contains(&(signal as u32)) => {
            return Ok(change_handler(signal as u32, new));
        }
        Err(_) if new.is_some_and(|new| !exec_will_do(signal, &new)) => return Err(libc::EINVAL),
        Err(_) => new = None,
    }
    let mut was = Action::DEFAULT;
    // SAFETY: no handler, and the process is not Go's; or it only asks.
    unsafe { sys::signal::sigaction(signal, new.as_ref(), &mut was)? };
    Ok(was)
}

/// # Safety
/// `new` and `old` must be null or valid.
unsafe fn change_mask(how: c_int, new: *const sigset_t, old: *mut sigset_t) -> Result<(), c_int> {
    // SAFETY: not null, so it is a set.
    let wanted = (!new.is_null()).then(|| unsafe { word_of(new) });
    let spawned = spawned_mask();
    let was = match spawned {
        Some(_) => believed_mask(0),
        None => {
            let others = wanted.map(|set| set & !FAULT_SET);
            believed_mask(sys::signal::change_mask(how as u32, others)?)
        }
    };
    if let Some(wanted) = wanted {
        let mask = combined(how, was, wanted).ok_or(libc::EINVAL)?;
        faults().blocked.set(mask & FAULT_SET);
        if let Some(spawned) = spawned {
            spawned.set(mask);
        }
    }
    if !old.is_null() {
        // SAFETY: not null, so it is writable.
        unsafe { set_from(old, was) };
    }
    Ok(())
}

/// What a mask becomes (sigprocmask(2)).
fn combined(how: c_int, mask: u64, set: u64) -> Option<u64> {
    match how {
        libc::SIG_BLOCK => Some(mask | set),
        libc::SIG_UNBLOCK => Some(mask & !set),
        libc::SIG_SETMASK => Some(set),
        _ => None,
    }
}

/// Whether a change can be left to exec. Before std's `Command::exec` becomes another program it gives SIGPIPE its default action.
/// Go's handler must stay, in case the program cannot be run; and a handler becomes the default action by itself (execve(2)).
fn exec_will_do(signal: c_int, new: &Action) -> bool {
    signal == libc::SIGPIPE
        && new.handler == libc::SIG_DFL
        && action_of(signal).is_some_and(|now| now.is_handler())
}

/// In a process of its own, after fork: every signal that has a handler gets its default action, as exec would give it.
/// The handlers are Go's, and Go does not run there.
pub(crate) fn drop_handlers() {
    for signal in 1..=SIGNALS {
        // SIGKILL and SIGSTOP have none.
        if action_of(signal).is_some_and(|action| action.is_handler()) {
            // SAFETY: the process is not Go's.
            unsafe { set_action(signal, libc::SIG_DFL) };
        }
    }
}

/// Sets a signal's action to SIG_DFL or SIG_IGN in the calling process.
///
/// # Safety
/// The process must not be Go's.
pub(crate) unsafe fn set_action(signal: c_int, action: usize) {
    let action = Action {
        handler: action,
        ..Action::DEFAULT
    };
    // SAFETY: no handler, and the process is not Go's. What cannot be set stays.
    let _ = unsafe { sys::signal::sigaction(signal, Some(&action), core::ptr::null_mut()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    extern "C" fn handler(_: c_int) {}

    #[test]
    fn signals_are_waited_for() {
        // SAFETY: a signal that is blocked in this thread, and sent to it alone.
        unsafe {
            let mut set: sigset_t = core::mem::zeroed();
            sigemptyset(&mut set);
            sigaddset(&mut set, libc::SIGUSR1);
            libc::pthread_sigmask(libc::SIG_BLOCK, &set, core::ptr::null_mut());
            let send = || libc::pthread_kill(libc::pthread_self(), libc::SIGUSR1);
            let (mut taken, mut info) = (0, core::mem::zeroed());
            assert_eq!(
                (send(), sigwait(&set, &mut taken), taken),
                (0, 0, libc::SIGUSR1)
            );
            assert_eq!((send(), sigwaitinfo(&set, &mut info)), (0, libc::SIGUSR1));
            assert_eq!(info.si_signo, libc::SIGUSR1);
            let limit = libc::timespec {
                tv_sec: 0,
                tv_nsec: 1_000_000,
            };
            assert_eq!(sigtimedwait(&set, &mut info, &limit), -1);
            assert_eq!(crate::c::errno::errno(), libc::EAGAIN);
        }
    }

    #[test]
    fn handlers_stay() {
        let ours = handler as *const () as usize;
        // SAFETY: the host's own functions set and restore a handler that does nothing; ours must not change anything.
        unsafe {
            let before = libc::signal(libc::SIGPIPE, ours);
            // What std's `Command::exec` asks for.
            assert_eq!(signal(libc::SIGPIPE, libc::SIG_DFL), ours);
            assert_eq!(signal(libc::SIGPIPE, libc::SIG_IGN), libc::SIG_ERR);
            assert_eq!(libc::signal(libc::SIGPIPE, before), ours);
            // An ignored signal would stay ignored in the new program: the answer must not be that it does not.
            let before = libc::signal(libc::SIGPIPE, libc::SIG_IGN);
            assert_eq!(signal(libc::SIGPIPE, libc::SIG_DFL), libc::SIG_ERR);
            libc::signal(libc::SIGPIPE, before);

            let before = libc::signal(libc::SIGUSR2, ours);
            assert_eq!(signal(libc::SIGUSR2, libc::SIG_DFL), libc::SIG_ERR);
            assert_eq!(crate::c::errno::errno(), libc::EINVAL);
            assert_eq!(libc::signal(libc::SIGUSR2, before), ours);
        }
    }

    #[test]
    fn handlers_of_faults_are_remembered_and_the_kernels_stay() {
        let ours = handler as *const () as usize;
        let of = |handler, flags| {
            // SAFETY: plain numbers.
            let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
            (action.sa_sigaction, action.sa_flags) = (handler, flags);
            action
        };
        let kernels = || action_of(libc::SIGILL).unwrap().handler;
        let (before, mut old) = (kernels(), of(1, 1));
        let none = core::ptr::null_mut();
        // SAFETY: actions of our own; the handler is one, and never called.
        unsafe {
            assert_eq!(
                sigaction(libc::SIGILL, &of(ours, libc::SA_NODEFER), &mut old),
                0
            );
            assert_eq!((old.sa_sigaction, old.sa_flags), (libc::SIG_DFL, 0));
            assert_eq!(sigaction(libc::SIGILL, core::ptr::null(), &mut old), 0);
            assert_eq!((old.sa_sigaction, old.sa_flags), (ours, libc::SA_NODEFER));
            assert_eq!(actions::handled(), bit(libc::SIGILL).unwrap());
            assert_eq!(sigaction(libc::SIGILL, &of(libc::SIG_IGN, 0), none), 0);
            assert_eq!(actions::handled(), 0);
            assert_eq!(signal(libc::SIGILL, libc::SIG_DFL), libc::SIG_IGN);
        }
        assert_eq!(kernels(), before);
    }

    #[test]
    fn faults_are_blocked_in_the_mask_alone() {
        let of = |signal: c_int| bit(signal).unwrap();
        let mask = || sys::signal::change_mask(SIG_BLOCK, None).unwrap();
        let wanted = of(libc::SIGSEGV) | of(libc::SIGUSR1);
        // SAFETY: sets of our own; the mask is this thread's, and is restored.
        unsafe {
            let (mut set, mut old) = (core::mem::zeroed(), core::mem::zeroed());
            set_from(&mut set, wanted);
            let before = mask();
            assert_eq!(pthread_sigmask(libc::SIG_BLOCK, &set, &mut old), 0);
            assert_eq!(word_of(&old), before);
            assert_eq!(mask(), before | of(libc::SIGUSR1));
            assert_eq!(believed_mask(mask()), before | wanted);
            assert_eq!(pthread_sigmask(7, &set, &mut old), libc::EINVAL);
            assert_eq!(pthread_sigmask(libc::SIG_SETMASK, &old, &mut set), 0);
            assert_eq!((word_of(&set), mask()), (before | wanted, before));
            assert_eq!(believed_mask(before), before);
        }
    }

    #[test]
    fn alternate_stacks_are_remembered() {
        let of = |address: usize, flags, bytes| stack_t {
            ss_sp: address as *mut _,
            ss_flags: flags,
            ss_size: bytes,
        };
        let mut old = of(1, 1, 1);
        let none = core::ptr::null_mut();
        // SAFETY: nothing is read from the stacks.
        unsafe {
            assert_eq!(sigaltstack(&of(4096, 0, 8192), &mut old), 0);
            assert_eq!((old.ss_flags, old.ss_size), (libc::SS_DISABLE, 0));
            assert_eq!(sigaltstack(&of(4096, 0, 2047), none), -1);
            assert_eq!(sigaltstack(&of(4096, 7, 8192), none), -1);
            assert_eq!(sigaltstack(&of(0, libc::SS_DISABLE, 0), &mut old), 0);
            assert_eq!(
                (old.ss_sp as usize, old.ss_flags, old.ss_size),
                (4096, 0, 8192)
            );
            assert_eq!(sigaltstack(core::ptr::null(), &mut old), 0);
            assert_eq!((old.ss_flags, old.ss_size), (libc::SS_DISABLE, 0));
        }
    }
}
