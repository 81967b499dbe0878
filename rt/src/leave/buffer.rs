//! Text that grows, in the heap behind malloc.

use core::ptr::null_mut;

/// Bytes in a block of the heap's.
pub(crate) struct Buffer {
    data: *mut u8,
    len: usize,
    capacity: usize,
}

impl Buffer {
    pub(crate) const EMPTY: Buffer = Buffer {
        data: null_mut(),
        len: 0,
        capacity: 0,
    };

    pub(crate) fn bytes(&self) -> &[u8] {
        match self.len {
            0 => &[],
            // SAFETY: so many were written.
            len => unsafe { core::slice::from_raw_parts(self.data, len) },
        }
    }

    /// Adds bytes; false, and nothing is added, if there is no memory for them.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> bool {
        let need = self.len + bytes.len();
        if need > self.capacity {
            let capacity = need.next_power_of_two().max(256);
            // SAFETY: null or a block of our own.
            let data: *mut u8 = unsafe { libc::realloc(self.data.cast(), capacity) }.cast();
            if data.is_null() {
                return false;
            }
            (self.data, self.capacity) = (data, capacity);
        }
        // SAFETY: there is room.
        unsafe {
            self.data
                .add(self.len)
                .copy_from_nonoverlapping(bytes.as_ptr(), bytes.len())
        };
        self.len = need;
        true
    }

    pub(crate) fn free(self) {
        // SAFETY: null or a block of our own.
        unsafe { libc::free(self.data.cast()) };
    }
}
