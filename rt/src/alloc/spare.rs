//! Mappings of large blocks that were freed and will be used again: a mapping fresh from the kernel costs a page fault for every page of it.
//!
//! The list is short, in no order, and behind a lock. A mapping is cut to what is asked for; the rest stays, and joins its neighbours again.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

use super::system::unmap;
use crate::sys::lock::Lock;

/// Bytes that are kept, at most.
const KEPT: usize = 128 << 20;

/// Mappings that are kept, at most.
const COUNT: usize = 64;

/// A rest of fewer bytes stays with the block that it was cut from.
const REST_MIN: usize = 64 << 10;

/// A mapping that nobody uses.
#[derive(Clone, Copy)]
struct Spare {
    start: usize,
    bytes: usize,
    /// [`NOW`] when it was freed: of several that were joined, the first.
    since: u32,
}

struct Spares {
    list: [Spare; COUNT],
    length: usize,
    bytes: usize,
}

static SPARES: Lock<Spares> = Lock::new(Spares {
    list: [Spare {
        start: 0,
        bytes: 0,
        since: 0,
    }; COUNT],
    length: 0,
    bytes: 0,
});

/// Counts the looks of the keeper.
static NOW: AtomicU32 = AtomicU32::new(0);

/// Between these addresses lie all pages that the program has made read-only or taken access from.
static PROTECTED_FROM: AtomicUsize = AtomicUsize::new(usize::MAX);
static PROTECTED_TO: AtomicUsize = AtomicUsize::new(0);

/// Notes that the program changed the protection of pages: what lies there is not used again, but goes back to the system.
pub(crate) fn protected(start: usize, bytes: usize) {
    PROTECTED_FROM.fetch_min(start, Relaxed);
    PROTECTED_TO.fetch_max(start.saturating_add(bytes), Relaxed);
}

impl Spares {
    fn remove(&mut self, at: usize) -> Spare {
        let spare = self.list[at];
        self.length -= 1;
        self.bytes -= spare.bytes;
        self.list[at] = self.list[self.length];
        spare
    }

    /// Cuts `bytes` off the start of a spare; all of it if the rest is not worth keeping. Returns how many they are.
    fn cut(&mut self, at: usize, bytes: usize) -> usize {
        let spare = &mut self.list[at];
        let rest = spare.bytes - bytes;
        if rest < REST_MIN {
            return self.remove(at).bytes;
        }
        spare.start += bytes;
        spare.bytes = rest;
        self.bytes -= bytes;
        bytes
    }

    /// Adds a mapping, and joins it with its neighbours. False if part of it is here already.
    fn add(&mut self, mut new: Spare) -> bool {
        let mut at = 0;
        while at < self.length {
            let other = self.list[at];
            let (end, other_end) = (new.start + new.bytes, other.start + other.bytes);
            if new.start < other_end && other.start < end {
                return false;
            }
            if new.start == other_end || other.start == end {
                self.remove(at);
                new = Spare {
                    start: new.start.min(other.start),
                    bytes: new.bytes + other.bytes,
                    since: new.since.min(other.since),
                };
                at = 0;
            } else {
                at += 1;
            }
        }
        // The caller left room for one.
        self.list[self.length] = new;
        self.length += 1;
        self.bytes += new.bytes;
        true
    }

    /// The spare that was here first, among those for which `f` holds.
    fn oldest(&self, f: impl Fn(&Spare) -> bool) -> Option<usize> {
        (0..self.length)
            .filter(|at| f(&self.list[*at]))
            .min_by_key(|at| self.list[*at].since)
    }
}

/// A spare mapping of at least `bytes`, a multiple of the page size: where it starts, and its bytes. What stands there is anything.
pub(super) fn take(bytes: usize) -> Option<(*mut u8, usize)> {
    let mut spares = SPARES.lock();
    let best = (0..spares.length)
        .filter(|at| spares.list[*at].bytes >= bytes)
        .min_by_key(|at| spares.list[*at].bytes)?;
    let start = spares.list[best].start;
    Some((start as *mut u8, spares.cut(best, bytes)))
}

/// At least `bytes` more behind a mapping that ends at `end`: how many. What stands there is anything.
pub(super) fn take_behind(end: usize, bytes: usize) -> Option<usize> {
    let mut spares = SPARES.lock();
    let at = (0..spares.length).find(|at| {
        let spare = &spares.list[*at];
        spare.start == end && spare.bytes >= bytes
    })?;
    Some(spares.cut(at, bytes))
}

/// Keeps a mapping for later, or gives it back to the system. False if it was freed before. How many bytes are kept then.
///
/// # Safety
/// The mapping is the caller's, and nobody uses it any more.
pub(super) unsafe fn put(start: *mut u8, bytes: usize) -> Result<usize, ()> {
    let (from, to) = (start as usize, start as usize + bytes);
    let protected = from < PROTECTED_TO.load(Relaxed) && PROTECTED_FROM.load(Relaxed) < to;
    if bytes > KEPT || protected {
        // SAFETY: the caller's, and not used any more.
        unsafe { unmap(start, bytes) };
        return Ok(0);
    }
    let new = Spare {
        start: from,
        bytes,
        since: NOW.load(Relaxed),
    };
    loop {
        let mut spares = SPARES.lock();
        if spares.length < COUNT && spares.bytes + bytes <= KEPT {
            return match spares.add(new) {
                true => Ok(spares.bytes),
                false => Err(()),
            };
        }
        let Some(old) = spares.oldest(|_| true).map(|at| spares.remove(at)) else {
            continue;
        };
        drop(spares);
        // SAFETY: it is in no list any more.
        unsafe { unmap(old.start as *mut u8, old.bytes) };
    }
}

/// Bytes that are kept.
pub(super) fn kept() -> usize {
    SPARES.lock().bytes
}

/// Gives back to the system what nobody has used between the last two looks of the keeper.
pub(super) fn trim() {
    let now = NOW.fetch_add(1, Relaxed);
    release(|spare| now.wrapping_sub(spare.since) as i32 >= 1);
}

/// Gives everything back to the system. False if there was nothing.
pub(super) fn release_all() -> bool {
    release(|_| true)
}

/// Gives back to the system what `f` holds for. False if there was nothing.
fn release(f: impl Fn(&Spare) -> bool) -> bool {
    let mut any = false;
    loop {
        let mut spares = SPARES.lock();
        let Some(old) = spares.oldest(&f).map(|at| spares.remove(at)) else {
            return any;
        };
        drop(spares);
        // SAFETY: it is in no list any more.
        unsafe { unmap(old.start as *mut u8, old.bytes) };
        any = true;
    }
}
