//! Holds what a header says of a function against what the debug information says.
//!
//! A header says less than Rust does: a pointer may be a reference, and `void *` points to anything. It may never say something else.

use std::collections::HashSet;

use super::super::place_of;
use super::decl::CFunction;
use crate::base::diag::Problem;
use crate::model::{
    Field, Function, Int, Layout, Signatures, Source, Type, TypeId, TypeKind, Variant,
};

/// Pointers to pointers that are followed.
const NESTING_LIMIT: u32 = 64;

/// Two views of one library.
pub(super) struct Comparison<'a> {
    rust: &'a Signatures,
    c: &'a Signatures,
    /// Pairs of types that were compared, or are being compared.
    seen: HashSet<(TypeId, TypeId)>,
}

impl<'a> Comparison<'a> {
    pub fn new(rust: &'a Signatures, c: &'a Signatures) -> Self {
        Comparison {
            rust,
            c,
            seen: HashSet::new(),
        }
    }

    /// How a function differs.
    pub fn function(
        mut self,
        rust: &Function,
        c: &Function,
        declared: Option<&CFunction>,
    ) -> Vec<Problem> {
        let mut out = Vec::new();
        let symbol = &rust.symbol;
        let mut differs = |message: String, at: Option<&Source>| {
            let mut problem = Problem::new(format!("`{symbol}` {message}"));
            if let Some(source) = at.or(c.source.as_ref()) {
                problem = problem.at(place_of(source));
            }
            if let Some(source) = &rust.source {
                problem = problem.note(format!("in Rust it is at {}", place_of(source)));
            }
            out.push(problem.help(
                "was the header made from another version of the library? Make it again from the sources of this build, or convert without --header",
            ));
        };
        let (here, there) = (rust.params.len(), c.params.len());
        if here != there {
            let message = format!("has {here} parameters in the library and {there} in the header");
            differs(message, None);
            return out;
        }
        for (n, (rust_param, c_param)) in rust.params.iter().zip(&c.params).enumerate() {
            if !self.same(&rust_param.ty, &c_param.ty, 0) {
                let at = declared.and_then(|d| d.ty.params.get(n)).map(|p| &p.source);
                let [here, there] = self.spelled(&rust_param.ty, &c_param.ty);
                differs(
                    format!(
                        "differs: its parameter `{}` is {here} in the library and {there} in the header",
                        rust_param.name
                    ),
                    at,
                );
            }
        }
        let names = |f: &Function| f.params.iter().map(|p| p.name.clone()).collect::<Vec<_>>();
        if let Some(name) = moved(&names(rust), &names(c)) {
            differs(
                format!("differs: its parameter `{name}` stands in another place in the header"),
                None,
            );
        }
        let same = match (&rust.result, &c.result) {
            (Some(rust), Some(c)) => self.same(rust, c, 0),
            (None, None) => true,
            _ => false,
        };
        if !same {
            let [here, there] = match (&rust.result, &c.result) {
                (Some(rust), Some(c)) => self.spelled(rust, c),
                (rust, c) => [
                    rust.as_ref().map(|t| spelled(self.rust, t, 0)),
                    c.as_ref().map(|t| spelled(self.c, t, 0)),
                ]
                .map(|t| t.map_or("nothing".to_owned(), |t| format!("`{t}`"))),
            };
            differs(
                format!("differs: its result is {here} in the library and {there} in the header"),
                None,
            );
        }
        out
    }

    /// Both types for a message; when they read alike, their contents differ.
    fn spelled(&self, rust: &Type, c: &Type) -> [String; 2] {
        let [rust, c] = [spelled(self.rust, rust, 0), spelled(self.c, c, 0)];
        match rust == c {
            true => [
                format!("`{rust}`"),
                "a type of that name with other contents".to_owned(),
            ],
            false => [rust, c].map(|t| format!("`{t}`")),
        }
    }

    /// Whether a type of the header may stand for one of Rust's.
    pub fn same(&mut self, rust: &Type, c: &Type, depth: u32) -> bool {
        if depth > NESTING_LIMIT {
            return true;
        }
        let depth = depth + 1;
        match (rust, c) {
            // C17 has no type of its own for it that compilers agree on.
            (Type::Char, Type::Int(Int::U32)) => true,
            (Type::Pointer { to: rust, .. }, Type::Pointer { to: c, .. }) => match (rust, c) {
                (Some(rust), Some(c)) => bytes(rust, c) || self.same(rust, c, depth),
                _ => true,
            },
            (Type::Array { elem: rust, len: n }, Type::Array { elem: c, len: m }) => {
                n == m && (bytes(rust, c) || self.same(rust, c, depth))
            }
            (Type::Named(rust), Type::Named(c)) => self.same_named(*rust, *c, depth),
            (Type::Named(id), c) => match &self.rust.def(*id).kind {
                TypeKind::Enum { repr, .. } => *c == Type::Int(*repr),
                // `#[repr(transparent)]`.
                TypeKind::Struct { fields, .. } => match &fields[..] {
                    [only] => self.same(&only.ty, c, depth),
                    _ => false,
                },
                TypeKind::Union { .. } | TypeKind::Sum { .. } | TypeKind::Opaque { .. } => false,
            },
            (Type::Str | Type::Slice { .. }, Type::Named(id)) => match &self.c.def(*id).kind {
                TypeKind::Struct { fields, .. } => matches!(
                    &fields[..],
                    [
                        Field {
                            ty: Type::Pointer { .. },
                            ..
                        },
                        Field {
                            ty: Type::Int(Int::Usize),
                            ..
                        }
                    ]
                ),
                _ => false,
            },
            (Type::Callback { .. }, Type::Pointer { to: None, .. }) => true,
            (
                Type::Callback {
                    params: rust,
                    result: r,
                    ..
                },
                Type::Callback {
                    params: c,
                    result: s,
                    ..
                },
            ) => {
                rust.len() == c.len()
                    && rust
                        .iter()
                        .zip(c)
                        .all(|(rust, c)| self.same(rust, c, depth))
                    && match (r, s) {
                        (Some(r), Some(s)) => self.same(r, s, depth),
                        (None, None) => true,
                        _ => false,
                    }
            }
            _ => rust == c,
        }
    }

    fn same_fields(&mut self, rust: &[Field], c: &[Field], depth: u32) -> bool {
        let names = |fields: &[Field]| fields.iter().map(|f| f.name.clone()).collect::<Vec<_>>();
        rust.len() == c.len()
            && moved(&names(rust), &names(c)).is_none()
            && rust
                .iter()
                .zip(c)
                .all(|(rust, c)| rust.offset == c.offset && self.same(&rust.ty, &c.ty, depth))
    }

    /// Unions of one layout are the same if each field of the header's is one of Rust's: by its name, or, where it has another, by its type. The header
    /// may leave some out.
    fn same_views(&mut self, rust: &[Field], c: &[Field], depth: u32) -> bool {
        c.iter().all(|c| {
            let named = rust.iter().find(|r| plain(&r.name) == plain(&c.name));
            match named {
                Some(named) => self.same(&named.ty, &c.ty, depth),
                None => rust.iter().any(|r| {
                    let seen = self.seen.clone();
                    let same = self.same(&r.ty, &c.ty, depth);
                    // What a field is not was not compared for good.
                    if !same {
                        self.seen = seen;
                    }
                    same
                }),
            }
        })
    }

    pub fn same_named(&mut self, rust: TypeId, c: TypeId, depth: u32) -> bool {
        if !self.seen.insert((rust, c)) {
            return true;
        }
        match (&self.rust.def(rust).kind, &self.c.def(c).kind) {
            // One of them tells nothing but, perhaps, its size.
            (a @ TypeKind::Opaque { .. }, b) | (b, a @ TypeKind::Opaque { .. }) => {
                match (stated(a), stated(b)) {
                    (Some(a), Some(b)) => a == b,
                    _ => true,
                }
            }
            (a @ TypeKind::Struct { fields: rust, .. }, b @ TypeKind::Struct { fields: c, .. }) => {
                a.layout() == b.layout() && self.same_fields(rust, c, depth)
            }
            (a @ TypeKind::Union { fields: rust, .. }, b @ TypeKind::Union { fields: c, .. }) => {
                a.layout() == b.layout() && self.same_views(rust, c, depth)
            }
            (
                TypeKind::Enum {
                    repr: a,
                    variants: rust,
                },
                TypeKind::Enum {
                    repr: b,
                    variants: c,
                },
            ) => a == b && same_variants(rust, c),
            (
                a @ TypeKind::Sum {
                    tag: s,
                    variants: rust,
                    ..
                },
                b @ TypeKind::Sum {
                    tag: t,
                    variants: c,
                    ..
                },
            ) => {
                // Debug information has a `usize` for what it is.
                (a.layout(), s.size(), s.signed()) == (b.layout(), t.size(), t.signed())
                    && same_variants(rust, c)
                    && rust
                        .iter()
                        .zip(c)
                        .all(|(rust, c)| self.same_fields(&rust.fields, &c.fields, depth))
            }
            // Written in a way of which only the bytes are understood.
            (a @ TypeKind::Sum { .. }, b @ (TypeKind::Struct { .. } | TypeKind::Union { .. })) => {
                a.layout() == b.layout()
            }
            (TypeKind::Struct { fields, .. }, _) => match &fields[..] {
                [only] => self.same(&only.ty, &Type::Named(c), depth),
                _ => false,
            },
            _ => false,
        }
    }
}

/// Whether both are bytes in memory. Rust has them as `u8`, and C as `char`, whose sign is the machine's affair.
fn bytes(rust: &Type, c: &Type) -> bool {
    let byte = |ty: &Type| matches!(ty, Type::Int(Int::I8 | Int::U8));
    byte(rust) && byte(c)
}

/// A name without what spellings differ in.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// Whether variants have the same numbers, in the same order.
fn same_variants(rust: &[Variant], c: &[Variant]) -> bool {
    let values = |variants: &[Variant]| variants.iter().map(|v| v.value).collect::<Vec<_>>();
    let names = |variants: &[Variant]| variants.iter().map(|v| v.name.clone()).collect::<Vec<_>>();
    values(rust) == values(c) && moved(&names(rust), &names(c)).is_none()
}

/// The layout of a type, whether or not Go has values of it.
fn stated(kind: &TypeKind) -> Option<Layout> {
    match kind {
        TypeKind::Opaque { layout, .. } => *layout,
        kind => kind.layout(),
    }
}

/// A name that stands in both lists, in different places. Names alone may differ, as cbindgen can rename them.
fn moved<'n>(rust: &'n [String], c: &[String]) -> Option<&'n String> {
    let c: Vec<_> = c.iter().map(|name| plain(name)).collect();
    let mut each = rust.iter().enumerate();
    each.find(|(n, name)| {
        let name = plain(name);
        !name.is_empty() && c.get(*n) != Some(&name) && c.contains(&name)
    })
    .map(|(_, name)| name)
}

/// A type as Rust would write it.
pub(super) fn spelled(api: &Signatures, ty: &Type, depth: u32) -> String {
    if depth > NESTING_LIMIT {
        return "...".into();
    }
    let depth = depth + 1;
    match ty {
        Type::Bool => "bool".into(),
        Type::Char => "char".into(),
        Type::Int(int) => format!("{int:?}").to_lowercase(),
        Type::F32 => "f32".into(),
        Type::F64 => "f64".into(),
        Type::Str => "&str".into(),
        Type::Text { .. } => "*const c_char and a length".into(),
        Type::Slice { elem, .. } => format!("&[{}]", spelled(api, elem, depth)),
        Type::Pointer { to: None, .. } => "a pointer".into(),
        Type::Pointer { to: Some(to), .. } => format!("*{}", spelled(api, to, depth)),
        Type::Array { elem, len } => format!("[{}; {len}]", spelled(api, elem, depth)),
        Type::Named(id) => api.def(*id).name.clone(),
        Type::Callback { .. } | Type::Kept { .. } => "a function pointer".into(),
        Type::Owned { elem } => format!("OwnedSlice<{}>", spelled(api, elem, depth)),
        Type::OwnedStr => "OwnedString".into(),
        Type::Fallible { value: None } => "FfiResult<()>".into(),
        Type::Fallible { value: Some(v) } => format!("FfiResult<{}>", spelled(api, v, depth)),
    }
}
