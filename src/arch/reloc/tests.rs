use super::*;
use crate::arch::arm64;

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

/// The bits of a value that a field has.
fn mask(slices: &[Slice]) -> i64 {
    let masks = slices.iter().map(|s| i64::from(s.mask()) << s.value);
    masks.fold(0, |all, mask| all | mask)
}

#[test]
fn what_is_written_is_read_back_and_the_rest_of_the_instruction_stays() {
    let tables = [crate::arch::amd64::reloc::TABLE, arm64::reloc::TABLE];
    for row in tables.into_iter().flatten() {
        let field = row.field;
        if field.size() == 0 {
            continue;
        }
        for value in samples(field) {
            for before in [0u8, 0xff, 0x5a] {
                let mut section = [before; 16];
                field.write(&mut section, 4, value).expect("it fits");
                let read = field.read(&section, 4).expect("inside");
                let same = match (field.range, field.place) {
                    (Range::Either, _) => (read ^ value) & ((1 << field.width()) - 1) == 0,
                    // Others have the rest.
                    (Range::Signed, _) | (_, Place::Bytes(_)) => read == value,
                    (_, Place::Bits(slices)) => read == value & mask(slices),
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

#[test]
fn pages_count_where_a_row_says_so() {
    let field = |name: &str| {
        let row = arm64::reloc::TABLE.iter().find(|r| r.name[10..] == *name);
        row.expect("a row").field
    };
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
