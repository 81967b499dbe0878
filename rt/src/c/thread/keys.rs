//! Thread-specific data: keys with destructors, and the destructors of the compiler's thread-locals. `lane/locals.rs` keeps them.

use libc::{c_int, c_void, pthread_key_t};

use crate::lane::locals::{self, Destructor, Locals};
pub use crate::lane::locals::{DESTRUCTOR_ITERATIONS, KEYS_MAX};

/// The calling thread's.
#[cfg(not(test))]
fn own<T>(f: impl FnOnce(&Locals) -> T) -> T {
    // SAFETY: the lane is this thread's own.
    f(unsafe { &(*crate::lane::control()).locals })
}

#[cfg(test)]
fn own<T>(f: impl FnOnce(&Locals) -> T) -> T {
    std::thread_local! { static LOCALS: Locals = Locals::new() }
    LOCALS.with(f)
}

c_fn! {
    /// pthread_key_create(3)
    fn pthread_key_create(to: *mut pthread_key_t, destructor: Option<Destructor>) -> c_int {
        match locals::create(destructor) {
            Ok(key) => {
                *to = key;
                0
            }
            Err(errno) => errno,
        }
    }

    /// pthread_key_delete(3)
    fn pthread_key_delete(key: pthread_key_t) -> c_int {
        if locals::delete(key) { 0 } else { libc::EINVAL }
    }

    /// pthread_getspecific(3)
    fn pthread_getspecific(key: pthread_key_t) -> *mut c_void {
        own(|locals| locals.get(key))
    }

    /// pthread_setspecific(3)
    fn pthread_setspecific(key: pthread_key_t, value: *const c_void) -> c_int {
        own(|locals| locals.set(key, value.cast_mut())).err().unwrap_or(0)
    }

    /// The C library's half of `thread_local` with destructors (Itanium C++ ABI, 3.3.6; glibc and Rust's std use it).
    /// A thread of Go's is found to have ended some time after it has (`lane/ended.rs`).
    undeclared fn __cxa_thread_atexit_impl(destructor: Destructor, object: *mut c_void, _handle: *mut c_void) -> c_int {
        match own(|locals| locals.register(destructor, object)) {
            Ok(()) => 0,
            Err(_) => -1,
        }
    }
}

/// A handle of the library for `__cxa_atexit` and its kin (Itanium C++ ABI 3.3.6.3); its address is all there is to it.
#[allow(non_upper_case_globals, reason = "C's name")]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub static __dso_handle: u8 = 0;

#[cfg(test)]
mod tests;
