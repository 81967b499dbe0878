//! Lanes: the stack, thread-locals and control block of one thread as Rust sees it. `shared.rs` has the picture.
//!
//! Each of Go's threads (`m`) gets a lane on its first call into the image, and keeps it; each thread that Rust spawns
//! gets one too. The lane *is* the thread as Rust sees it. A Go thread's end is not seen here (Go ends few: those that a goroutine had locked):
//! its lane is found again later ([`ended`]). Two Go threads that come one after the other at one address of `m` may be one thread to Rust.

use core::ptr::null_mut;
use core::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering::*};

use linux_raw_sys::general::*;

use crate::alloc::Cache;
use crate::arch::lane::{PAGE, map_lane, stack_pointer};
use crate::die::{fatal, fatal_errno};
use crate::image::{base, params};
use crate::lock::Lock;
use crate::shared::{CONTROL_SIZE, GUARD_SIZE, LANE_HASH, LANE_TABLE_BITS, OUTER_GUARD_SIZE, USES};
use crate::sys;

pub(crate) mod ended;
pub(crate) mod list;

pub(crate) use list::{containing, guarded, register};

/// The control block of a lane, at its initial stack pointer. A fresh lane has all of it zero.
#[repr(C, align(64))]
pub struct Control {
    /// The goroutine's stack pointer (`shared::CONTROL_GO_SP`), written by the wrappers.
    pub go_sp: usize,
    /// The goroutine's frame pointer (`shared::CONTROL_GO_BP`), written by the wrappers.
    pub go_bp: usize,
    /// Where Go goes on if the call does not return (`shared::CONTROL_GO_LANDING`), written by the wrappers.
    pub go_landing: usize,
    /// The cells of the handles that the call uses (`shared::CONTROL_USES`), written by the wrappers (`handles.rs`).
    pub uses: [AtomicUsize; USES],
    /// C's `errno`.
    pub errno: i32,
    /// The kernel's id of the thread that runs on this lane, for threads that Rust spawned; 0 for Go's threads, which may change.
    /// To be passed to clone(2) as CLONE_PARENT_SETTID and CLONE_CHILD_CLEARTID: a lane is not reused before the kernel has cleared it.
    pub tid: AtomicI32,
    /// The lane after this one in the pool of lanes that are free.
    next_free: *mut Control,
    /// Of a lane of Go's: another one that stands ready to take its place ([`unseat`]). That one has none.
    spare: *mut Control,
    /// The `m` in whose slot the lane was put, for [`ended`].
    owner: usize,
    /// Whether the lane is in the list of all lanes already.
    listed: bool,
    /// Whether the inner guard is accessible (`room.rs`).
    pub(crate) guard_open: bool,
    /// The C side's record of the thread, null for Go's threads.
    pub pthread: *mut core::ffi::c_void,
    /// What the thread pointer leads to on threads that Rust spawned (`c/thread/spawn.rs`).
    pub thread_area: [usize; 2],
    /// Small free blocks of this thread.
    pub(crate) heap: Cache,
    /// The call on this lane that takes Go functions.
    #[cfg(not(test))]
    pub callbacks: crate::callback::Callbacks,
    /// What panics of this thread have said (`panics.rs`).
    #[cfg(not(test))]
    pub(crate) panics: crate::panics::Said,
    /// What the unwinder reads about one frame.
    #[cfg(not(test))]
    pub(crate) eh_frame_hdr: crate::unwind::Header,
}

const _: () = assert!(core::mem::size_of::<Control>() as u64 <= CONTROL_SIZE);
const _: () = assert!(core::mem::offset_of!(Control, go_sp) as u64 == crate::shared::CONTROL_GO_SP);
const _: () = assert!(core::mem::offset_of!(Control, go_bp) as u64 == crate::shared::CONTROL_GO_BP);
const _: () =
    assert!(core::mem::offset_of!(Control, go_landing) as u64 == crate::shared::CONTROL_GO_LANDING);
const _: () = assert!(core::mem::offset_of!(Control, uses) as u64 == crate::shared::CONTROL_USES);

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
    // Not in the `match`: the pool would stay locked while a lane is mapped.
    let pooled = POOL.lock().take();
    let control = match pooled {
        Some(control) => control,
        None => {
            // SAFETY: callable at any time.
            let control = sys::check(unsafe { map_lane() })? as *mut Control;
            register(control);
            control
        }
    };
    // SAFETY: no thread runs in this lane.
    unsafe { wipe(control) };
    init_tls(control);
    SPAWNED.fetch_add(1, AcqRel);
    Ok(control)
}

/// Makes the control block that of a thread which is yet to begin. What is known of the lane itself stays: that it is listed, and how its guard is.
///
/// # Safety
/// No thread runs in the lane.
unsafe fn wipe(control: *mut Control) {
    // SAFETY: the caller's.
    unsafe {
        let (listed, guard_open) = ((*control).listed, (*control).guard_open);
        control.write_bytes(0, 1);
        (*control).listed = listed;
        (*control).guard_open = guard_open;
    }
}

/// Threads that Rust spawned and that have not ended.
static SPAWNED: AtomicUsize = AtomicUsize::new(0);

/// Gives back a lane from [`acquire`] whose thread never started.
///
/// # Safety
/// `control` came from `acquire`, and no thread runs in its lane or will.
pub unsafe fn discard(control: *mut Control) {
    // SAFETY: the caller's.
    unsafe { (*control).tid.store(0, Relaxed) };
    SPAWNED.fetch_sub(1, AcqRel);
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
    SPAWNED.fetch_sub(1, AcqRel);
    POOL.lock().put(control);
}

/// Bytes of a released lane's stack that stay with it.
const WARM_STACK: usize = 256 * 1024;

/// Gives the system those pages of the stack that only a deep recursion can have touched.
fn give_back_deep_stack(control: *mut Control) {
    give_back_below(control, stack_pointer());
}

/// Gives the system the pages of a lane's stack that lie more than [`WARM_STACK`] below an address.
fn give_back_below(control: *mut Control, top: usize) {
    let start = base_of(control) + GUARD_SIZE as usize;
    let end = (top.saturating_sub(WARM_STACK)) & PAGE.wrapping_neg();
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

/// Lanes of Go's that are in no slot: each took the place of one that was away with its call (`callback.rs`), and is a thread to Rust
/// as it stands.
static IDLE: Lock<Pool> = Lock::new(Pool(core::ptr::null_mut()));

/// The lane of the thread that runs `m` is away: another takes its place. If there is room for none, the thread has no lane for now, and its next call
/// looks for one again.
pub(crate) fn unseat(m: usize, away: *mut Control) {
    // SAFETY: this thread's own.
    let spare = unsafe { core::mem::replace(&mut (*away).spare, null_mut()) };
    let control = match spare.is_null() {
        false => Some(spare),
        true => idle(),
    };
    match (slot(m), control) {
        (Some(slot), Some(control)) => {
            // SAFETY: this thread's own from here on.
            unsafe { (*control).owner = m };
            slot.control.store(control as usize, Release);
        }
        (None, Some(control)) => insert(m, control),
        (Some(slot), None) => slot.empty(),
        (None, None) => {}
    }
}

/// A lane of Go's that is in no slot; none if there is no room for another.
#[cold]
fn idle() -> Option<*mut Control> {
    // Not in the `or_else`: the pool would stay locked while a lane is mapped.
    let pooled = IDLE.lock().take();
    pooled.or_else(|| {
        // SAFETY: callable at any time.
        let control = sys::check(unsafe { map_lane() }).ok()? as *mut Control;
        register(control);
        init_tls(control);
        Some(control)
    })
}

/// The lane that the next thread of Go's takes that comes without one; 0 if it is to map one. (`arch::lane::rsyso_lane_slow` takes it.)
pub(crate) static READY: AtomicUsize = AtomicUsize::new(0);

/// Readies a lane of an ended thread, if there is one.
pub(crate) fn make_ready() {
    if READY.load(Relaxed) != 0 {
        return;
    }
    let Some(control) = IDLE.lock().take() else {
        return;
    };
    if READY
        .compare_exchange(0, control as usize, Release, Relaxed)
        .is_err()
    {
        IDLE.lock().put(control);
    }
}

/// A lane comes back from its call, on the thread that runs `m`, whose lane it is from now on. It keeps the one that was there, but not that
/// one's spare, too: lanes would pile up with threads that make no such calls.
pub(crate) fn seat(m: usize, control: *mut Control) {
    let Some(slot) = slot(m) else {
        return insert(m, control);
    };
    // Only the thread that runs `m` writes there.
    let other = slot.control.load(Relaxed) as *mut Control;
    slot.control.store(control as usize, Release);
    // SAFETY: both are this thread's own.
    let spare = unsafe {
        (*control).owner = m;
        (*control).spare = other;
        core::mem::replace(&mut (*other).spare, null_mut())
    };
    if !spare.is_null() {
        IDLE.lock().put(spare);
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

impl Slot {
    /// Gives the slot up. Called by the thread that runs its `m`, or by who claimed it.
    fn empty(&self) {
        self.control.store(0, Relaxed);
        self.m.store(EMPTIED, Release);
    }
}

/// The address of the lane table; 0 before the first use of the image.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[allow(non_upper_case_globals)] // The name is the linker's.
pub static rsyso_lane_table: AtomicU64 = AtomicU64::new(0);

/// The package that the image serves, told by the landing of its stubs: a program may hold copies of the package, and all of them call the wrappers
/// of one image (`copies.rs`). 0 until there is a lane table and all else is ready for use.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[allow(non_upper_case_globals)] // The name is the linker's.
pub static rsyso_lane_owner: AtomicUsize = AtomicUsize::new(0);

const SLOTS: usize = 1 << LANE_TABLE_BITS;

/// In the place of an `m`: the slot is being emptied. No `m` has this address, nor the next.
const CLAIMED: usize = 1;
/// In the place of an `m`: the slot was emptied. Searches go past it, and another `m` may have it.
const EMPTIED: usize = 2;

/// Slots that are not 0. Some must stay so: a search for an `m` that is not there ends at one.
static USED: AtomicUsize = AtomicUsize::new(0);

/// Makes the lane table, once.
pub(crate) fn create_table() {
    match map_zeroed(SLOTS * size_of::<Slot>()) {
        Ok(address) => rsyso_lane_table.store(address as u64, Release),
        Err(errno) => fatal_errno("cannot map the table of threads (mmap failed)", errno),
    }
}

/// The slots of the table, which is there.
fn table() -> &'static [Slot] {
    let table = rsyso_lane_table.load(Acquire) as *const Slot;
    // SAFETY: mapped for good, zeroed.
    unsafe { core::slice::from_raw_parts(table, SLOTS) }
}

/// Enters the lane of the running `m` into the table.
pub(crate) fn insert(m: usize, control: *mut Control) {
    // SAFETY: this thread's own.
    unsafe { (*control).owner = m };
    let table = table();
    let mut index = home(m);
    for _ in 0..SLOTS {
        let slot = &table[index];
        let free = match slot.m.load(Relaxed) {
            0 if USED.load(Relaxed) < SLOTS / 8 * 7 => Some(0),
            0 => break,
            EMPTIED => Some(EMPTIED),
            _ => None,
        };
        // Only this thread ever looks at the second word of this `m`'s slot: it may be written after the first.
        if let Some(free) = free
            && slot.m.compare_exchange(free, m, AcqRel, Relaxed).is_ok()
        {
            if free == 0 {
                USED.fetch_add(1, Relaxed);
            }
            slot.control.store(control as usize, Release);
            return;
        }
        index = (index + 1) % SLOTS;
    }
    fatal("too many threads have called into the Rust library")
}

/// The slot of `m`, which runs here.
fn slot(m: usize) -> Option<&'static Slot> {
    let table = table();
    let mut index = home(m);
    loop {
        let slot = &table[index];
        match slot.m.load(Acquire) {
            found if found == m => return Some(slot),
            0 => return None,
            _ => index = (index + 1) % SLOTS,
        }
    }
}

/// Where the search for the slot of `m` begins.
fn home(m: usize) -> usize {
    ((m as u32).wrapping_mul(LANE_HASH) >> (32 - LANE_TABLE_BITS)) as usize
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

/// Puts the fresh lane `new` in the place of `old`, whose stack is used up, as that of the thread of Go's that runs now; `old` is retired.
///
/// Nothing that lives on the old stack is ever touched again by its own thread. Another thread may still hold a pointer into it (a job
/// of a thread pool, a scoped thread), so while threads of Rust's own live, it stays as it is. Otherwise its memory goes back to the
/// system, and its addresses stay taken, without access: what should not be able to reach it fails loudly.
///
/// # Safety
/// Called on `new`, fresh from `map_lane`, by the thread that ran on `old` and has left it for good.
pub(crate) unsafe fn replace(old: *mut Control, new: *mut Control) {
    #[cfg(not(test))]
    crate::handles::end(old);
    register(new);
    init_tls(new);
    // SAFETY: both are this thread's.
    unsafe {
        (*new).go_sp = (*old).go_sp;
        (*new).go_bp = (*old).go_bp;
        (*new).go_landing = (*old).go_landing;
        (*new).spare = (*old).spare;
        #[cfg(not(test))]
        (*new).callbacks.follow(&(*old).callbacks);
        (*old).heap.flush();
    }
    for slot in table() {
        if slot.control.load(Acquire) == old as usize {
            slot.control.store(new as usize, Release);
        }
    }
    if SPAWNED.load(Acquire) != 0 {
        return;
    }
    list::strike(old);
    let base = base_of(old);
    // SAFETY: the lane is nobody's any more. A fresh mapping over it; should that fail, it stays as it is.
    unsafe {
        sys::syscall6(
            __NR_mmap,
            base,
            params().lane_size as usize,
            PROT_NONE as usize,
            (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED) as usize,
            usize::MAX,
            0,
        )
    };
}

/// Anonymous memory, all zero, taken only where it is touched.
pub(crate) fn map_zeroed(bytes: usize) -> Result<usize, i32> {
    // SAFETY: a fresh mapping.
    sys::check(unsafe {
        sys::syscall6(
            __NR_mmap,
            0,
            bytes,
            (PROT_READ | PROT_WRITE) as usize,
            (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE) as usize,
            usize::MAX,
            0,
        )
    })
}
