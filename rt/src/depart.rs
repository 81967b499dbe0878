//! The ways back into Go that are no return: a panic that leaves an export, the end of the stack, a wild access.
//!
//! All end in [`leave`]: the goroutine's stack pointer comes back as it was when the wrapper was entered, and a Go function of the
//! package goes on from there, as if the Go stub had called it. It is handed a [`Departure`], copies what that says, gives it
//! back by `rsyso_forget`, and panics.

use crate::lane::Control;

pub use crate::arch::depart::leave;

/// What Go is told. The generated Go file declares the same struct (`rsysoDeparture`).
#[repr(C)]
pub struct Departure {
    /// What happened. UTF-8 as far as the library's strings are.
    message: GoString,
    /// The Rust source file; empty when it is not known.
    file: GoString,
    /// Its line, or 0.
    line: usize,
    /// Whether the program is to end.
    fatal: bool,
    /// Whether it stays where it is: Go does not give it back.
    kept: bool,
    /// Whether the call has not begun, for what it was given: the Go panic is the message alone.
    refused: bool,
}

/// What a call says for which there is no room: the way in goes on with it in Go, without a lane (`arch::lane::rsyso_lane_slow`). Giving it back
/// would take one, too.
pub(crate) static NO_ROOM: Shared = Shared(Departure {
    message: GoString::of(
        "no room for another stack of a Rust call: the process has as many mappings as the system allows (vm.max_map_count), or no address space \
         is left",
    ),
    file: GoString::of(""),
    line: 0,
    fatal: false,
    kept: true,
    refused: false,
});

/// A departure that any number of threads may read.
#[repr(transparent)]
pub(crate) struct Shared(Departure);

// SAFETY: never written; its texts are constants.
unsafe impl Sync for Shared {}

/// Go's string (reflect.StringHeader).
#[repr(C)]
struct GoString {
    data: *const u8,
    bytes: usize,
}

impl GoString {
    const fn of(text: &'static str) -> Self {
        GoString {
            data: text.as_ptr(),
            bytes: text.len(),
        }
    }

    fn new(text: &[u8]) -> Self {
        GoString {
            data: text.as_ptr(),
            bytes: text.len(),
        }
    }
}

/// A departure that Go gives back by `rsyso_forget`. Its texts are copied.
pub(crate) fn recoverable(message: &[u8], file: &[u8], line: usize) -> *mut Departure {
    let size = size_of::<Departure>() + message.len() + file.len();
    // SAFETY: a fresh block of `size` bytes, the texts behind the struct.
    unsafe {
        let departure: *mut Departure = libc::malloc(size).cast();
        if departure.is_null() {
            crate::die::fatal("out of memory while a Rust panic was on its way to Go");
        }
        let texts: *mut u8 = departure.add(1).cast();
        texts.copy_from_nonoverlapping(message.as_ptr(), message.len());
        let texts_file = texts.add(message.len());
        texts_file.copy_from_nonoverlapping(file.as_ptr(), file.len());
        departure.write(Departure {
            message: GoString::new(core::slice::from_raw_parts(texts, message.len())),
            file: GoString::new(core::slice::from_raw_parts(texts_file, file.len())),
            line,
            fatal: false,
            kept: false,
            refused: false,
        });
        departure
    }
}

/// A departure of a call that has not begun.
pub(crate) fn refusal(message: &[u8]) -> *mut Departure {
    let departure = recoverable(message, b"", 0);
    // SAFETY: a block of our own.
    unsafe { (*departure).refused = true };
    departure
}

/// A departure that ends the program, with a text that was made up.
pub(crate) fn fatal_text(message: &[u8]) -> *mut Departure {
    let departure = recoverable(message, b"", 0);
    // SAFETY: a block of our own.
    unsafe { (*departure).fatal = true };
    departure
}

/// A departure that ends the program. Nothing is allocated.
pub(crate) fn fatal(message: &'static [u8]) -> Departure {
    Departure {
        message: GoString::new(message),
        file: GoString::new(b""),
        line: 0,
        fatal: true,
        kept: false,
        refused: false,
    }
}

/// Frees what a recoverable departure holds. Called by Go, in a lane like any function of the library.
///
/// # Safety
/// `departure` came from [`recoverable`], and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_forget(departure: *mut Departure) {
    // SAFETY: the caller's.
    unsafe { libc::free(departure.cast()) };
}

/// Whether Go waits for this lane's call: not so on threads of Rust's own, and not while the image is being set up.
pub(crate) fn reaches_go(control: *mut Control) -> bool {
    use core::sync::atomic::Ordering::Relaxed;
    // SAFETY: a lane's control block.
    unsafe { (*control).tid.load(Relaxed) == 0 && (*control).go_landing != 0 }
}
