//! From C's types to the model's.
//!
//! Named types behind pointers are queued, not followed at once, so that types may refer to each other in any way; only types held by
//! value are followed, and those cannot nest without end.

mod records;
mod sizes;
mod sums;

use std::collections::HashMap;

use super::decl::{About, CField, CType, Declarations, FunctionType, Tag};
use super::names::{self, scalar};
use crate::model::{Layout, PointerKind, Signatures, Type, TypeDef, TypeId, TypeKind, Variant};
use crate::sig::types::Why;
use crate::sig::{callback_names, opaque};

/// Types in types by value, pointers to pointers, `typedef`s of `typedef`s; more means that they go round in a circle.
const NESTING_LIMIT: u32 = 64;

/// A type, or why it cannot be used.
pub(super) type Resolved<T> = Result<T, Why>;

fn refuse<T>(reason: impl Into<String>) -> Resolved<T> {
    Err(Why::new(reason))
}

fn nameless(tag: Tag) -> Why {
    let what = match tag {
        Tag::Union => "union",
        _ => "struct",
    };
    Why::new(format!("is a {what} without a name"))
}

#[derive(Clone, Debug)]
enum State {
    Queued,
    Open,
    Done,
    /// Opaque, for this reason.
    Refused(Why),
}

/// Resolves types, and collects those with names.
pub(super) struct Resolver<'h> {
    declared: &'h Declarations,
    /// Names of types by tag, from `typedef struct tag Name;`.
    titles: HashMap<(Tag, &'h str), &'h str>,
    /// Names of types without a tag that are fields: after the field.
    of_fields: HashMap<(Tag, String), String>,
    ids: HashMap<(Tag, String), TypeId>,
    states: Vec<State>,
    keys: Vec<(Tag, String)>,
    /// Layouts of the records that were asked, whether Go can see into them or not.
    layouts: HashMap<(Tag, String), Option<Layout>>,
    api: Signatures,
}

impl<'h> Resolver<'h> {
    pub fn new(declared: &'h Declarations) -> Self {
        let mut titles = HashMap::new();
        for (name, typedef) in &declared.typedefs {
            if let CType::Tagged(tag, tagged) = &typedef.ty {
                let title = titles
                    .entry((*tag, tagged.as_str()))
                    .or_insert(name.as_str());
                if name == tagged {
                    *title = name;
                }
            }
        }
        Resolver {
            declared,
            titles,
            of_fields: HashMap::new(),
            ids: HashMap::new(),
            states: Vec::new(),
            keys: Vec::new(),
            layouts: HashMap::new(),
            api: Signatures::default(),
        }
    }

    /// The types so far, all of them looked at.
    pub fn into_signatures(mut self) -> Signatures {
        let mut next = 0;
        while next < self.keys.len() {
            let Ok(id) = u32::try_from(next) else { break };
            // Why a type behind a pointer is opaque stands in its doc comment.
            let _ = self.settle(TypeId(id), 0);
            next += 1;
        }
        self.api
    }

    /// Whether an enum is a type of the signatures so far, or of what they lead to.
    pub fn names_enum(&self, name: &str) -> bool {
        self.ids.contains_key(&(Tag::Enum, name.to_owned()))
    }

    /// The type of a parameter.
    pub fn param(&mut self, ty: &CType) -> Resolved<Type> {
        match self.function_pointer(ty) {
            Some(function) => self.callback(&function, self.alias(ty), 0),
            None if ty.is_void() => refuse("is `void`"),
            None => self.held(ty, 0),
        }
    }

    /// What the address of a variable of this type leads to; None for nothing in particular, and where Go has no type for it.
    pub fn variable(&mut self, ty: &CType) -> Option<Type> {
        self.pointee(ty, 0).ok().flatten()
    }

    /// The type of a result; None for `void`.
    pub fn result(&mut self, ty: &CType) -> Resolved<Option<Type>> {
        self.returned(ty, 0)
    }

    fn returned(&mut self, ty: &CType, depth: u32) -> Resolved<Option<Type>> {
        if ty.is_void() {
            return Ok(None);
        }
        if self.function_pointer(ty).is_some() {
            return refuse("is a function pointer, which Go cannot call");
        }
        self.held(ty, depth).map(Some)
    }

    /// The type behind `typedef`s, as far as these do not name a type of Go's.
    fn bare<'t>(&self, ty: &'t CType) -> &'t CType
    where
        'h: 't,
    {
        let mut ty = ty;
        for _ in 0..NESTING_LIMIT {
            match ty {
                CType::Name(name) if scalar(name).is_none() && !self.is_enum(name) => {
                    match self.declared.typedefs.get(name) {
                        Some(typedef) => ty = &typedef.ty,
                        None => return ty,
                    }
                }
                _ => return ty,
            }
        }
        ty
    }

    /// cbindgen writes an enum over a given integer as `enum Foo { ... }; typedef uint8_t Foo;`, since C before C23 has none.
    fn is_enum(&self, name: &str) -> bool {
        self.declared.enums.contains_key(name)
            && self
                .declared
                .typedefs
                .get(name)
                .is_some_and(|t| matches!(&t.ty, CType::Name(_)))
    }

    fn function_pointer(&self, ty: &CType) -> Option<FunctionType> {
        let CType::Pointer { to, .. } = self.bare(ty) else {
            return None;
        };
        match self.bare(to) {
            CType::Function(function) => Some((**function).clone()),
            _ => None,
        }
    }

    /// What a `typedef` calls functions: by the name of the pointer, or of what it points to.
    fn alias(&self, ty: &CType) -> String {
        let name = |ty: &CType| match ty {
            CType::Name(name) => Some(name.clone()),
            _ => None,
        };
        let pointed = || match ty {
            CType::Pointer { to, .. } => name(to),
            _ => None,
        };
        name(ty).or_else(pointed).unwrap_or_default()
    }

    fn callback(&mut self, function: &FunctionType, alias: String, depth: u32) -> Resolved<Type> {
        let part = |why: Why| Why {
            reason: format!("is a function pointer, one of whose parts {}", why.reason),
            ..why
        };
        if function.variadic {
            return refuse("is a variadic function pointer");
        }
        let (mut params, mut names) = (Vec::new(), Vec::new());
        for param in &function.params {
            names.push(param.name.clone().unwrap_or_default());
            if self.function_pointer(&param.ty).is_some() {
                return Err(part(Why::new("is a function pointer itself")));
            }
            params.push(self.held(&param.ty, depth).map_err(part)?);
        }
        let result = self.returned(&function.result, depth).map_err(part)?;
        let result = result.map(Box::new);
        Ok(Type::Callback {
            alias,
            params,
            names: callback_names::known(names),
            result,
            user: None,
            // C cannot say.
            nullable: true,
        })
    }

    /// A type held in a struct, an array or a register.
    fn held(&mut self, ty: &CType, depth: u32) -> Resolved<Type> {
        if depth > NESTING_LIMIT {
            return refuse("is nested too deep");
        }
        let alias = self.alias(ty);
        let ty = self.bare(ty).clone();
        match &ty {
            CType::Name(name) => match names::undeclared(name) {
                Some(ty) => Ok(ty),
                None if self.is_enum(name) => self.by_value(Tag::Enum, name, depth),
                None => Err(self.unknown(name)),
            },
            CType::Tagged(tag, name) if self.is_unknown(*tag, name) => Err(nameless(*tag)),
            CType::Tagged(tag, name) => self.by_value(*tag, name, depth),
            CType::Pointer { to, constant } => {
                let kind = match constant {
                    true => PointerKind::Const,
                    false => PointerKind::Mut,
                };
                if let CType::Function(function) = self.bare(to).clone() {
                    return self.callback(&function, alias, depth + 1);
                }
                let to = self.pointee(to, depth + 1)?.map(Box::new);
                Ok(Type::Pointer {
                    to,
                    kind,
                    nullable: true,
                })
            }
            CType::Array {
                elem,
                len: Some(len),
            } if *len > 0 => {
                let elem = Box::new(self.held(elem, depth + 1)?);
                Ok(Type::Array { elem, len: *len })
            }
            CType::Array { .. } => refuse("is an array whose length is not a number"),
            CType::Function(_) => refuse("is a function"),
            CType::Other(what) => refuse(format!("is {what}, which is not understood")),
        }
    }

    /// Why a name is of no use. A file that was not found may be the one that declares it.
    fn unknown(&self, name: &str) -> Why {
        let mut why = names::unknown(name);
        for missing in &self.declared.missing {
            let others = why.help.as_deref().unwrap_or_default();
            why.help = Some(format!("{missing}; or {others}"));
        }
        why
    }

    /// What a pointer points to; None for nothing in particular.
    fn pointee(&mut self, ty: &CType, depth: u32) -> Resolved<Option<Type>> {
        if depth > NESTING_LIMIT {
            return refuse("is nested too deep");
        }
        let ty = self.bare(ty).clone();
        match &ty {
            CType::Name(name) if name == "void" => Ok(None),
            CType::Name(name) if scalar(name).is_none() && self.is_enum(name) => {
                Ok(Some(Type::Named(self.named(Tag::Enum, name))))
            }
            CType::Tagged(tag, name) if self.is_unknown(*tag, name) => Err(nameless(*tag)),
            CType::Tagged(tag, name) => Ok(Some(Type::Named(self.named(*tag, name)))),
            CType::Pointer { to, .. } if matches!(self.bare(to), CType::Function(_)) => Ok(None),
            CType::Function(_) => Ok(None),
            CType::Array {
                elem,
                len: Some(len),
            } if *len > 0 => {
                let elem = self.pointee(elem, depth + 1)?.map(Box::new);
                Ok(elem.map(|elem| Type::Array { elem, len: *len }))
            }
            _ => self.held(&ty, depth).map(Some),
        }
    }

    fn by_value(&mut self, tag: Tag, name: &str, depth: u32) -> Resolved<Type> {
        let id = self.named(tag, name);
        self.settle(id, depth)?;
        match self.states.get(id.0 as usize) {
            Some(State::Done) => Ok(Type::Named(id)),
            Some(State::Refused(why)) => Err(why.clone()),
            _ => refuse(format!("holds itself (`{name}`)")),
        }
    }

    /// The id of a type with a tag; its contents are looked at later.
    fn named(&mut self, tag: Tag, name: &str) -> TypeId {
        let key = (tag, name.to_owned());
        if let Some(&id) = self.ids.get(&key) {
            return id;
        }
        let id = TypeId(u32::try_from(self.keys.len()).unwrap_or(u32::MAX));
        let title = match self.of_fields.get(&key) {
            Some(title) => title.clone(),
            None => self
                .titles
                .get(&(tag, name))
                .copied()
                .unwrap_or(name)
                .to_owned(),
        };
        self.api.types.push(TypeDef {
            name: title.clone(),
            path: title,
            doc: String::new(),
            kind: TypeKind::UNKNOWN,
        });
        self.states.push(State::Queued);
        self.keys.push(key.clone());
        self.ids.insert(key, id);
        id
    }

    /// Looks at the contents of a named type, once.
    fn settle(&mut self, id: TypeId, depth: u32) -> Resolved<()> {
        let index = id.0 as usize;
        let (Some(State::Queued), Some((tag, name))) =
            (self.states.get(index), self.keys.get(index).cloned())
        else {
            return Ok(());
        };
        if let Some(state) = self.states.get_mut(index) {
            *state = State::Open;
        }
        let title = self
            .api
            .types
            .get(index)
            .map_or(String::new(), |t| t.name.clone());
        let found = match tag {
            Tag::Enum => self.enumeration(&name, &title),
            Tag::Union | Tag::Struct => self.record(tag, &name, &title, depth),
        };
        let mut doc = self.doc(tag, &name, &title);
        if doc.is_empty() && matches!(found, Ok(TypeKind::Sum { .. })) {
            doc = self.doc_of_tag(tag, &name);
        }
        let (kind, state) = match found {
            Ok(kind) => (kind, State::Done),
            Err(why) => {
                let key = (tag, name);
                let described = self.declared.records.get(&key);
                let empty = |f: &CField| matches!(f.ty, CType::Array { len: Some(0), .. });
                if described.is_some_and(|r| tag == Tag::Struct && !r.fields.iter().all(empty)) {
                    let note = format!("Go cannot see into it: it {}.", why.reason);
                    let gap = if doc.is_empty() { "" } else { "\n\n" };
                    doc = format!("{doc}{gap}{note}");
                }
                let layout = match tag {
                    Tag::Enum => None,
                    _ => self.size_of(&CType::Tagged(tag, key.1), 0),
                };
                (opaque::kind(layout, true), State::Refused(why))
            }
        };
        if let Some(def) = self.api.types.get_mut(index) {
            (def.kind, def.doc) = (kind, doc);
        }
        if let Some(slot) = self.states.get_mut(index) {
            *slot = state;
        }
        Ok(())
    }

    /// The doc comment of the definition, else of a `typedef` or a declaration.
    fn doc(&self, tag: Tag, name: &str, title: &str) -> String {
        let key = (tag, name.to_owned());
        let defined = match tag {
            Tag::Enum => self.declared.enums.get(name).map(|e| &e.about),
            _ => self.declared.records.get(&key).map(|r| &r.about),
        };
        let typedef = self.declared.typedefs.get(title).map(|t| &t.about);
        let abouts = [defined, typedef, self.declared.forward.get(&key)];
        let mut docs = abouts.into_iter().flatten().map(|a: &About| &a.doc);
        docs.find(|d| !d.is_empty()).cloned().unwrap_or_default()
    }

    fn enumeration(&self, name: &str, title: &str) -> Resolved<TypeKind> {
        let Some(found) = self.declared.enums.get(name) else {
            return refuse(format!(
                "is `{title}`, an enum that is declared but not defined"
            ));
        };
        if let Some(why) = &found.about.refused {
            return refuse(format!("is `{title}`, which {why}"));
        }
        let mut variants = Vec::new();
        for (name, value, about) in &found.variants {
            let Some(value) = *value else {
                return refuse(format!(
                    "is the enum `{title}`, whose `{name}` has a value that is not understood"
                ));
            };
            variants.push(Variant {
                name: name.clone(),
                in_c: name.clone(),
                value,
                doc: about.doc.clone(),
                fields: Vec::new(),
            });
        }
        let given = found.underlying.as_ref().or_else(|| {
            let typedef = self
                .declared
                .typedefs
                .get(name)
                .filter(|_| self.is_enum(name));
            typedef.map(|t| &t.ty)
        });
        let repr = match given {
            Some(ty) => match self.bare(ty) {
                CType::Name(name) => names::undeclared(name).and_then(|ty| match ty {
                    Type::Int(int) => Some(int),
                    _ => None,
                }),
                _ => None,
            },
            // As GCC and rustc have it: `unsigned int` unless a value is negative (GCC manual, "Structures, unions, ...").
            None => names::plain_enum(variants.iter().map(|v| v.value)),
        };
        let Some(repr) = repr else {
            return refuse(format!(
                "is the enum `{title}` over an integer type that is not known"
            ));
        };
        names::without_type_name(title, &mut variants);
        Ok(TypeKind::Enum { repr, variants })
    }
}
