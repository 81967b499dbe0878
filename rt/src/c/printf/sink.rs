//! Where formatted output goes.

use libc::{c_char, c_int};

/// Takes output piece by piece.
pub(crate) trait Sink {
    /// Takes all of `bytes`, or says why not.
    fn put(&mut self, bytes: &[u8]) -> Result<(), c_int>;
}

/// Memory of the caller's; what does not fit is dropped, and a terminator is always written if there is any room.
pub(crate) struct Memory {
    next: *mut c_char,
    /// Bytes left, the terminator's not counted.
    left: usize,
    has_room: bool,
}

impl Memory {
    /// # Safety
    /// `to` must have `size` bytes.
    pub(crate) unsafe fn new(to: *mut c_char, size: usize) -> Self {
        Memory {
            next: to,
            left: size.saturating_sub(1),
            has_room: size > 0,
        }
    }

    /// Ends the string.
    pub(crate) fn finish(self) {
        if self.has_room {
            // SAFETY: a byte was kept for it.
            unsafe { *self.next = 0 };
        }
    }
}

impl Sink for Memory {
    fn put(&mut self, bytes: &[u8]) -> Result<(), c_int> {
        let n = bytes.len().min(self.left);
        // SAFETY: `left` bytes and the terminator are there.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), self.next, n) };
        self.next = self.next.wrapping_add(n);
        self.left -= n;
        Ok(())
    }
}

/// A block of the heap that grows, with a terminator.
pub(crate) struct Heap {
    block: *mut c_char,
    used: usize,
    room: usize,
}

impl Heap {
    pub(crate) fn new() -> Self {
        Heap {
            block: core::ptr::null_mut(),
            used: 0,
            room: 0,
        }
    }

    /// The string, which then belongs to the caller.
    pub(crate) fn finish(mut self) -> Result<*mut c_char, c_int> {
        self.put(b"\0")?;
        Ok(core::mem::replace(&mut self.block, core::ptr::null_mut()))
    }
}

impl Sink for Heap {
    fn put(&mut self, bytes: &[u8]) -> Result<(), c_int> {
        let used = self.used.checked_add(bytes.len()).ok_or(libc::ENOMEM)?;
        if used > self.room {
            let room = used
                .checked_next_power_of_two()
                .ok_or(libc::ENOMEM)?
                .max(64);
            // SAFETY: the heap's own block, or null.
            let block: *mut c_char = unsafe { libc::realloc(self.block.cast(), room).cast() };
            if block.is_null() {
                return Err(libc::ENOMEM);
            }
            self.block = block;
            self.room = room;
        }
        // SAFETY: there is room for it.
        unsafe {
            core::ptr::copy_nonoverlapping(
                bytes.as_ptr().cast(),
                self.block.add(self.used),
                bytes.len(),
            )
        };
        self.used = used;
        Ok(())
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        // SAFETY: the heap's own block, or null.
        unsafe { libc::free(self.block.cast()) };
    }
}
