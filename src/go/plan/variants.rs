//! What the parts of sum types and unions are called, and where they lie.

/// The type of the tag of a sum type.
pub(super) fn tag_type(name: &str) -> String {
    format!("{name}Tag")
}

/// The function that makes a variant.
pub(super) fn constructor(name: &str, variant: &str) -> String {
    format!("New{name}{variant}")
}

/// An expression for a pointer to what lies at an offset of the value that `pointer` leads to.
pub(super) fn place(pointer: &str, offset: u64, ty: &str) -> String {
    match offset {
        0 => format!("(*{ty})(unsafe.Pointer({pointer}))"),
        _ => format!("(*{ty})(unsafe.Add(unsafe.Pointer({pointer}), {offset}))"),
    }
}
