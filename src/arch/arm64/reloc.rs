//! The relocation table (AAELF64, "ELF for the Arm 64-bit Architecture", 5.7: "Relocation types"; the shapes of the instructions as in "Arm Architecture
//! Reference Manual", C6.2).

use crate::arch::reloc::{Field, Formula, Howto, PAGE, Pages, Range, Refusal, Slice};
use Formula::{Absolute, Branch, None, PcRelative, Refused, TlsCell, TlsOffset, TlsSequence};

const fn row(r_type: u32, name: &'static str, formula: Formula, field: Field) -> Howto {
    Howto {
        r_type,
        name,
        formula,
        field,
    }
}

const fn slice(value: u8, width: u8, at: u8) -> Slice {
    Slice { value, width, at }
}

const fn bytes(bytes: u8, range: Range) -> Field {
    Field::bytes(bytes, range)
}

/// The lowest 12 bits of an address, as an instruction has them that counts in units of so many bits.
const fn within_page(slices: &'static [Slice], align: u64) -> Field {
    Field::bits(slices, Range::Part, align).with_pages(Pages::Within)
}

/// The immediate of `adr`, in bytes (C6.2.12).
const ADR: Field = Field::bits(&[slice(0, 2, 29), slice(2, 19, 5)], Range::Signed, 1);
/// The immediate of `adrp`, in pages (C6.2.13).
pub(super) const ADRP: Field = Field::bits(
    &[slice(12, 2, 29), slice(14, 19, 5)],
    Range::Signed,
    PAGE as u64,
)
.with_pages(Pages::Distance);
/// `b`, `bl`.
const IMM26: Field = Field::bits(&[slice(2, 26, 0)], Range::Signed, 4);
/// `b.cond`, `cbz`, and loads of literals.
const IMM19: Field = Field::bits(&[slice(2, 19, 5)], Range::Signed, 4);
/// `tbz`.
const IMM14: Field = Field::bits(&[slice(2, 14, 5)], Range::Signed, 4);
/// `add`, and loads and stores of a byte.
pub(super) const LOW: Field = within_page(&[slice(0, 12, 10)], 1);
const LOW_16: Field = within_page(&[slice(1, 11, 10)], 2);
const LOW_32: Field = within_page(&[slice(2, 10, 10)], 4);
/// Loads and stores of 8 bytes.
pub(super) const LOW_64: Field = within_page(&[slice(3, 9, 10)], 8);
const LOW_128: Field = within_page(&[slice(4, 8, 10)], 16);

/// The same immediates for the two halves of an offset: 24 bits in all.
const OFFSET_HIGH: Field = Field::bits(&[slice(12, 12, 10)], Range::Unsigned, 1);
const OFFSET_ALL: Field = Field::bits(&[slice(0, 12, 10)], Range::Unsigned, 1);
const OFFSET: Field = Field::bits(&[slice(0, 12, 10)], Range::Part, 1);
const OFFSET_16: Field = Field::bits(&[slice(1, 11, 10)], Range::Part, 2);
const OFFSET_32: Field = Field::bits(&[slice(2, 10, 10)], Range::Part, 4);
const OFFSET_64: Field = Field::bits(&[slice(3, 9, 10)], Range::Part, 8);
const OFFSET_128: Field = Field::bits(&[slice(4, 8, 10)], Range::Part, 16);

/// The lower half of a number of 32 bits, in `movk` (C6.2.251).
pub(super) const MOVE_LOW: Field = Field::bits(&[slice(0, 16, 5)], Range::Part, 1);
/// The upper half, in `movz` (C6.2.253).
pub(super) const MOVE_HIGH: Field = Field::bits(&[slice(16, 16, 5)], Range::Unsigned, 1);

const NOTHING: Field = Field::bytes(0, Range::Signed);

const NOT_PIC: Formula = Refused(Refusal::NotPic);
const LOADER: Formula = Refused(Refusal::Loader);
/// A thread-local by a function of the loader's.
const TRADITIONAL: Formula = Refused(Refusal::Other {
    what: "a thread-local is reached through __tls_get_addr",
    help: "compile without -mtls-dialect=trad",
});
/// What -fpic gives.
const SMALL_PIC: Formula = Refused(Refusal::Other {
    what: "the code takes the cells of all objects together for smaller than 32 KiB",
    help: "compile with -fPIC instead of -fpic",
});

/// An address from a cell.
const CELL: Formula = Refused(Refusal::Other {
    what: "an address comes from a cell by other instructions than adrp and ldr",
    help: "please report it, with the compiler and its flags",
});

/// 32 bits of data, relative to their own place.
pub const R_PREL32: u32 = 261;
/// The page of an address, from that of the instruction.
pub const R_ADR_PREL_PG_HI21: u32 = 275;
/// The rest of it, to be added.
pub const R_ADD_ABS_LO12_NC: u32 = 277;
/// `b`
pub const R_JUMP26: u32 = 282;
/// `bl`
pub const R_CALL26: u32 = 283;
/// The rest of an address, in a load of 64 bits.
pub const R_LDST64_LO12_NC: u32 = 286;
/// The page of a cell.
pub const R_ADR_GOT_PAGE: u32 = 311;
/// A load from the cell in that page.
pub const R_LD64_GOT_LO12_NC: u32 = 312;
/// The page of a cell with the offset of a thread-local.
pub const R_TLSIE_ADR_GOTTPREL_PAGE21: u32 = 541;
/// A load from that cell.
pub const R_TLSIE_LD64_GOTTPREL_LO12_NC: u32 = 542;
/// The page of a descriptor.
pub const R_TLSDESC_ADR_PAGE21: u32 = 562;
/// The load of its function.
pub const R_TLSDESC_LD64_LO12: u32 = 563;
/// Its address.
pub const R_TLSDESC_ADD_LO12: u32 = 564;
/// The call of its function.
pub const R_TLSDESC_CALL: u32 = 569;

/// Sorted by type.
pub static TABLE: &[Howto] = &[
    row(0, "R_AARCH64_NONE", None, NOTHING),
    // Data.
    row(257, "R_AARCH64_ABS64", Absolute, bytes(8, Range::Signed)),
    row(258, "R_AARCH64_ABS32", NOT_PIC, bytes(4, Range::Either)),
    row(259, "R_AARCH64_ABS16", NOT_PIC, bytes(2, Range::Either)),
    row(260, "R_AARCH64_PREL64", PcRelative, bytes(8, Range::Signed)),
    row(261, "R_AARCH64_PREL32", PcRelative, bytes(4, Range::Either)),
    row(262, "R_AARCH64_PREL16", PcRelative, bytes(2, Range::Either)),
    // Absolute addresses in `movz` and `movk`.
    row(263, "R_AARCH64_MOVW_UABS_G0", NOT_PIC, MOVE_LOW),
    row(264, "R_AARCH64_MOVW_UABS_G0_NC", NOT_PIC, MOVE_LOW),
    row(265, "R_AARCH64_MOVW_UABS_G1", NOT_PIC, MOVE_HIGH),
    row(266, "R_AARCH64_MOVW_UABS_G1_NC", NOT_PIC, MOVE_HIGH),
    row(267, "R_AARCH64_MOVW_UABS_G2", NOT_PIC, MOVE_LOW),
    row(268, "R_AARCH64_MOVW_UABS_G2_NC", NOT_PIC, MOVE_LOW),
    row(269, "R_AARCH64_MOVW_UABS_G3", NOT_PIC, MOVE_LOW),
    row(270, "R_AARCH64_MOVW_SABS_G0", NOT_PIC, MOVE_LOW),
    row(271, "R_AARCH64_MOVW_SABS_G1", NOT_PIC, MOVE_HIGH),
    row(272, "R_AARCH64_MOVW_SABS_G2", NOT_PIC, MOVE_LOW),
    // Places in code and data.
    row(273, "R_AARCH64_LD_PREL_LO19", PcRelative, IMM19),
    row(274, "R_AARCH64_ADR_PREL_LO21", PcRelative, ADR),
    row(275, "R_AARCH64_ADR_PREL_PG_HI21", PcRelative, ADRP),
    row(277, "R_AARCH64_ADD_ABS_LO12_NC", PcRelative, LOW),
    row(278, "R_AARCH64_LDST8_ABS_LO12_NC", PcRelative, LOW),
    // Compilers give both to branches inside a function alone, so they go through no thunk.
    row(279, "R_AARCH64_TSTBR14", PcRelative, IMM14),
    row(280, "R_AARCH64_CONDBR19", PcRelative, IMM19),
    row(282, "R_AARCH64_JUMP26", Branch, IMM26),
    row(283, "R_AARCH64_CALL26", Branch, IMM26),
    row(284, "R_AARCH64_LDST16_ABS_LO12_NC", PcRelative, LOW_16),
    row(285, "R_AARCH64_LDST32_ABS_LO12_NC", PcRelative, LOW_32),
    row(286, "R_AARCH64_LDST64_ABS_LO12_NC", PcRelative, LOW_64),
    row(299, "R_AARCH64_LDST128_ABS_LO12_NC", PcRelative, LOW_128),
    // Cells. The addend belongs to what a cell holds, and the fields to certain instructions: the groups claim all that are right.
    row(309, "R_AARCH64_GOT_LD_PREL19", SMALL_PIC, IMM19),
    row(310, "R_AARCH64_LD64_GOTOFF_LO15", SMALL_PIC, LOW_64),
    row(311, "R_AARCH64_ADR_GOT_PAGE", CELL, ADRP),
    row(312, "R_AARCH64_LD64_GOT_LO12_NC", CELL, LOW_64),
    row(313, "R_AARCH64_LD64_GOTPAGE_LO15", SMALL_PIC, LOW_64),
    row(314, "R_AARCH64_PLT32", PcRelative, bytes(4, Range::Signed)),
    // Thread-locals: general dynamic and local dynamic in the traditional way.
    row(512, "R_AARCH64_TLSGD_ADR_PREL21", TRADITIONAL, ADR),
    row(513, "R_AARCH64_TLSGD_ADR_PAGE21", TRADITIONAL, ADRP),
    row(514, "R_AARCH64_TLSGD_ADD_LO12_NC", TRADITIONAL, LOW),
    row(517, "R_AARCH64_TLSLD_ADR_PREL21", TRADITIONAL, ADR),
    row(518, "R_AARCH64_TLSLD_ADR_PAGE21", TRADITIONAL, ADRP),
    row(519, "R_AARCH64_TLSLD_ADD_LO12_NC", TRADITIONAL, LOW),
    // Initial exec.
    row(541, "R_AARCH64_TLSIE_ADR_GOTTPREL_PAGE21", TlsCell, ADRP),
    row(
        542,
        "R_AARCH64_TLSIE_LD64_GOTTPREL_LO12_NC",
        TlsCell,
        LOW_64,
    ),
    row(543, "R_AARCH64_TLSIE_LD_GOTTPREL_PREL19", SMALL_PIC, IMM19),
    // Local exec.
    row(
        549,
        "R_AARCH64_TLSLE_ADD_TPREL_HI12",
        TlsOffset,
        OFFSET_HIGH,
    ),
    row(550, "R_AARCH64_TLSLE_ADD_TPREL_LO12", TlsOffset, OFFSET_ALL),
    row(551, "R_AARCH64_TLSLE_ADD_TPREL_LO12_NC", TlsOffset, OFFSET),
    row(
        553,
        "R_AARCH64_TLSLE_LDST8_TPREL_LO12_NC",
        TlsOffset,
        OFFSET,
    ),
    row(
        555,
        "R_AARCH64_TLSLE_LDST16_TPREL_LO12_NC",
        TlsOffset,
        OFFSET_16,
    ),
    row(
        557,
        "R_AARCH64_TLSLE_LDST32_TPREL_LO12_NC",
        TlsOffset,
        OFFSET_32,
    ),
    row(
        559,
        "R_AARCH64_TLSLE_LDST64_TPREL_LO12_NC",
        TlsOffset,
        OFFSET_64,
    ),
    // Descriptors.
    row(560, "R_AARCH64_TLSDESC_LD_PREL19", SMALL_PIC, IMM19),
    row(561, "R_AARCH64_TLSDESC_ADR_PREL21", SMALL_PIC, ADR),
    row(562, "R_AARCH64_TLSDESC_ADR_PAGE21", TlsSequence, ADRP),
    row(563, "R_AARCH64_TLSDESC_LD64_LO12", TlsSequence, LOW_64),
    row(564, "R_AARCH64_TLSDESC_ADD_LO12", TlsSequence, LOW),
    row(569, "R_AARCH64_TLSDESC_CALL", TlsSequence, NOTHING),
    row(
        571,
        "R_AARCH64_TLSLE_LDST128_TPREL_LO12_NC",
        TlsOffset,
        OFFSET_128,
    ),
    // What dynamic linkers are left with.
    row(1024, "R_AARCH64_COPY", LOADER, NOTHING),
    row(1025, "R_AARCH64_GLOB_DAT", LOADER, bytes(8, Range::Signed)),
    row(1026, "R_AARCH64_JUMP_SLOT", LOADER, bytes(8, Range::Signed)),
    row(1027, "R_AARCH64_RELATIVE", LOADER, bytes(8, Range::Signed)),
    row(
        1028,
        "R_AARCH64_TLS_IMPDEF1",
        LOADER,
        bytes(8, Range::Signed),
    ),
    row(
        1029,
        "R_AARCH64_TLS_IMPDEF2",
        LOADER,
        bytes(8, Range::Signed),
    ),
    row(
        1030,
        "R_AARCH64_TLS_TPREL64",
        LOADER,
        bytes(8, Range::Signed),
    ),
    row(1031, "R_AARCH64_TLSDESC", LOADER, bytes(8, Range::Signed)),
    row(1032, "R_AARCH64_IRELATIVE", LOADER, bytes(8, Range::Signed)),
];

/// The row of a type.
pub fn howto(r_type: u32) -> Option<&'static Howto> {
    let found = TABLE.binary_search_by_key(&r_type, |h| h.r_type);
    found.ok().map(|i| &TABLE[i])
}
