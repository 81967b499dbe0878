//! Every rule has a test that breaks it, and it alone.

mod elf;

use super::{is_object, program, syso};
use crate::base::diag::{Error, Kind};
use elf::{Object, PAGE, Program, Section, Symbol, global, good, good_program, image, local, seal};

const NAME: &str = "out/foo_linux_amd64.syso";

fn messages(e: &Error) -> Vec<String> {
    e.problems.iter().map(|p| p.message.clone()).collect()
}

/// A rule's sentence, or its beginning, and what breaks it.
type Break = (&'static str, fn(&mut Object));

/// Breaks a rule and expects just that problem.
fn breaks(rules: &[Break]) {
    for (message, change) in rules {
        let mut object = good();
        change(&mut object);
        let error = syso(NAME, &object.bytes()).expect_err(message);
        let got = messages(&error);
        assert!(
            got.len() == 1 && got[0].contains(message),
            "expected `{message}`, got {got:#?}"
        );
        assert_eq!(error.kind, Kind::Fault);
        assert_eq!(error.problems[0].place.as_deref(), Some(NAME));
    }
}

#[test]
fn a_good_object_passes() {
    let bytes = good().bytes();
    assert!(is_object(&bytes));
    let report = syso(NAME, &bytes).expect("a good object");
    assert_eq!(report.goarch, "amd64");
    assert_eq!(report.package, "example.com/foo");
    assert_eq!(report.image_size, 3 * PAGE);
    assert_eq!(report.fixed_size, 2 * PAGE);
    assert_eq!(report.symbols, 4);
    assert_eq!(report.wrappers, ["rsyso_0123456789abcdef_add"]);
    assert_eq!(report.inputs_sha256, "01".repeat(32));
}

#[test]
fn rules_of_the_file() {
    breaks(&[
        ("not a relocatable object", |o| o.kind = 2),
        ("not a 64-bit little-endian ELF file", |o| o.class = 1),
        ("no symbol table", |o| o.symtab = ".symbols"),
        ("local symbols do not come first", |o| {
            o.symbols.rotate_right(1)
        }),
        ("local symbols do not come first", |o| o.sh_info = Some(2)),
    ]);
    let bytes = good().bytes();
    for name in ["foo.syso", "foo_linux_arm64.syso", "foo_darwin_amd64.syso"] {
        let got = messages(&syso(name, &bytes).unwrap_err());
        assert!(got.len() == 1 && got[0].contains("file's name"), "{got:?}");
    }
    let mut other = good();
    other.machine = 8;
    let error = syso(NAME, &other.bytes()).unwrap_err();
    assert_eq!(error.kind, Kind::Unsupported);
}

fn extra(name: &'static str, kind: u32, flags: u64) -> Section {
    Section {
        name,
        kind,
        flags,
        align: 8,
        data: vec![0; 24],
    }
}

#[test]
fn rules_of_sections() {
    breaks(&[
        ("relocations", |o| {
            o.sections.push(extra(".rela.text", 4, 0))
        }),
        ("relocations", |o| o.sections.push(extra(".rel.text", 9, 0))),
        ("relocations", |o| {
            o.sections.push(extra(".relr.dyn", 19, 0))
        }),
        ("relocations", |o| {
            o.sections.push(extra(".crel.text", 0x4000_0014, 0))
        }),
        ("no `.note.GNU-stack`", |o| {
            o.sections.pop();
        }),
        ("executable stack", |o| o.sections[1].flags = 4),
        ("more than one loaded", |o| {
            o.sections.push(extra(".data", 1, 3))
        }),
        ("more than one loaded", |o| {
            o.sections.push(extra(".note.gnu.property", 7, 2))
        }),
        ("no loaded section", |o| o.sections[0].flags = 4),
        ("not PROGBITS", |o| o.sections[0].kind = 7),
        ("flags 0x7", |o| o.sections[0].flags = 7),
        ("flags 0x2", |o| o.sections[0].flags = 2),
        ("an offset table", |o| o.sections[0].name = ".got"),
        ("aligned to 16 bytes", |o| o.sections[0].align = 16),
        ("not whole pages", |o| {
            o.sections[0].data.truncate(2 * PAGE as usize + 100);
            seal(&mut o.sections[0].data, 2 * PAGE, "p");
            o.symbols[3].size = 100;
        }),
    ]);
}

/// Adds a symbol before the globals.
fn add(o: &mut Object, s: Symbol) {
    let at = if s.info >> 4 == 0 { 0 } else { o.symbols.len() };
    o.symbols.insert(at, s);
}

#[test]
fn rules_of_symbols() {
    breaks(&[
        ("undefined symbols", |o| {
            add(
                o,
                Symbol {
                    section: 0,
                    ..global("malloc", 0, 0)
                },
            )
        }),
        ("common symbols", |o| {
            add(
                o,
                Symbol {
                    section: 0xfff2,
                    info: 0x11,
                    ..global("buffer", 8, 64)
                },
            )
        }),
        ("thread-local symbols", |o| {
            add(
                o,
                Symbol {
                    info: 6,
                    ..local("foo::TLS", 0, 8)
                },
            )
        }),
        ("outside the image's section", |o| {
            add(
                o,
                Symbol {
                    section: 2,
                    ..local("foo::note", 0, 8)
                },
            )
        }),
        ("outside the image's section", |o| {
            add(
                o,
                Symbol {
                    section: 0xfff1,
                    ..local("foo::ABSOLUTE", 0, 8)
                },
            )
        }),
        ("not functions", |o| o.symbols[2].info = 1),
        ("not functions", |o| o.symbols[2].info = 0),
        ("without a size", |o| add(o, local("foo::empty", 512, 0))),
        ("past the end", |o| o.symbols[3].size += 1),
        ("past the end", |o| o.symbols[3].size = u64::MAX),
        ("passes over", |o| o.symbols[2].name = "$d.17".into()),
        ("passes over", |o| o.symbols[2].name = String::new()),
        ("belong to no symbol", |o| o.symbols[0].size -= 1),
        ("belong to no symbol", |o| o.symbols[3].size -= 1),
        ("belong to no symbol", |o| {
            o.symbols[0].value = 1;
            o.symbols[0].size -= 1;
        }),
        ("overlap", |o| o.symbols[0].size += 1),
        ("overlap", |o| add(o, local("foo::alias", 0, 512))),
    ]);
    // Markers are let through.
    let mut o = good();
    for info in [3, 4] {
        add(
            &mut o,
            Symbol {
                info,
                section: if info == 3 { 1 } else { 0xfff1 },
                ..local("foo.rs", 0, 0)
            },
        );
    }
    syso(NAME, &o.bytes()).expect("file and section symbols are no harm");
}

#[test]
fn rules_of_globals() {
    breaks(&[
        ("neither local nor weak", |o| o.symbols[4].info = 0x12),
        ("neither local nor weak", |o| o.symbols[4].info = 0xa2),
        ("not hidden", |o| o.symbols[4].other = 0),
        ("not named as wrappers", |o| {
            o.symbols[4].name = "add".into()
        }),
        ("not named as wrappers", |o| {
            o.symbols[4].name = "rsyso_lane_table".into()
        }),
        ("not named as wrappers", |o| {
            o.symbols[4].name = "rsyso_01234567_".into()
        }),
        ("in the writable part", |o| {
            o.symbols[3].size -= 64;
            add(o, global("rsyso_01234567_late", 3 * PAGE - 64, 64));
        }),
        ("of one name", |o| {
            o.symbols[2].value += 64;
            o.symbols[2].size -= 64;
            add(o, global("rsyso_0123456789abcdef_add", PAGE + 64, 64));
        }),
        ("no wrappers", |o| o.symbols[4].info = 2),
    ]);
}

/// Replaces the table's symbol by many of `step` bytes.
fn crowd(count: u64, step: u64) -> Object {
    let mut o = good();
    let table = o.symbols.remove(2);
    let mut at = table.value;
    for i in 0..count {
        let size = if i == count - 1 {
            table.value + table.size - at
        } else {
            step
        };
        add(&mut o, local(&format!("foo::tiny{i}"), at, size));
        at += step;
    }
    o
}

#[test]
fn rule_of_density() {
    // The wrapper is one of the 255 that may begin within 3840 bytes.
    syso(NAME, &crowd(254, 15).bytes()).expect("just not too many");
    let got = messages(&syso(NAME, &crowd(255, 14).bytes()).unwrap_err());
    assert!(
        got.len() == 1 && got[0].contains("begin within 3840 bytes"),
        "{got:?}"
    );
    // Functions aligned to 16 bytes can never be too many.
    let mut o = good();
    o.sections[0].data = vec![0; 64 * PAGE as usize];
    seal(&mut o.sections[0].data, 63 * PAGE, "p");
    o.symbols = (0..64 * PAGE / 16)
        .map(|i| local("f", i * 16, 16))
        .collect();
    let last = o.symbols.pop().expect("one of many");
    o.symbols[0] = global("rsyso_01234567_f", 0, 16);
    o.symbols.rotate_left(1);
    o.symbols.insert(0, last);
    syso(NAME, &o.bytes()).expect("16-byte functions");
}

#[test]
fn rules_of_the_header() {
    breaks(&[
        ("begin with a good header: no image header", |o| {
            o.sections[0].data[0] ^= 1
        }),
        ("format 9", |o| o.sections[0].data[16] = 9),
        ("the writable part of the image is not what its", |o| {
            o.sections[0].data[2 * PAGE as usize] ^= 1;
        }),
        ("the fixed part of the image is not what its", |o| {
            o.sections[0].data[5000] ^= 1
        }),
        ("the header tells of 0x3000 bytes", |o| {
            o.sections[0].data.extend([0; PAGE as usize]);
            o.symbols[3].size += PAGE;
        }),
        ("not on a page", |o| {
            seal(&mut o.sections[0].data, 2 * PAGE + 8, "p")
        }),
    ]);
}

#[test]
fn broken_rules_are_listed_together_and_briefly() {
    let mut o = good();
    o.sections[0].align = 1;
    o.sections.pop();
    for i in 0..9 {
        add(&mut o, local(&format!("foo::empty{i}"), 0, 0));
    }
    let error = syso(NAME, &o.bytes()).unwrap_err();
    assert_eq!(error.problems.len(), 3, "{error}");
    assert_eq!(error.problems[2].notes.len(), 4);
    assert_eq!(error.problems[2].notes[3], "and 6 more");
}

#[test]
fn a_good_program_passes() {
    for kind in [2, 3] {
        let bytes = Program {
            kind,
            ..good_program()
        }
        .bytes();
        assert!(!is_object(&bytes));
        let report = program("prog", &bytes).expect("a good program");
        assert_eq!(report.images.len(), 2);
        let foo = &report.images[0];
        assert_eq!(foo.package, "example.com/foo");
        assert_eq!((foo.offset, foo.address), (2 * PAGE, 0x40_2000));
        assert_eq!(report.images[1].package, "example.com/bar");
    }
}

#[test]
fn a_program_holds_the_image_of_its_syso() {
    let report = program("prog", &good_program().bytes()).unwrap();
    let mut object = good();
    let syso_of = |o: &Object| syso(NAME, &o.bytes()).unwrap();
    assert_eq!(report.image_of(&syso_of(&object)), Some(&report.images[0]));
    object.sections[0].data = image("example.com/other");
    assert_eq!(report.image_of(&syso_of(&object)), None);
}

#[test]
fn rules_of_programs() {
    type Break = (&'static str, fn(&mut Program));
    let cases: &[Break] = &[
        ("neither an executable nor a shared object", |p| p.kind = 4),
        ("no image made by rsyso", |p| p.text.truncate(4000)),
        ("code or read-only data was changed", |p| p.text[5000] ^= 1),
        ("its writable data was changed", |p| {
            p.text[3 * PAGE as usize] ^= 1
        }),
        ("malformed image header", |p| p.text[4096 + 20] ^= 1),
        ("the file ends inside it", |p| {
            p.size = Some(p.text.len() as u64);
            p.text.truncate(5 * PAGE as usize);
        }),
        ("not in an executable segment", |p| p.flags = 6),
        ("its segment ends after", |p| p.size = Some(6 * PAGE)),
        ("is not on a page", |p| {
            p.offset += 8;
            p.address += 8;
        }),
        ("not congruent", |p| p.offset += 8),
    ];
    for (message, change) in cases {
        let mut p = good_program();
        change(&mut p);
        let error = program("prog", &p.bytes()).expect_err(message);
        let got = messages(&error);
        // Both images may be hit by one fault of the segment.
        assert!(
            !got.is_empty() && got.iter().all(|m| m.contains(message)),
            "expected `{message}`, got {got:#?}"
        );
    }
}

#[test]
fn garbage_is_a_clean_error() {
    for data in [&b""[..], b"\x7fELF", b"#!/bin/sh\n", &[0xff; 5000]] {
        assert!(syso(NAME, data).is_err());
        assert!(program("prog", data).is_err());
    }
    // Cut anywhere, and with any byte of the headers and tables flipped: an error or a pass, never a panic.
    for good in [good().bytes(), good_program().bytes()] {
        for len in (0..good.len()).step_by(61) {
            assert!(syso(NAME, &good[..len]).is_err());
            let _ = program("prog", &good[..len]);
        }
        let tables = 64 + 3 * PAGE as usize..good.len();
        for at in (0..200).chain(tables.step_by(5)) {
            let mut bad = good.clone();
            bad[at] ^= [1, 0x80, 0xff][at % 3];
            let _ = syso(NAME, &bad);
            let _ = program("prog", &bad);
        }
    }
}
