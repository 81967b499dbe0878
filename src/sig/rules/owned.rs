//! The types of the companion crate `rsyso-ffi`: owned slices and strings, and results.
//!
//! Debug information and C headers describe them as the structs that they are. Here, when all signatures are read, the structs are
//! recognised and become [`Type::Owned`], [`Type::OwnedStr`] and [`Type::Fallible`]: by the path of the crate in debug information, by
//! cbindgen's names for them in a header, and by their fields in both. Only libraries that have the crate's function to free memory have such types.

use std::collections::HashMap;

use crate::base::diag::{Error, Kind, Problem, Result};
use crate::model::{Field, Int, PointerKind, Signatures, Type, TypeDef, TypeId, TypeKind};

/// The crate's function that frees what was given away.
pub const FREE: &str = "rsyso_ffi_free";

/// The crate, as paths begin with it.
const CRATE: &str = "rsyso_ffi::";

/// The structs that are types of the crate, and what they stand for; `frees` says whether the library has [`FREE`].
pub(super) fn find(read: &Signatures, frees: bool) -> Result<HashMap<TypeId, Type>> {
    let ids = (0..u32::try_from(read.types.len()).unwrap_or(0)).map(TypeId);
    let owned: HashMap<TypeId, Type> = match frees {
        true => ids
            .clone()
            .filter_map(|id| Some((id, recognise(read, id)?)))
            .collect(),
        false => HashMap::new(),
    };
    // A type of the crate that is not recognised would be taken for a plain struct, and its memory be lost.
    let strange = ids
        .filter(|id| !owned.contains_key(id))
        .map(|id| read.def(id))
        .filter(|def| def.path.starts_with(CRATE) && !def.kind.is_opaque())
        .map(|def| stranger(def, frees));
    Error::check(Kind::Unsupported, strange.collect(), owned)
}

fn stranger(def: &TypeDef, frees: bool) -> Problem {
    let problem = Problem::new(format!("the library uses `{}` of rsyso-ffi", def.path));
    let hollow = match &def.kind {
        TypeKind::Struct { fields, .. } => fields
            .iter()
            .any(|f| f.name == "ptr" && matches!(f.ty, Type::Pointer { to: None, .. })),
        _ => false,
    };
    match frees {
        true if hollow => problem
            .note("its elements have no size, and Go has no counterpart for them")
            .help("give the number of elements, as a `usize`"),
        true => problem
            .note("its fields are not those that this rsyso knows")
            .help("use versions of rsyso and rsyso-ffi that belong together"),
        false => problem
            .note(format!(
                "but it does not have `{FREE}`, which gives memory back"
            ))
            .help(format!(
                "keep `{FREE}` when the library is linked or stripped"
            )),
    }
}

/// The name that cbindgen may have given a prefix to and has put type arguments behind.
fn named(def: &TypeDef, name: &str) -> bool {
    let head = def.path.split('<').next().unwrap_or_default();
    match head.strip_prefix(CRATE) {
        Some(rest) => rest.rsplit("::").next() == Some(name),
        None => !head.contains("::") && def.name.contains(name),
    }
}

/// What the type is, if it is one of the crate's.
fn recognise(read: &Signatures, id: TypeId) -> Option<Type> {
    let def = read.types.get(id.0 as usize)?;
    let TypeKind::Struct { fields, .. } = &def.kind else {
        return None;
    };
    let field = |f: &Field, name: &str| f.name == name;
    match fields.as_slice() {
        [ptr, len, cap] if field(ptr, "ptr") && field(len, "len") && field(cap, "cap") => {
            let words = [len, cap].iter().all(|f| f.ty == Type::Int(Int::Usize));
            let Type::Pointer {
                to: Some(elem),
                kind: PointerKind::Mut,
                ..
            } = &ptr.ty
            else {
                return None;
            };
            if !words {
                None
            } else if named(def, "OwnedSlice") {
                Some(Type::Owned { elem: elem.clone() })
            } else {
                let bytes = **elem == Type::Int(Int::U8);
                (bytes && named(def, "OwnedString")).then_some(Type::OwnedStr)
            }
        }
        [value @ .., error] if is_result(def) && field(error, "error") => {
            let Type::Named(text) = error.ty else {
                return None;
            };
            let value = match value {
                [] => None,
                [value] if field(value, "value") => Some(&value.ty),
                _ => return None,
            };
            // Results in results end here: they are left as they are, and refused.
            let value = value.map(|ty| match ty {
                Type::Named(inner) if *inner != id => match recognise_plain(read, *inner) {
                    Some(owned) => owned,
                    None => ty.clone(),
                },
                _ => ty.clone(),
            });
            (recognise_plain(read, text)? == Type::OwnedStr).then(|| Type::Fallible {
                value: value.map(Box::new),
            })
        }
        _ => None,
    }
}

fn is_result(def: &TypeDef) -> bool {
    named(def, "FfiResult") || named(def, "FfiStatus")
}

/// As [`recognise`], without results.
fn recognise_plain(read: &Signatures, id: TypeId) -> Option<Type> {
    let def = read.types.get(id.0 as usize)?;
    match is_result(def) {
        true => None,
        false => recognise(read, id),
    }
}
