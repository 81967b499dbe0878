//! posix_spawn and its kin: a child process without a copy of this one's memory.
//!
//! The child shares memory with this process until it has become another program, and this thread waits for that
//! (CLONE_VM and CLONE_VFORK). All signals are blocked meanwhile, so that none of Go's handlers runs in the child.

use core::ffi::CStr;

use libc::{c_char, c_int, pid_t, posix_spawn_file_actions_t, posix_spawnattr_t};

use crate::c::define::{about_to_wait, code};
use crate::c::exec::{search, search_path};
use crate::c::signal::drop_handlers;
use crate::c::string::bytes;
use crate::c::thread::believed_mask;
use crate::sys;
use crate::sys::signal::{Blocked, change_mask};
use linux_raw_sys::general::*;

mod objects;

pub use objects::*;
use objects::{Action, Actions, Attr};

c_fn! {
    /// posix_spawn(3); returns the error number, that of a program that cannot be run included.
    fn posix_spawn(
        pid: *mut pid_t,
        path: *const c_char,
        actions: *const posix_spawn_file_actions_t,
        attr: *const posix_spawnattr_t,
        argv: *const *mut c_char,
        envp: *const *mut c_char,
    ) -> c_int {
        let child = Child::new(path, None, actions, attr, argv, envp);
        report(child.start(None), pid)
    }

    /// posix_spawn(3), looking for the program in PATH.
    fn posix_spawnp(
        pid: *mut pid_t,
        file: *const c_char,
        actions: *const posix_spawn_file_actions_t,
        attr: *const posix_spawnattr_t,
        argv: *const *mut c_char,
        envp: *const *mut c_char,
    ) -> c_int {
        let child = Child::new(file, Some(search_path()), actions, attr, argv, envp);
        report(child.start(None), pid)
    }

    /// glibc's posix_spawnp that gives a descriptor for the process.
    undeclared fn pidfd_spawnp(
        pidfd: *mut c_int,
        file: *const c_char,
        actions: *const posix_spawn_file_actions_t,
        attr: *const posix_spawnattr_t,
        argv: *const *mut c_char,
        envp: *const *mut c_char,
    ) -> c_int {
        let mut fd = -1;
        let child = Child::new(file, Some(search_path()), actions, attr, argv, envp);
        match child.start(Some(&mut fd)) {
            Ok(_) => {
                *pidfd = fd;
                0
            }
            Err(errno) => errno,
        }
    }

    /// glibc's way from a process descriptor to the id (pidfd_open(2), "Pid:" in fdinfo).
    undeclared fn pidfd_getpid(fd: c_int) -> pid_t {
        match pid_behind(fd) {
            Ok(pid) => pid,
            Err(errno) => crate::c::define::fail(errno),
        }
    }
}

fn report(result: Result<pid_t, c_int>, to: *mut pid_t) -> c_int {
    match result {
        Ok(pid) => {
            // SAFETY: the caller's place, or null.
            if let Some(to) = unsafe { to.as_mut() } {
                *to = pid;
            }
            0
        }
        Err(errno) => errno,
    }
}

/// The process that a descriptor is for.
fn pid_behind(fd: c_int) -> Result<pid_t, c_int> {
    let mut path = [0; 48];
    let mut text = crate::c::string::Text::new(&mut path);
    // The longest number fits.
    let _ = core::fmt::Write::write_fmt(&mut text, format_args!("/proc/self/fdinfo/{fd}\0"));
    let path = CStr::from_bytes_with_nul(text.into_written()).map_err(|_| libc::EBADF)?;
    let mut facts = [0; 1024];
    let n = crate::c::file::read_into(path, &mut facts).map_err(|_| libc::EBADF)?;
    let line = facts[..n]
        .split(|&b| b == b'\n')
        .find_map(|line| line.strip_prefix(b"Pid:"))
        .ok_or(libc::EBADF)?;
    match core::str::from_utf8(line)
        .ok()
        .and_then(|n| n.trim().parse::<pid_t>().ok())
    {
        Some(pid) if pid > 0 => Ok(pid),
        // -1: the process is gone; 0: it is not visible from here.
        Some(pid) if pid < 0 => Err(libc::ESRCH),
        _ => Err(libc::EREMOTE),
    }
}

/// A child process to be.
struct Child<'a> {
    file: &'a [u8],
    /// Where to look for it; as it stands if there is no such list.
    path: Option<&'a [u8]>,
    actions: &'a [Action],
    attr: Option<&'a Attr>,
    argv: *const *mut c_char,
    envp: *const *mut c_char,
    /// The mask that the program starts with.
    mask: u64,
    /// Why the child could not become the program.
    error: c_int,
}

impl<'a> Child<'a> {
    /// # Safety
    /// As posix_spawn(3) demands of its arguments.
    unsafe fn new(
        file: *const c_char,
        path: Option<&'a [u8]>,
        actions: *const posix_spawn_file_actions_t,
        attr: *const posix_spawnattr_t,
        argv: *const *mut c_char,
        envp: *const *mut c_char,
    ) -> Self {
        // SAFETY: the caller's; null or initialised.
        unsafe {
            let envp = if envp.is_null() {
                crate::c::env::current()
            } else {
                envp.cast_mut()
            };
            Child {
                file: bytes(file),
                path,
                actions: actions
                    .cast::<Actions>()
                    .as_ref()
                    .map_or(&[], Actions::as_slice),
                attr: attr.cast::<Attr>().as_ref(),
                argv,
                envp,
                mask: 0,
                error: 0,
            }
        }
    }

    /// Starts the child; returns when it has become the program, or failed to.
    fn start(mut self, pidfd: Option<&mut c_int>) -> Result<pid_t, c_int> {
        let mut flags = CLONE_VM | CLONE_VFORK | libc::SIGCHLD as u32;
        if pidfd.is_some() {
            flags |= CLONE_PIDFD;
        }
        let to_pidfd = pidfd.map_or(core::ptr::null_mut(), |fd| &raw mut *fd);
        // This thread waits until the child has become the program. And the child, which has the same memory, is to tell Go's scheduler nothing.
        about_to_wait();
        let blocked = Blocked::all();
        self.mask = believed_mask(blocked.before());
        // SAFETY: the child runs on this stack below this frame while this thread waits, and never returns.
        let result = unsafe {
            crate::arch::thread::vfork(flags as usize, to_pidfd, run, (&raw mut self).cast())
        };
        drop(blocked);
        let pid = sys::check(result)? as pid_t;
        // The child wrote it, in memory that it shares.
        // SAFETY: our own field.
        let error = unsafe { (&raw const self.error).read_volatile() };
        if error != 0 {
            // SAFETY: our own child, which has ended. Nobody else knows of it.
            unsafe {
                while sys::check(syscall!(__NR_wait4, pid, 0usize, 0, 0usize)) == Err(libc::EINTR) {
                }
                if !to_pidfd.is_null() {
                    syscall!(__NR_close, *to_pidfd);
                }
            }
            return Err(error);
        }
        Ok(pid)
    }

    /// In the child: all that stands before the program; the errno if that fails.
    ///
    /// # Safety
    /// In the child only.
    unsafe fn prepare(&self) -> Result<(), c_int> {
        // SAFETY: system calls that concern this process alone; the paths are the list's.
        unsafe {
            drop_handlers();
            if let Some(attr) = self.attr {
                attr.apply()?;
            }
            for action in self.actions {
                action.apply()?;
            }
            change_mask(SIG_SETMASK, Some(self.mask_for_program()))?;
        }
        Ok(())
    }

    fn mask_for_program(&self) -> u64 {
        match self.attr {
            Some(attr) if attr.has(libc::POSIX_SPAWN_SETSIGMASK) => attr.mask,
            _ => self.mask,
        }
    }

    /// In the child: becomes the program; the errno if that fails.
    fn become_program(&self) -> c_int {
        let execute = |path: &CStr| -> c_int {
            // SAFETY: a C string, and the arrays that the caller of posix_spawn gave.
            code(unsafe { syscall!(__NR_execve, path.as_ptr(), self.argv, self.envp) })
        };
        match self.path {
            Some(path) => search(self.file, path, execute),
            // The terminator follows: it was a C string.
            // SAFETY: as above.
            None => execute(unsafe { CStr::from_ptr(self.file.as_ptr().cast()) }),
        }
    }
}

/// The child.
///
/// # Safety
/// In the child only, with a `Child` that lives in the parent's frame.
unsafe extern "C" fn run(child: *mut core::ffi::c_void) -> ! {
    let child: *mut Child<'_> = child.cast();
    // SAFETY: the parent waits; the memory is this thread's until it has become the program or ended.
    unsafe {
        let error = match (*child).prepare() {
            Ok(()) => (*child).become_program(),
            Err(errno) => errno,
        };
        (&raw mut (*child).error).write_volatile(error);
        loop {
            syscall!(__NR_exit, 127);
        }
    }
}

#[cfg(test)]
mod tests;
