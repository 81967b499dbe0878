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
        (
            4,
            Range::Either,
            i64::from(u32::MAX),
            i64::from(u32::MAX) + 1,
        ),
        (
            4,
            Range::Either,
            i64::from(i32::MIN),
            i64::from(i32::MIN) - 1,
        ),
    ] {
        let field = Field::bytes(bytes, range);
        assert!(field.write(&mut out, 0, good).is_ok());
        assert!(field.write(&mut out, 0, bad).is_err());
    }
    let eight = Field::bytes(8, Range::Signed);
    assert!(eight.write(&mut out, 0, i64::MIN).is_ok());
    assert_eq!(eight.read(&out, 0), Some(i64::MIN));
    assert!(eight.write(&mut out, 1, 0).is_err());
    assert_eq!(eight.read(&out, 1), None);
    let four = Field::bytes(4, Range::Signed);
    assert!(four.write(&mut out, u64::MAX, 0).is_err());
    assert!(Field::bytes(0, Range::Signed).write(&mut out, 8, 0).is_ok());
}

const fn slice(value: u8, width: u8, at: u8) -> Slice {
    Slice { value, width, at }
}

const fn low12(shift: u8) -> [Slice; 1] {
    [slice(shift, 12 - shift, 10)]
}

const fn row(r_type: u32, name: &'static str, formula: Formula, field: Field) -> Howto {
    Howto {
        r_type,
        name,
        formula,
        field,
    }
}

/// A machine whose fields are in instructions: the rows that arm64's static libraries need (AAELF64, "Relocation types"; the shapes as in "Arm
/// Architecture Reference Manual", C6.2). Of thread-locals by descriptor, the rewriting has fields of its own.
mod fields_in_instructions {
    use super::*;
    use Formula::{Absolute, Branch, Cell, PcRelative, TlsSequence};

    const fn offset(slices: &'static [Slice], align: u64) -> Field {
        Field::bits(slices, Range::Part, align).with_pages(Pages::Within)
    }

    const PAGES: Field = Field::bits(
        &[slice(12, 2, 29), slice(14, 19, 5)],
        Range::Signed,
        PAGE as u64,
    )
    .with_pages(Pages::Distance);
    const CALL: Field = Field::bits(&[slice(2, 26, 0)], Range::Signed, 4);
    const ADD: Field = offset(&low12(0), 1);
    const NONE: Field = Field::bytes(0, Range::Signed);

    pub const ROWS: &[Howto] = &[
        row(257, "ABS64", Absolute, Field::bytes(8, Range::Signed)),
        row(260, "PREL64", PcRelative, Field::bytes(8, Range::Signed)),
        row(261, "PREL32", PcRelative, Field::bytes(4, Range::Either)),
        row(275, "ADR_PREL_PG_HI21", PcRelative, PAGES),
        row(277, "ADD_ABS_LO12_NC", PcRelative, ADD),
        row(278, "LDST8_ABS_LO12_NC", PcRelative, offset(&low12(0), 1)),
        row(282, "JUMP26", Branch, CALL),
        row(283, "CALL26", Branch, CALL),
        row(284, "LDST16_ABS_LO12_NC", PcRelative, offset(&low12(1), 2)),
        row(285, "LDST32_ABS_LO12_NC", PcRelative, offset(&low12(2), 4)),
        row(286, "LDST64_ABS_LO12_NC", PcRelative, offset(&low12(3), 8)),
        row(
            299,
            "LDST128_ABS_LO12_NC",
            PcRelative,
            offset(&low12(4), 16),
        ),
        row(311, "ADR_GOT_PAGE", Cell, PAGES),
        row(312, "LD64_GOT_LO12_NC", Cell, offset(&low12(3), 8)),
        row(562, "TLSDESC_ADR_PAGE21", TlsSequence, PAGES),
        row(563, "TLSDESC_LD64_LO12", TlsSequence, offset(&low12(3), 8)),
        row(564, "TLSDESC_ADD_LO12", TlsSequence, ADD),
        row(569, "TLSDESC_CALL", TlsSequence, NONE),
    ];

    pub fn field(name: &str) -> Field {
        let row = ROWS.iter().find(|row| row.name == name);
        row.expect("a row").field
    }
}

use fields_in_instructions::{ROWS, field};

/// Values at the ends of a field's range and between them.
fn samples(field: Field) -> Vec<i64> {
    let width = i64::from(field.width().min(63));
    let (low, high) = match field.bounds() {
        Some(bounds) => bounds,
        None if field.range == Range::Part => (0, (1 << width) - 1),
        None => (i64::MIN, i64::MAX),
    };
    let align = field.align as i64;
    let mut all = vec![low, high & -align, 0];
    let mut random = fastrand::Rng::with_seed(10);
    all.extend((0..200).map(|_| random.i64(low..=high) & -align));
    all
}

#[test]
fn what_is_written_is_read_back_and_the_rest_of_the_instruction_stays() {
    for row in ROWS.iter().chain(crate::arch::amd64::reloc::TABLE) {
        let field = row.field;
        if field.size() == 0 {
            continue;
        }
        for value in samples(field) {
            for before in [0u8, 0xff, 0x5a] {
                let mut section = [before; 16];
                field.write(&mut section, 4, value).expect("it fits");
                let read = field.read(&section, 4).expect("inside");
                let bits = field.width();
                let same = match field.range {
                    Range::Either => (read ^ value) & ((1 << bits) - 1) == 0,
                    _ => read == value,
                };
                assert!(same, "{}: {value:#x} became {read:#x}", row.name);
                // The other way: what was read writes what was there.
                let mut again = [before; 16];
                field.write(&mut again, 4, read).expect("it fits");
                assert_eq!(again, section, "{}", row.name);
                let Place::Bits(slices) = field.place else {
                    continue;
                };
                let field_bits = slices.iter().fold(0, |m, s| m | s.mask() << s.at);
                let outside = instruction(&section[4..8]) & !field_bits;
                let untouched = instruction(&[before; 4]) & !field_bits;
                assert_eq!(outside, untouched, "{}", row.name);
            }
        }
    }
}

/// (row, instruction, value, instruction with it). Made with GNU `as` and `objdump` for aarch64.
#[test]
fn instructions_get_the_bits_that_an_assembler_gives_them() {
    for (name, before, value, after) in [
        ("CALL26", 0x9400_0000u32, 8, 0x9400_0002u32), // bl .+8
        ("JUMP26", 0x1400_0000, -4, 0x17ff_ffff),      // b .-4
        ("ADR_PREL_PG_HI21", 0x9000_0001, 0x5000, 0xb000_0021), // adrp x1, .+0x5000
        ("ADR_PREL_PG_HI21", 0x9000_0000, -0x1000, 0xf0ff_ffe0), // adrp x0, .-0x1000
        ("ADD_ABS_LO12_NC", 0x9100_0000, 0xabc, 0x912a_f000), // add x0, x0, #0xabc
        ("LDST64_ABS_LO12_NC", 0xf940_0001, 0x18, 0xf940_0c01), // ldr x1, [x0, #24]
        ("LDST128_ABS_LO12_NC", 0x3dc0_0000, 0x20, 0x3dc0_0800), // ldr q0, [x0, #32]
    ] {
        let mut code = before.to_le_bytes();
        field(name).write(&mut code, 0, value).expect("it fits");
        assert_eq!(u32::from_le_bytes(code), after, "{name} {value:#x}");
    }
}

#[test]
fn what_does_not_fit_an_instruction_is_refused() {
    for (name, value, told) in [
        ("CALL26", 1 << 27, "the range is -134217728 to 134217727"),
        ("CALL26", 6, "no multiple of 4"),
        (
            "ADR_PREL_PG_HI21",
            1 << 32,
            "the range is -4294967296 to 4294967295",
        ),
        ("LDST64_ABS_LO12_NC", 4, "no multiple of 8"),
    ] {
        let error = field(name).write(&mut [0; 4], 0, value).unwrap_err();
        assert!(error.contains(told), "{name}: {error}");
    }
}

#[test]
fn pages_count_where_a_row_says_so() {
    let (to, from) = (0x7_3458, 0x1_2ffc);
    assert_eq!(field("CALL26").distance(to, from), 0x6_045c);
    assert_eq!(field("ADR_PREL_PG_HI21").distance(to, from), 0x6_1000);
    assert_eq!(field("LDST64_ABS_LO12_NC").distance(to, from), 0x458);
    // The two halves of an address: the page, and where it lies in there.
    let page = (from & -PAGE) + field("ADR_GOT_PAGE").distance(to, from);
    let inside = field("LD64_GOT_LO12_NC").distance(to, from);
    assert_eq!(page + inside, to);
    assert_eq!(field("ADR_PREL_PG_HI21").distance(from, to), -0x6_1000);
}
