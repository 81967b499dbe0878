//! What is known of a panic beside its payload: where it began, and what std's hook has printed.

use super::buffer::Buffer;
use super::payload::Payload;
use super::report;
use crate::image::place::Place;
use crate::sys::lock::Lock;

/// See the module.
pub(crate) struct Told {
    /// What std's hook has printed.
    pub text: Buffer,
    /// Where the panic began.
    pub place: Place,
}

impl Told {
    /// Nothing is known.
    pub(crate) const NOTHING: Told = Told {
        text: Buffer::EMPTY,
        place: Place::UNKNOWN,
    };

    /// Adds what was known of the same payload before.
    pub(crate) fn complete(&mut self, before: Told) {
        if self.place.is_unknown() {
            self.place = before.place;
        }
        match self.text.bytes() {
            [] => self.text = before.text,
            _ => before.text.free(),
        }
    }

    /// The source file and the line, empty and 0 where they are not known.
    pub(crate) fn place(&self) -> (&[u8], usize) {
        let report = report::parse(self.text.bytes());
        let (file, line) = match self.place.is_unknown() {
            true => (report.file, report.line),
            false => (self.place.file(), self.place.line as usize),
        };
        match file {
            // What rustc says instead, if it is told so (`-Z location-detail`).
            b"<redacted>" => (&[], line),
            file => (file, line),
        }
    }
}

/// What was known of caught panics, by their payload, which may be raised again. (Its box may be freed instead, and one of the same type take
/// its place: then a panic by `resume_unwind` is given the place of the other.)
struct Remembered {
    entries: [((usize, usize), Told); 64],
    next: usize,
}

// SAFETY: the blocks belong to the list, and places are constants.
unsafe impl Send for Remembered {}

static REMEMBERED: Lock<Remembered> = Lock::new(Remembered {
    entries: [const { ((0, 0), Told::NOTHING) }; 64],
    next: 0,
});

/// Keeps what is known of a panic that was caught; the oldest makes room.
pub(crate) fn remember(payload: Payload, told: Told) {
    let nothing = told.text.bytes().is_empty() && told.place.is_unknown();
    let Some(key) = payload.key().filter(|_| !nothing) else {
        return told.text.free();
    };
    let mut all = REMEMBERED.lock();
    let at = all.next;
    all.next = (at + 1) % all.entries.len();
    let old = core::mem::replace(&mut all.entries[at], (key, told));
    drop(all);
    old.1.text.free();
}

/// What was known of a panic with this payload.
pub(crate) fn remembered(payload: Payload) -> Option<Told> {
    let key = payload.key()?;
    let mut all = REMEMBERED.lock();
    // The newest first: an address may have been used again.
    let (newer, count) = (all.next, all.entries.len());
    let at = (1..=count)
        .map(|back| (newer + count - back) % count)
        .find(|at| all.entries[*at].0 == key)?;
    let (_, told) = core::mem::replace(&mut all.entries[at], ((0, 0), Told::NOTHING));
    Some(told)
}
