//! What the types of C are to a call: in the model, from which wrappers are made, and in the C of the functions that wrappers call.

use std::collections::BTreeMap;

use super::ctype::{CType, Number, Record, TypeRef, Types};
use crate::base::identifiers as names;
use crate::model::{Field, Int, PointerKind, Type, TypeDef, TypeId, TypeKind};

/// How a value crosses the border between Go and C.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    /// A number or a truth value: converted to this type of Go's.
    Number(&'static str),
    Pointer,
    /// A struct or a union: the same bytes, of this type of the package with the image.
    Bytes(String),
}

/// The types of calls.
pub(super) struct Abi<'t> {
    types: &'t Types,
    /// The structs and unions that are passed as they are.
    pub defs: Vec<TypeDef>,
    ids: BTreeMap<String, TypeId>,
}

/// An address of anything.
pub(super) fn address() -> Type {
    Type::Pointer {
        to: None,
        kind: PointerKind::Mut,
        nullable: true,
    }
}

impl<'t> Abi<'t> {
    pub fn new(types: &'t Types) -> Self {
        Abi {
            types,
            defs: Vec::new(),
            ids: BTreeMap::new(),
        }
    }

    /// The Go name of a struct that is passed as it is.
    pub fn go_name(&self, id: TypeId) -> String {
        let def = self.defs.get(id.0 as usize);
        def.map_or_else(String::new, |def| names::exported(&def.name, 'X'))
    }

    /// A parameter or a result.
    pub fn value(&mut self, ty: TypeRef) -> Result<(Type, Passed), String> {
        let base = self.types.base(ty);
        Ok(match self.types.get(base) {
            CType::Base {
                number: Number::Bool,
                ..
            } => (Type::Bool, Passed::Number("bool")),
            // It has a sign on some machines; its bytes are the same on all.
            CType::Base { name, .. } if name == "char" => {
                (Type::Int(Int::I8), Passed::Number("int8"))
            }
            CType::Base { number, size, name } => number_of(*number, *size)
                .map(|(ty, go)| (ty, Passed::Number(go)))
                .ok_or_else(|| format!("a `{name}` by value"))?,
            CType::Enum { size, signed, .. } => integer(size.unwrap_or(0), *signed)
                .map(|(ty, go)| (ty, Passed::Number(go)))
                .ok_or("an enum that is declared only, by value")?,
            CType::Pointer(_) | CType::Array { .. } | CType::Function { .. } => {
                (address(), Passed::Pointer)
            }
            CType::Record(_) => {
                let (_, spelled) = self.spelled(ty)?;
                let id = self.record(base, &spelled)?;
                (Type::Named(id), Passed::Bytes(self.go_name(id)))
            }
            other => return Err(described(other)),
        })
    }

    /// A type that holds the result of a function, and behind it what `errno` is.
    pub fn with_errno(&mut self, name: &str, result: Option<&Type>) -> TypeId {
        let mut fields = Vec::new();
        let (mut size, mut align) = (0, 4);
        if let Some(ty) = result {
            let layout = self.layout(ty);
            fields.push(field("r", ty.clone(), 0));
            (size, align) = (layout.0.next_multiple_of(4), layout.1.max(4));
        }
        fields.push(field("e", Type::Int(Int::I32), size));
        let size = (size + 4).next_multiple_of(align);
        self.add(
            &format!("result of {name}"),
            format!("result_{name}"),
            TypeKind::Struct {
                fields,
                size,
                align,
            },
        )
    }

    fn layout(&self, ty: &Type) -> (u64, u64) {
        match ty {
            Type::Bool => (1, 1),
            Type::Int(int) => (int.size(), int.size()),
            Type::F32 => (4, 4),
            Type::Array { elem, len } => {
                let (size, align) = self.layout(elem);
                (size.saturating_mul(*len), align)
            }
            Type::Named(id) => {
                let layout = self.defs.get(id.0 as usize).and_then(|d| d.kind.layout());
                layout.map_or((0, 1), |l| (l.size, l.align))
            }
            _ => (8, 8),
        }
    }

    fn add(&mut self, key: &str, name: String, kind: TypeKind) -> TypeId {
        let id = TypeId(self.defs.len() as u32);
        self.ids.insert(key.to_owned(), id);
        // Two types of C may have one name in Go.
        let go = |name: &str| names::exported(name, 'X');
        let mut unique = name.clone();
        while self.defs.iter().any(|d| go(&d.name) == go(&unique)) {
            unique.push_str("_x");
        }
        self.defs.push(TypeDef {
            name: unique,
            path: String::new(),
            doc: String::new(),
            kind,
        });
        id
    }

    fn record(&mut self, at: TypeRef, spelled: &str) -> Result<TypeId, String> {
        if let Some(id) = self.ids.get(spelled) {
            return Ok(*id);
        }
        let CType::Record(record) = self.types.get(at) else {
            return Err("a type that is no struct".into());
        };
        let kind = self.kind(record, spelled)?;
        Ok(self.add(
            spelled,
            format!("value_{}", spelled.replace(' ', "_")),
            kind,
        ))
    }

    fn kind(&mut self, record: &Record, spelled: &str) -> Result<TypeKind, String> {
        let size = record.size.filter(|size| *size > 0);
        let size = size.ok_or_else(|| format!("`{spelled}`, which has no size, by value"))?;
        let mut fields = Vec::new();
        let mut align = 1;
        for (at, of) in record.fields.iter().enumerate() {
            if of.bits {
                return Err(format!("`{spelled}`, which has bit fields, by value"));
            }
            let ty = self.part(of.ty, spelled, at)?;
            let (bytes, own) = self.layout(&ty);
            if bytes == 0 {
                continue;
            }
            if !of.offset.is_multiple_of(own) {
                return Err(format!("`{spelled}`, which is packed, by value"));
            }
            align = align.max(own);
            fields.push(field(&format!("f{at}"), ty, of.offset));
        }
        if !size.is_multiple_of(align) {
            return Err(format!("`{spelled}`, which is packed, by value"));
        }
        let padded = fields.iter().map(|f| f.offset + self.layout(&f.ty).0).max();
        let more = record.aligned.is_some_and(|a| a > align);
        if more || padded.unwrap_or(0).next_multiple_of(align) != size {
            return Err(format!(
                "`{spelled}`, which is aligned by an attribute, by value"
            ));
        }
        Ok(match record.union {
            true => TypeKind::Union {
                fields,
                size,
                align,
            },
            false => TypeKind::Struct {
                fields,
                size,
                align,
            },
        })
    }

    /// A field of what is passed by value.
    fn part(&mut self, ty: TypeRef, of: &str, at: usize) -> Result<Type, String> {
        let base = self.types.base(ty);
        Ok(match self.types.get(base) {
            // Any byte may be in it: who reads it is not asked.
            CType::Base {
                number: Number::Bool,
                ..
            } => Type::Int(Int::U8),
            CType::Array { elem, count } => Type::Array {
                elem: Box::new(self.part(*elem, of, at)?),
                len: count.unwrap_or(0),
            },
            CType::Record(_) => {
                let key = match self.spelled(ty) {
                    Ok((_, spelled)) => spelled,
                    Err(_) => format!("{of}_{at}"),
                };
                Type::Named(self.record(base, &key)?)
            }
            _ => self.value(ty)?.0,
        })
    }

    /// A type in C that is passed in the same way, and whether it is void; for structs, how C code spells it.
    pub fn spelled(&self, ty: TypeRef) -> Result<(bool, String), String> {
        let mut at = self.types.unqualified(ty);
        let mut alias = None;
        loop {
            match self.types.get(at) {
                CType::Typedef { name, of } => {
                    alias.get_or_insert_with(|| name.clone());
                    at = self.types.unqualified(*of);
                }
                CType::Void => return Ok((true, "void".into())),
                CType::Base { name, .. } => return Ok((false, name.clone())),
                CType::Enum { size, signed, .. } => {
                    let sign = if *signed { "" } else { "unsigned " };
                    let word = match size {
                        Some(1) => "char",
                        Some(2) => "short",
                        Some(4) => "int",
                        Some(8) => "long",
                        _ => return Err("an enum that is declared only, by value".into()),
                    };
                    let sign = if *signed && word == "char" {
                        "signed "
                    } else {
                        sign
                    };
                    return Ok((false, format!("{sign}{word}")));
                }
                CType::Pointer(_) | CType::Array { .. } | CType::Function { .. } => {
                    return Ok((false, "void *".into()));
                }
                CType::Record(record) => {
                    let kind = if record.union { "union" } else { "struct" };
                    let tagged = record.tag.as_ref().map(|tag| format!("{kind} {tag}"));
                    return match tagged.or(alias) {
                        Some(name) => Ok((false, name)),
                        None => Err("a struct without a name by value".into()),
                    };
                }
                other => return Err(described(other)),
            }
        }
    }
}

fn described(ty: &CType) -> String {
    match ty {
        CType::Other(what) => format!("{what} by value"),
        _ => "a type that is not understood".into(),
    }
}

fn field(name: &str, ty: Type, offset: u64) -> Field {
    Field {
        name: name.to_owned(),
        ty,
        offset,
        doc: String::new(),
    }
}

fn integer(size: u64, signed: bool) -> Option<(Type, &'static str)> {
    let (int, go) = match (size, signed) {
        (1, true) => (Int::I8, "int8"),
        (2, true) => (Int::I16, "int16"),
        (4, true) => (Int::I32, "int32"),
        (8, true) => (Int::I64, "int64"),
        (1, false) => (Int::U8, "uint8"),
        (2, false) => (Int::U16, "uint16"),
        (4, false) => (Int::U32, "uint32"),
        (8, false) => (Int::U64, "uint64"),
        _ => return None,
    };
    Some((Type::Int(int), go))
}

fn number_of(number: Number, size: u64) -> Option<(Type, &'static str)> {
    match (number, size) {
        (Number::Signed, _) => integer(size, true),
        (Number::Unsigned, _) => integer(size, false),
        (Number::Float, 4) => Some((Type::F32, "float32")),
        (Number::Float, 8) => Some((Type::F64, "float64")),
        _ => None,
    }
}
