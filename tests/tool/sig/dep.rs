//! A crate that the probe depends on: its types reach the probe's API.

/// A pair of numbers.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Pair {
    /// The left one.
    pub left: i32,
    /// The right one.
    pub right: i64,
}

/// Not `repr(C)`.
pub struct Handle {
    pub names: Vec<String>,
}

/// An export of a dependency.
#[unsafe(no_mangle)]
pub extern "C" fn p_dep(pair: Pair) -> i64 {
    pair.right + i64::from(pair.left)
}
