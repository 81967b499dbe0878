//! What an earlier run left in the directory for other architectures: one API serves them all.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::base::diag::{Error, Problem, Result};
use crate::base::files::{self, MARK};

use super::Place;
use crate::go::package::{GoPackage, ORIGIN};
use crate::go::print::source;

/// The Go file of an earlier run, and for which architectures its code is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// GOARCHes of the images beside it.
    arches: Vec<String>,
    /// `DIR/NAME.go`
    path: PathBuf,
    text: String,
}

/// Reads what the directory holds under this name. None when there is nothing of ours.
pub fn present(place: &Place) -> Result<Option<Present>> {
    let path = place.dir.join(format!("{}.go", place.stem));
    let text = match files::read(&path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => {
            return Err(Error::fault(
                Problem::new(format!("cannot read the Go file that is there: {e}"))
                    .at(path.display().to_string()),
            ));
        }
    };
    if !text
        .lines()
        .next()
        .is_some_and(|first| first.contains(MARK))
    {
        return Ok(None);
    }
    // The package comment names the architectures; one whose image was removed is gone.
    let arches = text
        .lines()
        .filter_map(|line| origin(line)?.split_once(':'))
        .map(|(arch, _)| arch.to_string())
        .filter(|arch| {
            let syso = format!("{}_linux_{arch}.syso", place.stem);
            place.dir.join(syso).exists()
        })
        .collect();
    Ok(Some(Present { arches, path, text }))
}

/// What is behind [`ORIGIN`] in a line of a file.
pub(super) fn origin(line: &str) -> Option<&str> {
    line.strip_prefix("// ")?.strip_prefix(ORIGIN)
}

impl Present {
    /// The architectures other than `own`, each with the line of the package comment that says where its code comes from.
    pub(in super::super) fn others(&self, own: &str) -> BTreeMap<String, String> {
        let others = self.arches.iter().filter(|arch| *arch != own);
        let with_lines = others.filter_map(|arch| {
            let head = format!("{arch}:");
            let line = self
                .text
                .lines()
                .find_map(|line| origin(line).filter(|rest| rest.starts_with(&head)));
            Some((arch.clone(), format!("{ORIGIN}{}", line?)))
        });
        with_lines.collect()
    }
}

/// Checks that the API of the architectures that are there is that of the package, which is made for `own`.
pub fn agree(present: &Present, package: &GoPackage, own: &str) -> Result<()> {
    let (Some(other), Some(native)) = (
        present.arches.iter().find(|arch| *arch != own),
        package.sources.first(),
    ) else {
        return Ok(());
    };
    let new_text = source(package, native, "");
    let old_lines: Vec<(usize, &str)> = api_lines(&present.text).collect();
    let new_lines: Vec<(usize, &str)> = api_lines(&new_text).collect();
    let end = (0, "(nothing)");
    let at = |lines: &[(usize, &'_ str)], i: usize| lines.get(i).map(|l| l.1.to_string());
    let longest = old_lines.len().max(new_lines.len());
    let Some(i) = (0..longest).find(|&i| at(&old_lines, i) != at(&new_lines, i)) else {
        return Ok(());
    };
    let old = old_lines.get(i).unwrap_or(&end);
    let new = new_lines.get(i).unwrap_or(&end);
    let place = match old.0 {
        0 => present.path.display().to_string(),
        line => format!("{}:{line}", present.path.display()),
    };
    let stem = native.file.trim_end_matches(".go");
    Err(Error::fault(
        Problem::new(format!(
            "the API for linux/{} differs from the one for linux/{other} that the directory holds",
            own
        ))
        .at(place)
        .note(format!("linux/{other} has: {}", old.1.trim()))
        .note(format!("linux/{} has: {}", own, new.1.trim()))
        .help(format!(
            "build both libraries from the same source; to begin anew, remove {stem}_linux_{other}.syso and {stem}_linux_{other}.s"
        )),
    ))
}

/// The lines from the package clause on, which are the same for every architecture, with their numbers from 1.
fn api_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(i, line)| (i + 1, line))
        .skip_while(|(_, line)| !line.starts_with("package "))
}
