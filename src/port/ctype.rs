//! The types of C, as debug information has them.

use std::collections::HashMap;

use gimli::constants as dw;

use crate::sig::dwarf::{At, Debug, Die};

/// Index into [`Types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TypeRef(usize);

/// A type of C.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum CType {
    Void,
    Base {
        /// As the compiler spells it: `long unsigned int`.
        name: String,
        number: Number,
        size: u64,
    },
    Enum {
        tag: Option<String>,
        /// None where it is declared only.
        size: Option<u64>,
        /// Whether a constant of it is negative.
        signed: bool,
    },
    Pointer(TypeRef),
    /// `const`, `volatile`, `restrict` or `_Atomic` of another.
    Qualified(TypeRef),
    Array {
        elem: TypeRef,
        /// None for one at the end of a struct that is left open.
        count: Option<u64>,
    },
    Function {
        params: Vec<TypeRef>,
        result: TypeRef,
        variadic: bool,
    },
    Record(Record),
    Typedef {
        name: String,
        of: TypeRef,
    },
    /// What is not understood, in words.
    Other(String),
}

/// Kinds of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Bool,
    Signed,
    Unsigned,
    Float,
    Complex,
}

/// A struct or a union.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    pub union: bool,
    pub tag: Option<String>,
    /// Where it is declared: tells those without a tag apart.
    pub place: String,
    /// None where it is declared only.
    pub size: Option<u64>,
    /// What an attribute aligns it to.
    pub aligned: Option<u64>,
    pub fields: Vec<Field>,
}

/// A field.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    /// None for an unnamed struct or union.
    pub name: Option<String>,
    pub ty: TypeRef,
    pub offset: u64,
    pub bits: bool,
}

/// The types of all files of a package.
#[derive(Debug, Default)]
pub(super) struct Types(Vec<CType>);

impl Types {
    pub fn get(&self, at: TypeRef) -> &CType {
        static VOID: CType = CType::Void;
        self.0.get(at.0).unwrap_or(&VOID)
    }

    fn add(&mut self, ty: CType) -> TypeRef {
        self.0.push(ty);
        TypeRef(self.0.len() - 1)
    }

    /// Without qualifiers.
    pub fn unqualified(&self, mut at: TypeRef) -> TypeRef {
        while let CType::Qualified(of) = self.get(at) {
            at = *of;
        }
        at
    }

    /// Without qualifiers and typedefs.
    pub fn base(&self, mut at: TypeRef) -> TypeRef {
        while let CType::Qualified(of) | CType::Typedef { of, .. } = self.get(at) {
            at = *of;
        }
        at
    }
}

/// Reads the types of one object's debug information.
pub(super) struct Reader<'d, 't> {
    pub debug: &'d Debug<'d>,
    pub types: &'t mut Types,
    pub known: HashMap<At, TypeRef>,
}

impl<'d> Reader<'d, '_> {
    /// The types that the variables `PREFIXn` point to, by n.
    pub fn variables(&mut self, prefix: &str) -> gimli::Result<HashMap<usize, TypeRef>> {
        let mut found = HashMap::new();
        for unit in 0..self.debug.units.len() {
            let root = self.debug.root(unit)?;
            for die in self.debug.children(root.at)? {
                if die.tag() != dw::DW_TAG_variable {
                    continue;
                }
                let name = self.debug.name(&die)?.unwrap_or_default();
                let number = name.strip_prefix(prefix).and_then(|n| n.parse().ok());
                let (Some(number), Some(at)) = (number, self.debug.ty(&die)?) else {
                    continue;
                };
                let pointer = self.ty(at)?;
                if let CType::Pointer(to) = self.types.get(pointer) {
                    found.insert(number, *to);
                }
            }
        }
        Ok(found)
    }

    /// What a DIE refers to, or `void`.
    fn referred(&mut self, die: &Die<'d>) -> gimli::Result<TypeRef> {
        match self.debug.ty(die)? {
            Some(at) => self.ty(at),
            None => Ok(self.types.add(CType::Void)),
        }
    }

    fn ty(&mut self, at: At) -> gimli::Result<TypeRef> {
        if let Some(known) = self.known.get(&at) {
            return Ok(*known);
        }
        // Known before what it is made of, which may lead back to it.
        let place = self.types.add(CType::Void);
        self.known.insert(at, place);
        let die = self.debug.die(at)?;
        let ty = self.read(&die)?;
        if let Some(slot) = self.types.0.get_mut(place.0) {
            *slot = ty;
        }
        Ok(place)
    }

    fn read(&mut self, die: &Die<'d>) -> gimli::Result<CType> {
        let size = die.udata(dw::DW_AT_byte_size);
        Ok(match die.tag() {
            dw::DW_TAG_base_type => self.number(die, size)?,
            dw::DW_TAG_unspecified_type => CType::Void,
            dw::DW_TAG_pointer_type => CType::Pointer(self.referred(die)?),
            dw::DW_TAG_const_type | dw::DW_TAG_volatile_type | dw::DW_TAG_restrict_type => {
                CType::Qualified(self.referred(die)?)
            }
            dw::DW_TAG_atomic_type => {
                let of = self.referred(die)?;
                match self.types.get(self.types.base(of)) {
                    // Its size may be another.
                    CType::Record(_) | CType::Array { .. } => {
                        CType::Other("an atomic struct".into())
                    }
                    _ => CType::Qualified(of),
                }
            }
            dw::DW_TAG_typedef => CType::Typedef {
                name: self.debug.name(die)?.unwrap_or_default(),
                of: self.referred(die)?,
            },
            dw::DW_TAG_enumeration_type => {
                let mut signed = false;
                for child in self.debug.children(die.at)? {
                    // Other forms hold what is not negative, whatever their highest bit is.
                    let value = child.entry.attr_value(dw::DW_AT_const_value);
                    signed |= matches!(value, Some(gimli::AttributeValue::Sdata(v)) if v < 0);
                }
                CType::Enum {
                    tag: self.debug.name(die)?,
                    size: size.filter(|_| !die.flag(dw::DW_AT_declaration)),
                    signed,
                }
            }
            dw::DW_TAG_array_type => self.array(die)?,
            dw::DW_TAG_subroutine_type => self.function(die)?,
            dw::DW_TAG_structure_type => self.record(die, size, false)?,
            dw::DW_TAG_union_type => self.record(die, size, true)?,
            other => CType::Other(format!("a type that debug information calls {other}")),
        })
    }

    fn number(&mut self, die: &Die<'d>, size: Option<u64>) -> gimli::Result<CType> {
        let name = self.debug.name(die)?.unwrap_or_default();
        let encoding = die.entry.attr_value(dw::DW_AT_encoding);
        let number = match encoding {
            Some(gimli::AttributeValue::Encoding(e)) => match e {
                dw::DW_ATE_boolean => Number::Bool,
                dw::DW_ATE_signed | dw::DW_ATE_signed_char => Number::Signed,
                dw::DW_ATE_unsigned | dw::DW_ATE_unsigned_char | dw::DW_ATE_UTF => Number::Unsigned,
                dw::DW_ATE_float => Number::Float,
                dw::DW_ATE_complex_float => Number::Complex,
                _ => return Ok(CType::Other(format!("the type `{name}`"))),
            },
            _ => return Ok(CType::Other(format!("the type `{name}`"))),
        };
        Ok(CType::Base {
            name,
            number,
            size: size.unwrap_or(0),
        })
    }

    /// Several dimensions are several children.
    fn array(&mut self, die: &Die<'d>) -> gimli::Result<CType> {
        let mut elem = self.referred(die)?;
        let mut counts = Vec::new();
        for child in self.debug.children(die.at)? {
            if child.tag() != dw::DW_TAG_subrange_type {
                continue;
            }
            let bound = child
                .udata(dw::DW_AT_upper_bound)
                .and_then(|b| b.checked_add(1));
            // gcc has no upper bound for an array of nothing in older forms, or one of -1.
            counts.push(child.udata(dw::DW_AT_count).or(bound));
        }
        let mut counts = counts.into_iter();
        let Some(first) = counts.next() else {
            return Ok(CType::Array { elem, count: None });
        };
        for count in counts.rev() {
            elem = self.types.add(CType::Array { elem, count });
        }
        Ok(CType::Array { elem, count: first })
    }

    fn function(&mut self, die: &Die<'d>) -> gimli::Result<CType> {
        let result = self.referred(die)?;
        let mut params = Vec::new();
        let mut variadic = false;
        for child in self.debug.children(die.at)? {
            match child.tag() {
                dw::DW_TAG_formal_parameter => params.push(self.referred(&child)?),
                dw::DW_TAG_unspecified_parameters => variadic = true,
                _ => {}
            }
        }
        // `void f()` says nothing of its parameters, and is called without any.
        variadic &= !params.is_empty();
        Ok(CType::Function {
            params,
            result,
            variadic,
        })
    }

    fn record(&mut self, die: &Die<'d>, size: Option<u64>, union: bool) -> gimli::Result<CType> {
        let mut fields = Vec::new();
        for child in self.debug.children(die.at)? {
            if child.tag() != dw::DW_TAG_member {
                continue;
            }
            let bits = [dw::DW_AT_bit_size, dw::DW_AT_data_bit_offset];
            fields.push(Field {
                name: self.debug.name(&child)?.filter(|n| !n.is_empty()),
                ty: self.referred(&child)?,
                offset: child.udata(dw::DW_AT_data_member_location).unwrap_or(0),
                bits: bits.iter().any(|b| child.udata(*b).is_some()),
            });
        }
        let source = self.debug.source(die)?.unwrap_or_default();
        let column = die.udata(dw::DW_AT_decl_column).unwrap_or(0);
        Ok(CType::Record(Record {
            union,
            tag: self.debug.name(die)?.filter(|n| !n.is_empty()),
            place: format!("{}:{}:{column}", source.file, source.line),
            size: size.filter(|_| !die.flag(dw::DW_AT_declaration)),
            aligned: die.udata(dw::DW_AT_alignment),
            fields,
        }))
    }
}
