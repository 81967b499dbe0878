//! Functions that take the values they are given for good (`--consumes`). In C one pointer type says both "lent" and "given", so only the
//! user can tell.

use std::collections::BTreeSet;

use crate::base::diag::Result;
use crate::base::globs;
use crate::model::{Api, Function, PointerKind, Said, Type, TypeId};

/// What `--consumes` says: whether functions take the handles that they are given by `*mut` for good.
pub fn consumes(api: &Api, values: &[String]) -> Result<Said> {
    // What lies in a struct or behind another pointer cannot be taken from its handle, but be said to stay.
    let may = |f: &Function, takes: bool| is_given(api, f) || (!takes && reaches(api, f));
    let named = |takes: bool| {
        let functions = api.functions().iter().filter(move |f| may(f, takes));
        functions.map(|f| f.symbol.as_str())
    };
    let none = (
        "no exported function of such a name takes a `*mut T` of an opaque type",
        "`rsyso inspect` lists the exports; a Box is taken for good without being named",
    );
    globs::said("--consumes", values, named, none)
}

/// Whether the function can have a value of an opaque type from its parameters.
fn reaches(api: &Api, function: &Function) -> bool {
    let types = (0u32..).map(TypeId).zip(api.types());
    let mut opaque = types.filter(|(_, def)| def.kind.is_opaque());
    opaque.any(|(id, _)| may_take(api, function, id))
}

/// Whether the function has a parameter by which it may be given a value for good, or is anyway.
fn is_given(api: &Api, function: &Function) -> bool {
    function.params.iter().any(|p| match &p.ty {
        Type::Pointer {
            to: Some(to),
            kind: PointerKind::Mut | PointerKind::Box,
            ..
        } => matches!(**to, Type::Named(id) if api.def(id).kind.is_opaque()),
        _ => false,
    })
}

/// Whether a value of the type can be had from parameters by a `*mut`, at any depth.
pub fn may_take(api: &Api, f: &Function, id: TypeId) -> bool {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&Type> = f.params.iter().map(|p| &p.ty).collect();
    while let Some(ty) = open.pop() {
        match ty {
            Type::Pointer {
                to: Some(to), kind, ..
            } => {
                if *kind == PointerKind::Mut && **to == Type::Named(id) {
                    return true;
                }
                open.push(to);
            }
            Type::Slice { elem, .. } | Type::Array { elem, .. } => open.push(elem),
            Type::Named(id) if seen.insert(*id) => {
                open.extend(api.def(*id).kind.fields().map(|f| &f.ty));
            }
            // What a Go function is given is the library's.
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Declared, Int, Param, Signatures, TypeDef, TypeKind};

    fn function(symbol: &str, first: Type) -> Function {
        let params = vec![Param {
            name: "builder".into(),
            ty: first,
        }];
        Function {
            symbol: symbol.into(),
            params,
            ..Function::default()
        }
    }

    /// The functions that own what they are given, after the globs.
    fn owners(globs: &[&str]) -> Result<Vec<String>> {
        let raw = || Type::Pointer {
            to: Some(Box::new(Type::Named(TypeId(0)))),
            kind: PointerKind::Mut,
            nullable: true,
        };
        let api = Api::from(Signatures {
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
            ..Signatures::default()
        });
        let globs: Vec<_> = globs.iter().map(|g| g.to_string()).collect();
        let declared = Declared {
            consumes: consumes(&api, &globs)?,
            ..Declared::default()
        };
        let owns =
            |f: &&Function| declared.passed(&api, f, &f.params[0].ty) == Some(PointerKind::Box);
        let functions = api.functions().iter().filter(owns);
        Ok(functions.map(|f| f.symbol.clone()).collect())
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
