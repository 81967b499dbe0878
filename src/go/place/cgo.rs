//! What earlier runs left in the directory for cgo: the machines that archives are there for.

use std::path::PathBuf;

use crate::base::diag::{Error, Problem, Result};
use crate::base::files::{self, MARK};
use crate::base::options::CgoMachine;
use crate::go::package::{DIGEST, GoPackage};

use super::Place;
use super::present::origin;

/// The Go file for cgo of earlier runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CgoPresent {
    path: PathBuf,
    text: String,
    /// GOOS, GOARCH and the lines of each machine.
    machines: Vec<(String, String, Vec<String>)>,
}

/// Reads what the directory holds. None when there is nothing of ours; a machine whose archive was removed is gone.
pub fn cgo_present(place: &Place) -> Result<Option<CgoPresent>> {
    let path = place.dir.join(format!("{}_cgo.go", place.stem));
    let text = match files::read(&path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => {
            let problem = Problem::new(format!("cannot read the Go file that is there: {e}"));
            return Err(Error::fault(problem.at(path.display().to_string())));
        }
    };
    let ours = text.lines().next().is_some_and(|line| line.contains(MARK));
    let mut machines: Vec<(String, String, Vec<String>)> = Vec::new();
    for line in text.lines().filter(|_| ours) {
        let Some((goos, goarch)) = machine(line) else {
            continue;
        };
        match machines.iter_mut().find(|m| m.0 == goos && m.1 == goarch) {
            Some((_, _, lines)) => lines.push(line.to_owned()),
            None => machines.push((goos.to_owned(), goarch.to_owned(), vec![line.to_owned()])),
        }
    }
    machines.retain(|(goos, goarch, _)| {
        let archive = format!("{}_{goos}_{goarch}.a", place.stem);
        place.dir.join(archive).exists()
    });
    Ok(ours.then_some(CgoPresent {
        path,
        text,
        machines,
    }))
}

/// The machine of a line that tells the go command of one: `#cgo darwin,arm64 LDFLAGS: ...`.
fn machine(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("#cgo ")?
        .split_once(' ')?
        .0
        .split_once(',')
}

impl CgoPresent {
    /// The machines, each with what the go command is told of it.
    pub(in super::super) fn machines(&self) -> impl Iterator<Item = (&str, &str, &[String])> {
        let all = self.machines.iter();
        all.map(|(goos, goarch, lines)| (goos.as_str(), goarch.as_str(), lines.as_slice()))
    }

    /// Refuses what is no longer of the sources of the package, whose digest this is, or was built by another version, but for the machines that are
    /// built `anew`. `id` is that of the shim.
    pub fn check(
        &self,
        goarch: &str,
        (package, digest): (&GoPackage, &str),
        id: &str,
        anew: &[CgoMachine],
    ) -> Result<()> {
        if self.machines.is_empty() && !anew.is_empty() {
            return Ok(()); // It is written anew as a whole.
        }
        if self.machines.is_empty() {
            let problem = Problem::new("no archive is left of those that this file is for");
            let problem = problem.at(self.path.display().to_string());
            return Err(Error::fault(problem.help("remove the file")));
        }
        let head = format!("{goarch}:");
        let before = self.text.lines().find_map(|line| {
            let rest = origin(line)?;
            rest.starts_with(&head).then_some(rest)
        });
        let line = package.origin.replacen(DIGEST, digest, 1);
        let line = origin(&format!("// {line}")).map(str::to_owned);
        let same = before.is_none_or(|before| Some(before) == line.as_deref());
        if same && self.text.contains(id) {
            return Ok(());
        }
        let stale = self.machines().filter(|(goos, goarch, _)| {
            !anew.iter().any(|m| m.goos == *goos && m.goarch == *goarch)
        });
        let stale: Vec<String> = stale
            .map(|(goos, goarch, _)| format!("{goos}/{goarch}"))
            .collect();
        if stale.is_empty() {
            return Ok(());
        }
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let stem = name.trim_end_matches("_cgo.go");
        let all: Vec<String> = stale
            .iter()
            .map(|m| format!("{stem}_{}.a", m.replace('/', "_")))
            .collect();
        Err(Error::fault(
            Problem::new(format!(
                "the code for cgo on {} is of other sources or of another version",
                stale.join(", ")
            ))
            .at(self.path.display().to_string())
            .help(format!(
                "build it again in the same run (`--cgo` on this machine, `--target` for others), or remove {}",
                all.join(" and ")
            )),
        ))
    }
}
