//! posix_spawn and its kin: a child process without a copy of this one's memory.
//!
//! The child shares memory with this process until it has become another program, and this thread waits for that
//! (CLONE_VM and CLONE_VFORK). All signals are blocked meanwhile, so that none of Go's handlers runs in the child.

use core::ffi::CStr;

use libc::{
    c_char, c_int, c_short, mode_t, pid_t, posix_spawn_file_actions_t, posix_spawnattr_t, sigset_t,
};

use crate::c::define::code;
use crate::c::exec::{search, search_path};
use crate::c::signal::{AllBlocked, drop_handlers, kernel_mask, set_action};
use crate::c::string::bytes;
use crate::sys;
use linux_raw_sys::general::*;

/// What the child does before it becomes the program.
#[derive(Clone, Copy)]
enum Action {
    Duplicate(c_int, c_int),
    Close(c_int),
    /// Descriptor, path (the list's own copy), flags, mode.
    Open(c_int, *mut c_char, c_int, mode_t),
    ChangeDirectory(*mut c_char),
    ChangeDirectoryTo(c_int),
}

/// What this file keeps in a `posix_spawn_file_actions_t`.
#[repr(C)]
struct Actions {
    list: *mut Action,
    count: usize,
    room: usize,
}

/// What this file keeps in a `posix_spawnattr_t`.
#[repr(C)]
struct Attr {
    flags: c_int,
    group: pid_t,
    default_signals: u64,
    mask: u64,
}

const _: () = assert!(size_of::<Actions>() <= size_of::<posix_spawn_file_actions_t>());
const _: () = assert!(align_of::<Actions>() <= align_of::<posix_spawn_file_actions_t>());
const _: () = assert!(size_of::<Attr>() <= size_of::<posix_spawnattr_t>());
const _: () = assert!(align_of::<Attr>() <= align_of::<posix_spawnattr_t>());

/// The flags that are met; with another, an attribute object is refused.
const FLAGS: c_int = (libc::POSIX_SPAWN_SETPGROUP as c_int)
    | (libc::POSIX_SPAWN_SETSIGDEF as c_int)
    | (libc::POSIX_SPAWN_SETSIGMASK as c_int)
    | (libc::POSIX_SPAWN_RESETIDS as c_int)
    | (libc::POSIX_SPAWN_SETSID as c_int)
    | POSIX_SPAWN_USEVFORK;
/// glibc's; without effect there too.
const POSIX_SPAWN_USEVFORK: c_int = 0x40;

impl Actions {
    fn push(&mut self, action: Action) -> c_int {
        if self.count == self.room {
            let room = (self.room * 2).max(8);
            // SAFETY: the list's own block, or null.
            let list: *mut Action =
                unsafe { libc::realloc(self.list.cast(), room * size_of::<Action>()).cast() };
            if list.is_null() {
                return libc::ENOMEM;
            }
            self.list = list;
            self.room = room;
        }
        // SAFETY: there is room for one more.
        unsafe { self.list.add(self.count).write(action) };
        self.count += 1;
        0
    }

    /// Adds an action with a path, of which the list keeps a copy.
    ///
    /// # Safety
    /// `path` must be a C string.
    unsafe fn push_path(
        &mut self,
        path: *const c_char,
        action: impl FnOnce(*mut c_char) -> Action,
    ) -> c_int {
        // SAFETY: the caller's.
        let copy = unsafe { libc::strdup(path) };
        if copy.is_null() {
            return libc::ENOMEM;
        }
        match self.push(action(copy)) {
            0 => 0,
            errno => {
                // SAFETY: our own copy.
                unsafe { libc::free(copy.cast()) };
                errno
            }
        }
    }

    fn as_slice(&self) -> &[Action] {
        match self.count {
            0 => &[],
            // SAFETY: `count` actions were written.
            count => unsafe { core::slice::from_raw_parts(self.list, count) },
        }
    }
}

/// # Safety
/// Initialised, and in no other thread's hands.
unsafe fn edit<'a>(actions: *mut posix_spawn_file_actions_t) -> &'a mut Actions {
    // SAFETY: the caller's.
    unsafe { &mut *actions.cast() }
}

/// # Safety
/// Initialised, and in no other thread's hands.
unsafe fn edit_attr<'a>(attr: *mut posix_spawnattr_t) -> &'a mut Attr {
    // SAFETY: the caller's.
    unsafe { &mut *attr.cast() }
}

c_fn! {
    /// posix_spawn_file_actions_init(3)
    fn posix_spawn_file_actions_init(actions: *mut posix_spawn_file_actions_t) -> c_int {
        // SAFETY: the caller's place, large enough (above).
        unsafe { actions.write_bytes(0, 1) };
        0
    }

    /// posix_spawn_file_actions_destroy(3)
    fn posix_spawn_file_actions_destroy(actions: *mut posix_spawn_file_actions_t) -> c_int {
        // SAFETY: the caller's; the paths and the list are the heap's blocks.
        unsafe {
            let actions = edit(actions);
            for action in actions.as_slice() {
                if let Action::Open(_, path, ..) | Action::ChangeDirectory(path) = *action {
                    libc::free(path.cast());
                }
            }
            libc::free(actions.list.cast());
            *actions = Actions { list: core::ptr::null_mut(), count: 0, room: 0 };
        }
        0
    }

    /// posix_spawn_file_actions_adddup2(3)
    fn posix_spawn_file_actions_adddup2(actions: *mut posix_spawn_file_actions_t, from: c_int, to: c_int) -> c_int {
        if from < 0 || to < 0 {
            return libc::EBADF;
        }
        // SAFETY: the caller's.
        unsafe { edit(actions) }.push(Action::Duplicate(from, to))
    }

    /// posix_spawn_file_actions_addclose(3)
    fn posix_spawn_file_actions_addclose(actions: *mut posix_spawn_file_actions_t, fd: c_int) -> c_int {
        if fd < 0 {
            return libc::EBADF;
        }
        // SAFETY: the caller's.
        unsafe { edit(actions) }.push(Action::Close(fd))
    }

    /// posix_spawn_file_actions_addopen(3)
    fn posix_spawn_file_actions_addopen(
        actions: *mut posix_spawn_file_actions_t,
        fd: c_int,
        path: *const c_char,
        flags: c_int,
        mode: mode_t,
    ) -> c_int {
        if fd < 0 {
            return libc::EBADF;
        }
        // SAFETY: the caller's.
        unsafe { edit(actions).push_path(path, |path| Action::Open(fd, path, flags, mode)) }
    }

    /// posix_spawn_file_actions_addchdir(3), the older name.
    undeclared fn posix_spawn_file_actions_addchdir_np(
        actions: *mut posix_spawn_file_actions_t,
        path: *const c_char,
    ) -> c_int {
        // SAFETY: the caller's.
        unsafe { edit(actions).push_path(path, Action::ChangeDirectory) }
    }

    /// posix_spawn_file_actions_addchdir(3)
    undeclared fn posix_spawn_file_actions_addchdir(
        actions: *mut posix_spawn_file_actions_t,
        path: *const c_char,
    ) -> c_int {
        // SAFETY: the caller's.
        unsafe { edit(actions).push_path(path, Action::ChangeDirectory) }
    }

    /// posix_spawn_file_actions_addfchdir(3), the older name.
    undeclared fn posix_spawn_file_actions_addfchdir_np(actions: *mut posix_spawn_file_actions_t, fd: c_int) -> c_int {
        if fd < 0 {
            return libc::EBADF;
        }
        // SAFETY: the caller's.
        unsafe { edit(actions) }.push(Action::ChangeDirectoryTo(fd))
    }

    /// posix_spawnattr_init(3)
    fn posix_spawnattr_init(attr: *mut posix_spawnattr_t) -> c_int {
        // SAFETY: the caller's place, large enough (above).
        unsafe { attr.write_bytes(0, 1) };
        0
    }

    /// posix_spawnattr_destroy(3)
    fn posix_spawnattr_destroy(_attr: *mut posix_spawnattr_t) -> c_int {
        0
    }

    /// posix_spawnattr_setflags(3): EINVAL for scheduling, which is not met.
    fn posix_spawnattr_setflags(attr: *mut posix_spawnattr_t, flags: c_short) -> c_int {
        if c_int::from(flags) & !FLAGS != 0 {
            return libc::EINVAL;
        }
        // SAFETY: the caller's.
        unsafe { edit_attr(attr) }.flags = flags.into();
        0
    }

    /// posix_spawnattr_getflags(3)
    fn posix_spawnattr_getflags(attr: *const posix_spawnattr_t, flags: *mut c_short) -> c_int {
        // SAFETY: the caller's.
        unsafe { *flags = (*attr.cast::<Attr>()).flags as c_short };
        0
    }

    /// posix_spawnattr_setpgroup(3)
    fn posix_spawnattr_setpgroup(attr: *mut posix_spawnattr_t, group: pid_t) -> c_int {
        // SAFETY: the caller's.
        unsafe { edit_attr(attr) }.group = group;
        0
    }

    /// posix_spawnattr_setsigdefault(3)
    fn posix_spawnattr_setsigdefault(attr: *mut posix_spawnattr_t, set: *const sigset_t) -> c_int {
        // SAFETY: the caller's; the kernel's set is the first word.
        unsafe { edit_attr(attr).default_signals = set.cast::<u64>().read() };
        0
    }

    /// posix_spawnattr_setsigmask(3)
    fn posix_spawnattr_setsigmask(attr: *mut posix_spawnattr_t, set: *const sigset_t) -> c_int {
        // SAFETY: the caller's; the kernel's set is the first word.
        unsafe { edit_attr(attr).mask = set.cast::<u64>().read() };
        0
    }

    /// posix_spawn(3); returns the error number, that of a program that cannot be run included.
    fn posix_spawn(
        pid: *mut pid_t,
        path: *const c_char,
        actions: *const posix_spawn_file_actions_t,
        attr: *const posix_spawnattr_t,
        argv: *const *mut c_char,
        envp: *const *mut c_char,
    ) -> c_int {
        // SAFETY: the caller's.
        let child = unsafe { Child::new(path, None, actions, attr, argv, envp) };
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
        // SAFETY: the caller's.
        let child = unsafe { Child::new(file, Some(search_path()), actions, attr, argv, envp) };
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
        // SAFETY: the caller's.
        let child = unsafe { Child::new(file, Some(search_path()), actions, attr, argv, envp) };
        match child.start(Some(&mut fd)) {
            Ok(_) => {
                // SAFETY: the caller's place.
                unsafe { *pidfd = fd };
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
        let blocked = AllBlocked::now();
        self.mask =
            crate::c::thread::spawned_mask().map_or(blocked.before(), core::cell::Cell::get);
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
            kernel_mask(libc::SIG_SETMASK, Some(self.mask_for_program()))?;
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

impl Attr {
    fn has(&self, flag: c_int) -> bool {
        self.flags & flag != 0
    }

    /// # Safety
    /// In the child only.
    unsafe fn apply(&self) -> Result<(), c_int> {
        // SAFETY: plain numbers; in the child.
        unsafe {
            if self.has(libc::POSIX_SPAWN_SETSIGDEF) {
                for signal in 1..=64 {
                    if self.default_signals >> (signal - 1) & 1 == 1 {
                        set_action(signal, libc::SIG_DFL);
                    }
                }
            }
            if self.has(libc::POSIX_SPAWN_SETSID as c_int) {
                sys::check(syscall!(__NR_setsid))?;
            }
            if self.has(libc::POSIX_SPAWN_SETPGROUP) {
                sys::check(syscall!(__NR_setpgid, 0, self.group))?;
            }
            if self.has(libc::POSIX_SPAWN_RESETIDS) {
                sys::check(syscall!(__NR_setgid, syscall!(__NR_getgid)))?;
                sys::check(syscall!(__NR_setuid, syscall!(__NR_getuid)))?;
            }
        }
        Ok(())
    }
}

impl Action {
    /// # Safety
    /// In the child only; paths must be C strings.
    unsafe fn apply(self) -> Result<(), c_int> {
        // SAFETY: the caller's.
        unsafe {
            match self {
                // POSIX: a descriptor that is duplicated onto itself stays open in the program.
                Action::Duplicate(from, to) if from == to => {
                    let flags = sys::check(syscall!(__NR_fcntl, from, libc::F_GETFD))?;
                    sys::check(syscall!(
                        __NR_fcntl,
                        from,
                        libc::F_SETFD,
                        flags & !(libc::FD_CLOEXEC as usize)
                    ))?;
                }
                Action::Duplicate(from, to) => {
                    sys::check(syscall!(__NR_dup3, from, to, 0))?;
                }
                // A descriptor that is not open is no failure (posix_spawn(3), as most have it).
                Action::Close(fd) => {
                    syscall!(__NR_close, fd);
                }
                Action::Open(fd, path, flags, mode) => {
                    let opened =
                        sys::check(syscall!(__NR_openat, libc::AT_FDCWD, path, flags, mode))?;
                    if opened != fd as usize {
                        sys::check(syscall!(__NR_dup3, opened, fd, 0))?;
                        syscall!(__NR_close, opened);
                    }
                }
                Action::ChangeDirectory(path) => {
                    sys::check(syscall!(__NR_chdir, path))?;
                }
                Action::ChangeDirectoryTo(fd) => {
                    sys::check(syscall!(__NR_fchdir, fd))?;
                }
            }
        }
        Ok(())
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
