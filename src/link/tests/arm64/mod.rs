//! Links for arm64. Most objects are made by GNU `as`, so these tests are among those of `make arm64`.

mod runs;

use super::build::{Image, LANE_SIZE, Obj, link_for};
use crate::arch::Linking;
use crate::arch::arm64::Arm64;
use crate::arch::groups::{Reach, Relocated, Site};
use crate::arch::reloc::{Formula, Pages};
use crate::arch::thread_pointer::Code;
use ::object::{Object as _, ObjectSection as _, ObjectSymbol as _, RelocationTarget};
use std::collections::HashSet;
use std::path::Path;
use std::process::Command;

/// Runs a program of the cross compiler's; gives what it prints.
fn run(name: &str, args: &[&str], folder: &Path) -> String {
    let program = format!("aarch64-linux-gnu-{name}");
    let output = Command::new(&program)
        .args(args)
        .current_dir(folder)
        .output();
    let output =
        output.unwrap_or_else(|e| panic!("{program}: {e}; `make arm64` fetches what is needed"));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {told}");
    String::from_utf8(output.stdout).expect("text")
}

fn assembled(source: &str, folder: &Path) -> Vec<u8> {
    std::fs::write(folder.join("a.s"), source).expect("a file");
    run("as", &["a.s", "-o", "a.o"], folder);
    std::fs::read(folder.join("a.o")).expect("an object")
}

/// The same as an object that is read: those of machines that nothing is converted for are refused.
fn readable(source: &str) -> Obj {
    /// `e_machine` in the header of an ELF file.
    const MACHINE: std::ops::Range<usize> = 18..20;
    let folder = tempfile::tempdir().expect("a folder");
    let mut bytes = assembled(source, folder.path());
    bytes[MACHINE].copy_from_slice(&::object::elf::EM_X86_64.0.to_le_bytes());
    Obj::made("a.o", bytes)
}

fn linked(source: &str) -> Image {
    link_for(&Arm64, &[readable(source)]).unwrap_or_else(|e| panic!("{e}"))
}

/// The instructions from a symbol on, as `objdump` writes them, addresses counted from the start of the image.
fn listing(image: &Image, name: &str, count: usize) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("image"), &image.image).expect("a file");
    let start = image.symbol(name);
    let args = [
        "-D",
        "-b",
        "binary",
        "-m",
        "aarch64",
        &format!("--start-address={start}"),
        &format!("--stop-address={}", start + 4 * count as u64),
        "image",
    ];
    let text = run("objdump", &args, folder.path());
    let lines = text.lines().filter_map(|line| {
        let (at, rest) = line.split_once(":\t")?;
        u64::from_str_radix(at.trim(), 16).ok()?;
        let (_, code) = rest.split_once('\t')?;
        let code = code.split("//").next().unwrap_or(code).trim();
        Some(code.replace('\t', " "))
    });
    lines.collect()
}

/// Every row that has a place in code or data.
const ROWS: &str = "
    .section .text.root,\"ax\",@progbits
    .globl root
    .type root, %function
root:
    bl far
    b far
    cbz x0, far
    tbz w0, #3, far
    b.eq far
    ldr x0, data
    adr x1, data + 3
    adrp x2, data + 8
    add x2, x2, :lo12:data + 8
    ldrb w3, [x2, :lo12:data + 1]
    ldrh w3, [x2, :lo12:data + 2]
    ldr w3, [x2, :lo12:data + 4]
    ldr x3, [x2, :lo12:data + 8]
    ldr q3, [x2, :lo12:data + 16]
    str d3, [x2, :lo12:data + 24]
    .size root, . - root
    .section .text.far,\"ax\",@progbits
    .space 4096
    .globl far
far:
    ret
    .section .rodata,\"a\",@progbits
    .space 4104
    .p2align 4
    .globl data
data:
    .word far - .
    .word data + 4 - .
    .xword far - .
    .hword data - .
    .hword 0
    .word 0
";

/// The second opinion: what another linker writes for the same relocations at the same places.
#[test]
#[ignore = "needs the cross binutils; `make arm64` runs it"]
fn each_row_gives_what_the_other_linker_gives() {
    let folder = tempfile::tempdir().expect("a folder");
    let before = assembled(ROWS, folder.path());
    let args = ["-e", "root", "-Ttext=0x401234", "a.o", "-o", "a.out"];
    run("ld", &args, folder.path());
    let after = std::fs::read(folder.path().join("a.out")).expect("a program");
    let before = ::object::File::parse(&*before).expect("an object");
    let after = ::object::File::parse(&*after).expect("a program");
    let place = |name: &str| {
        let mut symbols = after.symbols();
        let symbol = symbols.find(|s| s.name() == Ok(name));
        symbol.unwrap_or_else(|| panic!("no {name}")).address()
    };
    let read = |address: u64, size: usize| {
        let mut sections = after.sections();
        let bytes = sections.find_map(|s| s.data_range(address, size as u64).ok().flatten());
        bytes.expect("bytes").to_vec()
    };
    // The first symbol of each section, and where it lies there.
    let sections = [(".text.root", "root", 0), (".rodata", "data", 4112)];
    let mut seen = std::collections::BTreeSet::new();
    for (section, first, at) in sections {
        let section = before.section_by_name(section).expect("a section");
        for (offset, reloc) in section.relocations() {
            let ::object::RelocationFlags::Elf { r_type } = reloc.flags() else {
                panic!("{reloc:?}");
            };
            let row = Arm64.howto(r_type.0).expect("a row");
            assert!(matches!(row.formula, Formula::PcRelative | Formula::Branch));
            let RelocationTarget::Symbol(symbol) = reloc.target() else {
                panic!("{reloc:?}");
            };
            let symbol = before.symbol_by_index(symbol).expect("a symbol");
            let to = place(symbol.name().expect("a name")) as i64 + reloc.addend();
            let from = (place(first) - at + offset) as i64;
            let size = usize::from(row.field.size());
            let mut bytes = section.data().expect("bytes")[offset as usize..][..size].to_vec();
            let value = row.field.distance(to, from);
            row.field.write(&mut bytes, 0, value).expect("it fits");
            assert_eq!(bytes, read(from as u64, size), "{}", row.name);
            let back = row.field.read(&bytes, 0).expect("a field");
            let bits = match row.field.pages {
                Pages::Within => value,
                _ => back,
            };
            assert_eq!(back, bits, "{}", row.name);
            seen.insert(row.name);
        }
    }
    assert_eq!(seen.len(), 15, "{seen:?}");
}

#[test]
#[ignore = "needs the cross binutils; `make arm64` runs it"]
fn code_of_every_kind_is_linked() {
    let image = linked(
        "
    .section .text.root,\"ax\",@progbits
    .globl root
    .type root, %function
root:
    adrp x0, :got:data
    ldr x0, [x0, :got_lo12:data]
    adrp x1, :got:missing
    ldr x1, [x1, :got_lo12:missing]
    mrs x8, tpidr_el0
    adrp x0, :tlsdesc:local
    ldr x1, [x0, :tlsdesc_lo12:local]
    add x0, x0, :tlsdesc_lo12:local
    .tlsdesccall local
    blr x1
    ldr x0, [x8, x0]
    adrp x2, :gottprel:local
    ldr x2, [x2, :gottprel_lo12:local]
    add x3, x8, :tprel_hi12:local
    add x3, x3, :tprel_lo12_nc:local
    bl missing
    ret
    .size root, . - root
    .weak missing
    .data
    .globl data
    .p2align 3
data:
    .xword data
    .section .tdata,\"awT\",@progbits
    .globl local
    .p2align 3
local:
    .xword 5
",
    );
    let local = image.layout.params.lane_tls;
    let data = image.symbol("data");
    let root = image.symbol("root");
    let text = listing(&image, "root", 19);
    let has = |n: usize, want: String| assert_eq!(text[n], want, "{n} of {text:#?}");
    has(0, format!("adrp x0, {:#x}", data & !0xfff));
    has(1, format!("add x0, x0, #{:#x}", data & 0xfff));
    // The cell of what is nowhere holds zero.
    let page = text[2].rsplit("0x").next().expect("a page");
    let page = u64::from_str_radix(page, 16).expect("a number");
    let low = text[3].rsplit("#").next().expect("a number");
    let low: u64 = low.trim_end_matches(']').parse().expect("a number");
    assert_eq!(image.word(page + low), 0);
    has(4, format!("b {:#x}", root + 16 * 4));
    has(5, format!("mov x0, #{:#x}", local >> 16 << 16));
    has(6, format!("movk x0, #{:#x}", local & 0xffff));
    has(7, "nop".to_owned());
    has(8, "nop".to_owned());
    has(9, "ldr x0, [x8, x0]".to_owned());
    has(11, format!("movk x2, #{:#x}", local & 0xffff));
    has(12, format!("add x3, x8, #{:#x}, lsl #12", local >> 12));
    has(13, format!("add x3, x3, #{:#x}", local & 0xfff));
    // A missing weak callee stops the program.
    let to = text[14].rsplit("0x").next().expect("a place");
    let to = u64::from_str_radix(to, 16).expect("a number");
    assert_eq!(to, crate::provenance::HEADER_SIZE as u64);
    has(16, "mov x8, sp".to_owned());
    has(17, format!("and x8, x8, #{:#x}", LANE_SIZE.wrapping_neg()));
    has(18, format!("b {:#x}", root + 5 * 4));
}

#[test]
#[ignore = "needs the cross binutils; `make arm64` runs it"]
fn a_call_beyond_its_reach_goes_through_a_thunk() {
    let image = linked(
        "
    .section .text.root,\"ax\",@progbits
    .globl root
root:
    bl end
    bl middle
    ret
    .section .text.middle,\"ax\",@progbits
    .globl middle
middle:
    .space 0x8800000
    ret
    .section .text.end,\"ax\",@progbits
    .globl end
end:
    bl middle
    ret
",
    );
    let to = |line: &str| {
        let at = line.rsplit("0x").next().expect("a place");
        u64::from_str_radix(at, 16).expect("a number")
    };
    let calls = listing(&image, "root", 2);
    let (end, middle) = (image.symbol("end"), image.symbol("middle"));
    assert_eq!(to(&calls[1]), middle, "near");
    let thunk = to(&calls[0]);
    assert_ne!(thunk, end);
    // adrp x16; add x16, x16; br x16
    assert_eq!(image.half(thunk) & 0x9f00_001f, 0x9000_0010);
    let page = Arm64.howto(275).expect("a row").field;
    let low = Arm64.howto(277).expect("a row").field;
    let page = page.read(&image.image, thunk).expect("a page");
    let low = low.read(&image.image, thunk + 4).expect("an offset");
    assert_eq!(
        ((thunk & !0xfff).wrapping_add_signed(page)) + low as u64,
        end
    );
    assert_eq!(image.half(thunk + 8), 0xd61f_0200);
}

#[test]
#[ignore = "needs the cross binutils; `make arm64` runs it"]
fn what_cannot_be_linked_is_refused_with_its_place() {
    for (source, told) in [
        ("movz x0, :abs_g1:data", "not position-independent"),
        ("add x0, x0, :tlsgd_lo12:data", "-mtls-dialect=trad"),
        ("ldr x0, [x0, :gotpage_lo15:data]", "-fPIC instead of -fpic"),
        ("ldr x0, [x0, :tlsdesc_lo12:data]", "an unknown sequence"),
        (
            "mrs x0, tpidr_el0\nldr x0, [x0, #-16]",
            "belongs to a C library",
        ),
        ("msr tpidr_el0, x0", "changes the thread pointer"),
        (
            ".reloc ., R_AARCH64_TLS_TPREL64, data\nnop\nnop",
            "only a loader",
        ),
    ] {
        let source = format!(
            ".section .text.root,\"ax\",@progbits\n.globl root\n.type root, %function\nroot:\n{source}\nret\n.section .tdata,\"awT\",@progbits\n.globl data\ndata: .xword 1\n"
        );
        let Err(e) = link_for(&Arm64, &[readable(&source)]) else {
            panic!("{source} should have failed");
        };
        let text = e.to_string();
        for part in [told, "in root", "a.o"] {
            assert!(text.contains(part), "no {part:?} in {text}");
        }
    }
}

/// Rust's own libraries: all that they ask of a linker is known, and every sequence that a loader would have a part in is one that is rewritten.
#[test]
#[ignore = "needs Rust's std for arm64; `make arm64` runs it"]
fn nothing_in_rusts_libraries_is_unknown() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/arm64/bin/rustc");
    let rustc = if own.exists() {
        &own
    } else {
        Path::new("rustc")
    };
    let sysroot = Command::new(rustc).args(["--print", "sysroot"]).output();
    let sysroot = String::from_utf8(sysroot.expect("rustc").stdout).expect("a path");
    let folder = Path::new(sysroot.trim()).join("lib/rustlib/aarch64-unknown-linux-gnu/lib");
    let files = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let paths = files.map(|file| file.expect("a file").path());
    let mut seen = std::collections::BTreeMap::new();
    for path in paths.filter(|path| path.extension().is_some_and(|e| e == "rlib")) {
        let data = std::fs::read(&path).expect("a library");
        let archive = ::object::read::archive::ArchiveFile::parse(&*data).expect("an archive");
        for member in archive.members() {
            let bytes = member.expect("a member").data(&*data).expect("bytes");
            let Ok(object) = ::object::File::parse(bytes) else {
                continue;
            };
            for section in object.sections() {
                let executed = section.kind() == ::object::SectionKind::Text;
                let debug = section.name().is_ok_and(|name| name.starts_with(".debug"));
                if !debug {
                    known(&object, &section, executed, &mut seen);
                }
            }
        }
    }
    for name in [
        "CALL26",
        "TLSDESC_CALL",
        "ADR_GOT_PAGE",
        "LDST128_ABS_LO12_NC",
    ] {
        assert!(seen.contains_key(&*format!("R_AARCH64_{name}")), "{seen:?}");
    }
}

fn known(
    object: &::object::File<'_>,
    section: &::object::Section<'_, '_>,
    executed: bool,
    seen: &mut std::collections::BTreeMap<&'static str, usize>,
) {
    let mut sites = Vec::new();
    for (offset, reloc) in section.relocations() {
        let ::object::RelocationFlags::Elf { r_type } = reloc.flags() else {
            panic!("{reloc:?}");
        };
        let RelocationTarget::Symbol(symbol) = reloc.target() else {
            panic!("{reloc:?}");
        };
        let kind = object.symbol_by_index(symbol).map(|s| s.kind());
        sites.push(Site {
            offset,
            r_type: r_type.0,
            symbol: symbol.0 as u32,
            addend: reloc.addend(),
            reach: match kind {
                Ok(::object::SymbolKind::Tls) => Reach::ThreadLocal,
                _ => Reach::Near,
            },
        });
    }
    sites.sort_by_key(|s| s.offset);
    let code = section.data().expect("bytes");
    let lane_size = LANE_SIZE;
    let groups = match executed {
        true => Arm64.groups(&Relocated {
            code,
            sites: &sites,
            lane_size,
        }),
        false => Vec::new(),
    };
    let claimed: HashSet<usize> = groups.iter().flat_map(|g| g.members.clone()).collect();
    for (n, site) in sites.iter().enumerate() {
        let row = Arm64.howto(site.r_type);
        let row = row.unwrap_or_else(|| panic!("no row for {site:?} in {:?}", section.name()));
        let alone = matches!(
            row.formula,
            Formula::Refused(_) | Formula::TlsSequence | Formula::TlsCell
        );
        assert!(!alone || claimed.contains(&n), "{} at {site:?}", row.name);
        *seen.entry(row.name).or_default() += 1;
    }
    let replaced = Arm64.replace_thread_pointer(&Code {
        bytes: code,
        functions: &[],
        fields: &sites.iter().map(|s| (s.offset, 4)).collect(),
        offsets: &Default::default(),
        has_offsets: false,
        labels: &HashSet::new(),
        lane_size,
    });
    assert!(!executed || replaced.is_ok(), "{replaced:?}");
}
