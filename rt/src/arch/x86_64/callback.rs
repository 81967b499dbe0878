//! The machine's half of leaving a lane for a Go function, and of coming back.

use core::arch::naked_asm;
use core::mem::offset_of;

use super::super::calls;
use crate::contract::{CALLBACK_RESULT, GO_G_M, Head, Shown};

/// Where in the control block stands what Go is shown.
const SHOWN: usize = offset_of!(Head, shown);
const SP: usize = offset_of!(Head, away_sp);
const M: usize = offset_of!(Head, m);

/// Has Go call a function: returns when Go has come back with its result. Keeps the registers that a C function keeps on the lane's stack.
///
/// In: rdi = the frame, esi = the number of the function, rdx = what tells the export from others, rcx = the user data or 0.
///
/// The processor foresees where returns go from the calls before them. So that it does not foresee wrongly more often than the change of
/// stacks makes it, this is not called but jumped to, with a return address on the stack, and [`rsyso_resume`] jumps back.
///
/// # Safety
/// Jumped to by what stands for Go functions alone.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_callback() {
    naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "sub rsp, 8",
        "call {depart}",
        // Where to go on: `rsyso_resume` may be that of another copy of this image (`enter/copies.rs`).
        "lea rcx, [rip + {came_back}]",
        "mov [rsp], rcx",
        "mov [rax + {sp}], rsp",
        // One return for the call that Rust made; the next one is the stub's, with the address of what Go is shown.
        "lea rcx, [rip + 2f]",
        "push rcx",
        "ret",
        "2:",
        "lea rcx, [rax + {shown}]",
        "mov rbp, [rax + {go_bp}]",
        "mov rsp, [rax + {go_sp}]",
        "mov [rsp + {result}], rcx",
        "cld",
        "ret",
        came_back = sym came_back,
        depart = sym calls::rsyso_callback_depart,
        sp = const SP,
        shown = const SHOWN,
        go_bp = const offset_of!(Head, go_bp),
        go_sp = const offset_of!(Head, go_sp),
        result = const CALLBACK_RESULT,
    )
}

/// Go has come back: eax = whether without a result; above the stack pointer what was kept of the registers.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn came_back() {
    naked_asm!(
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "test eax, eax",
        "jnz 4f",
        "pop rcx",
        "jmp rcx",
        // As if the code that stands for the Go function had called what raises exceptions.
        "4:",
        ".weak rsyso_std_resume_unwind",
        "sub rsp, 8",
        "call {ended}",
        "add rsp, 8",
        "mov rdi, rax",
        "mov rsi, rdx",
        "mov rcx, [rip + rsyso_std_resume_unwind@GOTPCREL]",
        "test rcx, rcx",
        "jz 5f",
        "jmp rcx",
        // LTO has left that out.
        "5:",
        ".weak rsyso_std_start_panic",
        "cmp qword ptr [rip + rsyso_std_start_panic@GOTPCREL], 0",
        "je 6f",
        "sub rsp, 8",
        "call {counted}",
        "add rsp, 8",
        "mov rdi, rax",
        "mov rsi, rdx",
        "jmp [rip + rsyso_std_start_panic@GOTPCREL]",
        "6:",
        "sub rsp, 8",
        "call {abandon}",
        "ud2",
        ended = sym calls::rsyso_callback_ended,
        counted = sym calls::rsyso_callback_ended_counted,
        abandon = sym calls::rsyso_callback_abandon,
    )
}

/// Go comes back: called by a stub with what Go was shown above the return address, r14 = g and r12 = the landing, as wrappers are.
///
/// # Safety
/// Called by the package's stub alone.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_resume() {
    naked_asm!(
        "mov r11, [rsp + 8]",
        "sub r11, {shown}",
        // The goroutine may have another thread now, and its stack another place.
        "mov [r11 + {go_sp}], rsp",
        "mov [r11 + {go_bp}], rbp",
        "mov [r11 + {landing}], r12",
        "mov rax, [r14 + {g_m}]",
        "mov [r11 + {m}], rax",
        "movzx eax, byte ptr [r11 + {unwind}]",
        "mov rsp, [r11 + {sp}]",
        "pop rcx",
        "jmp rcx",
        shown = const SHOWN,
        go_sp = const offset_of!(Head, go_sp),
        go_bp = const offset_of!(Head, go_bp),
        landing = const offset_of!(Head, go_landing),
        g_m = const GO_G_M,
        m = const M,
        unwind = const SHOWN + offset_of!(Shown, unwind),
        sp = const SP,
    )
}

/// The stub returns: the call is over. With `gives`, it returns nil, as it gives what Go is to call.
///
/// # Safety
/// The lane was entered by a wrapper, and nothing on it is used any more.
#[unsafe(naked)]
pub unsafe extern "C" fn back_to_go(lane: *mut Head, gives: bool) -> ! {
    naked_asm!(
        "mov rbp, [rdi + {bp}]",
        "mov rsp, [rdi + {sp}]",
        "test sil, sil",
        "jz 2f",
        "mov qword ptr [rsp + {result}], 0",
        "2:",
        "cld",
        "ret",
        bp = const offset_of!(Head, go_bp),
        sp = const offset_of!(Head, go_sp),
        result = const CALLBACK_RESULT,
    )
}

/// Goes on at the top of a lane, in `then(fresh, old)`.
///
/// # Safety
/// No thread runs in `fresh`; nothing on the present stack is used any more, but by `then`.
#[unsafe(naked)]
pub unsafe extern "C" fn on_lane(
    fresh: *mut Head,
    old: *mut Head,
    then: unsafe extern "C" fn(*mut Head, *mut Head) -> !,
) -> ! {
    naked_asm!("mov rsp, rdi", "call rdx", "ud2")
}
