//! The static libraries that `#cgo LDFLAGS` name.

use std::path::{Path, PathBuf};

use crate::base::diag::Problem;

/// Libraries of the system that images bring themselves, or do not need.
const OWN: &[&str] = &[
    "c", "m", "dl", "pthread", "rt", "util", "gcc", "gcc_s", "resolv",
];

/// What the flags lead to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub archives: Vec<PathBuf>,
    pub problems: Vec<Problem>,
}

/// Finds the libraries. Those that the user gave come first, and stand for those that are not found.
pub(super) fn find(folder: &Path, flags: &[String], given: &[PathBuf]) -> Found {
    let mut found = Found {
        archives: given.to_vec(),
        ..Found::default()
    };
    let mut folders = Vec::new();
    let mut names = Vec::new();
    let mut words = flags.iter();
    while let Some(word) = words.next() {
        let value = |flag: &str, words: &mut std::slice::Iter<'_, String>| {
            let rest = word.strip_prefix(flag)?;
            match rest.is_empty() {
                true => words.next().cloned(),
                false => Some(rest.to_owned()),
            }
        };
        if let Some(dir) = value("-L", &mut words) {
            folders.push(folder.join(dir));
        } else if word.starts_with("-l") {
            names.extend(value("-l", &mut words));
        } else if !word.starts_with('-') {
            let path = folder.join(word);
            match is_shared(word) {
                true => found.problems.push(shared(word)),
                false if path.is_file() => found.add(path),
                false if given.is_empty() => {
                    found.problems.push(missing(&path.display().to_string()))
                }
                false => {}
            }
        }
    }
    for name in names {
        let file = match name.strip_prefix(':') {
            Some(file) => file.to_owned(),
            None => format!("lib{name}.a"),
        };
        let there = folders.iter().map(|f| f.join(&file)).find(|p| p.is_file());
        match there {
            Some(_) if is_shared(&file) => found.problems.push(shared(&file)),
            Some(path) => found.add(path),
            None if OWN.contains(&name.as_str()) || !given.is_empty() => {}
            None => {
                let dynamic = format!("lib{name}.so");
                found
                    .problems
                    .push(match folders.iter().any(|f| f.join(&dynamic).is_file()) {
                        true => shared(&dynamic),
                        false => missing(&file),
                    });
            }
        }
    }
    found
}

impl Found {
    /// Adds a library, unless it was given by the user under its name.
    fn add(&mut self, path: PathBuf) {
        let name = path.file_name();
        if !self.archives.iter().any(|a| a.file_name() == name) {
            self.archives.push(path);
        }
    }
}

fn is_shared(file: &str) -> bool {
    file.ends_with(".so") || file.contains(".so.")
}

fn missing(file: &str) -> Problem {
    Problem::new(format!("`#cgo LDFLAGS`: {file} was not found"))
        .help("name the static library with --lib FILE.a")
}

fn shared(file: &str) -> Problem {
    Problem::new(format!("`#cgo LDFLAGS`: {file} is a shared library"))
        .help("name the static one with --lib FILE.a")
}
