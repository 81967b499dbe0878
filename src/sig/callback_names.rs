//! The names that a function pointer and its parameters have in the source, which debug information leaves out: `each: extern "C" fn(line: u32)`, or a
//! `type` of the same crate that stands for one.

use super::source::Sources;
use super::syntax::{Item, ItemKind};
use crate::model::{Function, Type};

/// `type`s of `type`s; more means that they go round in a circle.
const NESTING_LIMIT: u32 = 8;

/// What a source says of a function pointer.
struct Found {
    /// The `pub type` that stands for it, the outermost of several; empty where none does.
    alias: String,
    params: Vec<String>,
    /// Whether it stands in an array: then a `type` of the whole does not name it.
    in_array: bool,
}

/// Names a callback of which the source writes the type so, and its parameters; `krate` is where that stands.
pub(super) fn apply(ty: &mut Type, sources: &mut Sources<'_>, krate: &str, written: &str) {
    let mut ty = ty;
    while let Type::Array { elem, .. } = ty {
        ty = elem;
    }
    if let Type::Callback {
        alias,
        params,
        names,
        ..
    } = ty
        && let Some(found) = find(sources, krate, written, 0)
    {
        *alias = found.alias;
        // Types without bytes are no parameters.
        if found.params.len() == params.len() {
            *names = known(found.params);
        }
    }
}

/// The same for the `n`th field of a struct, or an array of such; `source` is the crate and the item.
pub(super) fn apply_to_field(
    ty: &mut Type,
    sources: &mut Sources<'_>,
    (krate, item): &(String, Option<Item>),
    n: usize,
) {
    if let Some(ItemKind::Type {
        fields: Some(types),
        ..
    }) = item.as_ref().map(|item| &item.kind)
        && let Some(written) = types.get(n)
    {
        apply(ty, sources, krate, written);
    }
}

/// Takes the names over that another view of the same functions has.
pub(super) fn complete(function: &mut Function, other: &Function) {
    for (param, other) in function.params.iter_mut().zip(&other.params) {
        if let (
            Type::Callback {
                alias,
                names,
                params,
                ..
            },
            Type::Callback {
                alias: other,
                names: more,
                params: same,
                ..
            },
        ) = (&mut param.ty, &other.ty)
        {
            if alias.is_empty() {
                alias.clone_from(other);
            }
            if names.is_empty() && params.len() == same.len() {
                names.clone_from(more);
            }
        }
    }
}

/// The names, unless there are none at all.
pub(super) fn known(names: Vec<String>) -> Vec<String> {
    match names.iter().all(String::is_empty) {
        true => Vec::new(),
        false => names,
    }
}

fn find(sources: &mut Sources<'_>, krate: &str, written: &str, depth: u32) -> Option<Found> {
    if depth > NESTING_LIMIT {
        return None;
    }
    let mut ty: syn::Type = syn::parse_str(written).ok()?;
    let mut in_array = false;
    loop {
        ty = match ty {
            syn::Type::Paren(inner) => *inner.elem,
            syn::Type::Group(inner) => *inner.elem,
            syn::Type::Array(array) => {
                in_array = true;
                *array.elem
            }
            syn::Type::FnPtr(function) => {
                let name = |arg: &syn::NamedArg| {
                    let ident = arg.name.as_ref().map(|(ident, _)| ident.to_string());
                    let name = ident.unwrap_or_default();
                    let name = name.strip_prefix("r#").unwrap_or(&name);
                    name.trim_start_matches('_').to_owned()
                };
                return Some(Found {
                    alias: String::new(),
                    params: function.inputs.iter().map(name).collect(),
                    in_array,
                });
            }
            syn::Type::Path(path) => {
                let last = path.path.segments.last()?;
                match &last.arguments {
                    // `Option<...>`
                    syn::PathArguments::AngleBracketed(inside) => match inside.args.first()? {
                        syn::GenericArgument::Type(inner) => inner.clone(),
                        _ => return None,
                    },
                    _ => {
                        let name = last.ident.to_string();
                        let alias = sources.alias(krate, &name)?;
                        let found = find(sources, krate, &alias.stands_for, depth + 1)?;
                        let alias = match alias.public && !found.in_array {
                            true => name,
                            false => found.alias,
                        };
                        return Some(Found {
                            alias,
                            in_array: in_array || found.in_array,
                            ..found
                        });
                    }
                }
            }
            _ => return None,
        }
    }
}
