//! Signatures from C headers, as cbindgen writes them: where there is no debug information they stand in for it, and where there is,
//! both must say the same.

#[cfg(feature = "header")]
mod comment;
mod compare;
#[cfg(feature = "header")]
mod constants;
mod decl;
mod expand;
mod expr;
mod lexical;
mod macros;
mod merge;
mod names;
#[cfg(feature = "header")]
mod parse;
#[cfg(not(feature = "header"))]
#[path = "without.rs"]
mod parse;
mod preprocess;
mod resolve;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::base::diag::{Error, Kind, Problem, Result};
use crate::base::files;
use crate::base::identifiers::exported;
use crate::base::options::{Headers as Options, base_name};
use crate::model::{Constant, Function, Param, Signatures, Source, Type, Value};
use compare::Comparison;
use decl::{CFunction, Declarations};
use resolve::Resolver;

use super::types::Why;
use super::{leave_out, place_of};

/// The largest header: a header of more is no header.
const MAX_SIZE: usize = 16 << 20;

/// More problems than this in one header are not listed: the first ones tell what kind of header it is.
const PROBLEMS: usize = 20;

/// An export that a header alone describes.
pub(super) struct Undescribed {
    pub(super) symbol: String,
    /// Whether rustc did not compile it.
    pub(super) foreign: bool,
    /// The bytes of a static, where debug information tells them.
    pub(super) size: Option<u64>,
}

/// What a set of headers declares.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    declared: Declarations,
    /// For messages: `foo.h`.
    names: Vec<String>,
}

impl Headers {
    /// Reads header files.
    pub fn open(options: &Options) -> Result<Headers> {
        let mut files = Vec::new();
        for path in &options.files {
            let bytes = files::read(path).map_err(|e| {
                let what = format!("cannot read {}: {e}", path.display());
                Error::fault(Problem::new(what))
            })?;
            files.push((base_name(path), Some(path.as_path()), bytes));
        }
        Headers::read_all(&files, options)
    }

    /// Reads headers, each with how to name it in messages. What one declares the others may use.
    pub fn read(files: &[(String, Vec<u8>)]) -> Result<Headers> {
        let files = files.iter().cloned();
        let files: Vec<_> = files.map(|(name, bytes)| (name, None, bytes)).collect();
        Headers::read_all(&files, &Options::default())
    }

    fn read_all(files: &[(String, Option<&Path>, Vec<u8>)], options: &Options) -> Result<Headers> {
        let mut headers = Headers::default();
        let mut problems = Vec::new();
        for (name, path, bytes) in files {
            headers.names.push(name.clone());
            let text = match read_text(name, bytes) {
                Ok(text) => text,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            let file = preprocess::File {
                name,
                path: *path,
                text,
            };
            let cleaned = preprocess::clean(&file, options);
            problems.extend(cleaned.problems);
            for clean in &cleaned.files {
                problems.extend(parse::parse(clean, &mut headers.declared));
            }
            headers.declared.missing.extend(cleaned.missing);
        }
        for problem in &mut problems {
            headers.declared.note_missing(problem);
        }
        Error::check(Kind::Fault, problems, headers)
    }

    /// How to name the headers in a sentence; None when there are none.
    pub(super) fn title(&self) -> Option<String> {
        (!self.names.is_empty()).then(|| self.names.join(", "))
    }

    /// A problem that more declarations might solve, with what was not found of the headers.
    pub(super) fn with_missing(&self, mut problem: Problem) -> Problem {
        self.declared.note_missing(&mut problem);
        problem
    }

    /// Whether a symbol is declared as what it is: a function, or a static.
    pub fn declares(&self, symbol: &str, is_static: bool) -> bool {
        match is_static {
            true => self.declared.variables.contains_key(symbol),
            false => self.declared.functions.contains_key(symbol),
        }
    }

    /// Adds the exports that debug information does not describe, and holds the others against it.
    pub(super) fn complete(
        &self,
        api: Signatures,
        undescribed: &[Undescribed],
    ) -> Result<Signatures> {
        if self.names.is_empty() {
            return Ok(api);
        }
        let mut resolver = Resolver::new(&self.declared);
        let (mut added, mut both, mut problems) = (Vec::new(), Vec::new(), Vec::new());
        for Undescribed {
            symbol, foreign, ..
        } in undescribed
        {
            if let Some(found) = self.declared.functions.get(symbol) {
                match function(&mut resolver, symbol, found) {
                    Ok(function) => added.push(Function {
                        foreign: *foreign,
                        ..function
                    }),
                    Err(more) => problems.extend(more),
                }
            } else if let Some(found) = self.declared.variables.get(symbol) {
                added.push(Function {
                    doc: found.about.doc.clone(),
                    source: Some(found.about.source.clone()),
                    ..Function::of_static(symbol, resolver.variable(&found.ty))
                });
            }
        }
        let functions = api.functions.iter().enumerate();
        for (index, known) in functions.filter(|(_, f)| !f.is_static) {
            if let Some(found) = self.declared.functions.get(&known.symbol) {
                match function(&mut resolver, &known.symbol, found) {
                    Ok(function) => both.push((index, function)),
                    Err(more) => problems.extend(more),
                }
            }
        }
        let constants = self.constants(&api, &resolver);
        let header = resolver.into_signatures();
        let mut differences = statics_that_differ(&header, &added, undescribed);
        for (index, function) in &both {
            if let Some(known) = api.functions.get(*index) {
                let found = self.declared.functions.get(&function.symbol);
                differences.extend(Comparison::new(&api, &header).function(known, function, found));
            }
        }
        let mut api = merge::merge(
            api,
            &header,
            added,
            &both,
            &mut differences,
            &self.names.join(", "),
        );
        api.constants = constants;
        let kind = match differences.is_empty() {
            true => Kind::Unsupported,
            false => Kind::Fault,
        };
        differences.extend(problems);
        Error::check(kind, differences, api)
    }
}

impl Headers {
    /// All constants, in the order of the text: macros, and enumerators that belong to no type of the API.
    fn constants(&self, api: &Signatures, resolver: &Resolver<'_>) -> Vec<Constant> {
        let known: HashSet<String> = api.types.iter().map(merge::go_name).collect();
        let used = |name: &str| resolver.names_enum(name) || known.contains(&exported(name, 'X'));
        let enums = self.declared.enums.iter();
        let loose = enums.filter(|(name, found)| !used(name) && found.about.refused.is_none());
        let enumerators = loose.flat_map(|(_, found)| &found.variants);
        let enumerators = enumerators.filter_map(|(name, value, about)| {
            let constant = Constant {
                name: name.clone(),
                value: Value::Int((*value)?),
                doc: about.doc.clone(),
            };
            Some((constant, &about.source))
        });
        let macros = self.declared.constants.iter().map(|(c, s)| (c.clone(), s));
        let mut all: Vec<_> = macros.chain(enumerators).collect();
        let place = |s: &Source| {
            let file = self.names.iter().position(|name| *name == s.file);
            (file, s.file.clone(), s.line)
        };
        all.sort_by_cached_key(|(_, source)| place(source));
        let mut seen = HashSet::new();
        let all = all.into_iter().map(|(constant, _)| constant);
        all.filter(|c| seen.insert(c.name.clone())).collect()
    }
}

/// The statics that have another size in the header than in the library.
fn statics_that_differ(
    header: &Signatures,
    added: &[Function],
    undescribed: &[Undescribed],
) -> Vec<Problem> {
    let sized = |u: &Undescribed| Some((u.symbol.clone(), u.size?));
    let sizes: HashMap<_, _> = undescribed.iter().filter_map(sized).collect();
    let differs = |f: &Function| {
        let size = *sizes.get(&f.symbol)?;
        let Some(Type::Pointer { to: Some(to), .. }) = &f.result else {
            return None;
        };
        // A type without a size tells nothing of the static.
        let told = header.layout(to).size;
        (told != 0 && told != size).then(|| {
            let symbol = &f.symbol;
            let what =
                format!("`{symbol}` has {size} bytes in the library and {told} in the header");
            let problem = Problem::new(what).help("was the header made from another version of the library? Make it again from the sources of this build");
            match &f.source {
                Some(source) => problem.at(place_of(source)),
                None => problem,
            }
        })
    };
    added.iter().filter_map(differs).collect()
}

/// The text of a header.
fn read_text<'b>(name: &str, bytes: &'b [u8]) -> std::result::Result<&'b str, Problem> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.len() <= MAX_SIZE => Ok(text),
        Ok(_) => Err(Problem::new("a header of more than 16 MiB").at(name)),
        Err(e) => {
            let before = bytes.get(..e.valid_up_to()).unwrap_or_default();
            let line = 1 + before.iter().filter(|b| **b == b'\n').count();
            Err(Problem::new("a header that is not UTF-8").at(format!("{name}:{line}")))
        }
    }
}

/// A function of the header in the model's terms, or all that stands in its way.
fn function(
    resolver: &mut Resolver<'_>,
    symbol: &str,
    found: &CFunction,
) -> std::result::Result<Function, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut refused = |part: &str, why: Why, source: &Source| {
        let help = match why.help {
            Some(help) => format!("{help}, or {}", leave_out(symbol)),
            None => leave_out(symbol),
        };
        let problem = Problem::new(format!("`{symbol}`: {part} {}", why.reason));
        problems.push(problem.at(place_of(source)).help(help));
    };
    let source = &found.about.source;
    if let Some(why) = &found.about.refused {
        refused("the function", Why::new(why.as_str()), source);
    }
    if found.ty.variadic {
        refused("its parameter list", Why::new("is variadic"), source);
    }
    let mut params = Vec::new();
    for (n, param) in found.ty.params.iter().enumerate() {
        let name = param.name.clone().unwrap_or_else(|| format!("arg{n}"));
        match resolver.param(&param.ty) {
            Ok(ty) => params.push(Param { name, ty }),
            Err(why) => refused(&format!("parameter `{name}`"), why, &param.source),
        }
    }
    let result = resolver.result(&found.ty.result).unwrap_or_else(|why| {
        refused("the result", why, source);
        None
    });
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Function {
        symbol: symbol.to_owned(),
        params,
        result,
        doc: found.about.doc.clone(),
        source: Some(source.clone()),
        path: String::new(),
        foreign: false,
        is_static: false,
    })
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod compare_tests;

#[cfg(test)]
mod include_tests;

#[cfg(test)]
mod sum_tests;
