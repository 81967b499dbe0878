//! Functions that take the values they are given for good (`--consumes`). In C one pointer type says both "lent" and "given", so only the
//! user can tell.

use crate::base::diag::{Error, Kind, Problem, Result};
use crate::base::globs;
use crate::go;
use crate::model::{Api, Function, PointerKind, Type, TypeDef, TypeId};

/// Makes owned pointers of the raw mutable ones to opaque types that functions named by the globs take, and remembers of which functions the globs
/// say anything.
pub fn declare(api: &mut Api, globs: &[String]) -> Result<()> {
    let mut problems = Vec::new();
    let reached: Vec<bool> = api.functions.iter().map(|f| reaches(api, f)).collect();
    let Api {
        functions,
        types,
        decided,
        ..
    } = api;
    let mut declared = vec![None; functions.len()];
    for text in globs {
        let glob = match globs::parse("--consumes", text) {
            Ok(glob) => glob,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let mut any = false;
        let each = functions.iter_mut().zip(&mut declared).zip(&reached);
        for ((function, consumes), reached) in each {
            // What lies in a struct or behind another pointer cannot be taken from its handle, but be said to stay.
            let takes = given(function, types).next().is_some() || (*reached && !glob.takes);
            if glob.matcher.is_match(&function.symbol) && takes {
                (any, *consumes) = (true, Some(glob.takes));
            }
        }
        if !any {
            problems.push(
                Problem::new(format!(
                    "--consumes {text}: no exported function of such a name takes a `*mut T` of an opaque type"
                ))
                .help("`rsyso inspect` lists the exports; a Box is taken for good without being named"),
            );
        }
    }
    Error::check(Kind::Fault, problems, ())?;
    for (function, declared) in functions.iter_mut().zip(declared) {
        if declared == Some(true) {
            given(function, types).for_each(|kind| *kind = PointerKind::Box);
        }
        if declared.is_some() {
            decided.insert(function.symbol.clone());
        }
    }
    Ok(())
}

/// Whether the function can have a value of an opaque type from its parameters.
fn reaches(api: &Api, function: &Function) -> bool {
    let types = (0u32..).map(TypeId).zip(&api.types);
    let mut opaque = types.filter(|(_, def)| def.kind.is_opaque());
    opaque.any(|(id, _)| go::may_take(api, function, id))
}

/// The parameters by which the function may be given a value for good, or is anyway.
fn given<'a>(
    function: &'a mut Function,
    types: &'a [TypeDef],
) -> impl Iterator<Item = &'a mut PointerKind> {
    let opaque = |id: usize| types.get(id).is_some_and(|t| t.kind.is_opaque());
    function
        .params
        .iter_mut()
        .filter_map(move |p| match &mut p.ty {
            Type::Pointer {
                to: Some(to),
                kind: kind @ (PointerKind::Mut | PointerKind::Box),
                ..
            } => matches!(**to, Type::Named(id) if opaque(id.0 as usize)).then_some(kind),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Int, Param, TypeKind};

    fn function(symbol: &str, first: Type) -> Function {
        let params = vec![Param {
            name: "builder".into(),
            ty: first,
        }];
        Function {
            symbol: symbol.into(),
            params,
            result: None,
            doc: String::new(),
            source: None,
            path: String::new(),
            blocking: false,
            trusted: false,
            foreign: false,
        }
    }

    /// The functions that own what they are given, after the globs.
    fn owners(globs: &[&str]) -> Result<Vec<String>> {
        let raw = || Type::Pointer {
            to: Some(Box::new(Type::Named(TypeId(0)))),
            kind: PointerKind::Mut,
            nullable: true,
        };
        let mut api = Api {
            functions: vec![
                function("doc_build", raw()),
                function("doc_len", raw()),
                function("wait", Type::Int(Int::U32)),
            ],
            types: vec![TypeDef {
                name: "Builder".into(),
                path: String::new(),
                doc: String::new(),
                kind: TypeKind::UNKNOWN,
            }],
            ..Api::default()
        };
        let globs: Vec<_> = globs.iter().map(|g| g.to_string()).collect();
        declare(&mut api, &globs)?;
        let owns = |f: &Function| {
            let ty = &f.params[0].ty;
            matches!(ty, Type::Pointer { kind, .. } if *kind == PointerKind::Box)
        };
        let functions = api.functions.into_iter().filter(owns);
        Ok(functions.map(|f| f.symbol).collect())
    }

    #[test]
    fn the_last_glob_that_matches_counts() {
        assert_eq!(owners(&["doc_build"]).unwrap(), ["doc_build"]);
        assert_eq!(owners(&["doc_*", "!doc_len"]).unwrap(), ["doc_build"]);
        assert_eq!(
            owners(&["!doc_len", "doc_*"]).unwrap(),
            ["doc_build", "doc_len"]
        );
    }

    #[test]
    fn what_takes_no_such_pointer_is_refused() {
        for glob in ["wait", "!wait", "none*"] {
            let error = owners(&[glob]).unwrap_err();
            let told = &error.problems[0].message;
            assert!(told.starts_with(&format!("--consumes {glob}:")), "{told}");
        }
    }
}
