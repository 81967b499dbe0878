//! The lane table, in which wrappers look for the lane of the running `m`.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::*};

use super::control::Control;
use crate::arch::calls::read;
use crate::contract::{LANE_HASH, LANE_TABLE_BITS};
use crate::sys::die::{fatal, fatal_errno};
use crate::sys::lock::Lock;
use crate::sys::map_zeroed;

/// One slot of the lane table, as wrappers read it.
#[repr(C)]
pub(super) struct Slot {
    pub(super) m: AtomicUsize,
    pub(super) control: AtomicUsize,
}

impl Slot {
    /// Gives the slot up. Called by the thread that runs its `m`, or by who claimed it.
    pub(super) fn empty(&self) {
        self.control.store(0, Relaxed);
        self.m.store(EMPTIED, Release);
    }
}

read! {
    /// The address of the lane table; 0 before the first use of the image.
    static rsyso_lane_table: AtomicU64 = AtomicU64::new(0);

    /// The package that the image serves, told by the landing of its stubs: a program may hold copies of the package, and all of them call the wrappers
    /// of one image (`enter/copies.rs`). 0 until there is a lane table and all else is ready for use.
    static rsyso_lane_owner: AtomicUsize = AtomicUsize::new(0);
}

const SLOTS: usize = 1 << LANE_TABLE_BITS;

/// In the place of an `m`: the slot is being emptied. No `m` has this address, nor the next.
pub(super) const CLAIMED: usize = 1;
/// In the place of an `m`: the slot was emptied. Searches go past it, and another `m` may have it.
pub(super) const EMPTIED: usize = 2;

/// Slots that are not 0. Some must stay so: a search for an `m` that is not there ends at one.
pub(super) static USED: AtomicUsize = AtomicUsize::new(0);

/// Makes the lane table, once.
pub(crate) fn create_table() {
    match map_zeroed(SLOTS * size_of::<Slot>()) {
        Ok(address) => rsyso_lane_table.store(address as u64, Release),
        Err(errno) => fatal_errno("cannot map the table of threads (mmap failed)", errno),
    }
}

/// The slots of the table, which is there.
pub(super) fn table() -> &'static [Slot] {
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

/// Held while there are claimed slots.
pub(super) static LOOKING: Lock<()> = Lock::new(());

/// The slot of `m`, which runs here.
///
/// A slot that is claimed at the moment may turn out to be that of this `m`: its thread is taken for one that has ended, at the same address. An `m` must
/// never have two slots, so that is waited for.
pub(super) fn slot(m: usize) -> Option<&'static Slot> {
    let table = table();
    loop {
        let (mut index, mut claimed) = (home(m), false);
        loop {
            let slot = &table[index];
            match slot.m.load(Acquire) {
                found if found == m => return Some(slot),
                0 => break,
                other => claimed |= other == CLAIMED,
            }
            index = (index + 1) % SLOTS;
        }
        if !claimed {
            return None;
        }
        drop(LOOKING.lock());
    }
}

/// Where the search for the slot of `m` begins.
fn home(m: usize) -> usize {
    ((m as u32).wrapping_mul(LANE_HASH) >> (32 - LANE_TABLE_BITS)) as usize
}
