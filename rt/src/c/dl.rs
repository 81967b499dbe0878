//! Dynamic linking: there is none. The library was linked when it was converted, and nothing can be loaded or looked up
//! by name.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use libc::{Dl_info, c_char, c_int, c_void, dl_phdr_info, size_t};

/// Whether a call failed since the last `dlerror`. One for all threads: the sentence is always the same.
static FAILED: AtomicBool = AtomicBool::new(false);

c_fn! {
    /// dlopen(3): nothing can be loaded.
    fn dlopen(_file: *const c_char, _flags: c_int) -> *mut c_void {
        FAILED.store(true, Relaxed);
        core::ptr::null_mut()
    }

    /// dlsym(3): no name is known. Rust's std asks it for newer functions, and does without.
    fn dlsym(_handle: *mut c_void, _name: *const c_char) -> *mut c_void {
        FAILED.store(true, Relaxed);
        core::ptr::null_mut()
    }

    /// dlclose(3): no handle is one.
    fn dlclose(_handle: *mut c_void) -> c_int {
        FAILED.store(true, Relaxed);
        -1
    }

    /// dlerror(3)
    fn dlerror() -> *mut c_char {
        match FAILED.swap(false, Relaxed) {
            true => c"dynamic loading is not available: the library is part of a Go program".as_ptr().cast_mut(),
            false => core::ptr::null_mut(),
        }
    }

    /// dladdr(3): no address belongs to a loaded object.
    fn dladdr(_address: *const c_void, _info: *mut Dl_info) -> c_int {
        0
    }

    /// dl_iterate_phdr(3): there are no loaded objects to visit. Rust's backtraces then find no debug information
    /// through it; the image has none.
    fn dl_iterate_phdr(
        _visit: Option<unsafe extern "C" fn(*mut dl_phdr_info, size_t, *mut c_void) -> c_int>,
        _data: *mut c_void,
    ) -> c_int {
        0
    }
}
