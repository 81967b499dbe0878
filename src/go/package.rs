//! A Go package as data: what [`super::plan`] makes of an API, and what [`super::print`] writes down. `inspect` and the page show the same.

use crate::arch::Landing;
use crate::base::diag::Problem;
use crate::model::goabi::Frame;
use crate::model::uses::Calls;

use crate::base::identifiers as names;

/// How a line of the package comment begins that says where the code for an architecture comes from.
pub const ORIGIN: &str = "  - linux/";

/// What stands in a comment for the sum over what the image is made of, which is known when it is linked.
pub const DIGEST: &str = "{digest}";

/// A package, before it is linked: neither the names of its wrappers nor its image's digest are known yet.
#[derive(Clone, Debug)]
pub struct GoPackage {
    /// `text`.
    pub name: String,
    /// The first line of each file.
    pub marker: String,
    /// The line of the package comment for the architecture that it is planned for, with [`DIGEST`].
    pub origin: String,
    /// The Go files; the first is the one with native code, and the others offer the same.
    pub sources: Vec<Source>,
    /// The file in Go's assembly.
    pub assembly: Assembly,
    /// In the order of the API's functions: what each is in Go, `func CountWords(text string) uint`.
    pub functions: Vec<String>,
    /// What the wrappers do.
    pub calls: Calls,
    /// Functions that could be no methods or constructors of a handle type, and why; what the garbage collector does not free.
    pub notes: Vec<Problem>,
}

impl GoPackage {
    /// What the package offers, as `go doc` lists it, in the order of the file.
    pub fn declarations(&self) -> impl Iterator<Item = &Declaration> {
        let items = self.sources.first().into_iter().flat_map(|s| &s.items);
        items.filter_map(|item| match item {
            Item::Declaration(d) => d.is_exported().then_some(d),
            Item::Support(_) => None,
        })
    }
}

/// A Go file.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name, without a directory.
    pub file: String,
    /// For which builds it is: what follows `//go:build`.
    pub constraint: String,
    /// The lines of the package comment.
    pub comment: Vec<String>,
    /// What the go command's cgo is told, in C; empty where the file does not use it.
    pub preamble: Vec<String>,
    /// What it imports, in order.
    pub imports: Vec<&'static str>,
    /// What it declares, in order.
    pub items: Vec<Item>,
}

/// A part of a Go file.
#[derive(Clone, Debug)]
pub enum Item {
    /// A declaration of its own.
    Declaration(Declaration),
    /// Go code that the declarations need and that others cannot name.
    Support(String),
}

/// A declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// `CountWords`, `Panic`, `Panic.Error`; of a group of constants the first.
    pub name: String,
    /// What it declares.
    pub kind: Kind,
    /// The lines of its comment, without the slashes.
    pub doc: Vec<String>,
    /// What the compiler is told of it, `go:noescape`.
    pub directive: Option<&'static str>,
    /// The declaration, without a body.
    pub text: String,
    /// The lines of the body; none for what has none, such as a function in assembly.
    pub body: Option<Vec<String>>,
}

impl Declaration {
    /// A type, a constant or a function without a body.
    pub fn new(kind: Kind, name: impl Into<String>, text: impl Into<String>) -> Self {
        Declaration {
            name: name.into(),
            kind,
            doc: Vec::new(),
            directive: None,
            text: text.into(),
            body: None,
        }
    }

    /// The same with a comment.
    pub fn doc<L: Into<String>>(mut self, lines: impl IntoIterator<Item = L>) -> Self {
        self.doc = lines.into_iter().map(Into::into).collect();
        self
    }

    /// The same with a body.
    pub fn body<L: Into<String>>(mut self, lines: impl IntoIterator<Item = L>) -> Self {
        self.body = Some(lines.into_iter().map(Into::into).collect());
        self
    }

    /// Whether other packages can use it: a method, if its type is, too.
    pub fn is_exported(&self) -> bool {
        let mut parts = self.name.split('.');
        parts.all(|part| names::is_identifier(part) && part.starts_with(char::is_uppercase))
    }
}

impl From<Declaration> for Item {
    fn from(declaration: Declaration) -> Item {
        Item::Declaration(declaration)
    }
}

/// What a declaration declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A function or a method.
    Func,
    /// A type.
    Type,
    /// Constants.
    Const,
}

impl Kind {
    /// Go's keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            Kind::Func => "func",
            Kind::Type => "type",
            Kind::Const => "const",
        }
    }
}

/// The file in Go's assembly.
#[derive(Clone, Debug)]
pub struct Assembly {
    /// Its name, without a directory.
    pub file: String,
    /// For which builds it is.
    pub constraint: String,
    /// Its functions, in order.
    pub routines: Vec<Routine>,
}

/// A function in assembly.
#[derive(Clone, Debug)]
pub enum Routine {
    /// It calls a wrapper.
    Stub(Stub),
    /// What stubs begin with whose calls may become system calls of Go's while they run.
    Away {
        /// The stub that goes on with them then.
        go_on: &'static str,
        /// The Go function in which they go on if they do not return.
        depart: &'static str,
        /// Where the library keeps Go functions: the Go function that calls one, and the symbol by whose wrapper the library goes on.
        keeps: Option<(&'static str, &'static str)>,
    },
    /// Where the runtime goes on if a call does not return; it calls a Go function.
    Landing {
        /// Its name.
        name: &'static str,
        /// The Go function.
        then: &'static str,
    },
}

/// A function in assembly that calls a wrapper.
#[derive(Clone, Debug)]
pub struct Stub {
    /// Its name in Go.
    pub name: String,
    /// Its declaration in Go.
    pub signature: String,
    /// The symbol whose wrapper it calls.
    pub wraps: String,
    /// The frame of the call.
    pub frame: Frame,
    /// The landing by which the image knows the package.
    pub package: &'static str,
    /// Where the runtime goes on if the call does not return, or is to become a system call of Go's.
    pub landing: Landing<'static>,
    /// Whether the name stands in a macro, since the vet of Go 1.21 would count the arguments wrong.
    pub in_macro: bool,
}
