//! Which functions and statics are exported: the unmangled global ones of the library's own Rust crates.

use super::SecRef;
use super::symbols::{duplicate, is_mangled};
use crate::base::diag::{Error, Kind, Problem, Result};
use crate::base::globs;
use crate::read::{Bind, Def, Object, Symbol, SymbolKind, Visibility};
use crate::sig::rules::owned::FREE;
use std::collections::BTreeMap;

/// An exported function or static, and where it is defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its symbol.
    pub symbol: String,
    /// Index of the object.
    pub obj: u32,
    /// ELF section index.
    pub section: u32,
    /// Bytes from the section's start.
    pub offset: u64,
    /// Whether it is data: Go is given its address.
    pub is_static: bool,
}

impl Export {
    /// The section that holds it.
    pub fn at(&self) -> SecRef {
        SecRef {
            obj: self.obj,
            sec: self.section,
        }
    }
}

/// Crates that come with rustc: what they export is not the library's own.
pub const SYSROOT: &[&str] = &[
    "alloc",
    "compiler_builtins",
    "core",
    "panic_abort",
    "panic_unwind",
    "proc_macro",
    "profiler_builtins",
    "std",
    "std_detect",
    "sysroot",
    "test",
    "unwind",
];

/// Finds the exports, narrowed by `globs` if there are any, sorted by name. Where no object says that it is of the library's own crates (they may be
/// stripped of everything but symbols), these are what headers declare. As in a `.gitignore`, a glob after a `!` takes back, and the last that
/// matches counts; if the first one takes back, it does so from all of the library's own.
pub fn find(
    objects: &[Object<'_>],
    globs: &[String],
    declares: &dyn Fn(&str, bool) -> bool,
) -> Result<Vec<Export>> {
    let mut own: BTreeMap<&str, Vec<Export>> = BTreeMap::new();
    let mut others: BTreeMap<&str, Vec<Export>> = BTreeMap::new();
    for (obj, object) in objects.iter().enumerate() {
        let is_own = is_own_crate(object);
        for symbol in object
            .symbols
            .iter()
            .filter(|s| is_exported(s) && !is_internal(&s.name))
        {
            let Def::Section(section) = symbol.def else {
                continue;
            };
            // A version that is not the default is for programs that were linked when it was.
            let Some(name) = symbol.names().last().filter(|name| !name.contains('@')) else {
                continue;
            };
            let export = Export {
                symbol: name.to_owned(),
                obj: obj as u32,
                section,
                offset: symbol.value,
                is_static: symbol.kind == SymbolKind::Object,
            };
            let list = if is_own && !is_glue(name) {
                &mut own
            } else {
                &mut others
            };
            list.entry(name).or_default().push(export);
        }
    }
    if own.is_empty() {
        let declared = |name: &str, found: &[Export]| {
            let mut found = found.iter();
            found.any(|export| declares(name, export.is_static))
        };
        let declared = others.extract_if(.., |name, found| declared(name, found));
        own = declared.collect();
    }
    let chosen = if globs.is_empty() {
        own
    } else {
        choose(own, others, globs)?
    };
    if chosen.is_empty() {
        return Err(Error::fault(
            Problem::new("the library exports no functions")
                .note("exported are unmangled global functions of the library's own Rust crates")
                .help(
                    "export a Rust function, as here; or name C functions with --export, or in a header with --header\n\
                     #[unsafe(no_mangle)]\n\
                     pub extern \"C\" fn count_words(text: &str) -> usize { text.split_whitespace().count() }",
                ),
        ));
    }
    one_each(objects, chosen)
}

/// Keeps what the globs ask for. A name without wildcards may be any function; a pattern looks among the library's own first.
fn choose<'a>(
    own: BTreeMap<&'a str, Vec<Export>>,
    others: BTreeMap<&'a str, Vec<Export>>,
    globs: &[String],
) -> Result<BTreeMap<&'a str, Vec<Export>>> {
    let mut chosen = match globs.first() {
        Some(first) if first.starts_with('!') => own.clone(),
        _ => BTreeMap::new(),
    };
    let mut problems = Vec::new();
    for text in globs {
        let glob = match globs::parse("--export", text) {
            Ok(glob) => glob,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let matching = |list: &BTreeMap<&'a str, Vec<Export>>| -> Vec<(&'a str, Vec<Export>)> {
            let hits = list.iter().filter(|(name, _)| glob.matcher.is_match(name));
            hits.map(|(name, e)| (*name, e.clone())).collect()
        };
        let mut found = matching(&own);
        if found.is_empty() {
            found = matching(&others);
        }
        if found.is_empty() {
            problems.push(nothing_matches(text, &own));
        }
        if glob.takes {
            chosen.extend(found);
        } else {
            chosen.retain(|name, _| !glob.matcher.is_match(name));
        }
    }
    if chosen.is_empty() && problems.is_empty() {
        problems.push(
            Problem::new("--export leaves no function")
                .help("of several globs that match a function, the last counts"),
        );
    }
    Error::check(Kind::Fault, problems, chosen)
}

fn nothing_matches(text: &str, own: &BTreeMap<&str, Vec<Export>>) -> Problem {
    let names: Vec<_> = own.keys().take(8).copied().collect();
    let problem = Problem::new(format!("--export {text}: the library has no such function"));
    match names.len() {
        0 => problem.help("mark functions with #[unsafe(no_mangle)] pub extern \"C\""),
        n if n < own.len() => {
            problem.help(format!("it exports, among others: {}", names.join(", ")))
        }
        _ => problem.help(format!("it exports: {}", names.join(", "))),
    }
}

/// A strong definition wins over weak ones; two strong ones are an error that names both.
fn one_each(objects: &[Object<'_>], found: BTreeMap<&str, Vec<Export>>) -> Result<Vec<Export>> {
    let mut exports = Vec::new();
    let mut problems = Vec::new();
    for (name, mut list) in found {
        let strong = |e: &Export| {
            let object = &objects[e.obj as usize];
            object
                .symbols_of(e.section)
                .any(|s| s.bind == Bind::Global && s.names().any(|n| n == name))
        };
        list.sort_by_key(|e| !strong(e));
        if let [first, second, ..] = list.as_slice()
            && strong(second)
        {
            let name_of = |e: &Export| objects[e.obj as usize].name.clone();
            problems.push(duplicate(name, &name_of(first), &name_of(second)));
        }
        exports.extend(list.into_iter().next());
    }
    Error::check(Kind::Fault, problems, exports)
}

/// Whether an object is of a crate that is the library's own.
pub fn is_own_crate(object: &Object<'_>) -> bool {
    object.rustc.is_some() && !is_sysroot(object)
}

/// Whether an object is of a crate that comes with rustc.
pub fn is_sysroot(object: &Object<'_>) -> bool {
    let krate = object.krate.as_deref();
    krate.is_some_and(|k| SYSROOT.contains(&k))
}

fn is_exported(symbol: &Symbol<'_>) -> bool {
    matches!(symbol.kind, SymbolKind::Func | SymbolKind::Object)
        && symbol.bind != Bind::Local
        && symbol.visibility == Visibility::Default
        && !is_mangled(&symbol.name)
}

/// Names that Rust itself asks of a library (panic handlers, allocator shims, personality), and the entry point.
pub fn is_glue(name: &str) -> bool {
    // Before 1.87 the names of the allocator's functions were not mangled (rustc_ast::expand::allocator).
    let prefixes = ["__rust", "rust_", "__rdl_", "__rg_"];
    prefixes.iter().any(|prefix| name.starts_with(prefix)) || name == "main" || name == "_start"
}

/// What generated Go calls by itself: no function of the package.
fn is_internal(name: &str) -> bool {
    name == FREE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&'static str]) -> BTreeMap<&'static str, Vec<Export>> {
        names.iter().map(|name| (*name, Vec::new())).collect()
    }

    fn chosen(globs: &[&str]) -> Result<Vec<&'static str>> {
        let globs: Vec<_> = globs.iter().map(|g| g.to_string()).collect();
        let own = named(&["db_get", "db_len", "now"]);
        let found = choose(own, named(&["c_crc", "db_c"]), &globs)?;
        Ok(found.into_keys().collect())
    }

    #[test]
    fn the_last_glob_that_matches_counts() {
        assert_eq!(chosen(&["db_*"]).unwrap(), ["db_get", "db_len"]);
        assert_eq!(chosen(&["!db_len"]).unwrap(), ["db_get", "now"]);
        assert_eq!(chosen(&["!db_*", "db_len"]).unwrap(), ["db_len", "now"]);
        assert_eq!(chosen(&["db_*", "!db_len"]).unwrap(), ["db_get"]);
        assert_eq!(
            chosen(&["!now", "c_crc"]).unwrap(),
            ["c_crc", "db_get", "db_len"]
        );
    }

    #[test]
    fn what_leaves_nothing_is_refused() {
        for (globs, told) in [
            (&["!*"][..], "--export leaves no function"),
            (&["now", "!now"], "--export leaves no function"),
            (&["!nov"], "--export !nov: the library has no such function"),
        ] {
            let error = chosen(globs).unwrap_err();
            assert_eq!(error.kind, Kind::Fault);
            assert_eq!(error.problems[0].message, told);
        }
    }
}
