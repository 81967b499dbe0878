//! What the library calls instead of functions of std that take locks: see `crate::room`.

use core::arch::naked_asm;

use crate::room::STREAM;

/// Functions that touch the stack some way down, and then are the library's own.
macro_rules! fronts {
    ($($front:ident $real:literal;)*) => {$(
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
                room = const STREAM,
            )
        }
    )*};
}

// The linker has the same list (`link/interpose.rs`).
fronts! {
    rsyso_room_print "rsyso_std_print";
    rsyso_room_eprint "rsyso_std_eprint";
    rsyso_room_stdout_lock "rsyso_std_stdout_lock";
    rsyso_room_stdout_write "rsyso_std_stdout_write";
    rsyso_room_stdout_write_vectored "rsyso_std_stdout_write_vectored";
    rsyso_room_stdout_write_all "rsyso_std_stdout_write_all";
    rsyso_room_stdout_write_all_vectored "rsyso_std_stdout_write_all_vectored";
    rsyso_room_stdout_write_fmt "rsyso_std_stdout_write_fmt";
    rsyso_room_stdout_flush "rsyso_std_stdout_flush";
    rsyso_room_stderr_lock "rsyso_std_stderr_lock";
    rsyso_room_stderr_write "rsyso_std_stderr_write";
    rsyso_room_stderr_write_vectored "rsyso_std_stderr_write_vectored";
    rsyso_room_stderr_write_all "rsyso_std_stderr_write_all";
    rsyso_room_stderr_write_all_vectored "rsyso_std_stderr_write_all_vectored";
    rsyso_room_stderr_write_fmt "rsyso_std_stderr_write_fmt";
    rsyso_room_stdin_lock "rsyso_std_stdin_lock";
    rsyso_room_stdin_read_line "rsyso_std_stdin_read_line";
    rsyso_room_backtrace_lock "rsyso_std_backtrace_lock";
    rsyso_room_backtrace_create "rsyso_std_backtrace_create";
    rsyso_room_backtrace_frames "rsyso_std_backtrace_frames";
    rsyso_room_backtrace_display "rsyso_std_backtrace_display";
    rsyso_room_backtrace_debug "rsyso_std_backtrace_debug";
    rsyso_room_set_hook "rsyso_std_set_hook";
    rsyso_room_take_hook "rsyso_std_take_hook";
    rsyso_room_var "rsyso_std_var";
    rsyso_room_var_os "rsyso_std_var_os";
    rsyso_room_vars_os "rsyso_std_vars_os";
    rsyso_room_setenv "rsyso_std_setenv";
    rsyso_room_unsetenv "rsyso_std_unsetenv";
}

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
        begun = sym crate::panics::begun,
    )
}
