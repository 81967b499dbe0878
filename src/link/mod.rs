//! The linking core: from objects to one position-independent image.
//!
//! Each stage is a function that borrows the earlier stages' values and returns its own:
//! [`inputs`] -> [`resolve`] -> [`live`] -> [`plan`] -> [`thunks`] -> [`layout`] -> [`write`](mod@write) -> [`elf`].

pub mod claims;
pub mod digest;
pub mod elf;
pub mod exports;
pub mod far;
pub mod functions;
pub mod graph;
pub mod imports;
pub mod inputs;
pub mod interpose;
pub mod layout;
pub mod library;
pub mod live;
pub mod lookup;
pub mod merge;
pub mod names;
pub mod order;
pub mod plan;
pub mod relr;
pub mod resolve;
pub mod symbols;
pub mod symtab;
pub mod thunks;
pub mod unwind;
pub mod write;

/// A section of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecRef {
    /// Index of the object.
    pub obj: u32,
    /// ELF section index.
    pub sec: u32,
}

/// What refers to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// The section on whose behalf.
    pub at: SecRef,
    /// The byte of it that tells the function: several may share a section.
    pub offset: u64,
}

/// What a symbol of an object stands for, once names are resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A byte of a section.
    Section {
        /// The section.
        at: SecRef,
        /// Bytes from its start.
        offset: u64,
        /// The reference names the section itself (a section symbol).
        whole: bool,
    },
    /// A tentative definition; index into [`symbols::Symbols::commons`].
    Common(u32),
    /// A fixed number.
    Absolute(u64),
    /// Made by the linker.
    Linker(Linker),
    /// A weak reference that nobody defines: address 0.
    Null,
    /// A definition in a group whose other copy was kept, and which has no name there.
    Discarded,
    /// An indirect function (resolved by a loader, of which there is none).
    IFunc,
    /// `__tls_get_addr`: the sequences that call it are replaced.
    TlsGetAddr,
    /// Nobody provides it.
    Undefined,
}

/// Places that the linker itself defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Linker {
    /// The first byte of the image.
    Image,
    /// The parameter block (`contract::Params`).
    Params,
    /// The first cell that holds an address.
    Got,
    /// The array of initialisers, or its end.
    Init {
        /// Its end.
        end: bool,
    },
    /// `__start_NAME` and `__stop_NAME`: index into [`symbols::Symbols::bounded`].
    Bound {
        /// Which name.
        name: u32,
        /// `__stop_NAME`.
        end: bool,
    },
}

#[cfg(test)]
mod tests;
