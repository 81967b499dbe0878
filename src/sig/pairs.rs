//! Pointer and length pairs: two parameters of C that are one slice of Go.
//!
//! The rule goes by names and types alone, so that debug information and headers give the same: a raw pointer `X` or `X_ptr`, and directly
//! behind it a `usize` that is called `X_len`. What the pointer leads to must have a size. Rust references are never part of a pair: they
//! lead to one value.

use crate::model::{Api, Function, Int, Param, PointerKind, Type};

/// Go aligns what it allocates to at most 8 bytes.
const MAX_ALIGN: u64 = 8;

/// Makes slices of the pairs of all functions.
pub fn apply(api: &mut Api) {
    let mut functions = std::mem::take(&mut api.functions);
    for function in &mut functions {
        pair_up(api, function);
    }
    api.functions = functions;
}

fn pair_up(api: &Api, function: &mut Function) {
    let params = std::mem::take(&mut function.params);
    let names: Vec<String> = params.iter().map(|p| p.name.clone()).collect();
    let mut rest = params.into_iter().peekable();
    while let Some(param) = rest.next() {
        match rest.peek().and_then(|length| pair(api, &param, length)) {
            // Go wants different names.
            Some(slice) if slice.name == param.name || !names.contains(&slice.name) => {
                rest.next();
                function.params.push(slice);
            }
            _ => function.params.push(param),
        }
    }
}

/// The slice that a pointer and a length stand for.
fn pair(api: &Api, pointer: &Param, length: &Param) -> Option<Param> {
    let Type::Pointer {
        to: Some(elem),
        kind: kind @ (PointerKind::Const | PointerKind::Mut),
        ..
    } = &pointer.ty
    else {
        return None;
    };
    let name = length.name.strip_suffix("_len")?;
    let named = pointer.name == name || pointer.name.strip_suffix("_ptr") == Some(name);
    let layout = api.layout(elem);
    if !named
        || name.is_empty()
        || length.ty != Type::Int(Int::Usize)
        || layout.size == 0
        || layout.align > MAX_ALIGN
    {
        return None;
    }
    Some(Param {
        name: name.to_owned(),
        ty: Type::Slice {
            elem: elem.clone(),
            mutable: *kind == PointerKind::Mut,
            pair: true,
        },
    })
}
