//! The static libraries that `#cgo LDFLAGS` name.

use std::path::{Path, PathBuf};

use super::package::shown;
use super::target::Target;
use crate::arch;
use crate::base::diag::Problem;
use crate::read;

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

/// Finds the libraries for a machine. Those that the user gave come first, and stand for those that are not found.
pub(super) fn find(folder: &Path, flags: &[String], given: &[PathBuf], target: &Target) -> Found {
    let mut found = Found::default();
    for path in given {
        // One may be given for each machine.
        match of_another(path, target) {
            Some(problem) => found.problems.push(problem),
            None => found.archives.push(path.clone()),
        }
    }
    let given = found.archives.clone();
    if !given.is_empty() {
        found.problems.clear();
    }
    found.named(folder, flags, &given);
    let (archives, others): (Vec<_>, Vec<_>) = std::mem::take(&mut found.archives)
        .into_iter()
        .partition(|path| of_another(path, target).is_none());
    let others = others.iter().filter_map(|path| of_another(path, target));
    found.problems.extend(others);
    found.archives = archives;
    found
}

/// What is wrong with a library for a machine, if it is for another one.
fn of_another(path: &Path, target: &Target) -> Option<Problem> {
    let machine = read::machine(path)?;
    (machine != target.arch.machine()).then(|| {
        let (of, wanted) = (arch::machine_name(machine), target.arch.goarch());
        Problem::new(format!("the library is for {of}, not for {wanted}")).at(shown(path))
    })
}

impl Found {
    /// Adds those that flags name.
    fn named(&mut self, folder: &Path, flags: &[String], given: &[PathBuf]) {
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
                    true => self.problems.push(shared(word)),
                    false if path.is_file() => self.add(path),
                    false if given.is_empty() => {
                        self.problems.push(missing(&path.display().to_string()))
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
                Some(_) if is_shared(&file) => self.problems.push(shared(&file)),
                Some(path) => self.add(path),
                None if OWN.contains(&name.as_str()) || !given.is_empty() => {}
                None => {
                    let dynamic = format!("lib{name}.so");
                    self.problems
                        .push(match folders.iter().any(|f| f.join(&dynamic).is_file()) {
                            true => shared(&dynamic),
                            false => missing(&file),
                        });
                }
            }
        }
    }

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
