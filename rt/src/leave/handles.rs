//! Handles of Go's: which calls use which, and when what is closed is dropped.
//!
//! Go's handle leads to a *cell*, which belongs to the Rust value. A wrapper writes the cells of the handles that its call uses into the lane's
//! control block (`Control::uses`), and clears them when the call ends. Nobody counts: a count that all threads share would cost several times
//! what the call costs. Instead whoever closes a cell looks at all lanes.
//!
//! What makes that sound is the order of two pairs of accesses:
//!
//! ```text
//! a call begins:  uses[i] = cell;  is cell.state open?      a call ends:  uses[i] = 0;  is cell.state open?
//! close:          cell.state = closed;  is cell in any lane's uses?
//! ```
//!
//! If both sides' stores were still on their way when the other side loads, a call would go on with a value that is being dropped. A processor
//! lets loads overtake stores unless a barrier stands between (Intel SDM volume 3, "Loads May Be Reordered with Earlier Stores to
//! Different Locations"), and a barrier costs more than the rest of a call. So calls have none, and `close` makes all
//! threads of the process run one: membarrier(2). A call whose store came before it is seen; one whose store comes after it loads what
//! `close` stored, and comes here. The end of a call is the same: either it was over before the barrier and `close` sees that, or
//! it finds the cell closed and comes here to drop the value.
//!
//! The barrier is spared where no other thread can be in that place. A cell remembers the lane that last used it; another lane must come
//! here first, and makes the cell one of many lanes ([`MANY`]), for good. So if a cell has been used by none but the lane that closes it,
//! program order is enough: a lane makes one call at a time, and this one is the close.
//!
//! All else happens under one lock: becoming a user for the first time, closing, taking, and the end of a call whose cell is not open.
//! So the one who finds that nobody uses a closed cell is the only one who does, and drops the value.
//!
//! Some uses outlast the call: what the library lent is copied by Go code, which may change threads. For these there is a count,
//! `Cell::pins`, raised by the wrapper before it clears its use, and lowered by Go. Handles that several others lend from count pins of each
//! as well; such a cell is never open, so its calls always come here.

use core::ffi::{CStr, c_char, c_void};
use core::fmt::Write;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering::*, fence};

use linux_raw_sys::general::*;

use super::departure::{leave, refusal};
use super::line::{LINE, Line};
use crate::arch::page::PAGE;
use crate::contract::*;
use crate::lane::{self, Control, control};
use crate::sys;
use crate::sys::die::fatal;
use crate::sys::lock::Lock;

/// `Cell::last` of a cell that several lanes have used.
const MANY: usize = CELL_MANY as usize;

/// A value to be dropped, and what drops it: in the registers of a C result of two words. Null when there is none.
#[repr(C)]
pub struct Drop {
    raw: *mut c_void,
    free: usize,
}

const NOTHING: Drop = Drop {
    raw: null_mut(),
    free: 0,
};

/// Values that are to be dropped, for want of a place to do so at once.
struct Due {
    next: *mut Due,
    drop: Drop,
}

/// The head of the list. Held to change any cell's state, and `last`.
static LOCK: Lock<Queue> = Lock::new(Queue);

/// Proof of the lock.
struct Queue;

/// Changed under the lock; looked at without.
static DUE: AtomicPtr<Due> = AtomicPtr::new(null_mut());

/// Why a call does not take place.
enum Refusal {
    Nil,
    Closed,
    OwnerClosed,
    Lent,
    InUse,
}

/// Called by a wrapper whose use of a handle it could not find in order by itself; `uses[slot]` holds the cell, unless there is none.
/// Returns if the call may go on.
///
/// # Safety
/// Called by wrappers, on the lane of `control`. `note` is what [`refuse`] wants.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_handle_use(
    control: *mut Control,
    slot: usize,
    handle: *const Handle,
    note: *const c_char,
) {
    // SAFETY: Go keeps the handle and its cell alive during the call.
    let used =
        unsafe { given(handle) }.and_then(|(handle, cell)| match begin(control, slot, cell) {
            true => Ok(()),
            false if handle.lent => Err(Refusal::OwnerClosed),
            false => Err(Refusal::Closed),
        });
    if let Err(refusal) = used {
        // SAFETY: the wrapper gave `note`, and the call has not begun: nothing on the lane is used.
        unsafe { refuse(control, note, refusal) }
    }
}

/// A handle that a call was given, and its cell; or why there is none.
///
/// # Safety
/// Null, or alive as long as the call, and so its cell.
unsafe fn given<'a>(handle: *const Handle) -> Result<(&'a Handle, &'a Cell), Refusal> {
    // SAFETY: null, or alive as long as the call, and so its cell.
    unsafe {
        let handle = handle.as_ref().ok_or(Refusal::Nil)?;
        let cell = handle.cell.as_ref().ok_or(Refusal::Closed)?;
        Ok((handle, cell))
    }
}

/// Makes the lane a user of a cell that it shows already, if that is open; else it shows it no more.
fn begin(control: *mut Control, slot: usize, cell: &Cell) -> bool {
    let _guard = LOCK.lock();
    match cell.state.load(Relaxed) {
        CELL_OPEN => {
            match cell.last.load(Relaxed) {
                0 => cell.last.store(control as usize, Relaxed),
                last if last == control as usize || last == MANY => {}
                _ => cell.last.store(MANY, Relaxed),
            }
            // The lane shows the cell before anybody else gets the lock.
            fence(SeqCst);
            true
        }
        CELL_JOINT => {
            let open = of(cell).all(|c| c.state.load(Relaxed) == CELL_OPEN);
            match open {
                true => of(cell).for_each(|c| {
                    c.pins.fetch_add(1, SeqCst);
                }),
                false => forget_use(control, slot),
            }
            open
        }
        _ => {
            forget_use(control, slot);
            // Whoever closed it may have taken this for a call.
            settle(cell);
            false
        }
    }
}

/// The cells that a joint one stands for.
fn of(joint: &Cell) -> impl Iterator<Item = &Cell> {
    // SAFETY: cells of this state are made with the rest behind them.
    unsafe {
        let joint = &*(joint as *const Cell).cast::<Joint>();
        (0..joint.of.len).map(|i| &**joint.of.data.add(i))
    }
}

/// The lane does not show the cell any more.
fn forget_use(control: *mut Control, slot: usize) {
    // SAFETY: this thread's own, and the wrappers give no other number.
    unsafe { (&(*control).head.uses)[slot].store(0, Release) };
}

/// Called by a wrapper for a handle that its function takes for good. Returns if the function may have the value; it is shown in `uses[slot]` then, for
/// the wrapper to clear when nothing can be refused any more.
///
/// # Safety
/// As [`rsyso_handle_use`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_handle_take(
    control: *mut Control,
    slot: usize,
    handle: *const Handle,
    note: *const c_char,
) {
    // SAFETY: Go keeps the handle and its cell alive during the call.
    let taken = unsafe { given(handle) }.and_then(|(handle, cell)| match handle.lent {
        true => Err(Refusal::Lent),
        false => take(control, cell, slot),
    });
    if let Err(refusal) = taken {
        // SAFETY: the wrapper gave `note`, and the call has not begun: nothing on the lane is used.
        unsafe { refuse(control, note, refusal) }
    }
}

fn take(control: *mut Control, cell: &Cell, slot: usize) -> Result<(), Refusal> {
    let _guard = LOCK.lock();
    if cell.state.load(Relaxed) != CELL_OPEN {
        return Err(Refusal::Closed);
    }
    cell.state.store(CELL_TAKEN, SeqCst);
    if is_used(control, cell) {
        cell.state.store(CELL_OPEN, SeqCst);
        return Err(Refusal::InUse);
    }
    // SAFETY: this thread's own.
    unsafe { (&(*control).head.uses)[slot].store(cell as *const Cell as usize, Relaxed) };
    Ok(())
}

/// Called by the wrapper of a function that frees, which is `free`, when a handle is closed or forgotten: what is to be dropped now.
///
/// # Safety
/// Called by wrappers; the cell is alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_handle_close(cell: *mut Cell, free: usize) -> Drop {
    // SAFETY: the handle that is closed keeps its cell alive.
    let cell = unsafe { &*cell };
    let _guard = LOCK.lock();
    match cell.state.load(Relaxed) {
        CELL_OPEN => {
            cell.free.store(free, Relaxed);
            cell.state.store(CELL_CLOSED, SeqCst);
            match is_used(control(), cell) {
                true => NOTHING,
                false => gone(cell),
            }
        }
        // Should that be given up, the cell is closed.
        CELL_TAKEN => {
            cell.free.store(free, Relaxed);
            NOTHING
        }
        _ => NOTHING,
    }
}

/// The value of a closed cell that nobody uses, under the lock.
fn gone(cell: &Cell) -> Drop {
    cell.state.store(CELL_GONE, Relaxed);
    Drop {
        raw: cell.raw,
        free: cell.free.load(Relaxed),
    }
}

/// Whether a call is under way that uses a cell which no call can begin to use any more, under the lock; `control` is the lane this runs on.
fn is_used(control: *mut Control, cell: &Cell) -> bool {
    let last = cell.last.load(Relaxed);
    if last != 0 && last != control as usize {
        barrier();
        return shown(cell);
    }
    // SAFETY: this thread's own.
    let own = unsafe { shows(control, cell) };
    own || cell.pins.load(SeqCst) != 0
}

/// Whether a lane shows a cell, or something pins it.
fn shown(cell: &Cell) -> bool {
    // In this order: a use becomes a pin before it ends.
    // SAFETY: lanes of the list are mapped; what is retired is not in use.
    lane::list::any(|control| unsafe { shows(control, cell) }) || cell.pins.load(SeqCst) != 0
}

/// Whether a lane shows a cell.
///
/// # Safety
/// `control` is a lane's control block.
unsafe fn shows(control: *mut Control, cell: &Cell) -> bool {
    // SAFETY: a lane's control block stays mapped.
    let uses = unsafe { &(*control).head.uses };
    uses.iter()
        .any(|shown| shown.load(Acquire) == cell as *const Cell as usize)
}

/// Called by a wrapper whose call used a cell that is open no more, and by Go when it has unpinned one: what is to be dropped now.
///
/// # Safety
/// The cell is alive, and this call of it over; null for none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_handle_used(cell: *mut Cell) -> Drop {
    // SAFETY: null, or kept alive by the handle whose use has ended.
    if let Some(cell) = unsafe { cell.as_ref() } {
        let _guard = LOCK.lock();
        end_one(cell);
    }
    rsyso_handle_due()
}

/// A use of a cell has ended, under the lock.
fn end_one(cell: &Cell) {
    match cell.state.load(Relaxed) {
        // Each end of a call whose result Go still copies pins the joint cell: then the pins of the others are Go's to lower.
        CELL_JOINT if cell.pins.load(SeqCst) > 0 => {
            cell.pins.fetch_sub(1, SeqCst);
        }
        CELL_JOINT => of(cell).for_each(|c| {
            c.pins.fetch_sub(1, SeqCst);
            settle(c);
        }),
        _ => settle(cell),
    }
}

/// Lists the value of a cell to be dropped, if it is closed and nobody uses it. The barrier was when it was closed: who uses it now
/// comes here at the end.
fn settle(cell: &Cell) {
    if cell.state.load(Relaxed) == CELL_CLOSED && !shown(cell) {
        // SAFETY: a fresh block.
        unsafe {
            let due: *mut Due = libc::malloc(size_of::<Due>()).cast();
            if due.is_null() {
                fatal("out of memory while a handle was closed");
            }
            due.write(Due {
                next: DUE.load(Relaxed),
                drop: gone(cell),
            });
            DUE.store(due, Release);
        }
    }
}

/// The next value to be dropped, if there is one.
#[unsafe(no_mangle)]
pub extern "C" fn rsyso_handle_due() -> Drop {
    if DUE.load(Acquire).is_null() {
        return NOTHING;
    }
    let _guard = LOCK.lock();
    let due = DUE.load(Relaxed);
    if due.is_null() {
        return NOTHING;
    }
    // SAFETY: a block of our own, off the list.
    unsafe {
        let Due { next, drop } = due.read();
        DUE.store(next, Relaxed);
        libc::free(due.cast());
        drop
    }
}

/// The call on a lane has ended, without the wrapper's doing.
pub(crate) fn end(control: *mut Control) {
    // SAFETY: this thread's own.
    let uses = unsafe { &(*control).head.uses };
    if uses.iter().all(|shown| shown.load(Relaxed) == 0) {
        return;
    }
    let _guard = LOCK.lock();
    for shown in uses {
        let cell = shown.swap(0, AcqRel) as *const Cell;
        // SAFETY: cells that are shown are alive.
        let Some(cell) = (unsafe { cell.as_ref() }) else {
            continue;
        };
        // Only while the handles of a call are looked at: another one was refused.
        if cell.state.load(Relaxed) == CELL_TAKEN {
            let state = match cell.free.load(Relaxed) {
                0 => CELL_OPEN,
                _ => CELL_CLOSED,
            };
            cell.state.store(state, SeqCst);
        }
        end_one(cell);
    }
}

/// Ends a call that has not begun by a Go panic. `note` is three strings: what comes before the type, the type, what comes behind.
///
/// # Safety
/// As [`leave`].
unsafe fn refuse(control: *mut Control, note: *const c_char, why: Refusal) -> ! {
    end(control);
    let mut at = note;
    let mut next = || {
        // SAFETY: the linker's, in the image.
        let text = unsafe { CStr::from_ptr(at) };
        at = at.wrapping_add(text.count_bytes() + 1);
        text.to_str().unwrap_or_default()
    };
    let (before, name, behind) = (next(), next(), next());
    let mut buffer = [0; LINE];
    let mut line = Line::new(&mut buffer);
    let _ = match why {
        Refusal::Nil => write!(line, "{before}nil *{name}{behind}"),
        Refusal::Closed => write!(line, "{before}{name} that is closed{behind}"),
        Refusal::OwnerClosed => write!(line, "{before}{name} whose owner is closed{behind}"),
        Refusal::Lent => write!(line, "{before}{name} that is the library's own{behind}"),
        Refusal::InUse => write!(line, "{before}{name} that is in use{behind}"),
    };
    // SAFETY: a wrapper entered the lane, and the call that it was to make has not begun.
    unsafe { leave(control, refusal(line.text().as_bytes())) }
}

/// Makes every thread of the process that is running pass a memory barrier.
fn barrier() {
    fence(SeqCst);
    if !sys::all_threads_see() {
        unmap_a_page();
    }
    fence(SeqCst);
}

/// A barrier where the kernel has no membarrier(2), or a sandbox forbids it: a page that goes away interrupts every processor that the process
/// runs on, for its address translations.
#[cold]
fn unmap_a_page() {
    let Ok(page) = sys::map_zeroed(PAGE) else {
        fatal("neither membarrier nor mmap can order memory: a handle cannot be closed");
    };
    // SAFETY: a fresh mapping. The page must be there for its translation to be.
    unsafe {
        (page as *mut u8).write_volatile(1);
        sys::syscall2(__NR_munmap, page, PAGE);
    }
}
