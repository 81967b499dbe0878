//! The first call into the image on a thread, and the very first in the process.
//!
//! Nothing runs before a Go function of the package is called: a package-level variable may call one before any `init`.
//! The first thread to come applies the image's fix-ups and runs the library's initialisers; others wait.
//! Until the fix-ups ran, every pointer in the image's data is an offset: code on that path reads none. So no formatting, no panics, no
//! tables of strings; a string constant by itself is fine, its address is computed.

use core::sync::atomic::{AtomicU32, Ordering::*};

use linux_raw_sys::general::__NR_rt_sigprocmask;

use super::copies;
use crate::arch;
use crate::arch::calls::called;
use crate::contract::{GO_G_M, GO_M_G0, Head};
use crate::image::{base, far, fixups, params};
use crate::lane::table::rsyso_lane_owner;
use crate::lane::{self, Control};
use crate::leave::{dump, fault, handlers, polite, unwind};
use crate::sys;
use crate::sys::die::{fatal, fatal_errno};

/// Where the process stands.
static STATE: AtomicU32 = AtomicU32::new(FRESH);
const FRESH: u32 = 0;
const RUNNING: u32 = 1;
/// As `RUNNING`, and someone sleeps on the word.
const WAITED: u32 = 2;
const DONE: u32 = 3;

called! {
    /// Called by `rsyso_lane_slow` at the top of a fresh lane. Returns the lane of `m`, ready for use. `landing` tells which package calls.
    fn rsyso_enter(g: usize, m: usize, fresh: *mut Head, landing: usize) -> *mut Head {
        let control: *mut Control = fresh.cast();
        check_go_layout(g, m);
        if STATE.load(Acquire) == DONE {
            lane::register(control);
            lane::init_tls(control);
        } else {
            boot(control, landing);
        }
        lane::ended::learn(m);
        // Into the table, in the place of one of another thread at this address if that has turned up meanwhile.
        lane::seat::seat(m, control);
        lane::ended::look_if_due();
        lane::pool::make_ready();
        fresh
    }

    /// Called by `rsyso_lane_slow`, still on the goroutine's stack, when one of its system calls failed.
    fn rsyso_enter_failed(which: u32, errno: i32) -> ! {
        let what = match which {
            0 => "cannot make the data of the Rust library writable (mprotect failed)",
            _ => "cannot map a stack for Rust code (mmap or mprotect failed)",
        };
        fatal_errno(what, errno)
    }
}

/// Sets the process up, once; every other thread waits until that is done. The image serves the package that came first.
fn boot(control: *mut Control, landing: usize) {
    match STATE.compare_exchange(FRESH, RUNNING, Acquire, Acquire) {
        Ok(_) => {
            copies::keep_variables();
            far::map();
            let (base, outside) = (base(), far::memory());
            fixups::for_each(|place| fixups::add(place, base));
            far::for_each_fixup(|place| fixups::add(place, outside));
            far::fill();
            arch::mem::detect();
            lane::list::create_list();
            lane::register(control);
            lane::init_tls(control);
            lane::table::create_table();
            unwind::register();
            fault::install();
            polite::install();
            dump::install();
            handlers::install();
            crate::c::env::init();
            crate::c::checks::init();
            run_initialisers();
            rsyso_lane_owner.store(landing, Release);
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

/// Runs the library's initialisers (`.init_array`), which get argc, argv and envp as glibc passes them.
fn run_initialisers() {
    let p = params();
    if p.init_count == 0 {
        return;
    }
    let args = crate::c::args::get();
    let functions = (base() + p.init_offset as usize)
        as *const extern "C" fn(i32, *const *const u8, *const *const u8);
    for i in 0..p.init_count as usize {
        // SAFETY: within the list, and fixed up.
        let function = unsafe { functions.add(i).read() };
        function(args.argc, args.argv, args.envp);
    }
}
