//! The import path of a directory, from the nearest go.mod above it.

use crate::base::files;
use std::path::{Component, Path, PathBuf};

/// The import path of the package in `dir`, which need not exist yet. None when no go.mod is found, or none that names a module.
pub(super) fn import_path(dir: &Path) -> Option<String> {
    let dir = resolved(dir)?;
    for root in dir.ancestors() {
        // The go command looks no further than the nearest one (go.dev/ref/mod, "Main modules").
        let Ok(text) = files::read_text(&root.join("go.mod")) else {
            continue;
        };
        let mut path = module(&text)?;
        for part in dir.strip_prefix(root).ok()?.components() {
            let Component::Normal(part) = part else {
                return None;
            };
            path.push('/');
            path.push_str(part.to_str()?);
        }
        return is_import_path(&path).then_some(path);
    }
    None
}

/// Absolute and without symbolic links, as far as the directory exists.
fn resolved(dir: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(dir).ok()?;
    for existing in absolute.ancestors() {
        if let Ok(real) = existing.canonicalize() {
            let rest = absolute.strip_prefix(existing).ok()?;
            return Some(real.join(rest));
        }
    }
    None
}

/// The path in the module directive, which may stand in a block and be quoted (go.dev/ref/mod, "go.mod files: Lexical elements").
fn module(text: &str) -> Option<String> {
    let mut in_block = false;
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default().trim();
        let rest = match line.strip_prefix("module") {
            Some(rest)
                if rest
                    .starts_with(|c: char| c.is_whitespace() || matches!(c, '"' | '`' | '(')) =>
            {
                rest.trim()
            }
            _ if in_block && !line.is_empty() => line,
            _ => continue,
        };
        if let Some(inside) = rest.strip_prefix('(') {
            in_block = true;
            if inside.trim().is_empty() {
                continue;
            }
        }
        let quoted = ['"', '`']
            .iter()
            .find_map(|&q| rest.strip_prefix(q)?.strip_suffix(q));
        return Some(quoted.unwrap_or(rest).to_string()).filter(|p| is_import_path(p));
    }
    None
}

/// Whether the go command takes it as an import path (golang.org/x/mod/module, CheckImportPath).
pub(super) fn is_import_path(path: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && !part.ends_with('.')
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~+".contains(&b))
    };
    !path.starts_with('-') && path.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_directive_is_found() {
        for (text, path) in [
            ("module example.com/m\n\ngo 1.21\n", Some("example.com/m")),
            (
                "// a comment\nmodule example.com/m // another\n",
                Some("example.com/m"),
            ),
            ("module \"example.com/m\"\n", Some("example.com/m")),
            ("module\t`example.com/m`\r\n", Some("example.com/m")),
            ("module (\n\texample.com/m\n)\n", Some("example.com/m")),
            ("go 1.21\n", None),
            ("modules x\n", None),
            ("module\n", None),
            ("module a b\n", None),
            ("", None),
        ] {
            assert_eq!(module(text).as_deref(), path, "{text:?}");
        }
    }

    #[test]
    fn the_nearest_module_gives_the_path() {
        let tmp = tempfile::tempdir().expect("a temporary directory");
        let root = tmp.path();
        std::fs::create_dir_all(root.join("in/ner")).expect("mkdir");
        std::fs::write(root.join("go.mod"), "module example.com/outer\n").expect("go.mod");
        std::fs::write(root.join("in/go.mod"), "module example.com/inner\n").expect("go.mod");
        let path = |dir: &str| import_path(&root.join(dir));
        assert_eq!(path(".").as_deref(), Some("example.com/outer"));
        assert_eq!(path("a/b").as_deref(), Some("example.com/outer/a/b"));
        assert_eq!(path("in/ner").as_deref(), Some("example.com/inner/ner"));
        assert_eq!(path("in/../x").as_deref(), Some("example.com/outer/x"));
        assert_eq!(path("no good"), None);
    }

    #[test]
    fn import_paths_are_checked() {
        for good in ["foo", "example.com/a-b/c_d", "gopkg.in/yaml.v3", "a/~b+c"] {
            assert!(is_import_path(good), "{good}");
        }
        for bad in [
            "", "/a", "a/", "a//b", "./a", "a/..", "a b", "a.", "-a", "a\\b", "ä",
        ] {
            assert!(!is_import_path(bad), "{bad}");
        }
    }
}
