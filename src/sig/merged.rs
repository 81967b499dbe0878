//! Exports whose code LLVM merged with that of another function (MergeFunctions: two functions of equal instructions become one with
//! two names). The debug information of one of them is gone; the types may even differ, in sign for instance.
//!
//! The source still has the signature. A type as written there stands for what the same words stand for in another function of the
//! same module; primitive types and pointers to known types need no such witness. What cannot be told so is an error.

use super::dwarf::malformed;
use super::function::{Draft, Reader};
use super::syntax::{Item, Signature};
use super::types::Mapped;
use super::written::Resolver;
use super::{leave_out, place_of};
use crate::base::diag::{Problem, Result};
use crate::model::{Function, Param, Source, Type};

impl<'d, 'a> Reader<'d, 'a> {
    /// Notes what a type in the source of a described function stands for.
    pub(super) fn note_written(
        &mut self,
        draft: &Draft,
        item: &Option<Item>,
        pick: impl Fn(&Signature) -> Option<&String>,
        mapped: &Mapped<Option<Type>>,
    ) {
        let Ok(ty) = mapped else { return };
        let Some(text) = item.as_ref().and_then(Item::signature).and_then(pick) else {
            return;
        };
        // Methods lie in a type's scope, where `Self` has a meaning of its own.
        let Some((_, module)) = draft.path.split_last() else {
            return;
        };
        if text.contains("Self") || text.contains("self") {
            return;
        }
        self.written.note(module, text, ty);
    }

    /// Reads merged functions from the source.
    pub(super) fn recover_merged(&mut self) -> Result<()> {
        for (twin, object) in std::mem::take(&mut self.merged) {
            let recovered = self.recover(&twin).map_err(|e| malformed(&object, e))?;
            if let Some((function, abi)) = recovered {
                let place = function.source.as_ref().map_or(String::new(), place_of);
                let before = self.problems.len();
                self.check_abi(&function.symbol, Some(&abi), &place);
                if self.problems.len() == before {
                    self.functions.push(function);
                }
                continue;
            }
            let symbol = &twin.symbol;
            let problem = Problem::new(format!(
                "`{symbol}` does the same as `{}`, and the compiler merged the two and kept the debug information of the other",
                twin.path.join("::")
            ));
            let problem = problem.at(object).help(format!(
                "build with the source at hand, or with RUSTFLAGS=\"-Cllvm-args=-mergefunc-use-aliases=false \
                 -Cllvm-args=-mergefunc-preserve-debug-info\", or give a header that declares it with --header, or {}",
                leave_out(symbol)
            ));
            self.unreadable.push((symbol.clone(), problem));
        }
        Ok(())
    }

    fn recover(&mut self, twin: &Draft) -> gimli::Result<Option<(Function, Signature)>> {
        let Some(view) = self.views.get(twin.object).copied().flatten() else {
            return Ok(None);
        };
        let mut crates: Vec<_> = view
            .scan
            .origins
            .iter()
            .filter(|o| o.rust)
            .map(|o| o.krate.clone())
            .collect();
        crates.extend(twin.path.first().cloned());
        crates.sort();
        crates.dedup();
        let mut found = crates.into_iter().filter_map(|krate| {
            let item = self.mapper.sources().exported(&krate, &twin.symbol)?;
            Some((krate, item))
        });
        let (Some((krate, item)), None) = (found.next(), found.next()) else {
            return Ok(None);
        };
        let Some(signature) = item.signature() else {
            return Ok(None);
        };
        let mut path = item.path.clone();
        path.insert(0, krate);
        let Some((function, bytes)) =
            self.source_function(twin.object, &twin.symbol, signature, &item, &path)
        else {
            return Ok(None);
        };
        // Merged functions take and give the same number of bytes; if these do not, the source is not that of the build.
        let mut twin_bytes = (0u64, 0u64);
        for param in &twin.params {
            twin_bytes.0 = twin_bytes
                .0
                .saturating_add(view.size(param.ty)?.unwrap_or(0));
        }
        if let Some(at) = twin.result {
            twin_bytes.1 = view.size(at)?.unwrap_or(0);
        }
        Ok((bytes == twin_bytes).then(|| (function, signature.clone())))
    }

    /// The function as the source has it, and the bytes that it takes and gives.
    pub(super) fn source_function(
        &mut self,
        object: usize,
        symbol: &str,
        signature: &Signature,
        item: &Item,
        path: &[String],
    ) -> Option<(Function, (u64, u64))> {
        let (_, module) = path.split_last()?;
        let mut resolver = Resolver {
            written: &self.written,
            mapper: &mut self.mapper,
            object,
            module,
            aliases: 0,
        };
        let mut params = Vec::new();
        for (n, (name, text)) in signature.params.iter().enumerate() {
            let name = name.clone().unwrap_or_else(|| format!("arg{n}"));
            params.extend(resolver.value(text)?.map(|ty| Param { name, ty }));
        }
        let result = match &signature.result {
            Some(text) => resolver.value(text)?,
            None => None,
        };
        let mut bytes = (0u64, 0u64);
        for param in &params {
            bytes.0 = bytes.0.checked_add(self.mapper.bytes(&param.ty)?)?;
        }
        if let Some(result) = &result {
            bytes.1 = self.mapper.bytes(result)?;
        }
        let source = Source {
            file: item.file.to_string_lossy().into_owned(),
            line: item.line,
        };
        let function = Function {
            symbol: symbol.to_owned(),
            params,
            result,
            doc: item.doc.clone(),
            source: Some(source),
            path: path.join("::"),
            foreign: false,
            is_static: false,
        };
        Some((function, bytes))
    }
}
