//! The linking core.
pub mod reloc;
