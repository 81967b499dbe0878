//! What a signal handler sees and changes of the machine.

use core::arch::naked_asm;

use libc::ucontext_t;

use linux_raw_sys::general::__NR_rt_sigreturn;

use super::frame::WRAPPER;
use crate::contract::{Head, LANDING_STAYS};

/// The interrupted code.
pub struct Interrupted<'a>(pub &'a mut ucontext_t);

impl Interrupted<'_> {
    /// The instruction that caused the signal.
    pub fn pc(&self) -> usize {
        self.0.uc_mcontext.pc as usize
    }

    /// The stack pointer.
    pub fn sp(&self) -> usize {
        self.0.uc_mcontext.sp as usize
    }

    /// A number that tells what was interrupted, and where, from anything else: a hash of the registers and an address.
    pub fn digest(&self, address: usize) -> u64 {
        digest(self.0, address)
    }

    /// Where the function was called from that has just begun: the link register has it.
    pub fn called_from(&self, _readable: impl Fn(usize) -> bool) -> Option<usize> {
        Some(self.0.uc_mcontext.regs[LINK] as usize)
    }

    /// Goes on in Go when the handler returns, as `leave` does.
    pub fn leave(&mut self, lane: &Head, departure: usize) {
        self.land(lane, departure, 1);
    }

    /// Goes on at the landing of a call: with a departure, or, by 0, to make it a system call of Go's.
    pub(super) fn land(&mut self, lane: &Head, with: usize, departs: usize) {
        self.go(lane);
        let registers = &mut self.0.uc_mcontext.regs;
        registers[0] = with as u64;
        registers[1] = departs as u64;
    }

    /// As after a call of the landing by the Go caller, whose return address the wrapper has left on the goroutine's stack.
    fn go(&mut self, lane: &Head) {
        let c = &mut self.0.uc_mcontext;
        // SAFETY: the wrapper's, while the call is on this lane.
        [c.regs[LINK], c.regs[G]] = unsafe { (lane.go_sp as *const [u64; 2]).read() };
        c.regs[FRAME] = lane.go_bp as u64;
        c.sp = (lane.go_sp + WRAPPER) as u64;
        c.pc = lane.go_landing as u64 & !u64::from(LANDING_STAYS);
    }

    /// Has it seem that the Go caller has called the landing, just now. To be [put back](Self::put_back).
    pub fn seem_in_go(&mut self, lane: &Head) -> Place {
        let c = &self.0.uc_mcontext;
        let place = Place([c.sp, c.pc, c.regs[G], c.regs[FRAME], c.regs[LINK]]);
        self.go(lane);
        place
    }

    /// Undoes [`Self::seem_in_go`].
    pub fn put_back(&mut self, place: Place) {
        let c = &mut self.0.uc_mcontext;
        [c.sp, c.pc, c.regs[G], c.regs[FRAME], c.regs[LINK]] = place.0;
    }

    /// Calls a function on another stack when the handler returns; it must not return. `stack` is its end, and is 16-byte aligned.
    pub fn call(&mut self, function: usize, stack: usize, arguments: [usize; 3]) {
        let c = &mut self.0.uc_mcontext;
        c.sp = stack as u64;
        c.pc = function as u64;
        // There every unwinder ends.
        (c.regs[FRAME], c.regs[LINK]) = (0, 0);
        for (register, argument) in c.regs.iter_mut().zip(arguments) {
            *register = argument as u64;
        }
    }
}

/// x28, x29 and x30.
pub(super) const G: usize = 28;
const FRAME: usize = 29;
pub(super) const LINK: usize = 30;

/// See [`Interrupted::digest`].
pub fn digest(context: &ucontext_t, address: usize) -> u64 {
    /// 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming, 6.4).
    const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
    let c = &context.uc_mcontext;
    let registers = c.regs.iter().chain([&c.sp, &c.pc]);
    registers.fold(address as u64, |hash, register| {
        (hash ^ *register).rotate_left(29).wrapping_mul(GOLDEN)
    })
}

/// Where code is, and its stack.
pub struct Place([u64; 5]);

/// Where a signal handler returns to (sigreturn(2)); the kernel insists on one (arch/x86/kernel/signal_64.c).
///
/// # Safety
/// Returned to by a handler, never called.
#[unsafe(naked)]
pub unsafe extern "C" fn restorer() {
    naked_asm!("mov x8, #{sigreturn}", "svc #0", "brk #1", sigreturn = const __NR_rt_sigreturn)
}
