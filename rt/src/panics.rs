//! Panics: what they say, and their way to Go.
//!
//! std prints a panic's report to standard error before it raises the exception, and only then turns out who catches it. On a lane of Go's
//! the report is held back until that is known: it becomes the Go panic's message if the exception reaches a wrapper, and is
//! printed if Rust catches it, or if the program aborts. Threads of Rust's own print at once, as ever; the text is kept beside, since the
//! payload may be passed on (`resume_unwind`, as rayon does) and reach Go on another lane.
//!
//! The linker puts four functions here in front of those of the library: [`rsyso_raise_exception`](crate::arch::depart) before
//! `_Unwind_RaiseException`, [`rsyso_panic_caught`] before std's own end of a catch, [`rsyso_panic_payload`] before what that calls, and
//! [`rsyso_panic_cannot_unwind`](crate::arch::depart) before the function that ends the program when a panic is about to leave an
//! `extern "C"` function: if that is the function that the wrapper called, the panic goes on to Go instead.

use core::ffi::{c_int, c_void};
use core::ptr::null_mut;

use unwinding::abi::*;

use crate::arch::depart::{EXCEPTION_REGISTER, landing_pad, leave, std_function};
use crate::callback;
use crate::depart::{reaches_go, recoverable};
use crate::lane::{self, Control, containing, control};
use crate::lock::Lock;
use crate::report;
use crate::room;
use crate::sys::write_stderr;

/// `MOZ\0RUST` (library/panic_unwind/src/gcc.rs, `RUST_EXCEPTION_CLASS`): the bytes in order since Rust 1.77, a number before.
const RUST: [u64; 2] = [
    u64::from_ne_bytes(*b"MOZ\0RUST"),
    u64::from_be_bytes(*b"MOZ\0RUST"),
];

/// What a text says when there is none.
const SILENT: &[u8] = b"a panic without a message (it was raised by resume_unwind, or a panic hook of the library's own took the message)";

/// What Go is told of an exception that is not Rust's.
const FOREIGN: &[u8] = b"an exception that was not raised by Rust";

/// What Go is told if the end of a Go function arrives by another call than that which it was given to.
const GO_ENDED: &[u8] = b"a Go function that Rust had called did not return";

/// What the panics of one thread have said, newest first.
pub(crate) struct Said(*mut Held);

/// One panic that is under way.
struct Held {
    older: *mut Held,
    /// Null while the report is being printed.
    exception: *mut UnwindException,
    /// Whether the text has gone to standard error.
    printed: bool,
    text: Buffer,
}

/// Bytes in a block of the heap's.
struct Buffer {
    data: *mut u8,
    len: usize,
    capacity: usize,
}

impl Buffer {
    const EMPTY: Buffer = Buffer {
        data: null_mut(),
        len: 0,
        capacity: 0,
    };

    fn bytes(&self) -> &[u8] {
        match self.len {
            0 => &[],
            // SAFETY: so many were written.
            len => unsafe { core::slice::from_raw_parts(self.data, len) },
        }
    }

    /// Adds bytes; false, and nothing is added, if there is no memory for them.
    fn push(&mut self, bytes: &[u8]) -> bool {
        let need = self.len + bytes.len();
        if need > self.capacity {
            let capacity = need.next_power_of_two().max(256);
            // SAFETY: null or a block of our own.
            let data: *mut u8 = unsafe { libc::realloc(self.data.cast(), capacity) }.cast();
            if data.is_null() {
                return false;
            }
            (self.data, self.capacity) = (data, capacity);
        }
        // SAFETY: there is room.
        unsafe {
            self.data
                .add(self.len)
                .copy_from_nonoverlapping(bytes.as_ptr(), bytes.len())
        };
        self.len = need;
        true
    }

    fn free(self) {
        // SAFETY: null or a block of our own.
        unsafe { libc::free(self.data.cast()) };
    }
}

impl Held {
    /// Prints the text, unless that was done.
    fn print(&self) {
        if !self.printed {
            write_stderr(self.text.bytes());
        }
    }
}

impl Said {
    /// The panic whose report is being printed.
    fn open(&mut self) -> Option<&mut Held> {
        // SAFETY: a block of our own, or null.
        unsafe { self.0.as_mut() }.filter(|h| h.exception.is_null())
    }

    fn push(&mut self, held: Held) -> bool {
        // SAFETY: a fresh block.
        unsafe {
            let place: *mut Held = libc::malloc(size_of::<Held>()).cast();
            if place.is_null() {
                return false;
            }
            place.write(Held {
                older: self.0,
                ..held
            });
            self.0 = place;
        }
        true
    }

    /// Takes the newest panic for which `which` holds.
    fn take(&mut self, which: impl Fn(&Held) -> bool) -> Option<Held> {
        let mut link = &raw mut self.0;
        // SAFETY: links lead from block to block of our own.
        unsafe {
            while !(*link).is_null() {
                let place = *link;
                if which(&*place) {
                    let held = place.read();
                    *link = held.older;
                    libc::free(place.cast());
                    return Some(held);
                }
                link = &raw mut (*place).older;
            }
        }
        None
    }
}

/// This thread's panics. Not to be held across another call of it.
fn said() -> &'static mut Said {
    // SAFETY: the lane is this thread's alone, and so is the list.
    unsafe { &mut (*control()).panics }
}

/// Takes an exception, gives its payload.
type Take = unsafe extern "C" fn(*mut UnwindException) -> Payload;

/// std's end of a catch: takes the exception, gives the payload, and ends the thread's state of panicking
/// (`std::panicking::catch_unwind::cleanup`).
fn std_cleanup() -> Option<Take> {
    let address = std_function!("rsyso_std_panic_cleanup");
    // SAFETY: 0, or that function. Two words are returned alike by the Rust ABI and by C's.
    unsafe { core::mem::transmute(address) }
}

/// `Box<dyn Any + Send>`, taken apart.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Payload {
    data: *mut c_void,
    vtable: *const Vtable,
}

impl Payload {
    /// Whether the types are the same (of one compilation's types).
    pub(crate) fn same_type(&self, other: &Payload) -> bool {
        self.vtable == other.vtable
    }

    /// Tells it from others that are alive.
    fn key(&self) -> (usize, usize) {
        (self.data as usize, self.vtable as usize)
    }
}

/// What every vtable begins with.
#[repr(C)]
struct Vtable {
    drop: Option<unsafe extern "C" fn(*mut c_void)>,
    size: usize,
    align: usize,
}

/// Looks at what is about to be written to standard error. True if it is held back, or was printed here.
pub(crate) fn hold_back(bytes: &[u8]) -> bool {
    if let Some(held) = said().open()
        && !report::goes_on(held.text.bytes(), bytes)
    {
        give_up();
    }
    if said().open().is_none() && !(report::begins(bytes) && begin()) {
        return false;
    }
    let Some(held) = said().open() else {
        return false;
    };
    let printed = held.printed;
    let kept = held.text.push(bytes);
    if !kept || report::is_report(held.text.bytes()) == Some(false) {
        give_up();
    }
    // What there was no room for goes its usual way.
    kept && !printed
}

/// Called before std begins a panic.
pub(crate) extern "C" fn begun() {
    room::open();
}

/// Opens a report.
fn begin() -> bool {
    said().push(Held {
        older: null_mut(),
        exception: null_mut(),
        // Without std's end of a catch nobody would print it later.
        printed: !reaches_go(control()) || std_cleanup().is_none(),
        text: Buffer::EMPTY,
    })
}

/// The open report is none after all, or no panic followed: prints it.
fn give_up() {
    if let Some(held) = said().take(|h| h.exception.is_null()) {
        held.print();
        held.text.free();
    }
}

/// Prints what was held back, oldest first: the program is about to end.
pub(crate) fn print_all() {
    loop {
        let mut oldest = None;
        let mut next = said().0;
        // SAFETY: links lead from block to block of our own.
        while let Some(held) = unsafe { next.as_mut() } {
            next = held.older;
            if !held.printed {
                oldest = Some(held);
            }
        }
        let Some(held) = oldest else { return };
        held.print();
        held.printed = true;
    }
}

/// Called before each `_Unwind_RaiseException` of the library.
pub(crate) extern "C" fn raised(exception: *mut UnwindException) {
    callback::raised(exception);
    if std_cleanup().is_none() {
        // Nobody will say that a panic was caught: only the newest can be kept.
        while let Some(old) = said().take(|h| !h.exception.is_null()) {
            old.text.free();
        }
    }
    if let Some(held) = said().open() {
        held.exception = exception;
        return;
    }
    said().push(Held {
        older: null_mut(),
        exception,
        printed: true,
        text: Buffer::EMPTY,
    });
}

/// std's end of a catch, as the library sees it: Rust has caught the panic, so what it said is printed.
///
/// # Safety
/// As `std::panicking::catch_unwind::cleanup`, which the library has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_panic_caught(exception: *mut UnwindException) -> Payload {
    // SAFETY: the caller's.
    unsafe { caught(exception, std_cleanup()) }
}

/// What the end of a catch calls, as the library sees it. LTO may have copied that end into the functions that catch, so that this is the
/// one place that all of them pass.
///
/// # Safety
/// As `__rust_panic_cleanup`, which the library has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_panic_payload(exception: *mut UnwindException) -> Payload {
    let address = std_function!("rsyso_std_panic_payload");
    // SAFETY: 0, or that function, which is `extern "C"`; the caller's.
    unsafe {
        caught(
            exception,
            core::mem::transmute::<usize, Option<Take>>(address),
        )
    }
}

/// Rust has caught a panic: what it said is printed, if that was not done, and `take` gives the payload.
///
/// # Safety
/// As `take`.
unsafe fn caught(exception: *mut UnwindException, take: Option<Take>) -> Payload {
    room::close();
    let held = said().take(|h| h.exception == exception);
    if let Some(held) = &held {
        held.print();
    }
    let Some(take) = take else {
        crate::die::fatal("the end of a catch of std's is gone");
    };
    // SAFETY: the caller's.
    let payload = unsafe { take(exception) };
    if let Some(held) = held {
        remember(payload, held.text);
    }
    payload
}

/// The personality of the wrappers: every exception that arrives there is for Go.
///
/// # Safety
/// Called by the unwinder (Itanium C++ ABI: Exception Handling, 1.6.2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_personality(
    _version: c_int,
    actions: UnwindAction,
    _class: u64,
    exception: *mut UnwindException,
    context: &mut UnwindContext<'_>,
) -> UnwindReasonCode {
    if actions.contains(UnwindAction::SEARCH_PHASE) {
        return UnwindReasonCode::HANDLER_FOUND;
    }
    if !actions.contains(UnwindAction::HANDLER_FRAME) {
        return UnwindReasonCode::CONTINUE_UNWIND;
    }
    _Unwind_SetGR(context, EXCEPTION_REGISTER, exception as usize);
    _Unwind_SetIP(context, landing_pad as *const () as usize);
    UnwindReasonCode::INSTALL_CONTEXT
}

/// The exception has left every frame of the library's: it becomes a departure.
pub(crate) extern "C" fn landed(exception: *mut UnwindException) -> ! {
    room::close();
    let control = control();
    let held = said().take(|h| h.exception == exception);
    let printed = held.as_ref().is_some_and(|h| h.printed);
    let mut text = held.map_or(Buffer::EMPTY, |h| h.text);
    let mut silent = SILENT;
    let go_ended;
    // SAFETY: an exception that the unwinder delivered.
    unsafe {
        if !RUST.contains(&(*exception).exception_class) {
            _Unwind_DeleteException(exception);
            silent = FOREIGN;
            go_ended = false;
        } else if let Some(cleanup) = std_cleanup() {
            let payload = cleanup(exception);
            if text.len == 0 {
                text = remembered(payload).unwrap_or(text);
            }
            go_ended = callback::is_ours(control, exception, Some(payload));
            drop_payload(payload);
        } else {
            go_ended = callback::is_ours(control, exception, None);
            // The thread's state of panicking cannot be ended, but the thread can: it gets its thread-locals anew, as if it had ended and
            // another had begun. The payload stays.
            crate::c::thread::end_of_go_thread();
            lane::init_tls(control);
        }
    }
    if go_ended {
        if callback::takes_functions(control) {
            text.free();
            callback::gone(control);
        }
        silent = GO_ENDED;
    }
    if report::has_backtrace(text.bytes()) && !printed {
        write_stderr(text.bytes());
    }
    let report = report::parse(text.bytes());
    let message = match text.len {
        0 => silent,
        _ => report.message,
    };
    let departure = recoverable(message, report.file, report.line);
    text.free();
    crate::handles::end(control);
    callback::end(control);
    // SAFETY: wrappers alone have the personality that leads here, or call what calls `cannot_unwind`.
    unsafe { leave(control, departure) }
}

/// Drops what `Box<dyn Any + Send>` holds, and the box.
///
/// # Safety
/// `payload` is such a box, and is not used any more.
unsafe fn drop_payload(payload: Payload) {
    let dealloc = std_function!("rsyso_std_dealloc");
    // SAFETY: a vtable begins with these words; the box was made by the library's own allocator, or holds nothing.
    unsafe {
        let vtable = &*payload.vtable;
        if let Some(drop) = vtable.drop {
            drop(payload.data);
        }
        if vtable.size != 0 && dealloc != 0 {
            let dealloc: unsafe extern "C" fn(*mut c_void, usize, usize) =
                core::mem::transmute(dealloc);
            dealloc(payload.data, vtable.size, vtable.align);
        }
    }
}

/// A panic is about to leave a function that cannot unwind: to Go, if that is what the wrapper called; else the program ends, by std's own means.
pub(crate) extern "C" fn cannot_unwind(caller: usize) -> ! {
    // SAFETY: a block of our own, or null.
    let newest = unsafe { said().0.as_ref() }.map_or(null_mut(), |h| h.exception);
    if !newest.is_null() && reaches_go(control()) && called_by_wrapper(caller) {
        landed(newest);
    }
    let real = std_function!("rsyso_std_panic_cannot_unwind");
    if real != 0 {
        // SAFETY: that function, which takes nothing.
        let real: unsafe extern "C" fn() -> ! = unsafe { core::mem::transmute(real) };
        // SAFETY: as above.
        unsafe { real() }
    }
    print_all();
    crate::die::abort()
}

/// Whether the function that `return_address` lies in was called by a wrapper: whoever called its caller runs on no lane.
fn called_by_wrapper(return_address: usize) -> bool {
    struct Search {
        return_address: usize,
        /// Frames since the function, which is the first.
        frames: u32,
        answer: bool,
    }
    extern "C" fn frame(context: &UnwindContext<'_>, search: *mut c_void) -> UnwindReasonCode {
        // SAFETY: the struct below, for the time of the walk.
        let search = unsafe { &mut *search.cast::<Search>() };
        if search.frames > 0 || _Unwind_GetIP(context) == search.return_address {
            search.frames += 1;
        }
        if search.frames < 3 {
            return UnwindReasonCode::NO_REASON;
        }
        // The stack pointer in that frame, as the unwinder has it.
        search.answer = containing(_Unwind_GetCFA(context)).is_none();
        UnwindReasonCode::NORMAL_STOP
    }
    let mut search = Search {
        return_address,
        frames: 0,
        answer: false,
    };
    _Unwind_Backtrace(frame, (&raw mut search).cast());
    search.answer
}

/// Texts of caught panics by their payload, which may be raised again. (Its box may be freed instead, and one of the same type take its place:
/// then a panic that has no text of its own is given that of the other.)
struct Remembered {
    entries: [((usize, usize), Buffer); 64],
    next: usize,
}

// SAFETY: the blocks belong to the list.
unsafe impl Send for Remembered {}

static REMEMBERED: Lock<Remembered> = Lock::new(Remembered {
    entries: [const { ((0, 0), Buffer::EMPTY) }; 64],
    next: 0,
});

/// Keeps a text; the oldest makes room.
fn remember(payload: Payload, text: Buffer) {
    /// Boxes of nothing all have small addresses.
    const DANGLING: usize = 4096;
    if text.len == 0 || (payload.data as usize) < DANGLING {
        return text.free();
    }
    let mut all = REMEMBERED.lock();
    let at = all.next;
    all.next = (at + 1) % all.entries.len();
    let old = core::mem::replace(&mut all.entries[at], (payload.key(), text));
    drop(all);
    old.1.free();
}

fn remembered(payload: Payload) -> Option<Buffer> {
    let mut all = REMEMBERED.lock();
    // The newest first: an address may have been used again.
    let (newer, count) = (all.next, all.entries.len());
    let at = (1..=count)
        .map(|back| (newer + count - back) % count)
        .find(|at| all.entries[*at].0 == payload.key())?;
    let (_, text) = core::mem::replace(&mut all.entries[at], ((0, 0), Buffer::EMPTY));
    Some(text)
}

const _: () = assert!(size_of::<Said>() == size_of::<*mut Control>());
