use core::mem::MaybeUninit;
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU64, Ordering::*};
use std::time::{Duration, Instant};

use libc::{
    EBUSY, EDEADLK, EINVAL, EPERM, ETIMEDOUT, PTHREAD_BARRIER_SERIAL_THREAD,
    PTHREAD_COND_INITIALIZER, PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP, PTHREAD_MUTEX_INITIALIZER,
    PTHREAD_MUTEX_RECURSIVE, PTHREAD_PROCESS_SHARED, PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP,
    PTHREAD_RWLOCK_INITIALIZER, c_int, pthread_barrier_t, pthread_mutex_t, pthread_mutexattr_t,
    sem_t, timespec,
};

use super::{cond::*, mutex::*, once::*, rwlock::*, semaphore::*};

/// A C object that threads share.
struct Shared<T>(UnsafeCell<T>);
// SAFETY: only handed to functions that are made for it.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    fn new(value: T) -> Self {
        Shared(UnsafeCell::new(value))
    }

    fn at(&self) -> *mut T {
        self.0.get()
    }
}

fn soon(milliseconds: i64) -> timespec {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970");
    let then = now + Duration::from_millis(milliseconds as u64);
    timespec {
        tv_sec: then.as_secs() as i64,
        tv_nsec: then.subsec_nanos().into(),
    }
}

#[test]
fn a_mutex_lets_one_in_at_a_time() {
    let mutex = Shared::new(PTHREAD_MUTEX_INITIALIZER);
    let count = Shared::new(0u64);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20_000 {
                    // SAFETY: a static initialiser; the count is the holder's.
                    unsafe {
                        assert_eq!(pthread_mutex_lock(mutex.at()), 0);
                        *count.at() += 1;
                        assert_eq!(pthread_mutex_unlock(mutex.at()), 0);
                    }
                }
            });
        }
    });
    // SAFETY: the threads have ended.
    assert_eq!(unsafe { *count.at() }, 160_000);
}

#[test]
fn kinds_of_mutex_differ_for_the_owner() {
    let recursive = Shared::new(PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP);
    let checking = Shared::new(PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP);
    // SAFETY: static initialisers.
    unsafe {
        assert_eq!(pthread_mutex_lock(recursive.at()), 0);
        assert_eq!(pthread_mutex_lock(recursive.at()), 0);
        assert_eq!(pthread_mutex_trylock(recursive.at()), 0);
        let other = || {
            std::thread::scope(|s| {
                s.spawn(|| pthread_mutex_trylock(recursive.at()))
                    .join()
                    .expect("no panic")
            })
        };
        for _ in 0..3 {
            assert_eq!(other(), EBUSY);
            assert_eq!(pthread_mutex_unlock(recursive.at()), 0);
        }
        assert_eq!(other(), 0);
        assert_eq!(pthread_mutex_unlock(recursive.at()), EPERM);

        assert_eq!(pthread_mutex_unlock(checking.at()), EPERM);
        assert_eq!(pthread_mutex_lock(checking.at()), 0);
        assert_eq!(pthread_mutex_lock(checking.at()), EDEADLK);
        assert_eq!(pthread_mutex_unlock(checking.at()), 0);

        let mut attr = MaybeUninit::uninit();
        assert_eq!(pthread_mutexattr_init(attr.as_mut_ptr()), 0);
        assert_eq!(pthread_mutexattr_settype(attr.as_mut_ptr(), 99), EINVAL);
        assert_eq!(
            pthread_mutexattr_settype(attr.as_mut_ptr(), PTHREAD_MUTEX_RECURSIVE),
            0
        );
        assert_eq!(pthread_mutexattr_setpshared(attr.as_mut_ptr(), 7), EINVAL);
    }
}

#[test]
fn waiting_ends_at_the_limit() {
    let mutex = Shared::new(PTHREAD_MUTEX_INITIALIZER);
    let cond = Shared::new(PTHREAD_COND_INITIALIZER);
    // SAFETY: static initialisers.
    unsafe {
        assert_eq!(pthread_mutex_lock(mutex.at()), 0);
        let started = Instant::now();
        assert_eq!(
            pthread_cond_timedwait(cond.at(), mutex.at(), &soon(30)),
            ETIMEDOUT
        );
        assert_eq!(pthread_mutex_timedlock(mutex.at(), &soon(30)), ETIMEDOUT);
        assert!(started.elapsed() >= Duration::from_millis(55));
        assert_eq!(
            pthread_mutex_timedlock(
                mutex.at(),
                &timespec {
                    tv_sec: 0,
                    tv_nsec: -1
                }
            ),
            EINVAL
        );
        assert_eq!(pthread_mutex_unlock(mutex.at()), 0);
    }
}

#[test]
fn a_condition_hands_over() {
    let mutex = Shared::new(PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP);
    let cond = Shared::new(PTHREAD_COND_INITIALIZER);
    let turn = Shared::new(0u32);
    std::thread::scope(|scope| {
        for who in 0..4 {
            let (mutex, cond, turn) = (&mutex, &cond, &turn);
            scope.spawn(move || {
                // SAFETY: static initialisers; the turn is the holder's.
                unsafe {
                    assert_eq!(pthread_mutex_lock(mutex.at()), 0);
                    assert_eq!(pthread_mutex_lock(mutex.at()), 0);
                    for _ in 0..1000 {
                        while *turn.at() % 4 != who {
                            assert_eq!(pthread_cond_wait(cond.at(), mutex.at()), 0);
                        }
                        *turn.at() += 1;
                        assert_eq!(pthread_cond_broadcast(cond.at()), 0);
                    }
                    assert_eq!(pthread_mutex_unlock(mutex.at()), 0);
                    assert_eq!(pthread_mutex_unlock(mutex.at()), 0);
                }
            });
        }
    });
    // SAFETY: the threads have ended.
    assert_eq!(unsafe { *turn.at() }, 4000);
}

#[test]
fn readers_share_and_writers_do_not() {
    let lock = Shared::new(PTHREAD_RWLOCK_INITIALIZER);
    let pair = Shared::new((0u64, 0u64));
    let reads = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for who in 0..6 {
            let (lock, pair, reads) = (&lock, &pair, &reads);
            scope.spawn(move || {
                for i in 0..5000 {
                    // SAFETY: a static initialiser; the pair is the holder's.
                    unsafe {
                        if (i + who) % 5 == 0 {
                            assert_eq!(pthread_rwlock_wrlock(lock.at()), 0);
                            (*pair.at()).0 += 1;
                            std::hint::spin_loop();
                            (*pair.at()).1 += 1;
                        } else {
                            assert_eq!(pthread_rwlock_rdlock(lock.at()), 0);
                            assert_eq!((*pair.at()).0, (*pair.at()).1);
                            reads.fetch_add(1, Relaxed);
                        }
                        assert_eq!(pthread_rwlock_unlock(lock.at()), 0);
                    }
                }
            });
        }
    });
    // SAFETY: the threads have ended.
    unsafe {
        assert_eq!((*pair.at(), reads.load(Relaxed)), ((6000, 6000), 24_000));
        assert_eq!(pthread_rwlock_rdlock(lock.at()), 0);
        assert_eq!(pthread_rwlock_tryrdlock(lock.at()), 0);
        assert_eq!(pthread_rwlock_trywrlock(lock.at()), EBUSY);
        assert_eq!(pthread_rwlock_timedwrlock(lock.at(), &soon(10)), ETIMEDOUT);
    }
}

static RUNS: AtomicU64 = AtomicU64::new(0);

extern "C" fn run_slowly() {
    std::thread::sleep(Duration::from_millis(20));
    RUNS.fetch_add(1, Relaxed);
}

#[test]
fn once_is_once_and_all_wait_for_it() {
    let once = Shared::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                // SAFETY: zero at first.
                assert_eq!(unsafe { pthread_once(once.at(), run_slowly) }, 0);
                assert_eq!(RUNS.load(Relaxed), 1);
            });
        }
    });
}

#[test]
fn a_barrier_and_a_semaphore_count() {
    let barrier = Shared::new(MaybeUninit::<pthread_barrier_t>::uninit());
    let semaphore = Shared::new(MaybeUninit::<sem_t>::uninit());
    let firsts = AtomicU64::new(0);
    // SAFETY: initialised first.
    unsafe {
        assert_eq!(
            pthread_barrier_init(barrier.at().cast(), core::ptr::null(), 0),
            EINVAL
        );
        assert_eq!(
            pthread_barrier_init(barrier.at().cast(), core::ptr::null(), 4),
            0
        );
        assert_eq!(sem_init(semaphore.at().cast(), 0, 2), 0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        if pthread_barrier_wait(barrier.at().cast())
                            == PTHREAD_BARRIER_SERIAL_THREAD
                        {
                            firsts.fetch_add(1, Relaxed);
                        }
                        assert_eq!(sem_wait(semaphore.at().cast()), 0);
                        assert_eq!(sem_post(semaphore.at().cast()), 0);
                    }
                });
            }
        });
        assert_eq!(firsts.load(Relaxed), 500);
        assert_eq!(pthread_barrier_destroy(barrier.at().cast()), 0);
        let mut value = 0;
        assert_eq!(sem_getvalue(semaphore.at().cast(), &mut value), 0);
        assert_eq!(value, 2);
        assert_eq!(sem_trywait(semaphore.at().cast()), 0);
        assert_eq!(sem_trywait(semaphore.at().cast()), 0);
        assert_eq!(sem_trywait(semaphore.at().cast()), -1);
        assert_eq!(sem_timedwait(semaphore.at().cast(), &soon(10)), -1);
        assert_eq!(crate::c::errno::errno(), ETIMEDOUT);
    }
}

/// A mutex of that kind, robust and for all processes, made by these functions or by the host's.
unsafe fn robust(kind: c_int, by_host: bool) -> Shared<pthread_mutex_t> {
    unsafe extern "C" {
        fn pthread_mutexattr_setrobust(attr: *mut pthread_mutexattr_t, robust: c_int) -> c_int;
    }
    let mutex = Shared::new(PTHREAD_MUTEX_INITIALIZER);
    // SAFETY: places of our own.
    unsafe {
        let mut attr = MaybeUninit::uninit();
        let attr = attr.as_mut_ptr();
        let failures = match by_host {
            false => [
                super::mutex::pthread_mutexattr_init(attr),
                super::mutex::pthread_mutexattr_settype(attr, kind),
                super::mutex::pthread_mutexattr_setpshared(attr, PTHREAD_PROCESS_SHARED),
                super::mutex::pthread_mutexattr_setrobust(attr, libc::PTHREAD_MUTEX_ROBUST),
                super::mutex::pthread_mutex_init(mutex.at(), attr),
            ],
            true => [
                libc::pthread_mutexattr_init(attr),
                libc::pthread_mutexattr_settype(attr, kind),
                libc::pthread_mutexattr_setpshared(attr, PTHREAD_PROCESS_SHARED),
                pthread_mutexattr_setrobust(attr, libc::PTHREAD_MUTEX_ROBUST),
                libc::pthread_mutex_init(mutex.at(), attr),
            ],
        };
        assert_eq!(failures, [0; 5]);
    }
    mutex
}

/// Ours and the host's functions are mixed: a program that uses glibc may hold the same mutex in shared memory.
#[test]
fn who_comes_after_a_dead_owner_is_told() {
    for by_host in [false, true] {
        // SAFETY: an initialised mutex.
        unsafe {
            let mutex = robust(libc::PTHREAD_MUTEX_NORMAL, by_host);
            let dies = |host: bool| {
                std::thread::scope(|scope| {
                    let locks = scope.spawn(|| match host {
                        true => assert_eq!(libc::pthread_mutex_lock(mutex.at()), 0),
                        false => assert_eq!(pthread_mutex_lock(mutex.at()), 0),
                    });
                    // The end of the scope alone would not wait for the end of the thread.
                    locks.join().expect("it locks");
                });
            };
            assert_eq!(pthread_mutex_lock(mutex.at()), 0);
            assert_eq!(pthread_mutex_trylock(mutex.at()), EBUSY);
            assert_eq!(pthread_mutex_consistent(mutex.at()), EINVAL);
            assert_eq!(pthread_mutex_unlock(mutex.at()), 0);
            assert_eq!(pthread_mutex_unlock(mutex.at()), EPERM);

            dies(true);
            assert_eq!(pthread_mutex_trylock(mutex.at()), libc::EOWNERDEAD);
            assert_eq!(pthread_mutex_consistent(mutex.at()), 0);
            assert_eq!(pthread_mutex_unlock(mutex.at()), 0);
            dies(false);
            assert_eq!(libc::pthread_mutex_lock(mutex.at()), libc::EOWNERDEAD);
            assert_eq!(libc::pthread_mutex_consistent(mutex.at()), 0);
            assert_eq!(libc::pthread_mutex_unlock(mutex.at()), 0);
            dies(false);
            assert_eq!(pthread_mutex_lock(mutex.at()), libc::EOWNERDEAD);
            assert_eq!(pthread_mutex_unlock(mutex.at()), 0, "nothing was repaired");
            assert_eq!(pthread_mutex_lock(mutex.at()), libc::ENOTRECOVERABLE);
            assert_eq!(libc::pthread_mutex_lock(mutex.at()), libc::ENOTRECOVERABLE);
            assert_eq!(pthread_mutex_destroy(mutex.at()), 0);
        }
    }
}

#[test]
fn robust_mutexes_are_mutexes() {
    // SAFETY: initialised mutexes; the count is the holder's.
    unsafe {
        let (mutex, count) = (robust(libc::PTHREAD_MUTEX_NORMAL, false), Shared::new(0u64));
        let other = robust(libc::PTHREAD_MUTEX_NORMAL, false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for round in 0..2000 {
                        assert_eq!(pthread_mutex_lock(mutex.at()), 0);
                        assert_eq!(pthread_mutex_lock(other.at()), 0);
                        *count.at() += 1;
                        // In either order: the list of what a thread holds is no stack.
                        let [first, second] = if round % 2 == 0 {
                            [&mutex, &other]
                        } else {
                            [&other, &mutex]
                        };
                        assert_eq!(pthread_mutex_unlock(first.at()), 0);
                        assert_eq!(pthread_mutex_unlock(second.at()), 0);
                    }
                });
            }
        });
        assert_eq!(*count.at(), 8000);

        let recursive = robust(PTHREAD_MUTEX_RECURSIVE, false);
        assert_eq!(pthread_mutex_lock(recursive.at()), 0);
        assert_eq!(pthread_mutex_lock(recursive.at()), 0);
        std::thread::scope(|scope| {
            scope
                .spawn(|| assert_eq!(pthread_mutex_timedlock(recursive.at(), &soon(5)), ETIMEDOUT));
        });
        assert_eq!(pthread_mutex_unlock(recursive.at()), 0);
        assert_eq!(pthread_mutex_unlock(recursive.at()), 0);
        assert_eq!(pthread_mutex_unlock(recursive.at()), EPERM);
        let checking = robust(libc::PTHREAD_MUTEX_ERRORCHECK, false);
        assert_eq!(pthread_mutex_lock(checking.at()), 0);
        assert_eq!(pthread_mutex_lock(checking.at()), EDEADLK);
    }
}
