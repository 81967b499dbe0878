//! Each row and each rewriting alone. The words were made with GNU `as` and `objdump` for aarch64.

use super::reloc::{self, TABLE};
use super::{Arm64, groups, thread_pointer};
use crate::arch::Linking;
use crate::arch::groups::{NewValue, Reach, Relocated, Site};
use crate::arch::reloc::{Field, Formula};
use crate::arch::thread_pointer::Code;
use std::collections::{BTreeMap, BTreeSet, HashSet};

const LANE: u64 = 8 << 20;

fn code(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_le_bytes()).collect()
}

fn words(code: &[u8]) -> Vec<u32> {
    let words = code.chunks_exact(4);
    words
        .map(|w| u32::from_le_bytes(w.try_into().expect("a word")))
        .collect()
}

#[test]
fn the_table_is_sorted_and_finds_its_rows() {
    assert!(TABLE.is_sorted_by(|a, b| a.r_type < b.r_type));
    for row in TABLE {
        assert_eq!(reloc::howto(row.r_type).map(|h| h.name), Some(row.name));
    }
    assert!(reloc::howto(1).is_none() && reloc::howto(9999).is_none());
}

/// (row, instruction, value, instruction with it)
#[test]
fn instructions_get_the_bits_that_an_assembler_gives_them() {
    let field = |name: &str| {
        let row = TABLE.iter().find(|row| row.name[10..] == *name);
        row.expect("a row").field
    };
    for (name, before, value, after) in [
        ("CALL26", 0x9400_0000u32, 8, 0x9400_0002u32), // bl .+8
        ("JUMP26", 0x1400_0000, -4, 0x17ff_ffff),      // b .-4
        ("CONDBR19", 0xb400_0000, -8, 0xb4ff_ffc0),    // cbz x0, .-8
        ("TSTBR14", 0x3600_0000, 16, 0x3600_0080),     // tbz w0, #0, .+16
        ("LD_PREL_LO19", 0x5800_0000, 12, 0x5800_0060), // ldr x0, .+12
        ("ADR_PREL_LO21", 0x1000_0000, 7, 0x7000_0020), // adr x0, .+7
        ("ADR_PREL_PG_HI21", 0x9000_0001, 0x5000, 0xb000_0021), // adrp x1, .+0x5000
        ("ADR_PREL_PG_HI21", 0x9000_0000, -0x1000, 0xf0ff_ffe0), // adrp x0, .-0x1000
        ("ADD_ABS_LO12_NC", 0x9100_0000, 0xabc, 0x912a_f000), // add x0, x0, #0xabc
        ("LDST8_ABS_LO12_NC", 0x3940_0000, 3, 0x3940_0c00), // ldrb w0, [x0, #3]
        ("LDST16_ABS_LO12_NC", 0x7940_0000, 6, 0x7940_0c00), // ldrh w0, [x0, #6]
        ("LDST32_ABS_LO12_NC", 0xb940_0000, 12, 0xb940_0c00), // ldr w0, [x0, #12]
        ("LDST64_ABS_LO12_NC", 0xf940_0001, 24, 0xf940_0c01), // ldr x1, [x0, #24]
        ("LDST128_ABS_LO12_NC", 0x3dc0_0000, 32, 0x3dc0_0800), // ldr q0, [x0, #32]
        ("TLSLE_ADD_TPREL_HI12", 0x9140_0000, 0x5abc, 0x9140_1400), // add x0, x0, #5, lsl 12
        ("TLSLE_ADD_TPREL_LO12_NC", 0x9100_0000, 0x5abc, 0x912a_f000),
        (
            "TLSLE_LDST64_TPREL_LO12_NC",
            0xf940_0000,
            0x5018,
            0xf940_0c00,
        ), // ldr x0, [x0, #24]
    ] {
        let mut bytes = before.to_le_bytes();
        field(name).write(&mut bytes, 0, value).expect("it fits");
        assert_eq!(u32::from_le_bytes(bytes), after, "{name} {value:#x}");
    }
    for (field, before, after) in [
        (reloc::MOVE_HIGH, 0xd2a0_0000u32, 0xd2ac_f120u32), // movz x0, #0x6789, lsl 16
        (reloc::MOVE_LOW, 0xf280_0000, 0xf295_79a0),        // movk x0, #0xabcd
    ] {
        let mut bytes = before.to_le_bytes();
        field.write(&mut bytes, 0, 0x6789_abcd).expect("it fits");
        assert_eq!(u32::from_le_bytes(bytes), after);
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    for (r_type, value, told) in [
        (283, 1 << 27, "the range is -134217728 to 134217727"),
        (283, 6, "no multiple of 4"),
        (275, 1 << 32, "the range is -4294967296 to 4294967295"),
        (286, 4, "no multiple of 8"),
        (549, 1 << 24, "the range is 0 to 16777215"),
    ] {
        let row = reloc::howto(r_type).expect("a row");
        let error = row.field.write(&mut [0; 4], 0, value).unwrap_err();
        assert!(error.contains(told), "{}: {error}", row.name);
    }
    let high = reloc::MOVE_HIGH.write(&mut [0; 4], 0, 1 << 32);
    assert!(high.unwrap_err().contains("the range is 0 to 4294967295"));
}

#[test]
fn no_row_without_a_claim_means_a_place_in_a_cell() {
    let cell = |f| matches!(f, Formula::Cell | Formula::CellBase | Formula::FromCellBase);
    let plain = TABLE.iter().find(|row| cell(row.formula));
    assert!(plain.is_none(), "{plain:?}: its addend is of the cell");
}

/// A group: its members, the words of the section with it, what is filled in.
type Claimed = (Vec<usize>, Vec<u32>, Vec<(u64, Field, NewValue)>);

/// A section with relocations: offset, type, symbol, addend, reach.
fn claimed(words_before: &[u32], sites: &[(u64, u32, u32, i64, Reach)]) -> Vec<Claimed> {
    let mut bytes = code(words_before);
    let sites: Vec<Site> = sites
        .iter()
        .map(|&(offset, r_type, symbol, addend, reach)| Site {
            offset,
            r_type,
            symbol,
            addend,
            reach,
        })
        .collect();
    let groups = groups::claim(&Relocated {
        code: &bytes.clone(),
        sites: &sites,
        lane_size: LANE,
    });
    let mut out = Vec::new();
    for group in groups {
        for (at, patch) in &group.patches {
            bytes[*at as usize..*at as usize + patch.len()].copy_from_slice(patch);
        }
        let fields = group.fields.iter().map(|f| (f.offset, f.field, f.value));
        out.push((group.members, words(&bytes), fields.collect()));
    }
    out
}

const GOT: u32 = reloc::R_ADR_GOT_PAGE;
const GOT_LOW: u32 = reloc::R_LD64_GOT_LO12_NC;

#[test]
fn loads_from_cells_become_addresses_for_all_of_a_symbol() {
    // adrp x0; ldr x3, [x2]; ldr x0, [x0]
    let before = [0x9000_0000, 0xf940_0043, 0xf940_0000];
    let near = |n: u64| (4 * n, GOT_LOW, 7, 0, Reach::Near);
    let found = claimed(&before, &[(0, GOT, 7, 0, Reach::Near), near(1), near(2)]);
    let [(members, after, fields)] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(members, &[0, 1, 2]);
    // add x3, x2, #0; add x0, x0, #0
    assert_eq!(after[..], [0x9000_0000, 0x9100_0043, 0x9100_0000]);
    let address = NewValue::Address(0);
    assert_eq!(
        fields[..],
        [
            (0, reloc::ADRP, address),
            (4, reloc::LOW, address),
            (8, reloc::LOW, address)
        ]
    );
    // What is outside keeps its cell, with the addend inside.
    let outside = claimed(&before[..1], &[(0, GOT, 7, 8, Reach::Far)]);
    let cell = NewValue::Cell { holds: 8, plus: 0 };
    assert_eq!(outside[0].2, [(0, reloc::ADRP, cell)]);
    // Another instruction among them: ldr w0, [x0].
    let other = [0x9000_0000, 0xb940_0000, 0xf940_0000];
    let none = claimed(&other, &[(0, GOT, 7, 0, Reach::Near), near(1), near(2)]);
    assert!(none.is_empty(), "{none:?}");
}

#[test]
fn addresses_of_what_is_outside_are_loaded() {
    // adrp x1; add x2, x1, #0; ldr x2, [x1]
    let before = [0x9000_0001, 0x9100_0022, 0xf940_0022];
    let far = |n: u64, r_type, addend| (4 * n, r_type, 7, addend, Reach::Far);
    let found = claimed(&before[..2], &[far(0, 275, 4), far(1, 277, 4)]);
    assert_eq!(found[0].1, [0x9000_0001, 0xf940_0022]);
    let cell = NewValue::Cell { holds: 4, plus: 0 };
    assert_eq!(
        found[0].2,
        [(0, reloc::ADRP, cell), (4, reloc::LOW_64, cell)]
    );
    // A load from the place itself, and two addends with one page.
    assert!(claimed(&before, &[far(0, 275, 0), far(1, 277, 0), far(2, 286, 0)]).is_empty());
    assert!(claimed(&before, &[far(0, 275, 0), far(1, 277, 8)]).is_empty());
}

const DESCRIPTOR: [u32; 4] = [0x9000_0000, 0xf940_0001, 0x9100_0000, 0xd63f_0020];
const DESCRIPTOR_TYPES: [u32; 4] = [562, 563, 564, 569];

fn descriptor(words: &[u32; 4], from: u64) -> usize {
    let sites = DESCRIPTOR_TYPES.iter().zip((from..).step_by(4));
    let sites: Vec<_> = sites
        .map(|(t, at)| (at, *t, 7, 16, Reach::ThreadLocal))
        .collect();
    claimed(words, &sites).len()
}

#[test]
fn a_descriptor_becomes_an_offset_in_the_lane() {
    let sites = DESCRIPTOR_TYPES.iter().zip((0..).step_by(4));
    let sites: Vec<_> = sites
        .map(|(t, at)| (at, *t, 7, 16, Reach::ThreadLocal))
        .collect();
    let found = claimed(&DESCRIPTOR, &sites);
    // movz x0, #0, lsl 16; movk x0, #0; nop; nop
    assert_eq!(
        found[0].1,
        [0xd2a0_0000, 0xf280_0000, 0xd503_201f, 0xd503_201f]
    );
    let value = NewValue::InLane(16);
    assert_eq!(
        found[0].2,
        [(0, reloc::MOVE_HIGH, value), (4, reloc::MOVE_LOW, value)]
    );
    for (n, other) in [
        (0, 0x9000_0001), // adrp x1
        (1, 0xf940_0021), // ldr x1, [x1]
        (1, 0xf940_0000), // ldr x0, [x0]
        (2, 0x9100_0001), // add x1, x0
        (3, 0xd63f_0040), // blr x2
        (3, 0xd61f_0020), // br x1
    ] {
        let mut words = DESCRIPTOR;
        words[n] = other;
        assert_eq!(descriptor(&words, 0), 0, "{other:#x}");
    }
    assert_eq!(descriptor(&DESCRIPTOR, 4), 0, "beyond the section");
}

#[test]
fn offsets_from_cells_are_moved_into_registers() {
    // adrp x3; ldr x3, [x3]
    let sites = [
        (0, 541, 7, 0, Reach::ThreadLocal),
        (4, 542, 7, 0, Reach::ThreadLocal),
    ];
    let found = claimed(&[0x9000_0003, 0xf940_0063], &sites);
    assert_eq!(found[0].1, [0xd2a0_0003, 0xf280_0003]);
    // ldr x4, [x3]
    assert!(claimed(&[0x9000_0003, 0xf940_0064], &sites).is_empty());
}

fn replaced(bytes: &[u8], fields: &[u64]) -> Result<Vec<u32>, Vec<(u64, String)>> {
    let found = thread_pointer::replace(&Code {
        bytes,
        functions: &[],
        fields: &fields.iter().map(|at| (*at, 4)).collect::<BTreeMap<_, _>>(),
        offsets: &BTreeSet::new(),
        has_offsets: false,
        labels: &HashSet::new(),
        lane_size: LANE,
    })?;
    let mut all = bytes.to_vec();
    for (at, patch) in &found.patches {
        all[*at as usize..*at as usize + patch.len()].copy_from_slice(patch);
    }
    all.extend(found.appended);
    Ok(words(&all))
}

#[test]
fn the_thread_pointer_becomes_the_base_of_the_lane() {
    // nop; mrs x5, tpidr_el0; add x0, x5, x0; mrs x9, tpidr_el0; ret
    let before = [
        0xd503_201f,
        0xd53b_d045,
        0x8b00_00a0,
        0xd53b_d049,
        0xd65f_03c0,
    ];
    let after = replaced(&code(&before), &[]).expect("replaced");
    let want = [
        0xd503_201f,
        0x1400_0004, // b .+16
        0x8b00_00a0,
        0x1400_0005, // b .+20
        0xd65f_03c0,
        0x9100_03e5, // mov x5, sp
        0x9269_a0a5, // and x5, x5, #0xffffffffff800000
        0x17ff_fffb, // b .-20
        0x9100_03e9, // mov x9, sp
        0x9269_a129, // and x9, x9, #0xffffffffff800000
        0x17ff_fffa, // b .-24
    ];
    assert_eq!(after, want);
    assert!(Arm64.uses_thread_pointer(&code(&before)));
    assert!(!Arm64.uses_thread_pointer(&code(&after)));
    // Into no register.
    assert_eq!(
        replaced(&code(&[0xd53b_d05f]), &[]).expect("replaced"),
        [0xd503_201f]
    );
}

#[test]
fn what_a_c_library_keeps_of_a_thread_is_refused() {
    const READ: u32 = 0xd53b_d045;
    for (words, at) in [
        (&[READ, 0xf85f_80a0][..], 4),          // ldur x0, [x5, #-8]
        (&[READ, 0xf940_04a0], 4),              // ldr x0, [x5, #8]
        (&[READ, 0xd503_201f, 0xa941_04a0], 8), // nop; ldp x0, x1, [x5, #16]
        (&[READ, 0xd103_20a5], 4),              // sub x5, x5, #200
        (&[0xd51b_d040], 0),                    // msr tpidr_el0, x0
    ] {
        let refused = replaced(&code(words), &[]).expect_err("refused");
        assert_eq!(refused[0].0, at, "{words:#x?}");
    }
    for words in [
        &[READ, 0xf860_68a0][..],          // ldr x0, [x5, x0]
        &[READ, 0x8b00_00a5, 0xf940_04a0], // add x5, x5, x0; ldr x0, [x5, #8]
        &[READ, 0xd65f_03c0, 0xf940_04a0], // ret; ldr x0, [x5, #8]
        &[READ, 0x9400_0001, 0xf940_04a0], // bl; ldr x0, [x5, #8]
        &[0xd53b_d053, 0xaa13_03e0],       // mrs x19; mov x0, x19
    ] {
        replaced(&code(words), &[]).expect("replaced");
    }
    // add x5, x5, #0 with the offset of a thread-local
    replaced(&code(&[READ, 0x9100_00a5]), &[4]).expect("replaced");
}
