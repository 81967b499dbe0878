//! `c_char` is `int8` on every machine. Rust's is an `i8` or a `u8`, as C's `char` has a sign or not, and debug information has no other name for it:
//! what the source writes decides.

use syn::{GenericArgument, PathArguments, ReturnType, TypePath};

use super::syntax::{Item, ItemKind};
use crate::model::{Int, Type};

/// What Rust calls C's `char`.
const NAME: &str = "c_char";

/// Gives a type the sign that Go has it with, where the source writes it so.
pub(super) fn apply(ty: &mut Type, written: &str) {
    if written.contains(NAME)
        && let Ok(written) = syn::parse_str(written)
    {
        walk(ty, &written);
    }
}

/// The same for the `n`th field of a struct.
pub(super) fn apply_to_field(ty: &mut Type, of: &Option<Item>, n: usize) {
    if let Some(ItemKind::Type {
        fields: Some(types),
        ..
    }) = of.as_ref().map(|item| &item.kind)
        && let Some(written) = types.get(n)
    {
        apply(ty, written);
    }
}

/// Goes through a type and how it is written, as far as the two go together.
fn walk(ty: &mut Type, written: &syn::Type) {
    match (ty, written) {
        (ty, syn::Type::Paren(inner)) => walk(ty, &inner.elem),
        (ty, syn::Type::Group(inner)) => walk(ty, &inner.elem),
        (Type::Pointer { to: Some(to), .. }, syn::Type::Ptr(p)) => walk(to, &p.elem),
        (Type::Slice { elem, .. }, syn::Type::Reference(r)) => {
            if let syn::Type::Slice(slice) = &*r.elem {
                walk(elem, &slice.elem);
            }
        }
        (Type::Pointer { to: Some(to), .. }, syn::Type::Reference(r)) => walk(to, &r.elem),
        (Type::Array { elem, .. }, syn::Type::Array(array)) => walk(elem, &array.elem),
        (Type::Callback { params, result, .. }, syn::Type::FnPtr(function)) => {
            // Types without bytes are no parameters.
            if params.len() == function.inputs.len() {
                let pairs = params.iter_mut().zip(&function.inputs);
                pairs.for_each(|(ty, arg)| walk(ty, &arg.ty));
            }
            if let (Some(ty), ReturnType::Type(_, written)) = (result, &function.output) {
                walk(ty, written);
            }
        }
        (ty, syn::Type::Path(path)) => by_path(ty, path),
        _ => {}
    }
}

fn by_path(ty: &mut Type, path: &TypePath) {
    let Some(last) = path.path.segments.last() else {
        return;
    };
    if last.ident == NAME {
        if let Type::Int(int @ (Int::I8 | Int::U8)) = ty {
            *int = Int::I8;
        }
        return;
    }
    let PathArguments::AngleBracketed(inside) = &last.arguments else {
        return;
    };
    let Some(GenericArgument::Type(inner)) = inside.args.first() else {
        return;
    };
    match ty {
        Type::Pointer { to: Some(to), .. } if last.ident == "NonNull" || last.ident == "Box" => {
            walk(to, inner);
        }
        ty if last.ident == "Option" => walk(ty, inner),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PointerKind;

    const U8: Type = Type::Int(Int::U8);
    const I8: Type = Type::Int(Int::I8);

    fn pointer(to: Type) -> Type {
        Type::Pointer {
            to: Some(Box::new(to)),
            kind: PointerKind::Const,
            nullable: true,
        }
    }

    fn array(elem: Type) -> Type {
        Type::Array {
            elem: Box::new(elem),
            len: 16,
        }
    }

    fn callback(param: Type, result: Type) -> Type {
        Type::Callback {
            alias: String::new(),
            params: vec![param],
            names: Vec::new(),
            result: Some(Box::new(result)),
            user: None,
            nullable: true,
        }
    }

    /// As debug information has it where `char` has no sign.
    #[test]
    fn the_name_decides_wherever_it_stands() {
        for (written, unsigned, signed) in [
            ("c_char", U8, I8),
            ("std::ffi::c_char", U8, I8),
            ("*const c_char", pointer(U8), pointer(I8)),
            (
                "*mut *const libc::c_char",
                pointer(pointer(U8)),
                pointer(pointer(I8)),
            ),
            (
                "Option<&[c_char; 16]>",
                pointer(array(U8)),
                pointer(array(I8)),
            ),
            ("NonNull<c_char>", pointer(U8), pointer(I8)),
            (
                "Option<extern \"C\" fn(name: *const c_char) -> c_char>",
                callback(pointer(U8), U8),
                callback(pointer(I8), I8),
            ),
        ] {
            let mut ty = unsigned;
            apply(&mut ty, written);
            assert_eq!(ty, signed, "{written}");
            // Where it has one, nothing changes.
            apply(&mut ty, written);
            assert_eq!(ty, signed, "{written}");
        }
    }

    #[test]
    fn other_types_stay() {
        for (written, ty) in [
            ("u8", U8),
            ("*const u8", pointer(U8)),
            ("Wrapped<c_char>", U8),
            ("*const c_char", U8),
            ("c_char", Type::Int(Int::U16)),
            ("not a type: c_char", U8),
        ] {
            let mut same = ty.clone();
            apply(&mut same, written);
            assert_eq!(same, ty, "{written}");
        }
    }
}
