//! The one place that touches the file system. Whoever reads, looks for or writes a file asks here, so that what a run does to a disk can be read in
//! one file; `tests/tool/contributing.rs` holds this true. Only what a path alone can be asked (`is_file`) is asked where it is needed.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// The bytes of a file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path)
}

/// A file as text.
pub fn read_text(path: &Path) -> io::Result<String> {
    fs::read_to_string(path)
}

/// The first bytes of a file, at most `limit`.
pub fn read_beginning(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Bytes of a file; an error for what is no file.
pub fn size(path: &Path) -> io::Result<u64> {
    match fs::metadata(path)? {
        meta if meta.is_file() => Ok(meta.len()),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// The paths in a folder, in no order.
pub fn list(dir: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect()
}

/// What stands at a path; symbolic links are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Nothing.
    Free,
    /// A folder.
    Folder,
    /// A file, or a link to anything.
    File,
}

/// Looks at what stands at a path.
pub fn look(path: &Path) -> io::Result<Entry> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => Ok(Entry::Folder),
        Ok(_) => Ok(Entry::File),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Entry::Free),
        Err(e) => Err(e),
    }
}

/// Adds to the end of a file that is there.
pub fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::OpenOptions::new()
        .append(true)
        .open(path)?
        .write_all(bytes)
}

/// Writes a file, over what is there.
pub fn overwrite(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::write(path, bytes)
}

/// Makes a folder in one that is there.
pub fn make_folder(dir: &Path) -> io::Result<()> {
    fs::create_dir(dir)
}

/// Removes a file.
pub fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}

/// Removes an empty folder.
pub fn remove_folder(dir: &Path) -> io::Result<()> {
    fs::remove_dir(dir)
}

/// One thing that was done.
#[derive(Debug)]
enum Done {
    CreatedDir(PathBuf),
    CreatedFile(PathBuf),
    /// A file moved out of the way: from where, to where.
    SetAside(PathBuf, PathBuf),
}

/// What was done so far; dropped without [`Changes::commit`], it is undone, last things first.
#[derive(Debug, Default)]
pub struct Changes(Vec<Done>);

impl Changes {
    /// Creates a directory and those above it.
    pub fn create_dir(&mut self, dir: &Path) -> io::Result<()> {
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

    /// Creates a file, not over one that is there.
    pub fn create(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = fs::File::create_new(path)?;
        self.0.push(Done::CreatedFile(path.to_path_buf()));
        file.write_all(bytes)?;
        // Some errors, a full disk over NFS among them, show only now.
        file.sync_all()
    }

    /// Moves `new` to `path`; what was there is set aside.
    pub fn replace(&mut self, path: &Path, new: &Path) -> io::Result<()> {
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
    pub fn commit(mut self) {
        for done in self.0.drain(..) {
            if let Done::SetAside(_, aside) = done {
                // All files are in place; a leftover would be hidden from the go command.
                let _ = fs::remove_file(aside);
            }
        }
    }
}

impl Drop for Changes {
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

/// The most memory that this process had since [`forget_peak_memory`], or since it began; none where the system does not tell.
pub fn peak_memory() -> Option<u64> {
    // proc_pid_status(5), VmHWM.
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib << 10)
}

/// Has the system begin anew with what [`peak_memory`] gives. Where it does not, the peak is that of the whole run so far.
pub fn forget_peak_memory() {
    // proc_pid_clear_refs(5), 5. That it may fail is told above.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The names in a folder, sorted.
#[cfg(test)]
pub(crate) fn listing(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).expect("a directory").map(|entry| {
        let name = entry.expect("an entry").file_name();
        name.to_string_lossy().into_owned()
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_while_files_take_their_places_is_undone() {
        let tmp = tempfile::tempdir().expect("a directory");
        let path = |name: &str| tmp.path().join(name);
        fs::write(path("a"), "old a").unwrap();
        let mut undo = Changes::default();
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
}
