//! What a header declares, in C's terms.

use std::collections::BTreeMap;
use std::fmt;

use super::super::place_of;
use crate::base::diag::Problem;
use crate::model::{Constant, Source};

/// What the names begin with that types without a tag get. No tag of C's does.
const NAMELESS: char = '<';

/// A name for the type without a tag that begins at a place.
pub(super) fn nameless(source: &Source, column: usize) -> String {
    format!("{NAMELESS}{}:{}:{column}>", source.file, source.line)
}

/// Whether a type has no tag.
pub(super) fn is_nameless(tag: &str) -> bool {
    tag.starts_with(NAMELESS)
}

/// The kinds of types with a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Tag {
    Struct,
    Union,
    Enum,
}

/// A type as written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum CType {
    /// A name: of C's own, of a standard header, or of a `typedef`.
    Name(String),
    /// `struct Foo`.
    Tagged(Tag, String),
    Pointer {
        to: Box<CType>,
        /// Whether what it points to is `const`.
        constant: bool,
    },
    Array {
        elem: Box<CType>,
        /// None when it is left open, or no constant.
        len: Option<u64>,
    },
    Function(Box<FunctionType>),
    /// Cannot be used; says what it is.
    Other(String),
}

impl CType {
    /// Whether it is `void`.
    pub fn is_void(&self) -> bool {
        matches!(self, CType::Name(name) if name == "void")
    }
}

/// What a function takes and gives.
#[derive(Clone, Debug)]
pub(super) struct FunctionType {
    pub params: Vec<CParam>,
    pub result: CType,
    pub variadic: bool,
}

impl PartialEq for FunctionType {
    /// Names and places do not matter.
    fn eq(&self, other: &Self) -> bool {
        let types = |f: &Self| f.params.iter().map(|p| p.ty.clone()).collect::<Vec<_>>();
        (types(self), &self.result, self.variadic) == (types(other), &other.result, other.variadic)
    }
}

/// A parameter.
#[derive(Clone, Debug)]
pub(super) struct CParam {
    pub name: Option<String>,
    pub ty: CType,
    pub source: Source,
}

/// Where something is declared, and what is said of it.
#[derive(Clone, Debug, Default)]
pub(super) struct About {
    pub source: Source,
    pub doc: String,
    /// Why it cannot be used, as the end of a sentence: an attribute that changes the layout, a bit field.
    pub refused: Option<String>,
}

impl PartialEq for About {
    /// Of two declarations, comments and places may differ.
    fn eq(&self, other: &Self) -> bool {
        self.refused == other.refused
    }
}

/// A declared function.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CFunction {
    pub ty: FunctionType,
    pub about: About,
}

/// A variable that is defined elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CVariable {
    pub ty: CType,
    pub about: About,
}

/// A struct or a union.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    /// Those without names, as of C11's anonymous unions, have an empty one.
    pub fields: Vec<CField>,
    /// Whether the fields lie where their types alone put them: there are no bit fields, and no attribute moves them.
    pub natural: bool,
    pub about: About,
}

/// A field of a struct.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CField {
    pub name: String,
    pub ty: CType,
    pub about: About,
}

/// An enum.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CEnum {
    /// C23's `enum Foo : uint8_t`.
    pub underlying: Option<CType>,
    /// Names and values; no value when it is no constant.
    pub variants: Vec<(String, Option<i128>, About)>,
    pub about: About,
}

/// A `typedef`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Typedef {
    pub ty: CType,
    pub about: About,
}

/// What might have declared more.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Missing {
    /// A file in quotes that is nowhere, and who includes it.
    File(String, Source),
    /// A macro that nothing is known of, and the condition that asks for it.
    Macro(String, Source),
}

impl fmt::Display for Missing {
    /// What there is to say of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Missing::File(name, source) => write!(
                f,
                "{} includes \"{name}\", which is not beside it: give its folder with `-I`",
                place_of(source)
            ),
            Missing::Macro(name, source) => write!(
                f,
                "{} declares more if `{name}` is defined: if it was when the library was built, say `-D {name}`",
                place_of(source)
            ),
        }
    }
}

/// All that headers declare.
#[derive(Clone, Debug, Default)]
pub(super) struct Declarations {
    pub functions: BTreeMap<String, CFunction>,
    pub variables: BTreeMap<String, CVariable>,
    /// Structs and unions with their fields.
    pub records: BTreeMap<(Tag, String), Record>,
    pub enums: BTreeMap<String, CEnum>,
    pub typedefs: BTreeMap<String, Typedef>,
    /// Structs that are declared without fields: where, and their docs.
    pub forward: BTreeMap<(Tag, String), About>,
    /// Macros and enumerators of nameless enums that have a value, and where they stand.
    pub constants: Vec<(Constant, Source)>,
    /// Values of enumerators, for array lengths.
    pub enumerators: BTreeMap<String, i128>,
    /// What was not found and might declare more.
    pub missing: Vec<Missing>,
}

impl Declarations {
    /// Tells, with a problem that more declarations might solve, of what was not found.
    pub fn note_missing(&self, problem: &mut Problem) {
        for note in self.missing.iter().map(Missing::to_string) {
            if !problem.notes.contains(&note) {
                problem.notes.push(note);
            }
        }
    }
}
