//! Becoming another program: fork and the exec family.

use core::ffi::CStr;
use core::sync::atomic::Ordering::Relaxed;

use libc::{c_char, c_int, pid_t};

use crate::alloc::keeper;
use crate::c::define::{about_to_wait, fail, ret};
use crate::c::process::FORKED;
use crate::c::signal::drop_handlers;
use crate::c::string::bytes;
use crate::c::thread::believed_mask;
use crate::sys;
use crate::sys::lock::Lock;
use crate::sys::signal::{Blocked, change_mask};
use linux_raw_sys::general::*;

/// Where programs are looked for without PATH (confstr(3), _CS_PATH).
const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";

/// Functions to be called around a fork (pthread_atfork(3)).
#[derive(Clone, Copy)]
struct ForkHandlers {
    before: Option<unsafe extern "C" fn()>,
    parent: Option<unsafe extern "C" fn()>,
    child: Option<unsafe extern "C" fn()>,
}

const FORK_HANDLERS: usize = 64;

static AT_FORK: Lock<([Option<ForkHandlers>; FORK_HANDLERS], usize)> =
    Lock::new(([None; FORK_HANDLERS], 0));

c_fn! {
    /// fork(2). The child has this thread alone. Go's scheduler does not run there, and Go's signal handlers are gone;
    /// as in any program with threads it may do little more than exec or _exit.
    fn fork() -> pid_t {
        // Go's scheduler is not to be told of anything in the child; of what it knows already it is not told again.
        about_to_wait();
        // Held until the child has its copy, so that the list is whole there.
        let handlers = AT_FORK.lock();
        let list = || handlers.0.iter().flatten();
        // SAFETY: the functions were given to be called here. The clone is a fork: no shared memory.
        unsafe {
            for f in list().rev().filter_map(|h| h.before) {
                f();
            }
            let paused = keeper::pause();
            let blocked = Blocked::all();
            let result = syscall!(__NR_clone, libc::SIGCHLD, 0usize, 0usize, 0usize, 0usize);
            drop(paused);
            if result == 0 {
                keeper::is_gone();
                FORKED.store(true, Relaxed);
                drop_handlers();
            }
            drop(blocked);
            for h in list() {
                if let Some(f) = if result == 0 { h.child } else { h.parent } {
                    f();
                }
            }
            ret(result) as pid_t
        }
    }

    /// pthread_atfork(3)
    fn pthread_atfork(
        before: Option<unsafe extern "C" fn()>,
        parent: Option<unsafe extern "C" fn()>,
        child: Option<unsafe extern "C" fn()>,
    ) -> c_int {
        let mut handlers = AT_FORK.lock();
        let used = handlers.1;
        match handlers.0.get_mut(used) {
            Some(place) => {
                *place = Some(ForkHandlers { before, parent, child });
                handlers.1 = used + 1;
                0
            }
            None => libc::ENOMEM,
        }
    }

    /// execve(2)
    fn execve(path: *const c_char, argv: *const *const c_char, envp: *const *const c_char) -> c_int {
        fail(execute(path, argv, envp))
    }

    /// execv(3)
    fn execv(path: *const c_char, argv: *const *const c_char) -> c_int {
        fail(execute(path, argv, crate::c::env::current().cast()))
    }

    /// execvp(3). Unlike the C library's it does not try a shell on a file that is no program.
    fn execvp(file: *const c_char, argv: *const *const c_char) -> c_int {
        execvpe(file, argv, crate::c::env::current().cast())
    }

    /// execvp(3)
    fn execvpe(file: *const c_char, argv: *const *const c_char, envp: *const *const c_char) -> c_int {
        fail(search(bytes(file), search_path(), |path| execute(path.as_ptr(), argv, envp)))
    }
}

/// execve(2) with the signal mask that the program would have without this runtime; the errno if it fails.
///
/// # Safety
/// A C string and two arrays of C strings that end with null.
unsafe fn execute(
    path: *const c_char,
    argv: *const *const c_char,
    envp: *const *const c_char,
) -> c_int {
    // A program inherits the mask, and the kernel's may be another than the thread believes to have (`signal.rs`).
    let kernels = change_mask(SIG_BLOCK, None).unwrap_or(0);
    let _ = change_mask(SIG_SETMASK, Some(believed_mask(kernels)));
    // SAFETY: a C string and two arrays that end with null, as this function demands.
    let errno = sys::check(unsafe { syscall!(__NR_execve, path, argv, envp) })
        .err()
        .unwrap_or(0);
    let _ = change_mask(SIG_SETMASK, Some(kernels));
    errno
}

/// PATH, or what stands in for it.
pub(crate) fn search_path<'a>() -> &'a [u8] {
    // SAFETY: C strings; `environ` is whole, and stays while a program is looked for.
    unsafe {
        let path = crate::c::env::getenv(c"PATH".as_ptr());
        if path.is_null() {
            DEFAULT_PATH
        } else {
            bytes(path)
        }
    }
}

/// Tries a program: as it stands if it has a slash, else in each directory of `path`. `try_one` returns only if it
/// fails, with the errno. Uses no memory but the stack: it runs in children of a fork.
pub(crate) fn search(file: &[u8], path: &[u8], mut try_one: impl FnMut(&CStr) -> c_int) -> c_int {
    let mut buf = [0u8; PATH_MAX as usize];
    if file.is_empty() {
        return libc::ENOENT;
    }
    let mut attempt = |dir: &[u8]| -> c_int {
        let mut text = crate::c::string::Text::new(&mut buf);
        // An empty element is the working directory.
        let slash: &[u8] = if dir.is_empty() { b"" } else { b"/" };
        if !(text.push(dir) && text.push(slash) && text.push(file) && text.push(b"\0")) {
            return libc::ENAMETOOLONG;
        }
        CStr::from_bytes_with_nul(text.into_written()).map_or(libc::EINVAL, &mut try_one)
    };
    if file.contains(&b'/') {
        return attempt(b"");
    }
    let mut denied = false;
    for dir in path.split(|&b| b == b':') {
        match attempt(dir) {
            libc::EACCES => denied = true,
            libc::ENOENT
            | libc::ENOTDIR
            | libc::ESTALE
            | libc::ENODEV
            | libc::ETIMEDOUT
            | libc::ENAMETOOLONG => {}
            errno => return errno,
        }
    }
    if denied { libc::EACCES } else { libc::ENOENT }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(file: &str, path: &str, answers: &[c_int]) -> (Vec<String>, c_int) {
        let mut seen = Vec::new();
        let result = search(file.as_bytes(), path.as_bytes(), |path| {
            seen.push(path.to_str().expect("utf-8").to_owned());
            answers[seen.len() - 1]
        });
        (seen, result)
    }

    #[test]
    fn a_name_is_looked_for_in_each_directory() {
        use libc::{EACCES, ENOENT, ENOEXEC};
        assert_eq!(tried("a/b", "/x", &[ENOENT]), (vec!["a/b".into()], ENOENT));
        assert_eq!(
            tried("a", "/x::/y", &[ENOENT, ENOENT, ENOENT]),
            (vec!["/x/a".into(), "a".into(), "/y/a".into()], ENOENT)
        );
        assert_eq!(tried("a", "/x:/y", &[EACCES, ENOENT]).1, EACCES);
        assert_eq!(
            tried("a", "/x:/y", &[ENOEXEC]),
            (vec!["/x/a".into()], ENOEXEC)
        );
        assert_eq!(tried("", "/x", &[]).1, ENOENT);
        let long = "d".repeat(5000);
        assert_eq!(
            tried("a", &format!("{long}:/y"), &[ENOENT]),
            (vec!["/y/a".into()], ENOENT)
        );
    }
}
