//! The machine's half of leaving a lane for good, and of the unwinder's meeting with a wrapper.

use core::arch::naked_asm;
use core::ffi::c_void;
use core::mem::offset_of;

use unwinding::abi::UnwindException;

use crate::depart::Departure;
use crate::lane::Control;

/// Goes on in Go: on the goroutine's stack as the wrapper found it, at the landing function of the package, with the departure in rax.
///
/// # Safety
/// The lane of `control` was entered by a wrapper, and nothing on it is used any more.
#[unsafe(naked)]
pub unsafe extern "C" fn leave(control: *mut Control, departure: *mut Departure) -> ! {
    naked_asm!(
        "mov rax, rsi",
        "mov rbp, [rdi + {bp}]",
        "mov rsp, [rdi + {sp}]",
        "cld",
        "jmp [rdi + {landing}]",
        bp = const offset_of!(Control, go_bp),
        sp = const offset_of!(Control, go_sp),
        landing = const offset_of!(Control, go_landing),
    )
}

/// The number that DWARF gives to the register in which a landing pad finds the exception: rax (psABI, table 3.36).
pub const EXCEPTION_REGISTER: i32 = 0;

/// Where a wrapper goes on when an exception arrives at it, in the lane; the exception in rax.
///
/// # Safety
/// Entered by the unwinder alone.
#[unsafe(naked)]
pub unsafe extern "C" fn landing_pad() -> ! {
    naked_asm!("mov rdi, rax", "call {landed}", "ud2", landed = sym crate::panics::landed)
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
        "push rbx",
        ".cfi_adjust_cfa_offset 8",
        "call rsi",
        "xor eax, eax",
        "pop rbx",
        ".cfi_adjust_cfa_offset -8",
        "ret",
        ".cfi_endproc",
        personality = sym crate::panics::catching_personality,
    )
}

/// Where [`catching`] goes on after an exception, which is in rax: it returns it.
///
/// # Safety
/// Entered by the unwinder alone.
#[unsafe(naked)]
pub unsafe extern "C" fn caught_pad() {
    naked_asm!("pop rbx", "ret")
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
        "push rdi",
        ".cfi_adjust_cfa_offset 8",
        "call {raised}",
        "mov rdi, [rsp]",
        "call {raise}",
        "mov rdi, [rsp]",
        "mov [rsp], rax",
        "call {not_raised}",
        "pop rax",
        ".cfi_adjust_cfa_offset -8",
        "ret",
        ".cfi_endproc",
        raised = sym crate::panics::raised,
        raise = sym unwinding::abi::_Unwind_RaiseException,
        not_raised = sym crate::callback::not_raised,
    )
}

/// `core::panicking::panic_cannot_unwind` as the library sees it. Hands on where it was called from.
///
/// # Safety
/// Called where a panic is about to leave a function that cannot unwind.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_panic_cannot_unwind() -> ! {
    naked_asm!("mov rdi, [rsp]", "jmp {cannot_unwind}", cannot_unwind = sym crate::panics::cannot_unwind)
}

/// The address of a function of the library's std that the linker found by its Rust name; 0 when the library has none.
macro_rules! std_function {
    ($symbol:literal) => {{
        let address: usize;
        // SAFETY: reads a cell of the image.
        unsafe {
            core::arch::asm!(
                concat!(".weak ", $symbol),
                concat!("mov {}, [rip + ", $symbol, "@GOTPCREL]"),
                out(reg) address,
                options(nostack, preserves_flags)
            )
        };
        address
    }};
}
pub(crate) use std_function;
