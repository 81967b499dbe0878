//! Nil for what is never null in Rust: a Go panic, as Rust may count on it. Where Rust has an `Option`, nil is `None`. Handles see to it
//! themselves ([`super::handle_types`]).

use crate::model::{Function, Type};

use super::scope::Scope;
use super::types;

/// What the parameters that are no handles must be before the call; `who` is what the function is called in messages.
pub(super) fn checks(scope: &Scope, who: &str, f: &Function, params: &[String]) -> Vec<String> {
    let all = f.params.iter().zip(params);
    let checked = all.filter(|(p, _)| is_checked(scope, &p.ty));
    checked
        .map(|(p, go)| {
            refuse(
                scope,
                &p.ty,
                go,
                &format!("{who} needs {{}} for {go}, not nil"),
                "\t",
            )
        })
        .collect()
}

/// Whether a parameter of this type is looked at before the call.
pub(super) fn is_checked(scope: &Scope, ty: &Type) -> bool {
    ty.never_null() && scope.handles.of(ty).is_none()
}

/// Panics if an expression is nil; `{}` in the sentence is what it should be.
pub(super) fn refuse(scope: &Scope, ty: &Type, go: &str, sentence: &str, indent: &str) -> String {
    let wanted = match ty {
        Type::Callback { .. } => "a function".to_string(),
        Type::Pointer { to: Some(_), .. } => format!("a {}", types::go_type(scope, ty)),
        _ => "a pointer".to_string(),
    };
    let sentence = sentence.replace("{}", &wanted);
    format!("{indent}if {go} == nil {{\n{indent}\tpanic(\"{sentence}\")\n{indent}}}")
}
