//! DWARF of one relocatable object: sections with their relocations applied, units, and the few questions that are asked of a DIE.
//!
//! In a relocatable object every section starts at address 0, so a text address alone does not name a function. Relocated addresses
//! are therefore encoded as (section index, offset): see [`encode_address`].

use std::borrow::Cow;
use std::collections::HashMap;

use gimli::{
    AttributeValue, DwAt, EndianSlice, LittleEndian, Reader as _, UnitOffset, constants as dw,
};
use object::{
    Object as _, ObjectSection as _, ObjectSymbol as _, RelocationKind, RelocationTarget,
    SectionFlags,
};

use super::DEBUG_UNSPLIT;
use crate::base::diag::{Error, Problem, Result};
use crate::model::Source;

/// The bytes of a section, with relocations applied as addresses and offsets are read.
pub type Reader<'a> = gimli::RelocateReader<EndianSlice<'a, LittleEndian>, &'a Relocations>;
type Entry<'a> = gimli::DebuggingInformationEntry<Reader<'a>>;

/// Bits of an encoded address that hold the offset in its section.
const OFFSET_BITS: u32 = 40;

/// A text address of a relocatable object as one number: the ELF section index above, the offset in the section below. None when
/// they do not fit, which no real object reaches.
pub fn encode_address(section: usize, offset: u64) -> Option<u64> {
    let section = u64::try_from(section).ok()?;
    (section < 1 << (64 - OFFSET_BITS) && offset < 1 << OFFSET_BITS)
        .then_some(section << OFFSET_BITS | offset)
}

/// What the relocations of one section say: the value at an offset, sorted by offset.
#[derive(Debug, Default)]
pub struct Relocations(Vec<(u64, u64)>);

impl Relocations {
    fn value(&self, offset: usize) -> Option<u64> {
        let at = self
            .0
            .binary_search_by_key(&(offset as u64), |r| r.0)
            .ok()?;
        self.0.get(at).map(|r| r.1)
    }
}

impl gimli::Relocate for &Relocations {
    fn relocate_address(&self, offset: usize, value: u64) -> gimli::Result<u64> {
        Ok(self.value(offset).unwrap_or(value))
    }

    fn relocate_offset(&self, offset: usize, value: usize) -> gimli::Result<usize> {
        match self.value(offset) {
            None => Ok(value),
            Some(v) => usize::try_from(v).map_err(|_| gimli::Error::UnsupportedOffset),
        }
    }
}

/// The sections that signatures need; locations and indexes are left alone.
const READ: [&str; 9] = [
    ".debug_abbrev",
    ".debug_addr",
    ".debug_info",
    ".debug_line",
    ".debug_line_str",
    ".debug_ranges",
    ".debug_rnglists",
    ".debug_str",
    ".debug_str_offsets",
];

/// The debug sections of one object, decompressed, and their relocations.
pub struct Sections<'a>(HashMap<String, (Cow<'a, [u8]>, Relocations)>);

impl<'a> Sections<'a> {
    /// Reads the debug sections of an object. In those of other formats than ELF, offsets stand as they are, and functions have no address.
    pub fn read(name: &str, data: &'a [u8]) -> Result<Self> {
        let fault = |e: object::Error| {
            Error::fault(Problem::new(format!("cannot read the debug sections: {e}")).at(name))
        };
        let file = object::File::parse(data).map_err(fault)?;
        let mut sections = HashMap::new();
        for section in file.sections() {
            let Ok(section_name) = section.name() else {
                continue;
            };
            let section_name = elf_name(section_name);
            if !READ.contains(&section_name.as_str()) || sections.contains_key(&section_name) {
                continue;
            }
            let bytes = section.uncompressed_data().map_err(fault)?;
            let mut values: Vec<_> = section
                .relocations()
                .filter_map(|(at, r)| Some((at, relocated(&file, &r)?)))
                .collect();
            values.sort_unstable_by_key(|v| v.0);
            sections.insert(section_name, (bytes, Relocations(values)));
        }
        Ok(Sections(sections))
    }

    fn reader(&self, id: gimli::SectionId) -> Reader<'_> {
        static NONE: Relocations = Relocations(Vec::new());
        let (bytes, relocations) = match self.0.get(id.name()) {
            Some((bytes, relocations)) => (bytes.as_ref(), relocations),
            None => (&[][..], &NONE),
        };
        gimli::RelocateReader::new(EndianSlice::new(bytes, LittleEndian), relocations)
    }
}

/// What ELF calls such a section. GNU tools once renamed those that they compressed; Mach-O has names of 16 bytes.
fn elf_name(name: &str) -> String {
    let of = |prefix| name.strip_prefix(prefix);
    match (of(".zdebug_"), of("__debug_")) {
        (_, Some("str_offs")) => ".debug_str_offsets".to_owned(),
        (Some(rest), _) | (_, Some(rest)) => format!(".debug_{rest}"),
        _ => name.to_owned(),
    }
}

/// The value of one relocation in a debug section: S + A. Types other than absolute ones stand in location expressions (thread-local
/// offsets), which are never read here.
fn relocated(file: &object::File<'_>, r: &object::Relocation) -> Option<u64> {
    if r.kind() != RelocationKind::Absolute || !matches!(r.size(), 32 | 64) {
        return None;
    }
    let (section, value) = match r.target() {
        RelocationTarget::Symbol(index) => {
            let symbol = file.symbol_by_index(index).ok()?;
            (symbol.section_index(), symbol.address())
        }
        RelocationTarget::Section(index) => (Some(index), 0),
        _ => return None,
    };
    let value = value.wrapping_add_signed(r.addend());
    // An undefined symbol: an address of section 0, which matches nothing.
    let Some(section) = section else {
        return encode_address(0, value);
    };
    let SectionFlags::Elf { sh_flags, .. } = file.section_by_index(section).ok()?.flags() else {
        return None;
    };
    if sh_flags.contains(object::elf::SHF_ALLOC) {
        encode_address(section.0, value)
    } else {
        Some(value)
    }
}

/// The place of a DIE in an object: unit, then offset in the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct At {
    /// Index into [`Debug::units`].
    pub unit: usize,
    /// Offset in the unit.
    pub offset: usize,
}

/// One DIE.
pub struct Die<'a> {
    /// Where it is.
    pub at: At,
    /// Its tag and attributes.
    pub entry: Entry<'a>,
}

impl Die<'_> {
    /// Its tag.
    pub fn tag(&self) -> gimli::DwTag {
        self.entry.tag()
    }

    /// A constant attribute.
    pub fn udata(&self, attr: DwAt) -> Option<u64> {
        self.entry.attr(attr)?.udata_value()
    }

    /// Whether it is a declaration only.
    pub fn flag(&self, attr: DwAt) -> bool {
        matches!(
            self.entry.attr_value(attr),
            Some(AttributeValue::Flag(true))
        )
    }
}

/// The debug information of one object.
pub struct Debug<'a> {
    /// The object, for messages.
    pub name: &'a str,
    dwarf: gimli::Dwarf<Reader<'a>>,
    /// Compilation units.
    pub units: Vec<gimli::Unit<Reader<'a>>>,
}

impl<'a> Debug<'a> {
    /// Parses the units' headers. Split debug information is refused here: the types lie in another file.
    pub fn parse(name: &'a str, sections: &'a Sections<'_>) -> Result<Self> {
        let dwarf = gimli::Dwarf::load(|id| Ok::<_, gimli::Error>(sections.reader(id)))
            .map_err(|e| malformed(name, e))?;
        let mut debug = Debug {
            name,
            dwarf,
            units: Vec::new(),
        };
        let split = debug.parse_units().map_err(|e| malformed(name, e))?;
        if split {
            return Err(Error::unsupported(
                Problem::new("the debug information is split off into another file (.dwo)")
                    .at(name)
                    .help(DEBUG_UNSPLIT),
            ));
        }
        Ok(debug)
    }

    /// Whether any unit has its contents in a .dwo file.
    fn parse_units(&mut self) -> gimli::Result<bool> {
        let mut headers = self.dwarf.units();
        let mut split = false;
        while let Some(header) = headers.next()? {
            let unit = self.dwarf.unit(header)?;
            split |= unit.dwo_name()?.is_some();
            self.units.push(unit);
        }
        Ok(split)
    }

    fn unit(&self, index: usize) -> gimli::Result<&gimli::Unit<Reader<'a>>> {
        self.units.get(index).ok_or(gimli::Error::MissingUnitDie)
    }

    /// The DIE at a place.
    pub fn die(&self, at: At) -> gimli::Result<Die<'a>> {
        let entry = self.unit(at.unit)?.entry(UnitOffset(at.offset))?;
        Ok(Die { at, entry })
    }

    /// The root DIE of a unit.
    pub fn root(&self, unit: usize) -> gimli::Result<Die<'a>> {
        let offset = self.unit(unit)?.header.root_offset().0;
        self.die(At { unit, offset })
    }

    /// The direct children of a DIE, in order.
    pub fn children(&self, at: At) -> gimli::Result<Vec<Die<'a>>> {
        let mut tree = self
            .unit(at.unit)?
            .entries_tree(Some(UnitOffset(at.offset)))?;
        let mut children = tree.root()?.children();
        let mut found = Vec::new();
        while let Some(child) = children.next()? {
            let entry = child.entry().clone();
            found.push(Die {
                at: At {
                    unit: at.unit,
                    offset: entry.offset().0,
                },
                entry,
            });
        }
        Ok(found)
    }

    /// Every DIE of a unit, parents before children, with its depth.
    pub fn walk(
        &self,
        unit: usize,
        mut visit: impl FnMut(isize, &Die<'a>) -> gimli::Result<()>,
    ) -> gimli::Result<()> {
        let mut entries = self.unit(unit)?.entries_raw(None)?;
        // One DIE for all: an object may hold a million.
        let mut die = Die {
            at: At { unit, offset: 0 },
            entry: Entry::null(),
        };
        while !entries.is_empty() {
            if entries.read_entry(&mut die.entry)? {
                die.at.offset = die.entry.offset().0;
                visit(die.entry.depth(), &die)?;
            }
        }
        Ok(())
    }

    /// A string attribute.
    pub fn string(&self, die: &Die<'a>, attr: DwAt) -> gimli::Result<Option<String>> {
        let Some(value) = die.entry.attr_value(attr) else {
            return Ok(None);
        };
        self.text(die.at.unit, value).map(Some)
    }

    fn text(&self, unit: usize, value: AttributeValue<Reader<'a>>) -> gimli::Result<String> {
        let text = self.dwarf.attr_string(self.unit(unit)?, value)?;
        Ok(text.to_string_lossy()?.into_owned())
    }

    /// DW_AT_name.
    pub fn name(&self, die: &Die<'a>) -> gimli::Result<Option<String>> {
        self.string(die, dw::DW_AT_name)
    }

    /// The DIE that an attribute refers to, in this unit or another.
    pub fn refers(&self, die: &Die<'a>, attr: DwAt) -> gimli::Result<Option<At>> {
        match die.entry.attr_value(attr) {
            None => Ok(None),
            Some(AttributeValue::UnitRef(offset)) => Ok(Some(At {
                unit: die.at.unit,
                offset: offset.0,
            })),
            Some(AttributeValue::DebugInfoRef(offset)) => {
                let after = self.units.partition_point(|u| {
                    u.header
                        .debug_info_offset()
                        .is_some_and(|o| o.0 <= offset.0)
                });
                let unit = after
                    .checked_sub(1)
                    .ok_or(gimli::Error::OffsetOutOfBounds(offset.0 as u64))?;
                let inside = offset.to_unit_offset(&self.unit(unit)?.header);
                let inside = inside.ok_or(gimli::Error::OffsetOutOfBounds(offset.0 as u64))?;
                Ok(Some(At {
                    unit,
                    offset: inside.0,
                }))
            }
            Some(_) => Err(die
                .entry
                .attr(attr)
                .map_or(gimli::Error::MissingUnitDie, |a| {
                    gimli::Error::UnsupportedAttributeForm(a.form())
                })),
        }
    }

    /// DW_AT_type.
    pub fn ty(&self, die: &Die<'a>) -> gimli::Result<Option<At>> {
        self.refers(die, dw::DW_AT_type)
    }

    /// The encoded addresses at which the ranges of a DIE begin.
    pub fn starts(&self, die: &Die<'a>) -> gimli::Result<Vec<u64>> {
        let unit = self.unit(die.at.unit)?;
        if let Some(low) = die.entry.attr_value(dw::DW_AT_low_pc)
            && let Some(address) = self.dwarf.attr_address(unit, low)?
        {
            return Ok(vec![address]);
        }
        let Some(ranges) = die.entry.attr_value(dw::DW_AT_ranges) else {
            return Ok(Vec::new());
        };
        let Some(mut ranges) = self.dwarf.attr_ranges(unit, ranges)? else {
            return Ok(Vec::new());
        };
        let mut starts = Vec::new();
        while let Some(range) = ranges.next()? {
            starts.push(range.begin);
        }
        Ok(starts)
    }

    /// The directory in which a unit was compiled.
    pub fn comp_dir(&self, unit: usize) -> gimli::Result<Option<String>> {
        self.string(&self.root(unit)?, dw::DW_AT_comp_dir)
    }

    /// DW_AT_decl_file and DW_AT_decl_line, with the file's directories joined.
    pub fn source(&self, die: &Die<'a>) -> gimli::Result<Option<Source>> {
        let (Some(file), Some(line)) = (
            die.udata_or_file(dw::DW_AT_decl_file),
            die.udata(dw::DW_AT_decl_line),
        ) else {
            return Ok(None);
        };
        let unit = self.unit(die.at.unit)?;
        let Some(program) = &unit.line_program else {
            return Ok(None);
        };
        let header = program.header();
        let Some(entry) = header.file(file) else {
            return Ok(None);
        };
        let mut path = std::path::PathBuf::new();
        if let Some(dir) = self.comp_dir(die.at.unit)? {
            path.push(dir);
        }
        if let Some(dir) = entry.directory(header) {
            path.push(self.text(die.at.unit, dir)?);
        }
        path.push(self.text(die.at.unit, entry.path_name())?);
        let line = u32::try_from(line).unwrap_or(0);
        Ok(Some(Source {
            file: path.to_string_lossy().into_owned(),
            line,
        }))
    }
}

impl Die<'_> {
    /// gimli gives the value of DW_AT_decl_file a type of its own.
    fn udata_or_file(&self, attr: DwAt) -> Option<u64> {
        match self.entry.attr_value(attr)? {
            AttributeValue::FileIndex(index) => Some(index),
            value => value.udata_value(),
        }
    }
}

/// Debug information that breaks the format's rules.
pub fn malformed(object: &str, e: gimli::Error) -> Error {
    let problem = Problem::new(format!("the debug information is damaged: {e}"));
    Error::fault(if object.is_empty() {
        problem
    } else {
        problem.at(object)
    })
}
