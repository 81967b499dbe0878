//! What a Go struct is made of, and the compile-time checks that it lies as Rust's does.

use crate::model::{Api, Field, Function, Layout, Type, TypeId, TypeKind};

use super::opaque;
use super::scope::Scope;

/// What a check says of Go 1.21's vet.
const OF_VET: &str =
    "\n// The products are for the vet of Go 1.21, which counts no padding at the end of a struct.";

/// A part of a struct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// An array without elements that aligns the struct to these bytes.
    Aligner(u64),
    /// Bytes that Go's compiler would not leave by itself.
    Padding(u64),
    /// The field of this index.
    Field(usize),
}

/// The parts of a struct, in order. Where Go's compiler leaves the holes that the C layout has, these have no fields: package fmt would print
/// what lies in them, reflect.DeepEqual compare it, and a literal without names have to give it.
pub(super) fn parts(api: &Api, fields: &[Field], size: u64, align: u64) -> Vec<Part> {
    let sized = || {
        let all = fields.iter().enumerate();
        all.map(|(index, field)| (index, field.offset, api.layout(&field.ty)))
            .filter(|(_, _, layout)| layout.size > 0)
    };
    let mut parts = Vec::new();
    // `#[repr(align(8))]`.
    let natural = sized().map(|(_, _, layout)| layout.align).max();
    if size > 0 && natural.unwrap_or(1) < align {
        parts.push(Part::Aligner(align));
    }
    let go = |end: u64, align: u64| end.checked_next_multiple_of(align).unwrap_or(end);
    let mut end = 0u64;
    for (index, offset, layout) in sized() {
        if offset > go(end, layout.align) {
            parts.push(Part::Padding(offset - end));
        }
        parts.push(Part::Field(index));
        end = offset.saturating_add(layout.size);
    }
    if size > go(end, align) {
        parts.push(Part::Padding(size - end));
    }
    parts
}

/// The checks, with their comment; None when there is nothing to check. An index other than 0 does not compile.
pub(super) fn checks(
    api: &Api,
    scope: &Scope,
    ids: impl Iterator<Item = TypeId>,
) -> Option<String> {
    let lines: Vec<String> = ids.flat_map(|id| of_type(api, scope, id)).collect();
    let vet = match lines.iter().any(|line| line.contains(")*(")) {
        true => OF_VET,
        false => "",
    };
    (!lines.is_empty()).then(|| {
        format!(
            "// The layouts that the native code counts on. A line that does not compile names the one that differs.{vet}\nvar (\n{}\n)",
            lines.join("\n")
        )
    })
}

fn of_type(api: &Api, scope: &Scope, id: TypeId) -> Vec<String> {
    let Some(names) = scope.types.get(&id) else {
        return Vec::new();
    };
    let (fields, Layout { size, align }) = match (&api.def(id).kind, opaque::made(api, scope, id)) {
        (TypeKind::Struct { fields, .. }, _) => (&fields[..], api.layout(&Type::Named(id))),
        (_, Some(layout)) => (&[][..], layout),
        (TypeKind::Union { .. } | TypeKind::Sum { .. }, _) => {
            (&[][..], api.layout(&Type::Named(id)))
        }
        _ => return Vec::new(),
    };
    let name = &names.name;
    let (offsets, end) = match fields {
        [] => (Vec::new(), size),
        fields => in_vet(api, fields, size, align),
    };
    let mut lines = vec![check(format!("Sizeof({name}{{}})"), size, end)];
    if size > 0 {
        lines.push(check(format!("Alignof({name}{{}})"), align, align));
    }
    for (index, offset) in offsets {
        if let (Some(member), Some(field)) = (names.members.get(index), fields.get(index)) {
            let what = format!("Offsetof({name}{{}}.{member})");
            lines.push(check(what, field.offset, offset));
        }
    }
    lines
}

/// One check; `vet` is what the vet of Go 1.21 takes the value for.
fn check(what: String, value: u64, vet: u64) -> String {
    match value.checked_sub(vet) {
        None | Some(0) => format!("\t_ = [1]struct{{}}{{}}[unsafe.{what}-{value}]"),
        // Zero for the two alone: constants are never negative.
        Some(_) => {
            format!("\t_ = [1]struct{{}}{{}}[(unsafe.{what}-{vet})*({value}-unsafe.{what})]")
        }
    }
}

/// Where the vet of Go 1.21 takes the fields and the end of a struct to be (go/types, `StdSizes`).
fn in_vet(api: &Api, fields: &[Field], size: u64, align: u64) -> (Vec<(usize, u64)>, u64) {
    let mut end = 0u64;
    let mut offsets = Vec::new();
    for part in parts(api, fields, size, align) {
        match part {
            Part::Aligner(_) => {}
            Part::Padding(bytes) => end = end.saturating_add(bytes),
            Part::Field(index) => {
                let Some(field) = fields.get(index) else {
                    continue;
                };
                let align = api.layout(&field.ty).align;
                end = end.checked_next_multiple_of(align).unwrap_or(end);
                offsets.push((index, end));
                end = end.saturating_add(size_in_vet(api, &field.ty));
            }
        }
    }
    (offsets, end)
}

/// Whether the vet of Go 1.21, which holds the size of the arguments against its own account, takes it for another.
/// It does not look behind a macro (x/tools, `asmdecl`).
pub(super) fn differ_in_vet(api: &Api, f: &Function) -> bool {
    let mut values = f.params.iter().map(|p| &p.ty).chain(&f.result);
    values.any(|ty| size_in_vet(api, ty) != api.layout(ty).size)
}

fn size_in_vet(api: &Api, ty: &Type) -> u64 {
    let Layout { size, align } = api.layout(ty);
    match ty {
        Type::Named(id) => match &api.def(*id).kind {
            TypeKind::Struct { fields, .. } => in_vet(api, fields, size, align).1,
            _ => size,
        },
        // All elements but the last end where the next one begins.
        Type::Array { elem, .. } if size > 0 => {
            let missing = api.layout(elem).size.saturating_sub(size_in_vet(api, elem));
            size.saturating_sub(missing)
        }
        _ => size,
    }
}
