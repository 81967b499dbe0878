//! Whether git knows what a `.syso` is; git itself says (git-check-attr(1)).
//!
//! Git guesses by itself that such a file is binary. What it must not do is hand it to LFS: modules that are fetched from a repository hold
//! LFS's pointers then, and do not link. A line in `.gitattributes` settles both.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The line that settles it.
pub const LINE: &str = "*.syso binary -filter";

/// What to tell the user about the `.syso` files among those that were written, which lie in one folder; None when their attributes are in
/// order, when they lie in no git work tree, or without git.
pub fn hint(files: &[PathBuf]) -> Option<String> {
    let sysos = files.iter();
    let sysos: Vec<&Path> = sysos
        .filter(|f| f.extension().is_some_and(|e| e == "syso"))
        .map(PathBuf::as_path)
        .collect();
    let folder = sysos
        .first()?
        .parent()
        .filter(|dir| !dir.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let root = git(folder, &["rev-parse", "--show-toplevel"])?;
    let to = Path::new(root.trim_end()).join(".gitattributes");
    let names = sysos.iter().filter_map(|f| f.file_name()?.to_str());
    let words: Vec<&str> = ["check-attr", "-z", "text", "filter", "--"]
        .into_iter()
        .chain(names)
        .collect();
    let told = git(folder, &words)?;
    // Path, attribute and value, each with a zero byte behind it.
    let fields: Vec<&str> = told.split('\0').collect();
    let values = |attribute: &str| {
        let all = fields.chunks_exact(3).filter(move |f| f[1] == attribute);
        all.map(|f| f[2]).collect::<Vec<_>>()
    };
    // A filter has a name; these say that there is none.
    let none = ["unspecified", "unset", "set"];
    if values("filter").iter().any(|value| !none.contains(value)) {
        return Some(format!(
            "a filter (LFS?) takes .syso files, and then others cannot build the module; end {} with the line `{LINE}`",
            to.display()
        ));
    }
    values("text")
        .iter()
        .any(|value| *value != "unset")
        .then(|| {
            format!(
                "to have git treat .syso files as binary, add the line `{LINE}` to {}",
                to.display()
            )
        })
}

/// What git prints; None when it fails.
fn git(folder: &Path, words: &[&str]) -> Option<String> {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(words).stdin(Stdio::null());
    let output = git.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// The hint about `go/foo.syso` in a work tree with these attributes, by folder.
    fn told(attributes: &[(&str, &str)]) -> Option<String> {
        let tmp = tempfile::tempdir().expect("a temporary directory");
        let go = tmp.path().join("go");
        fs::create_dir_all(&go).expect("mkdir");
        git(tmp.path(), &["init", "--quiet"]).expect("git");
        for (file, text) in attributes {
            let path = tmp.path().join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("mkdir");
            fs::write(path, text).expect("a file");
        }
        let told = hint(&[go.join("foo.go"), go.join("foo.syso")]);
        let root = tmp.path().canonicalize().expect("a path");
        told.map(|t| t.replace(&root.display().to_string(), "ROOT"))
    }

    #[test]
    fn files_that_are_marked_need_no_hint() {
        for marked in [
            LINE,
            "*.syso -text",
            "# all\n*.syso filter=lfs -text\n*.syso binary -filter",
            "/go/* binary",
            "\"go/foo.syso\" binary",
            "* binary",
        ] {
            assert_eq!(told(&[(".gitattributes", marked)]), None, "{marked}");
        }
        assert_eq!(told(&[(".git/info/attributes", LINE)]), None);
        let nearer = [
            (".gitattributes", "* filter=lfs"),
            ("go/.gitattributes", LINE),
        ];
        assert_eq!(told(&nearer), None);
    }

    #[test]
    fn others_get_one() {
        let say = "to have git treat .syso files as binary, add the line `*.syso binary -filter` to ROOT/.gitattributes";
        for unmarked in ["", "*.so binary", "/*.syso binary", "* binary\n* text"] {
            let found = told(&[(".gitattributes", unmarked)]);
            assert_eq!(found.as_deref(), Some(say), "{unmarked}");
        }
        let lfs = told(&[(
            ".gitattributes",
            "*.syso filter=lfs diff=lfs merge=lfs -text",
        )]);
        assert!(lfs.expect("a hint").contains("LFS"));
    }

    #[test]
    fn outside_of_work_trees_nothing_is_said() {
        // Above the system's temporary directory there is none.
        let tmp = tempfile::tempdir().expect("a temporary directory");
        assert_eq!(hint(&[tmp.path().join("foo.syso")]), None);
        assert_eq!(hint(&[PathBuf::from("foo.go")]), None);
    }
}
