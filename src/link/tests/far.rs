//! Statics outside the image, and thread-locals that are too much for a lane.

use super::build::{Obj, linked, problems};
use ::object::elf::{
    R_X86_64_64, R_X86_64_DTPOFF32, R_X86_64_GOTPCREL, R_X86_64_PC32, RelocationType,
};

/// lea rax, [rip + ...]
const LEA: [u8; 7] = [0x48, 0x8d, 0x05, 0, 0, 0, 0];
/// mov eax, [rip + ...]
const MOV: [u8; 6] = [0x8b, 0x05, 0, 0, 0, 0];
const MIB: u64 = 1 << 20;

/// A root that reaches `big` by `code`, whose field is its end.
fn root(code: &[u8], r_type: RelocationType, addend: i64) -> Obj {
    let mut obj = Obj::new("root.o");
    let section = obj.code("root", code);
    obj.reloc(section, code.len() as u64 - 4, r_type, "big", addend - 4);
    obj
}

#[test]
fn large_zeros_take_no_bytes() {
    let mut obj = root(&LEA, R_X86_64_PC32, 24);
    obj.common("big", 64 * MIB, 32);
    let image = linked(&[obj]);
    assert!(image.layout.params.image_size < MIB);
    assert_eq!(image.layout.params.far_size, 64 * MIB);
    // The address is loaded now, from a word that a fix-up will add to.
    let root = image.symbol("root");
    assert_eq!(image.bytes(root, 3), [0x48, 0x8b, 0x05]);
    let cell = image.target("root", 3);
    assert_eq!(image.word(cell), 24);
    assert_eq!(image.layout.far_fixups, [cell as u32]);
    assert!(image.layout.relr.is_empty());
}

#[test]
fn addresses_in_cells_and_in_data_lead_outside_too() {
    let mut obj = Obj::new("obj.o");
    let code = obj.code("gets", &[0x48, 0x8b, 0x05, 0, 0, 0, 0]);
    obj.reloc(code, 3, R_X86_64_GOTPCREL, "big", -4);
    let data = obj.data(".data.pointer", "pointer", &[0; 16]);
    obj.reloc(data, 8, R_X86_64_64, "big", 5);
    let code = obj.code("other", &LEA);
    obj.reloc(code, 3, R_X86_64_PC32, "pointer", -4);
    let mut start = super::root(&["gets", "other"]);
    start.common("big", MIB, 8192);
    let image = linked(&[start, obj]);
    assert_eq!(image.layout.params.far_align, 8192);
    let pointer = image.symbol("pointer");
    assert_eq!(image.word(pointer + 8), 5);
    assert_eq!(image.layout.far_fixups.len(), 2);
    assert!(image.layout.far_fixups.contains(&(pointer as u32 + 8)));
    assert_eq!(image.bytes(image.symbol("gets"), 2), [0x48, 0x8b]);
}

#[test]
fn what_is_reached_by_a_distance_stays_or_is_refused() {
    let mut large = root(&MOV, R_X86_64_PC32, 0);
    large.common("big", MIB, 32);
    let image = linked(&[large]);
    assert_eq!(image.layout.params.far_size, 0);
    assert!(image.layout.params.image_size > MIB);

    let mut aligned = root(&MOV, R_X86_64_PC32, 0);
    aligned.common("big", 8, 8192);
    let text = problems(&[aligned]);
    for part in [
        "big is aligned to 8192 bytes",
        "root.o:(.text.root+0x2)",
        "root reaches it",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}

#[test]
fn what_does_not_begin_as_zeros_is_copied_with_its_addresses() {
    let mut bytes = vec![7; 8192];
    bytes[..8].fill(0);
    let mut obj = root(&LEA, R_X86_64_PC32, 0);
    let data = obj.aligned(".data.big", "big", &bytes, 8192);
    obj.reloc(data, 0, R_X86_64_64, "big", 16);
    let image = linked(&[obj.clone()]);
    let [[from, to, size]] = image.layout.far_copies[..] else {
        panic!("{:?}", image.layout.far_copies);
    };
    assert_eq!((to, size), (0, 8192));
    assert_eq!(image.bytes(from, 9), [16, 0, 0, 0, 0, 0, 0, 0, 7]);
    // The word in it, and the cell that code loads from.
    assert_eq!(image.layout.far_fixups.len(), 2);
    // Variables, which a copy of the image needs as they were, come later.
    assert!(from + size <= image.layout.params.vars_offset);

    // A distance in it, to something that stays where it is.
    obj.reloc(data, 8, R_X86_64_PC32, "root", 0);
    let text = problems(&[obj]);
    for part in ["big is aligned to 8192 bytes", "root.o:(.data.big+0x8)"] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}

#[test]
fn a_member_that_nothing_refers_to_may_be_aligned_to_anything() {
    let mut other = Obj::new("other.o");
    other.lazy = true;
    other.aligned(".data.unused", "unused", &[1; 65536], 65536);
    let image = linked(&[super::root(&[]), other]);
    assert!(!image.contains(&[1; 64]));
}

#[test]
fn what_nothing_reaches_may_have_any_size_and_alignment() {
    let mut obj = super::root(&[]);
    obj.common("big", 1 << 39, 1 << 30);
    assert_eq!(linked(&[obj]).layout.params.far_size, 0);
}

#[test]
fn thread_locals_leave_room_for_a_stack() {
    let mut locals = Obj::new("locals.o");
    locals.thread_local("hoard", &vec![1; 7 << 20]);
    let section = locals.code("reads", &[0x48, 0x8d, 0x80, 0, 0, 0, 0]);
    locals.reloc(section, 3, R_X86_64_DTPOFF32, "hoard", 0);
    let text = problems(&[super::root(&["reads"]), locals]);
    for part in ["take 7 MiB", "hoard has 7 MiB", "--stack-size 16MiB"] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}
