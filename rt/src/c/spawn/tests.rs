use super::*;
use core::mem::MaybeUninit;
use core::ptr::{null, null_mut};
use libc::{c_short, sigset_t};
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd};

/// Runs a program with the given preparation and returns what it wrote and its status.
fn run(
    command: &[&CStr],
    prepare: impl FnOnce(*mut posix_spawn_file_actions_t, *mut posix_spawnattr_t),
) -> (String, c_int) {
    let mut pipe = [0; 2];
    let mut argv: Vec<_> = command
        .iter()
        .map(|word| word.as_ptr().cast_mut())
        .collect();
    argv.push(null_mut());
    let envp = [c"A=b".as_ptr().cast_mut(), null_mut()];
    let (mut actions, mut attr) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    let (actions, attr) = (actions.as_mut_ptr(), attr.as_mut_ptr());
    let mut pid = 0;
    let mut status = 0;
    let mut text = String::new();
    // SAFETY: initialised in turn; C strings throughout.
    unsafe {
        assert_eq!(libc::pipe2(pipe.as_mut_ptr(), libc::O_CLOEXEC), 0);
        let mut reader = std::fs::File::from_raw_fd(pipe[0]);
        let writer = std::fs::File::from_raw_fd(pipe[1]);
        assert_eq!(posix_spawn_file_actions_init(actions), 0);
        assert_eq!(posix_spawnattr_init(attr), 0);
        assert_eq!(
            posix_spawn_file_actions_adddup2(actions, writer.as_raw_fd(), 1),
            0
        );
        prepare(actions, attr);
        assert_eq!(
            posix_spawnp(
                &mut pid,
                command[0].as_ptr(),
                actions,
                attr,
                argv.as_ptr(),
                envp.as_ptr()
            ),
            0
        );
        drop(writer);
        reader.read_to_string(&mut text).expect("utf-8");
        assert_eq!(libc::waitpid(pid, &mut status, 0), pid);
        assert_eq!(posix_spawn_file_actions_destroy(actions), 0);
        assert_eq!(posix_spawnattr_destroy(attr), 0);
    }
    (text, status)
}

#[test]
fn a_child_gets_its_descriptors_environment_and_directory() {
    let _exclusive = crate::c::env::exclusive();
    let (text, status) = run(&[c"sh", c"-c", c"echo $A; pwd; exit 3"], |actions, _| {
        // SAFETY: initialised; a C string.
        let result = unsafe { posix_spawn_file_actions_addchdir_np(actions, c"/".as_ptr()) };
        assert_eq!(result, 0);
    });
    assert_eq!(text, "b\n/\n");
    assert_eq!(libc::WEXITSTATUS(status), 3);
}

#[test]
fn a_child_starts_with_the_callers_mask_or_the_one_asked_for() {
    let _exclusive = crate::c::env::exclusive();
    let status = |blocked: u64| format!("SigBlk:\t{blocked:016x}\n");
    let command = [c"grep", c"SigBlk", c"/proc/self/status"];
    assert_eq!(run(&command, |_, _| {}).0, status(0));
    let usr1 = 1u64 << (libc::SIGUSR1 - 1);
    let (text, _) = run(&command, |_, attr| {
        // SAFETY: initialised; all bits zero are a set.
        unsafe {
            let mut set: sigset_t = core::mem::zeroed();
            (&raw mut set).cast::<u64>().write(usr1);
            assert_eq!(
                posix_spawnattr_setflags(attr, libc::POSIX_SPAWN_SETSIGMASK as c_short),
                0
            );
            assert_eq!(posix_spawnattr_setsigmask(attr, &set), 0);
        }
    });
    assert_eq!(text, status(usr1));
}

#[test]
fn what_cannot_be_run_is_reported_and_reaped() {
    let _exclusive = crate::c::env::exclusive();
    let argv = [c"x".as_ptr().cast_mut(), null_mut()];
    let spawn = |path: &CStr| {
        // SAFETY: C strings; no actions, no attributes.
        unsafe {
            posix_spawn(
                null_mut(),
                path.as_ptr(),
                null(),
                null(),
                argv.as_ptr(),
                argv.as_ptr(),
            )
        }
    };
    assert_eq!(spawn(c"/no/such/program"), libc::ENOENT);
    assert_eq!(spawn(c"/etc/passwd"), libc::EACCES);
    // SAFETY: C strings; no actions, no attributes.
    let result = unsafe {
        posix_spawnp(
            null_mut(),
            c"no-such-program-anywhere".as_ptr(),
            null(),
            null(),
            argv.as_ptr(),
            argv.as_ptr(),
        )
    };
    assert_eq!(result, libc::ENOENT);
}

#[test]
fn a_process_descriptor_names_its_process() {
    let _exclusive = crate::c::env::exclusive();
    let mut fd = -1;
    let argv = [
        c"sleep".as_ptr().cast_mut(),
        c"5".as_ptr().cast_mut(),
        null_mut(),
    ];
    // SAFETY: C strings; our own child.
    unsafe {
        assert_eq!(
            pidfd_spawnp(
                &mut fd,
                c"sleep".as_ptr(),
                null(),
                null(),
                argv.as_ptr(),
                null()
            ),
            0
        );
        let pid = pidfd_getpid(fd);
        assert!(pid > 0);
        assert_eq!(libc::kill(pid, libc::SIGKILL), 0);
        assert_eq!(libc::waitpid(pid, null_mut(), 0), pid);
        assert_eq!(pidfd_getpid(fd), -1);
        assert_eq!(crate::c::errno::errno(), libc::ESRCH);
        libc::close(fd);
        assert_eq!(pidfd_getpid(1_000_000), -1);
        assert_eq!(crate::c::errno::errno(), libc::EBADF);
    }
}
