//! Starting a thread of the kernel's.

use core::arch::asm;
use core::ffi::c_void;

use linux_raw_sys::general::__NR_clone;

/// What tpidr_el0 leads to on a thread of Rust's, for those who look: two words of the C library's (AAELF64, "Thread Local Storage"), both zero. Code of the
/// image does not look: the linker has it use the lane.
pub fn set_up_thread_area(area: &mut [usize; 2]) -> usize {
    *area = [0, 0];
    &raw const *area as usize
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
            "svc #0",
            "cbnz x0, 2f",
            // Where every unwinder ends.
            "mov x29, xzr",
            "mov x30, xzr",
            "mov x0, x10",
            "br x9",
            "2:",
            in("x8") __NR_clone as usize,
            inlateout("x0") flags as isize => result,
            in("x1") stack,
            in("x2") tid,
            in("x3") thread_pointer,
            in("x4") tid,
            in("x9") start,
            in("x10") argument,
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
            "svc #0",
            "cbnz x0, 2f",
            "mov x0, x10",
            "blr x9",
            "brk #1",
            "2:",
            in("x8") __NR_clone as usize,
            inlateout("x0") flags as isize => result,
            in("x1") 0,
            in("x2") parent_tid,
            in("x3") 0,
            in("x4") 0,
            in("x9") start,
            in("x10") argument,
            lateout("x30") _,
        );
    }
    result
}
