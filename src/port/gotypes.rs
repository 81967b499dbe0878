//! What the types of C are in Go: the same as under cgo (cmd/cgo, `typeConv`), by the same names.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::ctype::{CType, Number, Record, TypeRef, Types};
use crate::base::identifiers as names;

/// What names of types begin with, as cgo has them.
pub(super) const PREFIX: &str = "_Ctype_";

/// A pointer is as wide, and nothing of Go's is aligned to more.
const WORD: u64 = 8;

/// A struct of which nothing is known.
const INCOMPLETE: &str = "struct{}";

/// What is told of a type that Go cannot have.
pub(super) type Refused = String;

/// A declaration of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Definition {
    /// The other type, or `struct {...}`.
    pub text: String,
    /// Whether the name is another one of the same type.
    pub alias: bool,
    /// Fields of C's that Go's type does not have.
    pub left_out: Vec<String>,
}

/// Size and alignment of a type in Go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub size: u64,
    pub align: u64,
}

/// Gives types of C names in Go, and declares them.
pub(super) struct GoTypes<'t> {
    types: &'t Types,
    /// What is declared so far, by name.
    pub defined: BTreeMap<String, Definition>,
    /// Structs that have a name and no declaration yet.
    open: Vec<(String, TypeRef)>,
    /// All that had their turn.
    seen: BTreeSet<TypeRef>,
    /// The numbers of records without a tag, by place and shape.
    nameless: HashMap<String, usize>,
}

impl<'t> GoTypes<'t> {
    pub fn new(types: &'t Types) -> Self {
        GoTypes {
            types,
            defined: BTreeMap::new(),
            open: Vec::new(),
            seen: BTreeSet::new(),
            nameless: HashMap::new(),
        }
    }

    /// The Go type, declared with all that it is made of.
    pub fn declare(&mut self, ty: TypeRef) -> Result<String, Refused> {
        let name = self.name(ty)?;
        while let Some((name, ty)) = self.open.pop() {
            if let CType::Record(record) = self.types.get(ty) {
                let definition = self.structure(record)?;
                self.define(&name, definition)?;
            }
        }
        Ok(name)
    }

    /// Declares `C.name` itself, where no type has this name by now.
    pub fn declare_as(&mut self, name: &str, ty: TypeRef) -> Result<(), Refused> {
        let go = self.declare(ty)?;
        let name = format!("{PREFIX}{name}");
        if name != go && !self.defined.contains_key(&name) {
            let tagged = |tag: &str| name.starts_with(&format!("{PREFIX}{tag}_"));
            let alias = go.starts_with(PREFIX) || tagged("enum") || tagged("union");
            self.define(&name, definition(go, alias))?;
        }
        Ok(())
    }

    /// A parameter is not an array, and a typedef of a pointer is the pointer.
    pub fn declare_param(&mut self, ty: TypeRef) -> Result<String, Refused> {
        let plain = self.types.unqualified(ty);
        if let CType::Typedef { of, .. } = self.types.get(plain) {
            let base = self.types.base(*of);
            if let CType::Pointer(to) = self.types.get(base)
                && *self.types.get(self.types.base(*to)) != CType::Void
            {
                return self.declare(base);
            }
        }
        self.declare(plain)
    }

    /// Declares what functions without a result give, as under cgo.
    pub fn define_void(&mut self) {
        self.defined
            .entry(format!("{PREFIX}void"))
            .or_insert_with(|| definition("[0]byte".into(), false));
    }

    fn define(&mut self, name: &str, new: Definition) -> Result<(), Refused> {
        match self.defined.get(name) {
            // Declared in one file, and told what it is in another.
            Some(old) if *old != new && old.text != INCOMPLETE => Err(format!(
                "`{}` is two types in the files of the package, `{}` and `{}`",
                name.trim_start_matches(PREFIX),
                old.text,
                new.text
            )),
            _ => {
                self.defined.insert(name.to_owned(), new);
                Ok(())
            }
        }
    }

    fn name(&mut self, ty: TypeRef) -> Result<String, Refused> {
        match self.types.get(ty) {
            CType::Void => {
                self.define_void();
                Ok(format!("{PREFIX}void"))
            }
            CType::Qualified(of) => self.name(*of),
            CType::Base { name, number, size } => {
                let go = format!("{PREFIX}{}", short(name));
                let text =
                    scalar(*number, *size).ok_or_else(|| format!("Go has no type for `{name}`"))?;
                self.define(&go, definition(text, false))?;
                Ok(go)
            }
            CType::Enum { size: None, .. } | CType::Function { .. } => Ok("[0]byte".into()),
            CType::Enum {
                size: Some(size),
                signed,
                tag,
            } => {
                let number = match signed {
                    true => Number::Signed,
                    false => Number::Unsigned,
                };
                let tag = tag.as_deref().unwrap_or("of no name");
                scalar(number, *size)
                    .ok_or_else(|| format!("Go has no type for the enum {tag} of {size} bytes"))
            }
            CType::Pointer(to) => match self.types.get(self.types.base(*to)) {
                CType::Void => Ok("unsafe.Pointer".into()),
                _ => Ok(format!("*{}", self.name(*to)?)),
            },
            CType::Array { elem, count } => {
                let elem = self.name(*elem)?;
                Ok(format!("[{}]{elem}", count.unwrap_or(0)))
            }
            CType::Record(record) => self.record(ty, record),
            CType::Typedef { name, of } => self.typedef(name, *of),
            CType::Other(what) => Err(format!("Go has no type for {what}")),
        }
    }

    fn typedef(&mut self, name: &str, of: TypeRef) -> Result<String, Refused> {
        if name.starts_with("_Go") && matches!(name, "_GoString_" | "_GoBytes_") {
            return Err(format!(
                "`{name}` is a type of cgo's own, which is not ported"
            ));
        }
        let go = format!("{PREFIX}{name}");
        let sub = self.name(of)?;
        self.define(&go, definition(sub.clone(), sub.starts_with(PREFIX)))?;
        // A typedef of a struct is that struct.
        match sub.starts_with(&format!("{PREFIX}struct_")) {
            true => Ok(sub),
            false => Ok(go),
        }
    }

    fn record(&mut self, ty: TypeRef, record: &Record) -> Result<String, Refused> {
        let kind = match record.union {
            true => "union",
            false => "struct",
        };
        let tag = match &record.tag {
            Some(tag) => tag.clone(),
            None => format!("__{}", self.number(record)?),
        };
        let name = format!("{PREFIX}{kind}_{tag}");
        match (record.size, record.union) {
            (Some(size), true) => {
                let bytes = format!("[{size}]byte");
                self.define(&name, definition(bytes.clone(), true))?;
                return Ok(bytes);
            }
            // Each file's own: what they mean must be the same.
            (Some(_), false) => {
                if self.seen.insert(ty) {
                    self.open.push((name.clone(), ty));
                }
            }
            // Nobody can make one, in C or in Go.
            (None, _) => {
                let none = definition(INCOMPLETE.into(), false);
                self.defined.entry(name.clone()).or_insert(none);
            }
        }
        Ok(name)
    }

    /// The number of a record without a tag. The same declaration has the same one in all files.
    fn number(&self, record: &Record) -> Result<usize, Refused> {
        self.nameless
            .get(&self.key(record)?)
            .copied()
            .ok_or_else(|| "a struct without a tag is not known".to_owned())
    }

    fn key(&self, record: &Record) -> Result<String, Refused> {
        let mut key = format!("{} {:?} {}", record.place, record.size, record.union);
        for field in &record.fields {
            let shape = self.shape(field.ty)?;
            key.push_str(&format!(
                " {:?} {} {}",
                field.name, field.offset, shape.size
            ));
        }
        Ok(key)
    }

    /// Size and alignment in Go, where a type is one of fewer than C's.
    pub fn shape(&self, ty: TypeRef) -> Result<Shape, Refused> {
        let of = |size: u64, align: u64| Shape {
            size,
            align: align.clamp(1, WORD),
        };
        Ok(match self.types.get(ty) {
            CType::Void | CType::Function { .. } => of(0, 1),
            CType::Qualified(to) | CType::Typedef { of: to, .. } => self.shape(*to)?,
            CType::Base {
                number: Number::Bool,
                size,
                ..
            } => of(*size, 1),
            CType::Base {
                number: Number::Complex,
                size,
                ..
            } => of(*size, size / 2),
            CType::Base {
                number: Number::Float,
                size,
                name,
            } if *size > WORD => {
                return Err(format!("Go has no type for `{name}`"));
            }
            // An array of bytes in Go.
            CType::Base { size, .. } if *size > WORD => of(*size, 1),
            CType::Base { size, .. } => of(*size, *size),
            CType::Enum { size, .. } => of(size.unwrap_or(0), size.unwrap_or(1)),
            CType::Pointer(_) => of(WORD, WORD),
            CType::Array { elem, count } => {
                let elem = self.shape(*elem)?;
                of(elem.size.saturating_mul(count.unwrap_or(0)), elem.align)
            }
            CType::Record(record) if record.union => of(record.size.unwrap_or(0), 1),
            CType::Record(record) => {
                let mut align = 1;
                for field in self.placed(record)? {
                    if let Placed::Field { align: own, .. } = field {
                        align = align.max(own);
                    }
                }
                of(record.size.unwrap_or(0), align)
            }
            CType::Other(what) => return Err(format!("Go has no type for {what}")),
        })
    }

    /// The fields of a struct in Go, with what lies between them. Bit fields are left out, and what Go would align otherwise.
    fn placed(&self, record: &Record) -> Result<Vec<Placed>, Refused> {
        let mut placed = Vec::new();
        let mut end: u64 = 0;
        let size = record.size.unwrap_or(0);
        for (at, field) in record.fields.iter().enumerate() {
            if field.bits {
                placed.push(Placed::LeftOut(at));
                continue;
            }
            let shape = self.shape(field.ty)?;
            if field.offset % shape.align != 0 {
                placed.push(Placed::LeftOut(at));
                continue;
            }
            let next = end.next_multiple_of(shape.align);
            if field.offset < next {
                placed.push(Placed::LeftOut(at));
                continue;
            }
            if field.offset > next {
                placed.push(Placed::Bytes(field.offset - end));
            }
            placed.push(Placed::Field {
                at,
                size: shape.size,
                align: shape.align,
            });
            end = field.offset + shape.size;
        }
        if end < size {
            placed.push(Placed::Bytes(size - end));
            end = size;
        }
        // Go would put a byte behind a last field of no size.
        while let Some(last) = placed
            .iter()
            .rposition(|p| !matches!(p, Placed::LeftOut(_)))
            && let Placed::Field { at, size: 0, .. } = placed[last]
            && end > 0
        {
            placed[last] = Placed::LeftOut(at);
        }
        match end == size {
            true => Ok(placed),
            false => Err("the fields of a struct do not lie as Go can have them".into()),
        }
    }

    fn structure(&mut self, record: &Record) -> Result<Definition, Refused> {
        let named = go_names(record);
        let mut text = String::from("struct {");
        let mut left_out = Vec::new();
        let mut unnamed = 0;
        for placed in self.placed(record)? {
            match placed {
                Placed::Bytes(n) => text.push_str(&format!("\n\t_ [{n}]byte")),
                Placed::LeftOut(at) => left_out.extend(record.fields[at].name.clone()),
                Placed::Field { at, .. } => {
                    let field = &record.fields[at];
                    let name = field.name.as_ref().and_then(|n| named.get(n).cloned());
                    let name = name.unwrap_or_else(|| {
                        unnamed += 1;
                        format!("anon{}", unnamed - 1)
                    });
                    let ty = self.name(field.ty)?;
                    text.push_str(&format!("\n\t{name} {ty}"));
                }
            }
        }
        text.push_str("\n}");
        Ok(Definition {
            text,
            alias: false,
            left_out,
        })
    }

    /// Numbers the records without a tag that a type is made of, before it is asked for.
    pub fn number_nameless(&mut self, ty: TypeRef) -> Result<(), Refused> {
        let mut seen = BTreeSet::new();
        let mut open = vec![ty];
        while let Some(ty) = open.pop() {
            if !seen.insert(ty) {
                continue;
            }
            match self.types.get(ty) {
                CType::Pointer(of) | CType::Qualified(of) | CType::Typedef { of, .. } => {
                    open.push(*of)
                }
                CType::Array { elem, .. } => open.push(*elem),
                CType::Record(record) => {
                    if record.tag.is_none() && record.size.is_some() {
                        let key = self.key(record)?;
                        let next = self.nameless.len();
                        self.nameless.entry(key).or_insert(next);
                    }
                    open.extend(record.fields.iter().rev().map(|f| f.ty));
                }
                CType::Function { params, result, .. } => {
                    open.push(*result);
                    open.extend(params.iter().rev());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A part of a struct in Go.
enum Placed {
    Field { at: usize, size: u64, align: u64 },
    Bytes(u64),
    LeftOut(usize),
}

fn definition(text: String, alias: bool) -> Definition {
    Definition {
        text,
        alias,
        left_out: Vec::new(),
    }
}

/// The fields' names: keywords of Go's get an underscore in front, and another where that is taken.
fn go_names(record: &Record) -> HashMap<String, String> {
    let own = || record.fields.iter().filter_map(|f| f.name.clone());
    let mut taken: BTreeSet<String> = own().collect();
    let mut named = HashMap::new();
    for name in own() {
        let mut go = name.clone();
        if names::is_keyword(&name) {
            go.insert(0, '_');
            while taken.contains(&go) {
                go.insert(0, '_');
            }
            taken.insert(go.clone());
        }
        named.insert(name, go);
    }
    named
}

/// What cgo calls a number that the compiler spells otherwise (cmd/cgo, `dwarfToName`).
fn short(spelled: &str) -> String {
    let name = match spelled {
        "long int" => "long",
        "long unsigned int" | "unsigned long" => "ulong",
        "unsigned int" => "uint",
        "short unsigned int" | "unsigned short" => "ushort",
        "short int" => "short",
        "long long int" => "longlong",
        "long long unsigned int" | "unsigned long long" => "ulonglong",
        "signed char" => "schar",
        "unsigned char" => "uchar",
        other => other,
    };
    name.replace(' ', "")
}

/// A number in Go.
fn scalar(number: Number, size: u64) -> Option<String> {
    let bits = size.checked_mul(8)?;
    match (number, size) {
        (Number::Bool, 1) => Some("bool".into()),
        (Number::Signed, 1 | 2 | 4 | 8) => Some(format!("int{bits}")),
        (Number::Unsigned, 1 | 2 | 4 | 8) => Some(format!("uint{bits}")),
        (Number::Signed | Number::Unsigned, 16) => Some("[16]byte".into()),
        (Number::Float, 4 | 8) => Some(format!("float{bits}")),
        (Number::Complex, 8 | 16) => Some(format!("complex{bits}")),
        _ => None,
    }
}
