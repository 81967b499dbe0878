//! What the wrappers have to do for handles ([`crate::model::uses`]).

use crate::base::diag::{Error, Kind, Problem, Result};
use crate::model::uses::{Given, PackageUses, Uses};
use crate::model::{Api, Declared, Function, PointerKind, Type};
use crate::shared::USES;

use super::handles::Role;
use super::names::Prefix;
use super::scope::{self, Scope};
use super::{bodies, callbacks};

/// Finds it out for all functions.
pub fn uses(
    api: &Api,
    declared: &Declared,
    prefix: &Prefix,
    library: &str,
    package: &str,
) -> Result<PackageUses> {
    let scope = scope::scope(api, declared, prefix, library)?;
    let functions = api.functions().iter().enumerate();
    let functions: Vec<Uses> = functions
        .map(|(index, f)| of(api, &scope, (index, f), package))
        .collect();
    let too_many = |(f, uses): (&Function, &Uses)| match uses {
        Uses::Given { handles, .. } if handles.len() > USES => {
            let message = format!("{} takes more than {USES} handles", f.symbol);
            let problem = Problem::new(message)
                .help("pass a struct or a slice of pointers instead, or leave the function out");
            Some(match &f.source {
                Some(s) => problem.at(format!("{}:{}", s.file, s.line)),
                None => problem,
            })
        }
        _ => None,
    };
    let problems = api.functions().iter().zip(&functions).filter_map(too_many);
    Error::check(Kind::Unsupported, problems.collect(), ())?;
    Ok(PackageUses {
        functions,
        any: !scope.handles.types.is_empty(),
        settles: settles(api, &scope),
    })
}

fn of(api: &Api, scope: &Scope, (index, f): (usize, &Function), package: &str) -> Uses {
    if let Role::Free(_) = scope.handles.role(index) {
        return Uses::Freed;
    }
    let Some((label, params, receivers)) = bodies::called(scope, index) else {
        return Uses::None;
    };
    let with_names = f.params.iter().zip(&params).enumerate();
    let given = with_names.filter_map(|(param, (p, name))| {
        let (handle, _) = scope.handles.of(&p.ty)?;
        let behind = match param < receivers {
            true => String::new(),
            false => format!(" for {name}"),
        };
        Some(Given {
            param,
            taken: scope.declared.passed(api, f, &p.ty) == Some(PointerKind::Box),
            nullable: matches!(p.ty, Type::Pointer { nullable: true, .. }),
            note: [
                format!("{package}: {label} was given a "),
                handle.name.clone(),
                behind,
            ],
        })
    });
    let handles: Vec<Given> = given.collect();
    match handles.is_empty() {
        true => Uses::None,
        false => Uses::Given {
            handles,
            pinned: copies(api, scope, f),
        },
    }
}

/// Whether Go copies the result, since it may lie in the memory of a handle.
pub(super) fn copies(api: &Api, scope: &Scope, f: &Function) -> bool {
    let lends = |ty: &Type| {
        scope.handles.of(ty).is_some()
            && scope.declared.passed(api, f, ty) != Some(PointerKind::Box)
    };
    let text = matches!(
        f.result,
        Some(Type::Str | Type::Slice { mutable: false, .. })
    );
    text && f.params.iter().any(|p| lends(&p.ty))
}

/// Whether Go itself ends uses: after copying, and when a Go function did not return.
pub(super) fn settles(api: &Api, scope: &Scope) -> bool {
    !scope.handles.types.is_empty()
        && (callbacks::any(api) || api.functions().iter().any(|f| copies(api, scope, f)))
}
