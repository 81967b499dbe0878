//! All targets or none: what the folder held comes back when a later target cannot be converted.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::base::diag::{Error, Problem, Result};
use crate::base::files;

/// The files of a package as they were.
pub(super) struct Before {
    files: BTreeMap<PathBuf, Vec<u8>>,
    /// Folders that were not there, the innermost first.
    absent: Vec<PathBuf>,
}

impl Before {
    /// Remembers what could be overwritten. With one target there is nothing to do: `convert` writes all of its files or none.
    pub(super) fn take(dir: &Path, targets: usize) -> Result<Before> {
        let mut before = Before {
            files: BTreeMap::new(),
            absent: Vec::new(),
        };
        if targets < 2 {
            return Ok(before);
        }
        let absent = dir
            .ancestors()
            .take_while(|d| !d.as_os_str().is_empty() && !d.exists());
        before.absent = absent.map(Path::to_path_buf).collect();
        if before.absent.is_empty() {
            before.read(dir).map_err(|e| {
                let problem = Problem::new(format!("cannot be read: {e}"));
                Error::fault(problem.at(dir.display().to_string()))
            })?;
        }
        Ok(before)
    }

    fn read(&mut self, dir: &Path) -> io::Result<()> {
        for path in files::list(dir)? {
            let ours = path
                .extension()
                .is_some_and(|e| e == "syso" || e == "s" || e == "go" || e == "a");
            if ours && path.is_file() {
                let bytes = files::read(&path)?;
                self.files.insert(path, bytes);
            }
        }
        Ok(())
    }

    /// Takes back the files that were written since. What cannot be taken back is told.
    pub(super) fn restore<'f>(&self, written: impl Iterator<Item = &'f PathBuf>) -> Vec<Problem> {
        let mut problems = Vec::new();
        for path in written {
            let done = match self.files.get(path) {
                Some(bytes) => files::overwrite(path, bytes),
                None => match files::remove(path) {
                    // Files that several targets share are named by each.
                    Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
                    done => done,
                },
            };
            if let Err(e) = done {
                let problem = Problem::new(format!("cannot be put back as it was: {e}"));
                problems.push(problem.at(path.display().to_string()));
            }
        }
        for dir in &self.absent {
            // Not empty: somebody else's file is in it by now.
            let _ = files::remove_folder(dir);
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_was_there_comes_back() {
        let tmp = tempfile::tempdir().expect("a temporary directory");
        let path = |name: &str| tmp.path().join(name);
        fs::write(path("old.go"), "old").expect("a file");
        fs::write(path("notes.txt"), "mine").expect("a file");
        let before = Before::take(tmp.path(), 2).expect("readable");
        for name in ["old.go", "new.syso"] {
            fs::write(path(name), "new").expect("a file");
        }
        let written = [path("old.go"), path("new.syso"), path("new.syso")];
        assert_eq!(before.restore(written.iter()), []);
        assert_eq!(fs::read(path("old.go")).ok(), Some(b"old".to_vec()));
        assert!(!path("new.syso").exists() && path("notes.txt").exists());
    }

    #[test]
    fn folders_that_were_made_go_away() {
        let tmp = tempfile::tempdir().expect("a temporary directory");
        let dir = tmp.path().join("a/b");
        let before = Before::take(&dir, 2).expect("nothing there");
        fs::create_dir_all(&dir).expect("mkdir");
        let file = dir.join("new.go");
        fs::write(&file, "new").expect("a file");
        assert_eq!(before.restore([file].iter()), []);
        assert!(!tmp.path().join("a").exists() && tmp.path().exists());
    }
}
