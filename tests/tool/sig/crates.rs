//! Builds the crates of this folder with rustc, and finds their exports as a linker would.

use std::path::{Path, PathBuf};
use std::process::Command;

use object::{Object as _, ObjectSymbol as _};
use rsyso::internals::model::Api;
use rsyso::internals::sig::header::Headers;
use rsyso::internals::sig::{Export, Object, Parsed, Wanted, read, rules};

/// A built library.
pub struct Built {
    /// Where its sources lay at build time.
    pub sources: PathBuf,
    archives: Vec<Vec<u8>>,
}

/// Copies the sources into a folder of their own and builds `root` there as a crate named `name`. With `lto` the crate becomes a
/// static library, since only a final product is optimised as a whole; otherwise an rlib, which takes less time.
pub fn build(variant: &str, name: &str, root: &str, flags: &[&str]) -> Built {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("sig")
        .join(variant);
    let _ = std::fs::remove_dir_all(&dir);
    let sources = dir.join("src");
    copy(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tool/sig"),
        &sources,
    );
    let lto = flags.iter().any(|f| f.contains("lto"));
    let common: Vec<&str> = flags
        .iter()
        .copied()
        .filter(|f| !f.contains("lto"))
        .collect();
    let mut flags = flags.to_vec();
    let mut files = vec![format!("lib{name}.{}", if lto { "a" } else { "rlib" })];
    if name == "probe" {
        rustc(&dir, "dep", "src/dep.rs", "rlib", &common);
        flags.push("--extern=dep");
        // A static library holds its dependencies; an rlib does not.
        if !lto {
            files.push("libdep.rlib".to_owned());
        }
    }
    rustc(
        &dir,
        name,
        root,
        if lto { "staticlib" } else { "rlib" },
        &flags,
    );
    let archives = files
        .iter()
        .map(|f| std::fs::read(dir.join(f)).unwrap())
        .collect();
    Built { sources, archives }
}

fn rustc(dir: &Path, name: &str, root: &str, kind: &str, flags: &[&str]) {
    let output = Command::new(std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into()))
        .current_dir(dir)
        .args(["--edition=2024", "--cap-lints=allow", "-L."])
        .args(["--crate-name", name, "--crate-type", kind])
        .args(flags)
        .arg(root)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

impl Built {
    /// The signatures of the exports that `keep` picks.
    pub fn read(&self, keep: impl Fn(&str) -> bool) -> rsyso::internals::base::diag::Result<Api> {
        let (objects, exports) = self.exports(keep);
        let read = read(
            &objects,
            &Wanted::exports(&exports),
            &Headers::default(),
            &Parsed::default(),
            &[],
        )?;
        let asked = rules::Asked {
            pairs: false,
            ..rules::Asked::default()
        };
        let conventions = rules::conventions(&read, true, &asked)?;
        Ok(Api::new(read, &conventions))
    }

    /// Takes the sources out of sight.
    pub fn hide_sources(&self) {
        std::fs::rename(&self.sources, self.sources.with_file_name("hidden")).unwrap();
    }

    /// The objects of the crates, and the unmangled functions that they define and `keep` picks.
    pub fn exports(&self, keep: impl Fn(&str) -> bool) -> (Vec<Object<'_>>, Vec<Export>) {
        let (mut objects, mut exports) = (Vec::new(), Vec::new());
        for bytes in &self.archives {
            let archive = object::read::archive::ArchiveFile::parse(&**bytes).unwrap();
            for member in archive.members().map(Result::unwrap) {
                let name = String::from_utf8_lossy(member.name()).into_owned();
                if !name.contains(".rcgu.o") {
                    continue;
                }
                let data = member.data(&**bytes).unwrap();
                for (symbol, section, offset) in functions(data).into_iter().filter(|f| keep(&f.0))
                {
                    exports.push(Export {
                        symbol,
                        object: objects.len(),
                        section,
                        offset,
                        is_static: false,
                    });
                }
                objects.push(Object {
                    name,
                    data,
                    rust: true,
                });
            }
        }
        (objects, exports)
    }
}

/// The unmangled functions that an object defines; the crates of this folder name theirs `x_...`.
fn functions(data: &[u8]) -> Vec<(String, usize, u64)> {
    let file = object::File::parse(data).unwrap();
    let function = |s: &object::Symbol<'_, '_>| {
        let name = s.name().unwrap();
        let ours = name.as_bytes().get(1) == Some(&b'_') && !name.starts_with('_');
        ours && s.is_global() && s.is_definition() && s.kind() == object::SymbolKind::Text
    };
    let place = |s: object::Symbol<'_, '_>| {
        (
            s.name().unwrap().to_owned(),
            s.section_index().unwrap().0,
            s.address(),
        )
    };
    file.symbols().filter(function).map(place).collect()
}
