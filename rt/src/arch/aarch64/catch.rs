//! Where the unwinder meets machine code: the landing pads of wrappers, a catch of the runtime's own, and what stands in front of the functions that raise.

use core::arch::naked_asm;
use core::ffi::c_void;

use unwinding::abi::UnwindException;

use super::super::calls;

/// The number that DWARF gives to the register in which a landing pad finds the exception: x0 (AADWARF64, 4.1).
pub const EXCEPTION_REGISTER: i32 = 0;

/// Where a wrapper goes on when an exception arrives at it, in the lane; the exception in x0.
///
/// # Safety
/// Entered by the unwinder alone.
#[unsafe(naked)]
pub unsafe extern "C" fn landing_pad() -> ! {
    naked_asm!("bl {landed}", "brk #1", landed = sym calls::rsyso_panic_landed)
}

/// Calls `function(argument)`, and gives the exception that it raises; null if it returns.
///
/// # Safety
/// That of the function.
#[unsafe(naked)]
pub unsafe extern "C" fn catching(
    argument: *mut c_void,
    function: unsafe extern "C" fn(*mut c_void),
) -> *mut UnwindException {
    naked_asm!(
        ".cfi_startproc",
        // DW_EH_PE_pcrel | DW_EH_PE_sdata4
        ".cfi_personality 0x1b, {personality}",
        "stp x29, x30, [sp, #-16]!",
        ".cfi_adjust_cfa_offset 16",
        ".cfi_offset x29, -16",
        ".cfi_offset x30, -8",
        "blr x1",
        "mov x0, xzr",
        "ldp x29, x30, [sp], #16",
        ".cfi_adjust_cfa_offset -16",
        "ret",
        ".cfi_endproc",
        personality = sym calls::rsyso_catching_personality,
    )
}

/// Where [`catching`] goes on after an exception, which is in x0: it returns it.
///
/// # Safety
/// Entered by the unwinder alone.
#[unsafe(naked)]
pub unsafe extern "C" fn caught_pad() {
    naked_asm!("ldp x29, x30, [sp], #16", "ret")
}

/// `_Unwind_RaiseException` as the library sees it: notes the exception, then the unwinder takes over. It returns if there is no way out.
///
/// # Safety
/// As `_Unwind_RaiseException`.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn rsyso_raise_exception() {
    naked_asm!(
        // The unwinder begins with this frame.
        ".cfi_startproc",
        "stp x29, x30, [sp, #-32]!",
        ".cfi_adjust_cfa_offset 32",
        ".cfi_offset x29, -32",
        ".cfi_offset x30, -24",
        "str x0, [sp, #16]",
        "bl {raised}",
        "ldr x0, [sp, #16]",
        "bl {raise}",
        "ldr x9, [sp, #16]",
        "str x0, [sp, #16]",
        "mov x0, x9",
        "bl {not_raised}",
        "ldr x0, [sp, #16]",
        "ldp x29, x30, [sp], #32",
        ".cfi_adjust_cfa_offset -32",
        "ret",
        ".cfi_endproc",
        raised = sym calls::rsyso_panic_raised,
        raise = sym unwinding::abi::_Unwind_RaiseException,
        not_raised = sym calls::rsyso_panic_not_raised,
    )
}

/// `core::panicking::panic_cannot_unwind` as the library sees it. Hands on where it was called from.
///
/// # Safety
/// Called where a panic is about to leave a function that cannot unwind.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_panic_cannot_unwind() -> ! {
    naked_asm!("mov x0, x30", "b {cannot_unwind}", cannot_unwind = sym calls::rsyso_panic_stuck)
}
