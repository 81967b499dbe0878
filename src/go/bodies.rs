//! Go functions: their signatures, and their bodies where they are more than the assembly itself.
//!
//! What became a method or a constructor is that alone: there is no plain function of the same export.

use crate::model::goabi::{self, Frame};
use crate::model::{Function, PointerKind, Type};

use super::handle_types::CELL;
use super::handles::Role;
use super::large::{self, Between};
use super::lead::Named;
use super::print::{Flavour, Printer};
use super::scope::Scope;
use super::{border, escape, lengths, names, owned, race, types, uses};

/// Copies a string that a handle's memory holds.
const COPY_TEXT: &str = "rsysoCopyText";
/// Copies such a slice.
const COPY_SLICE: &str = "rsysoCopySlice";

/// An assembly function as Go sees it.
pub(super) struct Declared {
    pub name: String,
    pub signature: String,
}

/// A Go function as it is shown: the method, the constructor, or the plain function.
struct Shown {
    /// `func (p *Parser) Len`
    head: String,
    /// What it is called in messages and documentation: `Parser.Len`.
    label: String,
    /// The name that its comment begins with: `Len`.
    name: String,
    /// Names of all parameters, the receiver included.
    params: Vec<String>,
    /// How many of them stand before the parentheses.
    receivers: usize,
}

fn shown(scope: &Scope, index: usize) -> Option<Shown> {
    let names = scope.functions.get(index)?;
    let mut shown = Shown {
        head: format!("func {}", names.name),
        label: names.name.clone(),
        name: names.name.clone(),
        params: names.params.clone(),
        receivers: 0,
    };
    match scope.handles.role(index) {
        Role::Constructor(name) => {
            shown.head = format!("func {name}");
            (shown.label, shown.name) = (name.clone(), name.clone());
        }
        Role::Method(id, name) => {
            let handle = scope.handles.types.get(id)?;
            let receiver = &handle.receiver;
            shown.head = format!("func ({receiver} *{}) {name}", handle.name);
            shown.label = format!("{}.{name}", handle.name);
            shown.name.clone_from(name);
            shown.params.first_mut()?.clone_from(receiver);
            shown.receivers = 1;
        }
        Role::Free(id) => {
            let handle = scope.handles.types.get(id)?;
            shown.head = format!("func ({} *{}) Close", handle.receiver, handle.name);
            shown.label = format!("{}.Close", handle.name);
            shown.name = "Close".into();
            shown.params.first_mut()?.clone_from(&handle.receiver);
            shown.receivers = 1;
        }
        Role::Plain => {}
    }
    Some(shown)
}

/// What a function is called in messages, the names of its parameters, and how many of them are receivers.
pub(super) fn called(scope: &Scope, index: usize) -> Option<(String, Vec<String>, usize)> {
    let shown = shown(scope, index)?;
    Some((shown.label, shown.params, shown.receivers))
}

/// `func CountWords(text string) uint`; of methods and constructors, those.
pub(super) fn signature(scope: &Scope, index: usize, f: &Function) -> Option<String> {
    let shown = shown(scope, index)?;
    let params = public(scope, &shown.params, f);
    let params = params.get(shown.receivers..).unwrap_or_default();
    Some(declaration(&shown.head, params, &results(scope, f)))
}

/// The signature of the assembly function.
fn native_signature(scope: &Scope, index: usize, f: &Function, name: &str) -> Option<String> {
    let names = scope.functions.get(index)?;
    let params = names.params.iter().zip(&f.params);
    let params: Vec<String> = match scope.handles.role(index) {
        Role::Free(_) => vec![format!("cell *{CELL}")],
        _ => params
            .map(|(name, p)| format!("{name} {}", types::public_type(scope, &p.ty)))
            .collect(),
    };
    let result = f.result.iter().map(|ty| types::go_type(scope, ty));
    let result: Vec<String> = result.collect();
    Some(declaration(&format!("func {name}"), &params, &result))
}

fn public(scope: &Scope, params: &[String], f: &Function) -> Vec<String> {
    let params = params.iter().zip(&f.params);
    params
        .map(|(name, p)| format!("{name} {}", types::public_type(scope, &p.ty)))
        .collect()
}

fn results(scope: &Scope, f: &Function) -> Vec<String> {
    let results = f.result.iter().flat_map(|ty| types::results(scope, ty));
    results.collect()
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

impl Printer<'_> {
    /// The text of one export: the function as it is shown, and what stands behind it. What frees a handle is shown as its `Close`
    /// ([`super::handle_types`]).
    pub fn function(&self, index: usize, flavour: Flavour) -> Option<String> {
        let f = self.request.api.functions().get(index)?;
        let mut parts = Vec::new();
        if !matches!(self.scope.handles.role(index), Role::Free(_)) {
            parts.push(self.shown_function(index, f, flavour)?);
        }
        if flavour == Flavour::Native && self.converts(index, f) {
            parts.push(self.between(index)?);
        }
        (!parts.is_empty()).then(|| parts.join("\n\n"))
    }

    fn shown_function(&self, index: usize, f: &Function, flavour: Flavour) -> Option<String> {
        let shown = shown(self.scope, index)?;
        let signature = signature(self.scope, index, f)?;
        let mut sentence = format!("{} calls the Rust function {}.", shown.name, f.symbol);
        sentence.push_str(&self.ownership(index, f, &shown));
        let mut lines = types::with_doc(Named::Function, &shown.name, &sentence, &f.doc);
        match flavour {
            Flavour::Native if self.converts(index, f) => {
                lines.push(format!("{signature} {{"));
                lines.extend(self.body(index, f, &shown));
                lines.push("}".into());
            }
            Flavour::Native => {
                if escape::noescape(self.request.api, f) {
                    lines.extend(["//".into(), "//go:noescape".into()]);
                }
                lines.push(signature);
            }
            Flavour::Unsupported => {
                lines.push(format!("{signature} {{"));
                lines.push(self.panic(&shown.label));
                lines.push("}".into());
            }
        }
        Some(lines.join("\n"))
    }

    /// What becomes of handles, and what nil means, as sentences.
    fn ownership(&self, index: usize, f: &Function, shown: &Shown) -> String {
        let handles = &self.scope.handles;
        let mut out = String::new();
        for (name, p) in shown.params.iter().zip(&f.params) {
            if handles.of(&p.ty).is_some() && self.passed(f, &p.ty) == Some(PointerKind::Box) {
                out.push_str(&format!(" It takes {name} for good: {name} is closed."));
            }
            // Null in a raw pointer means what the library says.
            if let Type::Pointer { nullable: true, .. } = p.ty
                && let Some(kind) = self.passed(f, &p.ty)
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
        for (name, p) in shown.params.iter().zip(&f.params) {
            if let Some(what) = lent_to(&p.ty) {
                out.push_str(&format!(
                    " The {what} that {name} is given are the library's, and good until {name} returns: copy what is to be kept."
                ));
            }
        }
        if let Some((handle, kind)) = handles.given(f)
            && !handles.gives_away(index, kind)
        {
            let name = &handle.name;
            out.push_str(&format!(
                " The {name} stays the library's, and closing it does nothing."
            ));
        }
        out
    }

    /// The frame of its calls.
    pub fn frame(&self, f: &Function) -> Frame {
        goabi::declared(self.request.api, &self.scope.declared, f)
    }

    /// How it is given a pointer.
    fn passed(&self, f: &Function, ty: &Type) -> Option<PointerKind> {
        self.scope.declared.passed(self.request.api, f, ty)
    }

    /// Whether the Go function is more than the assembly.
    fn converts(&self, index: usize, f: &Function) -> bool {
        let handles = &self.scope.handles;
        self.frame(f).by_reference()
            || f.result.as_ref().is_some_and(Type::gives_memory)
            || *handles.role(index) != Role::Plain
            || f.params.iter().any(|p| handles.of(&p.ty).is_some())
            || self.scope.border.looks(index)
            || f.params.iter().any(|p| lengths::is_checked(&p.ty))
            || handles.given(f).is_some()
    }

    /// The statements of such a function: the call, and what the library gives as callers get it.
    fn body(&self, index: usize, f: &Function, shown: &Shown) -> Vec<String> {
        let kept: Vec<&str> = self.kept(f, shown).collect();
        let copy = match &f.result {
            _ if !uses::copies(self.request.api, self.scope, f) => None,
            Some(Type::Str) => Some(COPY_TEXT),
            _ => Some(COPY_SLICE),
        };
        let named = !kept.is_empty() || matches!(f.result, Some(Type::Fallible { .. }));
        let who = format!("{}: {}", self.request.place.package, shown.label);
        let mut lines = border::checks(self.scope, index, &who, f, &shown.params);
        lines.extend(lengths::checks(&who, f, &shown.params));
        let (call, mut given, by_reference) =
            self.call(index, &who, f, &shown.params, &shown.params);
        lines.extend(call);
        if let Some(copy) = copy {
            given = format!("{copy}({given})");
        }
        if f.result.is_none() {
            if !by_reference {
                lines.push(format!("\t{given}"));
            }
        } else if copy.is_some() || (named && !by_reference) {
            let local = names::unused("result", &shown.params);
            lines.push(format!("\t{local} := {given}"));
            given = local;
        }
        if copy.is_some() {
            lines.extend(self.released(f, shown));
        }
        lines.extend(race::calls(self.scope, f, &shown.params));
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
            lines.push(format!(
                "\treturn {}",
                self.given(index, ty, &given, &owner)
            ));
        }
        lines
    }

    /// The parameters that are handles and stay the caller's.
    fn kept<'s>(&self, f: &Function, shown: &'s Shown) -> impl Iterator<Item = &'s str> {
        let params = shown.params.iter().zip(&f.params);
        params.filter_map(|(name, p)| {
            self.scope.handles.of(&p.ty)?;
            (self.passed(f, &p.ty) != Some(PointerKind::Box)).then_some(name.as_str())
        })
    }

    /// Ends the uses of the handles whose memory has been copied.
    fn released(&self, f: &Function, shown: &Shown) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, p) in shown.params.iter().zip(&f.params) {
            match (self.scope.handles.of(&p.ty), &p.ty) {
                (None, _) => {}
                _ if self.passed(f, &p.ty) == Some(PointerKind::Box) => {}
                (_, Type::Pointer { nullable: true, .. }) => lines.push(format!(
                    "\tif {name} != nil {{\n\t\t{name}.cell.release()\n\t}}"
                )),
                _ => lines.push(format!("\t{name}.cell.release()")),
            }
        }
        lines
    }

    /// The call of the assembly by a function that messages call `who`: statements, the expression of the result, and whether the statements have made it.
    pub fn call(
        &self,
        index: usize,
        who: &str,
        f: &Function,
        args: &[String],
        params: &[String],
    ) -> (Vec<String>, String, bool) {
        let name = self
            .scope
            .functions
            .get(index)
            .map_or("", |n| n.name.as_str());
        let between = Between::new(name);
        if self.frame(f).by_reference() {
            let (lines, given) = between.call(self.scope, index, who, f, args, params);
            return (lines, given, true);
        }
        let call = format!("{}({})", between.stub, args.join(", "));
        (Vec::new(), call, false)
    }

    /// The expression for what callers get, of an expression for what the library gave. That of a `FfiResult` is used twice, so it
    /// must have a name.
    fn given(&self, index: usize, ty: &Type, given: &str, owner: &str) -> String {
        let handles = &self.scope.handles;
        if let Some((handle, kind)) = handles.of(ty) {
            return match handles.gives_away(index, kind) {
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
                let value = self.given(index, value, &format!("{given}.value"), owner);
                format!("{value}, {given}.failure()")
            }
            _ => given.to_string(),
        }
    }

    /// What stands between such a function and the assembly.
    fn between(&self, index: usize) -> Option<String> {
        let api = self.request.api;
        let f = api.functions().get(index)?;
        let name = &self.scope.functions.get(index)?.name;
        let by_reference = self.frame(f).by_reference();
        let mut lines = Vec::new();
        if by_reference {
            let between = Between::new(name);
            let frees = matches!(self.scope.handles.role(index), Role::Free(_));
            lines.extend(between.frame(self.scope, name, f, frees));
            lines.push(String::new());
            if self.scope.declared.blocks(f) {
                lines.push(between.blocking(f));
                lines.push(String::new());
            }
        }
        let stays = match by_reference {
            true => large::frame_stays(api, f),
            false => escape::noescape(api, f),
        };
        if stays {
            lines.push("//go:noescape".into());
        }
        lines.push(self.stub(index)?.signature);
        Some(lines.join("\n"))
    }

    /// The Go name of the assembly function, and its declaration.
    pub fn stub(&self, index: usize) -> Option<Declared> {
        let f = self.request.api.functions().get(index)?;
        let names = self.scope.functions.get(index)?;
        let between = Between::new(&names.name);
        let by_reference = self.frame(f).by_reference();
        let (signature, name) = match (by_reference, self.converts(index, f)) {
            (true, _) => (between.signature(f), between.stub),
            (false, true) => (
                native_signature(self.scope, index, f, &between.stub)?,
                between.stub,
            ),
            (false, false) => (signature(self.scope, index, f)?, names.name.clone()),
        };
        Some(Declared { name, signature })
    }

    /// The functions that copy what a handle's memory holds, so that it outlives the handle.
    pub fn copies(&self) -> Vec<String> {
        let functions = self.request.api.functions();
        let any = |test: fn(&Type) -> bool| {
            let mut with = functions
                .iter()
                .filter(|f| uses::copies(self.request.api, self.scope, f));
            with.any(|f| f.result.as_ref().is_some_and(test))
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
}
