//! Inputs that are made for a test: miniatures of archives, small libraries, objects written by hand.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use object::read::archive::ArchiveFile;
use object::{Object, ObjectSymbol};

use super::process::run;

/// A library in small: everything works as with the whole archive, on a fraction of the bytes.
pub struct Miniature {
    /// An archive of one object.
    pub archive: Vec<u8>,
    /// What it exports.
    pub exports: Vec<String>,
}

/// Makes miniatures of an archive: one for each of the library's own objects, whose names begin with `own`, that has exports. It holds
/// that object, the own ones without exports, and what these reach of the others, in one (`ld -r --gc-sections`). Only the first keeps its
/// debug information, from which signatures are read. Together the miniatures have every export once.
pub fn miniatures(archive: &[u8], own: &str) -> Vec<Miniature> {
    let members = members(archive);
    let objects: Vec<_> = members
        .iter()
        .map(|(_, bytes)| object::File::parse(*bytes).unwrap())
        .collect();
    let exports = |i: usize| -> Vec<String> {
        let symbols = objects[i].symbols();
        symbols
            .filter(|s| s.is_global() && s.kind() == object::SymbolKind::Text)
            .map(|s| s.name().unwrap().to_owned())
            .filter(|n| !n.starts_with('_') && !n.starts_with("rust_"))
            .collect()
    };
    let (exporting, others): (Vec<_>, Vec<_>) = (0..members.len())
        .filter(|&i| members[i].0.starts_with(own))
        .map(|i| (i, exports(i)))
        .partition(|(_, exports)| !exports.is_empty());
    let others: BTreeSet<usize> = others.into_iter().map(|(i, _)| i).collect();
    let miniatures: Vec<_> = exporting
        .into_iter()
        .map(|(i, exports)| miniature(&members, &objects, (i, &others), exports))
        .collect();
    assert!(
        !miniatures.is_empty(),
        "no exports in the members {own}* of the archive"
    );
    miniatures
}

/// The miniature of one object of the library.
fn miniature(
    members: &[(String, &[u8])],
    objects: &[object::File<'_>],
    (own, others): (usize, &BTreeSet<usize>),
    exports: Vec<String>,
) -> Miniature {
    let dir = super::scratch();
    let mut ld = Command::new("ld");
    ld.args(["-r", "--gc-sections", "-o", "miniature.o"])
        .current_dir(dir.path());
    for export in &exports {
        ld.args(["-u", export]);
    }
    for i in reached(objects, own, others) {
        let name = format!("{i}.o");
        let path = dir.path().join(&name);
        std::fs::write(&path, members[i].1).unwrap();
        if i != own {
            let mut strip = Command::new("objcopy");
            run(
                strip
                    .args(["--strip-debug", "-R", ".llvmbc", "-R", ".llvmcmd"])
                    .arg(&path),
                Duration::from_secs(60),
            )
            .success();
        }
        ld.arg(name);
    }
    run(&mut ld, Duration::from_secs(60)).success();
    let merged = std::fs::read(dir.path().join("miniature.o")).unwrap();
    Miniature {
        archive: write_archive(&[(members[own].0.clone(), merged)]),
        exports,
    }
}

/// The objects in an archive.
fn members(archive: &[u8]) -> Vec<(String, &[u8])> {
    let parsed = ArchiveFile::parse(archive).unwrap();
    let members = parsed.members().map(|member| {
        let member = member.unwrap();
        let name = String::from_utf8_lossy(member.name()).into_owned();
        (name, member.data(archive).unwrap())
    });
    members.filter(|(name, _)| name.ends_with(".o")).collect()
}

/// An object, others, and what a linker would pull in for them.
fn reached(objects: &[object::File<'_>], own: usize, others: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut definers = HashMap::new();
    for (i, o) in objects.iter().enumerate() {
        for symbol in o.symbols().filter(|s| s.is_global() && s.is_definition()) {
            definers.entry(symbol.name_bytes().unwrap()).or_insert(i);
        }
    }
    let mut reached = others.clone();
    reached.insert(own);
    let mut todo: Vec<usize> = reached.iter().copied().collect();
    while let Some(i) = todo.pop() {
        for symbol in objects[i].symbols().filter(|s| s.is_undefined()) {
            if let Some(&definer) = definers.get(symbol.name_bytes().unwrap())
                && reached.insert(definer)
            {
                todo.push(definer);
            }
        }
    }
    reached
}

/// Writes an archive in GNU format (ar(5)), without a symbol index.
pub fn write_archive(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut names = Vec::new();
    let mut fields = Vec::new();
    for (name, _) in members {
        fields.push(format!("/{}", names.len()));
        names.extend_from_slice(name.as_bytes());
        names.extend_from_slice(b"/\n");
    }
    let mut out = b"!<arch>\n".to_vec();
    let mut member = |field: &str, bytes: &[u8]| {
        let size = bytes.len();
        out.extend_from_slice(
            format!(
                "{field:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n",
                0, 0, 0, 644
            )
            .as_bytes(),
        );
        out.extend_from_slice(bytes);
        if size % 2 == 1 {
            out.push(b'\n');
        }
    };
    member("//", &names);
    for (field, (_, bytes)) in fields.iter().zip(members) {
        member(field, bytes);
    }
    out
}

/// Compiles a crate of one file, without std, into a staticlib `lib{name}.a`.
pub fn rust_library(dir: &Path, name: &str, source: &str, flags: &[&str]) -> PathBuf {
    let source = format!(
        "#![no_std]\n{source}\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! {{ loop {{}} }}\n"
    );
    compile(dir, name, &source, &[&["-Cpanic=abort"], flags].concat())
}

/// Compiles a crate of one file, with std, into a staticlib `lib{name}.a`.
pub fn std_library(dir: &Path, name: &str, source: &str) -> PathBuf {
    compile(dir, name, source, &[])
}

fn compile(dir: &Path, name: &str, source: &str, flags: &[&str]) -> PathBuf {
    let file = dir.join(format!("{name}.rs"));
    std::fs::write(&file, source).unwrap();
    let library = dir.join(format!("lib{name}.a"));
    let mut rustc = Command::new("rustc");
    rustc
        .args(["--edition=2024", "--crate-type=staticlib", "-Copt-level=2"])
        .args(["--crate-name", name, "-o"])
        .arg(&library)
        .args(if flags.iter().any(|f| f.starts_with("-Cdebuginfo")) {
            &[][..]
        } else {
            &["-Cdebuginfo=full"][..]
        })
        .args(flags)
        .arg(&file)
        .current_dir(dir);
    run(&mut rustc, Duration::from_secs(120)).success();
    library
}

/// Compiles C with gcc into an object file.
pub fn c_object(dir: &Path, name: &str, source: &str, flags: &[&str]) -> PathBuf {
    super::go::need_c_compiler();
    let file = dir.join(format!("{name}.c"));
    std::fs::write(&file, source).unwrap();
    let object = dir.join(format!("{name}.o"));
    let mut gcc = Command::new("gcc");
    gcc.args(["-c", "-g", "-O2", "-o"])
        .arg(&object)
        .args(flags)
        .arg(&file);
    run(&mut gcc, Duration::from_secs(60)).success();
    object
}
