//! What has a Go spelling and what has not.
//!
//! A Go struct must have the layout of the Rust struct, and a Go value must be a valid Rust value for as long as Rust sees it. What
//! cannot meet that is refused here, by function, parameter and source line.

use std::collections::BTreeSet;

use crate::base::diag::Problem;
use crate::model::{
    Api, Field, Function, Import, Int, Layout, Source, Type, TypeDef, TypeId, TypeKind, Variant,
};

/// A type that does not fit the address space of Go's 32-bit platforms does not compile there.
const MAX_SIZE: u64 = i32::MAX as u64;

/// Go aligns no type more strictly than a word.
const MAX_ALIGN: u64 = 8;

/// Structs nested by value; Rust's own limit on type recursion is of this order. Damaged input may nest without end.
const MAX_DEPTH: u32 = 128;

/// Where a type stands; it decides what may stand there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    /// A parameter.
    Top,
    /// A result.
    Result,
    /// Inside another value: a field, what an `FfiResult` holds.
    Inside,
    /// In a slice or an array.
    Element,
    /// Behind a pointer.
    Behind,
}

impl Position {
    /// Whether the value stands for itself.
    fn alone(self) -> bool {
        matches!(self, Position::Top | Position::Result)
    }
}

/// Why `function` cannot be called from Go: one problem for each parameter, and for the result. Empty when it can.
pub fn unsupported(api: &Api, function: &Function) -> Vec<Problem> {
    let params = function
        .params
        .iter()
        .map(|p| (format!("parameter `{}`", p.name), &p.ty, Position::Top));
    let result = function.result.iter();
    let result = result.map(|ty| ("result".to_string(), ty, Position::Result));
    params
        .chain(result)
        .filter_map(|(role, ty, position)| {
            let why = Walk::new(api).value(ty, position, 0).err()?;
            Some(problem(function, &role, &why))
        })
        .collect()
}

/// Why Go cannot provide a function; None when it can.
pub fn not_provided(api: &Api, import: &Import) -> Option<Problem> {
    let why = Walk::new(api).value(&import.ty, Position::Top, 0).err()?;
    let problem = Problem::new(format!(
        "`{}` cannot be provided by Go: it {why}",
        import.symbol
    ))
    .help(format!(
        "change its signature, or leave it out with --import '!{}' and add the library that defines it",
        import.symbol
    ));
    Some(match &import.source {
        Some(source) => problem.at(location(source)),
        None => problem,
    })
}

fn problem(function: &Function, role: &str, why: &str) -> Problem {
    let problem = Problem::new(format!(
        "`{}` cannot be called from Go: its {role} {why}",
        function.symbol
    ))
    .help(format!(
        "change its signature, or leave the function out with --export '!{}'",
        function.symbol
    ));
    match &function.source {
        Some(source) => problem.at(location(source)),
        None => problem,
    }
}

fn location(source: &Source) -> String {
    match source.line {
        0 => source.file.clone(),
        line => format!("{}:{line}", source.file),
    }
}

/// One walk over all that can be reached from one value.
struct Walk<'a> {
    api: &'a Api,
    /// Types whose inside was looked at.
    seen: BTreeSet<TypeId>,
    /// Types whose size is known to be sound.
    sized: BTreeSet<TypeId>,
}

type Verdict = Result<(), String>;

/// What may only be a result stands elsewhere.
fn given(name: &str, instead: &str) -> String {
    format!(
        "holds an {name} of rsyso-ffi, which can only be the result of a function: as a parameter, {instead}; in a struct or behind a pointer, use types of your own"
    )
}

impl<'a> Walk<'a> {
    fn new(api: &'a Api) -> Self {
        Walk {
            api,
            seen: BTreeSet::new(),
            sized: BTreeSet::new(),
        }
    }

    /// The error completes the sentence "its parameter `x` ...".
    fn value(&mut self, ty: &Type, position: Position, depth: u32) -> Verdict {
        if depth > MAX_DEPTH {
            return Err("is nested too deeply".into());
        }
        match ty {
            Type::Bool | Type::Char | Type::Int(_) | Type::F32 | Type::F64 => Ok(()),
            Type::Str | Type::Text { .. } | Type::Slice { .. } if !position.alone() => Err(format!(
                "holds a {} inside of another type; Go's empty ones have no valid pointer for Rust: use a raw pointer and a length",
                if matches!(ty, Type::Slice { .. }) { "slice" } else { "string" }
            )),
            Type::Str | Type::Text { .. } => Ok(()),
            Type::Slice { elem, .. } => self.elements(elem, depth),
            Type::Pointer { to: None, .. } => Ok(()),
            Type::Pointer { to: Some(to), .. } => self.value(to, Position::Behind, depth + 1),
            Type::Array { .. } if position.alone() => {
                Err("is an array by value, which C has not".into())
            }
            Type::Array { elem, .. } => {
                self.value(elem, Position::Element, depth + 1)?;
                self.size(ty, 0).map(drop)
            }
            Type::Named(id) => self.named(*id, position, depth),
            Type::Owned { elem } if position == Position::Result => self.elements(elem, depth),
            Type::OwnedStr if position == Position::Result => Ok(()),
            Type::Fallible { value } if position == Position::Result => match value.as_deref() {
                None => Ok(()),
                Some(value @ (Type::Owned { .. } | Type::OwnedStr)) => {
                    self.value(value, Position::Result, depth + 1)
                }
                Some(value) => self.value(value, Position::Inside, depth + 1),
            },
            Type::Owned { .. } => Err(given("`OwnedSlice`", "take a `&[T]`")),
            Type::OwnedStr => Err(given("`OwnedString`", "take a `&str`")),
            Type::Fallible { .. } => Err(given("`FfiResult`", "take the value itself")),
            Type::Kept { id, .. } => match self.api.kept().get(*id) {
                Some(kept) => self.value(&kept.ty, Position::Top, depth + 1),
                None => Ok(()),
            },
            Type::Callback { .. } if position == Position::Result => {
                Err("is a function pointer, which Go cannot call".into())
            }
            Type::Callback { params, result, .. } if position == Position::Top => {
                let mut parts = params.iter().chain(result.as_deref());
                parts
                    .try_for_each(|part| match part {
                        Type::Callback { .. } => Err("is a function itself".into()),
                        _ => self.value(part, position, depth + 1),
                    })
                    .map_err(|why| format!("is a function, one of whose parts {why}"))
            }
            Type::Callback { .. } => {
                Err("holds a function pointer (`extern \"C\" fn`), which can be a parameter, or a field of a struct".into())
            }
        }
    }

    /// The elements of a slice.
    fn elements(&mut self, elem: &Type, depth: u32) -> Verdict {
        self.value(elem, Position::Element, depth + 1)?;
        match self.size(elem, 0)? {
            0 => Err("is a slice of a type without a size".into()),
            _ => Ok(()),
        }
    }

    fn named(&mut self, id: TypeId, position: Position, depth: u32) -> Verdict {
        let api = self.api;
        let def = api.def(id);
        if let TypeKind::Opaque { made, .. } = def.kind {
            return match position {
                Position::Behind => Ok(()),
                Position::Element if made => Ok(()),
                _ => Err(format!(
                    "holds the opaque type `{}` by value; such types go behind pointers, or are `repr(C)`",
                    def.path
                )),
            };
        }
        if !self.seen.insert(id) {
            // Either it was found good, or this is a cycle: one through pointers is fine, one by value is found by `size`.
            return Ok(());
        }
        self.size(&Type::Named(id), 0)?;
        match &def.kind {
            TypeKind::Struct { fields, .. } => {
                self.fields(def, depth)?;
                self.layout(def, "struct", fields, 0)
            }
            TypeKind::Union { fields, .. } => {
                self.fields(def, depth)?;
                let mut each = fields.chunks(1);
                each.try_for_each(|field| self.layout(def, "union", field, 0))
            }
            TypeKind::Sum { tag, variants, .. } => {
                self.fields(def, depth)?;
                numbers(def, *tag, variants)?;
                let mut each = variants.iter();
                each.try_for_each(|v| self.layout(def, "enum", &v.fields, tag.size()))
            }
            TypeKind::Enum { repr, variants } => numbers(def, *repr, variants),
            TypeKind::Opaque { .. } => Ok(()),
        }
    }

    fn fields(&mut self, def: &TypeDef, depth: u32) -> Verdict {
        for field in def.kind.fields() {
            self.value(&field.ty, Position::Inside, depth + 1)
                .map_err(|why| match field.ty {
                    // The innermost field alone is named.
                    Type::Named(_) => why,
                    _ => format!("{why} (field `{}` of `{}`)", field.name, def.path),
                })?;
        }
        Ok(())
    }

    /// Bytes by value, with a limit.
    fn size(&mut self, ty: &Type, depth: u32) -> Result<u64, String> {
        if depth > MAX_DEPTH {
            return Err("is nested too deeply".into());
        }
        match ty {
            Type::Named(id) => {
                let api = self.api;
                if !self.sized.contains(id) {
                    for field in api.def(*id).kind.fields() {
                        self.size(&field.ty, depth + 1)?;
                    }
                    self.sized.insert(*id);
                }
            }
            Type::Array { elem, .. } => drop(self.size(elem, depth + 1)?),
            _ => {}
        }
        let size = self.api.layout(ty).size;
        match size > MAX_SIZE {
            true => Err("holds a type of 2 GiB or more".into()),
            false => Ok(size),
        }
    }

    /// Whether a Go struct can have the layout of this type, with these fields behind so many bytes.
    fn layout(&self, def: &TypeDef, what: &str, fields: &[Field], from: u64) -> Verdict {
        let Some(Layout { size, align }) = def.kind.layout() else {
            return Ok(());
        };
        let refuse = |why: &str| Err(format!("holds the {what} `{}`, {why}", def.path));
        if align > MAX_ALIGN {
            return refuse(&format!(
                "which asks for an alignment of {align}; Go gives {MAX_ALIGN} at most"
            ));
        }
        if !align.is_power_of_two() || !size.is_multiple_of(align) {
            return refuse("whose size and alignment make no sense");
        }
        let mut end = from;
        for field in fields {
            let layout = self.api.layout(&field.ty);
            if layout.align > align || !field.offset.is_multiple_of(layout.align.max(1)) {
                return refuse("which is packed; Go has no such structs");
            }
            if field.offset < end {
                return refuse("whose fields overlap");
            }
            end = field.offset.saturating_add(layout.size);
        }
        match end > size {
            true => refuse("which has a field outside of it"),
            false => Ok(()),
        }
    }
}

/// Whether the discriminants of an enum fit their type.
fn numbers(def: &TypeDef, repr: Int, variants: &[Variant]) -> Verdict {
    let bits = repr.size() * 8;
    let (low, high) = match repr.signed() {
        true => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
        false => (0, (1i128 << bits) - 1),
    };
    match variants.iter().find(|v| v.value < low || v.value > high) {
        None => Ok(()),
        Some(v) => Err(format!(
            "holds the enum `{}`, whose variant `{}` does not fit its type",
            def.path, v.name
        )),
    }
}

/// The named types that can be reached from the functions.
pub(super) fn reachable(api: &Api) -> BTreeSet<TypeId> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&Type> = Vec::new();
    for f in api.functions() {
        open.extend(f.params.iter().map(|p| &p.ty).chain(&f.result));
    }
    open.extend(api.called_back());
    while let Some(ty) = open.pop() {
        match ty {
            Type::Slice { elem, .. } | Type::Array { elem, .. } | Type::Owned { elem } => {
                open.push(elem);
            }
            Type::Pointer { to: Some(to), .. } => open.push(to),
            Type::Fallible { value } => open.extend(value.as_deref()),
            Type::Callback { params, result, .. } => {
                open.extend(params);
                open.extend(result.as_deref());
            }
            Type::Named(id) if found.insert(*id) => {
                open.extend(api.def(*id).kind.fields().map(|f| &f.ty));
            }
            _ => {}
        }
    }
    found
}
