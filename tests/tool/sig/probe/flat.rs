//! A module with its submodules in a folder of its name.

pub mod below;

pub mod inline {
    pub mod file;
}

/// In the flat file.
#[unsafe(no_mangle)]
pub extern "C" fn p_flat(a: &mut below::Below, b: inline::file::Inline) -> u8 {
    a.a = b.b;
    0
}
