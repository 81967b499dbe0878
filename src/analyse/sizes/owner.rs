//! To whom a function or variable belongs, told from its name.
//!
//! The rule: a function belongs to the crate that wrote its code. For `a::b::f` and its generic instances, whoever made them, that is
//! `a`. For `<T as Trait>::f` it is the crate of `T` or of `Trait`: Rust's orphan rule leaves no others, except for a parameter of
//! either. Names do not tell which of the two, so the rule decides for `T`, unless `T` is no path or comes with rustc.

use crate::link::exports::SYSROOT;

/// The crate and module of a Rust name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub krate: String,
    /// Joined by `::`; empty at the top of the crate.
    pub module: String,
}

/// Whether a crate comes with rustc.
pub(super) fn in_sysroot(krate: &str) -> bool {
    SYSROOT.contains(&krate)
}

/// The owner of a demangled Rust name. None for what looks like no path.
pub(super) fn owner(name: &str) -> Option<Owner> {
    let parts = split(name, "::");
    let first = parts.first()?;
    match first.strip_prefix('<').and_then(|f| f.strip_suffix('>')) {
        Some(inner) => qualified(inner),
        None if parts.len() > 1 => of_path(&parts),
        None => None,
    }
}

/// The owner of what stands in `<T>` or `<T as Trait>`.
fn qualified(inner: &str) -> Option<Owner> {
    let mut halves = split(inner, " as ").into_iter().map(of_type);
    let of_type = halves.next().flatten();
    match (of_type, halves.next().flatten()) {
        (Some(ty), Some(tr)) if in_sysroot(&ty.krate) && !in_sysroot(&tr.krate) => Some(tr),
        (Some(owner), _) | (None, Some(owner)) => Some(owner),
        // The methods of primitive types are core's, but for a few of alloc's.
        (None, None) => Some(Owner {
            krate: "core".to_owned(),
            module: String::new(),
        }),
    }
}

/// The owner of a type or trait. None for primitive types, parameters, references, slices and the like.
fn of_type(text: &str) -> Option<Owner> {
    let text = text.strip_prefix("dyn ").unwrap_or(text);
    let parts = split(text, "::");
    match parts.len() {
        0 | 1 => None,
        _ => of_path(&parts),
    }
}

fn of_path(parts: &[&str]) -> Option<Owner> {
    let krate = parts.first().filter(|p| is_identifier(p))?;
    // `f::<T>` is one name; `<impl Trait for T>::f` are two.
    let arguments = |p: &str| p.starts_with('<') && !p.starts_with("<impl ");
    let names = parts.iter().filter(|p| !arguments(p)).count();
    let inner = parts.get(1..names.saturating_sub(1)).unwrap_or_default();
    // Types and traits are written in capitals, blocks and closures in braces: neither is a module.
    let module = inner
        .iter()
        .take_while(|p| is_identifier(p) && !p.starts_with(char::is_uppercase));
    Some(Owner {
        krate: krate.to_string(),
        module: module.copied().collect::<Vec<_>>().join("::"),
    })
}

fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    let first = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    first && chars.all(|c| c.is_alphanumeric() || c == '_')
}

/// Cuts where `separator` stands outside of all brackets.
fn split<'t>(text: &'t str, separator: &str) -> Vec<&'t str> {
    let mut parts = Vec::new();
    let (mut depth, mut from, mut skip) = (0u32, 0, 0);
    let mut before = '\0';
    for (at, c) in text.char_indices() {
        match c {
            '<' | '(' | '[' | '{' => depth += 1,
            // The arrow of `fn() -> T` closes nothing.
            '>' if before == '-' => {}
            '>' | ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 && at >= skip && text[at..].starts_with(separator) => {
                parts.push(&text[from..at]);
                from = at + separator.len();
                skip = from;
            }
            _ => {}
        }
        before = c;
    }
    parts.push(&text[from..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_belong_to_the_crate_that_wrote_them() {
        let table = [
            // A plain path; types and closures are no modules.
            ("regex::new", "regex", ""),
            (
                "regex_automata::dfa::dense::Builder::new",
                "regex_automata",
                "dfa::dense",
            ),
            ("text::words::count::{{closure}}", "text", "words::count"),
            ("foo::{impl#0}::bar::baz", "foo", ""),
            // Generic instances, legacy and v0.
            ("core::ptr::drop_in_place<foo::bar::S>", "core", "ptr"),
            (
                "core::slice::sort::stable::<foo::S, fn(&foo::S) -> bool>",
                "core",
                "slice::sort",
            ),
            (
                "core::fmt::num::<impl core::fmt::Display for u32>::fmt",
                "core",
                "fmt::num",
            ),
            // Methods of a type.
            ("<std::sys::fs::File>::open::<&str>", "std", "sys::fs"),
            ("<[u8]>::to_vec", "core", ""),
            ("<dyn foo::err::Error>::is::<foo::A>", "foo", "err"),
            // Methods of a trait.
            ("<foo::a::S as core::fmt::Debug>::fmt", "foo", "a"),
            ("<alloc::string::String as foo::ext::Tr>::go", "foo", "ext"),
            (
                "<alloc::vec::Vec<foo::S> as core::ops::drop::Drop>::drop",
                "alloc",
                "vec",
            ),
            ("<&foo::S as core::fmt::Debug>::fmt", "core", "fmt"),
            ("<T as foo::Tr>::go", "foo", ""),
            ("<foo::F<A as B> as bar::Tr<fn() -> C>>::go", "foo", ""),
        ];
        for (name, krate, module) in table {
            let found = owner(name).map(|o| (o.krate, o.module));
            assert_eq!(found, Some((krate.to_owned(), module.to_owned())), "{name}");
        }
    }

    #[test]
    fn other_names_have_no_owner() {
        for name in ["", "memcpy", "::", "<", "a b::c", "1::2", "::x"] {
            assert!(
                owner(name).is_none_or(|o| !o.krate.is_empty()),
                "{name}: {:?}",
                owner(name)
            );
        }
        assert_eq!(owner("memcpy"), None);
        assert_eq!(owner("->>>)::f"), None);
    }
}
