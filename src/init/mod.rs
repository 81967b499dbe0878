//! A first crate: small functions in Rust, their Go module, and what a repository needs around them.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::diag::{Error, Problem, Result};
use crate::base::files::{self, Changes, Entry};
use crate::base::options::base_name;
use crate::build;
use crate::go;

/// Options of `init`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InitOptions {
    /// The folder to fill; made if need be.
    pub dir: PathBuf,
    /// The crate's name; the folder's when absent.
    pub name: Option<String>,
    /// The Go module's path; `example.com/NAME` when absent.
    pub module: Option<String>,
}

/// What `init` wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Initialised {
    /// The crate's name.
    #[serde(rename = "crate")]
    pub krate: String,
    /// The Go module's path.
    pub module: String,
    /// Name of the Go package.
    pub package: String,
    /// Where it lies.
    pub out_dir: PathBuf,
    /// The files written.
    pub files: Vec<PathBuf>,
}

/// Where each file goes, and its template.
const FILES: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("template/Cargo.toml.in")),
    ("src/lib.rs", include_str!("template/lib.rs.in")),
    ("go.mod", include_str!("template/go.mod.in")),
    ("generate.go", include_str!("template/generate.go.in")),
    ("{{lib}}_test.go", include_str!("template/test.go.in")),
    ("cmd/{{crate}}/main.go", include_str!("template/main.go.in")),
    ("Makefile", include_str!("template/Makefile.in")),
    (
        ".github/workflows/ci.yml",
        include_str!("template/ci.yml.in"),
    ),
    (".gitattributes", include_str!("template/gitattributes.in")),
    (".gitignore", include_str!("template/gitignore.in")),
];

/// Names that cargo refuses (`cargo new`), as far as they are not keywords.
const RESERVED: &[&str] = &["test", "core", "std", "alloc", "proc_macro", "proc-macro"];

/// Packages that the program of the template imports.
const IMPORTED: &[&str] = &["fmt", "os", "strings"];

/// Writes a first crate. Nothing is written when a file of it is there already.
pub fn init(o: &InitOptions) -> Result<Initialised> {
    let name = match &o.name {
        Some(name) => name.clone(),
        None => folder_name(&o.dir)?,
    };
    check_name(&name, o.name.is_some())?;
    let module = match &o.module {
        Some(module) => module.clone(),
        None => format!("example.com/{name}"),
    };
    let library = name.replace('-', "_");
    // As `build` will see it: a name or a path that it would refuse is refused now.
    let place = go::place(
        &[format!("lib{library}.a").into()],
        &o.dir,
        None,
        None,
        Some(&module),
        None,
    )
    .map_err(|mut error| {
        for problem in &mut error.problems {
            problem.help = Some("choose another with `--name` or `--module`".into());
        }
        error
    })?;
    let words = Words {
        krate: &name,
        library: &library,
        module: &module,
        package: &place.package,
    };
    let files: Vec<(PathBuf, String)> = FILES
        .iter()
        .map(|(path, template)| (o.dir.join(words.fill(path)), words.fill(template)))
        .collect();
    free(&o.dir, &files)?;
    write(&files)?;
    if below_crate(&o.dir) && !build::is_taken(&o.dir) {
        stand_alone(&o.dir.join("Cargo.toml"))?;
    }
    Ok(Initialised {
        krate: name,
        module,
        package: place.package,
        out_dir: o.dir.clone(),
        files: files.into_iter().map(|(path, _)| path).collect(),
    })
}

/// Refuses to write where one of the files is.
fn free(dir: &Path, files: &[(PathBuf, String)]) -> Result<()> {
    let there = files
        .iter()
        .filter(|(path, _)| matches!(files::look(path), Ok(Entry::File | Entry::Folder)))
        .map(|(path, _)| path.strip_prefix(dir).unwrap_or(path))
        .map(|path| path.display().to_string())
        .collect::<Vec<_>>();
    if there.is_empty() {
        return Ok(());
    }
    let problem = Problem::new(format!("there is something already: {}", there.join(", ")))
        .at(dir.display().to_string())
        .help("name another folder; for a crate that exists, `rsyso build` is enough");
    Err(Error::fault(problem))
}

/// What the templates leave open.
struct Words<'a> {
    krate: &'a str,
    library: &'a str,
    module: &'a str,
    package: &'a str,
}

impl Words<'_> {
    fn fill(&self, template: &str) -> String {
        // The name by which the program calls the package is told where it cannot be guessed from the path.
        let name = match IMPORTED.contains(&self.package) {
            true => format!("rust{}", self.package),
            false => self.package.to_string(),
        };
        let import = match self.module.rsplit('/').next() == Some(&name) {
            true => format!("\"{}\"", self.module),
            false => format!("{name} \"{}\"", self.module),
        };
        let words = [
            ("{{crate}}", self.krate),
            ("{{lib}}", self.library),
            ("{{module}}", self.module),
            ("{{package}}", self.package),
            ("{{name}}", &name),
            ("{{import}}", &import),
            ("{{rsyso}}", env!("CARGO_PKG_VERSION")),
        ];
        let fill = |text: String, (word, value): (&str, &str)| text.replace(word, value);
        words.into_iter().fold(template.to_string(), fill)
    }
}

/// The name of a folder that need not exist.
fn folder_name(dir: &Path) -> Result<String> {
    let absolute = dir.canonicalize().or_else(|_| std::path::absolute(dir));
    let absolute = absolute.unwrap_or_else(|_| dir.to_path_buf());
    match absolute.file_name() {
        Some(_) => Ok(base_name(&absolute)),
        None => Err(Error::fault(
            Problem::new("this folder has no name that a crate could take")
                .at(dir.display().to_string())
                .help("give one with `--name NAME`"),
        )),
    }
}

/// A name that both cargo and a Rust identifier can take.
fn check_name(name: &str, given: bool) -> Result<()> {
    let letters = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c))
        && !name.ends_with(['-', '_']);
    let word = syn::parse_str::<syn::Ident>(&name.replace('-', "_")).is_ok();
    let why = match (letters, word && !RESERVED.contains(&name)) {
        (true, true) => return Ok(()),
        (true, false) => "Rust has another use for that word",
        (false, _) => {
            "it is to begin with a letter and to consist of lower-case letters, digits, `-` and `_`"
        }
    };
    let help = match given {
        true => "choose another name",
        false => "the name is the folder's; give another with `--name NAME`",
    };
    let message = format!("`{name}` cannot be the name of a crate: {why}");
    Err(Error::fault(Problem::new(message).help(help)))
}

/// Whether cargo would look for a workspace above this crate.
fn below_crate(dir: &Path) -> bool {
    let absolute = dir.canonicalize().or_else(|_| std::path::absolute(dir));
    absolute.is_ok_and(|dir| {
        let mut above = dir.ancestors().skip(1);
        above.any(|dir| dir.join("Cargo.toml").is_file())
    })
}

/// Makes the crate the root of a workspace of its own: the one above does not count it among its members.
fn stand_alone(manifest: &Path) -> Result<()> {
    let text = b"\n# Not a member of the workspace above this folder.\n[workspace]\n";
    files::append(manifest, text).map_err(|e| {
        let problem = Problem::new(format!("cannot be written: {e}"));
        Error::fault(problem.at(manifest.display().to_string()))
    })
}

/// Writes all files or none, and none over a file that came into being since we looked.
fn write(files: &[(PathBuf, String)]) -> Result<()> {
    let mut changes = Changes::default();
    for (path, text) in files {
        let folder = match path.parent() {
            Some(dir) => changes.create_dir(dir),
            None => Ok(()),
        };
        let written = folder.and_then(|()| changes.create(path, text.as_bytes()));
        written.map_err(|e| {
            let problem = Problem::new(format!("cannot be written: {e}"));
            Error::fault(problem.at(path.display().to_string()))
        })?;
    }
    changes.commit();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn names_that_cargo_or_rust_refuse_are_refused() {
        for good in ["hello", "my-crate", "a1_b", "fmt"] {
            assert_eq!(check_name(good, true), Ok(()), "{good}");
        }
        for bad in [
            "", "1a", "Hello", "a b", "fn", "test", "std", "-a", "a-", "é", "self",
        ] {
            assert!(check_name(bad, true).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn no_word_is_left_open() {
        let words = Words {
            krate: "my-crate",
            library: "my_crate",
            module: "example.com/my-crate",
            package: "my_crate",
        };
        for (path, template) in FILES {
            let text = words.fill(path) + &words.fill(template);
            // `${{ ... }}` is the workflow's own.
            assert!(!text.replace("${{ ", "").contains("{{"), "{path}");
        }
        assert!(words.fill("{{import}}").starts_with("my_crate \""));
    }

    #[test]
    fn what_cannot_be_finished_is_taken_back() {
        let tmp = tempfile::tempdir().expect("a temporary directory");
        let at = |path: &str| (tmp.path().join(path), String::from("text"));
        fs::write(tmp.path().join("file"), "mine").expect("a file");
        let files = [at("new/a"), at("file/b")];
        assert!(write(&files).is_err());
        assert!(!tmp.path().join("new").exists());
        assert!(tmp.path().join("file").exists());
    }
}
