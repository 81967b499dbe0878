//! Lanes: the stack, thread-locals and control block of one thread as Rust sees it. `shared.rs` has the picture.
//!
//! Each of Go's threads (`m`) gets a lane on its first call into the image, and keeps it; each thread that Rust spawns
//! gets one too. The lane *is* the thread as Rust sees it: two Go threads that come one after the other at one address
//! of `m` are one thread to Rust.

use core::sync::atomic::AtomicI32;

use crate::image::params;
use crate::shared::CONTROL_SIZE;

/// The control block of a lane, at its initial stack pointer. A fresh lane has all of it zero.
#[repr(C, align(64))]
pub struct Control {
    /// The goroutine's stack pointer (`shared::CONTROL_GO_SP`), written by the wrappers.
    pub go_sp: usize,
    /// The goroutine's frame pointer (`shared::CONTROL_GO_BP`), written by the wrappers.
    pub go_bp: usize,
    /// C's `errno`.
    pub errno: i32,
    /// The kernel's id of the thread that runs on this lane, for threads that Rust spawned; 0 for Go's threads, which may change.
    /// To be passed to clone(2) as CLONE_PARENT_SETTID and CLONE_CHILD_CLEARTID: a lane is not reused before the kernel has cleared it.
    pub tid: AtomicI32,
    /// The lane after this one in the pool of lanes that are free.
    next_free: *mut Control,
    /// The C side's record of the thread, null for Go's threads.
    pub pthread: *mut core::ffi::c_void,
}

const _: () = assert!(core::mem::size_of::<Control>() as u64 <= CONTROL_SIZE);
const _: () = assert!(core::mem::offset_of!(Control, go_sp) as u64 == crate::shared::CONTROL_GO_SP);
const _: () = assert!(core::mem::offset_of!(Control, go_bp) as u64 == crate::shared::CONTROL_GO_BP);

/// The control block of the lane that this code runs in.
#[inline(always)]
pub fn control() -> *mut Control {
    let params = params();
    let base = crate::arch::lane::stack_pointer() & params.lane_size.wrapping_neg() as usize;
    (base + params.lane_control as usize) as *mut Control
}

/// Sets C's `errno` for this thread.
#[inline(always)]
pub fn set_errno(errno: i32) {
    // SAFETY: all Rust code runs in a lane, and no other thread runs in this one.
    unsafe { (*control()).errno = errno }
}

/// C's `errno` for this thread.
#[inline(always)]
pub fn errno() -> i32 {
    // SAFETY: as in `set_errno`.
    unsafe { (*control()).errno }
}

/// The address of C's `errno` for this thread.
#[inline(always)]
pub fn errno_location() -> *mut i32 {
    // SAFETY: as in `set_errno`; a field's address.
    unsafe { &raw mut (*control()).errno }
}
