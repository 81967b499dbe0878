//! From DIEs to [`Type`]s and [`TypeDef`]s.
//!
//! Named types behind pointers are queued, not followed at once, so that types may refer to each other in any way; only types held by
//! value are followed, and those cannot nest without end.

use std::collections::HashMap;

use gimli::constants as dw;

use super::dwarf::{At, Die};
use super::shape::{Foreign, Shape, View};
use super::source::Sources;
use crate::base::hash::Map;
use crate::model::{Type, TypeId, TypeKind};

/// Structs in structs by value; more means damaged debug information.
const NESTING_LIMIT: u32 = 64;

/// Why a type cannot be used, as the end of a sentence that begins with the parameter, and what to do about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Why {
    /// `is ...`.
    pub reason: String,
    /// A way out, beside leaving the function out.
    pub help: Option<String>,
}

impl Why {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Why {
            reason: reason.into(),
            help: None,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// What ends the mapping of a type.
#[derive(Debug)]
pub enum Stop {
    /// It has no counterpart.
    Refused(Why),
    /// The debug information is damaged.
    Damaged(gimli::Error),
}

impl From<gimli::Error> for Stop {
    fn from(e: gimli::Error) -> Self {
        Stop::Damaged(e)
    }
}

pub(super) fn refuse<T>(reason: impl Into<String>) -> Mapped<T> {
    Err(Stop::Refused(Why::new(reason)))
}

/// A mapped type, or why not.
pub type Mapped<T> = std::result::Result<T, Stop>;

/// A DIE of one of the objects.
pub(super) type Key = (usize, At);

pub(super) enum State {
    /// Known by name, its contents not looked at yet.
    Queued(Key),
    /// Being looked at.
    Open,
    Done(TypeKind),
}

pub(super) struct Def {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) doc: String,
    pub(super) state: State,
    /// As the debug information states it; None when only the source describes the type.
    pub(super) size: Option<u64>,
    /// Why it is opaque.
    pub(super) why: Option<Why>,
}

/// Whether all zeros, laid out by others, is a value of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Zeros {
    /// Not a value, or the type is laid out as the compiler likes.
    Invalid,
    /// A value, but no source says that the layout is C's.
    Unsure,
    /// A value.
    Valid,
}

/// Maps types of all objects into one list.
pub struct Mapper<'d, 'a> {
    pub(super) views: &'d [Option<View<'d, 'a>>],
    pub(super) sources: Sources<'d>,
    pub(super) defs: Vec<Def>,
    pub(super) by_path: HashMap<String, TypeId>,
    pub(super) known: HashMap<Key, TypeId>,
    /// DIEs of types that are known from elsewhere already, to be compared.
    pub(super) twins: Vec<(Key, TypeId)>,
    /// Per object: the types that it describes, by path. Filled when a merged function asks.
    described: HashMap<usize, Map<String, At>>,
    /// Of types that were asked: whether all zeros is a value.
    pub(super) zeros: HashMap<Key, Zeros>,
    /// Paths that stand for different layouts.
    pub conflicts: Vec<String>,
}

impl<'d, 'a> Mapper<'d, 'a> {
    /// A mapper over the objects' views.
    pub fn new(views: &'d [Option<View<'d, 'a>>], sources: Sources<'d>) -> Self {
        Mapper {
            views,
            sources,
            defs: Vec::new(),
            by_path: HashMap::new(),
            known: HashMap::new(),
            twins: Vec::new(),
            described: HashMap::new(),
            zeros: HashMap::new(),
            conflicts: Vec::new(),
        }
    }

    /// The source files.
    pub fn sources(&mut self) -> &mut Sources<'d> {
        &mut self.sources
    }

    /// The type at a full path, if the object describes one.
    pub(super) fn known_type(
        &mut self,
        object: usize,
        path: &str,
        behind_pointer: bool,
    ) -> Option<Type> {
        let id = match self.by_path.get(path) {
            Some(&id) => id,
            None => {
                let view = self.view(object).ok()?;
                let types = self
                    .described
                    .entry(object)
                    .or_insert_with(|| view.types_by_path().unwrap_or_default());
                let at = *types.get(path)?;
                self.named(object, at).ok()?
            }
        };
        self.settle(id, 0).ok()?;
        let opaque = matches!(&self.def(id).ok()?.state, State::Done(kind) if kind.is_opaque());
        (behind_pointer || !opaque).then_some(Type::Named(id))
    }

    pub(super) fn view(&self, object: usize) -> Mapped<View<'d, 'a>> {
        self.views
            .get(object)
            .copied()
            .flatten()
            .ok_or(Stop::Damaged(gimli::Error::MissingUnitDie))
    }

    /// The type of a parameter or result; None when it has no bytes.
    pub fn value(&mut self, object: usize, at: At) -> Mapped<Option<Type>> {
        self.value_within(object, at, 0)
    }

    /// `depth` counts the types that it is held in.
    pub(super) fn value_within(
        &mut self,
        object: usize,
        at: At,
        depth: u32,
    ) -> Mapped<Option<Type>> {
        let view = self.view(object)?;
        let at = view.see_through(at)?;
        match view.shape(at)? {
            Shape::Str => Ok(Some(Type::Str)),
            Shape::Slice { elem, mutable } => match self.held(object, elem, depth) {
                Ok(Some(elem)) => Ok(Some(Type::Slice {
                    elem: Box::new(elem),
                    mutable,
                    pair: None,
                })),
                Ok(None) => refuse("is a slice of a type without bytes"),
                Err(Stop::Refused(why)) => Err(Stop::Refused(Why {
                    reason: format!("is a slice whose element {}", why.reason),
                    ..why
                })),
                Err(e) => Err(e),
            },
            Shape::Function { to, nullable } => {
                self.callback(object, to, nullable, depth).map(Some)
            }
            Shape::Array { .. } => Err(Stop::Refused(
                Why::new("is an array by value, which C cannot pass")
                    .help("pass a reference to it"),
            )),
            _ => self.held(object, at, depth),
        }
    }

    /// A type held in a struct, an array, a slice or a register.
    pub(super) fn held(&mut self, object: usize, at: At, depth: u32) -> Mapped<Option<Type>> {
        if depth > NESTING_LIMIT {
            return refuse("is nested too deep");
        }
        let view = self.view(object)?;
        let at = view.see_through(at)?;
        match view.shape(at)? {
            Shape::Nothing => Ok(None),
            Shape::Scalar(ty) => Ok(Some(ty)),
            Shape::Pointer { to, kind, nullable } => {
                let to = match to {
                    Some(to) => self.pointee(object, to, depth + 1)?.map(Box::new),
                    None => None,
                };
                Ok(Some(Type::Pointer { to, kind, nullable }))
            }
            Shape::Array { elem, len } => {
                let elem = if len == 0 {
                    None
                } else {
                    self.held(object, elem, depth + 1)?
                };
                Ok(elem.map(|elem| Type::Array {
                    elem: Box::new(elem),
                    len,
                }))
            }
            Shape::Struct | Shape::Enum | Shape::Union | Shape::Sum => {
                let id = self.named(object, at)?;
                self.settle(id, depth)?;
                let def = self.def(id)?;
                match (&def.state, &def.why) {
                    (State::Done(TypeKind::Opaque { .. }), Some(why)) => {
                        Err(Stop::Refused(why.clone()))
                    }
                    (State::Done(TypeKind::Opaque { .. }), None) => {
                        refuse(format!("is the opaque type `{}` by value", def.name))
                    }
                    (State::Done(_), _) => Ok(Some(Type::Named(id))),
                    _ => refuse(format!("holds itself (`{}`)", def.name)),
                }
            }
            Shape::Str => Err(Stop::Refused(inner_wide("`&str`"))),
            Shape::Slice { .. } => Err(Stop::Refused(inner_wide("slice"))),
            Shape::Function { to, nullable } => self
                .function_field(object, to, nullable, depth + 1)
                .map(Some),
            Shape::Foreign(what) => Err(Stop::Refused(foreign(&what))),
        }
    }

    /// What a pointer points to; None for nothing in particular.
    pub(super) fn pointee(&mut self, object: usize, at: At, depth: u32) -> Mapped<Option<Type>> {
        if depth > NESTING_LIMIT {
            return refuse("is nested too deep");
        }
        let view = self.view(object)?;
        let at = view.see_through(at)?;
        let die = view.debug.die(at)?;
        match view.shape(at)? {
            Shape::Nothing => self.empty_pointee(object, &die),
            Shape::Scalar(ty) => Ok(Some(ty)),
            Shape::Pointer { .. } => self.held(object, at, depth),
            Shape::Array { elem, len } => {
                let elem = if len == 0 {
                    None
                } else {
                    self.pointee(object, elem, depth + 1)?
                };
                Ok(elem.map(|elem| Type::Array {
                    elem: Box::new(elem),
                    len,
                }))
            }
            Shape::Struct | Shape::Enum | Shape::Union | Shape::Sum => {
                let name = view.debug.name(&die)?.unwrap_or_default();
                let path = view.scan.path(at, &name);
                if path.len() == 3 && path.join("::") == "core::ffi::c_void" {
                    return Ok(None);
                }
                Ok(Some(Type::Named(self.named(object, at)?)))
            }
            Shape::Str => Err(Stop::Refused(
                Why::new("is a pointer to a `&str`").help("pass the `&str` itself"),
            )),
            Shape::Slice { .. } => Err(Stop::Refused(
                Why::new("is a pointer to a slice").help("pass the slice itself"),
            )),
            // Wide pointers, tuples and the like have no name that Go could use, and need none behind a pointer.
            Shape::Foreign(what @ Foreign::Wider(_)) => Err(Stop::Refused(foreign(&what))),
            Shape::Foreign(_) | Shape::Function { .. } => Ok(None),
        }
    }

    /// `*mut ()` points to nothing in particular, but a struct without bytes is how Rust writes a foreign type (the Nomicon, "FFI",
    /// "Representing opaque structs").
    fn empty_pointee(&mut self, object: usize, die: &Die<'a>) -> Mapped<Option<Type>> {
        let view = self.view(object)?;
        let name = view.debug.name(die)?.unwrap_or_default();
        let path = view.scan.path(die.at, &name);
        if path.len() < 2 || is_std(&path) {
            return Ok(None);
        }
        Ok(Some(Type::Named(self.named(object, die.at)?)))
    }

    pub(super) fn def(&self, id: TypeId) -> Mapped<&Def> {
        self.defs
            .get(id.0 as usize)
            .ok_or(Stop::Damaged(gimli::Error::MissingUnitDie))
    }

    /// A type that the debug information does not describe, to be defined.
    pub(super) fn declare(&mut self, path: &[String], doc: String) -> Option<TypeId> {
        let (name, path) = (path.last()?.clone(), path.join("::"));
        if self.by_path.contains_key(&path) {
            return None;
        }
        let id = TypeId(u32::try_from(self.defs.len()).ok()?);
        self.by_path.insert(path.clone(), id);
        let (state, size, why) = (State::Open, None, None);
        self.defs.push(Def {
            name,
            path,
            doc,
            state,
            size,
            why,
        });
        Some(id)
    }

    /// Gives a declared type its contents.
    pub(super) fn define(&mut self, id: TypeId, kind: TypeKind) {
        if let Some(def) = self.defs.get_mut(id.0 as usize) {
            def.state = State::Done(kind);
        }
    }

    /// The id of a named type; its contents are looked at later.
    fn named(&mut self, object: usize, at: At) -> Mapped<TypeId> {
        if let Some(&id) = self.known.get(&(object, at)) {
            return Ok(id);
        }
        let view = self.view(object)?;
        let die = view.debug.die(at)?;
        let name = view.debug.name(&die)?.unwrap_or_default();
        let path = view.scan.path(at, &name).join("::");
        let id = match self.by_path.get(&path) {
            Some(&id) => {
                self.twins.push(((object, at), id));
                id
            }
            None => {
                let id = TypeId(
                    u32::try_from(self.defs.len()).map_err(|_| gimli::Error::UnsupportedOffset)?,
                );
                self.by_path.insert(path.clone(), id);
                self.defs.push(Def {
                    name,
                    path,
                    doc: String::new(),
                    state: State::Queued((object, at)),
                    size: Some(die.udata(dw::DW_AT_byte_size).unwrap_or(0)),
                    why: None,
                });
                id
            }
        };
        self.known.insert((object, at), id);
        Ok(id)
    }

    /// Looks at the contents of a named type, once.
    pub(super) fn settle(&mut self, id: TypeId, depth: u32) -> Mapped<()> {
        let Some(def) = self.defs.get_mut(id.0 as usize) else {
            return Ok(());
        };
        let State::Queued((object, at)) = def.state else {
            return Ok(());
        };
        def.state = State::Open;
        let (kind, doc, why) = self.described(object, at, depth)?;
        if let Some(def) = self.defs.get_mut(id.0 as usize) {
            (def.doc, def.why) = (doc, why);
            def.state = State::Done(kind);
        }
        Ok(())
    }

    /// What a named type is to Go, its doc comment, and why it is opaque if it is.
    pub(super) fn described(
        &mut self,
        object: usize,
        at: At,
        depth: u32,
    ) -> Mapped<(TypeKind, String, Option<Why>)> {
        match self.contents(object, at, depth) {
            Ok((kind, doc)) => Ok((kind, doc, None)),
            Err(Stop::Refused(why)) => {
                let doc = self.opaque_doc(object, at, &why)?;
                Ok((self.opaque(object, at)?, doc, Some(why)))
            }
            Err(e) => Err(e),
        }
    }
}

/// Whether a path begins in one of std's own crates.
pub(super) fn is_std(path: &[String]) -> bool {
    matches!(
        path.first().map(String::as_str),
        Some("core" | "alloc" | "std")
    )
}

fn foreign(what: &Foreign) -> Why {
    let (what, help) = match what {
        Foreign::Wide(name) if name == "&mut str" => {
            ("`&mut str`".to_owned(), Some("pass `&mut [u8]`"))
        }
        Foreign::Wide(name) => (
            format!("a pointer of two words, `{name}`"),
            Some("pass `&str`, `&[T]`, or a pointer to a struct that holds it"),
        ),
        Foreign::Wider(name) => (format!("`{name}`"), Some("pass it as two 64-bit halves")),
        Foreign::Tuple(name) => (
            format!("the tuple `{name}`"),
            Some("make it a `#[repr(C)]` struct"),
        ),
        Foreign::RustFunction(name) => (
            format!("`{name}`, a function pointer of Rust's own ABI"),
            Some("make it an `extern \"C\" fn`"),
        ),
        Foreign::Other(what) => (what.clone(), None),
    };
    Why {
        reason: format!("is {what}, which has no counterpart in Go"),
        help: help.map(str::to_owned),
    }
}

/// A Go string or slice is no `&str` or `&[T]` inside other data: an empty one may hold a nil pointer, and a slice has three words.
fn inner_wide(what: &str) -> Why {
    Why::new(format!(
        "is a {what} inside other data, which Go lays out in another way"
    ))
    .help("use a pointer and a length there")
}
