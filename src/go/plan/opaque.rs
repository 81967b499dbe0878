//! Types that Go cannot see into.
//!
//! Of those that it may make it gets the size and the alignment. The others are too large to be made: pointers to them work as any, and a variable or
//! `new` ends the program, or does not compile. A type of no size could be made, and Rust would write over what lies behind it.

use crate::model::{Api, Layout, TypeId};

use super::request::Flavour;
use super::scope::Scope;

/// What is in all types that Go cannot make.
const UNMADE: &str = "rsysoOpaque";

/// What its methods need: package fmt would print what lies behind a pointer to one, to no end.
const IMPORTS: &[&str] = &["\"strconv\"", "\"unsafe\""];

/// The layout of an opaque type that Go makes values of. Values of a handle's type come from its constructors.
pub(super) fn made(api: &Api, scope: &Scope, id: TypeId) -> Option<Layout> {
    let kind = &api.def(id).kind;
    let handle = scope.handles.types.contains_key(&id);
    kind.layout().filter(|_| kind.is_opaque() && !handle)
}

/// The declaration of an opaque type.
pub(super) fn declare(api: &Api, scope: &Scope, id: TypeId, name: &str) -> String {
    match made(api, scope, id) {
        Some(layout) => bytes(name, layout),
        // Nobody but this package can name it.
        None if is_hidden(scope, id) => format!("type {name} struct{{ _ [0]func() }}"),
        None => unmakeable(name),
    }
}

/// The declaration of a type that Go cannot make.
pub(super) fn unmakeable(name: &str) -> String {
    format!("type {name} struct{{ {UNMADE} }}")
}

/// The declaration of a type of this layout that shows nothing of what is in it.
pub(super) fn bytes(name: &str, Layout { size, align }: Layout) -> String {
    let (count, bits) = (size / align.max(1), align.saturating_mul(8));
    format!("type {name} struct{{ opaque [{count}]uint{bits} }}")
}

fn is_hidden(scope: &Scope, id: TypeId) -> bool {
    let handle = scope.handles.types.get(&id);
    handle.is_some_and(|h| !h.exposed)
}

/// What such types are made of, if there are any.
pub(super) fn unmade(api: &Api, scope: &Scope, flavour: Flavour) -> Option<String> {
    if !any(api, scope) {
        return None;
    }
    let (about, size) = match flavour {
        // Of 1 << 47 bytes Linux gives a process on amd64 (mm.rst of its documentation); no compiler of Go's takes more than 1 << 50.
        Flavour::Native | Flavour::Cgo => (
            format!(
                "// {UNMADE} is in the types that Go cannot make: it is larger than any memory."
            ),
            "\n\t_ [1 << 46]byte",
        ),
        // On 32 bits it would not compile, and there is nothing that writes.
        Flavour::Unsupported => (
            format!("// {UNMADE} is in the types that Go has no use for on its own."),
            "",
        ),
    };
    Some(format!(
        "{about}
type {UNMADE} struct {{
\t_ [0]func() // not to be compared{size}
}}

// String returns the address, so that package fmt does not print what lies there.
func (o *{UNMADE}) String() string {{
\treturn \"0x\" + strconv.FormatUint(uint64(uintptr(unsafe.Pointer(o))), 16)
}}

// GoString returns the address.
func (o *{UNMADE}) GoString() string {{
\treturn o.String()
}}"
    ))
}

fn any(api: &Api, scope: &Scope) -> bool {
    let unmade = |id: &TypeId| {
        api.def(*id).kind.is_opaque() && made(api, scope, *id).is_none() && !is_hidden(scope, *id)
    };
    // Addresses of code.
    scope.types.keys().any(unmade) || api.pooled().next().is_some()
}

/// What the files import for them.
pub(super) fn imports(api: &Api, scope: &Scope) -> &'static [&'static str] {
    match any(api, scope) {
        true => IMPORTS,
        false => &[],
    }
}
