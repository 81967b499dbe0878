//! Where a lane meets the machine: the stack pointer, and the way in for a wrapper that found no lane.

use core::arch::asm;

/// The stack pointer, as it is in the function that this is inlined into.
#[inline(always)]
pub fn stack_pointer() -> usize {
    let sp;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, rsp", out(reg) sp, options(nomem, nostack, preserves_flags)) };
    sp
}

/// The address of a symbol that lies in the image, PC-relatively: right even before the image's fix-ups ran.
macro_rules! address_of {
    ($symbol:literal) => {{
        let address: usize;
        // SAFETY: computes an address.
        unsafe {
            core::arch::asm!(concat!("lea {}, [rip + ", $symbol, "]"), out(reg) address,
                options(pure, nomem, nostack, preserves_flags))
        };
        address
    }};
}
pub(crate) use address_of;
