//! The environment: the process's own, as it was at its start, and what this library makes of it.
//!
//! Go keeps a copy of its own: `os.Setenv` in Go and `setenv` here do not see each other. As in C, changing the
//! environment while another thread reads it is the callers' business; Rust's std has a lock for that.

use core::cell::UnsafeCell;
use core::ptr::null_mut;

use libc::{c_char, c_int};

use crate::c::define::fail;
use crate::c::string::{bytes, length_up_to};

/// `environ`, as C code and std see it: null, or pointers to `NAME=value` with a null one at the end.
#[repr(transparent)]
pub struct Environ(UnsafeCell<*mut *mut c_char>);

// SAFETY: as for C's variable, users must keep order among themselves; it is only ever set whole.
unsafe impl Sync for Environ {}

/// environ(7)
#[allow(non_upper_case_globals, reason = "C's name")]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub static environ: Environ = Environ(UnsafeCell::new(null_mut()));

static OWNED: crate::sys::lock::Lock<Owned> = crate::sys::lock::Lock::new(Owned {
    array: null_mut(),
    used: 0,
    room: 0,
});

/// The array that this file allocated; `environ` may point elsewhere, if a program set it.
struct Owned {
    array: *mut *mut c_char,
    used: usize,
    room: usize,
}

// SAFETY: plain memory that no thread owns.
unsafe impl Send for Owned {}

pub(crate) fn current() -> *mut *mut c_char {
    // SAFETY: one word, read whole.
    unsafe { environ.0.get().read_volatile() }
}

/// Sets `environ` to the process's environment as it was at its start; to be called once, before any code of the
/// library runs.
pub fn init() {
    #[cfg(not(test))]
    let start = crate::c::args::get().envp as *mut *mut c_char;
    // SAFETY: the host's own variable, read whole.
    #[cfg(test)]
    let start = unsafe { host_environ() };
    // SAFETY: one word, before anyone else looks.
    unsafe { environ.0.get().write_volatile(start) };
}

/// Makes `environ` the array of our own, with room for `more` entries and the terminator.
fn grow(owned: &mut Owned, more: usize) -> Result<(), c_int> {
    // SAFETY: `environ` is null or a terminated array; only memory of our own is written.
    unsafe {
        let now = current();
        let ours = !now.is_null() && now == owned.array;
        if !ours {
            owned.used = count(now);
        }
        let wanted = owned.used + more;
        if wanted > owned.room {
            let room = wanted.next_power_of_two().max(64);
            let block: *mut *mut c_char =
                libc::malloc((room + 1) * size_of::<*mut c_char>()).cast();
            if block.is_null() {
                return Err(libc::ENOMEM);
            }
            // The old array stays: someone may be walking it.
            owned.array = block;
            owned.room = room;
            copy_entries(now, block, owned.used);
        } else if !ours {
            copy_entries(now, owned.array, owned.used);
        }
        owned.array.add(owned.used).write(null_mut());
        environ.0.get().write_volatile(owned.array);
    }
    Ok(())
}

/// # Safety
/// `to` must have room, `from` must have `n` entries or be null with none.
unsafe fn copy_entries(from: *mut *mut c_char, to: *mut *mut c_char, n: usize) {
    if n > 0 {
        // SAFETY: the caller's; the two may be parts of one array only if they are one.
        unsafe { core::ptr::copy(from, to, n) };
    }
}

/// Entries before the terminator.
///
/// # Safety
/// Null or a terminated array.
unsafe fn count(array: *mut *mut c_char) -> usize {
    let mut n = 0;
    // SAFETY: not null, so the array ends with a null.
    unsafe {
        while !array.is_null() && !(*array.add(n)).is_null() {
            n += 1;
        }
    }
    n
}

/// Where the entry of `name` stands in the array, and its value.
///
/// # Safety
/// `array` must be null or a terminated array of C strings.
unsafe fn find(array: *mut *mut c_char, name: &[u8]) -> Option<(usize, *mut c_char)> {
    // SAFETY: null, or an array of C strings that ends with a null.
    unsafe {
        (0..count(array)).find_map(|i| {
            let entry = *array.add(i);
            let matches = length_up_to(entry, name.len() + 1) > name.len()
                && core::slice::from_raw_parts(entry.cast::<u8>(), name.len()) == name
                && *entry.add(name.len()) as u8 == b'=';
            matches.then(|| (i, entry.add(name.len() + 1)))
        })
    }
}

/// A variable's name: not empty, without `=`.
///
/// # Safety
/// Null or a C string.
unsafe fn valid_name<'a>(name: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: not null, so it is a C string.
    let name = (!name.is_null()).then(|| unsafe { bytes(name) })?;
    (!name.is_empty() && !name.contains(&b'=')).then_some(name)
}

c_fn! {
    /// getenv(3)
    fn getenv(name: *const c_char) -> *mut c_char {
        // SAFETY: the caller's C string; `environ` is whole.
        unsafe {
            valid_name(name)
                .and_then(|name| find(current(), name))
                .map_or(null_mut(), |(_, value)| value)
        }
    }

    /// secure_getenv(3)
    undeclared fn secure_getenv(name: *const c_char) -> *mut c_char {
        match crate::c::process::auxiliary(linux_raw_sys::auxvec::AT_SECURE.into()) {
            Some(0) => getenv(name),
            _ => null_mut(),
        }
    }

    /// setenv(3). The old value's memory stays: someone may hold a pointer to it.
    fn setenv(name: *const c_char, value: *const c_char, overwrite: c_int) -> c_int {
        // SAFETY: the caller's C strings; entries are written into an array of our own.
        unsafe {
            let Some(name) = valid_name(name) else {
                return fail(libc::EINVAL);
            };
            if overwrite == 0 && find(current(), name).is_some() {
                return 0;
            }
            let value = bytes(value);
            let size = name.len() + value.len() + 2;
            let entry: *mut u8 = libc::malloc(size).cast();
            if entry.is_null() {
                return fail(libc::ENOMEM);
            }
            let text = core::slice::from_raw_parts_mut(entry, size);
            text[..name.len()].copy_from_slice(name);
            text[name.len()] = b'=';
            text[name.len() + 1..size - 1].copy_from_slice(value);
            text[size - 1] = 0;
            put(name, entry.cast())
        }
    }

    /// unsetenv(3)
    fn unsetenv(name: *const c_char) -> c_int {
        let Some(name) = valid_name(name) else {
            return fail(libc::EINVAL);
        };
        let mut owned = OWNED.lock();
        if let Err(errno) = grow(&mut owned, 0) {
            return fail(errno);
        }
        while let Some((at, _)) = find(owned.array, name) {
            // The entries behind it and the terminator move up.
            core::ptr::copy(owned.array.add(at + 1), owned.array.add(at), owned.used - at);
            owned.used -= 1;
        }
        0
    }

    /// putenv(3): the string itself becomes the entry.
    fn putenv(entry: *mut c_char) -> c_int {
        // SAFETY: the caller's C string, which he leaves to the environment.
        unsafe {
            let text = bytes(entry);
            match text.iter().position(|&b| b == b'=') {
                Some(0) => fail(libc::EINVAL),
                Some(n) => put(&text[..n], entry),
                None => unsetenv(entry),
            }
        }
    }

    /// clearenv(3)
    fn clearenv() -> c_int {
        let mut owned = OWNED.lock();
        owned.used = 0;
        // SAFETY: one word.
        unsafe { environ.0.get().write_volatile(null_mut()) };
        0
    }
}

/// Makes `entry` the one for `name`.
///
/// # Safety
/// `entry` must be `name=...`, a C string that stays.
unsafe fn put(name: &[u8], entry: *mut c_char) -> c_int {
    let mut owned = OWNED.lock();
    if let Err(errno) = grow(&mut owned, 1) {
        return fail(errno);
    }
    // SAFETY: there is room for one more.
    unsafe {
        match find(owned.array, name) {
            Some((at, _)) => owned.array.add(at).write(entry),
            None => {
                owned.array.add(owned.used + 1).write(null_mut());
                owned.array.add(owned.used).write(entry);
                owned.used += 1;
            }
        }
    }
    0
}

/// The environment of the test program.
///
/// # Safety
/// No other thread may change it.
#[cfg(test)]
unsafe fn host_environ() -> *mut *mut c_char {
    mod host {
        unsafe extern "C" {
            pub static mut environ: *mut *mut super::c_char;
        }
    }
    // SAFETY: no other thread changes it, as this function demands.
    unsafe { host::environ }
}

/// For tests, which run side by side: whoever reads or changes `environ` holds this, and finds the host's.
#[cfg(test)]
pub(crate) fn exclusive() -> impl Drop {
    static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let guard = ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    init();
    guard
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(name: &core::ffi::CStr) -> Option<String> {
        // SAFETY: C strings of the environment.
        unsafe {
            let value = getenv(name.as_ptr());
            (!value.is_null()).then(|| String::from_utf8(bytes(value).to_vec()).expect("utf-8"))
        }
    }

    // One test: its parts build on each other.
    #[test]
    fn the_environment_is_read_and_changed() {
        let _exclusive = exclusive();
        let host: Vec<_> = std::env::vars_os().collect();
        // SAFETY: `init` made it.
        assert_eq!(unsafe { count(current()) }, host.len());
        assert_eq!(get(c"PATH"), std::env::var("PATH").ok());
        // SAFETY: C strings throughout.
        unsafe {
            assert_eq!(setenv(c"RSYSO_A".as_ptr(), c"1".as_ptr(), 0), 0);
            assert_eq!(setenv(c"RSYSO_A".as_ptr(), c"2".as_ptr(), 0), 0);
            assert_eq!(get(c"RSYSO_A").as_deref(), Some("1"));
            assert_eq!(setenv(c"RSYSO_A".as_ptr(), c"22".as_ptr(), 1), 0);
            assert_eq!(get(c"RSYSO_A").as_deref(), Some("22"));
            assert_eq!(get(c"RSYSO_"), None);
            assert_eq!(setenv(c"A=B".as_ptr(), c"".as_ptr(), 1), -1);
            assert_eq!(setenv(c"".as_ptr(), c"".as_ptr(), 1), -1);
            for i in 0..1000 {
                let name = std::ffi::CString::new(format!("RSYSO_{i}")).expect("no NUL");
                assert_eq!(setenv(name.as_ptr(), c"x".as_ptr(), 1), 0);
            }
            assert_eq!(count(current()), host.len() + 1001);
            assert_eq!(unsetenv(c"RSYSO_500".as_ptr()), 0);
            assert_eq!(count(current()), host.len() + 1000);
            assert_eq!(get(c"RSYSO_500"), None);
            assert_eq!(get(c"RSYSO_999").as_deref(), Some("x"));
            // A program may set the variable itself, as std does before an exec.
            let mut own: [*mut c_char; 2] = [c"Q=1".as_ptr().cast_mut(), null_mut()];
            environ.0.get().write(own.as_mut_ptr());
            assert_eq!(get(c"Q").as_deref(), Some("1"));
            assert_eq!(setenv(c"R".as_ptr(), c"2".as_ptr(), 1), 0);
            assert_eq!(
                (get(c"Q").as_deref(), get(c"R").as_deref()),
                (Some("1"), Some("2"))
            );
            assert_eq!(clearenv(), 0);
            assert_eq!(get(c"Q"), None);
        }
    }
}
