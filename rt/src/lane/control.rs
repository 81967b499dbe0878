//! The control block of a lane, and what is found from it: the lane's other parts, the thread's `errno`.
//!
//! What layers above keep of a thread is plain data here, all zero in a fresh lane; who gives it meaning is named with it.

use core::cell::Cell;
use core::ffi::c_void;
use core::sync::atomic::AtomicI32;

use unwinding::abi::UnwindException;

use super::locals::Locals;
use crate::alloc::Cache;
use crate::arch::stack::stack_pointer;
use crate::contract::{CONTROL_SIZE, GUARD_SIZE, Head, OUTER_GUARD_SIZE};
use crate::image::place::Place;
use crate::image::{base, params};

/// The control block of a lane, at its initial stack pointer. A fresh lane has all of it zero.
#[repr(C, align(64))]
pub struct Control {
    /// What wrappers and machine code read and write.
    pub head: Head,
    /// C's `errno`.
    pub errno: i32,
    /// The kernel's id of the thread that runs on this lane, for threads that Rust spawned; 0 for Go's threads, which may change.
    /// To be passed to clone(2) as CLONE_PARENT_SETTID and CLONE_CHILD_CLEARTID: a lane is not reused before the kernel has cleared it.
    pub tid: AtomicI32,
    /// Whether a goroutine runs on the lane, in the place of the thread that Rust spawned (`leave/adopt.rs`).
    pub adopted: bool,
    /// The lane whose thread began to wait for that after this one's.
    pub next_waiting: *mut Control,
    /// The lane after this one in the pool of lanes that are free.
    pub(super) next_free: *mut Control,
    /// Of a lane of Go's: another one that stands ready to take its place (`seat.rs`). That one has none.
    pub(super) spare: *mut Control,
    /// The `m` in whose slot the lane was put: that which a call runs on that has not been away.
    pub owner: usize,
    /// Whether the lane is in the list of all lanes already.
    pub(super) listed: bool,
    /// Whether the inner guard is accessible (`guard.rs`).
    pub(super) guard_open: bool,
    /// The C side's record of the thread, a block of the heap's (`c/thread.rs`); null for most of Go's threads.
    pub pthread: *mut c_void,
    /// What the thread pointer leads to on threads that Rust spawned (`c/thread/spawn.rs`).
    pub thread_area: [usize; 2],
    /// Small free blocks of this thread.
    pub heap: Cache,
    /// Values of keys, and destructors of thread-locals.
    pub locals: Locals,
    /// The call on this lane that takes Go functions (`leave/callback.rs`).
    pub callbacks: Callbacks,
    /// The panics of this thread (`leave/panics.rs`).
    pub panics: Panics,
    /// What the library has asked for about faults on this thread (`leave/trap.rs`).
    pub faults: Faults,
    /// What the unwinder reads about one frame (`leave/unwind.rs`).
    pub frame: FrameHeader,
}

const _: () = assert!(size_of::<Control>() as u64 <= CONTROL_SIZE);
const _: () = assert!(core::mem::offset_of!(Control, head) == 0);

/// A call that takes Go functions.
pub struct Callbacks {
    /// Tells the running function that takes Go functions from others; 0 when there is none.
    pub callee: usize,
    /// Counts such calls of the lane.
    pub serial: usize,
    /// Whether the call has been away: the lane is in no slot then.
    pub away: bool,
    /// Whether the exception that std is about to raise is that of a Go function that did not return.
    pub raising: bool,
    /// That exception.
    pub exception: *mut UnwindException,
}

/// Panics that are under way.
pub struct Panics {
    /// The newest of a list of blocks of the heap's; null if there is none.
    pub newest: *mut c_void,
    /// Where the one that has begun, and is not raised yet, began.
    pub begun: Place,
}

/// What a thread has of the library's handlers of faults.
#[derive(Default)]
pub struct Faults {
    /// The signals of faults that the thread has blocked, as the library sees it: a set of the kernel's, where none of them is.
    pub blocked: Cell<u64>,
    /// The alternate stack that the thread has given: its address and its bytes, both 0 if there is none.
    pub stack: Cell<[usize; 2]>,
    /// What tells the last fault from others whose handler returned and had changed nothing, and how often in a row that was so.
    pub unchanged: Cell<(u64, u32)>,
}

/// An `.eh_frame_hdr` with one entry (LSB Core, "The .eh_frame_hdr section"); every pointer is absolute.
#[repr(C)]
pub struct FrameHeader {
    /// 1
    pub version: u8,
    /// How the pointer to `.eh_frame` is written (DW_EH_PE).
    pub frame_encoding: u8,
    /// How the count is.
    pub count_encoding: u8,
    /// How the table is.
    pub table_encoding: u8,
    /// The address of `.eh_frame`.
    pub eh_frame: [u8; 8],
    /// 1
    pub count: [u8; 4],
    /// The first byte of the function.
    pub function: u64,
    /// Its FDE.
    pub fde: u64,
}

/// The control block of the lane that this code runs in.
#[inline(always)]
pub fn control() -> *mut Control {
    let params = params();
    let base = stack_pointer() & params.lane_size.wrapping_neg() as usize;
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

/// Gives a lane its thread-locals as the program has them at the start of a thread.
pub(crate) fn init_tls(control: *mut Control) {
    let p = params();
    let block = (control as usize - p.lane_control as usize + p.lane_tls as usize) as *mut u8;
    let template = (base() + p.tls_offset as usize) as *const u8;
    // SAFETY: the linker made room in the lane for `tls_mem_size` bytes, and the template has `tls_file_size`.
    unsafe {
        core::ptr::copy_nonoverlapping(template, block, p.tls_file_size as usize);
        block
            .add(p.tls_file_size as usize)
            .write_bytes(0, (p.tls_mem_size - p.tls_file_size) as usize);
    }
}

/// Makes the control block that of a thread which is yet to begin. What is known of the lane itself stays: that it is listed, and how its guard is.
///
/// # Safety
/// No thread runs in the lane.
pub(super) unsafe fn wipe(control: *mut Control) {
    // SAFETY: no thread runs in the lane, so it is this thread's to write; zero is a value of all of it.
    unsafe {
        let (listed, guard_open) = ((*control).listed, (*control).guard_open);
        control.write_bytes(0, 1);
        (*control).listed = listed;
        (*control).guard_open = guard_open;
    }
}

/// Whether an address that lies in no other lane lies in the guards of this one.
pub(crate) fn in_guard(control: *mut Control, address: usize) -> bool {
    let base = base_of(control);
    (base - OUTER_GUARD_SIZE as usize..base + GUARD_SIZE as usize).contains(&address)
}

/// The first address of a lane.
pub(crate) fn base_of(control: *mut Control) -> usize {
    control as usize - params().lane_control as usize
}

/// Maps a lane, all zero, which belongs to nobody yet; the error is an errno.
pub fn map_fresh() -> Result<*mut Control, i32> {
    // SAFETY: callable at any time.
    crate::sys::check(unsafe { crate::arch::lane::map_lane() }).map(|lane| lane as *mut Control)
}
