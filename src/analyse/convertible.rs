//! Which exports can be converted, and why the others cannot.

use crate::base::diag::{Error, Kind, Problem, Result};
use crate::base::globs;
use crate::base::options::InspectOptions;
use crate::go;
use crate::link::SecRef;
use crate::link::exports::Export;
use crate::link::library::Library;
use crate::model::uses::Uses;
use crate::model::{Api, goabi};
use crate::sig::Parsed;
use crate::sig::header::Headers;
use crate::sig::rules;

/// The exports that can be converted, and why the others cannot.
pub struct Convertible {
    /// Those that can.
    pub api: Api,
    /// By export.
    pub problems: Vec<Vec<Problem>>,
}

impl Convertible {
    /// All exports together; where some cannot be expressed, by halves, so that one does not hide the others. What is wrong with `--keeps` is an error, and
    /// so is what is wrong with the functions that Go provides: they belong to no export.
    pub fn read(
        library: &Library<'_>,
        headers: &Headers,
        o: &InspectOptions,
    ) -> Result<Convertible> {
        let found = Convertible::of(library, headers, o)?;
        // Which functions take function pointers is known only now.
        let known = found.api.functions();
        rules::keeps::said(known, &found.about(&library.exports, &o.keeps))?;
        Ok(found)
    }

    fn of(library: &Library<'_>, headers: &Headers, o: &InspectOptions) -> Result<Convertible> {
        let parsed = Parsed::with(Vec::new());
        let symbols = || library.exports.iter().map(|e| e.symbol.as_str());
        let none = (
            "no exported function has such a name",
            "`rsyso inspect` lists the exports",
        );
        let asked = rules::Asked {
            pairs: !o.no_pairs,
            keeps: globs::said("--keeps", &o.keeps, |_| symbols(), none)?,
            user_data: globs::said("--user-data", &o.user_data, |_| symbols(), none)?,
            pool: o.pool,
        };
        let read = |exports: &[Export]| {
            let read = library.signatures(exports, headers, &parsed)?;
            let conventions = rules::conventions(&read, library.frees, &asked)?;
            Ok(Api::new(read, &conventions))
        };
        let good = |exports: &[Export]| {
            read(exports).and_then(|api| callable(library, &api).map(|()| api))
        };
        if let Ok(api) = good(&library.exports) {
            let problems = vec![Vec::new(); library.exports.len()];
            return Ok(Convertible { api, problems });
        }
        if !library.imports.is_empty() {
            good(&[])?;
        }
        let mut problems = Vec::new();
        by_halves(
            &library.exports,
            &|part| good(part).map(drop),
            &mut problems,
        );
        let sound = library.exports.iter().zip(&problems);
        let sound = sound.filter(|(_, problems)| problems.is_empty());
        let sound: Vec<_> = sound.map(|(export, _)| export.clone()).collect();
        Ok(Convertible {
            api: read(&sound).unwrap_or_default(),
            problems,
        })
    }

    /// The globs of an option, but for those that are only about exports that cannot be converted: of these nothing is known.
    pub fn about(&self, exports: &[Export], globs: &[String]) -> Vec<String> {
        let others = |glob: &&String| {
            let Ok(named) = globs::parse("", glob) else {
                return false;
            };
            let mut matching = exports
                .iter()
                .filter(|e| named.matcher.is_match(&e.symbol))
                .peekable();
            matching.peek().is_some() && matching.all(|e| self.index_of(e).is_none())
        };
        globs.iter().filter(|g| !others(g)).cloned().collect()
    }

    /// The index in the API of an export; none of one that cannot be converted.
    pub fn index_of(&self, export: &Export) -> Option<usize> {
        // They are in the order of their symbols.
        let functions = self.api.functions();
        functions
            .binary_search_by(|f| f.symbol.cmp(&export.symbol))
            .ok()
    }

    /// The sections of the exports that cannot be converted.
    pub fn without(&self, exports: &[Export]) -> Vec<SecRef> {
        let bare = exports.iter().filter(|e| self.index_of(e).is_none());
        bare.map(Export::at).collect()
    }
}

/// The problems of each export, in order; each reading takes as long as what it reads, so as few are made as the bad ones ask for.
fn by_halves(
    exports: &[Export],
    read: &dyn Fn(&[Export]) -> Result<()>,
    problems: &mut Vec<Vec<Problem>>,
) {
    match (read(exports), exports) {
        (Ok(()), _) => problems.extend(exports.iter().map(|_| Vec::new())),
        (Err(e), [_]) => problems.push(e.problems),
        (Err(_), []) => {}
        (Err(_), _) => {
            let (first, second) = exports.split_at(exports.len() / 2);
            by_halves(first, read, problems);
            by_halves(second, read, problems);
        }
    }
}

/// That Go can express the function and the machine can call it.
fn callable(library: &Library<'_>, api: &Api) -> Result<()> {
    let go = api.functions().iter().flat_map(|f| go::unsupported(api, f));
    let machine = api.functions().iter().filter_map(|f| {
        library
            .arch
            .wrapper(api, f, &goabi::frame(api, f), &[], &Uses::None)
            .err()
            .map(|what| Problem::new(format!("{}: {what}", f.symbol)))
    });
    Error::check(Kind::Unsupported, go.chain(machine).collect(), ())
}
