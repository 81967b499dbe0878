//! Faults in the library: the end of a stack, and wild accesses.
//!
//! The handlers stand before Go's, and hand on to it whatever did not happen in the image or on a lane: Go's own nil pointers stay what
//! they are. They run on Go's signal stacks (SA_ONSTACK), or, on a thread of Rust's own, on the one at the top of its lane. No
//! lane is under them, so nothing they call may look for one: no errno, no heap.

use core::cell::UnsafeCell;
use core::ffi::{c_int, c_void};
use core::fmt::Write;
use core::sync::atomic::{AtomicBool, Ordering::*};

use libc::{siginfo_t, ucontext_t};
use linux_raw_sys::general::*;

use crate::arch::fault::{Interrupted, restorer};
use crate::arch::lane::map_lane;
use crate::depart::{self, Departure, reaches_go, recoverable};
use crate::handlers::{Action, sigaction, without};
use crate::image::{base, params};
use crate::lane::{self, Control, containing, guarded, in_guard};
use crate::names;
use crate::shared::{GUARD_SIZE, OUTER_GUARD_SIZE, SIGNAL_STACK_SIZE};
use crate::sys;

/// The signals of faults, and what a line calls them.
const SIGNALS: [(u32, &str); 4] = [
    (SIGSEGV, "invalid memory access"),
    (SIGBUS, "invalid memory access (bus error)"),
    (SIGILL, "illegal instruction"),
    (SIGFPE, "arithmetic exception"),
];

/// What stood there before, in the order of [`SIGNALS`].
static BEFORE: [Action; SIGNALS.len()] = [const { Action::new(0, 0, 0) }; SIGNALS.len()];

/// Whether [`BEFORE`] is complete.
static INSTALLED: AtomicBool = AtomicBool::new(false);

/// Puts the handlers in place, once.
pub(crate) fn install() {
    let new = Action::new(
        handler as *const () as usize,
        SA_SIGINFO | SA_ONSTACK | SA_RESTORER,
        restorer as *const () as usize,
    );
    // What stood there is learnt in the step that replaces it: another image may do the same at this moment, and if both had seen Go's
    // handler, the first of them would be left out. Another thread's signal waits in `pass_on`; this thread's must not.
    without(set(), || {
        for ((signal, _), before) in SIGNALS.iter().zip(&BEFORE) {
            sigaction(*signal, Some(&new), Some(before));
        }
        INSTALLED.store(true, Release);
    });
}

/// [`SIGNALS`] as the kernel's set.
fn set() -> u64 {
    SIGNALS
        .iter()
        .fold(0, |set, (signal, _)| set | 1 << (signal - 1))
}

/// Lets the calling thread, one of Rust's own, take the signals of faults.
pub(crate) fn accept_on_this_thread(control: *mut Control) {
    let top = control as usize - params().lane_control as usize + params().lane_size as usize;
    // The kernel's `stack_t`: address, flags, bytes.
    let stack = [
        top - SIGNAL_STACK_SIZE as usize,
        0,
        SIGNAL_STACK_SIZE as usize,
    ];
    let set = set();
    // SAFETY: the stack is this lane's own; values of our own.
    unsafe {
        sys::syscall2(__NR_sigaltstack, stack.as_ptr() as usize, 0);
        sys::syscall4(
            __NR_rt_sigprocmask,
            SIG_UNBLOCK as usize,
            (&raw const set) as usize,
            0,
            size_of::<u64>(),
        );
    }
}

/// Where a fault happened.
struct Fault {
    signal: u32,
    pc: usize,
    /// The address that was accessed, where the signal has one.
    address: usize,
    /// The word at the stack pointer, if that lies in a lane: after a jump to nowhere, where it came from.
    caller: usize,
    /// The lane, if the stack pointer or the address tells one.
    lane: Option<*mut Control>,
    /// Whether it is the end of that lane's stack.
    overflow: bool,
}

unsafe extern "C" fn handler(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel's, for the time of the handler.
    let (mut interrupted, address) = unsafe {
        (
            Interrupted(&mut *context.cast::<ucontext_t>()),
            (*info).si_addr() as usize,
        )
    };
    // SAFETY: as above.
    let sent = unsafe { (*info).si_code } <= 0;
    match look(signal as u32, &interrupted, address).filter(|_| !sent) {
        Some(fault) => answer(&fault, &mut interrupted),
        // SAFETY: handed on as it came.
        None => unsafe { pass_on(signal, info, context) },
    }
}

/// The fault, if it is the library's.
fn look(signal: u32, interrupted: &Interrupted<'_>, address: usize) -> Option<Fault> {
    let (pc, sp) = (interrupted.pc(), interrupted.sp());
    let p = params();
    let in_code = (pc.wrapping_sub(base()) as u64).wrapping_sub(p.code_offset) < p.code_size;
    // After an overflow the stack pointer may lie below its lane already.
    let near = (GUARD_SIZE + OUTER_GUARD_SIZE) as usize;
    let lane = containing(sp)
        .or_else(|| guarded(address).filter(|_| address.abs_diff(sp) < near && in_code));
    if !in_code && lane.is_none() {
        return None;
    }
    let top_word = |sp: usize| {
        let here = containing(sp).is_some_and(|c| !in_guard(c, sp));
        // SAFETY: an aligned word of a lane's stack, which is mapped.
        (here && sp.is_multiple_of(size_of::<usize>()))
            .then(|| unsafe { (sp as *const usize).read_volatile() })
    };
    let overflow = signal == SIGSEGV && lane.is_some_and(|c| in_guard(c, address));
    Some(Fault {
        signal,
        pc,
        address,
        caller: top_word(sp).unwrap_or(0),
        lane,
        overflow,
    })
}

fn answer(fault: &Fault, interrupted: &mut Interrupted<'_>) {
    let Some(control) = fault.lane.filter(|c| reaches_go(*c)) else {
        end(fault, fault.lane.is_some());
    };
    if fault.overflow {
        // SAFETY: callable at any time.
        let Ok(fresh) = sys::check(unsafe { map_lane() }) else {
            end(fault, false);
        };
        interrupted.call(
            overflowed as *const () as usize,
            fresh,
            [control as usize, fresh, fault.pc],
        );
        return;
    }
    let message = describe_once(fault);
    // SAFETY: first come, alone; the wrapper saved the goroutine's registers, and nothing else of the lane is used again.
    unsafe {
        let departure = LAST.0.get();
        (*departure).write(depart::fatal(message.as_bytes()));
        interrupted.land(
            (*control).go_sp,
            (*control).go_bp,
            (*control).go_landing,
            departure as usize,
        );
    }
}

/// Where Go's way goes on after the end of a stack: on a fresh lane, as ordinary code.
unsafe extern "C" fn overflowed(old: *mut Control, fresh: *mut Control, pc: usize) -> ! {
    let mut buffer = [0; LINE];
    let mut line = Line::new(&mut buffer);
    let _ = line.write_str("stack overflow in ");
    let _ = line.write_str(names::name(pc).unwrap_or("a function without a name"));
    let _ = called_as(old, pc, &mut line);
    let size = params().lane_size;
    let _ = match size >> 20 {
        0 => write!(
            line,
            ": the stack of a call is limited to {} KiB",
            size >> 10
        ),
        mib => write!(line, ": the stack of a call is limited to {mib} MiB"),
    };
    // SAFETY: the handler left `old` for good, and `fresh` is the lane this runs on. Its registers were copied.
    unsafe {
        lane::replace(old, fresh);
        crate::callback::end(fresh);
        depart::leave(fresh, recoverable(line.text().as_bytes(), b"", 0))
    }
}

/// Ends the program with the one line: there is no Go to go on in.
fn end(fault: &Fault, on_rust_thread: bool) -> ! {
    let message = describe_once(fault);
    sys::write_stderr(b"fatal error: ");
    sys::write_stderr(message.as_bytes());
    if on_rust_thread {
        sys::write_stderr(b", on a thread that the Rust library started");
    }
    sys::write_stderr(b"\n");
    sys::exit_group(2)
}

/// The longest line; names of generic functions can be long.
pub(crate) const LINE: usize = 512;

/// The line of the fault that ends the program. A second thread that comes here waits for the end.
fn describe_once(fault: &Fault) -> &'static str {
    struct Place(UnsafeCell<[u8; LINE]>);
    // SAFETY: one thread gets it, by TAKEN.
    unsafe impl Sync for Place {}
    static PLACE: Place = Place(UnsafeCell::new([0; LINE]));
    static TAKEN: AtomicBool = AtomicBool::new(false);
    while TAKEN.swap(true, AcqRel) {
        let forever = core::sync::atomic::AtomicU32::new(0);
        sys::futex_wait(&forever, 0);
    }
    // SAFETY: this thread alone.
    let mut line = Line::new(unsafe { &mut *PLACE.0.get() });
    let _ = describe(fault, &mut line);
    line.into_text()
}

fn describe(fault: &Fault, line: &mut Line<'_>) -> core::fmt::Result {
    let what = SIGNALS
        .iter()
        .find(|(signal, _)| *signal == fault.signal)
        .map_or("fault", |(_, what)| what);
    match fault.overflow {
        true => write!(line, "stack overflow")?,
        false => write!(line, "{what}")?,
    }
    let place = match names::name(fault.pc) {
        Some(name) => {
            write!(line, " in {name}")?;
            fault.pc
        }
        None => {
            // The call that led to nowhere ends before the return address.
            let caller = fault.caller.wrapping_sub(1);
            let name = names::name(caller).unwrap_or("the Rust library");
            write!(line, " at pc {:#x}, called by {name}", fault.pc)?;
            caller
        }
    };
    if let Some(control) = fault.lane.filter(|c| reaches_go(*c)) {
        called_as(control, place, line)?;
    }
    if matches!(fault.signal, SIGSEGV | SIGBUS) && !fault.overflow {
        write!(line, ": address {:#x}", fault.address)?;
    }
    Ok(())
}

/// Adds which exported function Go has called on a lane, unless that is the one that `pc` lies in. Safe to call from a signal handler.
fn called_as(control: *mut Control, pc: usize, line: &mut Line<'_>) -> core::fmt::Result {
    match export(control) {
        Some(export) if names::name(pc) != Some(export) => write!(line, " (called as {export})"),
        _ => Ok(()),
    }
}

/// The exported function that Go has called on a lane: its wrapper's return address is the first on the stack, below the arguments.
fn export(control: *mut Control) -> Option<&'static str> {
    /// Words of arguments that are looked through, at most.
    const WORDS: usize = 512;
    /// What the linker's `wrappers` are called.
    const PREFIX: &str = "rsyso:";
    let top = control as usize;
    (1..=WORDS).find_map(|n| {
        // SAFETY: the topmost words of a lane's stack, aligned and mapped.
        let word = unsafe { ((top - n * size_of::<usize>()) as *const usize).read_volatile() };
        let name = names::name(word.wrapping_sub(1))?;
        name.strip_prefix(PREFIX)
    })
}

/// What Go is told of the fault that ends the program.
struct Last(UnsafeCell<core::mem::MaybeUninit<Departure>>);
// SAFETY: one thread writes it (`describe_once`).
unsafe impl Sync for Last {}
static LAST: Last = Last(UnsafeCell::new(core::mem::MaybeUninit::uninit()));

/// Text in a buffer; what does not fit is left out.
pub(crate) struct Line<'a> {
    buffer: &'a mut [u8; LINE],
    len: usize,
}

impl<'a> Line<'a> {
    pub fn new(buffer: &'a mut [u8; LINE]) -> Self {
        Line { buffer, len: 0 }
    }

    pub fn text(&self) -> &str {
        utf8(&self.buffer[..self.len])
    }

    fn into_text(self) -> &'a str {
        utf8(&self.buffer[..self.len])
    }
}

/// The text up to a character that was cut.
fn utf8(bytes: &[u8]) -> &str {
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => core::str::from_utf8(&bytes[..e.valid_up_to()]).unwrap_or(""),
    }
}

impl Write for Line<'_> {
    fn write_str(&mut self, s: &str) -> core::fmt::Result {
        let n = s.len().min(LINE - self.len);
        self.buffer[self.len..self.len + n].copy_from_slice(&s.as_bytes()[..n]);
        self.len += n;
        Ok(())
    }
}

/// Hands a signal to whoever stood there before: Go, or another image.
///
/// # Safety
/// The arguments of a handler.
unsafe fn pass_on(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    while !INSTALLED.load(Acquire) {
        core::hint::spin_loop();
    }
    let at = SIGNALS.iter().position(|(s, _)| *s == signal as u32);
    let Some(before) = at.and_then(|at| BEFORE.get(at)) else {
        return;
    };
    let next = before.handler.load(Relaxed);
    if next <= libc::SIG_IGN {
        // The default action, when the instruction is tried again. A signal that someone sent comes anew to the same end.
        sigaction(signal as u32, Some(before), None);
        return;
    }
    if before.flags.load(Relaxed) & SA_SIGINFO as usize != 0 {
        // SAFETY: a handler of that shape.
        let next: unsafe extern "C" fn(c_int, *mut siginfo_t, *mut c_void) =
            unsafe { core::mem::transmute(next) };
        // SAFETY: the caller's.
        unsafe { next(signal, info, context) }
    } else {
        // SAFETY: as above.
        let next: unsafe extern "C" fn(c_int) = unsafe { core::mem::transmute(next) };
        // SAFETY: as above.
        unsafe { next(signal) }
    }
}
