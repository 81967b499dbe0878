//! The relocation table (psABI 4.4.1, table 4.9).

use crate::link::reloc::{Field, Formula, Howto, Range, Refusal};

const fn row(r_type: u32, name: &'static str, formula: Formula, bytes: u8, range: Range) -> Howto {
    Howto {
        r_type,
        name,
        formula,
        field: Field::new(bytes, range),
    }
}

use Formula::{
    Absolute, Branch, Cell, CellBase, FromCellBase, None, PcRelative, Refused, Size, TlsCell,
    TlsGeneral, TlsLocal, TlsOffset,
};
use Range::{Signed, Unsigned};
use Refusal::{Loader, NotPic, TlsDescriptor};

/// PC-relative, to the function `S`.
pub const R_PLT32: u32 = 4;
/// PC-relative.
pub const R_PC32: u32 = 2;

/// Sorted by type.
pub static TABLE: &[Howto] = &[
    row(0, "R_X86_64_NONE", None, 0, Signed),
    row(1, "R_X86_64_64", Absolute, 8, Signed),
    row(2, "R_X86_64_PC32", PcRelative, 4, Signed),
    row(3, "R_X86_64_GOT32", Refused(Loader), 4, Signed),
    row(4, "R_X86_64_PLT32", Branch, 4, Signed),
    row(5, "R_X86_64_COPY", Refused(Loader), 0, Signed),
    row(6, "R_X86_64_GLOB_DAT", Refused(Loader), 8, Signed),
    row(7, "R_X86_64_JUMP_SLOT", Refused(Loader), 8, Signed),
    row(8, "R_X86_64_RELATIVE", Refused(Loader), 8, Signed),
    // rustc marks its loads so by default (-Z relax-elf-relocations is off). The psABI lets linkers rewrite the marked forms 41 and 42
    // alone, since old assemblers left it open what instruction it is; `relax` looks at the opcode, as GNU ld does.
    row(9, "R_X86_64_GOTPCREL", Cell { relaxable: true }, 4, Signed),
    row(10, "R_X86_64_32", Refused(NotPic), 4, Unsigned),
    row(11, "R_X86_64_32S", Refused(NotPic), 4, Signed),
    row(12, "R_X86_64_16", Refused(NotPic), 2, Unsigned),
    row(13, "R_X86_64_PC16", PcRelative, 2, Signed),
    row(14, "R_X86_64_8", Refused(NotPic), 1, Unsigned),
    row(15, "R_X86_64_PC8", PcRelative, 1, Signed),
    row(16, "R_X86_64_DTPMOD64", Refused(Loader), 8, Signed),
    row(17, "R_X86_64_DTPOFF64", TlsOffset, 8, Signed),
    row(18, "R_X86_64_TPOFF64", TlsOffset, 8, Signed),
    row(19, "R_X86_64_TLSGD", TlsGeneral, 4, Signed),
    row(20, "R_X86_64_TLSLD", TlsLocal, 4, Signed),
    row(21, "R_X86_64_DTPOFF32", TlsOffset, 4, Signed),
    row(22, "R_X86_64_GOTTPOFF", TlsCell, 4, Signed),
    row(23, "R_X86_64_TPOFF32", TlsOffset, 4, Signed),
    row(24, "R_X86_64_PC64", PcRelative, 8, Signed),
    row(25, "R_X86_64_GOTOFF64", FromCellBase, 8, Signed),
    row(26, "R_X86_64_GOTPC32", CellBase, 4, Signed),
    row(27, "R_X86_64_GOT64", Refused(Loader), 8, Signed),
    row(
        28,
        "R_X86_64_GOTPCREL64",
        Cell { relaxable: false },
        8,
        Signed,
    ),
    row(29, "R_X86_64_GOTPC64", CellBase, 8, Signed),
    row(31, "R_X86_64_PLTOFF64", FromCellBase, 8, Signed),
    row(32, "R_X86_64_SIZE32", Size, 4, Unsigned),
    row(33, "R_X86_64_SIZE64", Size, 8, Unsigned),
    row(
        34,
        "R_X86_64_GOTPC32_TLSDESC",
        Refused(TlsDescriptor),
        4,
        Signed,
    ),
    row(
        35,
        "R_X86_64_TLSDESC_CALL",
        Refused(TlsDescriptor),
        0,
        Signed,
    ),
    row(36, "R_X86_64_TLSDESC", Refused(TlsDescriptor), 8, Signed),
    row(37, "R_X86_64_IRELATIVE", Refused(Loader), 8, Signed),
    row(
        41,
        "R_X86_64_GOTPCRELX",
        Cell { relaxable: true },
        4,
        Signed,
    ),
    row(
        42,
        "R_X86_64_REX_GOTPCRELX",
        Cell { relaxable: true },
        4,
        Signed,
    ),
];

/// The row of a type.
pub fn howto(r_type: u32) -> Option<&'static Howto> {
    TABLE
        .binary_search_by_key(&r_type, |h| h.r_type)
        .ok()
        .map(|i| &TABLE[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_finds_its_rows() {
        assert!(TABLE.is_sorted_by_key(|h| h.r_type));
        for row in TABLE {
            assert_eq!(howto(row.r_type).map(|h| h.name), Some(row.name));
        }
        assert!(howto(30).is_none() && howto(99).is_none());
    }
}
