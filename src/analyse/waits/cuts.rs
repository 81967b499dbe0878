//! Functions that are not looked into: what they wait for is no reason to call an export blocking.

/// What begins with one of these is left out, with the reason.
const BEGINNINGS: &[&str] = &[
    // Panics, and the backtraces that they print. `catch_unwind` calls a closure, so it is not one of them; see below.
    "core::panicking::",
    "std::panicking::",
    "std::backtrace::",
    "std::backtrace_rs::",
    "std::sys::backtrace::",
    "std::process::abort",
    "panic_abort::",
    "panic_unwind::",
    "rust_panic",
    "rust_begin_unwind",
    "rust_eh_personality",
    "__rust_start_panic",
    "__rustc::rust_panic",
    "__rustc::rust_begin_unwind",
    "__rustc::__rust_start_panic",
    // The allocator, with what it does when memory runs out.
    "__rust_alloc",
    "__rust_dealloc",
    "__rust_realloc",
    "__rdl_",
    "__rg_",
    "__rustc::__rust_",
    "__rustc::__rdl_",
    "__rustc::__rg_",
    "alloc::alloc::",
    "alloc::raw_vec::handle_error",
    "alloc::raw_vec::capacity_overflow",
    "std::alloc::",
    // std's last words before it aborts. What users print goes through a lock first, which is seen.
    "std::sys::stdio::unix::Stderr as std::io::Write::",
    // Reads files below /proc and /sys, which are always ready.
    "std::thread::functions::available_parallelism",
    "std::thread::available_parallelism",
    // What runs on a thread that is being started, and how std catches the overflow of its stack.
    "std::sys::thread::unix::Thread::new::thread_start",
    "std::sys::pal::unix::stack_overflow::",
    // Prints into memory, in programs that test themselves.
    "std::io::stdio::print_to_buffer_if_capture_used",
    // Destructors of thread-locals run when the thread ends, not in the call that registers them.
    "std::sys::thread_local::destructors::",
    "std::sys::thread_local::guard::",
    "std::sys::thread_local::native::eager::destroy",
    "std::sys::thread_local::native::lazy::destroy",
    // Waits for another thread that initialises the same static. That thread runs what the waiting one would run, and the
    // initialiser is looked into as a part of whoever names it.
    "std::sys::sync::once::futex::Once::call",
    "once_cell::imp::initialize_or_wait",
    // Locks that std holds for a moment: the environment, and the seeds of `HashMap`. Random numbers are
    // there once the system is up.
    "std::sys::env::",
    "std::env::_var",
    "std::env::vars",
    "std::sys::random::",
    "getrandom::",
    // The end of the program.
    "std::process::exit",
    "std::sys::exit::",
];

/// Exceptions from the above: these call what they are given.
const NOT: &[&str] = &[
    "std::panicking::catch_unwind",
    "std::panicking::try",
    "std::sys::backtrace::__rust_begin_short_backtrace",
    "std::sys::backtrace::__rust_end_short_backtrace",
];

/// Whether a function is not looked into. The name is demangled.
pub fn left_out(name: &str) -> bool {
    // The two manglings differ: `<a::T>::f` and `a::T::f`. `<a::T as Trait>::f` belongs to its type.
    let name = name.replace(['<', '>'], "");
    let begins = |list: &[&str]| list.iter().any(|b| name.starts_with(b));
    begins(BEGINNINGS) && !begins(NOT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closures_that_are_caught_are_looked_into() {
        assert!(left_out("core::panicking::panic_fmt"));
        assert!(left_out("std::panicking::panic_with_hook"));
        assert!(left_out(
            "<std::backtrace::Backtrace as core::fmt::Display>::fmt"
        ));
        assert!(left_out("<std::sys::sync::once::futex::Once>::call"));
        assert!(left_out("std::sys::sync::once::futex::Once::call"));
        assert!(!left_out("<std::sys::sync::once::futex::Once>::wait"));
        assert!(!left_out("std::panicking::catch_unwind::<u32, F>"));
        assert!(!left_out("std::panicking::try::do_call"));
        assert!(!left_out("text::count_words"));
    }
}
