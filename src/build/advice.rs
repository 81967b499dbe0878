//! Why debug information that `build` asks for is not there: what wins over its settings, by name.

use std::env::var_os;
use std::path::{Path, PathBuf};

use crate::base::diag::Error;
use crate::base::files;
use crate::sig::{DEBUG_IN_FULL, DEBUG_UNSPLIT};

/// What cargo was seen to do.
pub(super) struct Seen<'a> {
    /// Where cargo ran.
    pub(super) dir: &'a Path,
    /// The profile.
    pub(super) profile: &'a str,
    /// The target.
    pub(super) target: &'a str,
    /// Crates for which the profile said something else than `build` does.
    pub(super) overridden: &'a [String],
}

/// Puts what really wins into the place of advice that `build` follows already.
pub(super) fn correct(error: &mut Error, seen: &Seen<'_>) {
    for problem in &mut error.problems {
        let Some(help) = &mut problem.help else {
            continue;
        };
        for (asked, words) in [
            (DEBUG_IN_FULL, &["debuginfo", "strip"][..]),
            (DEBUG_UNSPLIT, &["split-debuginfo"]),
        ] {
            if help.contains(asked) {
                *help = help.replace(asked, &seen.advice(words));
            }
        }
    }
}

impl Seen<'_> {
    /// What to do, where flags that mention one of `words` may be at fault.
    fn advice(&self, words: &[&str]) -> String {
        if let Some(flags) = flags(self.dir, self.target, words) {
            return format!("{flags}: it wins over what `rsyso build` sets; take that out");
        }
        let profile = self.profile;
        let tables = self
            .overridden
            .iter()
            .map(|krate| format!("[profile.{profile}.package.{krate}]"))
            .collect::<Vec<_>>();
        match tables.is_empty() {
            false => format!(
                "{} (or its \"*\") sets `debug`: it wins over what `rsyso build` sets; take that out",
                tables.join(", ")
            ),
            true => "`rsyso build` asks for it, so something between cargo and rustc keeps it away, such as a wrapper of rustc, \
                     or the functions come from an object that is built already"
                .to_owned(),
        }
    }
}

/// Flags of rustc's that mention one of `words`, with where they stand. Of the places, the first that has any flags counts
/// (The Cargo Book, "Configuration", `build.rustflags`).
fn flags(dir: &Path, target: &str, words: &[&str]) -> Option<String> {
    let of_target = target.replace('-', "_").to_uppercase();
    let told = |text: &str| {
        words
            .iter()
            .any(|word| text.contains(word))
            .then(|| shown(text))
    };
    for name in ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS"] {
        if let Some(value) = var_os(name) {
            let value = value.to_string_lossy().replace('\x1f', " ");
            return told(&value).map(|text| format!("{name} is `{text}`"));
        }
    }
    let variables = [
        format!("CARGO_TARGET_{of_target}_RUSTFLAGS"),
        "CARGO_BUILD_RUSTFLAGS".to_owned(),
    ];
    let by_variable = variables.iter().find_map(|name| {
        let value = var_os(name)?.to_string_lossy().into_owned();
        told(&value).map(|text| format!("{name} is `{text}`"))
    });
    by_variable.or_else(|| {
        configs(dir).into_iter().find_map(|path| {
            let text = files::read_text(&path).ok()?;
            let line = text.lines().find(|line| {
                words.iter().any(|word| line.contains(word)) && !line.trim_start().starts_with('#')
            })?;
            let (line, path) = (shown(line), path.display());
            text.contains("rustflags")
                .then(|| format!("{path} has `{line}`"))
        })
    })
}

/// The configuration files that cargo reads in a folder, those that win first.
pub(super) fn configs(dir: &Path) -> Vec<PathBuf> {
    let dir = std::path::absolute(dir).unwrap_or_default();
    let folders = dir.ancestors().map(|above| above.join(".cargo"));
    let names = |folder: PathBuf| ["config", "config.toml"].map(|name| folder.join(name));
    folders
        .chain(crate::sig::cargo_home())
        .flat_map(names)
        .collect()
}

/// A text in a line of a message.
fn shown(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(120) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
