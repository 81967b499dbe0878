//! string.h and strings.h, beyond what the core has in assembly (memcpy, memmove, memset, memcmp, bcmp, strlen).
//! Searching is the `memchr` crate's.

use core::ffi::CStr;

use libc::{c_char, c_int, c_void, size_t};

pub mod old;

/// Writes `text` and a terminator to `buf`, cut to fit; says whether all of it fitted.
///
/// # Safety
/// `buf` must have `size` bytes.
pub(crate) unsafe fn copy_cstr(text: &[u8], buf: *mut c_char, size: usize) -> bool {
    let Some(room) = size.checked_sub(1) else {
        return false;
    };
    let n = text.len().min(room);
    // SAFETY: n + 1 <= size bytes are the caller's.
    unsafe {
        core::ptr::copy_nonoverlapping(text.as_ptr(), buf.cast(), n);
        *buf.add(n) = 0;
    }
    n == text.len()
}

/// Text written into a fixed buffer; what does not fit is an error.
pub(crate) struct Text<'a> {
    buf: &'a mut [u8],
    used: usize,
}

impl<'a> Text<'a> {
    /// An empty text in `buf`.
    pub(crate) fn new(buf: &'a mut [u8]) -> Self {
        Text { buf, used: 0 }
    }

    /// What was written.
    pub(crate) fn into_written(self) -> &'a [u8] {
        self.buf.get(..self.used).unwrap_or(&[])
    }

    /// Whether nothing was written yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Adds bytes, all or none.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> bool {
        let end = self.used.saturating_add(bytes.len());
        match self.buf.get_mut(self.used..end) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.used = end;
                true
            }
            None => false,
        }
    }
}

impl core::fmt::Write for Text<'_> {
    fn write_str(&mut self, s: &str) -> core::fmt::Result {
        match self.push(s.as_bytes()) {
            true => Ok(()),
            false => Err(core::fmt::Error),
        }
    }
}

/// The bytes of a C string, without the terminator.
///
/// # Safety
/// `s` must be a C string that lives and stays as it is for `'a`.
#[inline]
pub(crate) unsafe fn bytes<'a>(s: *const c_char) -> &'a [u8] {
    // SAFETY: `s` is a C string that stays as it is for `'a`, as this function demands.
    unsafe { CStr::from_ptr(s) }.to_bytes()
}

/// The first `n` bytes of memory.
///
/// # Safety
/// They must be readable and stay as they are for `'a`.
unsafe fn memory<'a>(s: *const c_void, n: usize) -> &'a [u8] {
    match n {
        // C allows any pointer with a count of zero.
        0 => &[],
        // SAFETY: `n` bytes are readable and stay as they are for `'a`, as this function demands.
        _ => unsafe { core::slice::from_raw_parts(s.cast(), n) },
    }
}

/// C's three-way result for the first difference of two strings that end at their terminator.
///
/// # Safety
/// Both must be C strings, or `limit` bytes long.
unsafe fn compare(
    a: *const c_char,
    b: *const c_char,
    limit: usize,
    fold: impl Fn(u8) -> u8,
) -> c_int {
    for i in 0..limit {
        // SAFETY: neither string has ended before `i`.
        let (x, y) = unsafe { (fold(*a.add(i) as u8), fold(*b.add(i) as u8)) };
        if x != y || x == 0 {
            return c_int::from(x) - c_int::from(y);
        }
    }
    0
}

/// The same without folding.
///
/// # Safety
/// As for [`compare`].
unsafe fn compare_exactly(a: *const c_char, b: *const c_char, limit: usize) -> c_int {
    // SAFETY: the caller's; neither string has ended before the place that is found.
    unsafe {
        let at = crate::arch::find::first_difference(a.cast(), b.cast(), limit);
        if at == limit {
            return 0;
        }
        c_int::from(*a.add(at) as u8) - c_int::from(*b.add(at) as u8)
    }
}

/// A place in the memory that starts at `s`, or null.
fn place<T>(s: *const T, at: Option<usize>) -> *mut T {
    match at {
        Some(at) => s.wrapping_add(at).cast_mut(),
        None => core::ptr::null_mut(),
    }
}

/// Bytes of `s` up to its terminator or `limit`.
///
/// # Safety
/// `s` must be a C string or have `limit` bytes.
pub(crate) unsafe fn length_up_to(s: *const c_char, limit: usize) -> usize {
    let mut n = 0;
    // SAFETY: the string has not ended before `n`.
    while n < limit && unsafe { *s.add(n) } != 0 {
        n += 1;
    }
    n
}

/// Where a byte first is.
fn position(byte: u8, text: &[u8]) -> Option<usize> {
    // SAFETY: the range is readable.
    let found = unsafe { crate::arch::find::memchr(text.as_ptr(), byte.into(), text.len()) };
    (!found.is_null()).then(|| found as usize - text.as_ptr() as usize)
}

/// A set of bytes.
struct ByteSet([u64; 4]);

impl ByteSet {
    fn of(bytes: &[u8]) -> Self {
        let mut set = [0u64; 4];
        for &b in bytes {
            set[usize::from(b >> 6)] |= 1 << (b & 63);
        }
        ByteSet(set)
    }

    fn has(&self, b: u8) -> bool {
        self.0[usize::from(b >> 6)] >> (b & 63) & 1 == 1
    }
}

/// Length of the start of `s` whose bytes are in `set`, or are not.
fn span(s: &[u8], set: &[u8], wanted: bool) -> usize {
    let set = ByteSet::of(set);
    s.iter()
        .position(|&b| set.has(b) != wanted)
        .unwrap_or(s.len())
}

c_fn! {
    /// strnlen(3)
    fn strnlen(s: *const c_char, limit: size_t) -> size_t {
        length_up_to(s, limit)
    }

    /// memmem(3)
    fn memmem(hay: *const c_void, hay_len: size_t, needle: *const c_void, needle_len: size_t) -> *mut c_void {
        let found = ::memchr::memmem::find(memory(hay, hay_len), memory(needle, needle_len));
        place(hay, found)
    }

    /// mempcpy(3)
    undeclared fn mempcpy(to: *mut c_void, from: *const c_void, n: size_t) -> *mut c_void {
        core::ptr::copy_nonoverlapping::<u8>(from.cast(), to.cast(), n);
        to.wrapping_byte_add(n)
    }

    /// memccpy(3)
    fn memccpy(to: *mut c_void, from: *const c_void, c: c_int, n: size_t) -> *mut c_void {
        for i in 0..n {
            let byte = *from.cast::<u8>().add(i);
            *to.cast::<u8>().add(i) = byte;
            if byte == c as u8 {
                return to.byte_add(i + 1);
            }
        }
        core::ptr::null_mut()
    }

    /// strcmp(3)
    fn strcmp(a: *const c_char, b: *const c_char) -> c_int {
        compare_exactly(a, b, usize::MAX)
    }

    /// strncmp(3)
    fn strncmp(a: *const c_char, b: *const c_char, n: size_t) -> c_int {
        compare_exactly(a, b, n)
    }

    /// strcasecmp(3), in the C locale.
    fn strcasecmp(a: *const c_char, b: *const c_char) -> c_int {
        compare(a, b, usize::MAX, |c| c.to_ascii_lowercase())
    }

    /// strncasecmp(3), in the C locale.
    fn strncasecmp(a: *const c_char, b: *const c_char, n: size_t) -> c_int {
        compare(a, b, n, |c| c.to_ascii_lowercase())
    }

    /// strcoll(3): strcmp in the C locale, the only one.
    fn strcoll(a: *const c_char, b: *const c_char) -> c_int {
        compare_exactly(a, b, usize::MAX)
    }

    /// strchr(3)
    fn strchr(s: *const c_char, c: c_int) -> *mut c_char {
        let text = CStr::from_ptr(s).to_bytes_with_nul();
        place(s, position(c as u8, text))
    }

    /// strchrnul(3)
    undeclared fn strchrnul(s: *const c_char, c: c_int) -> *mut c_char {
        let text = bytes(s);
        place(s, Some(position(c as u8, text).unwrap_or(text.len())))
    }

    /// strrchr(3)
    fn strrchr(s: *const c_char, c: c_int) -> *mut c_char {
        let text = CStr::from_ptr(s).to_bytes_with_nul();
        place(s, ::memchr::memrchr(c as u8, text))
    }

    /// strstr(3)
    fn strstr(hay: *const c_char, needle: *const c_char) -> *mut c_char {
        let found = ::memchr::memmem::find(bytes(hay), bytes(needle));
        place(hay, found)
    }

    /// strspn(3)
    fn strspn(s: *const c_char, accept: *const c_char) -> size_t {
        span(bytes(s), bytes(accept), true)
    }

    /// strcspn(3)
    fn strcspn(s: *const c_char, reject: *const c_char) -> size_t {
        span(bytes(s), bytes(reject), false)
    }

    /// strpbrk(3)
    fn strpbrk(s: *const c_char, accept: *const c_char) -> *mut c_char {
        let text = bytes(s);
        let at = span(text, bytes(accept), false);
        place(s, (at < text.len()).then_some(at))
    }

    /// strcpy(3)
    fn strcpy(to: *mut c_char, from: *const c_char) -> *mut c_char {
        stpcpy(to, from);
        to
    }

    /// stpcpy(3)
    fn stpcpy(to: *mut c_char, from: *const c_char) -> *mut c_char {
        let n = bytes(from).len();
        core::ptr::copy_nonoverlapping(from, to, n + 1);
        to.add(n)
    }

    /// strncpy(3): pads with zeros, and leaves out the terminator of a string that does not fit.
    fn strncpy(to: *mut c_char, from: *const c_char, n: size_t) -> *mut c_char {
        let used = length_up_to(from, n);
        core::ptr::copy_nonoverlapping(from, to, used);
        core::ptr::write_bytes(to.add(used), 0, n - used);
        to
    }

    /// strcat(3)
    fn strcat(to: *mut c_char, from: *const c_char) -> *mut c_char {
        stpcpy(to.add(bytes(to).len()), from);
        to
    }

    /// strncat(3)
    fn strncat(to: *mut c_char, from: *const c_char, n: size_t) -> *mut c_char {
        let end = to.add(bytes(to).len());
        let used = length_up_to(from, n);
        core::ptr::copy_nonoverlapping(from, end, used);
        *end.add(used) = 0;
        to
    }

    /// strtok_r(3)
    fn strtok_r(s: *mut c_char, separators: *const c_char, state: *mut *mut c_char) -> *mut c_char {
        // SAFETY: the caller's: a C string, at first in `s` and then in `state`.
        unsafe {
            let s = if s.is_null() { *state } else { s };
            if s.is_null() {
                return s;
            }
            let separators = bytes(separators);
            let start = s.add(span(bytes(s), separators, true));
            let token = bytes(start);
            let length = span(token, separators, false);
            let more = length < token.len();
            if token.is_empty() {
                *state = start;
                return core::ptr::null_mut();
            }
            let end = start.add(length);
            *end = 0;
            *state = if more { end.add(1) } else { end };
            start
        }
    }

    /// strsep(3)
    undeclared fn strsep(state: *mut *mut c_char, separators: *const c_char) -> *mut c_char {
        let start = *state;
        if start.is_null() {
            return start;
        }
        let text = bytes(start);
        let length = span(text, bytes(separators), false);
        *state = match length < text.len() {
            true => {
                *start.add(length) = 0;
                start.add(length + 1)
            }
            false => core::ptr::null_mut(),
        };
        start
    }

    /// bzero(3)
    undeclared fn bzero(to: *mut c_void, n: size_t) {
        core::ptr::write_bytes::<u8>(to.cast(), 0, n)
    }

    /// explicit_bzero(3): not left out even if nobody reads the memory again.
    fn explicit_bzero(to: *mut c_void, n: size_t) {
        core::ptr::write_bytes::<u8>(to.cast(), 0, n);
        crate::arch::observe(to.cast());
    }

    /// strlcpy(3)
    undeclared fn strlcpy(to: *mut c_char, from: *const c_char, size: size_t) -> size_t {
        let text = bytes(from);
        copy_cstr(text, to, size);
        text.len()
    }

    /// strlcpy(3)
    undeclared fn strlcat(to: *mut c_char, from: *const c_char, size: size_t) -> size_t {
        let used = length_up_to(to, size);
        let text = bytes(from);
        copy_cstr(text, to.add(used), size - used);
        used.saturating_add(text.len())
    }

    /// strxfrm(3): the string itself in the C locale.
    fn strxfrm(to: *mut c_char, from: *const c_char, n: size_t) -> size_t {
        let text = bytes(from);
        copy_cstr(text, to, n);
        text.len()
    }
}

#[cfg(not(test))]
c_fn! {
    /// strdup(3)
    fn strdup(s: *const c_char) -> *mut c_char {
        duplicate(bytes(s))
    }

    /// strdup(3), the name that some compilers' own libraries ask for.
    undeclared fn __strdup(s: *const c_char) -> *mut c_char {
        duplicate(bytes(s))
    }

    /// strndup(3)
    fn strndup(s: *const c_char, n: size_t) -> *mut c_char {
        duplicate(core::slice::from_raw_parts(s.cast(), length_up_to(s, n)))
    }
}

/// A copy on the heap, with a terminator; null with `errno` set if there is no memory.
#[cfg(not(test))]
fn duplicate(text: &[u8]) -> *mut c_char {
    // SAFETY: length + 1 bytes are asked for and written.
    unsafe {
        let to: *mut c_char = libc::malloc(text.len() + 1).cast();
        if !to.is_null() {
            copy_cstr(text, to, text.len() + 1);
        }
        to
    }
}

#[cfg(test)]
mod tests;
