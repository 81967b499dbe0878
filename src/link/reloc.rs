//! What a relocation type means, as rows of a table; each backend has one.

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Howto {
    /// The type's number.
    pub r_type: u32,
    /// Its psABI name, for messages.
    pub name: &'static str,
}
