//! The text of the files.

use std::collections::BTreeMap;

use crate::arch::Stub;
use crate::model::{Function, TypeId};
use crate::wrappers;

use super::lead::{Named, lead};
use super::scope::Scope;
use super::{
    GoFile, Request, border, callbacks, depart, doc, handle_types, layouts, opaque, owned, race,
    types, uses,
};

/// What `-msan` means for build constraints: the go command leaves `.syso` files out then (cmd/go, `load.go`, "syso").
const NO_MSAN: &str = "!msan";

/// All that the files are printed from.
pub(super) struct Printer<'a> {
    pub request: &'a Request<'a>,
    pub scope: &'a Scope,
    /// GOARCHes that the package has native code for, in order, each with the line of its origin.
    pub arches: &'a BTreeMap<String, String>,
}

/// Which of the two Go files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavour {
    /// With native code.
    Native,
    /// For every other platform.
    Unsupported,
}

/// Where a line about the origin of an architecture's code begins.
pub(super) const ORIGIN: &str = "//   - linux/";

/// The line of the package comment that says where the code for this architecture comes from.
pub(super) fn origin(r: &Request<'_>) -> String {
    let crates = match r.api.crates().as_slice() {
        [] => String::new(),
        [one] => format!(", crate {one}"),
        all => format!(", crates {}", all.join(" ")),
    };
    let rustc = r
        .rustc
        .as_deref()
        .map_or(String::new(), |v| format!(", {}", rustc(v)));
    doc::line(&format!(
        "{ORIGIN}{}: {}, SHA-256 {}{crates}{rustc}, rsyso {}",
        r.arch.goarch(),
        r.library,
        r.sha256,
        r.rsyso
    ))
}

/// The compiler, named once.
fn rustc(version: &str) -> String {
    match version.starts_with("rustc") {
        true => version.to_string(),
        false => format!("rustc {version}"),
    }
}

impl Printer<'_> {
    /// The three files, and two for the race detector if there are handles.
    pub fn files(&self) -> Vec<GoFile> {
        let stem = &self.request.place.stem;
        let file = |name: String, text: String| GoFile { name, text };
        let mut files = vec![
            file(format!("{stem}.go"), self.go(Flavour::Native)),
            file(
                format!("{stem}_unsupported.go"),
                self.go(Flavour::Unsupported),
            ),
            file(
                format!("{stem}_linux_{}.s", self.request.arch.goarch()),
                self.assembly(),
            ),
        ];
        if race::any(self.scope) {
            for (name, race) in [("race", true), ("norace", false)] {
                files.push(file(format!("{stem}_{name}.go"), self.race(race)));
            }
        }
        files
    }

    fn race(&self, race: bool) -> String {
        let tag = if race { "race" } else { "!race" };
        format!(
            "{}\n\n//go:build {} && {NO_MSAN} && {tag}\n\npackage {}\n\n{}\n",
            self.marker(),
            self.constraint(),
            self.request.place.package,
            race::text(race)
        )
    }

    fn marker(&self) -> String {
        super::marker(&self.request.command)
    }

    /// `amd64`, `(amd64 || arm64)`
    fn constraint(&self) -> String {
        let arches: Vec<&str> = self.arches.keys().map(String::as_str).collect();
        match arches.as_slice() {
            [one] => format!("linux && {one}"),
            all => format!("linux && ({})", all.join(" || ")),
        }
    }

    fn go(&self, flavour: Flavour) -> String {
        let api = self.request.api;
        let constraint = match flavour {
            Flavour::Native => format!("{} && {NO_MSAN}", self.constraint()),
            Flavour::Unsupported => format!("!({}) || msan", self.constraint()),
        };
        let mut sections = vec![
            self.marker(),
            format!("//go:build {constraint}"),
            self.package_clause(flavour),
        ];
        sections.extend(self.imports(flavour));
        let owned = owned::needs(api);
        sections.push(depart::panic_type(&self.request.place.package));
        sections.extend(owned.error_type(&self.request.place.package));
        let by_name: BTreeMap<&str, TypeId> = self
            .scope
            .types
            .iter()
            .map(|(id, names)| match self.scope.handles.types.get(id) {
                Some(handle) => (handle.name.as_str(), *id),
                None => (names.name.as_str(), *id),
            })
            .collect();
        for &id in by_name.values() {
            sections.extend(self.handle(id, flavour));
            sections.extend(self.declared(id, flavour));
        }
        if flavour == Flavour::Native {
            let ids = by_name.values().copied();
            sections.extend(layouts::checks(api, self.scope, ids));
        }
        for index in 0..api.functions().len() {
            sections.extend(self.function(index, flavour));
        }
        sections.extend(opaque::unmade(api, self.scope, flavour));
        if flavour == Flavour::Native {
            sections.push(depart::native(&self.request.place.package));
            sections.extend(depart::blocking(api, &self.scope.declared));
            let settles = uses::settles(api, self.scope);
            sections.extend(callbacks::native(
                api,
                &self.scope.declared,
                settles,
                self.request.aborts,
            ));
            sections.extend(handle_types::shared(api, self.scope));
            sections.extend(owned.native());
            sections.extend(self.copies());
            sections.extend(border::helpers(api, self.scope));
        }
        let mut text = sections
            .iter()
            .map(|s| s.trim_end_matches('\n'))
            .collect::<Vec<_>>()
            .join("\n\n");
        text.push('\n');
        text
    }

    fn package_clause(&self, flavour: Flavour) -> String {
        let r = self.request;
        let package = &r.place.package;
        let library = doc::line(&r.library);
        let platforms = self.platforms();
        let subject = format!("Package {package}");
        let led = lead(Named::Package, &subject, r.api.doc());
        let about = doc::comment(led.as_deref().unwrap_or(r.api.doc()), "");
        let subject = if led.is_some() {
            "The package"
        } else {
            &subject
        };
        let calls = [
            format!(
                "// {subject} calls the Rust library {library}. Its code is part of the package, so that"
            ),
            "// building it takes neither cgo nor a C compiler nor Rust.".to_string(),
        ];
        let mut lines = match led {
            Some(_) => Vec::from_iter(about.into_iter().chain(["//".to_string()]).chain(calls)),
            None if about.is_empty() => calls.to_vec(),
            None => Vec::from_iter(calls.into_iter().chain(["//".to_string()]).chain(about)),
        };
        lines.push("//".to_string());
        match flavour {
            Flavour::Native => {
                lines.push(format!("// The code is for {platforms}. On other platforms the package compiles, and its functions panic."));
                lines.push("//".to_string());
                lines.push("// Where the code comes from:".to_string());
                lines.extend(self.arches.values().cloned());
            }
            Flavour::Unsupported => {
                lines.push(format!("// The code is for {platforms}. On this platform the package compiles, and its functions panic."));
            }
        }
        lines.push(format!("package {package}"));
        lines.join("\n")
    }

    /// `linux/amd64 and linux/arm64`
    fn platforms(&self) -> String {
        let all: Vec<String> = self.arches.keys().map(|a| format!("linux/{a}")).collect();
        all.join(" and ")
    }

    fn imports(&self, flavour: Flavour) -> Option<String> {
        let api = self.request.api;
        let in_functions = api
            .functions()
            .iter()
            .flat_map(|f| f.params.iter().map(|p| &p.ty).chain(&f.result))
            .any(types::uses_unsafe);
        let structs = || {
            self.scope
                .types
                .keys()
                .filter_map(|id| match &api.def(*id).kind {
                    crate::model::TypeKind::Struct { fields, .. } => Some(fields),
                    _ => None,
                })
        };
        let in_fields = structs().flatten().any(|f| types::uses_unsafe(&f.ty));
        let mut packages = match flavour {
            Flavour::Native => depart::NATIVE_IMPORTS.to_vec(),
            Flavour::Unsupported => depart::OTHER_IMPORTS.to_vec(),
        };
        if flavour == Flavour::Native && !self.scope.handles.types.is_empty() {
            packages.extend(handle_types::NATIVE_IMPORTS);
        }
        if flavour == Flavour::Native {
            packages.extend(border::imports(self.scope));
        }
        if flavour == Flavour::Native && callbacks::any(api) {
            packages.push("\"runtime\"");
            packages.extend(self.request.aborts.then_some(callbacks::ABORT_IMPORT));
        }
        if flavour == Flavour::Unsupported && !api.functions().is_empty() {
            packages.push("\"runtime\"");
        }
        if in_functions || in_fields {
            packages.push("\"unsafe\"");
        }
        packages.extend(opaque::imports(api, self.scope));
        packages.sort_unstable();
        packages.dedup();
        match packages.as_slice() {
            [] => None,
            [one] => Some(format!("import {one}")),
            all => Some(format!("import (\n\t{}\n)", all.join("\n\t"))),
        }
    }

    /// The handle of a type that has one.
    fn handle(&self, id: TypeId, flavour: Flavour) -> Vec<String> {
        let api = self.request.api;
        let package = &self.request.place.package;
        let handles = &self.scope.handles;
        let Some((handle, f)) = handles
            .types
            .get(&id)
            .and_then(|handle| Some((handle, api.functions().get(handle.free)?)))
        else {
            return Vec::new();
        };
        if flavour == Flavour::Unsupported {
            return vec![handle_types::unsupported(api, handle, id, &|name| {
                self.panic(name)
            })];
        }
        let cell = ["cell".to_string()];
        let close = format!("{package}: {}.Close", handle.name);
        let (mut free, call, made) = self.call(handle.free, &close, f, &cell, &cell);
        if !made {
            free.push(format!("\t{call}"));
        }
        vec![handle_types::native(api, handle, id, package, &free)]
    }

    /// A type of the library, unless it is one that only the native file needs.
    fn declared(&self, id: TypeId, flavour: Flavour) -> Option<String> {
        let hidden = self
            .scope
            .handles
            .types
            .get(&id)
            .is_some_and(|h| !h.exposed);
        (flavour == Flavour::Native || !hidden)
            .then(|| types::declare(self.request.api, self.scope, id))
    }

    /// What a body does on other platforms.
    pub fn panic(&self, name: &str) -> String {
        let package = &self.request.place.package;
        let arches: Vec<&str> = self.arches.keys().map(String::as_str).collect();
        format!(
            "\tpanic(\"{package}: {name} is not available on \" + runtime.GOOS + \"/\" + runtime.GOARCH + \": this package holds native code for {} only; build with GOOS=linux GOARCH={}, and without -msan\")",
            self.platforms(),
            arches.join(" or ")
        )
    }

    /// The stubs of what frees a panic's text, closed handles and owned memory.
    fn internal(&self) -> Vec<String> {
        let r = self.request;
        let stub = |go_name, signature: &str, function: &Function| {
            r.arch.stub(&Stub {
                go_name,
                signature,
                wrapper: &(r.wrapper)(&function.symbol),
                frame: &self.frame(function),
                package: depart::landing(false),
                landing: depart::landing(false),
            })
        };
        let forget = format!("func {}(departure unsafe.Pointer)", depart::FORGET);
        let mut stubs = vec![stub(depart::FORGET, &forget, &wrappers::forget())];
        if uses::settles(r.api, self.scope) {
            stubs.push(stub(
                handle_types::SETTLE,
                handle_types::SETTLE_SIGNATURE,
                &wrappers::settle(),
            ));
        }
        if r.api.gives_memory() {
            stubs.push(stub(owned::FREE, owned::FREE_SIGNATURE, &wrappers::free()));
        }
        stubs
    }

    fn assembly(&self) -> String {
        let r = self.request;
        let goarch = r.arch.goarch();
        let mut sections = vec![
            self.marker(),
            format!("//go:build linux && {goarch} && {NO_MSAN}"),
            "#include \"funcdata.h\"\n#include \"textflag.h\"".to_string(),
        ];
        for (index, f) in r.api.functions().iter().enumerate() {
            let Some(stub) = self.stub(index) else {
                continue;
            };
            let frame = self.frame(f);
            let text = r.arch.stub(&Stub {
                go_name: &stub.name,
                signature: &stub.signature,
                wrapper: &(r.wrapper)(&f.symbol),
                frame: &frame,
                package: depart::landing(false),
                landing: depart::landing(frame.blocking),
            });
            sections.push(match frame.by_reference() {
                true => text,
                false => layouts::assembly(r.api, f, &stub.name, text),
            });
        }
        sections.extend(callbacks::stubs(
            r.api,
            &self.scope.declared,
            r.arch,
            r.wrapper,
        ));
        sections.extend(depart::landings(r.api, &self.scope.declared, r.arch));
        sections.extend(self.internal());
        let mut text = sections
            .iter()
            .map(|s| s.trim_end_matches('\n'))
            .collect::<Vec<_>>()
            .join("\n\n");
        text.push('\n');
        text
    }
}
