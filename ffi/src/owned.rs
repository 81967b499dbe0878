//! Memory that is given away.

use alloc::alloc::{dealloc, Layout};
use alloc::borrow::{Cow, ToOwned};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::mem::{self, ManuallyDrop};
use core::ops::{Deref, DerefMut};
use core::ptr;
use core::slice;

/// A vector whose owner may be Go: the result of a function that Go calls. In Go it is a slice.
///
/// Elements are [`Copy`], since Go copies them and no destructor will run.
///
/// ```
/// use rsyso_ffi::OwnedSlice;
///
/// #[no_mangle]
/// pub extern "C" fn squares(up_to: u32) -> OwnedSlice<u64> {
///     (1..=u64::from(up_to)).map(|n| n * n).collect::<Vec<u64>>().into()
/// }
/// assert_eq!(*squares(3), [1, 4, 9]);
/// ```
#[repr(C)]
pub struct OwnedSlice<T: Copy> {
    /// Null when there is no memory (`cap` is 0): Rust's pointer to nothing is no address that Go takes.
    ptr: *mut T,
    len: usize,
    cap: usize,
}

/// Bytes whose owner may be Go. In Go they are a `[]byte`.
pub type OwnedBytes = OwnedSlice<u8>;

// SAFETY: it owns its elements, as `Vec<T>` does.
unsafe impl<T: Copy + Send> Send for OwnedSlice<T> {}
// SAFETY: as above; shared access gives `&T` only.
unsafe impl<T: Copy + Sync> Sync for OwnedSlice<T> {}

impl<T: Copy> OwnedSlice<T> {
    /// The vector again, without copying.
    pub fn into_vec(self) -> Vec<T> {
        let this = ManuallyDrop::new(self);
        if this.ptr.is_null() {
            return Vec::new();
        }
        // SAFETY: the parts are those of a vector (`From<Vec<T>>`), and `this` does not free them.
        unsafe { Vec::from_raw_parts(this.ptr, this.len, this.cap) }
    }

    const fn empty() -> Self {
        OwnedSlice {
            ptr: ptr::null_mut(),
            len: 0,
            cap: 0,
        }
    }
}

impl<T: Copy> From<Vec<T>> for OwnedSlice<T> {
    /// Takes the vector's memory as it is.
    ///
    /// # Panics
    ///
    /// If elements have no size.
    fn from(vec: Vec<T>) -> Self {
        assert!(mem::size_of::<T>() > 0, "elements must have a size");
        if vec.capacity() == 0 {
            return Self::empty();
        }
        let mut vec = ManuallyDrop::new(vec);
        OwnedSlice {
            ptr: vec.as_mut_ptr(),
            len: vec.len(),
            cap: vec.capacity(),
        }
    }
}

impl<T: Copy> From<&[T]> for OwnedSlice<T> {
    fn from(slice: &[T]) -> Self {
        slice.to_vec().into()
    }
}

impl<T: Copy> From<Box<[T]>> for OwnedSlice<T> {
    fn from(boxed: Box<[T]>) -> Self {
        boxed.into_vec().into()
    }
}

impl<T: Copy> FromIterator<T> for OwnedSlice<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Vec::from_iter(items).into()
    }
}

impl<T: Copy> Drop for OwnedSlice<T> {
    fn drop(&mut self) {
        drop(mem::take(self).into_vec());
    }
}

impl<T: Copy> Default for OwnedSlice<T> {
    fn default() -> Self {
        Self::empty()
    }
}

impl<T: Copy> Clone for OwnedSlice<T> {
    fn clone(&self) -> Self {
        (**self).into()
    }
}

impl<T: Copy> Deref for OwnedSlice<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        if self.ptr.is_null() {
            return &[];
        }
        // SAFETY: the parts are those of a vector that this value owns.
        unsafe { slice::from_raw_parts(self.ptr, self.len) }
    }
}

impl<T: Copy> DerefMut for OwnedSlice<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        if self.ptr.is_null() {
            return &mut [];
        }
        // SAFETY: as for `deref`, and the borrow is exclusive.
        unsafe { slice::from_raw_parts_mut(self.ptr, self.len) }
    }
}

impl<T: Copy + fmt::Debug> fmt::Debug for OwnedSlice<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// A string whose owner may be Go: the result of a function that Go calls. In Go it is a `string`.
///
/// ```
/// use rsyso_ffi::OwnedString;
///
/// #[no_mangle]
/// pub extern "C" fn shout(text: &str) -> OwnedString {
///     text.to_uppercase().into()
/// }
/// assert_eq!(&*shout("hey"), "HEY");
/// ```
#[repr(C)]
pub struct OwnedString {
    /// As in [`OwnedSlice`].
    ptr: *mut u8,
    len: usize,
    cap: usize,
}

// SAFETY: it owns its bytes, as `String` does.
unsafe impl Send for OwnedString {}
// SAFETY: as above; shared access gives `&str` only.
unsafe impl Sync for OwnedString {}

impl OwnedString {
    /// The string again, without copying.
    pub fn into_string(self) -> String {
        let this = ManuallyDrop::new(self);
        if this.ptr.is_null() {
            return String::new();
        }
        // SAFETY: the parts are those of a string (`From<String>`), and `this` does not free them.
        unsafe { String::from_raw_parts(this.ptr, this.len, this.cap) }
    }

    /// A text that has memory even when it is empty, so that it can be told from [`OwnedString::none`].
    pub(crate) fn some(mut text: String) -> Self {
        text.reserve_exact(usize::from(text.is_empty()));
        text.into()
    }

    /// No text.
    pub(crate) const fn none() -> Self {
        OwnedString {
            ptr: ptr::null_mut(),
            len: 0,
            cap: 0,
        }
    }

    /// Whether this is not [`OwnedString::none`].
    pub(crate) fn is_some(&self) -> bool {
        !self.ptr.is_null()
    }
}

impl From<String> for OwnedString {
    /// Takes the string's memory as it is.
    fn from(text: String) -> Self {
        if text.capacity() == 0 {
            return Self::none();
        }
        let mut text = ManuallyDrop::new(text);
        OwnedString {
            ptr: text.as_mut_ptr(),
            len: text.len(),
            cap: text.capacity(),
        }
    }
}

impl From<&str> for OwnedString {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<Box<str>> for OwnedString {
    fn from(text: Box<str>) -> Self {
        text.into_string().into()
    }
}

impl From<Cow<'_, str>> for OwnedString {
    fn from(text: Cow<'_, str>) -> Self {
        text.into_owned().into()
    }
}

impl Drop for OwnedString {
    fn drop(&mut self) {
        drop(mem::take(self).into_string());
    }
}

impl Default for OwnedString {
    fn default() -> Self {
        Self::none()
    }
}

impl Clone for OwnedString {
    fn clone(&self) -> Self {
        (**self).into()
    }
}

impl Deref for OwnedString {
    type Target = str;

    fn deref(&self) -> &str {
        if self.ptr.is_null() {
            return "";
        }
        // SAFETY: the parts are those of a string that this value owns.
        unsafe { core::str::from_utf8_unchecked(slice::from_raw_parts(self.ptr, self.len)) }
    }
}

impl fmt::Debug for OwnedString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl fmt::Display for OwnedString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Frees what an [`OwnedSlice`] or an [`OwnedString`] owned. Generated Go calls it when it has made its copy; nobody else needs to.
///
/// # Safety
///
/// `ptr` is the pointer of such a value that is not used after this; `size` is its capacity in bytes, and `align` the alignment of its
/// elements. A null pointer is fine.
#[no_mangle]
pub unsafe extern "C" fn rsyso_ffi_free(ptr: *mut u8, size: usize, align: usize) {
    if ptr.is_null() || size == 0 {
        return;
    }
    // A layout that no vector can have cannot have come from one: leak rather than corrupt.
    if let Ok(layout) = Layout::from_size_align(size, align) {
        // SAFETY: vectors and strings come from the global allocator with this layout; the rest is the caller's promise.
        unsafe { dealloc(ptr, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec;

    #[test]
    fn vectors_come_back_as_they_went() {
        let mut vec = Vec::with_capacity(10);
        vec.extend([1u32, 2, 3]);
        let at = vec.as_ptr();
        let mut owned = OwnedSlice::from(vec);
        assert_eq!((*owned).as_ptr(), at);
        owned[0] = 7;
        assert_eq!(format!("{owned:?}"), "[7, 2, 3]");
        let copy = owned.clone();
        let vec = owned.into_vec();
        assert_eq!(
            (vec.as_ptr(), vec.capacity(), &vec[..]),
            (at, 10, &[7, 2, 3][..])
        );
        assert_eq!(copy.into_vec(), vec);
    }

    #[test]
    fn the_empty_vector_has_no_pointer() {
        let owned = OwnedBytes::from(Vec::new());
        assert!(owned.ptr.is_null() && owned.is_empty());
        assert_eq!(owned.into_vec(), []);
        let reserved = OwnedBytes::from(Vec::with_capacity(5));
        assert!(!reserved.ptr.is_null() && reserved.is_empty() && reserved.cap == 5);
        assert_eq!(&mut *OwnedBytes::default(), &mut []);
    }

    #[test]
    fn slices_boxes_and_iterators_are_taken() {
        assert_eq!(*OwnedSlice::from(&[1i8, 2][..]), [1, 2]);
        assert_eq!(*OwnedSlice::from(vec![1.5f64].into_boxed_slice()), [1.5]);
        assert_eq!(*(0..3u16).collect::<OwnedSlice<u16>>(), [0, 1, 2]);
    }

    #[test]
    #[should_panic(expected = "size")]
    fn elements_without_a_size_are_refused() {
        let _ = OwnedSlice::from(vec![(), ()]);
    }

    #[test]
    fn strings_come_back_as_they_went() {
        let owned = OwnedString::from("größe");
        assert_eq!(
            (&*owned, format!("{owned} {owned:?}")),
            ("größe", "größe \"größe\"".into())
        );
        assert_eq!(owned.clone().into_string(), owned.into_string());
        assert!(OwnedString::from(String::new()).ptr.is_null());
        assert_eq!(&*OwnedString::from(Cow::Borrowed("a")), "a");
        assert_eq!(&*OwnedString::from(Box::<str>::from("b")), "b");
        assert_eq!(OwnedString::default().into_string(), "");
    }

    #[test]
    fn memory_is_freed_by_its_parts() {
        let owned = ManuallyDrop::new(OwnedSlice::from(vec![1u64, 2, 3]));
        // SAFETY: the parts of a value that is not used any more.
        unsafe { rsyso_ffi_free(owned.ptr.cast(), owned.cap * 8, 8) };
        // SAFETY: nothing is freed.
        unsafe { rsyso_ffi_free(ptr::null_mut(), 0, 1) };
    }
}
