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
                "test [rsp - {room}], al",
                concat!("jmp [rip + ", $real, "@GOTPCREL]"),
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
        "push rdi",
        "push rsi",
        "push rdx",
        "push rcx",
        "push r8",
        "mov rdi, rdx",
        "call {begun}",
        "pop r8",
        "pop rcx",
        "pop rdx",
        "pop rsi",
        "pop rdi",
        "jmp [rip + rsyso_std_panic_with_hook@GOTPCREL]",
        begun = sym calls::rsyso_panic_begun,
    )
}
