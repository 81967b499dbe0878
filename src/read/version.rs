//! Versions of names: `name@VERSION` for one that is kept for programs of old, `name@@VERSION` for the default one (gas manual, ".symver").

use super::Symbol;
use std::borrow::Cow;

/// The default version of a name, `name@@VERSION`, as `name@VERSION` and true; any other name as it is.
pub(super) fn versioned(name: Cow<'_, str>) -> (Cow<'_, str>, bool) {
    // Hardly a name has one.
    if memchr::memchr(b'@', name.as_bytes()).is_none() {
        return (name, false);
    }
    match name.split_once("@@") {
        Some((plain, version)) if !plain.is_empty() => (format!("{plain}@{version}").into(), true),
        _ => (name, false),
    }
}

/// A name without its version.
pub fn plain(name: &str) -> &str {
    match memchr::memchr(b'@', name.as_bytes()) {
        Some(at @ 1..) => &name[..at],
        _ => name,
    }
}

impl Symbol<'_> {
    /// The name without its version.
    pub fn plain(&self) -> &str {
        plain(&self.name)
    }

    /// The names by which others may refer to it: the default version is what a reference without one means.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let plain = self.default_version.then(|| self.plain());
        std::iter::once(&*self.name).chain(plain)
    }
}
