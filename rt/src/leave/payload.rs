//! What a panic carries: `Box<dyn Any + Send>` of the library's std, taken apart.

use core::ffi::c_void;
use core::ptr::null_mut;

use unwinding::abi::UnwindException;

use crate::arch::calls::Words;
use crate::arch::catch::catching;
use crate::arch::stack::std_function;
use crate::image::{base, params};

/// The box.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Payload {
    data: *mut c_void,
    vtable: *const Vtable,
}

/// What every vtable begins with.
#[repr(C)]
struct Vtable {
    drop: Option<unsafe extern "C" fn(*mut c_void)>,
    size: usize,
    align: usize,
}

/// `&str`
#[repr(C)]
struct Text {
    data: *const u8,
    bytes: usize,
}

impl From<Payload> for Words {
    fn from(payload: Payload) -> Words {
        Words(payload.data as usize, payload.vtable as usize)
    }
}

impl Payload {
    /// What an exception of std's carries (library/panic_unwind/src/gcc.rs, `Exception`), if it is laid out so.
    ///
    /// # Safety
    /// An exception of Rust's class, which nobody takes over.
    pub(crate) unsafe fn of(exception: *mut UnwindException) -> Option<Payload> {
        /// Class, clean-up, two words of the unwinder's, and the address by which std knows its own.
        const CAUSE: usize = 5 * size_of::<usize>();
        // SAFETY: an exception of std's has its payload there; of another layout, it is a word of some kind, which is only looked at.
        let payload: Payload = unsafe { exception.byte_add(CAUSE).cast::<Payload>().read() };
        let offset = (payload.vtable as usize).wrapping_sub(base());
        let table = offset < params().image_size as usize
            && (payload.vtable as usize).is_multiple_of(align_of::<Vtable>());
        table.then_some(payload)
    }

    /// Whether the types are the same (of one compilation's types).
    pub(crate) fn same_type(&self, other: &Payload) -> bool {
        self.vtable == other.vtable
    }

    /// Tells it from others that are alive; None for boxes of nothing, which all have small addresses.
    pub(crate) fn key(&self) -> Option<(usize, usize)> {
        const DANGLING: usize = 4096;
        let data = self.data as usize;
        (data >= DANGLING).then_some((data, self.vtable as usize))
    }

    /// What the panic says, as std's own hook would print it (`std::panicking::payload_as_str`); None if that function is not there.
    pub(crate) fn text(&self) -> Option<&[u8]> {
        let address = std_function!("rsyso_std_payload_as_str");
        // SAFETY: 0, or that function. Two words are passed and returned alike by the Rust ABI and by C's.
        let text: Option<unsafe extern "C" fn(*mut c_void, *const Vtable) -> Text> =
            unsafe { core::mem::transmute(address) };
        // SAFETY: a box of that type; the text is in it, or is a constant.
        unsafe {
            let text = text?(self.data, self.vtable);
            Some(core::slice::from_raw_parts(text.data, text.bytes))
        }
    }

    /// Drops the content, and frees the box. What the content panics with as it is dropped is returned.
    ///
    /// # Safety
    /// The box is not used any more.
    pub(crate) unsafe fn drop(self) -> *mut UnwindException {
        let dealloc = std_function!("rsyso_std_dealloc");
        // SAFETY: a vtable begins with these words; the box was made by the library's own allocator, or holds nothing.
        unsafe {
            let vtable = &*self.vtable;
            let raised = vtable
                .drop
                .map_or(null_mut(), |drop| catching(self.data, drop));
            if vtable.size != 0 && dealloc != 0 {
                let dealloc: unsafe extern "C" fn(*mut c_void, usize, usize) =
                    core::mem::transmute(dealloc);
                dealloc(self.data, vtable.size, vtable.align);
            }
            raised
        }
    }
}
