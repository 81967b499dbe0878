//! Lengths that travel in an integer of C's: a slice or a string of more elements than that can count is a Go panic.

use crate::model::{Function, Int, Type};

/// What must hold before the call of the lengths of parameters; `who` is what the function is called in messages.
pub(super) fn checks(who: &str, f: &Function, params: &[String]) -> Vec<String> {
    let all = f.params.iter().zip(params);
    let narrow = all.filter_map(|(p, go)| Some((p, go, narrow(&p.ty)?)));
    narrow
        .map(|(p, go, bits)| {
            let what = match p.ty {
                Type::Slice { ref elem, .. } if **elem != Type::Int(Int::U8) => "elements",
                _ => "bytes",
            };
            format!(
                "\tif uint64(len({go})) >= 1<<{bits} {{\n\t\tpanic(\"{who} can take fewer than 1<<{bits} {what} in {go}\")\n\t}}"
            )
        })
        .collect()
}

/// Whether a parameter of this type is looked at before the call.
pub(super) fn is_checked(ty: &Type) -> bool {
    narrow(ty).is_some()
}

/// What the checks of a function call.
pub(super) fn used(f: &Function) -> Option<&'static str> {
    f.params.iter().any(|p| is_checked(&p.ty)).then_some("len")
}

/// The bits that a length has, where Go's have more: `len` is an `int` that is not negative.
fn narrow(ty: &Type) -> Option<u64> {
    let (Type::Text { length }
    | Type::Slice {
        pair: Some(length), ..
    }) = ty
    else {
        return None;
    };
    let bits = 8 * length.size() - u64::from(length.signed());
    let go = 8 * Int::Isize.size() - 1;
    (bits < go).then_some(bits)
}
