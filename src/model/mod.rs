//! The signature model: what an exported function takes and gives, in Rust's terms.
//!
//! [`crate::sig`] reads [`Signatures`] from DWARF and C headers, and finds the [`Conventions`] that they follow; both together are the [`Api`], which
//! no stage edits. What flags say of its functions stands beside it, in [`Declared`]. The arch seam turns the API into machine code, and
//! [`crate::go`] turns it into Go; nothing here knows of either.

mod api;
mod called;
mod declared;
pub mod goabi;
pub mod uses;

pub use api::{Api, Conventions, Signatures};
pub use called::{Import, Kept, Owner, Side, UserData};
pub use declared::{Declared, Said};

/// Index into [`Signatures::types`] and [`Api::types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub u32);

/// Where something was written, for messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Path as the compiler recorded it (joined with its working directory).
    pub file: String,
    /// 1-based; 0 when unknown.
    pub line: u32,
}

/// One exported function, or the address of an exported static.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Function {
    /// The unmangled symbol, e.g. `count_words`.
    pub symbol: String,
    /// Parameters in order. Zero-sized ones are left out: the C ABI does not pass them.
    pub params: Vec<Param>,
    /// None for `()` and `!`.
    pub result: Option<Type>,
    /// Doc comment, one string with `\n`, without the `///`; empty when there is none.
    pub doc: String,
    /// Where it is defined, when known.
    pub source: Option<Source>,
    /// The path of the Rust function, e.g. `text::count_words`; empty when unknown.
    pub path: String,
    /// Known from a header alone, and not compiled by rustc: in C, an enum holds any number.
    pub foreign: bool,
    /// The symbol is a static. In Go that is a function without parameters, whose result is the static's address.
    pub is_static: bool,
}

impl Function {
    /// What the address of a static is to Go: a pointer to what is known of its type.
    pub fn of_static(symbol: &str, to: Option<Type>) -> Function {
        Function {
            symbol: symbol.to_owned(),
            result: Some(Type::Pointer {
                to: to.map(Box::new),
                kind: PointerKind::Const,
                nullable: false,
            }),
            is_static: true,
            ..Function::default()
        }
    }

    /// The parameters that are Go functions, in order.
    pub fn callbacks(&self) -> impl Iterator<Item = &Param> {
        let is_callback = |p: &&Param| matches!(p.ty, Type::Callback { .. });
        self.params.iter().filter(is_callback)
    }
}

/// One parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// As in Rust; `argN` (N from 0) for patterns without a name.
    pub name: String,
    /// Its type.
    pub ty: Type,
}

/// A constant of a C header.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    /// As in C: `FOO_MAX`.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// Doc comment; empty when there is none.
    pub doc: String,
}

/// The value of a constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of any integer type of C's.
    Int(i128),
    /// A finite number.
    Float(f64),
    /// The bytes of a string, without the zero at its end.
    Text(Vec<u8>),
}

/// Width and sign of an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Int {
    #[allow(missing_docs)]
    U8,
    #[allow(missing_docs)]
    U16,
    #[allow(missing_docs)]
    U32,
    #[allow(missing_docs)]
    U64,
    #[allow(missing_docs)]
    I8,
    #[allow(missing_docs)]
    I16,
    #[allow(missing_docs)]
    I32,
    #[allow(missing_docs)]
    I64,
    /// 64 bits on every supported target.
    Usize,
    /// 64 bits on every supported target.
    Isize,
}

impl Int {
    /// Bytes; the alignment is the same.
    pub fn size(self) -> u64 {
        match self {
            Int::U8 | Int::I8 => 1,
            Int::U16 | Int::I16 => 2,
            Int::U32 | Int::I32 => 4,
            Int::U64 | Int::I64 | Int::Usize | Int::Isize => 8,
        }
    }

    /// Whether it is a signed type.
    pub fn signed(self) -> bool {
        matches!(self, Int::I8 | Int::I16 | Int::I32 | Int::I64 | Int::Isize)
    }
}

/// A type as it can cross the boundary.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// One byte, 0 or 1.
    Bool,
    /// A Rust `char`: 4 bytes.
    Char,
    /// Any integer.
    Int(Int),
    /// IEEE binary32.
    F32,
    /// IEEE binary64.
    F64,
    /// `&str`: pointer and length.
    Str,
    /// `&[T]` and `&mut [T]`: pointer and length in elements.
    Slice {
        /// Element type.
        elem: Box<Type>,
        /// `&mut [T]`.
        mutable: bool,
        /// Two parameters in C, a raw pointer and a length of this type: each travels on its own, and the callee may keep the pointer.
        pair: Option<Int>,
    },
    /// `*const c_char` and a length: as such a slice, but a string to Go. Not all of them are UTF-8. Parameters only.
    Text {
        /// The type of the length.
        length: Int,
    },
    /// A thin pointer of any kind.
    Pointer {
        /// What it points to; `None` for `c_void` and `()`.
        to: Option<Box<Type>>,
        /// How Rust spells it.
        kind: PointerKind,
        /// Whether null is a value of it: a raw pointer, or an `Option` of one of the others. A header tells raw pointers alone.
        nullable: bool,
    },
    /// `[T; N]`; in structs and behind pointers only.
    Array {
        /// Element type.
        elem: Box<Type>,
        /// Number of elements.
        len: u64,
    },
    /// A struct, an enum, a union or an opaque type.
    Named(TypeId),
    /// `extern "C" fn(...)` or an `Option` of it: a Go function, called during the call only. In an [`Api`], as a parameter of an export only; signatures
    /// have fields of this type, too.
    Callback {
        /// What the header or the source calls functions of this type, by a `typedef` or a `type`; empty where nothing names them.
        alias: String,
        /// Parameter types, `user` included.
        params: Vec<Type>,
        /// Their names, empty where one has none; none at all where nothing tells them.
        names: Vec<String>,
        /// None for `()`.
        result: Option<Box<Type>>,
        /// The user data that the export takes beside the function pointer: two parameters in C, one in Go.
        user: Option<UserData>,
        /// Whether the pointer may be null.
        nullable: bool,
    },
    /// Such a function, with its user data if it has some, which the library keeps beyond the call ([`Api::kept`]). As a parameter of an export, or as a field.
    Kept {
        /// Which of them.
        id: usize,
        /// Whether the pointer may be null.
        nullable: bool,
    },
    /// `rsyso_ffi::OwnedSlice<T>`: pointer, length, capacity. Results only.
    Owned {
        /// Element type.
        elem: Box<Type>,
    },
    /// `rsyso_ffi::OwnedString`: as [`Type::Owned`]. Results only.
    OwnedStr,
    /// `rsyso_ffi::FfiResult<T>` and `FfiStatus`: the value, and behind it the text of the error, an [`Type::OwnedStr`] that is null when there is none.
    /// Results only.
    Fallible {
        /// None for `()`.
        value: Option<Box<Type>>,
    },
}

impl Type {
    /// Whether it is a pointer that is never null in Rust.
    pub fn never_null(&self) -> bool {
        matches!(
            self,
            Type::Pointer {
                nullable: false,
                ..
            } | Type::Callback {
                nullable: false,
                ..
            } | Type::Kept {
                nullable: false,
                ..
            }
        )
    }

    /// Whether it is a `*const c_char`.
    pub fn is_c_string(&self) -> bool {
        let is_char = |to: &Type| *to == Type::Int(Int::I8);
        matches!(self, Type::Pointer { to: Some(to), kind: PointerKind::Const, .. } if is_char(to))
    }

    /// Whether the value brings memory with it that is Go's to give back.
    pub fn gives_memory(&self) -> bool {
        matches!(
            self,
            Type::Owned { .. } | Type::OwnedStr | Type::Fallible { .. }
        )
    }
}

impl Type {
    /// The types that this one is made of, in order; none for those that are one word of their own.
    pub fn parts(&self) -> Vec<&Type> {
        match self {
            Type::Pointer { to, .. } | Type::Fallible { value: to } => {
                to.as_deref().into_iter().collect()
            }
            Type::Slice { elem, .. } | Type::Array { elem, .. } | Type::Owned { elem } => {
                vec![elem]
            }
            Type::Callback { params, result, .. } => {
                params.iter().chain(result.as_deref()).collect()
            }
            Type::Bool | Type::Char | Type::Int(_) | Type::F32 | Type::F64 => Vec::new(),
            Type::Str | Type::Text { .. } | Type::OwnedStr => Vec::new(),
            Type::Named(_) | Type::Kept { .. } => Vec::new(),
        }
    }

    /// The same, to change them.
    pub fn parts_mut(&mut self) -> Vec<&mut Type> {
        match self {
            Type::Pointer { to, .. } | Type::Fallible { value: to } => {
                to.as_deref_mut().into_iter().collect()
            }
            Type::Slice { elem, .. } | Type::Array { elem, .. } | Type::Owned { elem } => {
                vec![elem]
            }
            Type::Callback { params, result, .. } => {
                params.iter_mut().chain(result.as_deref_mut()).collect()
            }
            Type::Bool | Type::Char | Type::Int(_) | Type::F32 | Type::F64 => Vec::new(),
            Type::Str | Type::Text { .. } | Type::OwnedStr => Vec::new(),
            Type::Named(_) | Type::Kept { .. } => Vec::new(),
        }
    }
}

/// How Rust spells a pointer, an `Option` around it aside. References are not retained by the callee; the others may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointerKind {
    /// `&T`.
    Ref,
    /// `&mut T`.
    RefMut,
    /// `*const T`.
    Const,
    /// `*mut T`, `NonNull<T>`.
    Mut,
    /// `Box<T>`: whoever gets it owns what it points to.
    Box,
}

impl PointerKind {
    /// Whether it is a raw pointer: `NonNull` is one that is never null.
    pub fn is_raw(self) -> bool {
        matches!(self, PointerKind::Const | PointerKind::Mut)
    }

    /// Whether it is a Rust reference.
    pub fn is_reference(self) -> bool {
        matches!(self, PointerKind::Ref | PointerKind::RefMut)
    }
}

/// A named type.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeDef {
    /// The Rust name without its path, generic arguments kept as Rust writes them.
    pub name: String,
    /// The full path, e.g. `text::model::Token`.
    pub path: String,
    /// Doc comment; empty when there is none.
    pub doc: String,
    /// What it is.
    pub kind: TypeKind,
}

/// The shape of a named type.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    /// A struct whose layout is the C layout of its fields, in order.
    Struct {
        /// Fields in order of offset; zero-sized ones are left out.
        fields: Vec<Field>,
        /// Bytes, padding included.
        size: u64,
        /// Bytes.
        align: u64,
    },
    /// A field-less enum.
    Enum {
        /// Underlying integer.
        repr: Int,
        /// In order of declaration.
        variants: Vec<Variant>,
    },
    /// A union: its fields lie in one place. Those of C's unnamed structs in it need not begin at its first byte.
    Union {
        /// In order of declaration; zero-sized ones are left out.
        fields: Vec<Field>,
        /// Bytes, padding included.
        size: u64,
        /// Bytes.
        align: u64,
    },
    /// A sum type: an enum with fields, a tagged union in C.
    Sum {
        /// The integer that tells the variants apart. It is at the first byte (RFC 2195: in `repr(C)` and in `repr(u8)`).
        tag: Int,
        /// In order of declaration.
        variants: Vec<Variant>,
        /// Bytes, padding included.
        size: u64,
        /// Bytes.
        align: u64,
    },
    /// Known by name only: used behind pointers.
    Opaque {
        /// Bytes and alignment, where they are known and all zeros may be a value of it.
        layout: Option<Layout>,
        /// Whether Go may make values of it, which are all zeros: not where the library alone knows what makes a value.
        made: bool,
    },
}

impl TypeKind {
    /// A type of which nothing but the name is known.
    pub const UNKNOWN: TypeKind = TypeKind::Opaque {
        layout: None,
        made: false,
    };

    /// Whether Go cannot see into it.
    pub fn is_opaque(&self) -> bool {
        matches!(self, TypeKind::Opaque { .. })
    }

    /// Bytes and alignment, for those that Go has values of.
    pub fn layout(&self) -> Option<Layout> {
        match self {
            TypeKind::Struct { size, align, .. }
            | TypeKind::Union { size, align, .. }
            | TypeKind::Sum { size, align, .. } => Some(Layout {
                size: *size,
                align: *align,
            }),
            TypeKind::Enum { repr, .. } => Some(Layout {
                size: repr.size(),
                align: repr.size(),
            }),
            TypeKind::Opaque { layout, made } => layout.filter(|_| *made),
        }
    }

    /// The fields of it, of all variants.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        let (own, variants): (&[Field], &[Variant]) = match self {
            TypeKind::Struct { fields, .. } | TypeKind::Union { fields, .. } => (fields, &[]),
            TypeKind::Sum { variants, .. } => (&[], variants),
            TypeKind::Enum { .. } | TypeKind::Opaque { .. } => (&[], &[]),
        };
        own.iter()
            .chain(variants.iter().flat_map(|variant| &variant.fields))
    }

    /// As [`TypeKind::fields`], to be changed.
    pub fn fields_mut(&mut self) -> impl Iterator<Item = &mut Field> {
        let (own, variants): (&mut [Field], &mut [Variant]) = match self {
            TypeKind::Struct { fields, .. } | TypeKind::Union { fields, .. } => (fields, &mut []),
            TypeKind::Sum { variants, .. } => (&mut [], variants),
            TypeKind::Enum { .. } | TypeKind::Opaque { .. } => (&mut [], &mut []),
        };
        own.iter_mut()
            .chain(variants.iter_mut().flat_map(|variant| &mut variant.fields))
    }
}

/// A field of a struct, of a union, or of a variant.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// As in Rust; `0`, `1`, ... in a tuple struct.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Bytes from the start of the type, of the tag too.
    pub offset: u64,
    /// Doc comment; empty when there is none.
    pub doc: String,
}

/// A variant of an enum.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Variant {
    /// As in Rust.
    pub name: String,
    /// What a C header calls it, where there is one: C has one namespace for the variants of all enums.
    pub in_c: String,
    /// Discriminant.
    pub value: i128,
    /// Doc comment; empty when there is none.
    pub doc: String,
    /// Of a sum type: in order of declaration; zero-sized ones are left out.
    pub fields: Vec<Field>,
}

/// Bytes and alignment of a type, as C and Rust's `repr(C)` have it on the 64-bit targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    #[allow(missing_docs)]
    pub size: u64,
    #[allow(missing_docs)]
    pub align: u64,
}
