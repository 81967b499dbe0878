//! What stands behind each export: its body where it is more than the assembly itself, and its stub.

use crate::base::identifiers as names;
use crate::go::package::{Declaration, Item, Stub};
use crate::model::{PointerKind, Type};

use super::border::{self, Looks};
use super::export::{CallSite, Export, Made, declaration};
use super::handle_types::CELL;
use super::handles::Role;
use super::large::{self, Between};
use super::{cgo_handles, depart, escape, kept, layouts, lengths, owned, race, texts, types};

/// Copies a string that a handle's memory holds.
const COPY_TEXT: &str = "rsysoCopyText";
/// Copies such a slice.
const COPY_SLICE: &str = "rsysoCopySlice";

impl Export<'_> {
    /// What stands between it and its stub.
    fn between(&self) -> Between {
        Between::new(self.plain_name())
    }

    /// The signature of the assembly function of this name, where it takes what Go passes.
    fn native_signature(&self, name: &str) -> String {
        let params: Vec<String> = match (self.role(), self.scope.functions.get(self.index)) {
            (Role::Free(_), _) => vec![format!("cell *{CELL}")],
            (_, Some(names)) => {
                let params = names.params.iter().zip(&self.f.params);
                let passed = |ty| types::passed_type(self.scope, ty);
                let params = params.map(|(name, p)| format!("{name} {}", passed(&p.ty)));
                params.collect()
            }
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

    /// Whether the Go function is more than the assembly.
    fn converts(&self) -> bool {
        let (f, handles) = (self.f, &self.scope.handles);
        self.by_reference()
            || f.result.as_ref().is_some_and(Type::gives_memory)
            || *self.role() != Role::Plain
            || f.params.iter().any(|p| handles.of(&p.ty).is_some())
            || self.api.keeps()
            || self.scope.border.looks(self.index)
            || f.params
                .iter()
                .any(|p| lengths::is_checked(&p.ty) || self.copies_text(p))
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
        let keeps = self.api.keeps();
        let named = !kept.is_empty() || keeps || matches!(f.result, Some(Type::Fallible { .. }));
        let looks = Looks {
            scope: self.scope,
            who: &self.who,
            taken: &self.params,
        };
        let mut lines = border::checks(&looks, self.index, f);
        lines.extend(lengths::checks(&self.who, f, &self.params));
        let mut passed = texts::copies(self);
        lines.extend(passed.statements);
        if self.cgo {
            let (statements, args) = cgo_handles::used(self, &passed.args);
            lines.extend(statements);
            passed.args = args;
        }
        lines.extend(keeps.then(|| format!("\t{}()", race::RELEASES)));
        let call = self.call(&CallSite {
            who: &self.who,
            args: &passed.args,
            taken: &passed.taken,
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
            let local = names::unused("result", &passed.taken);
            lines.push(format!("\t{local} := {given}"));
            given = local;
        }
        // Through cgo, uses end when the function does.
        if copy.is_some() && !self.cgo {
            lines.extend(self.released());
        }
        lines.extend(keeps.then(|| format!("\t{}()", race::ACQUIRES)));
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
        let args = site.args.iter().zip(&self.f.params);
        let args: Vec<String> = args
            .map(|(arg, p)| match p.ty {
                Type::Kept { id, .. } => match self.scope.destroyed(id) {
                    Some(_) => kept::keeps(self.scope.kept_name(id), arg),
                    None => format!("{arg}.user(\"{}\")", site.who),
                },
                _ => arg.clone(),
            })
            .collect();
        let site = &CallSite {
            args: &args,
            ..*site
        };
        match self.by_reference() {
            true => self.between().call(self, site),
            false => Made {
                statements: Vec::new(),
                result: format!("{}({})", self.between().stub, site.args.join(", ")),
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
        let by_reference = self.by_reference();
        let between = self.between();
        let mut lines = Vec::new();
        if by_reference {
            lines.extend(between.frame(self, self.plain_name()));
            lines.push(String::new());
            if self.cgo {
                lines.pop();
                return lines.join("\n");
            }
            if self.blocks() {
                lines.push(between.blocking(self.frame.callbacks));
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
        let by_reference = self.by_reference();
        let between = self.between();
        let stub = &between.stub;
        let (signature, name) = match (by_reference, self.converts()) {
            (true, _) => (between.signature(self.frame.callbacks), stub.clone()),
            (false, true) => (self.native_signature(stub), stub.clone()),
            (false, false) => (self.signature(), self.plain_name().to_owned()),
        };
        Stub {
            name,
            signature,
            wraps: self.f.symbol.clone(),
            frame: self.frame.clone(),
            package: depart::LANDING,
            landing: depart::landing(self.manner()),
            in_macro: !by_reference && layouts::differ_in_vet(self.api, self.f),
        }
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
