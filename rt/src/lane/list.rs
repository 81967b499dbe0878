//! The list of all lanes.

use core::sync::atomic::{AtomicUsize, Ordering::*};

use super::control::{Control, in_guard};
use crate::arch::calls::read;
use crate::image::params;
use crate::sys::die::{fatal, fatal_errno};
use crate::sys::lock::Lock;
use crate::sys::map_zeroed;

/// All lanes of the image, so that a fault can be told to have happened on one: the addresses of their control blocks, 0 where one was retired.
/// Read by signal handlers.
static LANES: AtomicUsize = AtomicUsize::new(0);

read! {
    /// Entries of [`LANES`] in use.
    static rsyso_lanes: AtomicUsize = AtomicUsize::new(0);
}

/// Address space for that many lanes.
const LANES_MAX: usize = 1 << 18;
/// Held to change [`LANES`]; the number of entries that are 0.
static LANES_LOCK: Lock<usize> = Lock::new(0);

/// Behind the list, the same by a hash of the address, so that a lane is found among thousands: a table with open addressing.
const PLACES: usize = 2 * LANES_MAX;

/// In the place of a lane that was retired: searches go past it.
const RETIRED: usize = 1;

/// Makes the list of lanes, once.
pub(crate) fn create_list() {
    match map_zeroed((LANES_MAX + PLACES) * size_of::<usize>()) {
        Ok(address) => LANES.store(address, Release),
        Err(errno) => fatal_errno("cannot map the list of stacks (mmap failed)", errno),
    }
}

fn lanes() -> &'static [AtomicUsize] {
    let list = LANES.load(Acquire);
    let len = if list == 0 {
        0
    } else {
        rsyso_lanes.load(Acquire)
    };
    // SAFETY: mapped for good, zeroed; no more than LANES_MAX are counted.
    unsafe { core::slice::from_raw_parts(list.max(align_of::<usize>()) as *const AtomicUsize, len) }
}

/// The places of the table, from the one on where the search for a lane begins; none before there is a list.
fn places(control: usize) -> impl Iterator<Item = &'static AtomicUsize> {
    /// 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming, 6.4).
    const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
    let list = LANES.load(Acquire);
    let (table, len) = match list {
        0 => (align_of::<AtomicUsize>(), 0),
        _ => (list + LANES_MAX * size_of::<usize>(), PLACES),
    };
    // SAFETY: mapped for good, zeroed.
    let table = unsafe { core::slice::from_raw_parts(table as *const AtomicUsize, len) };
    let number = control as u64 >> params().lane_size.trailing_zeros();
    let home = number.wrapping_mul(GOLDEN) >> (u64::BITS - PLACES.trailing_zeros());
    let (before, from) = table.split_at((home as usize).min(len));
    from.iter().chain(before)
}

/// Adds a lane to the list, unless it is in it.
pub(crate) fn register(control: *mut Control) {
    // SAFETY: the calling thread has it for itself.
    if unsafe { core::mem::replace(&mut (*control).listed, true) } {
        return;
    }
    let mut empty = LANES_LOCK.lock();
    let place = places(control as usize).find(|p| p.load(Relaxed) <= RETIRED);
    match place {
        Some(place) => place.store(control as usize, Release),
        None => fatal("too many stacks for Rust code"),
    }
    if *empty > 0
        && let Some(free) = lanes().iter().find(|l| l.load(Relaxed) == 0)
    {
        *empty -= 1;
        free.store(control as usize, Release);
        return;
    }
    let len = rsyso_lanes.load(Relaxed);
    if len == LANES_MAX {
        fatal("too many stacks for Rust code");
    }
    rsyso_lanes.store(len + 1, Release);
    lanes()[len].store(control as usize, Release);
}

/// Takes a lane off the list.
pub(crate) fn strike(control: *mut Control) {
    let mut empty = LANES_LOCK.lock();
    if let Some(place) = places(control as usize).find(|p| p.load(Relaxed) == control as usize) {
        place.store(RETIRED, Release);
    }
    for entry in lanes()
        .iter()
        .filter(|l| l.load(Relaxed) == control as usize)
    {
        *empty += 1;
        entry.store(0, Release);
    }
}

/// The lane that an address lies in. Safe to call from a signal handler.
pub(crate) fn containing(address: usize) -> Option<*mut Control> {
    let p = params();
    let control = (address & p.lane_size.wrapping_neg() as usize) + p.lane_control as usize;
    let found = places(control)
        .map(|place| place.load(Acquire))
        .find(|known| *known == control || *known == 0);
    (found == Some(control)).then_some(control as *mut Control)
}

/// The lane in whose guards an address lies. Safe to call from a signal handler.
pub(crate) fn guarded(address: usize) -> Option<*mut Control> {
    let others = || {
        let all = lanes().iter().map(|l| l.load(Acquire) as *mut Control);
        all.filter(|c| !c.is_null()).find(|c| in_guard(*c, address))
    };
    // Not all lanes have an outer guard: another lane may lie there.
    match containing(address) {
        Some(lane) => in_guard(lane, address).then_some(lane),
        None => others(),
    }
}

/// Whether a test holds for any lane. None is retired meanwhile.
pub(crate) fn any(test: impl FnMut(*mut Control) -> bool) -> bool {
    let _guard = LANES_LOCK.lock();
    let all = lanes().iter().map(|l| l.load(Acquire) as *mut Control);
    all.filter(|control| !control.is_null()).any(test)
}
