//! Which declarations, with what around them, stand in which file.

use std::collections::BTreeMap;

use crate::go::package::{Assembly, Item, Routine, Source, Stub};
use crate::model::goabi;
use crate::model::{Function, TypeId};
use crate::wrappers;

use super::bodies;
use super::export::{self, CallSite, Export};
use super::handle_types::{self, HandleType};
use super::lead::{Named, lead};
use super::manner::Manner;
use super::pools::Pools;
use super::request::{Flavour, Request};
use super::scope::Scope;
use super::{
    adopt, border, c_strings, callbacks, cgo, cgo_handles, constants, depart, doc, imports, kept,
    layouts, opaque, owned, race, sums, texts, types, uses,
};

/// What `-msan` means for build constraints: the go command leaves `.syso` files out then (cmd/go, `load.go`, "syso").
const NO_MSAN: &str = "!msan";

/// What the files are made of.
pub(super) struct Plan<'a> {
    pub request: &'a Request<'a>,
    pub scope: &'a Scope,
    pub exports: &'a [Export<'a>],
    /// The same, called through cgo; none where nothing is.
    pub through_cgo: &'a [Export<'a>],
    /// GOARCHes that the package has native code for, in order, each with the line of its origin.
    pub arches: BTreeMap<String, String>,
}

impl Plan<'_> {
    /// The two Go files, and two for the race detector if it is to be told something.
    pub fn sources(&self) -> Vec<Source> {
        let mut sources = vec![self.go(Flavour::Native), self.go(Flavour::Unsupported)];
        sources.extend(self.request.cgo.as_ref().map(|_| self.go(Flavour::Cgo)));
        let api = self.request.api;
        if race::any(self.scope, api) {
            sources.extend([("race", true), ("norace", false)].map(|(name, race)| {
                let tag = if race { "race" } else { "!race" };
                Source {
                    file: format!("{}_{name}.go", self.request.place.stem),
                    constraint: format!("{} && {tag}", self.anywhere()),
                    comment: Vec::new(),
                    preamble: Vec::new(),
                    imports: race::imports(self.scope, api, race),
                    items: vec![Item::Support(race::text(self.scope, api, race))],
                }
            }));
        }
        sources
    }

    /// `amd64`, `(amd64 || arm64)`
    fn constraint(&self) -> String {
        let arches: Vec<&str> = self.arches.keys().map(String::as_str).collect();
        match arches.as_slice() {
            [one] => format!("linux && {one}"),
            all => format!("linux && ({})", all.join(" || ")),
        }
    }

    /// Where there is native code, and Go calls that.
    fn natively(&self) -> String {
        format!("{} && {NO_MSAN}{}", self.constraint(), self.aside())
    }

    /// What has native code step aside for cgo, where that is there on linux.
    fn aside(&self) -> String {
        let machines = self.machines();
        let linux: Vec<&str> = machines
            .iter()
            .filter(|m| m.goos == "linux")
            .map(|m| m.goarch.as_str())
            .collect();
        let all = self
            .arches
            .keys()
            .all(|arch| linux.contains(&arch.as_str()));
        match (linux.as_slice(), all) {
            ([], _) => String::new(),
            (_, true) => format!(" && !(cgo && {})", cgo::TAG),
            (some, false) => format!(" && !(cgo && {} && ({}))", cgo::TAG, some.join(" || ")),
        }
    }

    /// Where Go calls through cgo; None where it does not.
    fn with_cgo(&self) -> Option<String> {
        let machines = self.machines();
        let all = machines.iter().map(|m| match m.goos.as_str() {
            "linux" => format!("(linux && {} && {})", m.goarch, cgo::TAG),
            goos => format!("({goos} && {})", m.goarch),
        });
        let all: Vec<String> = all.collect();
        (!all.is_empty()).then(|| match all.as_slice() {
            [one] => format!("cgo && {}", one.trim_matches(['(', ')'])),
            all => format!("cgo && ({})", all.join(" || ")),
        })
    }

    /// Where the functions can be called.
    fn anywhere(&self) -> String {
        match self.with_cgo() {
            Some(cgo) => format!("(({}) || ({cgo}))", self.natively()),
            None => self.natively(),
        }
    }

    /// The machines on which Go calls through cgo.
    fn machines(&self) -> Vec<cgo::Machine> {
        let cgo = self.request.cgo.as_ref();
        cgo.map_or_else(Vec::new, |cgo| cgo.all(&self.request.place.stem))
    }

    fn go(&self, flavour: Flavour) -> Source {
        let with_cgo = self.with_cgo();
        let (suffix, constraint) = match (flavour, &with_cgo) {
            (Flavour::Native, _) => ("", self.natively()),
            (Flavour::Cgo, cgo) => ("_cgo", cgo.clone().unwrap_or_default()),
            (Flavour::Unsupported, None) => {
                ("_unsupported", format!("!({}) || msan", self.constraint()))
            }
            (Flavour::Unsupported, Some(cgo)) => (
                "_unsupported",
                format!("!({}) && !({cgo})", self.natively()),
            ),
        };
        let preamble = match (flavour, &self.request.cgo) {
            (Flavour::Cgo, Some(cgo)) => cgo.preamble(&self.request.place.stem),
            _ => Vec::new(),
        };
        Source {
            file: format!("{}{suffix}.go", self.request.place.stem),
            constraint,
            comment: self.package_comment(flavour),
            preamble,
            imports: self.imports(flavour),
            items: self.items(flavour),
        }
    }

    fn items(&self, flavour: Flavour) -> Vec<Item> {
        let (api, scope) = (self.request.api, self.scope);
        let package = &self.request.place.package;
        let mut items = Vec::from(depart::panic_type(package));
        items.extend(owned::needs(api).error_type(package));
        let by_name: BTreeMap<&str, TypeId> = scope
            .types
            .iter()
            .map(|(id, names)| match scope.handles.types.get(id) {
                Some(handle) => (handle.name.as_str(), *id),
                None => (names.name.as_str(), *id),
            })
            .collect();
        items.extend(constants::declare(api, scope));
        for &id in by_name.values() {
            items.extend(self.handle(id, flavour));
            items.extend(self.declared(id, flavour));
        }
        if flavour != Flavour::Unsupported {
            let ids = by_name.values().copied();
            items.extend(layouts::checks(api, scope, ids).map(Item::Support));
        }
        let exports = match flavour {
            Flavour::Native | Flavour::Unsupported => self.exports,
            Flavour::Cgo => self.through_cgo,
        };
        for export in exports {
            items.extend(match flavour {
                Flavour::Native | Flavour::Cgo => kept::declared(export, None),
                Flavour::Unsupported => kept::declared(export, Some(&|name| self.panic(name))),
            });
            match flavour {
                Flavour::Native | Flavour::Cgo => items.extend(export.native()),
                Flavour::Unsupported => items.extend(export.elsewhere(self.panic(&export.label))),
            }
        }
        let panic = |name: &str| self.panic(name);
        let cgo = flavour == Flavour::Cgo;
        let elsewhere: Option<&dyn Fn(&str) -> String> = match flavour {
            Flavour::Native | Flavour::Cgo => None,
            Flavour::Unsupported => Some(&panic),
        };
        items.extend(imports::declared(api, scope, package, cgo, elsewhere));
        if api.has_c_strings() {
            items.extend(match flavour {
                Flavour::Native | Flavour::Cgo => c_strings::callable(package, &scope.c_strings),
                Flavour::Unsupported => {
                    c_strings::elsewhere(&scope.c_strings, &|name| self.panic(name))
                }
            });
        }
        items.extend(opaque::unmade(api, scope, flavour).map(Item::Support));
        match flavour {
            Flavour::Native => {
                items.extend(api.has_c_strings().then(c_strings::native));
                items.extend(self.support().into_iter().map(Item::Support));
            }
            Flavour::Cgo => items.extend(self.support_of_cgo().into_iter().map(Item::Support)),
            Flavour::Unsupported => {}
        }
        items
    }

    /// Whether calls are system calls of Go's from the beginning: of exports that are declared to block, and what goes on with threads of the library's own.
    fn blocks(&self) -> bool {
        self.exports.iter().any(Export::blocks) || self.request.api.keeps()
    }

    /// What all functions stand on that call through cgo.
    fn support_of_cgo(&self) -> Vec<String> {
        let (api, scope, exports) = (self.request.api, self.scope, self.through_cgo);
        let mut support = vec![cgo::support()];
        if let Some(cgo) = &self.request.cgo
            && exports.iter().any(|e| e.frame.callbacks)
        {
            let id = &cgo.shim.id;
            support.push(cgo::callbacks(exports, api, id));
            let package = &self.request.place.package;
            support.extend(cgo::in_any_call(api, scope, package, id));
        }
        support.extend(cgo_handles::shared(scope));
        support.extend(owned::needs(api).shared());
        support.extend(cgo::own(api));
        support.extend(bodies::copies(exports));
        support.extend(border::helpers(api, scope));
        support.extend(texts::copier(exports));
        support
    }

    /// What all functions of the file with native code stand on.
    fn support(&self) -> Vec<String> {
        let (api, scope, exports) = (self.request.api, self.scope, self.exports);
        let settles = uses::settles(scope, exports);
        let mut support = vec![depart::native(&self.request.place.package)];
        support.extend(depart::blocking(self.blocks()));
        let aborts = self.request.aborts;
        support.extend(callbacks::native(exports, api.keeps(), settles, aborts));
        let package = &self.request.place.package;
        support.extend(kept::native(api, scope, package, settles, aborts));
        support.extend(adopt::native(api, package, aborts));
        support.extend(handle_types::shared(scope, exports));
        support.extend(owned::needs(api).shared());
        support.extend(owned::needs(api).native());
        support.extend(bodies::copies(exports));
        support.extend(border::helpers(api, scope));
        support.extend(texts::copier(exports));
        support
    }

    fn package_comment(&self, flavour: Flavour) -> Vec<String> {
        let r = self.request;
        let library = doc::line(&r.library);
        let platforms = match self.through().as_str() {
            "" => self.platforms(),
            through => format!("{}, and through cgo for {through}", self.platforms()),
        };
        let subject = format!("Package {}", r.place.package);
        let led = lead(Named::Package, &subject, r.api.doc());
        let about = doc::lines(led.as_deref().unwrap_or(r.api.doc()));
        let subject = if led.is_some() {
            "The package"
        } else {
            &subject
        };
        let calls = [
            format!(
                "{subject} calls the Rust library {library}. Its code is part of the package, so that"
            ),
            match self.through().is_empty() {
                true => "building it takes neither cgo nor a C compiler nor Rust.".to_string(),
                false => format!(
                    "building it for {} takes neither cgo nor a C compiler nor Rust.",
                    self.platforms()
                ),
            },
        ];
        let blank = String::new;
        let mut lines = match led {
            Some(_) => Vec::from_iter(about.into_iter().chain([blank()]).chain(calls)),
            None if about.is_empty() => calls.to_vec(),
            None => Vec::from_iter(calls.into_iter().chain([blank()]).chain(about)),
        };
        lines.push(blank());
        match flavour {
            Flavour::Native | Flavour::Cgo => {
                lines.push(format!("The code is for {platforms}. On other platforms the package compiles, and its functions panic."));
                lines.push(blank());
                lines.push("Where the code comes from:".to_string());
                lines.extend(self.arches.values().cloned());
            }
            Flavour::Unsupported => {
                lines.push(format!("The code is for {platforms}. On this platform the package compiles, and its functions panic."));
            }
        }
        lines
    }

    /// `linux/amd64 and linux/arm64`
    fn platforms(&self) -> String {
        let all: Vec<String> = self.arches.keys().map(|a| format!("linux/{a}")).collect();
        all.join(" and ")
    }

    /// Where there is code that takes cgo, in words: `darwin/arm64`, or nothing.
    fn through(&self) -> String {
        let all = self.machines().into_iter().map(|m| match m.goos.as_str() {
            "linux" => format!("linux/{} with the tag {}", m.goarch, cgo::TAG),
            goos => format!("{goos}/{}", m.goarch),
        });
        all.collect::<Vec<_>>().join(" and ")
    }

    fn imports(&self, flavour: Flavour) -> Vec<&'static str> {
        let (api, scope) = (self.request.api, self.scope);
        let in_functions = api
            .functions()
            .iter()
            .flat_map(|f| f.params.iter().map(|p| &p.ty).chain(&f.result))
            .chain(api.called_back())
            .any(types::uses_unsafe);
        let mut fields = scope.types.keys().flat_map(|id| api.def(*id).kind.fields());
        let in_fields = fields.any(|f| types::uses_unsafe(&f.ty));
        let mut packages = match flavour {
            Flavour::Native => depart::NATIVE_IMPORTS.to_vec(),
            Flavour::Cgo => cgo::IMPORTS.to_vec(),
            Flavour::Unsupported => depart::OTHER_IMPORTS.to_vec(),
        };
        if flavour != Flavour::Unsupported {
            if !scope.handles.types.is_empty() {
                packages.extend(match flavour {
                    Flavour::Cgo => cgo_handles::IMPORTS,
                    _ => handle_types::NATIVE_IMPORTS,
                });
            }
            packages.extend(border::imports(scope));
            if export::any_takes_functions(self.exports) {
                packages.push("\"runtime\"");
                packages.extend(match flavour {
                    Flavour::Cgo => Some(cgo::CALLBACK_IMPORT),
                    _ => self.request.aborts.then_some(callbacks::ABORT_IMPORT),
                });
            }
            if api.keeps() {
                // Goroutines for threads of the library's are begun once.
                let all = kept::IMPORTS.iter();
                let once = flavour != Flavour::Cgo || !api.kept().is_empty();
                packages.extend(all.filter(|name| once || **name != kept::ONCE));
            }
        }
        if flavour == Flavour::Unsupported && !api.functions().is_empty() {
            packages.push("\"runtime\"");
        }
        if in_functions || in_fields || api.has_c_strings() {
            packages.push("\"unsafe\"");
        }
        packages.extend(opaque::imports(api, scope));
        packages.sort_unstable();
        packages.dedup();
        packages
    }

    /// The handle of a type that has one.
    fn handle(&self, id: TypeId, flavour: Flavour) -> Vec<Item> {
        let Some(handle) = self.scope.handles.types.get(&id) else {
            return Vec::new();
        };
        let cgo = flavour == Flavour::Cgo;
        let exports = if cgo { self.through_cgo } else { self.exports };
        let Some(free) = exports.iter().find(|e| e.index == handle.free) else {
            return Vec::new();
        };
        let package = &self.request.place.package;
        let ty = HandleType {
            api: self.request.api,
            package,
            handle,
            id,
            cgo,
        };
        if flavour == Flavour::Unsupported {
            return ty.elsewhere(&|name| self.panic(name));
        }
        let cell = [if cgo { "raw" } else { "cell" }.to_string()];
        let call = free.call(&CallSite {
            who: &format!("{package}: {}.Close", handle.name),
            args: &cell,
            taken: &cell,
        });
        let mut statements = call.statements;
        if !call.done {
            statements.push(format!("\t{}", call.result));
        }
        ty.native(&statements)
    }

    /// A type of the library, unless it is one that only the native file needs.
    fn declared(&self, id: TypeId, flavour: Flavour) -> Vec<Item> {
        let handle = self.scope.handles.types.get(&id);
        let hidden = handle.is_some_and(|h| !h.exposed);
        match flavour != Flavour::Unsupported || !hidden {
            true => {
                let panic = |name: &str| self.panic(name);
                let elsewhere: Option<&dyn Fn(&str) -> String> = match flavour {
                    Flavour::Native | Flavour::Cgo => None,
                    Flavour::Unsupported => Some(&panic),
                };
                let mut items = sums::declare(self.request.api, self.scope, id, elsewhere);
                items.extend(self.pools().of_type(id, elsewhere));
                items
            }
            false => Vec::new(),
        }
    }

    /// The functions that the library knows by their addresses alone.
    fn pools(&self) -> Pools<'_> {
        Pools {
            api: self.request.api,
            scope: self.scope,
            package: &self.request.place.package,
        }
    }

    /// What a body does on other platforms.
    fn panic(&self, name: &str) -> String {
        let package = &self.request.place.package;
        let arches: Vec<&str> = self.arches.keys().map(String::as_str).collect();
        let (only, cgo) = match self.through().as_str() {
            "" => (" only".to_owned(), String::new()),
            through => (
                format!(", and code for {through} that needs cgo"),
                "with CGO_ENABLED=1 and a C compiler there, or ".to_owned(),
            ),
        };
        format!(
            "\tpanic(\"{package}: {name} is not available on \" + runtime.GOOS + \"/\" + runtime.GOARCH + \": this package holds native code for {}{only}; build {cgo}with GOOS=linux GOARCH={}, and without -msan\")",
            self.platforms(),
            arches.join(" or ")
        )
    }

    /// The stubs of what frees a panic's text, closed handles and owned memory.
    fn internal(&self) -> Vec<Stub> {
        let api = self.request.api;
        let stub = |name: &str, signature: String, function: &Function| Stub {
            name: name.to_owned(),
            signature,
            wraps: function.symbol.clone(),
            frame: goabi::frame(api, function),
            package: depart::LANDING,
            landing: depart::landing(Manner::Polite),
            in_macro: false,
        };
        let forget = format!("func {}(departure unsafe.Pointer)", depart::FORGET);
        let mut stubs = vec![stub(depart::FORGET, forget, &wrappers::forget())];
        if uses::settles(self.scope, self.exports) {
            stubs.push(stub(
                handle_types::SETTLE,
                handle_types::SETTLE_SIGNATURE.to_owned(),
                &wrappers::settle(),
            ));
        }
        if api.gives_memory() {
            let signature = owned::FREE_SIGNATURE.to_owned();
            stubs.push(stub(owned::FREE, signature, &wrappers::free()));
        }
        if api.has_c_strings() {
            let functions = wrappers::c_memory();
            let own = c_strings::STUBS.iter().zip(&functions);
            stubs.extend(own.map(|((name, signature), f)| stub(name, (*signature).to_owned(), f)));
        }
        stubs
    }

    /// The file in assembly.
    pub fn assembly(&self) -> Assembly {
        let goarch = self.request.arch.goarch();
        let stubs = self.exports.iter().map(Export::stub);
        let stubs = stubs.chain(callbacks::stubs(self.exports, self.request.api.keeps()));
        let mut routines = vec![depart::away(kept::away(self.request.api))];
        routines.extend(stubs.map(Routine::Stub));
        routines.extend(depart::landings(self.blocks()));
        routines.push(Routine::Stub(depart::go_on()));
        let api = self.request.api;
        let kept = kept::stub(api).into_iter().chain(kept::internal(api));
        routines.extend(kept.map(Routine::Stub));
        routines.extend(self.internal().into_iter().map(Routine::Stub));
        Assembly {
            file: format!("{}_linux_{goarch}.s", self.request.place.stem),
            constraint: format!("linux && {goarch} && {NO_MSAN}{}", self.aside()),
            routines,
        }
    }
}
