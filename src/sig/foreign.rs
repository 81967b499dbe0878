//! Functions that the library calls and Go provides. No debug information describes them: the `extern` block that declares one does, or a header.

use super::function::{C, Reader};
use super::header::Headers;
use super::place_of;
use super::syntax::{Item, ItemKind, Signature};
use super::{GIVE_HEADER, Import};
use crate::base::diag::Problem;
use crate::model::{Function, Source};

impl<'d, 'a> Reader<'d, 'a> {
    /// Reads one. What nothing declares is an error if the user named it, and no import otherwise.
    pub fn import(&mut self, import: &Import, headers: &Headers) {
        let symbol = &import.symbol;
        match self.declared(import) {
            Ok(Some(function)) => self.functions.push(function),
            Ok(None) if !import.by_name && !headers.declares(symbol, false) => {}
            Ok(None) => {
                let problem = Problem::new(format!(
                    "`{symbol}` cannot be imported: neither a header nor a source file at hand declares it as a function"
                ));
                self.unreadable
                    .push((symbol.clone(), problem.help(GIVE_HEADER)));
            }
            Err(problem) => self.unreadable.push((symbol.clone(), problem)),
        }
    }

    /// What the source says of it; None where no source at hand says anything.
    fn declared(&mut self, import: &Import) -> Result<Option<Function>, Problem> {
        let Some(view) = self.views.get(import.object).copied().flatten() else {
            return Ok(None);
        };
        let origins = view.scan.origins.iter().filter(|o| o.rust);
        let mut crates: Vec<_> = origins.map(|o| (o.krate.clone(), o.root.clone())).collect();
        crates.sort();
        crates.dedup();
        let mut found: Option<(Function, Item)> = None;
        for (krate, root) in crates.into_iter().filter(|(krate, _)| !krate.is_empty()) {
            self.mapper.sources().add_root(&krate, root);
            for item in self.mapper.sources().foreign(&krate, &import.symbol) {
                let function = self.of_item(import, &krate, &item)?;
                match &found {
                    None => found = Some((function, item)),
                    Some((first, _)) if same(first, &function) => {}
                    Some((_, other)) => {
                        let places = [place(other), place(&item)];
                        return Err(Problem::new(format!(
                            "`{}` cannot be imported: it is declared in two ways",
                            import.symbol
                        ))
                        .at(&places[0])
                        .note(format!("the other one is at {}", places[1])));
                    }
                }
            }
        }
        Ok(found.map(|(function, _)| function))
    }

    /// The function that an item of an `extern` block declares.
    fn of_item(&mut self, import: &Import, krate: &str, item: &Item) -> Result<Function, Problem> {
        let refused = |why: &str, help: &str| {
            let what = format!("`{}` cannot be imported: {why}", import.symbol);
            Problem::new(what).at(place(item)).help(help)
        };
        let ItemKind::Foreign(signature) = &item.kind else {
            return Err(refused("it is no function", GIVE_HEADER));
        };
        let Signature { abi, variadic, .. } = signature;
        let abi = abi.as_deref().unwrap_or_default();
        if !C.contains(&abi) && !self.own_abis.contains(&abi) {
            let why = format!("it is `extern \"{abi}\"`");
            return Err(refused(&why, "declare it `extern \"C\"`"));
        }
        if *variadic || !signature.certain {
            let why = match variadic {
                true => "it takes any number of arguments",
                false => "attributes decide which parameters it has",
            };
            return Err(refused(
                why,
                "declare it with the parameters that it is called with",
            ));
        }
        let mut path = item.path.clone();
        path.insert(0, krate.to_owned());
        let read = self.source_function(import.object, &import.symbol, signature, item, &path);
        let Some((function, _)) = read else {
            return Err(refused(
                "the source alone does not tell what its types are",
                GIVE_HEADER,
            ));
        };
        Ok(Function {
            // It is of no crate: Go provides it.
            path: String::new(),
            ..function
        })
    }
}

/// Whether two declarations are of one function.
fn same(a: &Function, b: &Function) -> bool {
    let types = |f: &Function| f.params.iter().map(|p| p.ty.clone()).collect::<Vec<_>>();
    types(a) == types(b) && a.result == b.result
}

fn place(item: &Item) -> String {
    place_of(&Source {
        file: item.file.to_string_lossy().into_owned(),
        line: item.line,
    })
}
