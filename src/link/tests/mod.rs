//! The core on objects made by hand: each rule in the smallest link that shows it.

mod arm64;
mod build;
mod far;
mod other_machine;
mod stacks;
mod waits;

use self::build::{LANE_SIZE, Obj, linked, problems};
use super::relr;
use ::object::elf::{
    R_X86_64_32, R_X86_64_64, R_X86_64_DTPOFF32, R_X86_64_GOTPCREL, R_X86_64_GOTPCRELX,
    R_X86_64_GOTTPOFF, R_X86_64_PC32, R_X86_64_PLT32, R_X86_64_REX_GOTPCRELX, R_X86_64_TPOFF32,
};

const CALL: [u8; 5] = [0xe8, 0, 0, 0, 0];

/// The root: `root` calls each of `names`, in order.
fn root(names: &[&str]) -> Obj {
    let mut obj = Obj::new("root.o");
    let code = obj.code("root", &CALL.repeat(names.len().max(1)));
    for (i, name) in names.iter().enumerate() {
        obj.reloc(code, 5 * i as u64 + 1, R_X86_64_PLT32, name, -4);
    }
    obj
}

fn function(member: &str, name: &str, byte: u8) -> Obj {
    let mut obj = Obj::new(member);
    obj.code(name, &[byte; 16]);
    obj
}

#[test]
fn a_strong_definition_beats_a_weak_one_wherever_it_stands() {
    for strong_first in [true, false] {
        let mut weak = Obj::new("weak.o");
        weak.code("f", &[0x11; 16]);
        weak.weaken("f");
        let strong = function("strong.o", "f", 0x22);
        let objects = if strong_first {
            [strong, weak]
        } else {
            [weak, strong]
        };
        let image = linked(&[root(&["f"]), objects[0].clone(), objects[1].clone()]);
        assert_eq!(image.bytes_at_call("root", 1), [0x22; 16]);
    }
}

#[test]
fn two_strong_definitions_are_an_error_that_names_both() {
    let text = problems(&[
        root(&["f"]),
        function("one.o", "f", 1),
        function("two.o", "f", 2),
    ]);
    assert!(
        text.contains("f is defined twice") && text.contains("one.o") && text.contains("two.o"),
        "{text}"
    );
}

#[test]
fn archive_members_are_pulled_in_only_when_needed() {
    let mut needed = function("needed.o", "f", 0x33);
    needed.lazy = true;
    // It would clash with the root, so it must not be loaded.
    let mut other = function("other.o", "root", 0x44);
    other.lazy = true;
    let image = linked(&[root(&["f"]), needed, other]);
    assert_eq!(image.bytes_at_call("root", 1), [0x33; 16]);
}

#[test]
fn of_two_groups_with_one_signature_the_first_is_kept_and_both_objects_use_it() {
    let member = |name: &str, caller: &str, byte: u8| {
        let mut obj = Obj::new(name);
        let code = obj.code(caller, &CALL);
        obj.reloc(code, 1, R_X86_64_PLT32, "shared", -4);
        let section = obj.code("shared", &[byte; 16]);
        obj.weaken("shared");
        obj.group("shared", &[section]);
        obj
    };
    let image = linked(&[
        root(&["a", "b"]),
        member("a.o", "a", 0x55),
        member("b.o", "b", 0x66),
    ]);
    assert_eq!(image.bytes_at_call("a", 1), [0x55; 16]);
    assert_eq!(image.bytes_at_call("b", 1), [0x55; 16]);
    assert!(
        !image.contains(&[0x66; 16]),
        "the second copy is not shipped"
    );
}

#[test]
fn what_nothing_reaches_is_not_shipped() {
    let image = linked(&[
        root(&["f"]),
        function("f.o", "f", 0x77),
        function("g.o", "g", 0x88),
    ]);
    assert!(image.contains(&[0x77; 16]) && !image.contains(&[0x88; 16]));
}

#[test]
fn common_symbols_are_joined_at_their_largest() {
    let mut small = Obj::new("small.o");
    let code = small.code("root", &[0x48, 0x8d, 0x05, 0, 0, 0, 0]);
    small.reloc(code, 3, R_X86_64_PC32, "buffer", -4);
    small.common("buffer", 8, 8);
    let mut large = Obj::new("large.o");
    large.common("buffer", 4000, 32);
    let image = linked(&[small, large]);
    let at = image.target("root", 3);
    assert!(at.is_multiple_of(32) && at >= image.layout.zeros_at);
    assert!(at + 4000 <= image.layout.params.image_size);
}

#[test]
fn pointers_hold_offsets_and_are_listed_for_fixing() {
    let mut obj = root(&["f"]);
    let code = obj.code("f", &[0x48, 0x8d, 0x05, 0, 0, 0, 0]);
    obj.reloc(code, 3, R_X86_64_PC32, "table", -4);
    let table = obj.data(".data.rel.ro.table", "table", &[0; 24]);
    obj.reloc(table, 8, R_X86_64_64, "root", 3);
    let image = linked(&[obj]);
    let place = image.target("f", 3) + 8;
    assert!(
        place >= image.layout.params.rw_offset,
        "what is fixed up is writable"
    );
    assert_eq!(image.word(place), image.symbol("root") + 3);
    assert_eq!(relr::decode(&image.layout.relr), [place]);
}

#[test]
fn a_pointer_that_is_not_aligned_is_listed_apart() {
    let mut obj = root(&["f"]);
    let code = obj.code("f", &[0x48, 0x8d, 0x05, 0, 0, 0, 0]);
    obj.reloc(code, 3, R_X86_64_PC32, "table", -4);
    let table = obj.data(".data.table", "table", &[0; 24]);
    obj.reloc(table, 3, R_X86_64_64, "root", 0);
    let image = linked(&[obj]);
    assert_eq!(image.layout.unaligned, [(image.target("f", 3) + 3) as u32]);
    assert!(image.layout.relr.is_empty());
}

#[test]
fn loads_from_cells_are_folded_where_the_instruction_allows_it() {
    let mut obj = root(&["f"]);
    // mov rax, [rip+cell] ; cmp rax, [rip+cell] ; call [rip+cell] ; push [rip+cell]
    let code = obj.code(
        "f",
        &[
            0x48, 0x8b, 0x05, 0, 0, 0, 0, 0x48, 0x3b, 0x05, 0, 0, 0, 0, 0xff, 0x15, 0, 0, 0, 0,
            0xff, 0x35, 0, 0, 0, 0,
        ],
    );
    obj.reloc(code, 3, R_X86_64_REX_GOTPCRELX, "root", -4);
    obj.reloc(code, 10, R_X86_64_REX_GOTPCRELX, "root", -4);
    obj.reloc(code, 16, R_X86_64_GOTPCREL, "root", -4);
    obj.reloc(code, 22, R_X86_64_GOTPCREL, "root", -4);
    let image = linked(&[obj]);
    let f = image.symbol("f") as usize;
    assert_eq!(image.image[f + 1], 0x8d, "mov became lea");
    assert_eq!(image.target("f", 3), image.symbol("root"));
    assert_eq!(
        image.image[f + 14..f + 16],
        [0x67, 0xe8],
        "an indirect call became a direct one"
    );
    assert_eq!(image.target("f", 16), image.symbol("root"));
    let cell = image.target("f", 10);
    assert_eq!(cell, image.target("f", 22), "one cell serves both");
    assert_eq!(image.word(cell), image.symbol("root"));
    assert!(relr::decode(&image.layout.relr).contains(&cell));
}

#[test]
fn a_weak_reference_that_nobody_defines_is_null() {
    let mut obj = root(&["f"]);
    let code = obj.code("f", &[0xff, 0x15, 0, 0, 0, 0]);
    obj.reloc(code, 2, R_X86_64_GOTPCRELX, "maybe", -4);
    obj.weak_undefined("maybe");
    let image = linked(&[obj]);
    let cell = image.target("f", 2);
    assert_eq!(image.word(cell), 0);
    assert!(
        relr::decode(&image.layout.relr).is_empty(),
        "null stays null"
    );
}

#[test]
fn equal_strings_are_shipped_once() {
    let member = |name: &str, function: &str, text: &[u8]| {
        let mut obj = Obj::new(name);
        let code = obj.code(function, &[0x48, 0x8d, 0x05, 0, 0, 0, 0]);
        let label = format!("{function}_text");
        obj.strings(&label, text, 2);
        obj.reloc(code, 3, R_X86_64_PC32, &label, -4);
        obj
    };
    let image = linked(&[
        root(&["a", "b"]),
        member("a.o", "a", b"x\0shared\0"),
        member("b.o", "b", b"y\0shared\0"),
    ]);
    assert_eq!(image.target("a", 3), image.target("b", 3));
    assert_eq!(image.count(b"shared\0"), 1);
}

#[test]
fn thread_locals_lie_in_the_lane() {
    let mut obj = root(&["f"]);
    let code = obj.code("f", &[0; 16]);
    obj.thread_local("counter", &[1, 2, 3, 4, 5, 6, 7, 8]);
    obj.reloc(code, 4, R_X86_64_DTPOFF32, "counter", 2);
    let image = linked(&[obj]);
    let p = image.layout.params;
    assert_eq!(u64::from(image.half(image.symbol("f") + 4)), p.lane_tls + 2);
    assert_eq!(p.tls_mem_size, 8);
    assert_eq!(image.word(p.tls_offset), 0x0807_0605_0403_0201);
    assert!(
        p.lane_tls + 8 <= p.lane_size
            && p.lane_control + crate::contract::CONTROL_SIZE <= p.lane_tls
    );
}

#[test]
fn offsets_from_the_thread_pointer_become_offsets_in_the_lane() {
    let mut obj = root(&["f", "g"]);
    // mov counter@gottpoff(%rip), %rax; mov %fs:2(%rax), %rax; ret
    let f = [
        &[0x48, 0x8b, 0x05, 0, 0, 0, 0][..],
        &[0x64, 0x48, 0x8b, 0x40, 2],
        &[0xc3],
    ]
    .concat();
    let f = obj.code("f", &f);
    obj.reloc(f, 3, R_X86_64_GOTTPOFF, "counter", -4);
    // add counter@gottpoff(%rip), %r12; mov %fs:counter+2, %edx; ret
    let g = [
        &[0x4c, 0x03, 0x25, 0, 0, 0, 0][..],
        &[0x64, 0x8b, 0x14, 0x25, 0, 0, 0, 0],
        &[0xc3],
    ]
    .concat();
    let g = obj.code("g", &g);
    obj.reloc(g, 3, R_X86_64_GOTTPOFF, "counter", -4);
    obj.reloc(g, 11, R_X86_64_TPOFF32, "counter", 2);
    obj.thread_local("counter", &[1, 2, 3, 4, 5, 6, 7, 8]);
    let image = linked(&[obj]);
    let local = image.layout.params.lane_tls as u32;
    // jmp to mov %rsp, %rax; and $-size, %rax; mov counter+2(%rax), %rax; jmp back
    let at = image.target("f", 1);
    let mask = (LANE_SIZE as u32).wrapping_neg().to_le_bytes();
    assert_eq!(
        image.bytes_at_call("f", 1)[..9],
        [&[0x48, 0x8b, 0xc4, 0x48, 0x25][..], &mask].concat()
    );
    assert_eq!(
        (image.half(at + 9) & 0xff_ffff, image.half(at + 12)),
        (0x80_8b48, local + 2)
    );
    assert_eq!(
        at + 21 + u64::from(image.half(at + 17)) - (1 << 32),
        image.symbol("f") + 12
    );
    // add $counter, %r12
    let g = image.symbol("g");
    assert_eq!(
        (image.half(g) & 0xff_ffff, image.half(g + 3)),
        (0xc4_8149, local)
    );
    let at = image.target("g", 8);
    // mov %rsp, %rdx; and $-size, %rdx; mov counter+2(%rdx), %edx
    assert_eq!(image.half(at + 3) & 0xff_ffff, 0xe2_8148);
    assert_eq!(
        (image.half(at + 10) & 0xffff, image.half(at + 12)),
        (0x928b, local + 2)
    );
    assert!(!image.contains(&[0x64, 0x48, 0x8b]) && !image.contains(&[0x64, 0x8b]));
}

/// Code may arrive between two instructions of which the first is too short for a jump: by a table of distances from its start.
#[test]
fn what_tables_of_jumps_lead_to_is_not_moved() {
    let with = |entry: Option<i64>| {
        let mut obj = root(&["f", "g"]);
        // mov %fs:(%rax), %eax; mov %eax, %ecx; mov %eax, %edx
        obj.code("f", &[0x64, 0x8b, 0, 0x89, 0xc1, 0x89, 0xc2]);
        // mov $counter, %rax; lea table(%rip), %rcx
        let g = [0x48, 0xc7, 0xc0, 0, 0, 0, 0, 0x48, 0x8d, 0x0d, 0, 0, 0, 0];
        let g = obj.code("g", &g);
        obj.reloc(g, 3, R_X86_64_TPOFF32, "counter", 0);
        obj.reloc(g, 10, R_X86_64_PC32, "table", -4);
        obj.thread_local("counter", &[1; 8]);
        let table = obj.data(".rodata.table", "table", &[0; 8]);
        if let Some(entry) = entry {
            obj.reloc(table, 4, R_X86_64_PC32, "f", entry + 4);
        }
        obj
    };
    linked(&[with(None)]);
    linked(&[with(Some(0))]);
    linked(&[with(Some(5))]);
    let text = problems(&[with(Some(3))]);
    assert!(
        text.contains("no room for a jump") && text.contains("root.o:(.text.f+0x0)"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_resolved_is_refused_with_its_place() {
    for (r_type, what) in [
        (R_X86_64_32, "not position-independent"),
        (R_X86_64_TPOFF32, "used as a thread-local, but is none"),
        (R_X86_64_GOTTPOFF, "an unknown sequence of instructions"),
        (
            ::object::elf::RelocationType(77),
            "unknown relocation type 77",
        ),
    ] {
        let mut obj = root(&["f"]);
        let code = obj.code("f", &[0; 16]);
        obj.reloc(code, 4, r_type, "root", 0);
        let text = problems(&[obj]);
        assert!(
            text.contains(what) && text.contains("root.o:(.text.f+0x4)"),
            "{text}"
        );
    }
}

#[test]
fn a_name_that_nobody_provides_is_an_error_with_the_chain_that_needs_it() {
    let mut f = Obj::new("f.o");
    let code = f.code("f", &CALL);
    f.reloc(code, 1, R_X86_64_PLT32, "nobody_has_this", -4);
    let text = problems(&[root(&["f"]), f]);
    assert!(text.contains("undefined symbol: nobody_has_this"), "{text}");
    assert!(text.contains("root -> f -> nobody_has_this"), "{text}");
    assert!(text.contains("f.o:(.text.f+0x1)"), "{text}");
}

#[test]
fn of_several_chains_the_shortest_is_told() {
    let calls = |member: &str, name: &str, whom: &str| {
        let mut obj = Obj::new(member);
        let code = obj.code(name, &CALL);
        obj.reloc(code, 1, R_X86_64_PLT32, whom, -4);
        obj
    };
    let text = problems(&[
        root(&["f", "g"]),
        calls("f.o", "f", "h"),
        calls("g.o", "g", "a"),
        calls("a.o", "a", "h"),
        calls("h.o", "h", "nobody_has_this"),
    ]);
    assert!(text.contains("root -> f -> h -> nobody_has_this"), "{text}");
}

#[test]
fn absolute_addresses_in_code_are_refused() {
    let mut obj = root(&["f"]);
    let code = obj.code("f", &[0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0]); // movabs rax, imm64
    obj.reloc(code, 2, R_X86_64_64, "root", 0);
    let text = problems(&[obj]);
    assert!(
        text.contains("code holds the absolute address of root"),
        "{text}"
    );
}

/// A library without panics has an object of std that the runtime would use, but nothing loads it.
#[test]
fn what_the_runtime_asks_of_a_std_that_takes_no_part_is_null() {
    let resume = "_ZN3std9panicking13resume_unwind17h0123456789abcdefE";
    let mut std = Obj::new("std.0.o");
    let code = std.code(resume, &CALL);
    std.reloc(code, 1, R_X86_64_PLT32, "another", -4);
    std.lazy = true;
    let mut runtime = Obj::new("rsyso_rt.0.o");
    let code = runtime.code("serve", &[0x48, 0x8b, 0x0d, 0, 0, 0, 0]);
    runtime.weak_undefined("rsyso_std_resume_unwind");
    runtime.reloc(code, 3, R_X86_64_GOTPCREL, "rsyso_std_resume_unwind", -4);
    for loaded in [false, true] {
        let mut std = std.clone();
        std.lazy = !loaded;
        let objects = [root(&["serve"]), std];
        let seen = build::graph(&objects, &[runtime.clone()], |graph| {
            assert_eq!(graph.symbols.loads(1), loaded);
            let object = graph.inputs.object(2);
            let sym = object
                .symbols
                .iter()
                .position(|s| s.name == "rsyso_std_resume_unwind");
            Ok(graph.symbols.target(2, sym.expect("the symbol") as u32))
        });
        let is_null = seen.expect("a graph") == super::Target::Null;
        assert_eq!(is_null, !loaded);
    }
}

#[test]
fn what_the_runtime_has_to_spare_counts_last() {
    let mut spare = function("rsyso_rt.0.o", "f", 0x33);
    spare.weaken("f");
    spare.lazy = true;
    let mut weak = function("weak.o", "f", 0x11);
    weak.weaken("f");
    let mut lazy = weak.clone();
    lazy.lazy = true;
    for own in [None, Some(weak), Some(lazy)] {
        let alone = own.is_none();
        let objects: Vec<Obj> = [root(&["f"])].into_iter().chain(own).collect();
        let loads = build::graph(&objects, std::slice::from_ref(&spare), |graph| {
            let own = alone || graph.symbols.loads(1);
            Ok((own, graph.symbols.loads(objects.len() as u32)))
        });
        assert_eq!(loads.expect("a graph"), (true, alone));
    }
}

#[test]
fn a_version_of_a_name_is_found_by_the_rules_of_linkers() {
    let both = || {
        [
            function("old.o", "f@V1", 0x11),
            function("new.o", "f@@V2", 0x22),
        ]
    };
    let plain = || {
        [
            function("plain.o", "f", 0x33),
            function("other.o", "g", 0x44),
        ]
    };
    for (name, objects, byte) in [
        ("f", both(), 0x22),
        ("f@V1", both(), 0x11),
        ("f@V2", both(), 0x22),
        ("f@V1", plain(), 0x33),
    ] {
        for lazy in [false, true] {
            let [mut first, mut second] = objects.clone();
            (first.lazy, second.lazy) = (lazy, lazy);
            let image = linked(&[root(&[name]), first, second]);
            assert_eq!(image.bytes_at_call("root", 1), [byte; 16], "{name}");
        }
    }
    let [old, new] = both();
    let text = problems(&[root(&["f@V3"]), old.clone(), new]);
    assert!(
        text.contains("undefined symbol") && text.contains("f@V3"),
        "{text}"
    );
    let text = problems(&[root(&["f"]), old]);
    assert!(text.contains("undefined symbol"), "{text}");
}

/// A member that was loaded for a function which is not kept does not count, in C and C++.
#[test]
fn initialisers_of_members_run_if_something_of_the_member_is_kept() {
    let mut member = function("member.o", "f", 0x11);
    member.lazy = true;
    let table = member.data(".init_array", "table", &[0; 8]);
    member.reloc(table, 0, R_X86_64_64, "nobody_has_this", 0);
    let mut root = root(&["g"]);
    let dead = root.code("dead", &CALL);
    root.reloc(dead, 1, R_X86_64_PLT32, "f", -4);
    let image = linked(&[root.clone(), function("g.o", "g", 0x22), member.clone()]);
    assert_eq!(image.layout.params.init_count, 0);
    let mut g = Obj::new("g.o");
    let code = g.code("g", &CALL);
    g.reloc(code, 1, R_X86_64_PLT32, "f", -4);
    let text = problems(&[root, g, member]);
    assert!(text.contains("nobody_has_this"), "{text}");
}
