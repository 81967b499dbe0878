//! The machine's half of leaving a lane for a Go function that the library keeps (`leave/kept.rs`).
//!
//! A call that takes Go functions returns to Go for a kept one as for those, and so does one that Go takes for a system call, and a goroutine that runs in the
//! place of a thread of Rust's own (`leave/adopt.rs`). From any other call the thread
//! *jumps* to the away function of its stub, as to become a system call of Go's (`polite.rs`), with 2 in ecx. That calls the function, takes its own frame
//! off, and jumps to [`rsyso_kept_resume`]: so while the library runs, no frame of the package's stands between the stub and the Go caller, wherever the stack is.

use core::arch::naked_asm;
use core::mem::offset_of;

use linux_raw_sys::general::{__NR_futex, FUTEX_PRIVATE_FLAG, FUTEX_WAKE};

use super::super::calls;
use super::callback::came_back;
use crate::contract::{CALLBACK_RESULT, GO_G_M, Head, LANDING_STAYS, Shown};

const SHOWN: usize = offset_of!(Head, shown);
const LANDING: usize = offset_of!(Head, go_landing);
const SP: usize = offset_of!(Head, go_sp);
const BP: usize = offset_of!(Head, go_bp);
const AWAY_SP: usize = offset_of!(Head, away_sp);
const THREAD_SP: usize = offset_of!(Head, thread_sp);

/// Has Go call a function that the library keeps: returns when Go has come back with its result. Keeps the registers that a C function keeps on the lane's stack.
///
/// In: rdi = the frame, esi = the number of the function, rdx = what stands for it, rcx = the user data.
///
/// # Safety
/// Jumped to by what stands for kept functions alone.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_kept() {
    naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "sub rsp, 8",
        "call {depart}",
        "test rax, rax",
        "jz 3f",
        // Where to go on: `rsyso_kept_resume` may be that of another copy of this image (`enter/copies.rs`).
        "lea rcx, [rip + {kept_came_back}]",
        "mov [rsp], rcx",
        "mov [rax + {away_sp}], rsp",
        "lea rcx, [rax + {shown}]",
        "cmp edx, 1",
        "je 2f",
        "ja 4f",
        // From here on no signal makes a system call of it. If one is there already, it is to return.
        "bts qword ptr [rax + {landing}], {stays}",
        "jc 2f",
        "mov r11, [rax + {landing}]",
        "and r11, {without}",
        "mov rbp, [rax + {bp}]",
        "mov rsp, [rax + {sp}]",
        "mov rax, rcx",
        "mov ecx, 2",
        "cld",
        "jmp r11",
        "2:",
        "mov rbp, [rax + {bp}]",
        "mov rsp, [rax + {sp}]",
        "mov [rsp + {result}], rcx",
        "cld",
        "ret",
        // As if Go had come back.
        "3:",
        "add rsp, 8",
        "jmp {came_back}",
        // A goroutine goes on with what this thread is about. The thread waits on another part of the lane, until [`give_back`].
        "4:",
        "mov rbx, rax",
        "mov rsp, [rbx + {thread_sp}]",
        "call {hand_over}",
        "mov rsp, [rbx + {thread_sp}]",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
        depart = sym calls::rsyso_kept_depart,
        kept_came_back = sym kept_came_back,
        came_back = sym came_back,
        hand_over = sym calls::rsyso_kept_hand_over,
        thread_sp = const THREAD_SP,
        away_sp = const AWAY_SP,
        shown = const SHOWN,
        landing = const LANDING,
        stays = const LANDING_STAYS.trailing_zeros(),
        without = const !(LANDING_STAYS as i32),
        bp = const BP,
        sp = const SP,
        result = const CALLBACK_RESULT,
    )
}

/// As [`came_back`], for a kept function.
#[unsafe(naked)]
unsafe extern "C" fn kept_came_back() {
    naked_asm!(
        "sub rsp, 8",
        "mov ebx, eax",
        "mov edi, eax",
        "call {back}",
        "mov eax, ebx",
        "add rsp, 8",
        "jmp {came_back}",
        back = sym calls::rsyso_kept_back,
        came_back = sym came_back,
    )
}

/// Go comes back from a kept function: r13 = what it was shown, r12 = the landing, r14 = g, and the stack as the stub has it.
///
/// # Safety
/// Jumped to by the package's away functions alone.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_kept_resume() {
    naked_asm!(
        "lea r11, [r13 - {shown}]",
        // The goroutine may have another thread now, and its stack another place.
        "mov [r11 + {frame_sp}], rsp",
        "mov [r11 + {sp}], rsp",
        "mov [r11 + {bp}], rbp",
        "mov [r11 + {landing}], r12",
        "mov rax, [r14 + {g_m}]",
        "mov [r11 + {m}], rax",
        "movzx eax, byte ptr [r11 + {unwind}]",
        "mov rsp, [r11 + {away_sp}]",
        "pop rcx",
        "jmp rcx",
        shown = const SHOWN,
        frame_sp = const offset_of!(Head, frame_sp),
        sp = const SP,
        bp = const BP,
        landing = const LANDING,
        g_m = const GO_G_M,
        m = const offset_of!(Head, m),
        unwind = const SHOWN + offset_of!(Shown, unwind),
        away_sp = const AWAY_SP,
    )
}

/// The function did not return: called by a stub with what Go was shown above the return address, and room for what the library may give behind that.
///
/// # Safety
/// Called by the package's stub alone.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_kept_unwind() {
    naked_asm!("mov r13, [rsp + 8]", "jmp {resume}", resume = sym rsyso_kept_resume)
}

/// Has Go do something that is no call of a function, on the lane of a call of Go's.
///
/// # Safety
/// Go knows `which`, and nothing is unwound.
pub unsafe fn ask(which: usize) {
    // SAFETY: a function of C's to its caller; what it makes of its arguments is Go's, by the caller's word. The user data only has to be some.
    unsafe {
        let kept: unsafe extern "C" fn(usize, usize, usize, usize) =
            core::mem::transmute(rsyso_kept as *const ());
        kept(0, which, 0, 1);
    }
}

/// The goroutine that runs on the lane in the place of its thread leaves it to that, which returns from here. The goroutine hears that nothing is to be called.
///
/// # Safety
/// Runs on that lane, for a goroutine that has come back from a kept function.
#[unsafe(naked)]
pub unsafe extern "C" fn give_back(lane: *mut Head) {
    naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov [rdi + {thread_sp}], rsp",
        "mov rbp, [rdi + {bp}]",
        "mov rsp, [rdi + {sp}]",
        "mov qword ptr [rsp + {result}], 0",
        // With that the lane is the thread's. What wakes it leaves the stack alone, and the word is never unmapped.
        "lea rdi, [rdi + {lent}]",
        "mov dword ptr [rdi], 0",
        "mov esi, {wake}",
        "mov edx, 1",
        "mov eax, {futex}",
        "syscall",
        "cld",
        "ret",
        thread_sp = const THREAD_SP,
        bp = const BP,
        sp = const SP,
        result = const CALLBACK_RESULT,
        lent = const offset_of!(Head, lent),
        wake = const FUTEX_WAKE | FUTEX_PRIVATE_FLAG,
        futex = const __NR_futex,
    )
}
