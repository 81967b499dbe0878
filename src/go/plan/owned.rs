//! The Go side of the types of `rsyso-ffi`: memory that the library gives away, and results that may be errors.
//!
//! The native function gives what it gives in Rust; the Go function of the package copies it and gives the memory back.

use crate::go::package::{Declaration, Item, Kind};
use crate::model::{Api, Type};

/// The type of the errors.
pub(super) const ERROR: &str = "Error";
/// Pointer, length and capacity, as `OwnedSlice` and `OwnedString` have them.
const OWNED: &str = "rsysoOwned";
/// A value and the text of an error, as `FfiResult` has them.
const FALLIBLE: &str = "rsysoFallible";
/// The function that makes a string of bytes that own themselves.
pub(super) const TEXT: &str = "rsysoText";
/// The stub of [`crate::wrappers::free`].
pub(super) const FREE: &str = "rsysoFree";
/// Its declaration.
pub(super) const FREE_SIGNATURE: &str = "func rsysoFree(ptr unsafe.Pointer, size, align uint)";

/// The type of what owns elements of a Go type, on its way.
pub(super) fn owned(elem: &str) -> String {
    format!("{OWNED}[{elem}]")
}

/// The type of a result with this value, on its way.
pub(super) fn fallible(value: &str) -> String {
    format!("{FALLIBLE}[{value}]")
}

/// What of all this the functions of a package need.
#[derive(Clone, Copy)]
pub(super) struct Needs {
    slices: bool,
    strings: bool,
    pub errors: bool,
}

/// Looks at all results.
pub(super) fn needs(api: &Api) -> Needs {
    let all = || {
        let results = api.functions().iter().filter_map(|f| f.result.as_ref());
        results.flat_map(|ty| match ty {
            Type::Fallible { value } => [Some(ty), value.as_deref()],
            _ => [Some(ty), None],
        })
    };
    let any = |test: fn(&Type) -> bool| all().flatten().any(test);
    let errors = any(|ty| matches!(ty, Type::Fallible { .. }));
    Needs {
        slices: any(|ty| matches!(ty, Type::Owned { .. })),
        strings: errors || any(|ty| matches!(ty, Type::OwnedStr)),
        errors,
    }
}

impl Needs {
    /// The exported type of errors, the same on every platform.
    pub fn error_type(self, package: &str) -> Vec<Item> {
        if !self.errors {
            return Vec::new();
        }
        let ty = format!(
            "type {ERROR} struct {{
\tMessage string // what the Rust error says, with its causes if it tells them
}}"
        );
        let method = format!("func (e *{ERROR}) Error() string");
        vec![
            Declaration::new(Kind::Type, ERROR, ty)
                .doc([format!(
                    "{ERROR} is an error that the Rust library returned."
                )])
                .into(),
            Declaration::new(Kind::Func, format!("{ERROR}.Error"), method)
                .doc(["Error returns the message."])
                .body([format!("\treturn \"{package}: \" + e.Message")])
                .into(),
        ]
    }

    /// What stands behind the functions where there is native code.
    pub fn shared(self) -> Vec<String> {
        let mut sections = Vec::new();
        if self.slices || self.strings {
            sections.push(format!(
                "// {OWNED} is memory that the library gave away.
type {OWNED}[T any] struct {{
\tptr      *T
\tlen, cap uint
}}

// free gives the memory back.
func (o {OWNED}[T]) free() {{
\tvar elem T
\tif o.ptr != nil {{
\t\t{FREE}(unsafe.Pointer(o.ptr), o.cap*uint(unsafe.Sizeof(elem)), uint(unsafe.Alignof(elem)))
\t}}
}}"
            ));
        }
        if self.slices {
            sections.push(format!(
                "// take copies the elements into Go's memory and frees the library's.
func (o {OWNED}[T]) take() []T {{
\tvar copied []T
\tif o.len > 0 {{
\t\tcopied = make([]T, o.len)
\t\tcopy(copied, unsafe.Slice(o.ptr, o.len))
\t}}
\to.free()
\treturn copied
}}"
            ));
        }
        if self.strings {
            sections.push(format!(
                "// {TEXT} copies the bytes into a string of Go's and frees the library's.
func {TEXT}(o {OWNED}[byte]) string {{
\ttext := strings.Clone(unsafe.String(o.ptr, o.len))
\to.free()
\treturn text
}}"
            ));
        }
        if self.errors {
            sections.push(format!(
                "// {FALLIBLE} is a value or the text of an error.
type {FALLIBLE}[T any] struct {{
\tvalue   T
\tmessage {OWNED}[byte]
}}

// failure returns the error, if it is one.
func (f *{FALLIBLE}[T]) failure() error {{
\tif f.message.ptr == nil {{
\t\treturn nil
\t}}
\treturn &{ERROR}{{Message: {TEXT}(f.message)}}
}}"
            ));
        }
        sections
    }

    /// The declaration of the stub that they call.
    pub fn native(self) -> Option<String> {
        (self.slices || self.strings).then(|| format!("//go:noescape\n{FREE_SIGNATURE}"))
    }
}
