//! The relocation table (psABI 4.4.1, table 4.9).

use crate::arch::reloc::{Field, Formula, Howto, Range, Refusal};

const fn row(r_type: u32, name: &'static str, formula: Formula, bytes: u8, range: Range) -> Howto {
    Howto {
        r_type,
        name,
        formula,
        field: Field::bytes(bytes, range),
    }
}

use Formula::{
    Absolute, Branch, Cell, CellBase, FromCellBase, None, PcRelative, Refused, Size, TlsCell,
    TlsOffset, TlsSequence,
};
use Range::{Signed, Unsigned};
use Refusal::{Loader, NotPic};

/// A thread-local through a descriptor.
const DESCRIPTOR: Formula = Refused(Refusal::Other {
    what: "a thread-local is reached through a descriptor",
    help: "compile with -mtls-dialect=gnu",
});

/// 32 bits, as most instructions have them.
pub const HALF: Field = Field::bytes(4, Signed);

/// PC-relative, to the function `S`.
pub const R_PLT32: u32 = 4;
/// PC-relative.
pub const R_PC32: u32 = 2;
/// A load from a cell.
pub const R_GOTPCREL: u32 = 9;
/// A load from a cell, which may be rewritten.
pub const R_GOTPCRELX: u32 = 41;
/// The same, behind a REX prefix.
pub const R_REX_GOTPCRELX: u32 = 42;
/// A thread-local, general dynamic.
pub const R_TLSGD: u32 = 19;
/// The block of thread-locals, local dynamic.
pub const R_TLSLD: u32 = 20;
/// The offset of a thread-local in a cell, initial exec.
pub const R_GOTTPOFF: u32 = 22;

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
    row(9, "R_X86_64_GOTPCREL", Cell, 4, Signed),
    row(10, "R_X86_64_32", Refused(NotPic), 4, Unsigned),
    row(11, "R_X86_64_32S", Refused(NotPic), 4, Signed),
    row(12, "R_X86_64_16", Refused(NotPic), 2, Unsigned),
    row(13, "R_X86_64_PC16", PcRelative, 2, Signed),
    row(14, "R_X86_64_8", Refused(NotPic), 1, Unsigned),
    row(15, "R_X86_64_PC8", PcRelative, 1, Signed),
    row(16, "R_X86_64_DTPMOD64", Refused(Loader), 8, Signed),
    row(17, "R_X86_64_DTPOFF64", TlsOffset, 8, Signed),
    row(18, "R_X86_64_TPOFF64", TlsOffset, 8, Signed),
    row(19, "R_X86_64_TLSGD", TlsSequence, 4, Signed),
    row(20, "R_X86_64_TLSLD", TlsSequence, 4, Signed),
    row(21, "R_X86_64_DTPOFF32", TlsOffset, 4, Signed),
    row(22, "R_X86_64_GOTTPOFF", TlsCell, 4, Signed),
    row(23, "R_X86_64_TPOFF32", TlsOffset, 4, Signed),
    row(24, "R_X86_64_PC64", PcRelative, 8, Signed),
    row(25, "R_X86_64_GOTOFF64", FromCellBase, 8, Signed),
    row(26, "R_X86_64_GOTPC32", CellBase, 4, Signed),
    row(27, "R_X86_64_GOT64", Refused(Loader), 8, Signed),
    row(28, "R_X86_64_GOTPCREL64", Cell, 8, Signed),
    row(29, "R_X86_64_GOTPC64", CellBase, 8, Signed),
    row(31, "R_X86_64_PLTOFF64", FromCellBase, 8, Signed),
    row(32, "R_X86_64_SIZE32", Size, 4, Unsigned),
    row(33, "R_X86_64_SIZE64", Size, 8, Unsigned),
    row(34, "R_X86_64_GOTPC32_TLSDESC", DESCRIPTOR, 4, Signed),
    row(35, "R_X86_64_TLSDESC_CALL", DESCRIPTOR, 0, Signed),
    row(36, "R_X86_64_TLSDESC", DESCRIPTOR, 8, Signed),
    row(37, "R_X86_64_IRELATIVE", Refused(Loader), 8, Signed),
    row(41, "R_X86_64_GOTPCRELX", Cell, 4, Signed),
    row(42, "R_X86_64_REX_GOTPCRELX", Cell, 4, Signed),
];

/// The row of a type.
pub fn howto(r_type: u32) -> Option<&'static Howto> {
    TABLE
        .binary_search_by_key(&r_type, |h| h.r_type)
        .ok()
        .map(|i| &TABLE[i])
}

/// What is added to S + A to have the place that an instruction means: the distance from its field to its end, where a branch ends with the
/// field, and what else refers to a place may have an immediate behind that.
pub fn meant(code: &[u8], offset: u64) -> &'static [i64] {
    const INSTRUCTION_ENDS: &[i64] = &[4, 5, 6, 8];
    match is_branch(code, offset) {
        true => &INSTRUCTION_ENDS[..1],
        false => INSTRUCTION_ENDS,
    }
}

/// Whether the field at `offset` is that of a branch: call, jmp, jcc with 32 bits.
fn is_branch(code: &[u8], offset: u64) -> bool {
    let before = |n: u64| {
        offset
            .checked_sub(n)
            .and_then(|at| code.get(at as usize).copied())
    };
    matches!(before(1), Some(0xe8 | 0xe9))
        || (before(2) == Some(0x0f) && matches!(before(1), Some(0x80..=0x8f)))
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
