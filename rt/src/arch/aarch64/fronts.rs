//! What the library calls instead of functions of std that take locks: see `lane/guard.rs`.

use core::arch::naked_asm;

use super::super::calls;
use crate::contract::{FRONT_STACK, fronts};

/// Defines functions that touch the stack some way down, and then are the library's own.
macro_rules! define {
    ($($name:ident $front:ident $front_name:literal $real:literal)*) => {$(
        /// See the module.
        ///
        /// # Safety
        /// As the function of std's that it stands for.
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $front() {
            naked_asm!(
                concat!(".weak ", $real),
                "sub x16, sp, #{room}",
                "ldr xzr, [x16]",
                concat!("adrp x16, :got:", $real),
                concat!("ldr x16, [x16, :got_lo12:", $real, "]"),
                "br x16",
                room = const FRONT_STACK,
            )
        }
    )*};
}

fronts! { define }

/// What std begins a panic with, as the library sees it: makes room for it, and notes its place.
///
/// # Safety
/// As `std::panicking::panic_with_hook`, whose third argument is the place.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rsyso_panic_with_hook() {
    naked_asm!(
        ".weak rsyso_std_panic_with_hook",
        "stp x29, x30, [sp, #-64]!",
        "stp x0, x1, [sp, #16]",
        "stp x2, x3, [sp, #32]",
        "str x4, [sp, #48]",
        "mov x0, x2",
        "bl {begun}",
        "ldr x4, [sp, #48]",
        "ldp x2, x3, [sp, #32]",
        "ldp x0, x1, [sp, #16]",
        "ldp x29, x30, [sp], #64",
        "adrp x16, :got:rsyso_std_panic_with_hook",
        "ldr x16, [x16, :got_lo12:rsyso_std_panic_with_hook]",
        "br x16",
        begun = sym calls::rsyso_panic_begun,
    )
}
