//! The machine's half of making a call under way a system call of Go's (`leave/polite.rs`).
//!
//! ```text
//! goroutine's stack, from above:        lane
//! the Go caller                         the library's frames
//! the away function of the export       the registers, by a signal or by `go_polite`
//! the return address of rsysoGoOn
//! FRAME, made by `rsyso_go_on`
//! ```
//!
//! While the call is under way, `FRAME` is what the control block says of Go: its address stands for the goroutine's stack pointer, and the code that its first
//! word leads to, and `departed`, for the ways back. So nothing that leaves a lane has to know of all this.

use core::arch::naked_asm;
use core::mem::offset_of;

use libc::ucontext_t;
use linux_raw_sys::general::__NR_rt_sigreturn;

use super::aside::put_aside;
use super::fault::Interrupted;
use crate::contract::{CALLBACK_RESULT, Head, LANDING_STAYS};

/// What [`rsyso_go_on`] leaves below its return address: where a return leads, as the wrappers make it; Go's frame pointer; the place of the pointer that a
/// function which takes Go functions gives; the address of what counts the call, or 0.
const FRAME: usize = 32;
const FRAME_BP: usize = 8;
const FRAME_SHOWN: usize = CALLBACK_RESULT as usize;
const FRAME_COUNT: usize = 24;
/// Where above the stack pointer the results of `rsysoGoOn` are once only its return address is left: the departure, and what Go is shown.
const DEPARTURE: usize = 16;
const SHOWN: usize = 24;

const LANDING: usize = offset_of!(Head, go_landing);
const SP: usize = offset_of!(Head, go_sp);
const BP: usize = offset_of!(Head, go_bp);
const AT: usize = offset_of!(Head, polite_at);
const COUNT: usize = offset_of!(Head, polite_count);

/// Has Go take the call on this lane for a system call, unless it does so, or is not to. Returns when it does.
///
/// # Safety
/// Runs on that lane.
#[unsafe(naked)]
pub unsafe extern "C" fn go_polite(lane: *mut Head) {
    naked_asm!(
        "cmp qword ptr [rdi + {landing}], 0",
        "je 2f",
        // From here on no signal does the same.
        "bts qword ptr [rdi + {landing}], {stays}",
        "jc 2f",
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov [rdi + {at}], rsp",
        "mov qword ptr [rdi + {count}], 0",
        "mov rax, rdi",
        "xor ecx, ecx",
        "mov r11, [rdi + {landing}]",
        "and r11, {without}",
        "mov rbp, [rdi + {bp}]",
        "mov rsp, [rdi + {sp}]",
        "cld",
        "jmp r11",
        "2:",
        "ret",
        landing = const LANDING,
        stays = const LANDING_STAYS.trailing_zeros(),
        without = const !(LANDING_STAYS as i32),
        at = const AT,
        count = const COUNT,
        bp = const BP,
        sp = const SP,
    )
}

/// Called by Go as `rsysoGoOn(lane) (departure, shown)` of ABI0, now that it takes the call for a system call: goes on with that. It returns when the call is
/// over, or has a Go function called.
///
/// # Safety
/// Called by the package's own function alone.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_go_on() {
    naked_asm!(
        "mov rdi, [rsp + 8]",
        "mov rcx, [rdi + {count}]",
        "sub rsp, {frame}",
        "lea rax, [rip + {returned}]",
        "mov [rsp], rax",
        "mov [rsp + {frame_bp}], rbp",
        "mov qword ptr [rsp + {frame_shown}], 0",
        "mov [rsp + {frame_count}], rcx",
        "mov [rdi + {sp}], rsp",
        "mov [rdi + {bp}], rbp",
        "lea rax, [rip + {departed}]",
        "or rax, {stays}",
        "mov [rdi + {landing}], rax",
        "mov rsp, [rdi + {at}]",
        "test rcx, rcx",
        "jnz 2f",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
        // The kernel takes up what it has interrupted; the stack pointer leads to what it wrote then (rt_sigreturn(2); arch/x86/kernel/signal_64.c).
        "2:",
        "mov eax, {sigreturn}",
        "syscall",
        "ud2",
        count = const COUNT,
        frame = const FRAME,
        returned = sym returned,
        departed = sym departed,
        frame_bp = const FRAME_BP,
        frame_shown = const FRAME_SHOWN,
        frame_count = const FRAME_COUNT,
        sp = const SP,
        bp = const BP,
        stays = const LANDING_STAYS,
        landing = const LANDING,
        at = const AT,
        sigreturn = const __NR_rt_sigreturn,
    )
}

/// Where a return to Go leads meanwhile: the call is over, or has a Go function called.
#[unsafe(naked)]
unsafe extern "C" fn returned() {
    naked_asm!(
        "sub rsp, 8",
        "mov rdx, [rsp + {shown}]",
        "xor eax, eax",
        "jmp {back}",
        shown = const FRAME_SHOWN,
        back = sym back,
    )
}

/// Where a call that does not return goes on meanwhile, with the departure in rax.
#[unsafe(naked)]
unsafe extern "C" fn departed() {
    naked_asm!("xor edx, edx", "jmp {back}", back = sym back)
}

/// Returns to the away function: rax = the departure or 0, rdx = what Go is shown or 0, rsp = the frame.
#[unsafe(naked)]
unsafe extern "C" fn back() {
    naked_asm!(
        "mov rbp, [rsp + {bp}]",
        "mov rcx, [rsp + {count}]",
        "test rcx, rcx",
        "jz 2f",
        "lock dec qword ptr [rcx]",
        "2:",
        "add rsp, {frame}",
        "mov [rsp + {departure}], rax",
        "mov [rsp + {shown}], rdx",
        "cld",
        "ret",
        bp = const FRAME_BP,
        count = const FRAME_COUNT,
        frame = const FRAME,
        departure = const DEPARTURE,
        shown = const SHOWN,
    )
}

/// As [`go_polite`], for a handler of a signal that has interrupted the call: what was interrupted is copied to `room`, from where [`rsyso_go_on`] has the kernel
/// take it up again, and the handler returns into Go. False, and nothing is done, if there is not enough room.
///
/// # Safety
/// `context` is what the kernel gave to the handler; it was interrupted on the lane, whose call may become a system call; nobody else uses `room`.
pub unsafe fn go_polite_interrupted(
    lane: *mut Head,
    context: &mut ucontext_t,
    room: core::ops::Range<usize>,
) -> bool {
    // SAFETY: the room is there, by the caller's word.
    let Some(copy) = (unsafe { put_aside(context, room) }) else {
        return false;
    };
    // SAFETY: the lane is the interrupted thread's.
    unsafe {
        (*lane).polite_at = copy as usize;
        (*lane).go_landing |= LANDING_STAYS as usize;
        Interrupted(context).land(&*lane, lane as usize, 0);
    }
    true
}
