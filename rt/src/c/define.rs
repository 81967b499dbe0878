//! How a C name is defined: the macros, and the way from a system call's result to C's.

use crate::c::errno::set_errno;
use crate::sys;

/// What can be handed to the kernel as one machine word.
pub trait Word {
    /// The word; signed types are sign-extended.
    fn word(self) -> usize;
}

macro_rules! word {
    ($($ty:ty)*) => {$(
        impl Word for $ty {
            #[inline(always)]
            fn word(self) -> usize {
                self as usize
            }
        }
    )*};
}
word!(i16 u16 i32 u32 i64 u64 isize usize);

impl<T> Word for *const T {
    #[inline(always)]
    fn word(self) -> usize {
        self as usize
    }
}

impl<T> Word for *mut T {
    #[inline(always)]
    fn word(self) -> usize {
        self as usize
    }
}

/// C's result for a system call's: the value, or -1 with `errno` set.
#[inline]
pub fn ret(result: isize) -> isize {
    match sys::check(result) {
        Ok(value) => value as isize,
        Err(errno) => fail(errno) as isize,
    }
}

/// Sets `errno` and returns -1.
#[cold]
pub fn fail(errno: i32) -> i32 {
    set_errno(errno);
    -1
}

/// The result of the functions that return an error number: 0, or the number; `errno` stays.
#[inline]
pub fn code(result: isize) -> i32 {
    sys::check(result).err().unwrap_or(0)
}

/// Ends the program for a copy into memory that is too small, as compilers have C code check it (_FORTIFY_SOURCE).
#[cold]
pub fn overflowed() -> ! {
    crate::sys::die::fatal("buffer overflow in C code of the library (__chk_fail)")
}

/// Called before a system call that may wait: Go is to run something else meanwhile, if it waits for this call (`leave/polite.rs`).
#[inline]
pub fn about_to_wait() {
    #[cfg(not(test))]
    crate::leave::polite::about_to_wait();
}

/// Makes a system call that may wait until it is not interrupted (EINTR).
///
/// Signals that interrupt a call of the library's are Go's: it sends them to threads that run for long (SIGURG) and for
/// profiles (SIGPROF). The library has no handlers, so that without Go it would never see EINTR, and some of it does
/// not expect it. Calls that the kernel does not restart by itself (signal(7), "Interruption of system calls") are made
/// again here, with these signals held back; a time limit of the call's own then begins anew, once.
#[inline]
pub fn uninterrupted(mut call: impl FnMut() -> isize) -> isize {
    const INTERRUPTED: isize = -(libc::EINTR as isize);
    about_to_wait();
    match call() {
        INTERRUPTED => {
            let _held = crate::sys::signal::Blocked::gos();
            loop {
                match call() {
                    INTERRUPTED => {}
                    result => break result,
                }
            }
        }
        result => result,
    }
}

/// Makes a system call with zero to six arguments of any [`Word`] type. Unsafe, as the call is.
macro_rules! syscall {
    ($n:expr $(,)?) => {
        $crate::sys::syscall0($n)
    };
    ($n:expr, $a:expr) => {
        $crate::sys::syscall1($n, $crate::c::define::Word::word($a))
    };
    ($n:expr, $a:expr, $b:expr) => {
        $crate::sys::syscall2(
            $n,
            $crate::c::define::Word::word($a),
            $crate::c::define::Word::word($b),
        )
    };
    ($n:expr, $a:expr, $b:expr, $c:expr) => {
        $crate::sys::syscall3(
            $n,
            $crate::c::define::Word::word($a),
            $crate::c::define::Word::word($b),
            $crate::c::define::Word::word($c),
        )
    };
    ($n:expr, $a:expr, $b:expr, $c:expr, $d:expr) => {
        $crate::sys::syscall4(
            $n,
            $crate::c::define::Word::word($a),
            $crate::c::define::Word::word($b),
            $crate::c::define::Word::word($c),
            $crate::c::define::Word::word($d),
        )
    };
    ($n:expr, $a:expr, $b:expr, $c:expr, $d:expr, $e:expr) => {
        $crate::sys::syscall5(
            $n,
            $crate::c::define::Word::word($a),
            $crate::c::define::Word::word($b),
            $crate::c::define::Word::word($c),
            $crate::c::define::Word::word($d),
            $crate::c::define::Word::word($e),
        )
    };
    ($n:expr, $a:expr, $b:expr, $c:expr, $d:expr, $e:expr, $f:expr) => {
        $crate::sys::syscall6(
            $n,
            $crate::c::define::Word::word($a),
            $crate::c::define::Word::word($b),
            $crate::c::define::Word::word($c),
            $crate::c::define::Word::word($d),
            $crate::c::define::Word::word($e),
            $crate::c::define::Word::word($f),
        )
    };
}

/// Defines C functions, exported under their own names, whose types must be those that the libc crate declares.
///
/// - `fn name(args) -> ret { .. }`: as `libc::name` has it.
/// - `fn name(args) -> ret like other { .. }`: as `libc::other` has it.
/// - `variadic fn name(fixed; rest) -> ret { .. }`: C declares it with `...` after the fixed arguments. Integer and
///   pointer arguments are passed alike with and without `...` on every machine of `arch`, so that the rest can be named; those that the caller left
///   out hold anything.
/// - `undeclared fn name(args) -> ret { .. }`: the libc crate does not know it.
///
/// A body is unsafe code that rests on what a C caller promises (see below), and says nothing about that. What is sound for another reason stands in a
/// block of its own, with that reason.
macro_rules! c_fn {
    () => {};
    ($(#[$m:meta])* fn $name:ident($($a:ident: $t:ty),* $(,)?) $(-> $r:ty)? $body:block $($rest:tt)*) => {
        c_fn!(@define [$(#[$m])*] $name($($a: $t),*) [$(-> $r)?] $body);
        const _: unsafe extern "C" fn($($t),*) $(-> $r)? = libc::$name;
        c_fn!($($rest)*);
    };
    ($(#[$m:meta])* fn $name:ident($($a:ident: $t:ty),* $(,)?) $(-> $r:ty)?, like $like:ident $body:block $($rest:tt)*) => {
        c_fn!(@define [$(#[$m])*] $name($($a: $t),*) [$(-> $r)?] $body);
        const _: unsafe extern "C" fn($($t),*) $(-> $r)? = libc::$like;
        c_fn!($($rest)*);
    };
    ($(#[$m:meta])* variadic fn $name:ident($($a:ident: $t:ty),*; $($va:ident: $vt:ty),* $(,)?) -> $r:ty $body:block $($rest:tt)*) => {
        c_fn!(@define [$(#[$m])*] $name($($a: $t,)* $($va: $vt),*) [-> $r] $body);
        const _: unsafe extern "C" fn($($t,)* ...) -> $r = libc::$name;
        c_fn!($($rest)*);
    };
    ($(#[$m:meta])* undeclared fn $name:ident($($a:ident: $t:ty),* $(,)?) $(-> $r:ty)? $body:block $($rest:tt)*) => {
        c_fn!(@define [$(#[$m])*] $name($($a: $t),*) [$(-> $r)?] $body);
        c_fn!($($rest)*);
    };
    (@define [$(#[$m:meta])*] $name:ident($($a:ident: $t:ty),*) [$($ret:tt)*] $body:block) => {
        $(#[$m])*
        ///
        /// # Safety
        /// As the manual page demands of the arguments.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        #[allow(unused_unsafe, clippy::macro_metavars_in_unsafe, reason = "see the macro")]
        pub unsafe extern "C" fn $name($($a: $t),*) $($ret)* {
            // SAFETY: who calls a C function answers for what its manual page demands: pointers are null where that is allowed, else they
            // lead to values of their types, to strings that end, or to as much memory as another argument says; nobody else writes there
            // meanwhile; objects were initialised; what was freed is not used.
            unsafe { $body }
        }
    };
}

/// Defines C functions that are a system call each: `name(args) -> ret = number(words);`, checked as by [`c_fn`]
/// (`name, like other(args)`). A failure is -1 with `errno` set. `= again number(words)`: as [`uninterrupted`].
/// `= waiting number(words)`: [`about_to_wait`] comes first; a signal may interrupt it.
macro_rules! syscalls {
    () => {};
    ($(#[$m:meta])* $name:ident($($a:ident: $t:ty),* $(,)?) -> $r:ty = again $nr:ident($($w:expr),*); $($rest:tt)*) => {
        c_fn! {
            $(#[$m])*
            fn $name($($a: $t),*) -> $r {
                let result = $crate::c::define::uninterrupted(|| syscall!(linux_raw_sys::general::$nr $(, $w)*));
                $crate::c::define::ret(result) as $r
            }
        }
        syscalls!($($rest)*);
    };
    ($(#[$m:meta])* $name:ident($($a:ident: $t:ty),* $(,)?) -> $r:ty = waiting $nr:ident($($w:expr),*); $($rest:tt)*) => {
        c_fn! {
            $(#[$m])*
            fn $name($($a: $t),*) -> $r {
                $crate::c::define::about_to_wait();
                $crate::c::define::ret(syscall!(linux_raw_sys::general::$nr $(, $w)*)) as $r
            }
        }
        syscalls!($($rest)*);
    };
    ($(#[$m:meta])* $name:ident($($a:ident: $t:ty),* $(,)?) -> $r:ty $(, like $like:ident)? = $nr:ident($($w:expr),*); $($rest:tt)*) => {
        c_fn! {
            $(#[$m])*
            fn $name($($a: $t),*) -> $r $(, like $like)? {
                $crate::c::define::ret(syscall!(linux_raw_sys::general::$nr $(, $w)*)) as $r
            }
        }
        syscalls!($($rest)*);
    };
}
