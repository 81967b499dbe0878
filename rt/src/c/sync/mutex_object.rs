//! The layout of mutexes, which `mutex.rs` and `robust.rs` work on.

use core::sync::atomic::{AtomicI32, AtomicU32, AtomicUsize, Ordering::Relaxed};

use libc::{c_int, pthread_mutex_t, pthread_mutexattr_t};

/// What is kept in a `pthread_mutex_t`. The kind lies where glibc has it, since static initialisers set it
/// (PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP and its kin; `struct __pthread_mutex_s`, `__kind`).
#[repr(C)]
pub(super) struct Mutex {
    pub(super) word: AtomicU32,
    /// How often the owner has locked it, beyond the first time.
    pub(super) depth: AtomicU32,
    pub(super) owner: AtomicI32,
    unused: u32,
    pub(super) kind: AtomicI32,
    spins: u32,
    /// Of a robust one: its place in its owner's list.
    pub(super) previous: AtomicUsize,
    pub(super) next: AtomicUsize,
}

const _: () = assert!(size_of::<Mutex>() <= size_of::<pthread_mutex_t>());
const _: () = assert!(align_of::<Mutex>() <= align_of::<pthread_mutex_t>());
const _: () = assert!(core::mem::offset_of!(Mutex, kind) == 16);
const _: () = assert!(size_of::<pthread_mutexattr_t>() >= size_of::<i32>());

/// The kinds; glibc's adaptive one is a normal one.
pub(super) const NORMAL: c_int = libc::PTHREAD_MUTEX_NORMAL;
pub(super) const RECURSIVE: c_int = libc::PTHREAD_MUTEX_RECURSIVE;
pub(super) const ERRORCHECK: c_int = libc::PTHREAD_MUTEX_ERRORCHECK;
pub(super) const ADAPTIVE: c_int = 3;

/// The bits of the kind, and what else is said beside it; as in glibc's `__kind`, for mutexes in shared memory.
pub(super) const KIND: c_int = 3;
pub(super) const IS_ROBUST: c_int = 16;
pub(super) const IS_SHARED: c_int = 128;

impl Mutex {
    /// The object that a program has.
    ///
    /// # Safety
    /// Initialised, statically or by `pthread_mutex_init`.
    pub(super) unsafe fn of<'a>(mutex: *mut pthread_mutex_t) -> &'a Mutex {
        // SAFETY: initialised, by the function's own condition; all of it is atomic, and may be shared.
        unsafe { &*mutex.cast() }
    }

    /// One of the kinds above.
    pub(super) fn kind(&self) -> c_int {
        self.kind.load(Relaxed) & KIND
    }
}
