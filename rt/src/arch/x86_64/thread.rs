//! Starting a thread of the kernel's.

use core::arch::asm;
use core::ffi::c_void;

use linux_raw_sys::general::__NR_clone;

/// What %fs leads to on a thread of Rust's, for those who look: its own address (System V x86-64 psABI, "Thread-Local Storage"), and before
/// it Go's `g` (runtime/go_tls.h, `-8(FS)`): there is none. Code of the image does not look: the linker has it use the lane.
pub fn set_up_thread_area(area: &mut [usize; 2]) -> usize {
    let pointer = &raw const area[1] as usize;
    *area = [0, pointer];
    pointer
}

/// clone(2) for a thread that runs `start(argument)` on the stack that ends at `stack`, with the given thread pointer if
/// `flags` have CLONE_SETTLS. In the caller: the new thread's id, or a negated errno.
///
/// The word below `stack` is zeroed: a return address at which every unwinder ends.
///
/// # Safety
/// `flags` must make a thread in this address space, `stack` must be 16-byte aligned and nobody else's, `tid` must live until the thread has ended,
/// and `start` must not return.
pub unsafe fn clone(
    flags: usize,
    stack: *mut c_void,
    tid: *mut i32,
    thread_pointer: usize,
    start: unsafe extern "C" fn(*mut c_void) -> !,
    argument: *mut c_void,
) -> isize {
    let result;
    // SAFETY: the caller's. The new thread never comes out of the block; in the caller it is a system call.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r13",
            "push 0",
            "jmp r12",
            "2:",
            inlateout("rax") __NR_clone as isize => result,
            in("rdi") flags,
            in("rsi") stack,
            in("rdx") tid,
            in("r10") tid,
            in("r8") thread_pointer,
            in("r12") start,
            in("r13") argument,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// clone(2) for a child process that runs `start(argument)` on this very stack, below this frame. With CLONE_VM and
/// CLONE_VFORK in `flags`: the caller stands still until the child has become another program or ended. In the caller:
/// the child's id, or a negated errno.
///
/// # Safety
/// `flags` must have both; `parent_tid` must be null or writable; `start` must not return, and must not change what the
/// caller relies on.
pub unsafe fn vfork(
    flags: usize,
    parent_tid: *mut i32,
    start: unsafe extern "C" fn(*mut c_void) -> !,
    argument: *mut c_void,
) -> isize {
    let result;
    // SAFETY: the caller's. The child pushes below the stack pointer (no `nostack`: there is no red zone to spoil),
    // and never comes out of the block. The stack is aligned for a call here.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "mov rdi, r13",
            "call r12",
            "ud2",
            "2:",
            inlateout("rax") __NR_clone as isize => result,
            in("rdi") flags,
            in("rsi") 0,
            in("rdx") parent_tid,
            in("r10") 0,
            in("r8") 0,
            in("r12") start,
            in("r13") argument,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    result
}
