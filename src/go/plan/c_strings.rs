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
    text: &'static str,
    doc: &'static [&'static str],
    /// Where there is native code; `{package}` stands for the package's name.
    body: &'static str,
}

const HELPERS: [Helper; 4] = [
    Helper {
        name: "CString",
        text: "func CString(s string) *int8",
        doc: &[
            "CString copies a string into the library's memory, with a zero byte at its end. Free gives the memory back,",
            "unless the library takes it for good.",
        ],
        body: "\tp := Malloc(uint(len(s)) + 1)
\tcopied := unsafe.Slice((*byte)(p), len(s)+1)
\tcopy(copied, s)
\tcopied[len(s)] = 0
\treturn (*int8)(p)",
    },
    Helper {
        name: "GoString",
        text: "func GoString(s *int8) string",
        doc: &["GoString copies a string of C's, up to its zero byte. For nil it is empty."],
        body: "\tif s == nil {
\t\treturn \"\"
\t}
\treturn strings.Clone(unsafe.String((*byte)(unsafe.Pointer(s)), rsysoStrlen(s)))",
    },
    Helper {
        name: "Malloc",
        text: "func Malloc(size uint) unsafe.Pointer",
        doc: &[
            "Malloc allocates memory of the library's, as C's malloc does: it is not cleared. Free gives it back.",
        ],
        body: "\tp := rsysoMalloc(size)
\tif p == nil && size > 0 {
\t\tpanic(\"{package}: Malloc: out of memory\")
\t}
\treturn p",
    },
    Helper {
        name: "Free",
        text: "func Free(p unsafe.Pointer)",
        doc: &[
            "Free gives memory back that is from CString or Malloc, or that the library allocated with C's malloc. Memory that Rust",
            "allocated goes back to the library's own functions. For nil it does nothing.",
        ],
        body: "\trsysoCFree(p)",
    },
];

/// The Go names that a package with strings of C has beside those of the library.
pub(super) fn names(api: &Api) -> impl Iterator<Item = &'static str> {
    let helpers = HELPERS.iter().filter(|_| api.has_c_strings());
    helpers.map(|h| h.name)
}

impl Helper {
    fn declaration(&self) -> Declaration {
        Declaration::new(Kind::Func, self.name, self.text).doc(self.doc.iter().copied())
    }
}

/// The functions where there is native code.
pub(super) fn native(package: &str) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for helper in &HELPERS {
        let body = helper.body.replace("{package}", package);
        items.push(helper.declaration().body([body]).into());
    }
    let declared = STUBS.map(|(name, signature)| match name {
        "rsysoStrlen" => format!("//go:noescape\n{signature}"),
        _ => signature.to_owned(),
    });
    items.push(Item::Support(declared.join("\n\n")));
    items
}

/// The functions on other platforms; `panic` makes their bodies.
pub(super) fn elsewhere(panic: &dyn Fn(&str) -> String) -> Vec<Item> {
    let all = HELPERS.iter();
    let all = all.map(|h| h.declaration().body([panic(h.name)]).into());
    all.collect()
}
