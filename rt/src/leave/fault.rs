//! Faults in the library: the end of a stack, and wild accesses.
//!
//! The handlers stand before Go's, and hand on to it whatever did not happen in the image or on a lane: Go's own nil pointers stay what
//! they are. They run on Go's signal stacks (SA_ONSTACK), or, on a thread of Rust's own, on the one at the top of its lane. No
//! lane is under them, so nothing they call may look for one: no errno, no heap.
//!
//! A library may have handlers of its own ([`trap`]): what happens on a lane is shown to them first.

use core::cell::UnsafeCell;
use core::ffi::{c_int, c_void};
use core::fmt::Write;
use core::mem::replace;
use core::sync::atomic::{AtomicBool, Ordering::*};

use libc::{siginfo_t, ucontext_t};
use linux_raw_sys::general::*;

use super::departure::{self, leave, reaches_go, recoverable};
use super::line::{LINE, Line};
use super::trap::{self, Shown};
use super::{callback, handles};
use crate::arch::fault::{Interrupted, restorer};
use crate::contract::{Departure, GUARD_SIZE, OUTER_GUARD_SIZE, SIGNAL_STACK_SIZE, symbols};
use crate::image::symbolizer::name;
use crate::image::{base, params};
use crate::lane::{self, Control, base_of, containing, guarded, in_guard};
use crate::sys;
use crate::sys::lock::Lock;
use crate::sys::signal::{Action, Before, Blocked, FAULT_SET, FAULTS, change_mask, sigaction};

/// What a line calls the faults, in the order of [`FAULTS`].
const NAMES: [&str; FAULTS.len()] = [
    "invalid memory access",
    "invalid memory access (bus error)",
    "illegal instruction",
    "arithmetic exception",
    "trap",
];

/// What stood there before, in the same order.
static BEFORE: [Before; FAULTS.len()] = [const { Before::unknown() }; FAULTS.len()];

/// Puts the handlers in place, once. That of SIGTRAP waits until the library asks for it: it may be a debugger's signal.
pub(crate) fn install() {
    put_in_place(|signal| signal != SIGTRAP);
}

/// The library is to handle this signal: the runtime's handler must be in place.
pub(crate) fn expect(signal: u32) {
    static TRAPS: Lock<bool> = Lock::new(false);
    if signal == SIGTRAP {
        let mut in_place = TRAPS.lock();
        if !replace(&mut *in_place, true) {
            put_in_place(|signal| signal == SIGTRAP);
        }
    }
}

fn put_in_place(these: impl Fn(u32) -> bool) {
    let new = Action {
        handler: handler as *const () as usize,
        flags: (SA_SIGINFO | SA_ONSTACK | SA_RESTORER) as usize,
        restorer: restorer as *const () as usize,
        mask: u64::MAX,
    };
    // Another thread's signal waits for what stood there; this thread's must not come meanwhile.
    let _blocked = Blocked::these(FAULT_SET);
    for (signal, before) in FAULTS.into_iter().zip(&BEFORE) {
        if these(signal) {
            before.replace(signal as i32, &new);
        }
    }
}

/// Lets the calling thread, one of Rust's own, take the signals of faults.
pub(crate) fn accept_on_this_thread(control: *mut Control) {
    let top = base_of(control) + params().lane_size as usize;
    // The kernel's `stack_t`: address, flags, bytes.
    let stack = [
        top - SIGNAL_STACK_SIZE as usize,
        0,
        SIGNAL_STACK_SIZE as usize,
    ];
    // SAFETY: the stack is this lane's own.
    unsafe { sys::syscall2(__NR_sigaltstack, stack.as_ptr() as usize, 0) };
    let _ = change_mask(SIG_UNBLOCK, Some(FAULT_SET));
}

/// Where a fault happened.
struct Fault {
    signal: u32,
    pc: usize,
    /// The address that was accessed, where the signal has one.
    address: usize,
    /// After a jump to nowhere, where it came from: a return address, or 0.
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
        // SAFETY: the kernel's, as above.
        Some(fault) => unsafe { meet(fault, info, &mut interrupted) },
        // SAFETY: handed on as it came.
        None => unsafe { pass_on(signal, info, context, sent) },
    }
}

/// Shows a fault to the library where it has a handler; what that does not take is answered here.
///
/// # Safety
/// `info` and `interrupted` are what the handler was given.
unsafe fn meet(mut fault: Fault, info: *const siginfo_t, interrupted: &mut Interrupted<'_>) {
    let on_lane = containing(interrupted.sp()).filter(|_| !fault.overflow);
    // SAFETY: by the caller's word; the stack pointer tells the lane.
    let shown = on_lane
        .map(|lane| unsafe { trap::show(fault.signal, info, fault.address, interrupted, lane) });
    match shown {
        Some(Shown::Yes) => return,
        Some(Shown::NoRoom) => fault.overflow = true,
        Some(Shown::No) | None => {}
    }
    answer(&fault, interrupted);
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
    let on_stack = |at: usize| containing(at).is_some_and(|c| !in_guard(c, at));
    let overflow = signal == SIGSEGV && lane.is_some_and(|c| in_guard(c, address));
    Some(Fault {
        signal,
        pc,
        address,
        caller: interrupted.called_from(on_stack).unwrap_or(0),
        lane,
        overflow,
    })
}

fn answer(fault: &Fault, interrupted: &mut Interrupted<'_>) {
    let Some(control) = fault.lane.filter(|c| reaches_go(*c)) else {
        end(fault, fault.lane.is_some());
    };
    if fault.overflow {
        let Ok(fresh) = lane::map_fresh() else {
            end(fault, false);
        };
        // Signal handlers are to find it, and on some machines what is Go's by it.
        lane::register(fresh);
        // SAFETY: both are this thread's.
        unsafe { (*fresh).head.go_sp = (*control).head.go_sp };
        interrupted.call(
            overflowed as *const () as usize,
            fresh as usize,
            [control as usize, fresh as usize, fault.pc],
        );
        return;
    }
    let message = describe_once(fault);
    // SAFETY: first come, alone; the wrapper saved the goroutine's registers, and nothing else of the lane is used again.
    unsafe {
        let last = LAST.0.get();
        (*last).write(departure::fatal(message.as_bytes()));
        interrupted.leave(&(*control).head, last as usize);
    }
}

/// Where Go's way goes on after the end of a stack: on a fresh lane, as ordinary code.
unsafe extern "C" fn overflowed(old: *mut Control, fresh: *mut Control, pc: usize) -> ! {
    let mut buffer = [0; LINE];
    let mut line = Line::new(&mut buffer);
    let _ = line.write_str("stack overflow in ");
    let _ = line.write_str(name(pc).unwrap_or("a function without a name"));
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
        handles::end(old);
        lane::seat::replace(old, fresh);
        callback::end(fresh);
        leave(fresh, recoverable(line.text().as_bytes(), b"", 0))
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
    let at = FAULTS.iter().position(|signal| *signal == fault.signal);
    let what = at.and_then(|at| NAMES.get(at)).unwrap_or(&"fault");
    match fault.overflow {
        true => write!(line, "stack overflow")?,
        false => write!(line, "{what}")?,
    }
    let place = match name(fault.pc) {
        Some(name) => {
            write!(line, " in {name}")?;
            fault.pc
        }
        None => {
            // The call that led to nowhere ends before the return address.
            let caller = fault.caller.wrapping_sub(1);
            let name = name(caller).unwrap_or("the Rust library");
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
        Some(export) if name(pc) != Some(export) => write!(line, " (called as {export})"),
        _ => Ok(()),
    }
}

/// The exported function that Go has called on a lane: its wrapper's return address is the first on the stack, below the arguments, wherever the machine
/// keeps such addresses at first.
fn export(control: *mut Control) -> Option<&'static str> {
    /// Words of arguments that are looked through, at most.
    const WORDS: usize = 512;
    let top = control as usize;
    (1..=WORDS).find_map(|n| {
        // SAFETY: the topmost words of a lane's stack, aligned and mapped.
        let word = unsafe { ((top - n * size_of::<usize>()) as *const usize).read_volatile() };
        let name = name(word.wrapping_sub(1))?;
        name.strip_prefix(symbols::WRAPPER)
    })
}

/// What Go is told of the fault that ends the program.
struct Last(UnsafeCell<core::mem::MaybeUninit<Departure>>);
// SAFETY: one thread writes it (`describe_once`).
unsafe impl Sync for Last {}
static LAST: Last = Last(UnsafeCell::new(core::mem::MaybeUninit::uninit()));

/// Hands a signal to whoever stood there before: Go, or another image.
///
/// # Safety
/// The arguments of a handler.
unsafe fn pass_on(signal: c_int, info: *mut siginfo_t, context: *mut c_void, sent: bool) {
    let at = FAULTS.iter().position(|s| *s == signal as u32);
    // SAFETY: handed on as it came.
    let before = at
        .and_then(|at| BEFORE.get(at))
        .and_then(|before| unsafe { before.hand_on(signal, info, context) });
    if let Some(before) = before {
        // The default action, when the instruction is tried again.
        // SAFETY: what stood there before.
        let _ = unsafe { sigaction(signal, Some(before), core::ptr::null_mut()) };
        // What no instruction causes again comes again when this handler returns.
        if sent || signal as u32 == SIGTRAP {
            sys::signal::raise(signal);
        }
    }
}
