//! What each export is in Go: its signature, its body where it is more than the assembly itself, and its stub.
//!
//! What became a method or a constructor is that alone: there is no plain function of the same export.

use crate::model::goabi::{self, Frame};
use crate::model::uses::{Call, Given, Uses};
use crate::model::{Api, Function, PointerKind, Type};

use super::super::names;
use super::super::package::{Declaration, Item, Kind, Stub};
use super::border::Looks;
use super::handle_types::CELL;
use super::handles::{Handle, Role};
use super::large::Between;
use super::lead::Named;
use super::scope::Scope;
use super::{Request, border, depart, escape, large, layouts, lengths, owned, race, types};

/// Copies a string that a handle's memory holds.
const COPY_TEXT: &str = "rsysoCopyText";
/// Copies such a slice.
const COPY_SLICE: &str = "rsysoCopySlice";

/// One export as Go has it: the method, the constructor, or the plain function.
pub(super) struct Export<'a> {
    pub api: &'a Api,
    pub scope: &'a Scope,
    pub index: usize,
    pub f: &'a Function,
    /// The frame of its calls.
    pub frame: Frame,
    /// What stands between it and its stub.
    pub between: Between,
    /// `func (p *Parser) Len`
    head: String,
    /// What it is called in messages and documentation: `Parser.Len`.
    pub label: String,
    /// The name that its comment begins with: `Len`.
    name: String,
    /// What messages begin with: `text: Parser.Len`.
    who: String,
    /// Names of all parameters, the receiver included.
    params: Vec<String>,
    /// How many of them stand before the parentheses.
    receivers: usize,
}

/// What a call in Go is made of.
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
            between: Between::new(&names.name),
            head: format!("func {}", names.name),
            label: names.name.clone(),
            name: names.name.clone(),
            who: String::new(),
            params: names.params.clone(),
            receivers: 0,
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

    /// What it is beside a function of the package.
    pub fn role(&self) -> &'a Role {
        self.scope.handles.role(self.index)
    }

    /// Whether its calls are declared to be able to last.
    pub fn blocks(&self) -> bool {
        self.frame.blocking
    }

    /// How it is given a pointer.
    fn passed(&self, ty: &Type) -> Option<PointerKind> {
        self.scope.declared.passed(self.api, self.f, ty)
    }

    /// The Go name of its function, whatever else it is.
    fn plain_name(&self) -> &str {
        let names = self.scope.functions.get(self.index);
        names.map_or("", |n| n.name.as_str())
    }

    /// Names and types of the parameters, as callers see them.
    fn declared_params<'s>(&'s self, names: &'s [String]) -> impl Iterator<Item = String> {
        let params = names.iter().zip(&self.f.params);
        params.map(|(name, p)| format!("{name} {}", types::public_type(self.scope, &p.ty)))
    }

    /// `func CountWords(text string) uint`; of methods and constructors, those.
    pub fn signature(&self) -> String {
        let params = self.declared_params(&self.params).skip(self.receivers);
        let result = self.f.result.iter();
        let results = result.flat_map(|ty| types::results(self.scope, ty));
        let (params, results) = (params.collect::<Vec<_>>(), results.collect::<Vec<_>>());
        declaration(&self.head, &params, &results)
    }

    /// The signature of the assembly function of this name, where it takes what Go passes.
    fn native_signature(&self, name: &str) -> String {
        let params: Vec<String> = match (self.role(), self.scope.functions.get(self.index)) {
            (Role::Free(_), _) => vec![format!("cell *{CELL}")],
            (_, Some(names)) => self.declared_params(&names.params).collect(),
            (_, None) => Vec::new(),
        };
        let result = self.f.result.iter();
        let result: Vec<String> = result.map(|ty| types::go_type(self.scope, ty)).collect();
        declaration(&format!("func {name}"), &params, &result)
    }

    /// Where there is native code: the function as it is shown, and what stands behind it. What frees a handle is shown as its `Close`
    /// ([`super::handle_types`]).
    pub fn native(&self) -> Vec<Item> {
        let mut items = Vec::new();
        if !matches!(self.role(), Role::Free(_)) {
            let shown = self.shown();
            items.push(Item::Declaration(match self.converts() {
                true => shown.body(self.body()),
                false => Declaration {
                    directive: escape::noescape(self.api, self.f).then_some("go:noescape"),
                    ..shown
                },
            }));
        }
        if self.converts() {
            items.push(Item::Support(self.support()));
        }
        items
    }

    /// On other platforms: the function as it is shown, with this body.
    pub fn elsewhere(&self, body: String) -> Option<Item> {
        let shown = (!matches!(self.role(), Role::Free(_))).then(|| self.shown());
        Some(Item::Declaration(shown?.body([body])))
    }

    /// The declaration without a body.
    fn shown(&self) -> Declaration {
        let mut sentence = format!("{} calls the Rust function {}.", self.name, self.f.symbol);
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
            if let Some(what) = lent_to(&p.ty) {
                out.push_str(&format!(
                    " The {what} that {name} is given are the library's, and good until {name} returns: copy what is to be kept."
                ));
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

    /// Whether the Go function is more than the assembly.
    fn converts(&self) -> bool {
        let (f, handles) = (self.f, &self.scope.handles);
        self.frame.by_reference()
            || f.result.as_ref().is_some_and(Type::gives_memory)
            || *self.role() != Role::Plain
            || f.params.iter().any(|p| handles.of(&p.ty).is_some())
            || self.scope.border.looks(self.index)
            || f.params.iter().any(|p| lengths::is_checked(&p.ty))
            || handles.given(f).is_some()
    }

    /// The statements of such a function: the call, and what the library gives as callers get it.
    fn body(&self) -> Vec<String> {
        let f = self.f;
        let kept: Vec<&str> = self.kept().collect();
        let copy = match &f.result {
            _ if !self.copies() => None,
            Some(Type::Str) => Some(COPY_TEXT),
            _ => Some(COPY_SLICE),
        };
        let named = !kept.is_empty() || matches!(f.result, Some(Type::Fallible { .. }));
        let looks = Looks {
            scope: self.scope,
            who: &self.who,
            taken: &self.params,
        };
        let mut lines = border::checks(&looks, self.index, f);
        lines.extend(lengths::checks(&self.who, f, &self.params));
        let call = self.call(&CallSite {
            who: &self.who,
            args: &self.params,
            taken: &self.params,
        });
        lines.extend(call.statements);
        let mut given = call.result;
        if let Some(copy) = copy {
            given = format!("{copy}({given})");
        }
        if f.result.is_none() {
            if !call.done {
                lines.push(format!("\t{given}"));
            }
        } else if copy.is_some() || (named && !call.done) {
            let local = names::unused("result", &self.params);
            lines.push(format!("\t{local} := {given}"));
            given = local;
        }
        if copy.is_some() {
            lines.extend(self.released());
        }
        lines.extend(race::calls(self.scope, f, &self.params));
        lines.extend(
            kept.iter()
                .map(|name| format!("\truntime.KeepAlive({name})")),
        );
        if let Some(ty) = &f.result {
            let owner = match kept.as_slice() {
                [] => "nil".to_string(),
                [one] => (*one).to_string(),
                all => format!("[]any{{{}}}", all.join(", ")),
            };
            lines.push(format!("\treturn {}", self.given(ty, &given, &owner)));
        }
        lines
    }

    /// The parameters that are handles and stay the caller's.
    fn kept(&self) -> impl Iterator<Item = &str> {
        let params = self.params.iter().zip(&self.f.params);
        params.filter_map(|(name, p)| {
            self.scope.handles.of(&p.ty)?;
            (self.passed(&p.ty) != Some(PointerKind::Box)).then_some(name.as_str())
        })
    }

    /// Ends the uses of the handles whose memory has been copied.
    fn released(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, p) in self.params.iter().zip(&self.f.params) {
            match (self.scope.handles.of(&p.ty), &p.ty) {
                (None, _) => {}
                _ if self.passed(&p.ty) == Some(PointerKind::Box) => {}
                (_, Type::Pointer { nullable: true, .. }) => lines.push(format!(
                    "\tif {name} != nil {{\n\t\t{name}.cell.release()\n\t}}"
                )),
                _ => lines.push(format!("\t{name}.cell.release()")),
            }
        }
        lines
    }

    /// The call of the assembly.
    pub fn call(&self, site: &CallSite<'_>) -> Made {
        match self.frame.by_reference() {
            true => self.between.call(self, site),
            false => Made {
                statements: Vec::new(),
                result: format!("{}({})", self.between.stub, site.args.join(", ")),
                done: false,
            },
        }
    }

    /// The expression for what callers get, of an expression for what the library gave. That of a `FfiResult` is used twice, so it
    /// must have a name.
    fn given(&self, ty: &Type, given: &str, owner: &str) -> String {
        let handles = &self.scope.handles;
        if let Some((handle, kind)) = handles.of(ty) {
            return match handles.gives_away(self.index, kind) {
                true => format!("{}({given})", handle.wrap()),
                false => format!("{}({given}, {owner})", handle.borrow()),
            };
        }
        match ty {
            Type::Owned { .. } => format!("{given}.take()"),
            Type::OwnedStr => format!("{}({given})", owned::TEXT),
            Type::Fallible { value: None } => format!("{given}.failure()"),
            // The value of an error is all zeros, and so is what is made of it.
            Type::Fallible { value: Some(value) } => {
                let value = self.given(value, &format!("{given}.value"), owner);
                format!("{value}, {given}.failure()")
            }
            _ => given.to_string(),
        }
    }

    /// What stands between such a function and the assembly.
    fn support(&self) -> String {
        let by_reference = self.frame.by_reference();
        let mut lines = Vec::new();
        if by_reference {
            lines.extend(self.between.frame(self, self.plain_name()));
            lines.push(String::new());
            if self.blocks() {
                lines.push(self.between.blocking(self.f));
                lines.push(String::new());
            }
        }
        let stays = match by_reference {
            true => large::frame_stays(self.api, self.f),
            false => escape::noescape(self.api, self.f),
        };
        if stays {
            lines.push("//go:noescape".into());
        }
        lines.push(self.stub().signature);
        lines.join("\n")
    }

    /// The assembly function.
    pub fn stub(&self) -> Stub {
        let by_reference = self.frame.by_reference();
        let stub = &self.between.stub;
        let (signature, name) = match (by_reference, self.converts()) {
            (true, _) => (self.between.signature(self.f), stub.clone()),
            (false, true) => (self.native_signature(stub), stub.clone()),
            (false, false) => (self.signature(), self.plain_name().to_owned()),
        };
        Stub {
            name,
            signature,
            wraps: self.f.symbol.clone(),
            frame: self.frame.clone(),
            package: depart::landing(false),
            landing: depart::landing(self.blocks()),
            in_macro: !by_reference && layouts::differ_in_vet(self.api, self.f),
        }
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

    fn uses(&self) -> Uses {
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

fn declaration(head: &str, params: &[String], results: &[String]) -> String {
    let results = match results {
        [] => String::new(),
        [one] => format!(" {one}"),
        all => format!(" ({})", all.join(", ")),
    };
    format!("{head}({}){results}", types::grouped(params))
}

/// What a Go function is given that lies in the library's memory.
fn lent_to(ty: &Type) -> Option<&'static str> {
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

/// The functions that copy what a handle's memory holds, so that it outlives the handle.
pub(super) fn copies(exports: &[Export<'_>]) -> Vec<String> {
    let any = |test: fn(&Type) -> bool| {
        let mut with = exports.iter().filter(|e| e.copies());
        with.any(|e| e.f.result.as_ref().is_some_and(test))
    };
    let mut sections = Vec::new();
    if any(|ty| *ty == Type::Str) {
        sections.push(format!(
            "// {COPY_TEXT} copies a string that lies in the library's memory, which may be freed.
func {COPY_TEXT}(lent string) string {{
\treturn strings.Clone(lent)
}}"
        ));
    }
    if any(|ty| matches!(ty, Type::Slice { mutable: false, .. })) {
        sections.push(format!(
            "// {COPY_SLICE} copies a slice that lies in the library's memory, which may be freed.
func {COPY_SLICE}[T any](lent []T) []T {{
\treturn append([]T(nil), lent...)
}}"
        ));
    }
    sections
}
