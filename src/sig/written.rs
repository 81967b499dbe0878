//! Types as the source writes them: what they stand for, told from other functions of the module, or from the source itself.

use std::collections::HashMap;

use syn::spanned::Spanned as _;

use super::attributes::Repr;
use super::syntax::ItemKind;
use super::types::Mapper;
use crate::model::{Field, Int, PointerKind, Type, TypeKind};

/// A module's path and a type as written there; what it stands for, None when two uses differ.
#[derive(Default)]
pub(super) struct Written(HashMap<(Vec<String>, String), Option<Option<Type>>>);

impl Written {
    /// Notes one use.
    pub(super) fn note(&mut self, module: &[String], text: &str, ty: &Option<Type>) {
        let key = (module.to_owned(), squeezed(text));
        let seen = self.0.entry(key).or_insert_with(|| Some(ty.clone()));
        if seen.as_ref() != Some(ty) {
            *seen = None;
        }
    }

    fn get(&self, module: &[String], text: &str) -> Option<Option<Type>> {
        self.0
            .get(&(module.to_owned(), squeezed(text)))
            .cloned()
            .flatten()
    }
}

/// So many `use`s and `type`s lead to a type at most, one through the other.
const USES: u32 = 8;

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

/// Tells what a written type stands for.
pub(super) struct Resolver<'r, 'd, 'a> {
    pub(super) written: &'r Written,
    pub(super) mapper: &'r mut Mapper<'d, 'a>,
    pub(super) object: usize,
    pub(super) module: &'r [String],
    /// How many `type`s led here.
    pub(super) aliases: u32,
}

impl Resolver<'_, '_, '_> {
    pub(super) fn value(&mut self, text: &str) -> Option<Option<Type>> {
        self.written
            .get(self.module, text)
            .or_else(|| self.ty(&syn::parse_str(text).ok()?))
    }

    /// None when it cannot be told; Some(None) when it has no bytes.
    fn ty(&mut self, ty: &syn::Type) -> Option<Option<Type>> {
        if let Some(known) = ty
            .span()
            .source_text()
            .and_then(|text| self.written.get(self.module, &text))
        {
            return Some(known);
        }
        match ty {
            syn::Type::Paren(inner) => self.ty(&inner.elem),
            syn::Type::Tuple(tuple) if tuple.elems.is_empty() => Some(None),
            syn::Type::Never(_) => Some(None),
            syn::Type::Reference(r) => {
                let mutable = r.mutability.is_some();
                let kind = if mutable {
                    PointerKind::RefMut
                } else {
                    PointerKind::Ref
                };
                match &*r.elem {
                    syn::Type::Slice(slice) => {
                        let elem = Box::new(self.inner(&slice.elem)??);
                        Some(Some(Type::Slice {
                            elem,
                            mutable,
                            pair: None,
                        }))
                    }
                    elem if ident(elem).as_deref() == Some("str") => {
                        (!mutable).then_some(Some(Type::Str))
                    }
                    elem => self.pointer(elem, kind),
                }
            }
            syn::Type::Ptr(p) => {
                let mutable = matches!(p.mutability, syn::PointerMutability::Mut(_));
                self.pointer(
                    &p.elem,
                    if mutable {
                        PointerKind::Mut
                    } else {
                        PointerKind::Const
                    },
                )
            }
            syn::Type::Array(array) => {
                let len = length(&array.len)?;
                let elem = self.inner(&array.elem)?;
                let array = |elem| Type::Array {
                    elem: Box::new(elem),
                    len,
                };
                Some(elem.filter(|_| len > 0).map(array))
            }
            syn::Type::Path(path) => self.by_path(path, false).map(Some),
            _ => None,
        }
    }

    /// A type inside another: a Go string, slice or function is not what Rust has there.
    fn inner(&mut self, ty: &syn::Type) -> Option<Option<Type>> {
        self.ty(ty).filter(|ty| {
            !matches!(
                ty,
                Some(Type::Str | Type::Slice { .. } | Type::Callback { .. })
            )
        })
    }

    fn pointer(&mut self, to: &syn::Type, kind: PointerKind) -> Option<Option<Type>> {
        let to = match to {
            _ if ident(to).as_deref() == Some("c_void") => None,
            syn::Type::Path(path) => Some(self.by_path(path, true)?),
            to => self.inner(to)?,
        };
        Some(Some(Type::Pointer {
            to: to.map(Box::new),
            kind,
            nullable: kind.is_raw(),
        }))
    }

    /// A primitive type, or a path from the module, its parents, the crate, or what a `use` brings in from there.
    fn by_path(&mut self, ty: &syn::TypePath, behind_pointer: bool) -> Option<Type> {
        if ty.qself.is_some()
            || ty.path.leading_colon.is_some()
            || ty.path.segments.iter().any(|s| !s.arguments.is_none())
        {
            return None;
        }
        let names: Vec<String> = ty
            .path
            .segments
            .iter()
            .map(|s| s.ident.to_string())
            .collect();
        if let [name] = &names[..]
            && let Some(primitive) = primitive(name)
        {
            return Some(primitive);
        }
        let module = self.module.to_vec();
        if let Some(known) = self.found(&module, &names, behind_pointer, 0) {
            return Some(known);
        }
        // The names of C's types are those of `core::ffi`, wherever they come from.
        let name = names.last()?;
        let own = |krate: &String| self.mapper.sources().alias(krate, name).is_some();
        c_type(name).filter(|_| !self.module.first().is_some_and(own))
    }

    /// The type of a path that is written in a module, or that a `use` of the module names.
    fn found(
        &mut self,
        module: &[String],
        names: &[String],
        behind_pointer: bool,
        depth: u32,
    ) -> Option<Type> {
        let mut path = module.to_vec();
        for (n, name) in names.iter().enumerate() {
            match name.as_str() {
                "crate" if n == 0 => path.truncate(1),
                "self" if n == 0 => {}
                "super" => drop(path.pop()?),
                _ => path.push(name.clone()),
            }
        }
        let known = self
            .mapper
            .known_type(self.object, &path.join("::"), behind_pointer);
        let known = known.or_else(|| self.by_source(&path, behind_pointer));
        let known = known.or_else(|| self.by_alias(&path, behind_pointer));
        if known.is_some() || depth > USES {
            return known;
        }
        let (first, rest) = names.split_first()?;
        if matches!(first.as_str(), "crate" | "self" | "super") {
            // What stands at the end of that path may be a `use` of that module.
            let (last, module) = path.split_last()?;
            let (last, module) = (std::slice::from_ref(last), module.to_vec());
            return match names.len() {
                1 => None,
                _ => self.found(&module, last, behind_pointer, depth + 1),
            };
        }
        let used = self.mapper.sources().used(module, first);
        let mut all = used.into_iter().filter_map(|path| {
            let names: Vec<String> = path.into_iter().chain(rest.iter().cloned()).collect();
            self.found(module, &names, behind_pointer, depth + 1)
        });
        // Attributes may choose among several.
        let first = all.next()?;
        all.all(|other| other == first).then_some(first)
    }

    /// What a `type` stands for. Attributes may choose among several: these must be the same.
    fn by_alias(&mut self, path: &[String], behind_pointer: bool) -> Option<Type> {
        let (_, module) = path.split_last()?;
        let mut found = None;
        for text in self.mapper.sources().aliases(path) {
            if self.aliases >= USES {
                return None;
            }
            let mut resolver = Resolver {
                module,
                written: self.written,
                mapper: &mut *self.mapper,
                object: self.object,
                aliases: self.aliases + 1,
            };
            let ty = match syn::parse_str(&text).ok()? {
                syn::Type::Path(path) => resolver.by_path(&path, behind_pointer)?,
                ty => resolver.ty(&ty)??,
            };
            if found.get_or_insert_with(|| ty.clone()) != &ty {
                return None;
            }
        }
        found
    }

    /// A type that no debug information describes: C's rules give a `repr(C)` struct its layout, and others are opaque.
    fn by_source(&mut self, path: &[String], behind_pointer: bool) -> Option<Type> {
        let item = self.mapper.sources().ty(path, None)?;
        let id = self.mapper.declare(path, item.doc)?;
        let kind = match item.kind {
            ItemKind::Type {
                repr: Some(Repr::C | Repr::Transparent),
                parts,
                fields: Some(types),
            } => {
                let (_, module) = path.split_last()?;
                let mut resolver = Resolver {
                    module,
                    written: self.written,
                    mapper: &mut *self.mapper,
                    object: self.object,
                    aliases: self.aliases,
                };
                resolver.structure(parts, &types)
            }
            _ => None,
        };
        let usable = kind.is_some() || behind_pointer;
        self.mapper.define(id, kind.unwrap_or(TypeKind::UNKNOWN));
        usable.then_some(Type::Named(id))
    }

    fn structure(&mut self, parts: Vec<(String, String)>, types: &[String]) -> Option<TypeKind> {
        let (mut fields, mut size, mut align) = (Vec::new(), 0u64, 1u64);
        for ((name, doc), text) in parts.into_iter().zip(types) {
            let Some(ty) = self.value(text)? else {
                continue;
            };
            let layout = self
                .mapper
                .layout(&ty)
                .filter(|_| !matches!(ty, Type::Callback { .. }))?;
            let offset = size.checked_next_multiple_of(layout.align)?;
            size = offset.checked_add(layout.size)?;
            align = align.max(layout.align);
            fields.push(Field {
                name,
                ty,
                offset,
                doc,
            });
        }
        size = size.checked_next_multiple_of(align)?;
        (size > 0).then_some(TypeKind::Struct {
            fields,
            size,
            align,
        })
    }
}

fn ident(ty: &syn::Type) -> Option<String> {
    match ty {
        syn::Type::Path(path) if path.qself.is_none() => {
            path.path.get_ident().map(ToString::to_string)
        }
        _ => None,
    }
}

/// The length of an array that is written as a number.
fn length(len: &syn::Expr) -> Option<u64> {
    match len {
        syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Int(n),
            ..
        }) => n.base10_parse().ok(),
        _ => None,
    }
}

/// The types of `core::ffi` and libc on 64-bit linux; `c_char` is one type to Go on every machine.
fn c_type(name: &str) -> Option<Type> {
    Some(Type::Int(match name {
        "c_char" | "c_schar" => Int::I8,
        "c_uchar" => Int::U8,
        "c_short" => Int::I16,
        "c_ushort" => Int::U16,
        "c_int" => Int::I32,
        "c_uint" => Int::U32,
        "c_long" | "c_longlong" => Int::I64,
        "c_ulong" | "c_ulonglong" => Int::U64,
        "size_t" => Int::Usize,
        "ssize_t" => Int::Isize,
        "c_float" => return Some(Type::F32),
        "c_double" => return Some(Type::F64),
        _ => return None,
    }))
}

fn primitive(name: &str) -> Option<Type> {
    Some(match name {
        "bool" => Type::Bool,
        "char" => Type::Char,
        "f32" => Type::F32,
        "f64" => Type::F64,
        "u8" => Type::Int(Int::U8),
        "u16" => Type::Int(Int::U16),
        "u32" => Type::Int(Int::U32),
        "u64" => Type::Int(Int::U64),
        "usize" => Type::Int(Int::Usize),
        "i8" => Type::Int(Int::I8),
        "i16" => Type::Int(Int::I16),
        "i32" => Type::Int(Int::I32),
        "i64" => Type::Int(Int::I64),
        "isize" => Type::Int(Int::Isize),
        _ => return None,
    })
}
