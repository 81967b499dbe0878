//! Writing of the files: all or none.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::base::diag::{Error, Kind, Problem, Result};
use crate::base::files::{self, Changes, Entry, MARK};

use super::Place;

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
    let paths: Vec<_> = files.iter().map(|(name, _)| place.dir.join(name)).collect();
    let bytes = files.iter().map(|(_, bytes)| bytes.as_slice());
    let files: Vec<_> = paths.iter().map(PathBuf::as_path).zip(bytes).collect();
    all_or_none(&[&place.dir], (&files, &[]), is_image, HELP)?;
    Ok(paths)
}

/// Writes files of several folders, as [`write`] does, and removes those of an earlier run that are no more.
pub fn write_tree(
    files: &[(PathBuf, Vec<u8>)],
    stale: &[PathBuf],
    is_image: &dyn Fn(&[u8]) -> bool,
) -> Result<()> {
    let folders: BTreeSet<&Path> = files.iter().filter_map(|(path, _)| path.parent()).collect();
    let folders: Vec<&Path> = folders.into_iter().collect();
    let files: Vec<_> = files
        .iter()
        .map(|(path, bytes)| (path.as_path(), bytes.as_slice()))
        .collect();
    all_or_none(
        &folders,
        (&files, stale),
        is_image,
        "move it, or choose another directory with `-o`",
    )
}

/// Writes one text file that begins with the mark, as [`write`] does.
pub fn write_text(path: &Path, text: String) -> Result<()> {
    let name = path.file_name().and_then(|name| name.to_str());
    let (Some(dir), Some(_)) = (path.parent(), name) else {
        let problem = Problem::new("is no name for a file").at(path.display().to_string());
        return Err(Error::fault(problem));
    };
    let files = [(path, text.as_bytes())];
    all_or_none(
        &[dir],
        (&files, &[]),
        &|_| false,
        "move it, or choose another name",
    )
}

fn all_or_none(
    folders: &[&Path],
    (files, stale): (&[(&Path, &[u8])], &[PathBuf]),
    is_image: &dyn Fn(&[u8]) -> bool,
    help: &str,
) -> Result<()> {
    let strangers = files
        .iter()
        .filter_map(|(path, _)| stranger(path, is_image, help))
        .collect();
    Error::check(Kind::Fault, strangers, ())?;
    let mut changes = Changes::default();
    let failed = |path: &Path, e: io::Error| {
        Error::fault(Problem::new(format!("cannot be written: {e}")).at(path.display().to_string()))
    };
    for dir in folders {
        changes.create_dir(dir).map_err(|e| failed(dir, e))?;
    }
    let hidden = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.with_file_name(format!(".{name}.rsyso-{}", std::process::id()))
    };
    let mut fresh = Vec::new();
    for (path, bytes) in files {
        let hidden = hidden(path);
        changes
            .create(&hidden, bytes)
            .map_err(|e| failed(path, e))?;
        fresh.push(hidden);
    }
    for ((path, _), hidden) in files.iter().zip(&fresh) {
        changes.replace(path, hidden).map_err(|e| failed(path, e))?;
    }
    for path in stale {
        let removed = changes.remove(path, &hidden(path));
        removed.map_err(|e| failed(path, e))?;
    }
    changes.commit();
    Ok(())
}

/// The problem with what is at `path`, if it is not ours to replace.
fn stranger(path: &Path, is_image: &dyn Fn(&[u8]) -> bool, help: &str) -> Option<Problem> {
    let problem = |message: String| Problem::new(message).at(path.display().to_string());
    match files::look(path) {
        Ok(Entry::Free) => return None,
        Ok(Entry::Folder) => return Some(problem("is a directory".into())),
        Ok(Entry::File) => {}
        Err(e) => return Some(problem(format!("cannot be looked at: {e}"))),
    }
    let ours = match path.extension().is_some_and(|e| e == "syso" || e == "a") {
        true => files::read(path).map(|bytes| is_image(&bytes)),
        false => files::read_beginning(path, 4096).map(|bytes| {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::files::listing;
    use std::fs;

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
    fn a_directory_in_the_way_is_an_error() {
        let tmp = tempfile::tempdir().expect("a directory");
        fs::create_dir(tmp.path().join("foo.go")).unwrap();
        let error = write(&to(tmp.path()), &files("new"), &image).expect_err("refused");
        assert!(error.to_string().contains("is a directory"), "{error}");
    }
}
