//! Functions of the library's std that the runtime stands in front of, or calls: found by their Rust names, since their symbols differ from
//! compiler to compiler. What the library does not have is left out, and the runtime does without.

use super::SecRef;
use super::inputs::Inputs;
use super::names::demangle;
use crate::arch;
use crate::contract::symbols;
use crate::read::{Bind, Def, Object, Symbol};
use memchr::memmem::Finder;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A function of std's.
struct StdFunction {
    /// Its Rust path in the versions of std, without hashes.
    paths: &'static [&'static str],
    /// A piece that every mangled form of these has, to look at few names closely.
    piece: &'static str,
    /// What the runtime calls it.
    real: &'static str,
    /// The function of the runtime that the library's references lead to instead.
    front: Option<&'static str>,
    /// LTO may give a function that is local to an object other arguments. Where the runtime hands over a table of functions as the second one: the offset in it that
    /// the function must read, or it is not what the runtime knows.
    reads: Option<u32>,
}

impl StdFunction {
    fn is_at(&self, path: &str) -> bool {
        match self.real {
            LOCAL_PANIC_COUNT => self.paths.iter().any(|p| path.starts_with(p)),
            _ => self.paths.contains(&path),
        }
    }

    /// Whether the definition is what the runtime knows.
    fn fits(&self, inputs: &Inputs<'_>, at: SecRef, symbol: &Symbol<'_>) -> bool {
        let section = inputs.section(at);
        if section.tls() != (self.real == LOCAL_PANIC_COUNT) {
            return false;
        }
        let Some(offset) = self.reads.filter(|_| symbol.bind == Bind::Local) else {
            return true;
        };
        let code = section.data.get(symbol.value as usize..);
        let arch = arch::by_machine(inputs.object(at.obj).machine);
        code.zip(arch)
            .is_some_and(|(code, arch)| arch.reads_second_argument(code, offset))
    }
}

/// The contract's fronts by their names: the front, and std's own.
#[allow(non_upper_case_globals, reason = "names of functions")]
mod front {
    macro_rules! define {
        ($($name:ident $front:ident $symbol:literal $real:literal)*) => {
            $(pub const $name: (&str, &str) = ($symbol, $real);)*
        };
    }
    crate::contract::fronts! { define }
}

/// A function that takes a lock of std's own: the runtime looks for room on the stack first (`rt/src/lane/guard.rs`).
macro_rules! room {
    ($name:ident, $piece:literal, $($path:literal),+) => {
        StdFunction {
            paths: &[$($path),+],
            piece: $piece,
            real: front::$name.1,
            front: Some(front::$name.0),
            reads: None,
        }
    };
}

/// Where a table of `dyn Any` has `type_id`: behind drop, size and alignment.
const TYPE_ID: u32 = 24;
/// Where a table of `dyn PanicPayload` has `take_box`: behind these and `fmt`. (Before Rust 1.81 there was no `fmt`.)
const TAKE_BOX: u32 = 32;
/// A piece of the name of what raises a panic.
const START_PANIC: &str = "__rust_start_panic";
/// Its name goes on after the path.
const LOCAL_PANIC_COUNT: &str = symbols::STD_LOCAL_PANIC_COUNT;

const STD: &[StdFunction] = &[
    StdFunction {
        paths: &["core::panicking::panic_cannot_unwind"],
        piece: "panic_cannot_unwind",
        real: symbols::STD_PANIC_CANNOT_UNWIND,
        front: Some(symbols::PANIC_CANNOT_UNWIND),
        reads: None,
    },
    StdFunction {
        // The second is its name up to Rust 1.90.
        paths: &[
            "std::panicking::catch_unwind::cleanup",
            "std::panicking::try::cleanup",
        ],
        piece: "7cleanup",
        real: symbols::STD_PANIC_CLEANUP,
        front: Some(symbols::PANIC_CAUGHT),
        reads: None,
    },
    StdFunction {
        // What the end of a catch calls: thin LTO copies that into functions that catch. The second is its name up to Rust 1.86.
        paths: &["__rustc::__rust_panic_cleanup", "__rust_panic_cleanup"],
        piece: "__rust_panic_cleanup",
        real: symbols::STD_PANIC_PAYLOAD,
        front: Some(symbols::PANIC_PAYLOAD),
        reads: None,
    },
    StdFunction {
        // The second is its name up to Rust 1.86.
        paths: &["__rustc::__rust_dealloc", "__rust_dealloc"],
        piece: "__rust_dealloc",
        real: symbols::STD_DEALLOC,
        front: None,
        reads: None,
    },
    StdFunction {
        paths: &["std::panicking::resume_unwind"],
        piece: "13resume_unwind",
        real: symbols::STD_RESUME_UNWIND,
        front: None,
        reads: None,
    },
    // Its name up to Rust 1.91.
    StdFunction {
        paths: &["std::panicking::rust_panic_without_hook"],
        piece: "rust_panic_without_hook",
        real: symbols::STD_RESUME_UNWIND,
        front: None,
        reads: None,
    },
    StdFunction {
        // The second is its name up to Rust 1.90 or so.
        paths: &[
            "std::panicking::panic_with_hook",
            "std::panicking::rust_panic_with_hook",
        ],
        piece: "panic_with_hook",
        real: symbols::STD_PANIC_WITH_HOOK,
        front: Some(symbols::PANIC_WITH_HOOK),
        reads: None,
    },
    StdFunction {
        paths: &["std::panicking::payload_as_str"],
        piece: "payload_as_str",
        real: symbols::STD_PAYLOAD_AS_STR,
        front: None,
        reads: Some(TYPE_ID),
    },
    StdFunction {
        // The second is its name up to Rust 1.86.
        paths: &["__rustc::__rust_start_panic", "__rust_start_panic"],
        piece: START_PANIC,
        real: symbols::STD_START_PANIC,
        front: None,
        reads: Some(TAKE_BOX),
    },
    StdFunction {
        paths: &["std::panicking::panic_count::GLOBAL_PANIC_COUNT"],
        piece: "GLOBAL_PANIC_COUNT",
        real: symbols::STD_GLOBAL_PANIC_COUNT,
        front: None,
        reads: None,
    },
    StdFunction {
        paths: &["std::panicking::panic_count::LOCAL_PANIC_COUNT"],
        piece: "LOCAL_PANIC_COUNT",
        real: LOCAL_PANIC_COUNT,
        front: None,
        reads: None,
    },
    StdFunction {
        // All else that a backtrace needs, from reading debug information on, hangs on it. The second is its name up to Rust 1.80.
        paths: &[
            "<std::sys::backtrace::BacktraceLock::print::DisplayBacktrace as core::fmt::Display>::fmt",
            "<std::sys_common::backtrace::_print::DisplayBacktrace as core::fmt::Display>::fmt",
            "<<std::sys::backtrace::BacktraceLock>::print::DisplayBacktrace as core::fmt::Display>::fmt",
        ],
        piece: "DisplayBacktrace",
        real: symbols::STD_DISPLAY_BACKTRACE,
        front: Some(symbols::NO_BACKTRACE),
        reads: None,
    },
    room!(print, "_print", "std::io::stdio::_print"),
    room!(eprint, "_eprint", "std::io::stdio::_eprint"),
    room!(
        stdout_lock,
        "Stdout",
        "std::io::stdio::Stdout::lock",
        "<std::io::stdio::Stdout>::lock"
    ),
    room!(
        stdout_write,
        "Stdout",
        "<&std::io::stdio::Stdout as std::io::Write>::write"
    ),
    room!(
        stdout_write_vectored,
        "Stdout",
        "<&std::io::stdio::Stdout as std::io::Write>::write_vectored"
    ),
    room!(
        stdout_write_all,
        "Stdout",
        "<&std::io::stdio::Stdout as std::io::Write>::write_all"
    ),
    room!(
        stdout_write_all_vectored,
        "Stdout",
        "<&std::io::stdio::Stdout as std::io::Write>::write_all_vectored"
    ),
    room!(
        stdout_write_fmt,
        "Stdout",
        "<&std::io::stdio::Stdout as std::io::Write>::write_fmt"
    ),
    room!(
        stdout_flush,
        "Stdout",
        "<&std::io::stdio::Stdout as std::io::Write>::flush"
    ),
    room!(
        stderr_lock,
        "Stderr",
        "std::io::stdio::Stderr::lock",
        "<std::io::stdio::Stderr>::lock"
    ),
    room!(
        stderr_write,
        "Stderr",
        "<&std::io::stdio::Stderr as std::io::Write>::write"
    ),
    room!(
        stderr_write_vectored,
        "Stderr",
        "<&std::io::stdio::Stderr as std::io::Write>::write_vectored"
    ),
    room!(
        stderr_write_all,
        "Stderr",
        "<&std::io::stdio::Stderr as std::io::Write>::write_all"
    ),
    room!(
        stderr_write_all_vectored,
        "Stderr",
        "<&std::io::stdio::Stderr as std::io::Write>::write_all_vectored"
    ),
    room!(
        stderr_write_fmt,
        "Stderr",
        "<&std::io::stdio::Stderr as std::io::Write>::write_fmt"
    ),
    room!(
        stdin_lock,
        "Stdin",
        "std::io::stdio::Stdin::lock",
        "<std::io::stdio::Stdin>::lock"
    ),
    room!(
        stdin_read_line,
        "Stdin",
        "std::io::stdio::Stdin::read_line",
        "<std::io::stdio::Stdin>::read_line"
    ),
    room!(
        backtrace_lock,
        "9backtrace4lock",
        "std::sys::backtrace::lock",
        "std::sys_common::backtrace::lock"
    ),
    room!(
        backtrace_create,
        "Backtrace",
        "std::backtrace::Backtrace::create",
        "<std::backtrace::Backtrace>::create"
    ),
    room!(
        backtrace_frames,
        "Backtrace",
        "std::backtrace::Backtrace::frames",
        "<std::backtrace::Backtrace>::frames"
    ),
    room!(
        backtrace_display,
        "Backtrace",
        "<std::backtrace::Backtrace as core::fmt::Display>::fmt"
    ),
    room!(
        backtrace_debug,
        "Backtrace",
        "<std::backtrace::Backtrace as core::fmt::Debug>::fmt"
    ),
    room!(set_hook, "8set_hook", "std::panicking::set_hook"),
    room!(take_hook, "9take_hook", "std::panicking::take_hook"),
    room!(var, "3env", "std::env::_var"),
    room!(var_os, "3env", "std::env::_var_os"),
    room!(vars_os, "3env", "std::env::vars_os"),
    room!(setenv, "3env", "std::sys::env::unix::setenv"),
    room!(unsetenv, "3env", "std::sys::env::unix::unsetenv"),
];

/// The runtime's front for a C name that the library asks for.
pub fn front(name: &str) -> Option<&'static str> {
    (name == "_Unwind_RaiseException").then_some(symbols::RAISE)
}

/// The Rust path of the function that a function of the runtime's stands in front of.
pub fn stands_for(front: &str) -> Option<&'static str> {
    let function = STD.iter().find(|f| f.front == Some(front))?;
    function.paths.first().copied()
}

/// One function that was found: object and symbol, and its front.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Object.
    pub obj: u32,
    /// Symbol.
    pub sym: u32,
    /// As in the table.
    pub front: Option<&'static str>,
}

/// The function of the table that a symbol is, if any.
fn of_std(symbol: &str) -> Option<&'static StdFunction> {
    // Few names have any of these.
    static PIECES: LazyLock<[Finder<'static>; 3]> =
        LazyLock::new(|| ["std", "__rust", "panic_cannot"].map(Finder::new));
    if !PIECES
        .iter()
        .any(|piece| piece.find(symbol.as_bytes()).is_some())
    {
        return None;
    }
    let path = std::cell::OnceCell::new();
    let path = || path.get_or_init(|| demangle(symbol)).as_str();
    STD.iter()
        .find(|f| symbol.contains(f.piece) && f.is_at(path()))
}

/// By the runtime's name: the first definition in the library, a global one before a local one (as fat LTO leaves them).
pub fn find(inputs: &Inputs<'_>) -> BTreeMap<&'static str, Found> {
    let mut found: BTreeMap<&'static str, (bool, Found)> = BTreeMap::new();
    for (obj, object) in inputs.objects.iter().enumerate().take(inputs.runtime_from) {
        for (sym, symbol) in object.symbols.iter().enumerate() {
            let Def::Section(sec) = symbol.def else {
                continue;
            };
            let Some(function) = of_std(&symbol.name) else {
                continue;
            };
            let at = SecRef {
                obj: obj as u32,
                sec,
            };
            if !function.fits(inputs, at, symbol) {
                continue;
            }
            let local = symbol.bind == Bind::Local;
            let new = Found {
                obj: obj as u32,
                sym: sym as u32,
                front: function.front,
            };
            let entry = found.entry(function.real).or_insert((local, new));
            if entry.0 && !local {
                *entry = (local, new);
            }
        }
    }
    found.into_iter().map(|(name, (_, f))| (name, f)).collect()
}

/// Whether a library with Rust's std was built with `panic = "abort"`: then nothing in it raises exceptions.
pub fn aborts(objects: &[Object<'_>]) -> bool {
    let mut symbols = objects.iter().flat_map(|o| &o.symbols);
    let raises = |s: &Symbol<'_>| s.name == "_Unwind_RaiseException";
    let piece = Finder::new(START_PANIC);
    let named = |s: &Symbol<'_>| piece.find(s.name.as_bytes()).is_some();
    let starts = |s: &Symbol<'_>| matches!(s.def, Def::Section(_)) && named(s);
    symbols.clone().any(starts) && !symbols.any(raises)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::FRONTS;
    use std::collections::BTreeSet;

    #[test]
    fn the_contract_and_the_table_have_the_same_names() {
        let table = |f: fn(&StdFunction) -> Option<&'static str>| -> BTreeSet<&str> {
            STD.iter().filter_map(f).collect()
        };
        let fronts = || FRONTS.iter().copied();
        let real: BTreeSet<&str> = symbols::STD
            .iter()
            .copied()
            .chain([symbols::STD_DISPLAY_BACKTRACE])
            .chain(fronts().map(|(_, real)| real))
            .collect();
        assert_eq!(table(|f| Some(f.real)), real);
        let known: BTreeSet<&str> = symbols::RUNTIME
            .iter()
            .copied()
            .chain(fronts().map(|(front, _)| front))
            .collect();
        assert!(table(|f| f.front).is_subset(&known));
        assert!(fronts().all(|(front, _)| table(|f| f.front).contains(front)));
    }
}
