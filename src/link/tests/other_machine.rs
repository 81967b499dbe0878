//! A machine with fields in instructions, short branches, and groups of relocations that are no neighbours: what the seam must carry. Its
//! instructions are those of arm64, as far as there are any.

use super::build::{Image, LANE_SIZE, Obj, link_for};
use crate::arch::groups::{Group, NewField, NewValue, Reach, Relocated, Site};
use crate::arch::reloc::{Field, Formula, Howto, PAGE, Pages, Range, Slice};
use crate::arch::thread_pointer::{Code, Detours};
use crate::arch::{Linking, Thunk};
use ::object::elf::RelocationType;
use std::collections::BTreeMap;

const ABS64: u32 = 1;
const BRANCH: u32 = 2;
const GOT_PAGE: u32 = 3;
const GOT_LOW: u32 = 4;
const TLS_PAGE: u32 = 5;
const TLS_LOW: u32 = 6;
const TLS_ADD: u32 = 7;
const TLS_CALL: u32 = 8;

const fn slice(value: u8, width: u8, at: u8) -> Slice {
    Slice { value, width, at }
}

const PAGES: Field = Field::bits(
    &[slice(12, 2, 29), slice(14, 19, 5)],
    Range::Signed,
    PAGE as u64,
)
.with_pages(Pages::Distance);
const LOAD: Field = Field::bits(&[slice(3, 9, 10)], Range::Part, 8).with_pages(Pages::Within);
const ADD: Field = Field::bits(&[slice(0, 12, 10)], Range::Part, 1).with_pages(Pages::Within);
/// The two immediates of `sub x0, x0, #hi, lsl 12` and `sub x0, x0, #lo`.
const HIGH: Field = Field::bits(&[slice(12, 12, 10)], Range::Unsigned, 1);
const LOW: Field = Field::bits(&[slice(0, 12, 10)], Range::Part, 1);
/// 2048 bytes in both directions.
const SHORT: Field = Field::bits(&[slice(2, 10, 0)], Range::Signed, 4);
const NONE: Field = Field::bytes(0, Range::Signed);

const fn row(r_type: u32, name: &'static str, formula: Formula, field: Field) -> Howto {
    Howto {
        r_type,
        name,
        formula,
        field,
    }
}

static ROWS: [Howto; 8] = [
    row(
        ABS64,
        "ABS64",
        Formula::Absolute,
        Field::bytes(8, Range::Signed),
    ),
    row(BRANCH, "BRANCH", Formula::Branch, SHORT),
    row(GOT_PAGE, "GOT_PAGE", Formula::Cell, PAGES),
    row(GOT_LOW, "GOT_LOW", Formula::Cell, LOAD),
    row(TLS_PAGE, "TLS_PAGE", Formula::TlsSequence, PAGES),
    row(TLS_LOW, "TLS_LOW", Formula::TlsSequence, LOAD),
    row(TLS_ADD, "TLS_ADD", Formula::TlsSequence, ADD),
    row(TLS_CALL, "TLS_CALL", Formula::TlsSequence, NONE),
];

const CALL: u32 = 0x9400_0000;
const NOP: u32 = 0xd503_201f;
const ADRP: u32 = 0x9000_0000;
const LDR: u32 = 0xf940_0000;
const ADD_CODE: u32 = 0x9100_0000;
const BLR: u32 = 0xd63f_0020;
/// mrs x1, tpidr_el0
const MRS: u32 = 0xd53b_d041;
/// mov x1, #0
const MOV_ZERO: u32 = 0xd280_0001;
/// mov x0, sp; orr x0, x0, #0x7fffff; sub x0, x0, #0, lsl 12; sub x0, x0, #0
const FROM_LANE: [u32; 4] = [0x9100_03e0, 0xb240_5800, 0xd140_0000, 0xd100_0000];

/// The distance in 32 bits, behind a mark.
static THUNK: Thunk = Thunk {
    code: b"thunk!!!\0\0\0\0",
    align: 4,
    fields: &[(8, Field::bytes(4, Range::Signed))],
};

struct Machine {
    thunks: bool,
}

impl Linking for Machine {
    fn page_size(&self) -> u64 {
        1 << 16
    }
    fn largest_page(&self) -> u64 {
        1 << 18
    }
    fn trap(&self) -> &'static [u8] {
        &[0; 4]
    }
    fn howto(&self, r_type: u32) -> Option<&'static Howto> {
        ROWS.iter().find(|row| row.r_type == r_type)
    }
    fn groups(&self, section: &Relocated<'_>) -> Vec<Group> {
        let mut groups = cells(section);
        groups.extend(descriptors(section));
        groups.sort_by_key(|g| g.members.first().copied());
        groups
    }
    fn meant(&self, _: &[u8], _: u64) -> &'static [i64] {
        &[0]
    }
    fn thunk(&self) -> Option<&'static Thunk> {
        self.thunks.then_some(&THUNK)
    }
    fn uses_thread_pointer(&self, code: &[u8]) -> bool {
        code.chunks(4).any(|c| c == MRS.to_le_bytes())
    }
    fn replace_thread_pointer(&self, code: &Code<'_>) -> Result<Detours, Vec<(u64, String)>> {
        let words = code.bytes.chunks(4).zip((0..).step_by(4));
        let found = words.filter(|(c, _)| *c == MRS.to_le_bytes());
        let places: Vec<u64> = found.map(|(_, at)| at).collect();
        // What is no access to a thread-local may be anything.
        if code.offsets.is_empty() {
            let refused = places
                .into_iter()
                .map(|at| (at, "it stands alone".to_owned()));
            return Err(refused.collect());
        }
        let patches = places.into_iter();
        Ok(Detours {
            patches: patches
                .map(|at| (at, MOV_ZERO.to_le_bytes().to_vec()))
                .collect(),
            ..Detours::default()
        })
    }
}

fn word(code: &[u8], at: u64) -> u32 {
    let at = at as usize;
    u32::from_le_bytes(code[at..at + 4].try_into().expect("a word"))
}

/// Loads of addresses of what is near: all of a symbol or none, wherever they stand.
fn cells(section: &Relocated<'_>) -> Vec<Group> {
    let mut by_symbol: BTreeMap<u32, Vec<(usize, &Site)>> = BTreeMap::new();
    for (n, site) in section.sites.iter().enumerate() {
        if matches!(site.r_type, GOT_PAGE | GOT_LOW) && site.reach == Reach::Near {
            by_symbol.entry(site.symbol).or_default().push((n, site));
        }
    }
    let loads = |(_, s): &(usize, &Site)| {
        s.r_type == GOT_PAGE || word(section.code, s.offset) & 0xffc0_0000 == LDR
    };
    let whole = by_symbol.into_values().filter(|all| all.iter().all(loads));
    let group = |all: Vec<(usize, &Site)>| {
        let patch = |(_, s): &(usize, &Site)| {
            // ldr xN, [xM, #lo] -> add xN, xM, #lo
            let registers = word(section.code, s.offset) & 0x3ff;
            (s.offset, (ADD_CODE | registers).to_le_bytes().to_vec())
        };
        let low = |(_, s): &&(usize, &Site)| s.r_type == GOT_LOW;
        Group {
            members: all.iter().map(|(n, _)| *n).collect(),
            patches: all.iter().filter(low).map(patch).collect(),
            fields: all
                .iter()
                .map(|&(n, s)| NewField {
                    offset: s.offset,
                    field: if s.r_type == GOT_LOW { ADD } else { PAGES },
                    of: n,
                    value: NewValue::Address(s.addend),
                })
                .collect(),
        }
    };
    whole.map(group).collect()
}

/// The four instructions of a descriptor, which stand together.
fn descriptors(section: &Relocated<'_>) -> Vec<Group> {
    let types = [TLS_PAGE, TLS_LOW, TLS_ADD, TLS_CALL];
    let starts = (0..section.sites.len()).filter(|n| {
        let four = section.sites.get(*n..*n + 4).unwrap_or_default();
        four.iter().map(|s| s.r_type).eq(types)
    });
    starts
        .map(|n| {
            let start = section.sites[n].offset;
            let field = |offset, field| NewField {
                offset: start + offset,
                field,
                of: n,
                value: NewValue::BelowLaneTop(section.sites[n].addend - 1),
            };
            let code = FROM_LANE.iter().flat_map(|i| i.to_le_bytes());
            Group {
                members: (n..n + 4).collect(),
                patches: vec![(start, code.collect())],
                fields: vec![field(8, HIGH), field(12, LOW)],
            }
        })
        .collect()
}

fn code(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_le_bytes()).collect()
}

fn refer(obj: &mut Obj, section: usize, relocs: &[(u64, u32, &str)]) {
    for (offset, r_type, symbol) in relocs {
        obj.reloc(section, *offset, RelocationType(*r_type), symbol, 0);
    }
}

fn linked(objs: &[Obj]) -> Image {
    link_for(&Machine { thunks: true }, objs).unwrap_or_else(|e| panic!("{e}"))
}

/// Where the branch at an offset of a function leads in the end.
fn arrives(image: &Image, function: &str, offset: u64) -> (u64, bool) {
    let place = image.symbol(function) + offset;
    let to = place.wrapping_add_signed(SHORT.read(&image.image, place).expect("a branch"));
    if !image.image[to as usize..].starts_with(b"thunk!!!") {
        return (to, false);
    }
    let distance = image.half(to + 8) as i32;
    ((to + 8).wrapping_add_signed(i64::from(distance)), true)
}

/// A root that calls sixty functions, the last of which calls the root.
fn far_apart() -> [Obj; 2] {
    let names: Vec<_> = (0..60).map(|n| format!("f{n}")).collect();
    let mut root = Obj::new("root.o");
    let section = root.code("root", &code(&[CALL; 60]));
    let mut others = Obj::new("others.o");
    for (n, name) in names.iter().enumerate() {
        refer(&mut root, section, &[(4 * n as u64, BRANCH, name)]);
        let section = others.code(name, &code(&[CALL; 16]));
        refer(&mut others, section, &[(0, BRANCH, "root")]);
    }
    [root, others]
}

#[test]
fn branches_that_do_not_reach_go_through_thunks() {
    let image = linked(&far_apart());
    let mut through = 0;
    for n in 0..60 {
        let name = format!("f{n}");
        let (to, thunk) = arrives(&image, "root", 4 * n);
        assert_eq!(to, image.symbol(&name), "{name}");
        through += u32::from(thunk);
        let (back, _) = arrives(&image, &name, 0);
        assert_eq!(back, image.symbol("root"), "from {name}");
    }
    // Those near by need none.
    assert!((25..45).contains(&through), "{through} thunks");
    assert_eq!(
        image.word(image.symbol("f59") + 4) as u32,
        CALL,
        "the rest stays"
    );
}

#[test]
fn without_thunks_a_branch_that_does_not_reach_is_refused() {
    let Err(e) = link_for(&Machine { thunks: false }, &far_apart()) else {
        panic!("the link should have failed");
    };
    let text = e.to_string();
    for part in ["BRANCH", "the range is -2048 to 2047", "in root"] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}

#[test]
fn an_address_in_two_instructions_is_computed_wherever_they_stand() {
    let mut obj = Obj::new("root.o");
    // Two of one symbol, mixed with one of another; the second symbol is compared with its cell, so it keeps it.
    let section = obj.code(
        "root",
        &code(&[
            ADRP,
            ADRP | 1,
            NOP,
            LDR | 2 << 5 | 3,
            LDR | 1 << 5 | 1,
            NOP,
            LDR,
            0,
        ]),
    );
    refer(
        &mut obj,
        section,
        &[
            (0, GOT_PAGE, "data"),
            (4, GOT_PAGE, "kept"),
            (12, GOT_LOW, "data"),
            (16, GOT_LOW, "kept"),
            (24, GOT_LOW, "data"),
            (28, GOT_LOW, "kept"),
        ],
    );
    for name in ["data", "kept"] {
        let data = obj.data(&format!(".data.{name}"), name, &[7; 24]);
        refer(&mut obj, data, &[(0, ABS64, name)]);
    }
    let image = linked(&[obj]);
    let root = image.symbol("root");
    let page = |at: u64| {
        let distance = PAGES.read(&image.image, root + at).expect("a page");
        ((root + at) & !0xfff).wrapping_add_signed(distance)
    };
    let low = |at: u64, field: Field| field.read(&image.image, root + at).expect("a field") as u64;
    let data = image.symbol("data");
    for at in [12, 24] {
        assert_eq!(
            image.half(root + at) & 0xffc0_0000,
            ADD_CODE,
            "ldr became add"
        );
        assert_eq!(page(0) + low(at, ADD), data);
    }
    assert_eq!(image.half(root + 12) & 0x3ff, 2 << 5 | 3, "registers stay");
    let cell = page(4) + low(16, LOAD);
    assert_eq!(image.half(root + 16) & 0xffc0_0000, LDR);
    assert_eq!(image.word(cell), image.symbol("kept"));
    assert_eq!(
        image.layout.params.rw_offset % (1 << 16),
        0,
        "its pages are larger"
    );
    let params = &image.layout.params;
    let code_end = params.code_offset + params.code_size;
    let (page, largest) = (1 << 16, 1 << 18);
    assert!(
        code_end <= params.rw_offset - (largest - page),
        "the largest page that has a variable has no code"
    );
    assert!(params.image_size - params.rw_offset > largest - page);
}

#[test]
fn a_thread_local_by_descriptor_is_found_from_the_top_of_the_lane() {
    let mut obj = Obj::new("root.o");
    obj.thread_local("local", &[2; 8]);
    let section = obj.code(
        "root",
        &code(&[MRS, NOP, ADRP, LDR | 1, ADD_CODE, BLR, NOP]),
    );
    refer(
        &mut obj,
        section,
        &[
            (8, TLS_PAGE, "local"),
            (12, TLS_LOW, "local"),
            (16, TLS_ADD, "local"),
            (20, TLS_CALL, "local"),
        ],
    );
    let image = linked(&[obj]);
    let root = image.symbol("root");
    assert_eq!(image.half(root), MOV_ZERO, "what stands apart goes along");
    assert_eq!(image.half(root + 8), FROM_LANE[0]);
    let part = |at: u64, field: Field| field.read(&image.image, root + at).expect("a field");
    let below = part(16, HIGH) + part(20, LOW);
    let in_lane = image.layout.params.lane_tls;
    assert_eq!(LANE_SIZE as i64 - 1 - below, in_lane as i64);
}

#[test]
fn an_unknown_part_of_a_group_is_refused() {
    let mut obj = Obj::new("root.o");
    obj.thread_local("local", &[2; 8]);
    let section = obj.code("root", &code(&[MRS, ADRP]));
    refer(&mut obj, section, &[(4, TLS_PAGE, "local")]);
    let Err(e) = link_for(&Machine { thunks: true }, &[obj]) else {
        panic!("the link should have failed");
    };
    let text = e.to_string();
    for part in ["an unknown sequence of instructions", "it stands alone"] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}
