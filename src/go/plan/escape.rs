//! Which functions may promise the Go compiler that their arguments do not escape (`//go:noescape`).
//!
//! The promise lets Go keep what an argument points to, at any depth, on the goroutine's stack. It holds when the callee only has Rust references,
//! which it cannot keep, and when no pointer can come back to Go by another way: a result may borrow from an argument
//! (`fn trim(s: &str) -> &str`), and so may what the callee writes through a `&mut`. Go must then see the arguments escape, or it would
//! be left with a pointer into a stack that is gone. (cmd/compile/internal/escape: a function with the pragma has no data flow from
//! its arguments at all.) A library that keeps Go functions may have them called during any call; then nothing stays on the stack.

use std::collections::BTreeSet;

use crate::model::{Api, Function, Type, TypeId};

/// Whether the declaration of `function` is `//go:noescape`.
pub(super) fn noescape(api: &Api, function: &Function) -> bool {
    // The stack may move during any call, and with it what Rust was given a pointer to.
    if api.keeps() {
        return false;
    }
    let params = || function.params.iter().map(|p| &p.ty);
    let reference = |ty: &Type| match ty {
        Type::Str => true,
        Type::Slice { pair, .. } => pair.is_none(),
        Type::Pointer { kind, .. } => kind.is_reference(),
        _ => false,
    };
    let raw = |ty: &Type| match ty {
        Type::Pointer { kind, .. } => !kind.is_reference(),
        Type::Slice { pair, .. } => pair.is_some(),
        Type::Callback { .. } | Type::Text { .. } => true,
        _ => false,
    };
    let pointer = |ty: &Type| reference(ty) || raw(ty);
    let outlet = |ty: &Type| match ty {
        Type::Pointer {
            to: Some(target),
            kind: crate::model::PointerKind::RefMut,
            ..
        }
        | Type::Slice {
            elem: target,
            mutable: true,
            ..
        } => any(api, target, &pointer),
        _ => false,
    };
    params().any(|ty| any(api, ty, &reference))
        && !params().any(|ty| any(api, ty, &raw) || any(api, ty, &outlet))
        && !function
            .result
            .as_ref()
            .is_some_and(|ty| any(api, ty, &pointer))
}

/// Whether `test` holds for the type or for any that can be reached from it, through pointers too.
fn any(api: &Api, ty: &Type, test: &dyn Fn(&Type) -> bool) -> bool {
    let mut seen: BTreeSet<TypeId> = BTreeSet::new();
    let mut open = vec![ty];
    while let Some(ty) = open.pop() {
        if test(ty) {
            return true;
        }
        match ty {
            Type::Slice { elem, .. } | Type::Array { elem, .. } | Type::Owned { elem } => {
                open.push(elem);
            }
            Type::Pointer { to: Some(to), .. } => open.push(to),
            Type::Fallible { value } => open.extend(value.as_deref()),
            Type::Named(id) if seen.insert(*id) => {
                open.extend(api.def(*id).kind.fields().map(|f| &f.ty));
            }
            _ => {}
        }
    }
    false
}
