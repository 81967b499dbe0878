//! Included files: where they are found, and where an include may stand.

use std::path::{Path, PathBuf};

use super::super::decl::Missing;
use super::super::lexical::Scanner;
use super::super::read_text;
use super::{File, Reader};
use crate::base::files;

/// Files in files; more means that they include each other. A compiler's own limit is 200.
const DEPTH_LIMIT: u32 = 64;

/// Files of one header in all.
const FILES_LIMIT: usize = 10_000;

/// A file, whatever way leads to it.
pub(super) fn identity(path: &Path) -> PathBuf {
    files::canonical(path).unwrap_or_else(|_| path.to_path_buf())
}

impl Reader<'_, '_> {
    /// Reads a file that is beside this one or in a folder of `-I`. One in quotes that is nowhere is told of only where something is missing:
    /// hand-written headers include their project's others for what a signature does not need. One of the system is not looked for.
    pub(super) fn include(&mut self, rest: &str, line: usize) {
        if !self.boundary.between_declarations() {
            return self.problem("an `#include` in the middle of a declaration", line);
        }
        let quoted = rest.strip_prefix('"').and_then(|r| r.split_once('"'));
        let angled = rest.strip_prefix('<').and_then(|r| r.split_once('>'));
        let (Some((name, _)), beside) = (quoted.or(angled), quoted.is_some()) else {
            return self.problem(format!("the include `{rest}` cannot be read"), line);
        };
        let beside = self.path.and_then(Path::parent).filter(|_| beside);
        let folders = self.run.options.include_dirs.iter().map(PathBuf::as_path);
        let places = beside.into_iter().chain(folders).map(|dir| dir.join(name));
        let Some(path) = places.into_iter().find(|path| path.is_file()) else {
            if quoted.is_some() {
                self.run
                    .missing
                    .push(Missing::File(name.to_owned(), self.out.source(line)));
            }
            return;
        };
        if self.run.once.contains(&identity(&path)) {
            return;
        }
        self.run.included += 1;
        if self.depth >= DEPTH_LIMIT || self.run.included > FILES_LIMIT {
            return self.problem(format!("`{name}` is included without end"), line);
        }
        match files::read(&path) {
            Ok(bytes) => match read_text(name, &bytes) {
                Ok(text) => {
                    let path = Some(path.as_path());
                    self.run.file(&File { name, path, text }, self.depth + 1);
                }
                Err(problem) => self.run.problems.push(problem),
            },
            Err(e) => self.problem(format!("`{name}` cannot be read: {e}"), line),
        }
    }
}

/// Follows where in the declarations of a file a place is.
#[derive(Default)]
pub(super) struct Boundary {
    state: Scanner,
    in_comment: bool,
    /// Braces that are open.
    depth: u32,
    /// What was begun since the last declaration ended.
    begun: String,
}

impl Boundary {
    /// Goes over a text that counts.
    pub fn pass(&mut self, text: &str) {
        for (at, c) in text.char_indices() {
            let code = self.state.in_code(self.in_comment);
            self.in_comment =
                self.state
                    .step(c, text.get(at..).unwrap_or_default(), self.in_comment);
            if !code || !self.state.in_code(self.in_comment) {
                continue;
            }
            match c {
                '{' => self.depth += 1,
                '}' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            match c {
                ';' | '}' => self.begun.clear(),
                c => self.begun.push(c),
            }
        }
    }

    /// Whether a declaration has ended here and no other begun.
    pub fn between_declarations(&self) -> bool {
        self.depth == 0 && self.begun.trim().is_empty()
    }
}
