//! Pointer and length pairs: two parameters of C that are one slice, or one string, of Go.
//!
//! The rule goes by names and types alone, so that debug information and headers give the same (docs/HEADERS.md has it in full): a raw pointer `X` or
//! `X_ptr`, and directly behind it an integer that is called `X_len`, `X_count`, or `X_size` if the elements are bytes; or just `len`, behind a
//! pointer to numbers. What the pointer leads to must have a size. Rust references are never part of a pair: they lead to one value.

use std::collections::BTreeMap;

use crate::model::{Function, Int, Layout, Param, PointerKind, Side, Signatures, Type, UserData};

/// Go aligns what it allocates to at most 8 bytes.
const MAX_ALIGN: u64 = 8;

/// The pairs of all functions: the numbers of the pointers, and the slices. A parameter that is the user data of one beside it is part of none.
pub(super) fn find(
    read: &Signatures,
    user_data: &[BTreeMap<usize, UserData>],
) -> Vec<BTreeMap<usize, Param>> {
    let functions = read.functions.iter().zip(user_data);
    functions.map(|(f, data)| of(read, f, data)).collect()
}

fn of(
    read: &Signatures,
    function: &Function,
    user_data: &BTreeMap<usize, UserData>,
) -> BTreeMap<usize, Param> {
    let side = |at: usize| user_data.get(&at).map(|data| data.side);
    let is_data = |at: usize| {
        let before = at.checked_sub(1).and_then(side);
        before == Some(Side::Behind) || side(at + 1) == Some(Side::InFront)
    };
    let params = function.params.iter().enumerate();
    let params: Vec<(usize, &Param)> = params.filter(|(at, _)| !is_data(*at)).collect();
    let mut pairs = BTreeMap::new();
    let mut rest = params.iter().peekable();
    while let Some((at, pointer)) = rest.next() {
        let slice = rest
            .peek()
            .and_then(|(_, length)| pair(read, pointer, length));
        // Go wants different names.
        let free = |name: &str| name == pointer.name || params.iter().all(|(_, p)| p.name != name);
        if let Some(slice) = slice.filter(|slice| free(&slice.name)) {
            rest.next();
            pairs.insert(*at, slice);
        }
    }
    pairs
}

/// The slice that a pointer and a length stand for.
fn pair(read: &Signatures, pointer: &Param, length: &Param) -> Option<Param> {
    let Type::Pointer {
        to: Some(elem),
        kind: kind @ (PointerKind::Const | PointerKind::Mut),
        ..
    } = &pointer.ty
    else {
        return None;
    };
    let Type::Int(counted) = length.ty else {
        return None;
    };
    let Layout { size, align } = read.layout(elem);
    let name = named(&pointer.name, &length.name, elem, size)?;
    if size == 0 || align > MAX_ALIGN {
        return None;
    }
    let mutable = *kind == PointerKind::Mut;
    let ty = match **elem {
        Type::Int(Int::I8) if !mutable => Type::Text { length: counted },
        _ => Type::Slice {
            elem: elem.clone(),
            mutable,
            pair: Some(counted),
        },
    };
    let name = name.to_owned();
    Some(Param { name, ty })
}

/// What a pointer and a number are called together, if their names say that the number counts what the pointer leads to.
fn named<'n>(pointer: &'n str, length: &'n str, elem: &Type, size: u64) -> Option<&'n str> {
    let base = pointer.strip_suffix("_ptr").unwrap_or(pointer);
    if length == "len" {
        // Behind a pointer to a struct, a length may be anything: `buf_resize(struct Buf *buf, size_t len)`.
        let number = matches!(
            elem,
            Type::Int(_) | Type::F32 | Type::F64 | Type::Bool | Type::Char
        );
        return (number && !base.is_empty()).then_some(base);
    }
    let bytes = (size == 1).then_some("_size");
    let suffixes = ["_len", "_count"].into_iter().chain(bytes);
    let mut stems = suffixes.filter_map(|suffix| length.strip_suffix(suffix));
    stems.find(|stem| !stem.is_empty() && (*stem == pointer || *stem == base))
}
