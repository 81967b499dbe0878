//! The wrappers as one more object of the link: a section, a global function and references for each export.

use crate::arch::Arch;
use crate::diag::{Error, Kind, Problem, Result};
use crate::goabi;
use crate::input::{Bind, Def, Object, Reloc, Section, Symbol, SymbolKind, Visibility};
use crate::model::Api;
use ::object::elf;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::HashMap;

/// Names of the wrappers of one package. They never collide between two packages of a program, nor between two versions of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    prefix: String,
}

impl Names {
    /// `identity` is the package's import path (its name when the path is unknown); the rest makes versions differ.
    pub fn new(identity: &str, inputs: &[u8; 32], stack_size: u64) -> Self {
        let mut hash = Sha256::new();
        hash.update(identity.as_bytes());
        hash.update([0]);
        hash.update(inputs);
        hash.update(stack_size.to_le_bytes());
        hash.update(env!("CARGO_PKG_VERSION").as_bytes());
        let hex: String = hash.finalize()[..8]
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        Names {
            prefix: format!("rsyso_{hex}_"),
        }
    }

    /// The wrapper of an export.
    pub fn wrapper(&self, export: &str) -> String {
        format!("{}{export}", self.prefix)
    }
}

/// Assembles the wrappers of all functions. Section `i + 1` is the wrapper of function `i`.
pub fn object(api: &Api, arch: &dyn Arch, names: &Names) -> Result<Object<'static>> {
    let mut object = Object::synthetic("<wrappers>", arch.machine());
    let mut symbols: HashMap<String, u32> = HashMap::new();
    let mut problems = Vec::new();
    for function in &api.functions {
        let frame = goabi::frame(api, function);
        let code = match arch.wrapper(api, function, &frame) {
            Ok(code) => code,
            Err(what) => {
                let problem = Problem::new(format!(
                    "{} cannot be called from Go: {what}",
                    function.symbol
                ))
                .help("change the signature, or leave the function out with --export");
                problems.push(match &function.source {
                    Some(s) => problem.at(format!("{}:{}", s.file, s.line)),
                    None => problem,
                });
                continue;
            }
        };
        let size = code.bytes.len() as u64;
        let mut relocs = Vec::with_capacity(code.refs.len());
        for r in code.refs {
            let next = object.symbols.len() as u32;
            let symbol = *symbols.entry(r.symbol.clone()).or_insert(next);
            if symbol == next {
                object
                    .symbols
                    .push(global(r.symbol, SymbolKind::None, Def::Undefined, 0));
            }
            relocs.push(Reloc {
                offset: r.offset,
                r_type: r.r_type,
                symbol,
                addend: r.addend,
            });
        }
        relocs.sort_by_key(|r| r.offset);
        let section = object.sections.len() as u32;
        object.sections.push(Section {
            name: Cow::Owned(format!(".text.{}", names.wrapper(&function.symbol))),
            kind: elf::SHT_PROGBITS.0,
            flags: elf::SHF_ALLOC.0 | elf::SHF_EXECINSTR.0,
            size,
            align: 16,
            entsize: 0,
            data: Cow::Owned(code.bytes),
            relocs,
        });
        object.symbols.push(global(
            names.wrapper(&function.symbol),
            SymbolKind::Func,
            Def::Section(section),
            size,
        ));
    }
    Error::check(Kind::Unsupported, problems, object)
}

fn global(name: String, kind: SymbolKind, def: Def, size: u64) -> Symbol<'static> {
    Symbol {
        name: Cow::Owned(name),
        bind: Bind::Global,
        kind,
        visibility: Visibility::Default,
        def,
        value: 0,
        size,
    }
}
