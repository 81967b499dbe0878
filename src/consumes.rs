//! Functions that take the values they are given for good (`--consumes`). In C one pointer type says both "lent" and "given", so only the
//! user can tell.

use crate::diag::{Error, Kind, Problem, Result};
use crate::model::{Api, Function, PointerKind, Type, TypeDef, TypeKind};
use globset::Glob;

/// Makes owned pointers of the raw mutable ones to opaque types that functions named by the globs take.
pub fn declare(api: &mut Api, globs: &[String]) -> Result<()> {
    let mut problems = Vec::new();
    for text in globs {
        let glob = match Glob::new(text) {
            Ok(glob) => glob.compile_matcher(),
            Err(e) => {
                problems.push(Problem::new(format!("--consumes {text}: {}", e.kind())));
                continue;
            }
        };
        let Api {
            functions, types, ..
        } = &mut *api;
        let named = functions.iter_mut().filter(|f| glob.is_match(&f.symbol));
        // Every one is changed, not the first alone.
        let changed = named.filter_map(|f| own(f, types).then_some(())).count();
        if changed == 0 {
            problems.push(
                Problem::new(format!(
                    "--consumes {text}: no exported function of such a name takes a `*mut T` of an opaque type"
                ))
                .help("`rsyso inspect` lists the exports; a Box is taken for good without being named"),
            );
        }
    }
    Error::check(Kind::Fault, problems, ())
}

/// Whether the function takes such pointers, which it owns from now on.
fn own(function: &mut Function, types: &[TypeDef]) -> bool {
    let mut any = false;
    for param in &mut function.params {
        let Type::Pointer {
            to: Some(to), kind, ..
        } = &mut param.ty
        else {
            continue;
        };
        let Type::Named(id) = **to else { continue };
        let opaque = types
            .get(id.0 as usize)
            .is_some_and(|t| t.kind == TypeKind::Opaque);
        // A pointer that an earlier glob has made an owned one counts as well.
        if opaque && matches!(kind, PointerKind::Mut | PointerKind::Box) {
            (*kind, any) = (PointerKind::Box, true);
        }
    }
    any
}
