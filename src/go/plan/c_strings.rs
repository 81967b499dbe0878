//! Strings of C: what Go makes them with and reads them by.
//!
//! Their memory is the library's, so that a function may keep what it is given and free it, and Go may free what a function gives away.

use crate::go::package::{Declaration, Item, Kind};
use crate::model::Api;

/// The stubs for [`crate::wrappers::c_memory`], in its order: names and declarations.
pub(super) const STUBS: [(&str, &str); 3] = [
    ("rsysoMalloc", "func rsysoMalloc(size uint) unsafe.Pointer"),
    ("rsysoCFree", "func rsysoCFree(p unsafe.Pointer)"),
    ("rsysoStrlen", "func rsysoStrlen(text *int8) uint"),
];

/// A function of a package that has strings of C.
struct Helper {
    name: &'static str,
    /// Its parameters and its result.
    takes: &'static str,
    /// In this and in the body, `{Free}` stands for the name that `Free` has in the package, and so on.
    doc: &'static [&'static str],
    /// Where there is native code; `{package}` stands for the package's name.
    body: &'static str,
}

const HELPERS: [Helper; 4] = [
    Helper {
        name: "CString",
        takes: "(s string) *int8",
        doc: &[
            "{CString} copies a string into the library's memory, with a zero byte at its end. {Free} gives the memory back,",
            "unless the library takes it for good.",
        ],
        body: "\tp := {Malloc}(uint(len(s)) + 1)
\tcopied := unsafe.Slice((*byte)(p), len(s)+1)
\tcopy(copied, s)
\tcopied[len(s)] = 0
\treturn (*int8)(p)",
    },
    Helper {
        name: "GoString",
        takes: "(s *int8) string",
        doc: &["{GoString} copies a string of C's, up to its zero byte. For nil it is empty."],
        body: "\tif s == nil {
\t\treturn \"\"
\t}
\treturn strings.Clone(unsafe.String((*byte)(unsafe.Pointer(s)), rsysoStrlen(s)))",
    },
    Helper {
        name: "Malloc",
        takes: "(size uint) unsafe.Pointer",
        doc: &[
            "{Malloc} allocates memory of the library's, as C's malloc does: it is not cleared. {Free} gives it back.",
        ],
        body: "\tp := rsysoMalloc(size)
\tif p == nil && size > 0 {
\t\tpanic(\"{package}: {Malloc}: out of memory\")
\t}
\treturn p",
    },
    Helper {
        name: "Free",
        takes: "(p unsafe.Pointer)",
        doc: &[
            "{Free} gives memory back that is from {CString} or {Malloc}, or that the library allocated with C's malloc. Memory that Rust",
            "allocated goes back to the library's own functions. For nil it does nothing.",
        ],
        body: "\trsysoCFree(p)",
    },
];

/// The names of the functions that a package with strings of C has beside those of the library, as they are where nothing else has them.
pub(super) fn names(api: &Api) -> impl Iterator<Item = &'static str> {
    let helpers = HELPERS.iter().filter(|_| api.has_c_strings());
    helpers.map(|h| h.name)
}

/// The name of one where an export, whose prefix is left out, has its own.
pub(super) fn second_name(name: &str) -> String {
    format!("C{name}")
}

/// What the functions are called in a package, in their order.
struct Called<'a>(&'a [String]);

impl Called<'_> {
    fn in_text(&self, text: &str) -> String {
        let all = HELPERS.iter().zip(self.0);
        all.fold(text.to_owned(), |text, (helper, name)| {
            text.replace(&format!("{{{}}}", helper.name), name)
        })
    }

    fn declarations(&self) -> impl Iterator<Item = (&'static Helper, Declaration)> {
        HELPERS.iter().zip(self.0).map(|(helper, name)| {
            let text = format!("func {name}{}", helper.takes);
            let doc = helper.doc.iter().map(|line| self.in_text(line));
            (helper, Declaration::new(Kind::Func, name, text).doc(doc))
        })
    }
}

/// The functions where they can be called; `names` are those that they have.
pub(super) fn callable(package: &str, names: &[String]) -> Vec<Item> {
    let called = Called(names);
    let declared = called.declarations().map(|(helper, declaration)| {
        let body = called.in_text(helper.body).replace("{package}", package);
        declaration.body([body]).into()
    });
    declared.collect()
}

/// The declarations of the stubs that they call.
pub(super) fn native() -> Item {
    let stubs = STUBS.map(|(name, signature)| match name {
        "rsysoStrlen" => format!("//go:noescape\n{signature}"),
        _ => signature.to_owned(),
    });
    Item::Support(stubs.join("\n\n"))
}

/// The functions on other platforms; `panic` makes their bodies.
pub(super) fn elsewhere(names: &[String], panic: &dyn Fn(&str) -> String) -> Vec<Item> {
    let called = Called(names);
    let all = called.declarations();
    all.map(|(_, d)| {
        let body = panic(&d.name);
        d.body([body]).into()
    })
    .collect()
}
