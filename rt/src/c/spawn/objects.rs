//! What posix_spawn is told: file actions and attributes, and what the child does with them.

use libc::{
    c_char, c_int, c_short, mode_t, pid_t, posix_spawn_file_actions_t, posix_spawnattr_t, sigset_t,
};

use crate::c::signal::set_action;
use crate::sys;
use linux_raw_sys::general::*;

/// What the child does before it becomes the program.
#[derive(Clone, Copy)]
pub(super) enum Action {
    Duplicate(c_int, c_int),
    Close(c_int),
    /// Descriptor, path (the list's own copy), flags, mode.
    Open(c_int, *mut c_char, c_int, mode_t),
    ChangeDirectory(*mut c_char),
    ChangeDirectoryTo(c_int),
}

/// What this file keeps in a `posix_spawn_file_actions_t`.
#[repr(C)]
pub(super) struct Actions {
    list: *mut Action,
    count: usize,
    room: usize,
}

/// What this file keeps in a `posix_spawnattr_t`.
#[repr(C)]
pub(super) struct Attr {
    pub(super) flags: c_int,
    group: pid_t,
    default_signals: u64,
    pub(super) mask: u64,
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
        // SAFETY: `path` is a C string, as this function demands.
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

    /// The actions, in order.
    pub(super) fn as_slice(&self) -> &[Action] {
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
    // SAFETY: `posix_spawn_file_actions_init` made it, and no other thread uses it meanwhile.
    unsafe { &mut *actions.cast() }
}

/// # Safety
/// Initialised, and in no other thread's hands.
unsafe fn edit_attr<'a>(attr: *mut posix_spawnattr_t) -> &'a mut Attr {
    // SAFETY: `posix_spawnattr_init` made it, and no other thread uses it meanwhile.
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
        edit(actions).push(Action::Duplicate(from, to))
    }

    /// posix_spawn_file_actions_addclose(3)
    fn posix_spawn_file_actions_addclose(actions: *mut posix_spawn_file_actions_t, fd: c_int) -> c_int {
        if fd < 0 {
            return libc::EBADF;
        }
        edit(actions).push(Action::Close(fd))
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
        edit(actions).push_path(path, |path| Action::Open(fd, path, flags, mode))
    }

    /// posix_spawn_file_actions_addchdir(3), the older name.
    undeclared fn posix_spawn_file_actions_addchdir_np(
        actions: *mut posix_spawn_file_actions_t,
        path: *const c_char,
    ) -> c_int {
        edit(actions).push_path(path, Action::ChangeDirectory)
    }

    /// posix_spawn_file_actions_addchdir(3)
    undeclared fn posix_spawn_file_actions_addchdir(
        actions: *mut posix_spawn_file_actions_t,
        path: *const c_char,
    ) -> c_int {
        edit(actions).push_path(path, Action::ChangeDirectory)
    }

    /// posix_spawn_file_actions_addfchdir(3), the older name.
    undeclared fn posix_spawn_file_actions_addfchdir_np(actions: *mut posix_spawn_file_actions_t, fd: c_int) -> c_int {
        if fd < 0 {
            return libc::EBADF;
        }
        edit(actions).push(Action::ChangeDirectoryTo(fd))
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
        edit_attr(attr).flags = flags.into();
        0
    }

    /// posix_spawnattr_getflags(3)
    fn posix_spawnattr_getflags(attr: *const posix_spawnattr_t, flags: *mut c_short) -> c_int {
        *flags = (*attr.cast::<Attr>()).flags as c_short;
        0
    }

    /// posix_spawnattr_setpgroup(3)
    fn posix_spawnattr_setpgroup(attr: *mut posix_spawnattr_t, group: pid_t) -> c_int {
        edit_attr(attr).group = group;
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
}

impl Attr {
    /// Whether a flag is set.
    pub(super) fn has(&self, flag: c_int) -> bool {
        self.flags & flag != 0
    }

    /// Does what the flags ask for, but for the mask.
    ///
    /// # Safety
    /// In the child only.
    pub(super) unsafe fn apply(&self) -> Result<(), c_int> {
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
    /// Does it.
    ///
    /// # Safety
    /// In the child only; paths must be C strings.
    pub(super) unsafe fn apply(self) -> Result<(), c_int> {
        // SAFETY: this is the child, whose descriptors and folder are its own; paths are C strings.
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
