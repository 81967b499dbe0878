//! Files that are no library for this machine.

use object::write::{Object, Symbol, SymbolSection};
use object::{Architecture, BinaryFormat, Endianness, SymbolFlags, SymbolKind, SymbolScope};

use super::*;

/// An object file with one function, for any machine.
fn object_for(architecture: Architecture, format: BinaryFormat) -> Vec<u8> {
    let mut object = Object::new(format, architecture, Endianness::Little);
    let text = object.section_id(object::write::StandardSection::Text);
    let at = object.append_section_data(text, &[0xcc; 16], 16);
    object.add_symbol(Symbol {
        name: b"foreign".to_vec(),
        value: at,
        size: 16,
        kind: SymbolKind::Text,
        scope: SymbolScope::Dynamic,
        weak: false,
        section: SymbolSection::Section(text),
        flags: SymbolFlags::None,
    });
    object.write().unwrap()
}

#[test]
fn no_object_file_at_all() {
    bytes_refused("libempty.a", b"", FAULT, &["libempty.a", "empty"]);
    bytes_refused(
        "notes.txt",
        b"Not a library, just text.\n",
        FAULT,
        &["notes.txt"],
    );
    bytes_refused("libnone.a", b"!<arch>\n", FAULT, &["no object"]);
    bytes_refused("cut.o", b"\x7fELF\x02\x01\x01", FAULT, &["cut.o"]);
}

#[test]
fn no_file() {
    let dir = scratch();
    let missing = dir.path().join("libmissing.a");
    refused(&[&missing], &[], FAULT, &["libmissing.a", "No such file"]);
    refused(&[dir.path()], &[], FAULT, &["irectory"]);
}

#[test]
fn half_an_archive() {
    let whole = std::fs::read(archive("plusone")).unwrap();
    bytes_refused(
        "libhalf.a",
        &whole[..whole.len() / 2],
        FAULT,
        &["libhalf.a"],
    );
    bytes_refused("libhead.a", &whole[..30], FAULT, &["libhead.a"]);
}

#[test]
fn a_shared_object() {
    let dir = scratch();
    let library = c_object(
        dir.path(),
        "libshared",
        "int f(void) { return 1; }",
        &["-fPIC"],
    );
    let shared = dir.path().join("libshared.so");
    let mut gcc = std::process::Command::new("gcc");
    gcc.arg("-shared").arg("-o").arg(&shared).arg(&library);
    run(&mut gcc, Duration::from_secs(60)).success();
    refused(
        &[&shared],
        &[],
        FAULT,
        &["libshared.so", "shared", "staticlib"],
    );
}

#[test]
fn other_formats() {
    let macho = object_for(Architecture::X86_64, BinaryFormat::MachO);
    bytes_refused("foreign.o", &macho, FAULT, &["foreign.o", "Mach-O"]);
    let members = [("lib.rs.o".to_owned(), macho)];
    bytes_refused(
        "libmac.a",
        &write_archive(&members),
        FAULT,
        &["libmac.a(lib.rs.o)", "Mach-O"],
    );
    let coff = object_for(Architecture::X86_64, BinaryFormat::Coff);
    bytes_refused("foreign.obj", &coff, FAULT, &["foreign.obj", "COFF"]);
    bytes_refused(
        "module.o",
        b"\0asm\x01\0\0\0",
        FAULT,
        &["module.o", "ebAssembly"],
    );
}

#[test]
fn other_machines() {
    let arm = object_for(Architecture::Aarch64, BinaryFormat::Elf);
    let risc = object_for(Architecture::Riscv64, BinaryFormat::Elf);
    let x32 = object_for(Architecture::I386, BinaryFormat::Elf);
    bytes_refused("risc.o", &risc, FAULT, &["risc.o", "riscv64"]);
    bytes_refused("x32.o", &x32, FAULT, &["x32.o", "32-bit"]);

    let dir = scratch();
    let amd64 = rust_library(dir.path(), "here", ADD, &[]);
    let arm64 = dir.path().join("libthere.a");
    std::fs::write(&arm64, write_archive(&[("there.o".into(), arm.clone())])).unwrap();
    refused(
        &[&amd64, &arm64],
        &[],
        FAULT,
        &["libthere.a(there.o)", "arm64", "amd64"],
    );

    let ours = object_for(Architecture::X86_64, BinaryFormat::Elf);
    let mixed = write_archive(&[("ours.o".into(), ours), ("theirs.o".into(), arm)]);
    bytes_refused(
        "libmixed.a",
        &mixed,
        FAULT,
        &["libmixed.a(theirs.o)", "arm64", "amd64"],
    );
}

#[test]
fn bitcode() {
    let ours = object_for(Architecture::X86_64, BinaryFormat::Elf);
    let bitcode = b"BC\xC0\xDE\x35\x14\0\0".to_vec();
    let members = [("ours.o".into(), ours), ("lto.o".into(), bitcode)];
    let library = write_archive(&members);
    bytes_refused(
        "liblto.a",
        &library,
        FAULT,
        &["liblto.a(lto.o)", "bitcode", "lto"],
    );
}

#[test]
fn bytecode_of_gcc() {
    let dir = scratch();
    let source = "int h_add(int a, int b) { return a + b; }";
    let object = c_object(
        dir.path(),
        "slim",
        source,
        &["-fPIC", "-flto", "-fno-fat-lto-objects"],
    );
    let parts = ["slim.o", "GCC's LTO bytecode", "-ffat-lto-objects"];
    refused(&[&object], &["--export", "h_add"], FAULT, &parts);
}
