//! Go functions that Rust calls, while the call that they were given to lasts.
//!
//! Such a call leaves its lane as a coroutine does: what stands for the Go function (the linker's wrappers) lays out the arguments on the lane's
//! stack, [`rsyso_callback`](crate::arch::callback) keeps the lane's registers there and returns to Go from the stub, on the
//! goroutine's own stack; Go runs the function and comes back by [`rsyso_resume`](crate::arch::callback), maybe on another thread and
//! with its stack at another place. So nothing of Go's is remembered across: the wrapper takes it from the control block at the end.
//!
//! While a call is away the thread may call into Rust again, so its slot in the lane table gets another lane. At the end of
//! the call its lane takes the slot of the thread it then runs on, and keeps that one's for its next such call.
//!
//! If the Go function does not return (a panic, `runtime.Goexit`), Rust is unwound by an exception of std's own making with a payload of ours, and Go
//! goes on with what it was about. Where Rust cannot be unwound (a call of an `extern "C"` function cannot, by Rust's rules), the lane is
//! given up with all that lives on it, as at the end of a stack.

use core::any::Any;
use core::ffi::c_void;
use core::fmt::Write;
use core::ptr::null_mut;

use unwinding::abi::UnwindException;

use super::departure::{fatal_text, leave, reaches_go, recoverable};
use super::handles;
use super::line::{LINE, Line};
use super::payload::Payload;
use crate::arch::callback::{back_to_go, on_lane};
use crate::arch::calls::{Words, called};
use crate::contract::{Head, Shown, symbols};
use crate::image::symbolizer::name;
use crate::lane::{self, Control, control};
use crate::sys;
use crate::sys::die::fatal_errno;

/// Called by the wrapper of a function that takes Go functions, before it. Gives the call's mark, which comes back as user data.
///
/// # Safety
/// Called by wrappers, on the lane of `control`, which belongs to `m`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_callbacks_begin(
    control: *mut Control,
    m: usize,
    callee: usize,
) -> usize {
    // SAFETY: this thread's own.
    unsafe {
        (*control).head.m = m;
        let c = &mut (*control).callbacks;
        c.callee = callee;
        c.serial = c.serial.wrapping_add(1);
    }
    mark(control)
}

/// Different for all calls of all lanes, as far as it goes, and never null.
fn mark(control: *mut Control) -> usize {
    /// 2^64 divided by the golden ratio: multiples lie far apart.
    const FAR: usize = 0x9E37_79B9_7F4A_7C15;
    // SAFETY: this thread's own.
    let serial = unsafe { (*control).callbacks.serial };
    (control as usize ^ serial.wrapping_mul(FAR)) | 1
}

/// Called by such a wrapper at the end of the call.
///
/// # Safety
/// As [`rsyso_callbacks_begin`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_callbacks_end(control: *mut Control) {
    end(control);
}

/// Ends the call as far as it has to do with Go functions.
pub(crate) fn end(control: *mut Control) {
    // SAFETY: this thread's own.
    let (head, c) = unsafe { (&mut (*control).head, &mut (*control).callbacks) };
    let m = head.m;
    head.unwinding = 0;
    c.callee = 0;
    c.exception = null_mut();
    if core::mem::take(&mut c.away) {
        lane::seat::seat(m, control);
    }
}

called! {
    /// The calling side of a Go function: checks that there is one to call, and makes the lane ready to be left. Returns its control block.
    fn rsyso_callback_depart(frame: *mut c_void, which: usize, callee: usize, user: usize) -> *mut Head {
        let control = control();
        // SAFETY: this thread's own.
        let (head, c) = unsafe { (&mut (*control).head, &mut (*control).callbacks) };
        if c.callee != callee || (user != 0 && user != mark(control)) {
            let late = match reaches_go(control) {
                true => LATE,
                false => ELSEWHERE,
            };
            misused(control, callee, late);
        }
        if !core::mem::replace(&mut c.away, true) {
            lane::seat::unseat(head.m, control);
        }
        head.shown = Shown {
            which,
            frame,
            unwind: false,
            user: 0,
        };
        control.cast()
    }

    /// Called when Go comes back without a result: what std is to raise.
    fn rsyso_callback_ended() -> Words {
        // SAFETY: this thread's own.
        unsafe { (*control()).callbacks.raising = true };
        payload().into()
    }

    /// Called when an exception cannot be raised: it is that of a Go function, or Rust is to hear of it.
    fn rsyso_panic_not_raised(exception: *mut UnwindException) {
        // SAFETY: this thread's own.
        let ours = unsafe { (*control()).callbacks.exception } == exception;
        if ours {
            rsyso_callback_abandon();
        }
    }

    /// Rust cannot be unwound: its stack is given up as it is.
    fn rsyso_callback_abandon() -> ! {
        ends_on_thread(control());
        match lane::map_fresh() {
            Ok(fresh) => {
                // Signal handlers are to find it.
                lane::register(fresh);
                // SAFETY: a fresh lane, and this one is left for good.
                unsafe { on_lane(fresh.cast(), control().cast(), abandoned) }
            }
            Err(errno) => fatal_errno("cannot map a stack for Rust code (mmap failed)", errno),
        }
    }
}

/// How a Go function is called that cannot be any more.
const LATE: &str = "outside of that call: it can be called during the call only, by the thread that makes it, unless the package is made with --keeps for that export";
/// The same on a thread of Rust's own.
const ELSEWHERE: &str = "on a thread that the library started: it can be called during the call only, by the thread that makes it, unless the package is made with --keeps for that export";

/// A Go function was called that cannot be, or no longer; `callee` is what stands for it, `how` says in which way.
pub(super) fn misused(control: *mut Control, callee: usize, how: &str) -> ! {
    let mut buffer = [0; LINE];
    let mut line = Line::new(&mut buffer);
    let export = name(callee).and_then(export).unwrap_or("a function");
    let _ = write!(
        line,
        "the Rust library called a Go function that {export} was given, {how}"
    );
    if reaches_go(control) {
        // SAFETY: a wrapper entered the lane, and nothing of it is used again.
        unsafe { leave(control, fatal_text(line.text().as_bytes())) }
    }
    sys::write_stderr(b"fatal error: ");
    sys::write_stderr(line.text().as_bytes());
    sys::write_stderr(b"\n");
    sys::exit_group(2)
}

/// `rsyso:for_each.0.visit` as `for_each`.
fn export(code: &str) -> Option<&str> {
    code.strip_prefix(symbols::WRAPPER)?
        .split(symbols::PART)
        .next()
}

/// The payload of the exception by which Rust ends when a Go function did not return.
struct GoFunctionEnded;

impl Drop for GoFunctionEnded {
    /// Older versions of std expect that there is something to call.
    fn drop(&mut self) {}
}

/// `Box<dyn Any + Send>` of it. It has no bytes, so there is nothing to free.
#[inline(never)]
pub(crate) fn payload() -> Payload {
    static ENDED: GoFunctionEnded = GoFunctionEnded;
    let any: *const (dyn Any + Send) = &ENDED;
    // SAFETY: a pointer of two words, whose second is the table.
    unsafe { core::mem::transmute(any) }
}

/// Called for each exception that is about to be raised.
pub(crate) fn raised(exception: *mut UnwindException) {
    // SAFETY: this thread's own.
    let c = unsafe { &mut (*control()).callbacks };
    if core::mem::take(&mut c.raising) {
        c.exception = exception;
    }
}

/// Called for each exception that Rust has caught: another may come to lie where it lay.
pub(crate) fn caught(exception: *mut UnwindException) {
    // SAFETY: this thread's own.
    let c = unsafe { &mut (*control()).callbacks };
    if c.exception == exception {
        c.exception = null_mut();
    }
}

/// Whether an exception says that a Go function did not return; `with` is its payload, if it could be had.
pub(crate) fn is_ours(
    control: *mut Control,
    exception: *mut UnwindException,
    with: Option<Payload>,
) -> bool {
    match with {
        Some(with) => with.same_type(&payload()),
        // SAFETY: this thread's own.
        None => unsafe { (*control).callbacks.exception == exception },
    }
}

/// Whether the function that runs on a lane was given Go functions.
pub(crate) fn takes_functions(control: *mut Control) -> bool {
    // SAFETY: this thread's own.
    unsafe { (*control).callbacks.callee != 0 }
}

/// In the place of a thread of Rust's own, the program ends for a Go function that did not return if Rust cannot be unwound: nobody is left to go on with what
/// the thread was about. Go says for what.
pub(crate) fn ends_on_thread(control: *mut Control) {
    // SAFETY: this lane's own; a goroutine runs on it, and nothing of it is used again.
    unsafe {
        if (*control).adopted {
            leave(control, recoverable(STUCK, b"", 0));
        }
    }
}

/// What Go is told then.
const STUCK: &[u8] = b"a Go function that Rust called on a thread of its own did not return, and what had called it cannot be unwound";

/// Whether the call on a lane ends with what Go is about, when the end of a Go function arrives.
pub(crate) fn ends_for_go(control: *mut Control) -> bool {
    // SAFETY: this thread's own.
    takes_functions(control) || unsafe { (*control).head.unwinding != 0 }
}

/// Rust has ended, and Go goes on with what it was about.
pub(crate) fn gone(control: *mut Control) -> ! {
    handles::end(control);
    let gives = takes_functions(control);
    end(control);
    // SAFETY: a wrapper entered the lane, and nothing of it is used again.
    unsafe { back_to_go(control.cast(), gives) }
}

unsafe extern "C" fn abandoned(fresh: *mut Head, old: *mut Head) -> ! {
    let (fresh, old): (*mut Control, *mut Control) = (fresh.cast(), old.cast());
    handles::end(old);
    // SAFETY: `old` was left for good, and `fresh` is the lane this runs on.
    unsafe { lane::seat::replace(old, fresh) };
    gone(fresh)
}
