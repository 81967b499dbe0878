//! Panics: what they say, and their way to Go.
//!
//! What a panic says is in its payload, and where it began is noted before std's hook runs ([`rsyso_panic_begun`]), whatever that prints. But std prints a
//! panic's report to standard error before it raises the exception, and only then turns out who catches it. So on a lane of Go's
//! the report is held back until that is known: it is printed if Rust catches the exception, or if the program aborts, and not if the exception reaches a
//! wrapper. Threads of Rust's own print at once, as ever; what is known is kept beside (`told.rs`), since the payload may be passed on (`resume_unwind`, as rayon does) and
//! reach Go on another lane.
//!
//! The linker puts five functions here in front of those of the library: [`rsyso_panic_with_hook`](crate::arch::fronts) before that which runs the hook,
//! [`rsyso_raise_exception`](crate::arch::catch) before `_Unwind_RaiseException`, [`rsyso_panic_caught`] before std's own end of a catch,
//! [`rsyso_panic_payload`] before what that calls, and [`rsyso_panic_cannot_unwind`](crate::arch::catch) before the function that ends the program when
//! a panic is about to leave an `extern "C"` function: if that is the function that the wrapper called, the panic goes on to Go instead.

use core::ffi::c_void;
use core::ptr::null_mut;

use unwinding::abi::*;

use super::buffer::Buffer;
use super::departure::{leave, reaches_go, recoverable};
use super::payload::Payload;
use super::told::{self, Told};
use super::{callback, counts, handles, report};
use crate::arch::calls::called;
use crate::arch::stack::std_function;
use crate::contract::Departure;
use crate::image::place::Place;
use crate::lane::{self, Control, containing, control, guard};
use crate::sys::die::fatal;
use crate::sys::write_stderr;

/// `MOZ\0RUST` (library/panic_unwind/src/gcc.rs, `RUST_EXCEPTION_CLASS`): the bytes in order since Rust 1.77, a number before.
const RUST: [u64; 2] = [
    u64::from_ne_bytes(*b"MOZ\0RUST"),
    u64::from_be_bytes(*b"MOZ\0RUST"),
];

/// What a text says when there is none.
const SILENT: &[u8] = b"a panic whose message is not known (LTO has left out what reads it, and a panic hook of the library's own printed something else)";

/// What Go is told of an exception that is not Rust's.
const FOREIGN: &[u8] = b"an exception that was not raised by Rust";

/// What Go is told if the end of a Go function arrives by another call than that which it was given to.
const GO_ENDED: &[u8] = b"a Go function that Rust had called did not return";

/// This thread's panics that are under way, newest first. Not to be held across another call of it.
struct Said(&'static mut *mut Held);

/// One panic that is under way.
struct Held {
    older: *mut Held,
    /// Null while the report is being printed.
    exception: *mut UnwindException,
    /// Whether the text has gone to standard error.
    printed: bool,
    told: Told,
}

impl Held {
    /// Prints the text, unless that was done.
    fn print(&self) {
        if !self.printed {
            write_stderr(self.told.text.bytes());
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
                older: *self.0,
                ..held
            });
            *self.0 = place;
        }
        true
    }

    /// Takes the newest panic for which `which` holds.
    fn take(&mut self, which: impl Fn(&Held) -> bool) -> Option<Held> {
        let mut link: *mut *mut Held = self.0;
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

/// This thread's panics.
fn said() -> Said {
    // SAFETY: the lane is this thread's alone, and so is the list, of blocks that `push` made.
    Said(unsafe { &mut *(&raw mut (*control()).panics.newest).cast() })
}

/// Where the panic of this thread that has begun, and is not raised yet, began.
fn begun() -> &'static mut Place {
    // SAFETY: the lane is this thread's alone.
    unsafe { &mut (*control()).panics.begun }
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

/// Looks at what is about to be written to standard error. True if it is held back, or was printed here.
pub(crate) fn hold_back(bytes: &[u8]) -> bool {
    if let Some(held) = said().open()
        && !report::goes_on(held.told.text.bytes(), bytes)
    {
        give_up();
    }
    if said().open().is_none() && !(report::begins(bytes) && begin()) {
        return false;
    }
    let mut said = said();
    let Some(held) = said.open() else {
        return false;
    };
    let printed = held.printed;
    let kept = held.told.text.push(bytes);
    if !kept || report::is_report(held.told.text.bytes()) == Some(false) {
        give_up();
    }
    // What there was no room for goes its usual way.
    kept && !printed
}

called! {
    /// Called before std begins a panic, with the address of its `Location`.
    fn rsyso_panic_begun(location: usize) {
        guard::open();
        *begun() = Place::read(location);
    }
}

/// Opens a report.
fn begin() -> bool {
    said().push(Held {
        older: null_mut(),
        exception: null_mut(),
        // Without std's end of a catch nobody would print it later.
        printed: !reaches_go(control()) || std_cleanup().is_none(),
        told: Told::NOTHING,
    })
}

/// The open report is none after all, or no panic followed: prints it.
fn give_up() {
    if let Some(held) = said().take(|h| h.exception.is_null()) {
        held.print();
        held.told.text.free();
    }
}

/// Prints what was held back, oldest first: the program is about to end.
pub(crate) fn print_all() {
    loop {
        let mut oldest = None;
        let mut next = *said().0;
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

called! {
    /// Called before each `_Unwind_RaiseException` of the library.
    fn rsyso_panic_raised(exception: *mut UnwindException) {
        callback::raised(exception);
        if std_cleanup().is_none() {
            // Nobody will say that a panic was caught: only the newest can be kept.
            while let Some(old) = said().take(|h| !h.exception.is_null()) {
                old.told.text.free();
            }
        }
        let place = core::mem::replace(begun(), Place::UNKNOWN);
        if let Some(held) = said().open() {
            held.exception = exception;
            held.told.place = place;
            return;
        }
        said().push(Held {
            older: null_mut(),
            exception,
            printed: true,
            told: Told {
                text: Buffer::EMPTY,
                place,
            },
        });
    }
}

/// std's end of a catch, as the library sees it: Rust has caught the panic, so what it said is printed.
///
/// # Safety
/// As `std::panicking::catch_unwind::cleanup`, which the library has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_panic_caught(exception: *mut UnwindException) -> Payload {
    // SAFETY: std's end of a catch was called with this exception.
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
    guard::close();
    callback::caught(exception);
    let held = said().take(|h| h.exception == exception);
    if let Some(held) = &held {
        held.print();
    }
    let Some(take) = take else {
        fatal("the end of a catch of std's is gone");
    };
    // SAFETY: std gave the exception to what `take` stands for.
    let payload = unsafe { take(exception) };
    if let Some(held) = held {
        told::remember(payload, held.told);
    }
    payload
}

/// How a panic ends in Go.
enum End {
    /// Not Rust's.
    Foreign,
    /// With its payload.
    Panic(Payload),
    /// Without: std's end of a catch is not there.
    Lost,
}

called! {
    /// The exception has left every frame of the library's: it becomes a departure.
    fn rsyso_panic_landed(exception: *mut UnwindException) -> ! {
        guard::close();
        let control = control();
        let held = said().take(|h| h.exception == exception);
        let printed = held.as_ref().is_some_and(|h| h.printed);
        let mut told = held.map_or(Told::NOTHING, |h| h.told);
        let end = take_over(control, exception);
        let payload = match end {
            End::Panic(payload) => Some(payload),
            _ => None,
        };
        let go_ended = callback::is_ours(control, exception, payload);
        if go_ended && callback::ends_for_go(control) {
            told.text.free();
            callback::gone(control);
        }
        if let Some(before) = payload.and_then(told::remembered) {
            told.complete(before);
        }
        if report::has_backtrace(told.text.bytes()) && !printed {
            write_stderr(told.text.bytes());
        }
        let message = match &end {
            _ if go_ended => Some(GO_ENDED),
            End::Foreign => Some(FOREIGN),
            End::Panic(payload) => payload.text(),
            End::Lost => None,
        };
        let departure = departure(&told, message);
        told.text.free();
        if let Some(payload) = payload {
            // SAFETY: nothing of it is used any more.
            let raised = unsafe { payload.drop() };
            if !raised.is_null() {
                // Go hears of the first panic. What the second one carries stays: its drop might go on like that.
                // SAFETY: an exception of std's that was caught; there was such an end for the first.
                unsafe { caught(raised, std_cleanup()) };
            }
        }
        handles::end(control);
        callback::end(control);
        // SAFETY: wrappers alone have the personality that leads here, or call what calls `cannot_unwind`.
        unsafe { leave(control, departure) }
    }
}

/// Takes an exception over from the unwinder, as a catch of std's does.
fn take_over(control: *mut Control, exception: *mut UnwindException) -> End {
    // SAFETY: an exception that the unwinder delivered.
    unsafe {
        if !RUST.contains(&(*exception).exception_class) {
            _Unwind_DeleteException(exception);
            return End::Foreign;
        }
        if let Some(cleanup) = std_cleanup() {
            return End::Panic(cleanup(exception));
        }
    }
    if counts::ended() {
        // SAFETY: the caller's. The exception itself stays: what frees it is not known.
        return match unsafe { Payload::of(exception) } {
            Some(payload) => End::Panic(payload),
            None => End::Lost,
        };
    }
    // The thread's state of panicking cannot be ended, but the thread can: it gets its thread-locals anew, as if it had ended and
    // another had begun. The payload stays.
    // SAFETY: this thread's own lane.
    unsafe { (*control).locals.run_destructors() };
    lane::init_tls(control);
    End::Lost
}

/// What Go is told of a panic.
fn departure(told: &Told, message: Option<&[u8]>) -> *mut Departure {
    let text = told.text.bytes();
    let printed = || (!text.is_empty()).then(|| report::parse(text).message);
    let (file, line) = told.place();
    recoverable(message.or_else(printed).unwrap_or(SILENT), file, line)
}

called! {
    /// A panic is about to leave a function that cannot unwind: to Go, if that is what the wrapper called; else the program ends, by std's own means.
    fn rsyso_panic_stuck(caller: usize) -> ! {
        // SAFETY: a block of our own, or null.
        let newest = unsafe { said().0.as_ref() }.map_or(null_mut(), |h| h.exception);
        if !newest.is_null() && reaches_go(control()) && called_by_wrapper(caller) {
            rsyso_panic_landed(newest);
        }
        if !newest.is_null() && callback::is_ours(control(), newest, None) {
            callback::ends_on_thread(control());
        }
        let real = std_function!("rsyso_std_panic_cannot_unwind");
        if real != 0 {
            // SAFETY: that function, which takes nothing.
            let real: unsafe extern "C" fn() -> ! = unsafe { core::mem::transmute(real) };
            // SAFETY: as above.
            unsafe { real() }
        }
        print_all();
        // SAFETY: may be called at any time.
        unsafe { libc::abort() }
    }
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
