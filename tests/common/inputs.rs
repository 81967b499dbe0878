//! Inputs that are made for a test: trimmed archives, small libraries, objects written by hand.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use object::read::archive::ArchiveFile;
use object::{Object, ObjectSymbol};

use super::process::run;

/// Members of an archive that a linker would pull in: those whose name begins with `own`, and what they need. Only the own ones
/// keep their debug information, from which signatures are read. Everything works as with the whole archive, on a tenth of the bytes.
pub fn trimmed(archive: &[u8], own: &str) -> Vec<u8> {
    let parsed = ArchiveFile::parse(archive).unwrap();
    let mut members = Vec::new();
    for member in parsed.members() {
        let member = member.unwrap();
        let name = String::from_utf8_lossy(member.name()).into_owned();
        let bytes = member.data(archive).unwrap();
        if name.ends_with(".o") {
            members.push((name, bytes));
        }
    }
    let objects: Vec<_> = members
        .iter()
        .map(|(_, bytes)| object::File::parse(*bytes).unwrap())
        .collect();
    let mut definers = HashMap::new();
    for (i, o) in objects.iter().enumerate() {
        for symbol in o.symbols().filter(|s| s.is_global() && s.is_definition()) {
            definers.entry(symbol.name_bytes().unwrap()).or_insert(i);
        }
    }
    let is_own = |i: usize| members[i].0.starts_with(own);
    let mut kept: BTreeSet<usize> = (0..members.len()).filter(|&i| is_own(i)).collect();
    assert!(!kept.is_empty(), "no member's name begins with {own}");
    let mut todo: Vec<usize> = kept.iter().copied().collect();
    while let Some(i) = todo.pop() {
        for symbol in objects[i].symbols().filter(|s| s.is_undefined()) {
            if let Some(&definer) = definers.get(symbol.name_bytes().unwrap())
                && kept.insert(definer)
            {
                todo.push(definer);
            }
        }
    }
    let kept: Vec<_> = kept
        .into_iter()
        .map(|i| {
            let (name, bytes) = &members[i];
            let bytes = if is_own(i) {
                bytes.to_vec()
            } else {
                without_debug(bytes)
            };
            (name.clone(), bytes)
        })
        .collect();
    write_archive(&kept)
}

fn without_debug(object: &[u8]) -> Vec<u8> {
    let dir = super::scratch();
    let path = dir.path().join("member.o");
    std::fs::write(&path, object).unwrap();
    run(
        Command::new("objcopy").arg("--strip-debug").arg(&path),
        Duration::from_secs(60),
    )
    .success();
    std::fs::read(&path).unwrap()
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
    let file = dir.join(format!("{name}.rs"));
    std::fs::write(
        &file,
        format!(
            "#![no_std]\n{source}\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! {{ loop {{}} }}\n"
        ),
    )
    .unwrap();
    let library = dir.join(format!("lib{name}.a"));
    let mut rustc = Command::new("rustc");
    rustc
        .args(["--edition=2024", "--crate-type=staticlib", "-Copt-level=2"])
        .args(["-Cpanic=abort", "--crate-name", name, "-o"])
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
