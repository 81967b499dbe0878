//! The ways back into Go that are no return: a panic that leaves an export, the end of the stack, a wild access.
//!
//! All end in [`leave`]: the goroutine's stack pointer comes back as it was when the wrapper was entered, and a Go function of the
//! package goes on from there, as if the Go stub had called it. It is handed a [`Departure`], copies what that says, gives it
//! back by `rsyso_forget`, and panics.

use crate::arch::calls::{Constant, read};
use crate::contract::{Departure, GoString};
use crate::lane::Control;
use crate::sys::die::fatal as die;

/// Goes on in Go with a departure, at the landing of the call.
///
/// # Safety
/// The lane of `control` was entered by a wrapper, and nothing on it is used any more.
pub(crate) unsafe fn leave(control: *mut Control, departure: *mut Departure) -> ! {
    // SAFETY: as for this function.
    unsafe { crate::arch::leave::leave(control.cast(), departure) }
}

read! {
    /// What a call says for which there is no room: the way in goes on with it in Go, without a lane (`rsyso_lane_slow`). Giving it back
    /// would take one, too.
    static rsyso_no_room: Constant = Constant(Departure {
        kept: true,
        ..departure(
            of(b"no room for another stack of a Rust call: the process has as many mappings as the system allows (vm.max_map_count), or no address space \
                is left"),
            of(b""),
            0,
        )
    });
}

/// A Go panic with a `*Panic`.
const fn departure(message: GoString, file: GoString, line: usize) -> Departure {
    Departure {
        message,
        file,
        line,
        fatal: false,
        kept: false,
        refused: false,
    }
}

/// A text as Go has it.
const fn of(text: &[u8]) -> GoString {
    GoString {
        data: text.as_ptr(),
        bytes: text.len(),
    }
}

/// A departure that Go gives back by `rsyso_forget`. Its texts are copied.
pub(crate) fn recoverable(message: &[u8], file: &[u8], line: usize) -> *mut Departure {
    let size = size_of::<Departure>() + message.len() + file.len();
    // SAFETY: a fresh block of `size` bytes, the texts behind the struct.
    unsafe {
        let place: *mut Departure = libc::malloc(size).cast();
        if place.is_null() {
            die("out of memory while a Rust panic was on its way to Go");
        }
        let texts: *mut u8 = place.add(1).cast();
        texts.copy_from_nonoverlapping(message.as_ptr(), message.len());
        let texts_file = texts.add(message.len());
        texts_file.copy_from_nonoverlapping(file.as_ptr(), file.len());
        place.write(departure(
            of(core::slice::from_raw_parts(texts, message.len())),
            of(core::slice::from_raw_parts(texts_file, file.len())),
            line,
        ));
        place
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
        fatal: true,
        ..departure(of(message), of(b""), 0)
    }
}

/// Frees what a recoverable departure holds. Called by Go, in a lane like any function of the library.
///
/// # Safety
/// `departure` came from [`recoverable`], and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_forget(departure: *mut Departure) {
    // SAFETY: a block of the heap's, as `recoverable` made it.
    unsafe { libc::free(departure.cast()) };
}

/// Whether Go waits for this lane's call: not so on threads of Rust's own, and not while the image is being set up.
pub(crate) fn reaches_go(control: *mut Control) -> bool {
    use core::sync::atomic::Ordering::Relaxed;
    // SAFETY: a lane's control block.
    unsafe { (*control).tid.load(Relaxed) == 0 && (*control).head.go_landing != 0 }
}
