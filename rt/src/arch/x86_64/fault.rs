//! What a signal handler sees and changes of the machine.

use core::arch::naked_asm;

use libc::{REG_RAX, REG_RBP, REG_RCX, REG_RDI, REG_RDX, REG_RIP, REG_RSI, REG_RSP, ucontext_t};

use linux_raw_sys::general::__NR_rt_sigreturn;

use crate::contract::{Head, LANDING_STAYS};

/// The interrupted code.
pub struct Interrupted<'a>(pub &'a mut ucontext_t);

impl Interrupted<'_> {
    fn register(&self, register: i32) -> usize {
        self.0.uc_mcontext.gregs[register as usize] as usize
    }

    fn set(&mut self, register: i32, value: usize) {
        self.0.uc_mcontext.gregs[register as usize] = value as i64;
    }

    /// The instruction that caused the signal.
    pub fn pc(&self) -> usize {
        self.register(REG_RIP)
    }

    /// The stack pointer.
    pub fn sp(&self) -> usize {
        self.register(REG_RSP)
    }

    /// A number that tells what was interrupted, and where, from anything else: a hash of the registers and an address.
    pub fn digest(&self, address: usize) -> u64 {
        digest(self.0, address)
    }

    /// Where the function was called from that has just begun: the return address, which lies at the stack pointer, if `readable` says so.
    pub fn called_from(&self, readable: impl Fn(usize) -> bool) -> Option<usize> {
        let sp = self.sp();
        // SAFETY: aligned, and readable by the caller's word.
        (sp.is_multiple_of(size_of::<usize>()) && readable(sp))
            .then(|| unsafe { (sp as *const usize).read_volatile() })
    }

    /// Goes on in Go when the handler returns, as `leave` does.
    pub fn leave(&mut self, lane: &Head, departure: usize) {
        self.land(lane, departure, 1);
    }

    /// Goes on at the landing of a call: with a departure, or, by 0, to make it a system call of Go's.
    pub(super) fn land(&mut self, lane: &Head, with: usize, departs: usize) {
        self.set(REG_RSP, lane.go_sp);
        self.set(REG_RBP, lane.go_bp);
        self.set(REG_RIP, lane.go_landing & !(LANDING_STAYS as usize));
        self.set(REG_RAX, with);
        self.set(REG_RCX, departs);
        self.clear_direction();
    }

    /// Has it seem that the Go caller has called the landing, just now. To be [put back](Self::put_back).
    pub fn seem_in_go(&mut self, lane: &Head) -> Place {
        let place = PLACE.map(|register| self.register(register));
        self.set(REG_RSP, lane.go_sp);
        self.set(REG_RBP, lane.go_bp);
        self.set(REG_RIP, lane.go_landing & !(LANDING_STAYS as usize));
        Place(place)
    }

    /// Undoes [`Self::seem_in_go`].
    pub fn put_back(&mut self, place: Place) {
        PLACE
            .into_iter()
            .zip(place.0)
            .for_each(|(register, value)| self.set(register, value));
    }

    /// Calls a function on another stack when the handler returns; it must not return. `stack` is its end, and is 16-byte aligned.
    pub fn call(&mut self, function: usize, stack: usize, arguments: [usize; 3]) {
        // The place of the return address, zero in a fresh stack: there every unwinder ends.
        self.set(REG_RSP, stack - size_of::<usize>());
        self.set(REG_RBP, 0);
        self.set(REG_RIP, function);
        self.set(REG_RDI, arguments[0]);
        self.set(REG_RSI, arguments[1]);
        self.set(REG_RDX, arguments[2]);
        self.clear_direction();
    }

    /// The ABI has it clear at every call (psABI 3.2.1), as Go does.
    fn clear_direction(&mut self) {
        const DIRECTION: i64 = 1 << 10;
        self.0.uc_mcontext.gregs[libc::REG_EFL as usize] &= !DIRECTION;
    }
}

/// See [`Interrupted::digest`].
pub fn digest(context: &ucontext_t, address: usize) -> u64 {
    /// 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming, 6.4).
    const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
    // The general registers come first, up to the instruction's address (ucontext.h).
    let registers = context.uc_mcontext.gregs.iter().take(REG_RIP as usize + 1);
    registers.fold(address as u64, |hash, register| {
        (hash ^ *register as u64)
            .rotate_left(29)
            .wrapping_mul(GOLDEN)
    })
}

/// Where code is, and its stack.
pub struct Place([usize; PLACE.len()]);

const PLACE: [i32; 3] = [REG_RSP, REG_RBP, REG_RIP];

/// Where a signal handler returns to (sigreturn(2)); the kernel insists on one (arch/x86/kernel/signal_64.c).
///
/// # Safety
/// Returned to by a handler, never called.
#[unsafe(naked)]
pub unsafe extern "C" fn restorer() {
    naked_asm!("mov eax, {sigreturn}", "syscall", "ud2", sigreturn = const __NR_rt_sigreturn)
}
