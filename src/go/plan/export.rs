//! What each export is in Go: its signature with a comment, and what its wrapper has to do.
//!
//! What became a method or a constructor is that alone: there is no plain function of the same export.

use crate::go::package::{Declaration, Kind};
use crate::model::goabi::{self, Frame};
use crate::model::uses::{Call, Given, Uses};
use crate::model::{Api, Function, Param, PointerKind, Type};

use super::handles::{Handle, Role};
use super::lead::Named;
use super::manner::Manner;
use super::request::Request;
use super::scope::Scope;
use super::types;

/// One export as Go has it: the method, the constructor, or the plain function.
pub(super) struct Export<'a> {
    pub api: &'a Api,
    pub scope: &'a Scope,
    pub index: usize,
    pub f: &'a Function,
    /// The frame of its calls.
    pub frame: Frame,
    /// `func (p *Parser) Len`
    head: String,
    /// What it is called in messages and documentation: `Parser.Len`.
    pub label: String,
    /// The name that its comment begins with: `Len`.
    name: String,
    /// What messages begin with: `text: Parser.Len`.
    pub who: String,
    package: &'a str,
    /// Names of all parameters, the receiver included.
    pub params: Vec<String>,
    /// How many of them stand before the parentheses.
    receivers: usize,
    /// Whether it is called through cgo.
    pub cgo: bool,
}

/// What a call in Go is made of.
#[derive(Clone, Copy)]
pub(super) struct CallSite<'c> {
    /// What the caller is called in messages.
    pub who: &'c str,
    /// What is passed for the parameters.
    pub args: &'c [String],
    /// Names that statements must not declare: those of the caller's parameters, in the order of the arguments.
    pub taken: &'c [String],
}

/// A call, made of statements.
pub(super) struct Made {
    pub statements: Vec<String>,
    /// The expression of the result.
    pub result: String,
    /// Whether the statements have made the call; else the expression makes it.
    pub done: bool,
}

impl<'a> Export<'a> {
    /// The export of this number. None when the scope does not name it.
    pub fn new(r: &Request<'a>, scope: &'a Scope, index: usize) -> Option<Self> {
        let f = r.api.functions().get(index)?;
        let names = scope.functions.get(index)?;
        let mut export = Export {
            api: r.api,
            scope,
            index,
            f,
            frame: goabi::declared(r.api, r.declared, f),
            head: format!("func {}", names.name),
            label: names.name.clone(),
            name: names.name.clone(),
            who: String::new(),
            package: &r.place.package,
            params: names.params.clone(),
            receivers: 0,
            cgo: false,
        };
        match export.role() {
            Role::Constructor(name) => {
                export.head = format!("func {name}");
                (export.label, export.name) = (name.clone(), name.clone());
            }
            Role::Method(id, name) => export.receive(scope.handles.types.get(id)?, name),
            Role::Free(id) => export.receive(scope.handles.types.get(id)?, "Close"),
            Role::Plain => {}
        }
        export.who = format!("{}: {}", r.place.package, export.label);
        Some(export)
    }

    /// The same, called through cgo: by reference, whatever else is said of it.
    pub fn through_cgo(self) -> Self {
        let callbacks = self.frame.callbacks || self.api.keeps();
        Export {
            cgo: true,
            frame: Frame {
                callbacks,
                ..self.frame
            },
            ..self
        }
    }

    /// Whether what it calls is given the address of its frame.
    pub fn by_reference(&self) -> bool {
        self.cgo || self.frame.by_reference()
    }

    /// Makes a method of it.
    fn receive(&mut self, handle: &Handle, name: &str) {
        let receiver = &handle.receiver;
        self.head = format!("func ({receiver} *{}) {name}", handle.name);
        self.label = format!("{}.{name}", handle.name);
        self.name = name.to_owned();
        if let Some(first) = self.params.first_mut() {
            first.clone_from(receiver);
        }
        self.receivers = 1;
    }

    /// The package's name.
    pub fn package(&self) -> &'a str {
        self.package
    }

    /// What it is beside a function of the package.
    pub fn role(&self) -> &'a Role {
        self.scope.handles.role(self.index)
    }

    /// What its calls are to Go's scheduler.
    pub fn manner(&self) -> Manner {
        match (self.blocks(), self.scope.declared.is_bare(self.f)) {
            (true, _) => Manner::Blocking,
            (false, true) => Manner::Bare,
            (false, false) => Manner::Polite,
        }
    }

    /// Whether its calls are declared to be able to last.
    pub fn blocks(&self) -> bool {
        self.frame.blocking
    }

    /// How it is given a pointer.
    pub fn passed(&self, ty: &Type) -> Option<PointerKind> {
        self.scope.declared.passed(self.api, self.f, ty)
    }

    /// The Go name of its function, whatever else it is.
    pub fn plain_name(&self) -> &str {
        let names = self.scope.functions.get(self.index);
        names.map_or("", |n| n.name.as_str())
    }

    /// Names and types of the parameters, as callers see them.
    fn declared_params(&self) -> impl Iterator<Item = String> {
        let params = self.params.iter().zip(&self.f.params);
        params.map(|(name, p)| match self.copies_text(p) {
            true => format!("{name} string"),
            false => format!("{name} {}", types::public_type(self.scope, &p.ty)),
        })
    }

    /// Whether a parameter is a string in Go, of which C is given a copy.
    pub fn copies_text(&self, param: &Param) -> bool {
        self.scope.declared.copies_text(self.f, &param.ty)
    }

    /// `func CountWords(text string) uint`; of methods and constructors, those.
    pub fn signature(&self) -> String {
        let params = self.declared_params().skip(self.receivers);
        let result = self.f.result.iter();
        let results = result.flat_map(|ty| types::results(self.scope, ty));
        let (params, results) = (params.collect::<Vec<_>>(), results.collect::<Vec<_>>());
        declaration(&self.head, &params, &results)
    }

    /// The declaration without a body.
    pub fn shown(&self) -> Declaration {
        let (name, symbol) = (&self.name, &self.f.symbol);
        let mut sentence = match self.f.is_static {
            true => format!("{name} returns the address of the Rust static {symbol}."),
            false => format!("{name} calls the Rust function {symbol}."),
        };
        sentence.push_str(&self.ownership());
        let doc = types::with_doc(Named::Function, &self.name, &sentence, &self.f.doc);
        Declaration::new(Kind::Func, self.label.as_str(), self.signature()).doc(doc)
    }

    /// What becomes of handles, and what nil means, as sentences.
    fn ownership(&self) -> String {
        let handles = &self.scope.handles;
        let params = || self.params.iter().zip(&self.f.params);
        let mut out = String::new();
        for (name, p) in params() {
            let passed = self.passed(&p.ty);
            if handles.of(&p.ty).is_some() && passed == Some(PointerKind::Box) {
                out.push_str(&format!(" It takes {name} for good: {name} is closed."));
            }
            // Null in a raw pointer means what the library says.
            if let Type::Pointer { nullable: true, .. } = p.ty
                && let Some(kind) = passed
                && !kind.is_raw()
            {
                // A Box may be a raw pointer in C ([`crate::model::Declared::passed`]).
                let nil = match kind {
                    PointerKind::Box => "allowed",
                    _ => "None in Rust",
                };
                out.push_str(&format!(" A nil {name} is {nil}."));
            }
        }
        for (name, p) in params() {
            let destroyed = match p.ty {
                Type::Kept { id, .. } => self.scope.destroyed(id),
                _ => None,
            };
            if let Some(what) = lent_to(destroyed.unwrap_or(&p.ty)) {
                out.push_str(&format!(
                    " The {what} that {name} is given are the library's, and good until {name} returns: copy what is to be kept."
                ));
            }
        }
        for (name, p) in params() {
            if let Type::Kept { id, .. } = p.ty {
                out.push_str(&match self.scope.destroyed(id) {
                    Some(_) => format!(" The library keeps {name} until it is done with it."),
                    None => format!(" The library may keep {name} until it is released."),
                });
            }
        }
        if let Some((handle, kind)) = handles.given(self.f)
            && !handles.gives_away(self.index, kind)
        {
            let name = &handle.name;
            out.push_str(&format!(
                " The {name} stays the library's, and closing it does nothing."
            ));
        }
        out
    }

    /// The parameters that are handles and stay the caller's.
    pub fn kept(&self) -> impl Iterator<Item = &str> {
        let params = self.params.iter().zip(&self.f.params);
        params.filter_map(|(name, p)| {
            self.scope.handles.of(&p.ty)?;
            (self.passed(&p.ty) != Some(PointerKind::Box)).then_some(name.as_str())
        })
    }

    /// Whether Go copies the result, since it may lie in the memory of a handle.
    pub fn copies(&self) -> bool {
        let text = matches!(
            self.f.result,
            Some(Type::Str | Type::Slice { mutable: false, .. })
        );
        text && self.kept().next().is_some()
    }

    /// What its wrapper has to do; messages say what it is called in the package.
    pub fn wrapper(&self) -> Call {
        Call {
            frame: self.frame.clone(),
            uses: self.uses(),
        }
    }

    /// What it does with handles.
    pub fn uses(&self) -> Uses {
        if let Role::Free(_) = self.role() {
            return Uses::Freed;
        }
        let params = self.f.params.iter().zip(&self.params).enumerate();
        let given = params.filter_map(|(param, (p, name))| {
            let (handle, _) = self.scope.handles.of(&p.ty)?;
            let behind = match param < self.receivers {
                true => String::new(),
                false => format!(" for {name}"),
            };
            Some(Given {
                param,
                taken: self.passed(&p.ty) == Some(PointerKind::Box),
                nullable: matches!(p.ty, Type::Pointer { nullable: true, .. }),
                note: [
                    format!("{} was given a ", self.who),
                    handle.name.clone(),
                    behind,
                ],
            })
        });
        let handles: Vec<Given> = given.collect();
        match handles.is_empty() {
            true => Uses::None,
            false => Uses::Given {
                handles,
                pinned: self.copies(),
            },
        }
    }
}

pub(super) fn declaration(head: &str, params: &[String], results: &[String]) -> String {
    let results = match results {
        [] => String::new(),
        [one] => format!(" {one}"),
        all => format!(" ({})", all.join(", ")),
    };
    format!("{head}({}){results}", types::grouped(params))
}

/// What a Go function is given that lies in the library's memory.
pub(super) fn lent_to(ty: &Type) -> Option<&'static str> {
    let Type::Callback { params, .. } = ty else {
        return None;
    };
    let strings = params.contains(&Type::Str);
    let slices = params.iter().any(|ty| matches!(ty, Type::Slice { .. }));
    match (strings, slices) {
        (true, true) => Some("strings and slices"),
        (true, false) => Some("strings"),
        (false, true) => Some("slices"),
        (false, false) => None,
    }
}

/// Whether the library may call Go functions.
pub(super) fn any_takes_functions(exports: &[Export<'_>]) -> bool {
    exports.iter().any(|e| e.frame.callbacks || e.api.keeps())
}
