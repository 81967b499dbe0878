//! The vocabulary of relocations: what a type means, as rows of a table. Each backend has one.
//!
//! A row says what is computed, how pages enter into it, where the value goes, and how it must fit. Letters as in the psABIs: S the symbol's address, A
//! the addend, P the place, G the symbol's cell, GOT the first cell.

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
    /// S + A - P for a call or jump; a missing weak callee stops the program if it is ever called. What it cannot reach is reached through a thunk.
    Branch,
    /// G + A - P.
    Cell,
    /// GOT + A - P.
    CellBase,
    /// S + A - GOT.
    FromCellBase,
    /// Z + A: the symbol's size.
    Size,
    /// A part of a sequence of instructions that finds a thread-local's address with the help of a loader. It has no meaning by itself: the backend
    /// must claim the sequence as a [group](super::groups).
    TlsSequence,
    /// A thread-local's offset from the thread pointer, or in the block.
    TlsOffset,
    /// A thread-local's offset from the thread pointer, loaded from a cell (initial exec). The backend must claim it.
    TlsCell,
    /// Known, and impossible in a relocation-free image.
    Refused(Refusal),
}

/// Why a relocation cannot be resolved at convert time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// An absolute address in a field that is too small to be fixed up.
    NotPic,
    /// Only a loader can do it.
    Loader,
    /// Something of this machine's.
    Other {
        /// What it is.
        what: &'static str,
        /// What to do.
        help: &'static str,
    },
}

/// The field of a relocation: where the value goes, and how it must fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Where its bits are.
    pub place: Place,
    /// How pages enter into a distance.
    pub pages: Pages,
    /// How it must fit.
    pub range: Range,
    /// What it must be a multiple of, a power of two.
    pub align: u64,
}

/// Where the bits of a value are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// So many bytes, 0 to 8, the lowest first.
    Bytes(u8),
    /// Bits of a 32-bit instruction, the lowest byte first. Its other bits stay.
    Bits(&'static [Slice]),
}

/// Neighbouring bits of a value, and of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// The lowest one in the value.
    pub value: u8,
    /// How many.
    pub width: u8,
    /// Where the lowest one is in the instruction.
    pub at: u8,
}

/// How pages enter into a distance. An image is aligned to pages, so both are known before it is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// Not at all: X - P.
    None,
    /// Page(X) - Page(P), in bytes.
    Distance,
    /// X - Page(X): where it lies in its page.
    Within,
}

/// The page of page arithmetic: what the instructions count in, whatever the pages of a kernel are.
pub const PAGE: i64 = 4096;

/// How a value must fit its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// As a two's complement number.
    Signed,
    /// As an unsigned number.
    Unsigned,
    /// As one of the two.
    Either,
    /// The field takes what it has bits for; others have the rest.
    Part,
}

impl Field {
    /// A field of `bytes` bytes.
    pub const fn bytes(bytes: u8, range: Range) -> Self {
        Field {
            place: Place::Bytes(bytes),
            pages: Pages::None,
            range,
            align: 1,
        }
    }

    /// A field in an instruction.
    pub const fn bits(slices: &'static [Slice], range: Range, align: u64) -> Self {
        Field {
            place: Place::Bits(slices),
            pages: Pages::None,
            range,
            align,
        }
    }

    /// The field for a distance in which pages count.
    pub const fn with_pages(self, pages: Pages) -> Self {
        Field { pages, ..self }
    }

    /// Bytes that it lies in.
    pub fn size(self) -> u8 {
        match self.place {
            Place::Bytes(bytes) => bytes,
            Place::Bits(_) => 4,
        }
    }

    /// What is computed of a place X that is reached from P.
    pub fn distance(self, to: i64, from: i64) -> i64 {
        match self.pages {
            Pages::None => to.wrapping_sub(from),
            Pages::Distance => (to & -PAGE).wrapping_sub(from & -PAGE),
            Pages::Within => to & (PAGE - 1),
        }
    }

    /// The lowest and the highest value that fits; None when all do.
    pub fn bounds(self) -> Option<(i64, i64)> {
        let bits = self.width();
        if bits == 0 || bits >= 64 {
            return None;
        }
        let (signed, unsigned) = (1i64 << bits >> 1, (1i64 << bits).wrapping_sub(1));
        match self.range {
            Range::Signed => Some((-signed, signed - 1)),
            Range::Unsigned => Some((0, unsigned)),
            Range::Either => Some((-signed, unsigned)),
            Range::Part => None,
        }
    }

    /// Whether the field can have a value; what is wrong if not.
    pub fn check(self, value: i64) -> Result<(), String> {
        if let Some((low, high)) = self.bounds()
            && !(low..=high).contains(&value)
        {
            return Err(format!(
                "value {value:#x} does not fit: the range is {low} to {high}"
            ));
        }
        if value as u64 & (self.align - 1) != 0 {
            return Err(format!(
                "value {value:#x} does not fit: it is no multiple of {}",
                self.align
            ));
        }
        Ok(())
    }

    /// Writes `value` at `offset` of `section`; says what is wrong if it does not fit.
    pub fn write(self, section: &mut [u8], offset: u64, value: i64) -> Result<(), String> {
        self.check(value)?;
        let place = self.within(section.len(), offset);
        let place = &mut section[place.ok_or("the field reaches beyond its section")?];
        match self.place {
            Place::Bytes(_) => place.copy_from_slice(&value.to_le_bytes()[..place.len()]),
            Place::Bits(slices) => {
                let mut code = instruction(place);
                for s in slices {
                    let mask = s.mask() << s.at;
                    code = code & !mask | (s.of(value) << s.at) & mask;
                }
                place.copy_from_slice(&code.to_le_bytes());
            }
        }
        Ok(())
    }

    /// What is written at `offset` of `section`: the inverse of [`Field::write`]. Of values that fit by [`Range::Either`] or [`Range::Part`], what
    /// the field has of them.
    pub fn read(self, section: &[u8], offset: u64) -> Option<i64> {
        let place = &section[self.within(section.len(), offset)?];
        let value = match self.place {
            Place::Bytes(_) => {
                let mut bytes = [0; 8];
                bytes[..place.len()].copy_from_slice(place);
                i64::from_le_bytes(bytes)
            }
            Place::Bits(slices) => {
                let code = instruction(place);
                let part = |s: &Slice| i64::from(code >> s.at & s.mask()) << s.value;
                slices.iter().fold(0, |value, s| value | part(s))
            }
        };
        let unused = 64u32.saturating_sub(self.width());
        Some(match self.range {
            Range::Signed if unused < 64 => value << unused >> unused,
            _ => value,
        })
    }

    /// Where it lies in a section of so many bytes.
    fn within(self, len: usize, offset: u64) -> Option<std::ops::Range<usize>> {
        let start = usize::try_from(offset).ok()?;
        let end = start.checked_add(usize::from(self.size()))?;
        (end <= len).then_some(start..end)
    }

    /// The bits that a value has, up to the highest one that the field takes.
    fn width(self) -> u32 {
        match self.place {
            Place::Bytes(bytes) => u32::from(bytes) * 8,
            Place::Bits(slices) => {
                let ends = slices.iter().map(|s| u32::from(s.value + s.width));
                ends.max().unwrap_or(0)
            }
        }
    }
}

impl Slice {
    const fn mask(self) -> u32 {
        ((1u64 << self.width) - 1) as u32
    }

    fn of(self, value: i64) -> u32 {
        (value >> self.value) as u32 & self.mask()
    }
}

fn instruction(bytes: &[u8]) -> u32 {
    let bytes = bytes.iter().rev();
    bytes.fold(0, |code, byte| code << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests;
