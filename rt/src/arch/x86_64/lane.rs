//! Where a lane meets the machine: mapping one, visiting one, and the way in for a wrapper that found none.

use core::arch::naked_asm;
use core::mem::offset_of;

use linux_raw_sys::general::*;

use super::super::calls::{self, Copy};
use crate::contract::{
    GO_G_M, GUARD_SIZE, Head, LANDING_STAYS, LANE_HASH, LANE_TABLE_BITS, OUTER_GUARD_SIZE, Params,
};

/// The name under which /proc/PID/maps shows lanes, where the kernel keeps such names.
static LANE_NAME: [u8; 11] = *b"rsyso lane\0";

/// From this many lanes on, guards are marked in the page tables. A guard that is a mapping of its own makes two mappings of each lane, and the kernel allows
/// some 65,000 in all (vm.max_map_count); marked ones leave lanes that lie side by side one mapping, but take a page of page tables each. So that they lie side by
/// side, they have no outer guard.
const MARKED_FROM: usize = 4096;

/// madvise(2), since Linux 6.13: accesses fault, and no mapping is split.
pub const MADV_GUARD_INSTALL: u32 = 102;

/// madvise(2): takes such marks away.
pub const MADV_GUARD_REMOVE: u32 = 103;

/// Maps a lane and returns the address of its control block, or a negated errno. All of it is zero; nothing of it is set up.
///
/// Everything a lane costs is address space until it is touched. Twice the size is asked for, and the outer guard, so that an aligned lane lies in it
/// with that below; the rest goes back, the lower part first, so that lanes lie side by side. Uses 32 bytes of stack and writes no data of the image: it runs on
/// the goroutine's stack, before the fix-ups.
///
/// # Safety
/// None to speak of; it is unsafe as all naked functions of the C ABI are called.
#[unsafe(naked)]
pub unsafe extern "C" fn map_lane() -> isize {
    naked_asm!(
        "push rbx",
        "push r12",
        "lea rbx, [rip + __rsyso_params]",
        // r12 = bytes of the outer guard.
        "xor r12d, r12d",
        "cmp qword ptr [rip + {lanes}], {marked_from}",
        "jae 7f",
        "mov r12d, {outer}",
        "7:",
        // r8 = mmap(NULL, 2 * size + outer, PROT_READ | PROT_WRITE, ...)
        "xor edi, edi",
        "mov rsi, [rbx + {lane_size}]",
        "lea rsi, [r12 + 2*rsi]",
        "mov edx, {read_write}",
        "mov r10d, {map_flags}",
        "mov r8, -1",
        "xor r9d, r9d",
        "mov eax, {mmap}",
        "syscall",
        "cmp rax, -4095",
        "jae 9f",
        "mov r8, rax",
        // r9 = the lane: the last aligned one; r10 = its size.
        "mov r10, [rbx + {lane_size}]",
        "lea r9, [rax + r10]",
        "add r9, r12",
        "mov rdx, r10",
        "neg rdx",
        "and r9, rdx",
        // What lies before it, and after it, goes back.
        "mov rdi, r8",
        "mov rsi, r9",
        "sub rsi, r12",
        "sub rsi, r8",
        "jz 2f",
        "mov eax, {munmap}",
        "syscall",
        "2:",
        "lea rdi, [r9 + r10]",
        "lea rsi, [r8 + 2*r10]",
        "add rsi, r12",
        "sub rsi, rdi",
        "jz 3f",
        "mov eax, {munmap}",
        "syscall",
        "3:",
        // A huge page per stack would make 2 MiB of each page that is touched. Old kernels may not know the call: no harm.
        "mov rdi, r9",
        "mov rsi, r10",
        "mov edx, {no_huge_page}",
        "mov eax, {madvise}",
        "syscall",
        // prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, start, bytes, name): for people who read maps; fails harmlessly where unknown.
        "mov edi, {set_vma}",
        "xor esi, esi",
        "mov rdx, r9",
        "lea r8, [rip + {lane_name}]",
        "mov eax, {prctl}",
        "syscall",
        // The guards.
        "mov rdi, r9",
        "sub rdi, r12",
        "lea rsi, [r12 + {guard}]",
        "test r12, r12",
        "jnz 4f",
        "mov edx, {guard_install}",
        "mov eax, {madvise}",
        "syscall",
        "test rax, rax",
        "jz 5f",
        "4:",
        "xor edx, edx",
        "mov eax, {mprotect}",
        "syscall",
        "test rax, rax",
        "jnz 6f",
        "5:",
        "mov rax, r9",
        "add rax, [rbx + {lane_control}]",
        "pop r12",
        "pop rbx",
        "ret",
        // mprotect failed: the lane goes back, the error stays.
        "6:",
        "mov rdi, r9",
        "sub rdi, r12",
        "lea rsi, [r10 + r12]",
        "mov r12, rax",
        "mov eax, {munmap}",
        "syscall",
        "mov rax, r12",
        "9:",
        "pop r12",
        "pop rbx",
        "ret",
        lane_size = const offset_of!(Params, lane_size),
        lane_control = const offset_of!(Params, lane_control),
        map_flags = const MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
        guard = const GUARD_SIZE,
        outer = const OUTER_GUARD_SIZE,
        read_write = const PROT_READ | PROT_WRITE,
        no_huge_page = const MADV_NOHUGEPAGE,
        guard_install = const MADV_GUARD_INSTALL,
        marked_from = const MARKED_FROM,
        set_vma = const linux_raw_sys::prctl::PR_SET_VMA,
        lane_name = sym LANE_NAME,
        lanes = sym calls::rsyso_lanes,
        mmap = const __NR_mmap,
        munmap = const __NR_munmap,
        mprotect = const __NR_mprotect,
        madvise = const __NR_madvise,
        prctl = const __NR_prctl,
    )
}

/// Calls `work` at the top of a lane that nobody uses, with the lane, and comes back to this one.
///
/// It has no unwind information: what `work` runs may not unwind, and finds the end of the stack here.
///
/// # Safety
/// No thread runs in the lane or will until this returns; `work` may be called with it.
#[unsafe(naked)]
pub unsafe extern "C" fn visit(lane: *mut Head, work: unsafe extern "C" fn(*mut Head)) {
    naked_asm!(
        "push rbx",
        "mov rbx, rsp",
        "mov rsp, rdi",
        "call rsi",
        "mov rsp, rbx",
        "pop rbx",
        "ret",
    )
}

/// The slow path of every wrapper: finds the lane of the running `m` beyond its home slot, or makes one. Calls from another copy of the
/// package than the one that this image serves go on in that one's image (`enter/copies.rs`).
///
/// In: rax = m, r14 = g, r13 = the landing by which packages are told apart, r12 = that of this call. Out: r11 = the lane's
/// control block. Keeps rsp, rbp, r12, r13 and r14; uses less than 64 bytes of the goroutine's stack, which may have no more than a few hundred left.
///
/// # Safety
/// Called by the wrappers alone, on a goroutine's stack.
#[cfg(not(test))]
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_lane_slow() {
    naked_asm!(
        // Whose call is it? Of another copy of the package, if there is an owner and it is another one.
        "mov r10, [rip + {owner}]",
        "test r10, r10",
        "jz 1f",
        "cmp r10, r13",
        "je 1f",
        "mov r11, [rip + {copies}]",
        "6:",
        "test r11, r11",
        "jz 1f", // It has no image yet.
        "cmp [r11 + {landing}], r13",
        "je 7f",
        "mov r11, [r11 + {next}]",
        "jmp 6b",
        // Its image does the same, and returns to the same place of its own wrapper.
        "7:",
        "mov r11, [r11 + {distance}]",
        "add [rsp], r11",
        "lea r10, [rip + {slow}]",
        "add r10, r11",
        "jmp r10",
        // A collision in the table: this thread's lane lies further on. The table is never full, so the search ends.
        "1:",
        "mov r10, [rip + {table}]",
        "test r10, r10",
        "jz 4f",
        "imul ecx, eax, {hash}",
        "shr ecx, {shift}",
        "2:",
        "mov edx, ecx",
        "shl rdx, 4",
        "mov r11, [r10 + rdx]",
        "cmp r11, rax",
        "je 3f",
        "test r11, r11",
        "jz 4f",
        "inc ecx",
        "and ecx, {mask}",
        "jmp 2b",
        "3:",
        "mov r11, [r10 + rdx + 8]",
        "jmp 8f",
        // The first call on this thread, and maybe in this process: nothing of the image may be written yet.
        "4:",
        "mov r15, rax",
        "lea rbx, [rip + __rsyso_params]",
        "lea rdi, [rip + __rsyso_image]",
        "mov rsi, [rbx + {image_size}]",
        "sub rsi, [rbx + {rw_offset}]",
        "add rdi, [rbx + {rw_offset}]",
        "mov edx, {read_write}",
        "mov eax, {mprotect}",
        "syscall",
        "xor edi, edi",
        "test rax, rax",
        "jnz 5f",
        // A lane that another thread left, or a new one.
        "xchg rax, [rip + {ready}]",
        "test rax, rax",
        "jnz 6f",
        "call {map_lane}",
        "mov edi, 1",
        "cmp rax, -4095",
        "jae 5f",
        "6:",
        "mov rbx, rsp",
        // No call of Go's runs there yet: what another left would mislead signal handlers.
        "mov qword ptr [rax + {go_landing}], 0",
        "mov rsp, rax",
        "mov rdi, r14",
        "mov rsi, r15",
        "mov rdx, rax",
        "mov rcx, r13",
        "call {enter}",
        "mov rsp, rbx",
        "mov r11, rax",
        // By now there is an owner. Another copy of the package gets an image of its own, by means of the lane that its thread has here.
        "8:",
        "cmp [rip + {owner}], r13",
        "jne 9f",
        "ret",
        "9:",
        "mov rbx, rsp",
        "mov qword ptr [r11 + {go_landing}], 0",
        "mov rsp, r11",
        "mov rdi, r13",
        "call {serve}",
        "mov rsp, rbx",
        "mov rax, [r14 + {g_m}]",
        "jmp {slow}",
        // edi = which call failed, rax = its negated errno. If it was for want of a stack, Go goes on as after a call that does not return; so
        // early that nothing is set up there is no way back.
        "5:",
        "cmp qword ptr [rip + {table}], 0",
        "je 7f",
        "test edi, edi",
        "jz 7f",
        "add rsp, 8",
        "lea rax, [rip + {no_room}]",
        "mov ecx, 1",
        "and r12, {without}",
        "jmp r12",
        "7:",
        "mov esi, eax",
        "neg esi",
        "and rsp, -16",
        "call {failed}",
        "ud2",
        owner = sym calls::rsyso_lane_owner,
        copies = sym calls::rsyso_copies,
        landing = const offset_of!(Copy, landing),
        go_landing = const offset_of!(Head, go_landing),
        without = const !(LANDING_STAYS as i32),
        distance = const offset_of!(Copy, distance),
        next = const offset_of!(Copy, next),
        serve = sym calls::rsyso_serve_copy,
        slow = sym rsyso_lane_slow,
        g_m = const GO_G_M,
        table = sym calls::rsyso_lane_table,
        hash = const LANE_HASH as i32,
        shift = const 32 - LANE_TABLE_BITS,
        mask = const (1u32 << LANE_TABLE_BITS) - 1,
        image_size = const offset_of!(Params, image_size),
        rw_offset = const offset_of!(Params, rw_offset),
        read_write = const PROT_READ | PROT_WRITE,
        mprotect = const __NR_mprotect,
        ready = sym calls::rsyso_lane_ready,
        no_room = sym calls::rsyso_no_room,
        map_lane = sym map_lane,
        enter = sym calls::rsyso_enter,
        failed = sym calls::rsyso_enter_failed,
    )
}
