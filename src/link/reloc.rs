//! What a relocation type means, as rows of a table; each backend has one.
//!
//! Letters as in the psABIs: S the symbol's address, A the addend, P the place, G the symbol's cell, GOT the first cell.

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Howto {
    /// The type's number.
    pub r_type: u32,
    /// Its psABI name, for messages.
    pub name: &'static str,
    /// What is computed.
    pub formula: Formula,
    /// Where it goes.
    pub field: Field,
}

/// What is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formula {
    /// Nothing to do.
    None,
    /// S + A: an absolute address, fixed up at run time.
    Absolute,
    /// S + A - P.
    PcRelative,
    /// S + A - P for a call or jump; a missing weak callee stops the program if it is ever called.
    Branch,
    /// G + A - P; `relaxable` when the linker may rewrite the instruction.
    Cell {
        /// The instruction may be rewritten.
        relaxable: bool,
    },
    /// GOT + A - P.
    CellBase,
    /// S + A - GOT.
    FromCellBase,
    /// Z + A: the symbol's size.
    Size,
    /// A thread-local's address by a call to `__tls_get_addr` (general dynamic).
    TlsGeneral,
    /// The thread-local block's address by a call to `__tls_get_addr` (local dynamic).
    TlsLocal,
    /// A thread-local's offset from the thread pointer, or in the block.
    TlsOffset,
    /// A thread-local's offset from the thread pointer, loaded from a cell (initial exec).
    TlsCell,
    /// Known, and impossible in a relocation-free image.
    Refused(Refusal),
}

/// Why a relocation cannot be resolved at convert time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// An absolute address in a field that is too small to be fixed up.
    NotPic,
    /// A thread-local through a descriptor.
    TlsDescriptor,
    /// Only a loader can do it.
    Loader,
}

/// The field of a relocation: bytes, and how the value must fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// 1, 2, 4 or 8; 0 for none.
    pub bytes: u8,
    /// How it must fit.
    pub range: Range,
}

/// How a value must fit its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// As a two's complement number.
    Signed,
    /// As an unsigned number.
    Unsigned,
}

impl Field {
    /// A field of `bytes` bytes.
    pub const fn new(bytes: u8, range: Range) -> Self {
        Field { bytes, range }
    }

    /// Writes `value` at `offset` of `section`; says what is wrong if it does not fit.
    pub fn write(self, section: &mut [u8], offset: u64, value: i64) -> Result<(), String> {
        let bytes = usize::from(self.bytes);
        let bits = u32::from(self.bytes) * 8;
        if bits < 64 {
            let (low, high) = match self.range {
                Range::Signed => (-(1i64 << (bits - 1)), (1i64 << (bits - 1)) - 1),
                Range::Unsigned => (0, (1i64 << bits) - 1),
            };
            if !(low..=high).contains(&value) {
                return Err(format!(
                    "value {value:#x} does not fit: the range is {low} to {high}"
                ));
            }
        }
        let end = (offset as usize).checked_add(bytes);
        let place = end.and_then(|end| section.get_mut(offset as usize..end));
        let place = place.ok_or("the field reaches beyond its section")?;
        place.copy_from_slice(&value.to_le_bytes()[..bytes]);
        Ok(())
    }
}

/// Instructions that replace others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// Where they begin, in the section.
    pub start: u64,
    /// The instructions.
    pub bytes: Vec<u8>,
    /// Where the 32-bit field lies, in the section; None when there is nothing to fill in.
    pub field: Option<u64>,
}

/// The two models of thread-local access that are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsModel {
    /// One variable.
    General,
    /// The block; offsets follow.
    Local,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_take_their_bounds_and_no_more() {
        let mut out = [0u8; 8];
        for (bytes, range, good, bad) in [
            (1, Range::Signed, -128, -129),
            (1, Range::Unsigned, 255, 256),
            (
                4,
                Range::Signed,
                i64::from(i32::MAX),
                i64::from(i32::MAX) + 1,
            ),
            (
                4,
                Range::Signed,
                i64::from(i32::MIN),
                i64::from(i32::MIN) - 1,
            ),
            (4, Range::Unsigned, i64::from(u32::MAX), -1),
        ] {
            assert!(Field::new(bytes, range).write(&mut out, 0, good).is_ok());
            assert!(Field::new(bytes, range).write(&mut out, 0, bad).is_err());
        }
        assert!(Field::new(8, Range::Signed).write(&mut out, 1, 0).is_err());
        assert!(
            Field::new(4, Range::Signed)
                .write(&mut out, u64::MAX, 0)
                .is_err()
        );
    }
}
