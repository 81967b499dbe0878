//! Where a lane meets the machine: mapping one, visiting one, and the way in for a wrapper that found none.

use core::arch::naked_asm;
use core::mem::offset_of;

use linux_raw_sys::general::*;

use super::super::calls::{self, Copy};
use super::page::PAGE;
use crate::contract::{
    GO_G_M, GUARD_SIZE, Head, LANDING_STAYS, LANE_HASH, LANE_TABLE_BITS, OUTER_GUARD_SIZE, Params,
};

/// The name under which /proc/PID/maps shows lanes, where the kernel keeps such names.
static LANE_NAME: [u8; 11] = *b"rsyso lane\0";

/// From this many lanes on, guards are marked in the page tables. A guard that is a mapping of its own makes two mappings of each lane, and the kernel allows
/// some 65,000 in all (vm.max_map_count); marked ones leave lanes that lie side by side one mapping, but take a page of page tables each. So that they lie side by
/// side, they have no outer guard.
const MARKED_FROM: usize = 4096;

/// The signals of faults, as the kernel's set.
const FAULTS: i64 = 1 << (SIGILL - 1)
    | 1 << (SIGBUS - 1)
    | 1 << (SIGFPE - 1)
    | 1 << (SIGSEGV - 1)
    | 1 << (SIGTRAP - 1);

/// madvise(2), since Linux 6.13: accesses fault, and no mapping is split.
pub const MADV_GUARD_INSTALL: u32 = 102;

/// madvise(2): takes such marks away.
pub const MADV_GUARD_REMOVE: u32 = 103;

/// Maps a lane and returns the address of its control block, or a negated errno. All of it is zero; nothing of it is set up.
///
/// Everything a lane costs is address space until it is touched. Twice the size is asked for, and the outer guard, so that an aligned lane lies in it
/// with that below; the rest goes back, the lower part first, so that lanes lie side by side. Uses no stack and writes no data of the image: it runs on
/// the goroutine's stack, before the fix-ups.
///
/// # Safety
/// None to speak of; it is unsafe as all naked functions of the C ABI are called.
#[unsafe(naked)]
pub unsafe extern "C" fn map_lane() -> isize {
    naked_asm!(
        "adrp x9, __rsyso_params",
        "add x9, x9, :lo12:__rsyso_params",
        // x10 = bytes of the outer guard, x11 = the lane's.
        "mov x10, xzr",
        "adrp x11, {lanes}",
        "ldr x11, [x11, :lo12:{lanes}]",
        "cmp x11, {marked_from}",
        "b.hs 7f",
        "mov x10, {outer}",
        "7:",
        "ldr x11, [x9, {lane_size}]",
        // x13 = mmap(NULL, 2 * size + outer, PROT_READ | PROT_WRITE, ...)
        "mov x0, xzr",
        "add x1, x10, x11, lsl #1",
        "mov x2, {read_write}",
        "mov x3, {map_flags}",
        "mov x4, #-1",
        "mov x5, xzr",
        "mov x8, {mmap}",
        "svc #0",
        "cmn x0, #4095",
        "b.hs 9f",
        "mov x13, x0",
        // x14 = the lane: the last aligned one.
        "add x14, x13, x11",
        "add x14, x14, x10",
        "neg x2, x11",
        "and x14, x14, x2",
        // What lies before it, and after it, goes back.
        "sub x15, x14, x10",
        "subs x1, x15, x13",
        "b.eq 2f",
        "mov x0, x13",
        "mov x8, {munmap}",
        "svc #0",
        "2:",
        "add x0, x14, x11",
        "add x1, x13, x11, lsl #1",
        "add x1, x1, x10",
        "subs x1, x1, x0",
        "b.eq 3f",
        "mov x8, {munmap}",
        "svc #0",
        "3:",
        // A huge page per stack would make 2 MiB of each page that is touched. Old kernels may not know the call: no harm.
        "mov x0, x14",
        "mov x1, x11",
        "mov x2, {no_huge_page}",
        "mov x8, {madvise}",
        "svc #0",
        // prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, start, bytes, name): for people who read maps; fails harmlessly where unknown.
        "movz w0, {set_vma_high}, lsl #16",
        "movk w0, {set_vma_low}",
        "mov x1, xzr",
        "mov x2, x14",
        "mov x3, x11",
        "adrp x4, {lane_name}",
        "add x4, x4, :lo12:{lane_name}",
        "mov x8, {prctl}",
        "svc #0",
        // The guards.
        "mov x0, x15",
        "add x1, x10, {guard}",
        "cbnz x10, 4f",
        "mov x2, {guard_install}",
        "mov x8, {madvise}",
        "svc #0",
        "cbz x0, 5f",
        "mov x0, x15",
        "4:",
        "mov x2, xzr",
        "mov x8, {mprotect}",
        "svc #0",
        "cbnz x0, 6f",
        "5:",
        "ldr x0, [x9, {lane_control}]",
        "add x0, x0, x14",
        "ret",
        // mprotect failed: the lane goes back, the error stays.
        "6:",
        "mov x13, x0",
        "mov x0, x15",
        "add x1, x11, x10",
        "mov x8, {munmap}",
        "svc #0",
        "mov x0, x13",
        "9:",
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
        set_vma_high = const linux_raw_sys::prctl::PR_SET_VMA >> 16,
        set_vma_low = const linux_raw_sys::prctl::PR_SET_VMA & 0xffff,
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
        "stp x29, x30, [sp, #-32]!",
        "str x19, [sp, #16]",
        "mov x19, sp",
        // By this, signal handlers find g.
        "adrp x9, __rsyso_params",
        "add x9, x9, :lo12:__rsyso_params",
        "ldr x10, [x9, {lane_size}]",
        "ldr x11, [x9, {lane_control}]",
        "neg x10, x10",
        "and x10, x19, x10",
        "add x10, x10, x11",
        "ldr x9, [x10, {go_sp}]",
        "str x9, [x0, {go_sp}]",
        // A way out of this lane, as signals see it (`polite.rs`).
        "mov x10, x0",
        "mov sp, x10",
        "blr x1",
        "mov sp, x19",
        "ldr x19, [sp, #16]",
        "ldp x29, x30, [sp], #32",
        "ret",
        lane_size = const offset_of!(Params, lane_size),
        lane_control = const offset_of!(Params, lane_control),
        go_sp = const offset_of!(Head, go_sp),
    )
}

/// The slow path of every wrapper: finds the lane of the running `m` beyond its home slot, or makes one. Calls from another copy of the
/// package than the one that this image serves go on in that one's image (`enter/copies.rs`).
///
/// In: x9 = m, x28 = g, x13 = the landing by which packages are told apart, x12 = that of this call, and at sp what wrappers leave there. Out: x11 = the lane's
/// control block. Keeps sp, x12, x13, x28 and x29; uses nothing more of the goroutine's stack, which may have no more than a few hundred bytes left.
///
/// # Safety
/// Called by the wrappers alone, on a goroutine's stack.
#[cfg(not(test))]
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_lane_slow() {
    naked_asm!(
        // Whose call is it? Of another copy of the package, if there is an owner and it is another one.
        "adrp x10, {owner}",
        "add x10, x10, :lo12:{owner}",
        "ldar x10, [x10]",
        "cbz x10, 3f",
        "cmp x10, x13",
        "b.eq 3f",
        "adrp x11, {copies}",
        "ldr x11, [x11, :lo12:{copies}]",
        "2:",
        "cbz x11, 3f", // It has no image yet.
        "ldr x10, [x11, {landing}]",
        "cmp x10, x13",
        "b.eq 22f",
        "ldr x11, [x11, {next}]",
        "b 2b",
        // Its image does the same, and returns to the same place of its own wrapper.
        "22:",
        "ldr x11, [x11, {distance}]",
        "add x30, x30, x11",
        "adrp x10, {slow}",
        "add x10, x10, :lo12:{slow}",
        "add x10, x10, x11",
        "br x10",
        // A collision in the table: this thread's lane lies further on. The table is never full, so the search ends.
        "3:",
        "adrp x10, {table}",
        "ldr x10, [x10, :lo12:{table}]",
        "cbz x10, 5f",
        "movz w14, {hash_high}, lsl #16",
        "movk w14, {hash_low}",
        "mul w14, w14, w9",
        "lsr w14, w14, {shift}",
        "33:",
        "add x15, x10, x14, lsl #4",
        "ldr x11, [x15]",
        "cmp x11, x9",
        "b.eq 4f",
        "cbz x11, 5f",
        "add w14, w14, #1",
        "and w14, w14, {mask}",
        "b 33b",
        "4:",
        "ldr x11, [x15, #8]",
        "b 8f",
        // The first call on this thread, and maybe in this process: nothing of the image may be written yet.
        "5:",
        "mov x19, x9",
        "mov x20, x12",
        "mov x21, x13",
        "mov x22, x30",
        "mov x23, sp",
        "adrp x24, __rsyso_params",
        "add x24, x24, :lo12:__rsyso_params",
        "adrp x0, __rsyso_image",
        "add x0, x0, :lo12:__rsyso_image",
        "ldr x1, [x24, {image_size}]",
        "ldr x2, [x24, {rw_offset}]",
        // Of the pages of this kernel, whichever size they have, none that is touched holds anything else: the linker keeps the largest page apart.
        "add x1, x0, x1",
        "add x0, x0, x2",
        "and x0, x0, {pages}",
        "and x1, x1, {pages}",
        "sub x1, x1, x0",
        "mov x2, {read_write}",
        "mov x8, {mprotect}",
        "svc #0",
        "mov w25, wzr",
        "cbnz x0, 7f",
        // A lane that another thread left, or a new one.
        "adrp x1, {ready}",
        "add x1, x1, :lo12:{ready}",
        "55:",
        "ldaxr x0, [x1]",
        "stlxr w2, xzr, [x1]",
        "cbnz w2, 55b",
        "cbnz x0, 6f",
        "bl {map_lane}",
        "mov w25, #1",
        "cmn x0, #4095",
        "b.hs 7f",
        "6:",
        // No call of Go's runs there yet: what another left would mislead signal handlers. They find g by the stack pointer.
        "str xzr, [x0, {go_landing}]",
        "str x23, [x0, {go_sp}]",
        // They do not know the lane yet: no signals meanwhile, but those of faults.
        "mov x26, x0",
        "mov x9, {not_faults}",
        "stp x9, xzr, [x26, #-16]",
        "mov x0, {set_mask}",
        "sub x1, x26, #16",
        "sub x2, x26, #8",
        "mov x3, {set_size}",
        "mov x8, {sigprocmask}",
        "svc #0",
        "sub sp, x26, #16",
        "mov x0, x28",
        "mov x1, x19",
        "mov x2, x26",
        "mov x3, x21",
        "bl {enter}",
        "mov x26, x0",
        "mov x1, sp",
        "add x1, x1, #8",
        "mov x0, {set_mask}",
        "mov x2, xzr",
        "mov x3, {set_size}",
        "mov x8, {sigprocmask}",
        "svc #0",
        "mov sp, x23",
        "mov x11, x26",
        "mov x12, x20",
        "mov x13, x21",
        "mov x30, x22",
        // By now there is an owner. Another copy of the package gets an image of its own, by means of the lane that its thread has here.
        "8:",
        "adrp x10, {owner}",
        "ldr x10, [x10, :lo12:{owner}]",
        "cmp x10, x13",
        "b.ne 9f",
        "ret",
        "9:",
        "mov x20, x12",
        "mov x21, x13",
        "mov x22, x30",
        "mov x23, sp",
        "str xzr, [x11, {go_landing}]",
        "str x23, [x11, {go_sp}]",
        "mov sp, x11",
        "mov x0, x13",
        "bl {serve}",
        "mov sp, x23",
        "mov x12, x20",
        "mov x13, x21",
        "mov x30, x22",
        "ldr x9, [x28, {g_m}]",
        "b {slow}",
        // w25 = which call failed, x0 = its negated errno. If it was for want of a stack, Go goes on as after a call that does not return; so
        // early that nothing is set up there is no way back.
        "7:",
        "adrp x10, {table}",
        "ldr x10, [x10, :lo12:{table}]",
        "cbz x10, 77f",
        "cbz w25, 77f",
        "ldr x30, [sp], #16",
        "adrp x0, {no_room}",
        "add x0, x0, :lo12:{no_room}",
        "mov w1, #1",
        "and x20, x20, {without}",
        "br x20",
        "77:",
        "neg w1, w0",
        "mov w0, w25",
        "bl {failed}",
        "brk #1",
        owner = sym calls::rsyso_lane_owner,
        copies = sym calls::rsyso_copies,
        landing = const offset_of!(Copy, landing),
        go_landing = const offset_of!(Head, go_landing),
        go_sp = const offset_of!(Head, go_sp),
        without = const !(LANDING_STAYS as i64),
        distance = const offset_of!(Copy, distance),
        next = const offset_of!(Copy, next),
        serve = sym calls::rsyso_serve_copy,
        slow = sym rsyso_lane_slow,
        not_faults = const !FAULTS,
        set_mask = const SIG_SETMASK,
        set_size = const size_of::<u64>(),
        sigprocmask = const __NR_rt_sigprocmask,
        g_m = const GO_G_M,
        table = sym calls::rsyso_lane_table,
        hash_high = const LANE_HASH >> 16,
        hash_low = const LANE_HASH & 0xffff,
        shift = const 32 - LANE_TABLE_BITS,
        mask = const (1u32 << LANE_TABLE_BITS) - 1,
        pages = const !(PAGE as i64 - 1),
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
