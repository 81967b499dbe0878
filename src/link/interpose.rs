//! Functions of the library's std that the runtime stands in front of, or calls: found by their Rust names, since their symbols differ from
//! compiler to compiler. What the library does not have is left out, and the runtime does without.

use super::names::demangle;
use super::symbols::Inputs;
use crate::input::Def;
use std::collections::HashMap;

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
}

const STD: &[StdFunction] = &[
    StdFunction {
        paths: &["core::panicking::panic_cannot_unwind"],
        piece: "panic_cannot_unwind",
        real: "rsyso_std_panic_cannot_unwind",
        front: Some("rsyso_panic_cannot_unwind"),
    },
    StdFunction {
        // The second is its name up to Rust 1.90.
        paths: &[
            "std::panicking::catch_unwind::cleanup",
            "std::panicking::try::cleanup",
        ],
        piece: "7cleanup",
        real: "rsyso_std_panic_cleanup",
        front: Some("rsyso_panic_caught"),
    },
    StdFunction {
        // What the end of a catch calls: thin LTO copies that into functions that catch. The second is its name up to Rust 1.86.
        paths: &["__rustc::__rust_panic_cleanup", "__rust_panic_cleanup"],
        piece: "__rust_panic_cleanup",
        real: "rsyso_std_panic_payload",
        front: Some("rsyso_panic_payload"),
    },
    StdFunction {
        // The second is its name up to Rust 1.86.
        paths: &["__rustc::__rust_dealloc", "__rust_dealloc"],
        piece: "__rust_dealloc",
        real: "rsyso_std_dealloc",
        front: None,
    },
    StdFunction {
        paths: &["std::panicking::resume_unwind"],
        piece: "13resume_unwind",
        real: RESUME_UNWIND,
        front: None,
    },
    // Its name up to Rust 1.91.
    StdFunction {
        paths: &["std::panicking::rust_panic_without_hook"],
        piece: "rust_panic_without_hook",
        real: RESUME_UNWIND,
        front: None,
    },
];

/// Raises an exception with a given payload.
const RESUME_UNWIND: &str = "rsyso_std_resume_unwind";

/// The runtime's front for a C name that the library asks for.
pub fn front(name: &str) -> Option<&'static str> {
    (name == "_Unwind_RaiseException").then_some(RAISE)
}

/// What the library raises exceptions with.
pub const RAISE: &str = "rsyso_raise_exception";

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

/// By the runtime's name: the first definition in the library, a global one before a local one (as fat LTO leaves them).
pub fn find(inputs: &Inputs<'_>) -> HashMap<&'static str, Found> {
    let mut found: HashMap<&'static str, (bool, Found)> = HashMap::new();
    for (obj, object) in inputs.objects.iter().enumerate().take(inputs.runtime_from) {
        for (sym, symbol) in object.symbols.iter().enumerate() {
            let Def::Section(_) = symbol.def else {
                continue;
            };
            let Some(function) = STD.iter().find(|f| {
                symbol.name.contains(f.piece) && f.paths.contains(&demangle(&symbol.name).as_str())
            }) else {
                continue;
            };
            let local = symbol.bind == crate::input::Bind::Local;
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
