//! Uses of the thread pointer, as a backend finds and replaces them.

use super::groups::Patch;
use super::reloc::Field;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// A code section, as the backend looks for uses of the thread pointer in it.
#[derive(Debug)]
pub struct Code<'a> {
    /// Its bytes, as far as they are known.
    pub bytes: &'a [u8],
    /// Where functions begin and end. What lies between them may be data.
    pub functions: &'a [std::ops::Range<u64>],
    /// The fields that are filled in: bytes by offset.
    pub fields: &'a BTreeMap<u64, u8>,
    /// Those that are filled in with the offset of a thread-local in a lane.
    pub offsets: &'a BTreeSet<u64>,
    /// Whether the object knows such offsets. If not, registers do not hold any.
    pub has_offsets: bool,
    /// Where code from elsewhere may arrive.
    pub labels: &'a HashSet<u64>,
    /// Bytes of a lane.
    pub lane_size: u64,
}

/// What replaces the uses.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Detours {
    /// Instructions that replace others.
    pub patches: Vec<Patch>,
    /// Code that is appended to the section.
    pub appended: Vec<u8>,
    /// Fields of replaced instructions, and where they are now.
    pub moved: Vec<Moved>,
    /// Fields that get the distance to the stack protector's value, + the number.
    pub protectors: Vec<(u64, Field, i64)>,
}

/// A field that has a new place. One may have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Where it was.
    pub from: u64,
    /// Where it is.
    pub to: u64,
    /// What is added to its value.
    pub plus: i64,
}
