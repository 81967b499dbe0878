//! Room on the stack for what std does under locks of its own.
//!
//! std locks its streams while it formats and writes, its panic hook while that runs, the stack's frames while it walks them. Were the
//! stack to end in there, the lock would stay locked, and every later call hang. So the linker puts functions in front of std's
//! (`contract::fronts`): each touches the stack further down before std takes the lock, as malloc does. The stack ends there, if it must.
//!
//! A panic is not to become the end of the stack when there is little left: for it, the inner guard of the lane is opened until the
//! panic has ended.

use linux_raw_sys::general::*;

use super::control::{Control, base_of, control};
use crate::arch::lane::{MADV_GUARD_INSTALL, MADV_GUARD_REMOVE};
use crate::arch::stack::stack_pointer;
use crate::contract::GUARD_SIZE;
use crate::sys;

/// Stack that a panic needs until it is raised, reports and backtraces included. The inner guard has it.
const PANIC: usize = 48 * 1024;

const _: () = assert!(PANIC <= GUARD_SIZE as usize);

/// Called when a panic begins: lets it use the inner guard, if there is not enough stack above it.
pub(crate) fn open() {
    let control = control();
    let end = base_of(control) + GUARD_SIZE as usize;
    // SAFETY: this thread's own.
    let open = unsafe { &mut (*control).guard_open };
    if !*open && stack_pointer() < end + PANIC {
        *open = on_guard(control, __NR_mprotect, PROT_READ | PROT_WRITE);
        on_guard(control, __NR_madvise, MADV_GUARD_REMOVE);
    }
}

/// Called when a panic has ended: closes the inner guard, unless this runs on it.
pub(crate) fn close() {
    let control = control();
    let end = base_of(control) + GUARD_SIZE as usize;
    // SAFETY: this thread's own.
    let open = unsafe { &mut (*control).guard_open };
    if *open && stack_pointer() > end + PANIC / 2 {
        // Nothing lives there. The guard of some lanes must be no mapping of its own: see `map_lane`.
        let closed = on_guard(control, __NR_madvise, MADV_GUARD_INSTALL)
            || on_guard(control, __NR_mprotect, PROT_NONE)
                && on_guard(control, __NR_madvise, MADV_DONTNEED);
        *open = !closed;
    }
}

/// A system call on the inner guard of this thread's lane; false if it failed.
fn on_guard(control: *mut Control, number: u32, argument: u32) -> bool {
    // SAFETY: the lane's own pages, of which nothing is in use but by this thread.
    let result = unsafe {
        sys::syscall3(
            number,
            base_of(control),
            GUARD_SIZE as usize,
            argument as usize,
        )
    };
    result == 0
}
