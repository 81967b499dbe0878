//! Which functions the library calls and Go provides: undefined ones that `--import` names.

use std::collections::{BTreeMap, HashSet};

use crate::base::diag::Result;
use crate::base::globs;
use crate::link::resolve::is_made_by_linkers;
use crate::read::{Bind, Def, Object};

/// A function that is not defined, and who refers to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Its symbol.
    pub symbol: String,
    /// Index of an object that refers to it: one of rustc's, if there is one.
    pub obj: u32,
    /// Whether it was named in full, rather than by a pattern.
    pub by_name: bool,
}

/// Finds the undefined functions that `values` name, sorted by name. Neither the library's objects nor the runtime's define them; what is referred to weakly
/// may be missing, so it is none of them.
pub fn find(
    objects: &[Object<'_>],
    runtime: &[Object<'_>],
    values: &[String],
) -> Result<Vec<Import>> {
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let all = || objects.iter().chain(runtime).flat_map(|o| &o.symbols);
    let there = all().filter(|s| s.def != Def::Undefined && s.bind != Bind::Local);
    let there: HashSet<&str> = there.flat_map(|s| s.names()).collect();
    let mut undefined: BTreeMap<&str, u32> = BTreeMap::new();
    for (obj, object) in (0u32..).zip(objects) {
        let symbols = object.symbols.iter();
        let missing = symbols
            .filter(|s| s.def == Def::Undefined && s.bind == Bind::Global && !s.name.is_empty())
            .filter(|s| !there.contains(&*s.name) && !is_made_by_linkers(&s.name));
        for symbol in missing {
            let first = undefined.entry(&symbol.name).or_insert(obj);
            if objects[*first as usize].rustc.is_none() && object.rustc.is_some() {
                *first = obj;
            }
        }
    }
    let names: Vec<&str> = undefined.keys().copied().collect();
    let help = match names.is_empty() {
        true => "nothing is undefined in this library".to_owned(),
        false => format!("undefined are: {}", globs::some(&names)),
    };
    let none = ("no undefined function has such a name", help.as_str());
    let said = globs::said("--import", values, |_| undefined.keys().copied(), none)?;
    let taken = said.into_iter().filter(|(_, takes)| *takes);
    Ok(taken
        .map(|(symbol, _)| Import {
            obj: undefined.get(symbol.as_str()).copied().unwrap_or(0),
            by_name: values.contains(&symbol),
            symbol,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{Symbol, SymbolKind, Visibility};
    use std::borrow::Cow;

    fn object(rustc: Option<&str>, symbols: &[(&'static str, Bind, Def)]) -> Object<'static> {
        let mut object = Object::synthetic("a.o", 62);
        object.rustc = rustc.map(str::to_owned);
        let symbols = symbols.iter().map(|(name, bind, def)| Symbol {
            name: Cow::Borrowed(*name),
            default_version: false,
            bind: *bind,
            kind: SymbolKind::None,
            visibility: Visibility::Default,
            def: *def,
            value: 0,
            size: 0,
        });
        object.symbols.extend(symbols);
        object
    }

    fn found(values: &[&str]) -> Result<Vec<(String, u32, bool)>> {
        let (own, weak, gone) = (Bind::Global, Bind::Weak, Def::Undefined);
        let objects = [
            object(
                None,
                &[
                    ("log_line", own, gone),
                    ("now", own, gone),
                    ("f", own, gone),
                    ("__tls_get_addr", own, gone),
                    ("__start_set", own, gone),
                ],
            ),
            object(
                Some("1.90"),
                &[
                    ("log_line", own, gone),
                    ("f", own, Def::Section(1)),
                    ("maybe", weak, gone),
                    ("malloc", own, gone),
                ],
            ),
        ];
        let runtime = [object(None, &[("malloc", own, Def::Section(1))])];
        let values: Vec<_> = values.iter().map(|v| v.to_string()).collect();
        let found = find(&objects, &runtime, &values)?.into_iter();
        Ok(found.map(|i| (i.symbol, i.obj, i.by_name)).collect())
    }

    #[test]
    fn what_is_undefined_and_named_is_imported() {
        assert_eq!(found(&[]).unwrap(), []);
        let log_line = |by_name| ("log_line".to_owned(), 1, by_name);
        assert_eq!(found(&["log_line"]).unwrap(), [log_line(true)]);
        assert_eq!(
            found(&["*"]).unwrap(),
            [log_line(false), ("now".to_owned(), 0, false)]
        );
        assert_eq!(found(&["*", "!n*"]).unwrap(), [log_line(false)]);
    }

    #[test]
    fn what_is_there_or_may_be_missing_is_not() {
        for name in ["malloc", "maybe", "f", "nothing", "__tls_get_addr"] {
            let told = found(&[name]).unwrap_err().problems;
            assert_eq!(
                told[0].message,
                format!("--import {name}: no undefined function has such a name")
            );
            assert_eq!(
                told[0].help.as_deref(),
                Some("undefined are: log_line, now")
            );
        }
    }
}
