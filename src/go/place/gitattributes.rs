//! Whether git knows what a `.syso` is: gitattributes(5), as far as it takes to give a hint.
//!
//! Git guesses by itself that such a file is binary. What it must not do is hand it to LFS: modules that are fetched from a repository hold
//! LFS's pointers then, and do not link. A line in `.gitattributes` settles both.

use std::path::{Path, PathBuf};

use globset::GlobBuilder;

/// The line that settles it.
pub const LINE: &str = "*.syso binary -filter";

/// What the attributes say of one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Marks {
    /// `-text`, which `binary` implies.
    binary: bool,
    /// A filter, such as LFS's, changes what is stored.
    filter: bool,
}

/// What to tell the user about the `.syso` files among those that were written; None when their attributes are in order, or
/// when they lie in no git work tree.
pub fn hint(files: &[PathBuf]) -> Option<String> {
    let mut sysos = files
        .iter()
        .filter(|f| f.extension().is_some_and(|e| e == "syso"));
    let (root, marks) = sysos.find_map(|file| {
        let (root, marks) = marks(file)?;
        (marks.filter || !marks.binary).then_some((root, marks))
    })?;
    let to = root.join(".gitattributes");
    Some(match marks.filter {
        true => format!(
            "a filter (LFS?) takes .syso files, and then others cannot build the module; end {} with the line `{LINE}`",
            to.display()
        ),
        false => format!(
            "to have git treat .syso files as binary, add the line `{LINE}` to {}",
            to.display()
        ),
    })
}

/// The work tree of a file and what its attributes say of the file. None outside of work trees.
fn marks(file: &Path) -> Option<(PathBuf, Marks)> {
    let file = file.canonicalize().ok()?;
    let folders: Vec<&Path> = file.ancestors().skip(1).collect();
    // A folder in a clone, a file in a submodule and in `git worktree add`.
    let top = folders.iter().position(|dir| dir.join(".git").exists())?;
    let root = *folders.get(top)?;
    let mut marks = Marks::default();
    // Later lines win, and nearer files; `info/attributes` over all (gitattributes(5), "DESCRIPTION").
    let near = folders.get(..=top)?.iter().rev();
    for dir in near {
        apply(&dir.join(".gitattributes"), dir, &file, &mut marks);
    }
    apply(&root.join(".git/info/attributes"), root, &file, &mut marks);
    Some((root.to_path_buf(), marks))
}

/// Applies the lines of an attributes file whose patterns are relative to `dir`.
fn apply(attributes: &Path, dir: &Path, file: &Path, marks: &mut Marks) {
    let (Ok(bytes), Ok(path)) = (std::fs::read(attributes), file.strip_prefix(dir)) else {
        return;
    };
    for line in String::from_utf8_lossy(&bytes).lines() {
        let Some((pattern, attributes)) = split(line) else {
            continue;
        };
        if !matches(&pattern, path) {
            continue;
        }
        for attribute in attributes.split_ascii_whitespace() {
            match attribute {
                "binary" | "-text" => marks.binary = true,
                "-binary" | "!binary" | "text" | "!text" => marks.binary = false,
                "filter" | "-filter" | "!filter" => marks.filter = false,
                other if other.starts_with("text=") => marks.binary = false,
                other if other.starts_with("filter=") => marks.filter = true,
                _ => {}
            }
        }
    }
}

/// The pattern of a line, which may be quoted as in C, and its attributes. None for comments and for definitions of macros.
fn split(line: &str) -> Option<(String, &str)> {
    let line = line.trim_start_matches([' ', '\t']);
    if line.is_empty() || line.starts_with('#') || line.starts_with("[attr]") {
        return None;
    }
    if let Some(quoted) = line.strip_prefix('"') {
        let mut pattern = String::new();
        let mut chars = quoted.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => return Some((pattern, quoted.get(at + 1..)?)),
                '\\' => pattern.push(chars.next()?.1),
                c => pattern.push(c),
            }
        }
        return None;
    }
    let end = line.find([' ', '\t']).unwrap_or(line.len());
    let (pattern, attributes) = line.split_at_checked(end)?;
    Some((pattern.to_string(), attributes))
}

/// Whether a pattern matches a path (gitignore(5), "PATTERN FORMAT"; one that ends in a slash matches no file).
fn matches(pattern: &str, path: &Path) -> bool {
    if pattern.ends_with('/') || pattern.starts_with('!') {
        return false;
    }
    let name = path.file_name().map(Path::new).unwrap_or(path);
    let (pattern, subject) = match pattern.contains('/') {
        true => (pattern.strip_prefix('/').unwrap_or(pattern), path),
        false => (pattern, name),
    };
    GlobBuilder::new(pattern)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .is_ok_and(|glob| glob.compile_matcher().is_match(subject))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// The hint about `go/foo.syso` in a work tree with these attributes, by folder.
    fn told(attributes: &[(&str, &str)]) -> Option<String> {
        let tmp = tempfile::tempdir().expect("a temporary directory");
        let go = tmp.path().join("go");
        fs::create_dir_all(tmp.path().join(".git/info")).expect("mkdir");
        fs::create_dir_all(&go).expect("mkdir");
        for (file, text) in attributes {
            fs::write(tmp.path().join(file), text).expect("a file");
        }
        let file = go.join("foo.syso");
        fs::write(&file, "").expect("a file");
        let told = hint(&[go.join("foo.go"), file]);
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
            "**/*.syso binary",
            "\"go/foo.syso\" binary",
            "* binary",
        ] {
            assert_eq!(told(&[(".gitattributes", marked)]), None, "{marked}");
        }
        assert_eq!(told(&[(".git/info/attributes", LINE)]), None);
        assert_eq!(told(&[("go/.gitattributes", LINE)]), None);
        let nearer = [
            (".gitattributes", "* filter=lfs"),
            ("go/.gitattributes", LINE),
        ];
        assert_eq!(told(&nearer), None);
    }

    #[test]
    fn others_get_one() {
        let say = "to have git treat .syso files as binary, add the line `*.syso binary -filter` to ROOT/.gitattributes";
        for unmarked in [
            "",
            "*.so binary",
            "go/ binary",
            "/*.syso binary",
            "[attr]syso binary",
        ] {
            let found = told(&[(".gitattributes", unmarked)]);
            assert_eq!(found.as_deref(), Some(say), "{unmarked}");
        }
        for text in ["* binary\n* text", "* binary\n* text=auto"] {
            assert!(told(&[(".gitattributes", text)]).is_some(), "{text}");
        }
        let lfs = told(&[(
            ".gitattributes",
            "*.syso filter=lfs diff=lfs merge=lfs -text",
        )]);
        assert!(lfs.expect("a hint").contains("LFS"));
    }

    #[test]
    fn outside_of_work_trees_nothing_is_said() {
        let tmp = tempfile::tempdir().expect("a temporary directory");
        let file = tmp.path().join("foo.syso");
        fs::write(&file, "").expect("a file");
        assert_eq!(hint(&[file]), None);
    }
}
