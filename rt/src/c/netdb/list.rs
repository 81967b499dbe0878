//! A list that grows, on the heap.

use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

/// Items without destructors.
pub(super) struct List<T: Copy> {
    start: NonNull<T>,
    count: usize,
    room: usize,
}

impl<T: Copy> List<T> {
    /// Nothing yet, and nothing on the heap.
    pub(super) fn new() -> Self {
        List {
            start: NonNull::dangling(),
            count: 0,
            room: 0,
        }
    }

    /// Adds an item. `None`: there is no memory for it.
    pub(super) fn push(&mut self, item: T) -> Option<()> {
        if self.count == self.room {
            let room = self.room.checked_mul(2)?.max(16);
            let bytes = room.checked_mul(size_of::<T>())?;
            let old = match self.room {
                0 => core::ptr::null_mut(),
                _ => self.start.as_ptr().cast(),
            };
            // SAFETY: null, or what was allocated here before; malloc's alignment is enough for any type.
            self.start = NonNull::new(unsafe { libc::realloc(old, bytes) }.cast())?;
            self.room = room;
        }
        // SAFETY: there is room for one more.
        unsafe { self.start.add(self.count).write(item) };
        self.count += 1;
        Some(())
    }
}

impl<T: Copy> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: so many items were written.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.count) }
    }
}

impl<T: Copy> DerefMut for List<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: so many items were written, and nobody else has them.
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.count) }
    }
}

impl<T: Copy> Drop for List<T> {
    fn drop(&mut self) {
        if self.room > 0 {
            // SAFETY: allocated by `push`.
            unsafe { libc::free(self.start.as_ptr().cast()) };
        }
    }
}
