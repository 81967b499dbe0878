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

use crate::arch::callback::{back_to_go, on_lane};
use crate::arch::lane::map_lane;
use crate::depart::{fatal_text, leave, reaches_go};
use crate::die::fatal_errno;
use crate::fault::{LINE, Line};
use crate::lane::{self, Control, control};
use crate::names;
use crate::payload::Payload;
use crate::sys;

/// The part of a control block that serves callbacks. All zero in a fresh lane.
#[repr(C)]
pub struct Callbacks {
    /// What Go is shown.
    pub shown: Shown,
    /// The lane's stack pointer while the call is away.
    pub sp: usize,
    /// The thread that the call runs on.
    pub m: usize,
    /// Tells the running function that takes Go functions from others; 0 when there is none.
    callee: usize,
    /// Counts such calls of the lane.
    serial: usize,
    /// Whether the call has been away: the lane is in no slot then.
    away: bool,
    /// Whether the exception that std is about to raise is that of a Go function that did not return.
    raising: bool,
    /// That exception.
    exception: *mut UnwindException,
}

impl Callbacks {
    /// Takes over the call of a lane that is given up.
    pub(crate) fn follow(&mut self, old: &Callbacks) {
        self.m = old.m;
        self.callee = old.callee;
        self.away = old.away;
    }
}

/// The generated Go file declares the same struct (`rsysoCallback`).
#[repr(C)]
pub struct Shown {
    which: usize,
    frame: *mut c_void,
    /// Set by Go.
    pub unwind: bool,
}

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
    let c = unsafe { &mut (*control).callbacks };
    c.m = m;
    c.callee = callee;
    c.serial = c.serial.wrapping_add(1);
    mark(control, c)
}

/// Different for all calls of all lanes, as far as it goes, and never null.
fn mark(control: *mut Control, c: &Callbacks) -> usize {
    /// 2^64 divided by the golden ratio: multiples lie far apart.
    const FAR: usize = 0x9E37_79B9_7F4A_7C15;
    (control as usize ^ c.serial.wrapping_mul(FAR)) | 1
}

/// Called by such a wrapper at the end of the call.
///
/// # Safety
/// As [`rsyso_callbacks_begin`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_callbacks_end(control: *mut Control) {
    end(control);
}

/// Ends the call of a function that takes Go functions, if there is one.
pub(crate) fn end(control: *mut Control) {
    // SAFETY: this thread's own.
    let c = unsafe { &mut (*control).callbacks };
    c.callee = 0;
    c.exception = null_mut();
    if core::mem::take(&mut c.away) {
        lane::seat(c.m, control);
    }
}

/// The calling side of a Go function: checks that there is one to call, and makes the lane ready to be left. Returns its control block.
pub(crate) extern "C" fn depart(
    frame: *mut c_void,
    which: usize,
    callee: usize,
    user: usize,
) -> *mut Control {
    let control = control();
    // SAFETY: this thread's own.
    let c = unsafe { &mut (*control).callbacks };
    if c.callee != callee || (user != 0 && user != mark(control, c)) {
        misused(control, callee);
    }
    if !c.away {
        c.away = true;
        lane::unseat(c.m, control);
    }
    c.shown = Shown {
        which,
        frame,
        unwind: false,
    };
    control
}

/// A Go function was called that no longer can be.
fn misused(control: *mut Control, callee: usize) -> ! {
    let mut buffer = [0; LINE];
    let mut line = Line::new(&mut buffer);
    let name = names::name(callee).and_then(export).unwrap_or("a function");
    let _ = write!(
        line,
        "the Rust library called a Go function that {name} was given, "
    );
    let _ = line.write_str(match reaches_go(control) {
        true => "outside of that call",
        false => "on a thread that the library started",
    });
    let _ = line.write_str(": it can be called during the call only, by the thread that makes it");
    if reaches_go(control) {
        // SAFETY: a wrapper entered the lane, and nothing of it is used again.
        unsafe { leave(control, fatal_text(line.text().as_bytes())) }
    }
    sys::write_stderr(b"fatal error: ");
    sys::write_stderr(line.text().as_bytes());
    sys::write_stderr(b"\n");
    sys::exit_group(2)
}

/// `rsyso_0123456789abcdef_for_each.0.visit` (the linker's `wrappers::Names`) as `for_each`.
fn export(code: &str) -> Option<&str> {
    code.get("rsyso_0123456789abcdef_".len()..)?
        .split('.')
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

/// Called when Go comes back without a result: what std is to raise.
pub(crate) extern "C" fn ended() -> Payload {
    // SAFETY: this thread's own.
    unsafe { (*control()).callbacks.raising = true };
    payload()
}

/// Called for each exception that is about to be raised.
pub(crate) fn raised(exception: *mut UnwindException) {
    // SAFETY: this thread's own.
    let c = unsafe { &mut (*control()).callbacks };
    if core::mem::take(&mut c.raising) {
        c.exception = exception;
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

/// Rust has ended, and Go goes on with what it was about.
pub(crate) fn gone(control: *mut Control) -> ! {
    crate::handles::end(control);
    end(control);
    // SAFETY: a wrapper entered the lane, and nothing of it is used again.
    unsafe { back_to_go(control) }
}

/// Called when an exception cannot be raised: it is that of a Go function, or Rust is to hear of it.
pub(crate) extern "C" fn not_raised(exception: *mut UnwindException) {
    // SAFETY: this thread's own.
    let ours = unsafe { (*control()).callbacks.exception } == exception;
    if ours {
        abandon();
    }
}

/// Rust cannot be unwound: its stack is given up as it is.
pub(crate) extern "C" fn abandon() -> ! {
    // SAFETY: callable at any time.
    match sys::check(unsafe { map_lane() }) {
        // SAFETY: a fresh lane, and this one is left for good.
        Ok(fresh) => unsafe { on_lane(fresh as *mut Control, control(), abandoned) },
        Err(errno) => fatal_errno("cannot map a stack for Rust code (mmap failed)", errno),
    }
}

unsafe extern "C" fn abandoned(fresh: *mut Control, old: *mut Control) -> ! {
    // SAFETY: `old` was left for good, and `fresh` is the lane this runs on.
    unsafe { lane::replace(old, fresh) };
    gone(fresh)
}
