//! Robust mutexes: whoever comes next is told that the owner died (pthread_mutexattr_setrobust(3)).
//!
//! The kernel keeps the promise, also between processes: each thread has a list of what it holds, which the kernel walks when the thread ends
//! (get_robust_list(2), Documentation/locking/robust-futex-ABI.rst). Word, owner, kind and list lie where glibc has them (`struct
//! __pthread_mutex_s`), so that a mutex in shared memory can be shared with programs that use glibc. A thread that has glibc's list already, in
//! a program with cgo, keeps that.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicI32, AtomicUsize, Ordering::*};

use libc::c_int;

use super::mutex_object::{ERRORCHECK, Mutex, RECURSIVE};
use super::{Deadline, SHARED, me, wait_in, wake_in};
use crate::sys;
use crate::sys::lock::Lock;
use linux_raw_sys::general::*;

/// In place of an owner: he died, and nobody has repaired what the mutex protects; and nobody ever will (glibc's values).
const INCONSISTENT: i32 = i32::MAX;
const NOT_RECOVERABLE: i32 = i32::MAX - 1;

/// The kernel's `struct robust_list_head`.
#[repr(C)]
struct Head {
    /// The first node, or the head itself.
    list: usize,
    /// From a node to its word.
    offset: isize,
    /// The node that is being taken or let go.
    pending: usize,
}

/// A mutex's node is its `next`; the word before that is its `previous`, and so it is with the head.
const OFFSET: isize =
    core::mem::offset_of!(Mutex, word) as isize - core::mem::offset_of!(Mutex, next) as isize;
const _: () = assert!(OFFSET == -32 && core::mem::offset_of!(Mutex, previous) == 24);

/// A head of our own.
#[repr(C)]
struct Own {
    previous: usize,
    head: Head,
    /// The thread that it is the head of.
    thread: AtomicI32,
    next: *mut Own,
}

struct Heads(*mut Own);
// SAFETY: memory that no thread owns; each head is used by its thread and the kernel.
unsafe impl Send for Heads {}

/// All heads that were ever made; those of threads that ended are used again.
static HEADS: Lock<Heads> = Lock::new(Heads(null_mut()));

/// The calling thread's head.
fn head() -> Result<*mut Head, c_int> {
    let (mut head, mut size) = (null_mut::<Head>(), 0usize);
    // SAFETY: places of our own; the kernel's head is readable while the thread lives.
    unsafe {
        sys::check(syscall!(
            __NR_get_robust_list,
            0,
            &raw mut head,
            &raw mut size
        ))?;
        match head.as_ref() {
            None => own_head(),
            Some(known) if known.offset == OFFSET => Ok(head),
            // Another C library's.
            Some(_) => Err(libc::ENOTSUP),
        }
    }
}

#[cold]
fn own_head() -> Result<*mut Head, c_int> {
    let me = me();
    let mut heads = HEADS.lock();
    let mut own = heads.0;
    // SAFETY: heads are never freed; a thread without a head in the kernel has none here, whatever its number says.
    unsafe {
        while let Some(known) = own.as_ref() {
            let thread = known.thread.load(Relaxed);
            if thread == me || ended(thread) {
                break;
            }
            own = known.next;
        }
        if own.is_null() {
            own = libc::malloc(size_of::<Own>()).cast();
            if own.is_null() {
                return Err(libc::ENOMEM);
            }
            (*own).next = heads.0;
            heads.0 = own;
        }
        (*own).thread = AtomicI32::new(me);
        let head = &raw mut (*own).head;
        (*own).previous = head as usize;
        head.write(Head {
            list: head as usize,
            offset: OFFSET,
            pending: 0,
        });
        sys::check(syscall!(__NR_set_robust_list, head, size_of::<Head>()))?;
        Ok(head)
    }
}

/// Whether a thread of this process has ended.
fn ended(thread: i32) -> bool {
    // SAFETY: signal 0 only asks.
    let asked = unsafe { syscall!(__NR_tgkill, syscall!(__NR_getpid), thread, 0) };
    sys::check(asked) == Err(libc::ESRCH)
}

/// Says to the kernel what is being taken or let go, while this value lives.
struct Pending(*mut Head);

impl Pending {
    fn new(head: *mut Head, mutex: &Mutex) -> Self {
        // SAFETY: the calling thread's own head.
        unsafe { (&raw mut (*head).pending).write_volatile(mutex.next.as_ptr() as usize) };
        Pending(head)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { (&raw mut (*self.0).pending).write_volatile(0) };
    }
}

/// The `previous` of a node, whose lowest bit may be another kind of mutex's mark.
fn previous_of(node: usize) -> *mut usize {
    ((node & !1) - size_of::<usize>()) as *mut usize
}

/// Puts a mutex that the calling thread holds on its list.
fn enqueue(head: *mut Head, mutex: &Mutex) {
    let node = mutex.next.as_ptr() as usize;
    // SAFETY: the calling thread's own list, of nodes of mutexes that it holds.
    unsafe {
        let first = (*head).list;
        mutex.previous.store(head as usize, Relaxed);
        mutex.next.store(first, Relaxed);
        previous_of(first).write_volatile(node);
        (&raw mut (*head).list).write_volatile(node);
    }
}

/// Takes it off.
fn dequeue(mutex: &Mutex) {
    let (previous, next) = (mutex.previous.load(Relaxed), mutex.next.load(Relaxed));
    // SAFETY: as above.
    unsafe {
        previous_of(next).write_volatile(previous);
        ((previous & !1) as *mut usize).write_volatile(next);
    }
    mutex.previous.store(0, Relaxed);
    mutex.next.store(0, Relaxed);
}

/// How long to wait.
#[derive(Clone, Copy)]
pub(super) enum Patience {
    None,
    Until(Option<Deadline>),
}

/// Takes a robust mutex; EOWNERDEAD says that it was taken, too.
pub(super) fn lock(mutex: &Mutex, patience: Patience) -> c_int {
    let head = match head() {
        Ok(head) => head,
        Err(errno) => return errno,
    };
    let me = me() as u32;
    let _pending = Pending::new(head, mutex);
    let mut word = mutex.word.load(Relaxed);
    // Who has slept cannot know whether others still do.
    let mut waiters = 0;
    let take = |word: u32, waiters: u32| {
        let taken = me | (word & FUTEX_WAITERS) | waiters;
        mutex.word.compare_exchange(word, taken, Acquire, Relaxed)
    };
    loop {
        let owner = word & FUTEX_TID_MASK;
        if word & FUTEX_OWNER_DIED != 0 {
            match take(word, waiters) {
                Ok(_) => {
                    mutex.depth.store(0, Relaxed);
                    mutex.owner.store(INCONSISTENT, Relaxed);
                    enqueue(head, mutex);
                    return libc::EOWNERDEAD;
                }
                Err(now) => word = now,
            }
            continue;
        }
        if owner == 0 {
            match take(word, waiters) {
                Ok(_) if mutex.owner.load(Relaxed) == NOT_RECOVERABLE => {
                    release(mutex);
                    return libc::ENOTRECOVERABLE;
                }
                Ok(_) => {
                    mutex.owner.store(me as i32, Relaxed);
                    enqueue(head, mutex);
                    return 0;
                }
                Err(now) => word = now,
            }
            continue;
        }
        if owner == me
            && let Some(result) = relock(mutex, patience)
        {
            return result;
        }
        let Patience::Until(deadline) = patience else {
            return libc::EBUSY;
        };
        let marked = word | FUTEX_WAITERS;
        if word != marked
            && let Err(now) = mutex.word.compare_exchange(word, marked, Relaxed, Relaxed)
        {
            word = now;
            continue;
        }
        if let Err(errno) = wait_in(&mutex.word, marked, deadline, SHARED) {
            return errno;
        }
        waiters = FUTEX_WAITERS;
        word = mutex.word.load(Relaxed);
    }
}

/// Deals with a lock by the owner: the result, or `None` if it must wait as anyone else.
fn relock(mutex: &Mutex, patience: Patience) -> Option<c_int> {
    match (mutex.kind(), patience) {
        (RECURSIVE, _) => {
            let depth = mutex.depth.load(Relaxed).checked_add(1);
            depth.inspect(|depth| mutex.depth.store(*depth, Relaxed));
            Some(if depth.is_some() { 0 } else { libc::EAGAIN })
        }
        (_, Patience::None) => Some(libc::EBUSY),
        (ERRORCHECK, _) => Some(libc::EDEADLK),
        _ => None,
    }
}

fn release(mutex: &Mutex) {
    if mutex.word.swap(0, Release) & FUTEX_WAITERS != 0 {
        wake_in(&mutex.word, 1, SHARED);
    }
}

/// Lets a robust mutex go. Who was told that the owner died and repaired nothing leaves it to nobody.
pub(super) fn unlock(mutex: &Mutex) -> c_int {
    if mutex.word.load(Relaxed) & FUTEX_TID_MASK != me() as u32 {
        return libc::EPERM;
    }
    let depth = mutex.depth.load(Relaxed);
    if mutex.kind() == RECURSIVE && depth > 0 {
        mutex.depth.store(depth - 1, Relaxed);
        // Told early, as glibc does: nothing was repaired yet.
        return match mutex.owner.load(Relaxed) {
            INCONSISTENT => libc::ENOTRECOVERABLE,
            _ => 0,
        };
    }
    let head = match head() {
        Ok(head) => head,
        Err(errno) => return errno,
    };
    let _pending = Pending::new(head, mutex);
    dequeue(mutex);
    let owner = match mutex.owner.load(Relaxed) {
        INCONSISTENT => NOT_RECOVERABLE,
        _ => 0,
    };
    mutex.owner.store(owner, Relaxed);
    release(mutex);
    0
}

/// The holder has repaired what the mutex protects.
pub(super) fn consistent(mutex: &Mutex) -> c_int {
    let repaired = mutex
        .owner
        .compare_exchange(INCONSISTENT, me(), Relaxed, Relaxed);
    if repaired.is_ok() { 0 } else { libc::EINVAL }
}

const _: () = assert!(size_of::<AtomicUsize>() == size_of::<usize>());
