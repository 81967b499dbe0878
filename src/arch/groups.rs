//! Relocations that belong together. How an address comes from a cell, or a thread-local's from a loader, is spread over several instructions
//! on most machines, which need not be neighbours; a linker may rewrite all of them or none. So a backend sees the relocations of a section at
//! once, claims groups of them, and says for each what takes the place of the instructions. What nobody claims is resolved by its row in the
//! table.

use super::reloc::Field;

/// A code section with its relocations, as a backend looks for groups in it.
#[derive(Debug)]
pub struct Relocated<'a> {
    /// The instructions.
    pub code: &'a [u8],
    /// The relocations, in order of offset.
    pub sites: &'a [Site],
    /// Bytes of a lane.
    pub lane_size: u64,
}

/// One relocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// In the section.
    pub offset: u64,
    /// The machine's type.
    pub r_type: u32,
    /// The symbol, by number: equal ones of a section are the same.
    pub symbol: u32,
    /// Explicit addend.
    pub addend: i64,
    /// What the symbol stands for.
    pub reach: Reach,
}

/// What a symbol stands for, as far as it matters for how it can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A place in the image, at a known distance.
    Near,
    /// A place outside of the image: its address must be loaded from a cell.
    Far,
    /// A thread-local of the image.
    ThreadLocal,
    /// `__tls_get_addr`.
    TlsGetAddr,
    /// Something else: no address, a fixed number.
    Other,
}

/// Relocations of a section that are done together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Which ones, by their index, in order.
    pub members: Vec<usize>,
    /// What is written over their instructions.
    pub patches: Vec<Patch>,
    /// What is filled in then.
    pub fields: Vec<NewField>,
}

/// Instructions that replace others: where they begin in the section, and their bytes.
pub type Patch = (u64, Vec<u8>);

/// A field of rewritten instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewField {
    /// In the section.
    pub offset: u64,
    /// The field.
    pub field: Field,
    /// The member of the group whose symbol it is about, by its index in the section.
    pub of: usize,
    /// What it gets.
    pub value: NewValue,
}

/// What a field of rewritten instructions gets; S is the symbol's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewValue {
    /// S + the number, from the field's place.
    Address(i64),
    /// A cell that holds S + `holds`: its address + `plus`, from the field's place.
    Cell {
        /// What is added to what it holds.
        holds: i64,
        /// What is added to its address.
        plus: i64,
    },
    /// The offset of the thread-local from the start of a lane, + the number.
    InLane(i64),
    /// What is left of a lane from the thread-local on, + the number.
    BelowLaneTop(i64),
}
