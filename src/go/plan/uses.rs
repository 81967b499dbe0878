//! What the wrappers of a package have to do ([`crate::model::uses`]).

use crate::base::diag::{Error, Kind, Problem, Result};
use crate::contract::USES;
use crate::model::uses::{Calls, Uses};

use super::export::{Export, any_takes_functions};
use super::scope::Scope;

/// Finds it out for all exports.
pub(super) fn calls(scope: &Scope, exports: &[Export<'_>]) -> Result<Calls> {
    let calls = Calls {
        functions: exports.iter().map(Export::wrapper).collect(),
        any: !scope.handles.types.is_empty(),
        settles: settles(scope, exports),
    };
    let too_many = exports.iter().zip(&calls.functions).filter(
        |(_, call)| matches!(&call.uses, Uses::Given { handles, .. } if handles.len() > USES),
    );
    let problems = too_many.map(|(export, _)| {
        let message = format!("{} takes more than {USES} handles", export.f.symbol);
        let problem = Problem::new(message)
            .help("pass a struct or a slice of pointers instead, or leave the function out");
        match &export.f.source {
            Some(s) => problem.at(format!("{}:{}", s.file, s.line)),
            None => problem,
        }
    });
    Error::check(Kind::Unsupported, problems.collect(), ())?;
    Ok(calls)
}

/// Whether Go itself ends uses: after copying, and when a Go function did not return.
pub(super) fn settles(scope: &Scope, exports: &[Export<'_>]) -> bool {
    !scope.handles.types.is_empty()
        && (any_takes_functions(exports) || exports.iter().any(Export::copies))
}
