//! Unwind tables: the records of `.eh_frame` sections, kept or dropped one by one with the functions that they describe.
//!
//! Source: Linux Standard Base Core 5.0, 10.6 "Exception Frames". A record is a length word, a word that is 0 for a CIE and the
//! distance back to its CIE for an FDE, and a body. In relocatable objects the first word of an FDE's body, the function's
//! start, is a relocation, which tells the function; what else refers anywhere (personality, LSDA) is a relocation too.

use super::SecRef;
use super::inputs::Inputs;
use super::symbols::Symbols;
use crate::base::diag::{Error, Problem, Result};
use crate::read::{Object, Reloc, Section};

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Bytes from the section's start.
    pub offset: u64,
    /// Bytes, the length word included.
    pub size: u64,
    /// What it is.
    pub kind: RecordKind,
}

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// Common information.
    Cie,
    /// One function's; the index of its CIE in the section's list.
    Fde(usize),
}

/// Offset of the function's start in an FDE.
pub const FDE_FUNCTION: u64 = 8;

impl Record {
    /// The record's relocations.
    pub fn relocs<'s>(&self, section: &'s Section<'_>) -> &'s [Reloc] {
        let from = section.relocs.partition_point(|r| r.offset < self.offset);
        let to = section
            .relocs
            .partition_point(|r| r.offset < self.offset + self.size);
        &section.relocs[from..to]
    }

    /// The record's bytes.
    pub fn bytes<'s>(&self, section: &'s Section<'_>) -> &'s [u8] {
        // The record was found in them.
        &section.data[self.offset as usize..(self.offset + self.size) as usize]
    }

    /// The relocation of an FDE that names its function.
    pub fn function<'s>(&self, section: &'s Section<'_>) -> Option<&'s Reloc> {
        self.relocs(section)
            .iter()
            .find(|r| r.offset == self.offset + FDE_FUNCTION)
    }
}

/// The records of all unwind sections of one object: (section, records).
pub type Frames = Vec<(u32, Vec<Record>)>;

/// The records of a section.
pub fn of_section(frames: &[Frames], at: SecRef) -> Option<&[Record]> {
    let of_object = frames.get(at.obj as usize)?;
    // In the order of the sections.
    let found = of_object.binary_search_by_key(&at.sec, |(sec, _)| *sec);
    found.ok().map(|i| of_object[i].1.as_slice())
}

/// One record.
pub fn record(frames: &[Frames], record: RecordRef) -> Option<&Record> {
    of_section(frames, record.at)?.get(record.index as usize)
}

/// Parses the unwind sections of every loaded object.
pub fn parse(inputs: &Inputs<'_>, symbols: &Symbols) -> Result<Vec<Frames>> {
    let parse_object = |(obj, object): (usize, &Object<'_>)| {
        if !symbols.loads(obj as u32) {
            return Ok(Frames::new());
        }
        let sections = object
            .sections
            .iter()
            .enumerate()
            .filter(|(_, s)| s.eh_frame());
        sections
            .map(|(sec, section)| {
                let records = records(&section.data).map_err(|(offset, what)| {
                    Error::fault(
                        Problem::new(format!("damaged unwind table: {what}"))
                            .at(object.place(sec as u32, offset))
                            .help("build the library again"),
                    )
                })?;
                Ok((sec as u32, records))
            })
            .collect()
    };
    let objects = inputs.objects.iter().enumerate();
    objects.map(parse_object).collect()
}

fn word(data: &[u8], at: u64) -> Option<u32> {
    let at = usize::try_from(at).ok()?;
    let bytes = data.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

fn records(data: &[u8]) -> std::result::Result<Vec<Record>, (u64, String)> {
    let mut records: Vec<Record> = Vec::new();
    let mut at = 0u64;
    while at < data.len() as u64 {
        let length = word(data, at).ok_or_else(|| (at, "a record is cut off".to_owned()))?;
        if length == 0 {
            // A terminator (crtend.o has one); more records may follow in odd inputs, so go on.
            at += 4;
            continue;
        }
        if length == u32::MAX {
            return Err((at, "a record has a 64-bit length".to_owned()));
        }
        let size = u64::from(length) + 4;
        if size < 12 || at + size > data.len() as u64 {
            return Err((
                at,
                format!("a record of {size} bytes does not fit its section"),
            ));
        }
        let id = word(data, at + 4).ok_or_else(|| (at, "a record is cut off".to_owned()))?;
        let kind = if id == 0 {
            RecordKind::Cie
        } else {
            let cie = (at + 4).checked_sub(u64::from(id));
            // Records come in the order of their offsets.
            let cie = cie.and_then(|c| records.binary_search_by_key(&c, |r| r.offset).ok());
            let cie = cie.filter(|c| records[*c].kind == RecordKind::Cie);
            RecordKind::Fde(
                cie.ok_or_else(|| (at, "a record refers to no common record".to_owned()))?,
            )
        };
        records.push(Record {
            offset: at,
            size,
            kind,
        });
        at += size;
    }
    Ok(records)
}

/// A record of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordRef {
    /// Its section.
    pub at: SecRef,
    /// Its index there.
    pub index: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: u32, body: usize) -> Vec<u8> {
        let mut r = (body as u32 + 4).to_le_bytes().to_vec();
        r.extend(id.to_le_bytes());
        r.extend(std::iter::repeat_n(0xaa, body));
        r
    }

    #[test]
    fn records_are_told_apart_and_fdes_find_their_cie() {
        let mut data = record(0, 16);
        data.extend(record(28, 16)); // 24 + 4 back to 0
        data.extend([0; 4]);
        let r = records(&data).expect("parsed");
        assert_eq!(
            r.iter().map(|r| r.kind).collect::<Vec<_>>(),
            [RecordKind::Cie, RecordKind::Fde(0)]
        );
    }

    #[test]
    fn damage_is_located() {
        assert_eq!(records(&[1, 0, 0]).unwrap_err().0, 0);
        assert!(records(&record(5, 16)).is_err());
        assert!(records(&[0xff; 16]).is_err());
        let mut cut = record(0, 16);
        cut.pop();
        assert!(records(&cut).is_err());
    }
}
