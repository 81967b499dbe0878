//! The first call into the image on a thread, and the very first in the process.
//!
//! Nothing runs before a Go function of the package is called: a package-level variable may call one before any `init`.
//! The first thread to come applies the image's fix-ups and runs the library's initialisers; others wait.
//! Until the fix-ups ran, every pointer in the image's data is an offset: code on that path reads none. So no formatting, no panics, no
//! tables of strings; a string constant by itself is fine, its address is computed.

use core::sync::atomic::{AtomicU32, Ordering::*};

use linux_raw_sys::general::__NR_rt_sigprocmask;

use crate::arch;
use crate::die::fatal;
use crate::image::{base, params};
use crate::lane::{self, Control};
use crate::shared::{GO_G_M, GO_M_G0};
use crate::sys;

/// Where the process stands.
static STATE: AtomicU32 = AtomicU32::new(FRESH);
const FRESH: u32 = 0;
const RUNNING: u32 = 1;
/// As `RUNNING`, and someone sleeps on the word.
const WAITED: u32 = 2;
const DONE: u32 = 3;

/// Called by `rsyso_lane_slow` at the top of a fresh lane. Returns the lane of `m`, ready for use. `landing` tells which package calls.
pub extern "C" fn enter(g: usize, m: usize, control: *mut Control, landing: usize) -> *mut Control {
    check_go_layout(g, m);
    if STATE.load(Acquire) == DONE {
        lane::register(control);
        lane::init_tls(control);
    } else {
        boot(control, landing);
    }
    lane::ended::learn(m);
    lane::insert(m, control);
    lane::ended::look_if_due();
    lane::make_ready();
    control
}

/// Called by `rsyso_lane_slow`, still on the goroutine's stack, when one of its system calls failed.
pub extern "C" fn failed(which: u32, errno: i32) -> ! {
    crate::die::fatal_errno(
        if which == 0 {
            "cannot make the data of the Rust library writable (mprotect failed)"
        } else {
            "cannot map a stack for Rust code (mmap or mprotect failed)"
        },
        errno,
    )
}

/// Sets the process up, once; every other thread waits until that is done. The image serves the package that came first.
fn boot(control: *mut Control, landing: usize) {
    match STATE.compare_exchange(FRESH, RUNNING, Acquire, Acquire) {
        Ok(_) => {
            crate::copies::keep_variables();
            crate::far::map();
            let (base, far) = (base(), crate::far::memory());
            for_each_fixup(|place| add(place, base));
            crate::far::for_each_fixup(|place| add(place, far));
            crate::far::fill();
            arch::mem::detect();
            lane::list::create_list();
            lane::register(control);
            lane::init_tls(control);
            lane::create_table();
            crate::unwind::register();
            crate::fault::install();
            crate::c::env::init();
            crate::c::checks::init();
            run_initialisers();
            lane::rsyso_lane_owner.store(landing, Release);
            if STATE.swap(DONE, Release) == WAITED {
                sys::futex_wake(&STATE, i32::MAX as usize);
            }
        }
        Err(mut state) => {
            while state != DONE {
                if state == WAITED
                    || STATE
                        .compare_exchange(RUNNING, WAITED, Relaxed, Relaxed)
                        .is_ok()
                {
                    sys::futex_wait(&STATE, WAITED);
                }
                state = STATE.load(Acquire);
            }
            lane::register(control);
            lane::init_tls(control);
        }
    }
}

/// Checks what everything rests on: that `m` lies where wrappers read it in `g`. By the invariant `g.m.g0.m == g.m`.
fn check_go_layout(g: usize, m: usize) {
    let holds = read_word(g.wrapping_add(GO_G_M as usize)) == Some(m)
        && read_word(m.wrapping_add(GO_M_G0 as usize))
            .and_then(|g0| read_word(g0.wrapping_add(GO_G_M as usize)))
            == Some(m);
    if !holds {
        fatal(
            "this Go version keeps its threads where this package does not look (g.m has moved); \
             upgrade rsyso and convert the library again",
        );
    }
}

/// The word at an address that may be anything at all.
///
/// rt_sigprocmask(2) copies the set in before it looks at `how`: with an impossible `how` it changes nothing, and tells EFAULT
/// (not readable) from EINVAL (readable).
fn read_word(address: usize) -> Option<usize> {
    if address == 0 || !address.is_multiple_of(align_of::<usize>()) {
        return None;
    }
    // SAFETY: changes nothing, whatever the address.
    let result = unsafe {
        sys::syscall4(
            __NR_rt_sigprocmask,
            usize::MAX,
            address,
            0,
            size_of::<u64>(),
        )
    };
    if result != -(linux_raw_sys::errno::EINVAL as isize) {
        return None;
    }
    // SAFETY: the kernel has just read it; aligned.
    Some(unsafe { (address as *const usize).read_volatile() })
}

/// Adds a number to a word that the linker listed.
fn add(place: usize, number: usize) {
    let place = place as *mut usize;
    // SAFETY: the linker lists words of the writable part, which is writable now, and no other thread runs here.
    unsafe { place.write_unaligned(place.read_unaligned().wrapping_add(number)) };
}

/// Calls `each` with the address of every word that holds an address of the image. `Params` tells the encodings.
pub(crate) fn for_each_fixup(each: impl Fn(usize)) {
    let p = params();
    let base = base();
    let words = (base + p.relr_offset as usize) as *const u64;
    let mut next = base;
    for i in 0..p.relr_count as usize {
        // SAFETY: within the list.
        let word = unsafe { words.add(i).read() };
        if word & 1 == 0 {
            next = base + word as usize;
            each(next);
            next += 8;
        } else {
            let mut bits = word >> 1;
            let mut place = next;
            while bits != 0 {
                let skip = bits.trailing_zeros() as usize;
                place += skip * 8;
                each(place);
                place += 8;
                // In two steps: the distance may be all 64 bits.
                bits = bits >> skip >> 1;
            }
            next += 63 * 8;
        }
    }
    let offsets = (base + p.unaligned_offset as usize) as *const u32;
    for i in 0..p.unaligned_count as usize {
        // SAFETY: within the list.
        each(base + unsafe { offsets.add(i).read_unaligned() } as usize);
    }
}

/// Runs the library's initialisers (`.init_array`), which get argc, argv and envp as glibc passes them.
fn run_initialisers() {
    let p = params();
    if p.init_count == 0 {
        return;
    }
    let args = crate::args::get();
    let functions = (base() + p.init_offset as usize)
        as *const extern "C" fn(i32, *const *const u8, *const *const u8);
    for i in 0..p.init_count as usize {
        // SAFETY: within the list, and fixed up.
        let function = unsafe { functions.add(i).read() };
        function(args.argc, args.argv, args.envp);
    }
}
