//! Lanes: the stack, thread-locals and control block of one thread as Rust sees it. `shared.rs` has the picture.
//!
//! Each of Go's threads (`m`) gets a lane on its first call into the image, and keeps it; each thread that Rust spawns
//! gets one too. The lane *is* the thread as Rust sees it: two Go threads that come one after the other at one address
//! of `m` are one thread to Rust. A Go thread's end is not seen here (Go ends few: those that a goroutine had locked), so its lane, its
//! thread-locals and its small free blocks stay.

use core::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering::*};

use linux_raw_sys::general::*;

use crate::alloc::Cache;
use crate::arch::lane::{PAGE, map_lane, stack_pointer};
use crate::die::{fatal, fatal_errno};
use crate::image::{base, params};
use crate::lock::Lock;
use crate::shared::{CONTROL_SIZE, GUARD_SIZE, LANE_HASH, LANE_TABLE_BITS};
use crate::sys;

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
    /// What the thread pointer leads to on threads that Rust spawned (`c/thread/spawn.rs`).
    pub thread_area: [usize; 8],
    /// Small free blocks of this thread.
    pub(crate) heap: Cache,
    /// What the unwinder reads about one frame.
    #[cfg(not(test))]
    pub(crate) eh_frame_hdr: crate::unwind::Header,
}

const _: () = assert!(core::mem::size_of::<Control>() as u64 <= CONTROL_SIZE);
const _: () = assert!(core::mem::offset_of!(Control, go_sp) as u64 == crate::shared::CONTROL_GO_SP);
const _: () = assert!(core::mem::offset_of!(Control, go_bp) as u64 == crate::shared::CONTROL_GO_BP);

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

/// A new lane for a thread that Rust spawns, ready for use: an ended thread's, or a fresh one. The error is an errno.
///
/// Its stack begins right below the control block, which is 64-byte aligned; the thread must end with [`release`].
pub fn acquire() -> Result<*mut Control, i32> {
    let control = match POOL.lock().take() {
        Some(control) => control,
        // SAFETY: callable at any time.
        None => sys::check(unsafe { map_lane() })? as *mut Control,
    };
    // SAFETY: no thread runs in this lane.
    unsafe { control.write_bytes(0, 1) };
    init_tls(control);
    Ok(control)
}

/// Gives back a lane from [`acquire`] whose thread never started.
///
/// # Safety
/// `control` came from `acquire`, and no thread runs in its lane or will.
pub unsafe fn discard(control: *mut Control) {
    // SAFETY: the caller's.
    unsafe { (*control).tid.store(0, Relaxed) };
    POOL.lock().put(control);
}

/// Gives back the lane that the calling thread runs in. The thread must do nothing after that but end itself by exit(2): the lane goes to
/// another thread once the kernel has cleared `Control::tid` (CLONE_CHILD_CLEARTID), which must be non-zero until then.
///
/// # Safety
/// The lane came from [`acquire`]; thread-locals of the thread are not used any more.
pub unsafe fn release() {
    let control = control();
    // SAFETY: this thread's own.
    unsafe { (*control).heap.flush() };
    give_back_deep_stack(control);
    POOL.lock().put(control);
}

/// Bytes of a released lane's stack that stay with it.
const WARM_STACK: usize = 256 * 1024;

/// Gives the system those pages of the stack that only a deep recursion can have touched.
fn give_back_deep_stack(control: *mut Control) {
    let start = control as usize - params().lane_control as usize + GUARD_SIZE as usize;
    let end = (stack_pointer().saturating_sub(WARM_STACK)) & PAGE.wrapping_neg();
    if end > start {
        // SAFETY: the pages lie below everything that this thread still uses.
        unsafe { sys::syscall3(__NR_madvise, start, end - start, MADV_DONTNEED as usize) };
    }
}

/// Lanes of threads that have ended, or are about to.
struct Pool(*mut Control);

// SAFETY: the lanes in the pool belong to nobody else.
unsafe impl Send for Pool {}

static POOL: Lock<Pool> = Lock::new(Pool(core::ptr::null_mut()));

impl Pool {
    fn put(&mut self, control: *mut Control) {
        // SAFETY: in the pool, the link is the pool's.
        unsafe { (*control).next_free = self.0 };
        self.0 = control;
    }

    /// Any lane that its last thread has left for good.
    fn take(&mut self) -> Option<*mut Control> {
        let mut link = &raw mut self.0;
        // SAFETY: links lead from lane to lane of the pool.
        unsafe {
            while !(*link).is_null() {
                let control = *link;
                if (*control).tid.load(Acquire) == 0 {
                    *link = (*control).next_free;
                    return Some(control);
                }
                link = &raw mut (*control).next_free;
            }
        }
        None
    }
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

/// One slot of the lane table, as wrappers read it.
#[repr(C)]
struct Slot {
    m: AtomicUsize,
    control: AtomicUsize,
}

/// The address of the lane table; 0 before the first use of the image.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[allow(non_upper_case_globals)] // The name is the linker's.
pub static rsyso_lane_table: AtomicU64 = AtomicU64::new(0);

const SLOTS: usize = 1 << LANE_TABLE_BITS;

/// Lanes in the table. Some slots must stay free: a search for an `m` that is not there ends at one.
static USED: AtomicUsize = AtomicUsize::new(0);

/// Makes the lane table, once.
pub(crate) fn create_table() {
    // SAFETY: a fresh mapping.
    let result = unsafe {
        sys::syscall6(
            __NR_mmap,
            0,
            SLOTS * size_of::<Slot>(),
            (PROT_READ | PROT_WRITE) as usize,
            (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE) as usize,
            usize::MAX,
            0,
        )
    };
    match sys::check(result) {
        Ok(address) => rsyso_lane_table.store(address as u64, Release),
        Err(errno) => fatal_errno("cannot map the table of threads (mmap failed)", errno),
    }
}

/// Enters the lane of the running `m` into the table.
pub(crate) fn insert(m: usize, control: *mut Control) {
    if USED.fetch_add(1, Relaxed) >= SLOTS / 8 * 7 {
        fatal("too many threads have called into the Rust library");
    }
    let table = rsyso_lane_table.load(Acquire) as *const Slot;
    let mut index = ((m as u32).wrapping_mul(LANE_HASH) >> (32 - LANE_TABLE_BITS)) as usize;
    loop {
        // SAFETY: the index is below SLOTS.
        let slot = unsafe { &*table.add(index) };
        // Only this thread ever looks at the second word of this `m`'s slot: it may be written after the first.
        if slot.m.compare_exchange(0, m, AcqRel, Relaxed).is_ok() {
            slot.control.store(control as usize, Release);
            return;
        }
        index = (index + 1) % SLOTS;
    }
}
