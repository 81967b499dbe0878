//! Writing of the files: all or none.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::base::diag::{Error, Kind, Problem, Result};

use super::{MARK, Place};

/// Writes all files or none. What stands in the way must be a file of ours: text with the mark in its first line, or what
/// `is_image` recognises. Gives the paths, in order.
///
/// Each file is written under a hidden name first; only when all are complete do they take their places, and should one fail to, what was
/// there returns.
pub fn write(
    place: &Place,
    files: &[(String, Vec<u8>)],
    is_image: &dyn Fn(&[u8]) -> bool,
) -> Result<Vec<PathBuf>> {
    const HELP: &str =
        "move it, or choose another name with `--stem` or another directory with `-o`";
    all_or_none(&place.dir, files, is_image, HELP)
}

/// Writes one text file that begins with the mark, as [`write`] does.
pub fn write_text(path: &Path, text: String) -> Result<()> {
    let name = path.file_name().and_then(|name| name.to_str());
    let (Some(dir), Some(name)) = (path.parent(), name) else {
        let problem = Problem::new("is no name for a file").at(path.display().to_string());
        return Err(Error::fault(problem));
    };
    let files = [(name.to_owned(), text.into_bytes())];
    all_or_none(dir, &files, &|_| false, "move it, or choose another name").map(|_| ())
}

fn all_or_none(
    dir: &Path,
    files: &[(String, Vec<u8>)],
    is_image: &dyn Fn(&[u8]) -> bool,
    help: &str,
) -> Result<Vec<PathBuf>> {
    let paths: Vec<PathBuf> = files.iter().map(|(name, _)| dir.join(name)).collect();
    let strangers = paths
        .iter()
        .filter_map(|path| stranger(path, is_image, help))
        .collect();
    Error::check(Kind::Fault, strangers, ())?;
    let mut undo = Undo::default();
    let failed = |path: &Path, e: io::Error| {
        Error::fault(Problem::new(format!("cannot be written: {e}")).at(path.display().to_string()))
    };
    undo.create_dir(dir).map_err(|e| failed(dir, e))?;
    let mut fresh = Vec::new();
    for (path, (name, bytes)) in paths.iter().zip(files) {
        let hidden = dir.join(format!(".{name}.rsyso-{}", std::process::id()));
        undo.create(&hidden, bytes).map_err(|e| failed(path, e))?;
        fresh.push(hidden);
    }
    for (path, hidden) in paths.iter().zip(&fresh) {
        undo.replace(path, hidden).map_err(|e| failed(path, e))?;
    }
    undo.commit();
    Ok(paths)
}

/// The problem with what is at `path`, if it is not ours to replace.
fn stranger(path: &Path, is_image: &dyn Fn(&[u8]) -> bool, help: &str) -> Option<Problem> {
    let problem = |message: String| Problem::new(message).at(path.display().to_string());
    match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return None,
        Err(e) => return Some(problem(format!("cannot be looked at: {e}"))),
        Ok(meta) if meta.is_dir() => return Some(problem("is a directory".into())),
        Ok(_) => {}
    }
    let ours = match path.extension().is_some_and(|e| e == "syso") {
        true => fs::read(path).map(|bytes| is_image(&bytes)),
        false => first_bytes(path).map(|bytes| {
            let first = bytes.split(|&b| b == b'\n').next().unwrap_or_default();
            String::from_utf8_lossy(first).contains(MARK)
        }),
    };
    match ours {
        Ok(true) => None,
        Ok(false) => {
            Some(problem("a file that rsyso did not write is in the way".into()).help(help))
        }
        Err(e) => Some(problem(format!("cannot be read: {e}"))),
    }
}

fn first_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(4096).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// One thing that was done.
#[derive(Debug)]
enum Done {
    CreatedDir(PathBuf),
    CreatedFile(PathBuf),
    /// A file moved out of the way: from where, to where.
    SetAside(PathBuf, PathBuf),
}

/// What was done so far; dropped without [`Undo::commit`], it is undone, last things first.
#[derive(Debug, Default)]
struct Undo(Vec<Done>);

impl Undo {
    /// Creates a directory and those above it.
    fn create_dir(&mut self, dir: &Path) -> io::Result<()> {
        if dir.as_os_str().is_empty() || dir.is_dir() {
            return Ok(());
        }
        if let Some(parent) = dir.parent() {
            self.create_dir(parent)?;
        }
        match fs::create_dir(dir) {
            // `a/../b`, or another process was faster.
            Err(_) if dir.is_dir() => Ok(()),
            Err(e) => Err(e),
            Ok(()) => {
                self.0.push(Done::CreatedDir(dir.to_path_buf()));
                Ok(())
            }
        }
    }

    fn create(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = fs::File::create_new(path)?;
        self.0.push(Done::CreatedFile(path.to_path_buf()));
        file.write_all(bytes)?;
        // Some errors, a full disk over NFS among them, show only now.
        file.sync_all()
    }

    /// Moves `new` to `path`.
    fn replace(&mut self, path: &Path, new: &Path) -> io::Result<()> {
        if fs::symlink_metadata(path).is_ok() {
            let mut aside = new.as_os_str().to_os_string();
            aside.push("-old");
            let aside = PathBuf::from(aside);
            fs::rename(path, &aside)?;
            self.0.push(Done::SetAside(path.to_path_buf(), aside));
        }
        fs::rename(new, path)?;
        self.0.push(Done::CreatedFile(path.to_path_buf()));
        Ok(())
    }

    /// Keeps what was done, and removes what was set aside.
    fn commit(mut self) {
        for done in self.0.drain(..) {
            if let Done::SetAside(_, aside) = done {
                // All files are in place; a leftover would be hidden from the go command.
                let _ = fs::remove_file(aside);
            }
        }
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        for done in self.0.drain(..).rev() {
            // An error is being reported already; there is nothing better to do with a second one.
            let _ = match done {
                Done::CreatedDir(dir) => fs::remove_dir(dir),
                Done::CreatedFile(path) => fs::remove_file(path),
                Done::SetAside(path, aside) => fs::rename(aside, path),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &[u8] = b"// Code generated by rsyso convert libfoo.a; DO NOT EDIT.\n";

    fn to(dir: &Path) -> Place {
        Place {
            dir: dir.to_path_buf(),
            stem: "foo".into(),
            package: "foo".into(),
            import_path: None,
        }
    }

    fn image(bytes: &[u8]) -> bool {
        bytes.starts_with(b"image")
    }

    fn files(version: &str) -> Vec<(String, Vec<u8>)> {
        let text = [OURS, version.as_bytes()].concat();
        vec![
            ("foo_linux_amd64.syso".into(), b"image".to_vec()),
            ("foo.go".into(), text),
        ]
    }

    fn listing(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .expect("a directory")
            .map(|e| {
                e.expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_directory_is_made_and_files_are_replaced() {
        let tmp = tempfile::tempdir().expect("a directory");
        let dir = tmp.path().join("a/b");
        let paths = write(&to(&dir), &files("one"), &image).expect("written");
        assert_eq!(
            paths,
            [dir.join("foo_linux_amd64.syso"), dir.join("foo.go")]
        );
        write(&to(&dir), &files("two"), &image).expect("written again");
        assert_eq!(listing(&dir), ["foo.go", "foo_linux_amd64.syso"]);
        assert!(
            fs::read_to_string(dir.join("foo.go"))
                .unwrap()
                .ends_with("two")
        );
    }

    #[test]
    fn a_strangers_file_stays_as_it_is() {
        for (name, bytes) in [
            ("foo.go", &b"package foo\n// Code generated by rsyso\n"[..]),
            ("foo.go", b""),
            ("foo_linux_amd64.syso", b"\x7fELF"),
        ] {
            let tmp = tempfile::tempdir().expect("a directory");
            fs::write(tmp.path().join(name), bytes).expect("a file");
            let error = write(&to(tmp.path()), &files("new"), &image).expect_err("refused");
            assert!(error.to_string().contains(name), "{error}");
            assert_eq!(error.kind, Kind::Fault);
            assert_eq!(listing(tmp.path()), [name]);
            assert_eq!(fs::read(tmp.path().join(name)).unwrap(), bytes);
        }
    }

    #[test]
    fn a_failure_half_way_leaves_all_as_it_was() {
        let tmp = tempfile::tempdir().expect("a directory");
        write(&to(tmp.path()), &files("old"), &image).expect("written");
        let mut more = files("new");
        // Its hidden file cannot be made: there is no such directory.
        more.push(("none/x.go".into(), OURS.to_vec()));
        write(&to(tmp.path()), &more, &image).expect_err("fails");
        assert_eq!(listing(tmp.path()), ["foo.go", "foo_linux_amd64.syso"]);
        assert!(
            fs::read_to_string(tmp.path().join("foo.go"))
                .unwrap()
                .ends_with("old")
        );
        let made = tmp.path().join("made/deep");
        write(&to(&made), &more, &image).expect_err("fails");
        assert!(!tmp.path().join("made").exists());
    }

    #[test]
    fn a_failure_while_files_take_their_places_is_undone() {
        let tmp = tempfile::tempdir().expect("a directory");
        let path = |name: &str| tmp.path().join(name);
        fs::write(path("a"), "old a").unwrap();
        let mut undo = Undo::default();
        undo.create(&path(".a"), b"new a").unwrap();
        undo.create(&path(".b"), b"new b").unwrap();
        undo.replace(&path("a"), &path(".a")).unwrap();
        undo.replace(&path("b"), &path(".b")).unwrap();
        assert_eq!(fs::read(path("a")).unwrap(), b"new a");
        undo.replace(&path("c"), &path(".missing"))
            .expect_err("fails");
        drop(undo);
        assert_eq!(listing(tmp.path()), ["a"]);
        assert_eq!(fs::read(path("a")).unwrap(), b"old a");
    }

    #[test]
    fn a_directory_in_the_way_is_an_error() {
        let tmp = tempfile::tempdir().expect("a directory");
        fs::create_dir(tmp.path().join("foo.go")).unwrap();
        let error = write(&to(tmp.path()), &files("new"), &image).expect_err("refused");
        assert!(error.to_string().contains("is a directory"), "{error}");
    }
}
