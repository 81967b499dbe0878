//! System V's means of interprocess communication: shared memory, semaphores, queues of messages (sysvipc(7)).

use libc::{
    c_char, c_int, c_long, c_void, key_t, msqid_ds, sembuf, shmid_ds, size_t, ssize_t, stat,
    timespec,
};

use crate::c::define::{ret, uninterrupted};
use linux_raw_sys::general::*;

syscalls! {
    /// shmget(2)
    shmget(key: key_t, size: size_t, flags: c_int) -> c_int = __NR_shmget(key, size, flags);
    /// shmat(2)
    shmat(id: c_int, addr: *const c_void, flags: c_int) -> *mut c_void = __NR_shmat(id, addr, flags);
    /// shmdt(2)
    shmdt(addr: *const c_void) -> c_int = __NR_shmdt(addr);
    /// shmctl(2)
    shmctl(id: c_int, command: c_int, to: *mut shmid_ds) -> c_int = __NR_shmctl(id, command, to);
    /// semget(2)
    semget(key: key_t, count: c_int, flags: c_int) -> c_int = __NR_semget(key, count, flags);
    /// semop(2)
    semop(id: c_int, operations: *mut sembuf, count: size_t) -> c_int = again __NR_semop(id, operations, count);
    /// msgget(2)
    msgget(key: key_t, flags: c_int) -> c_int = __NR_msgget(key, flags);
    /// msgsnd(2)
    msgsnd(id: c_int, message: *const c_void, size: size_t, flags: c_int) -> c_int = again __NR_msgsnd(id, message, size, flags);
    /// msgrcv(2)
    msgrcv(id: c_int, to: *mut c_void, size: size_t, kind: c_long, flags: c_int) -> ssize_t = again __NR_msgrcv(id, to, size, kind, flags);
    /// msgctl(2)
    msgctl(id: c_int, command: c_int, to: *mut msqid_ds) -> c_int = __NR_msgctl(id, command, to);
}

c_fn! {
    /// semctl(2). The fourth argument is a union of an integer and pointers, which is passed as a word is.
    variadic fn semctl(id: c_int, number: c_int, command: c_int; argument: usize) -> c_int {
        // SAFETY: the caller's; commands without the argument do not look at it.
        ret(unsafe { syscall!(__NR_semctl, id, number, command, argument) }) as c_int
    }

    /// semop(2), with a time limit.
    undeclared fn semtimedop(id: c_int, operations: *mut sembuf, count: size_t, limit: *const timespec) -> c_int {
        ret(uninterrupted(|| syscall!(__NR_semtimedop, id, operations, count, limit))) as c_int
    }

    /// ftok(3): of the file's device and inode.
    fn ftok(path: *const c_char, project: c_int) -> key_t {
        // SAFETY: all bits zero are a value; the caller's path and a place of our own.
        unsafe {
            let mut file: stat = core::mem::zeroed();
            match crate::c::fs::stat(path, &mut file) {
                0 => (file.st_ino & 0xffff | (file.st_dev & 0xff) << 16 | (project as u64 & 0xff) << 24) as key_t,
                failure => failure,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn memory_semaphores_and_messages_get_through() {
        // SAFETY: objects of our own, as the manual pages demand.
        unsafe {
            assert_eq!(
                ftok(c"/tmp".as_ptr(), 300),
                libc::ftok(c"/tmp".as_ptr(), 300)
            );
            assert_eq!(ftok(c"/none".as_ptr(), 1), -1);

            let memory = shmget(libc::IPC_PRIVATE, 4096, 0o600);
            let (first, second) = (
                shmat(memory, core::ptr::null(), 0),
                shmat(memory, core::ptr::null(), libc::SHM_RDONLY),
            );
            first.cast::<u64>().write(77);
            assert_eq!(second.cast::<u64>().read(), 77);
            assert_eq!((shmdt(first), shmdt(second), shmdt(second)), (0, 0, -1));
            assert_eq!(shmctl(memory, libc::IPC_RMID, core::ptr::null_mut()), 0);

            type Control = unsafe extern "C" fn(c_int, c_int, c_int, usize) -> c_int;
            let control: Control = semctl;
            let semaphore = semget(libc::IPC_PRIVATE, 1, 0o600);
            assert_eq!(control(semaphore, 0, libc::SETVAL, 1), 0);
            let change = |by| sembuf {
                sem_num: 0,
                sem_op: by,
                sem_flg: 0,
            };
            assert_eq!(semop(semaphore, &mut change(-1), 1), 0);
            assert_eq!(control(semaphore, 0, libc::GETVAL, 0), 0);
            let limit = timespec {
                tv_sec: 0,
                tv_nsec: 1_000_000,
            };
            assert_eq!(semtimedop(semaphore, &mut change(-1), 1, &limit), -1);
            assert_eq!(crate::c::errno::errno(), libc::EAGAIN);
            thread::scope(|scope| {
                scope.spawn(|| assert_eq!(semop(semaphore, &mut change(-2), 1), 0));
                assert_eq!(semop(semaphore, &mut change(2), 1), 0);
            });
            assert_eq!(control(semaphore, 0, libc::IPC_RMID, 0), 0);

            let queue = msgget(libc::IPC_PRIVATE, 0o600);
            let message = (5 as c_long, *b"hello...");
            assert_eq!(msgsnd(queue, (&raw const message).cast(), 8, 0), 0);
            let mut got = (0 as c_long, [0u8; 8]);
            assert_eq!(msgrcv(queue, (&raw mut got).cast(), 8, 5, 0), 8);
            assert_eq!(got, message);
            assert_eq!(msgctl(queue, libc::IPC_RMID, core::ptr::null_mut()), 0);
            assert_eq!(msgrcv(queue, (&raw mut got).cast(), 8, 5, 0), -1);
        }
    }
}
