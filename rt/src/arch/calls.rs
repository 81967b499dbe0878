//! What machine code calls and reads of the layers above it: by symbol, so that nothing in this folder imports them.
//!
//! They are defined above by [`called!`] and [`read!`], which hold each definition against its declaration here.

use core::ffi::c_int;
use core::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize};

use libc::{siginfo_t, ucontext_t};
use unwinding::abi::{UnwindAction, UnwindContext, UnwindException, UnwindReasonCode};

use crate::contract::{Departure, Head};

/// Two words, which C returns in two registers.
#[repr(C)]
pub struct Words(pub usize, pub usize);

/// An image that serves another copy of the package (`enter/copies.rs`).
#[repr(C)]
pub struct Copy {
    /// The landing of that package's stubs.
    pub landing: usize,
    /// From this image to that one, in bytes.
    pub distance: usize,
    /// The one that was made before.
    pub next: *mut Copy,
}

/// A departure that any number of threads may read.
#[repr(transparent)]
pub struct Constant(pub Departure);

// SAFETY: never written; its texts are constants.
unsafe impl Sync for Constant {}

// Types of the unwinder are passed as its own functions pass them.
#[allow(improper_ctypes)]
unsafe extern "C" {
    /// `lane/table.rs`: the address of the lane table; 0 before the first use of the image.
    pub static rsyso_lane_table: AtomicU64;
    /// `lane/table.rs`: the package that the image serves.
    pub static rsyso_lane_owner: AtomicUsize;
    /// `lane/pool.rs`: the lane that the next thread of Go's takes that comes without one.
    pub static rsyso_lane_ready: AtomicUsize;
    /// `lane/list.rs`: how many lanes there have been.
    pub static rsyso_lanes: AtomicUsize;
    /// `enter/copies.rs`: the images that this one has handed calls on to.
    pub static rsyso_copies: AtomicPtr<Copy>;
    /// `leave/departure.rs`: what a call says for which there is no room.
    pub static rsyso_no_room: Constant;

    /// `enter/boot.rs`: on a fresh lane of `m`, or one that another thread left; returns it, ready for use.
    pub fn rsyso_enter(g: usize, m: usize, lane: *mut Head, landing: usize) -> *mut Head;
    /// `enter/boot.rs`: a system call on the way in failed.
    pub fn rsyso_enter_failed(which: u32, errno: i32) -> !;
    /// `enter/copies.rs`: sees to it that the package of `landing` has an image.
    pub fn rsyso_serve_copy(landing: usize);

    /// `leave/callback.rs`: makes the lane ready to be left for a Go function, and gives its control block.
    pub fn rsyso_callback_depart(
        frame: *mut core::ffi::c_void,
        which: usize,
        callee: usize,
        user: usize,
    ) -> *mut Head;
    /// `leave/kept.rs`: makes the lane ready to be left for a function that the library keeps; gives its control block, and how: 0 by a jump, 1 by the stub's
    /// return to Go, 2 for a goroutine that runs on it in the place of this thread; no control block if nothing is to be called.
    pub fn rsyso_kept_depart(
        frame: *mut core::ffi::c_void,
        which: usize,
        code: usize,
        user: usize,
    ) -> Words;
    /// `leave/adopt.rs`: has a goroutine run on the lane in the place of its thread. Returns when the lane is the thread's again.
    pub fn rsyso_kept_hand_over();
    /// `leave/kept.rs`: Go has come back from it; whether it did not return.
    pub fn rsyso_kept_back(unwind: usize);
    /// `leave/trap.rs`: the library's handler of a fault runs. Gives what is to be taken up.
    pub fn rsyso_fault_shown(
        signal: usize,
        info: *mut siginfo_t,
        context: *mut ucontext_t,
    ) -> *mut ucontext_t;
    /// `leave/callback.rs`: the Go function did not return: the payload of what is to be raised.
    pub fn rsyso_callback_ended() -> Words;
    /// `leave/counts.rs`: the same where std's own way is missing.
    pub fn rsyso_callback_ended_counted() -> Words;
    /// `leave/callback.rs`: nothing can be raised.
    pub fn rsyso_callback_abandon() -> !;

    /// `leave/handlers.rs`: the control block of the lane that a stack pointer leads to, or 0, and whether there is code of the image at the other address, 1 or 0.
    pub fn rsyso_interrupted(sp: usize, pc: usize) -> Words;

    /// `leave/panics.rs`: a panic begins; the address of its `Location`.
    pub fn rsyso_panic_begun(location: usize);
    /// `leave/panics.rs`: an exception is about to be raised.
    pub fn rsyso_panic_raised(exception: *mut UnwindException);
    /// `leave/callback.rs`: it could not be raised.
    pub fn rsyso_panic_not_raised(exception: *mut UnwindException);
    /// `leave/panics.rs`: an exception has left every frame of the library's.
    pub fn rsyso_panic_landed(exception: *mut UnwindException) -> !;
    /// `leave/panics.rs`: a panic is about to leave a function that cannot unwind; where in it.
    pub fn rsyso_panic_stuck(caller: usize) -> !;
    /// `leave/catch.rs`: the personality of [`catching`](super::catch::catching).
    pub fn rsyso_catching_personality(
        version: c_int,
        actions: UnwindAction,
        class: u64,
        exception: *mut UnwindException,
        context: &mut UnwindContext<'_>,
    ) -> UnwindReasonCode;
}

/// Defines functions that machine code calls, of the types that are declared above.
macro_rules! called {
    ($($(#[$m:meta])* fn $name:ident($($a:ident: $t:ty),* $(,)?) $(-> $r:ty)? $body:block)*) => {$(
        $(#[$m])*
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $name($($a: $t),*) $(-> $r)? $body
        const _: unsafe extern "C" fn($($t),*) $(-> $r)? = $crate::arch::calls::$name;
    )*};
}
pub(crate) use called;

/// Defines statics that machine code reads, of the types that are declared above.
macro_rules! read {
    ($($(#[$m:meta])* static $name:ident: $t:ty = $value:expr;)*) => {$(
        $(#[$m])*
        #[cfg_attr(not(test), unsafe(no_mangle))]
        #[allow(non_upper_case_globals, reason = "a symbol")]
        pub static $name: $t = $value;
        const _: fn() -> *const $t = || &raw const $crate::arch::calls::$name;
    )*};
}
pub(crate) use read;
