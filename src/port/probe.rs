//! What the C compiler says of names: their types, from debug information, and the values of constants, from the data of an object.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use object::{Object as _, ObjectSection as _, ObjectSymbol as _};

use super::compiler::Compiler;
use super::ctype::{Reader, TypeRef, Types};
use super::names::{self, Kind};
use crate::base::diag::{Error, Problem, Result};
use crate::sig::dwarf::{Debug, Sections, malformed};

/// What is declared in front of every preamble, as cgo does: some preambles use it.
pub(super) const PROLOGUE: &str = "\
#line 1 \"rsyso-prologue\"
#ifndef RSYSO_PROLOGUE
#define RSYSO_PROLOGUE
#include <stddef.h>
typedef ptrdiff_t intgo;
#define GO_CGO_GOSTRING_TYPEDEF
typedef struct { const char *p; intgo n; } _GoString_;
typedef struct { char *p; intgo n; intgo c; } _GoBytes_;
__attribute__((unused)) static size_t _GoStringLen(_GoString_ s) { return (size_t)s.n; }
__attribute__((unused)) static const char *_GoStringPtr(_GoString_ s) { return s.p; }
#endif
";

/// What a name is.
#[derive(Clone, Debug)]
pub(super) struct Meaning {
    pub kind: Kind,
    pub ty: TypeRef,
    pub value: Option<Value>,
}

/// The value of a constant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Integer(u64),
    Float(f64),
    Text(Vec<u8>),
}

/// Asks what names are after a preamble. Those that C does not know are left out.
pub(super) fn ask(
    compiler: &Compiler,
    preamble: &str,
    asked: &BTreeSet<String>,
    types: &mut Types,
) -> Result<BTreeMap<String, Meaning>> {
    let kinds = names::kinds(compiler, preamble, asked)?;
    let numbered: Vec<(&String, Kind)> = kinds.iter().map(|(name, kind)| (name, *kind)).collect();
    let mut text = format!("{preamble}\n#line 1 \"rsyso-types\"\n");
    let (mut integers, mut floats) = (String::new(), String::new());
    for (n, (name, kind)) in numbered.iter().enumerate() {
        let c = names::in_c(name);
        text.push_str(&format!("__typeof__({c}) *rsyso_type_{n};\n"));
        let value = |wanted| if *kind == wanted { c.as_str() } else { "0" };
        integers.push_str(&format!("\t{},\n", value(Kind::Integer)));
        floats.push_str(&format!("\t{},\n", value(Kind::Float)));
        if *kind == Kind::Text {
            text.push_str(&format!("const char rsyso_text_{n}[] = {c};\n"));
        }
    }
    // The last one keeps the data out of what begins as zeros.
    text.push_str(&format!(
        "long long rsyso_integers[] = {{\n{integers}\t1\n}};\n"
    ));
    text.push_str(&format!("double rsyso_floats[] = {{\n{floats}\t1\n}};\n"));
    let bytes = match compiler.debug(&text)? {
        Ok(bytes) => bytes,
        Err(stderr) => return Err(names::preamble_error(&stderr)),
    };
    let sections = Sections::read(PROBE, &bytes)?;
    let debug = Debug::parse(PROBE, &sections)?;
    let mut reader = Reader {
        debug: &debug,
        types,
        known: HashMap::new(),
    };
    let found = reader
        .variables("rsyso_type_")
        .map_err(|e| malformed(PROBE, e))?;
    let data = Data::read(&bytes)?;
    let mut meanings = BTreeMap::new();
    for (n, (name, kind)) in numbered.into_iter().enumerate() {
        let lost = || fault(format!("the C compiler does not tell what `{name}` is"));
        let ty = *found.get(&n).ok_or_else(lost)?;
        let word = |symbol: &str| data.word(symbol, n).ok_or_else(lost);
        let value = match kind {
            Kind::Integer => Some(Value::Integer(word("rsyso_integers")?)),
            Kind::Float => Some(Value::Float(f64::from_bits(word("rsyso_floats")?))),
            Kind::Text => {
                let bytes = data.bytes(&format!("rsyso_text_{n}")).ok_or_else(lost)?;
                Some(Value::Text(
                    bytes.strip_suffix(b"\0").unwrap_or(bytes).to_vec(),
                ))
            }
            Kind::Type | Kind::Object | Kind::Macro => None,
        };
        meanings.insert(name.clone(), Meaning { kind, ty, value });
    }
    Ok(meanings)
}

/// What the object is called in messages.
const PROBE: &str = "the C compiler's object";

fn fault(what: String) -> Error {
    Error::fault(Problem::new(what))
}

/// The data of an object, by symbol.
struct Data<'d>(HashMap<String, &'d [u8]>);

impl<'d> Data<'d> {
    fn read(bytes: &'d [u8]) -> Result<Data<'d>> {
        let unreadable = |e: object::Error| fault(format!("{PROBE} cannot be read: {e}"));
        let file = object::File::parse(bytes).map_err(unreadable)?;
        let mut found = HashMap::new();
        for symbol in file.symbols() {
            let Ok(name) = symbol.name() else { continue };
            let Some(section) = symbol
                .section_index()
                .filter(|_| name.starts_with("rsyso_"))
            else {
                continue;
            };
            let section = file.section_by_index(section).map_err(unreadable)?;
            let data = section.data().map_err(unreadable)?;
            let start = symbol.address() as usize;
            let of = data.get(start..start.saturating_add(symbol.size() as usize));
            found.extend(of.map(|of| (name.to_owned(), of)));
        }
        Ok(Data(found))
    }

    fn bytes(&self, symbol: &str) -> Option<&'d [u8]> {
        self.0.get(symbol).copied()
    }

    /// The nth word of an array.
    fn word(&self, symbol: &str, n: usize) -> Option<u64> {
        let word = self.bytes(symbol)?.get(n * 8..n * 8 + 8)?;
        Some(u64::from_le_bytes(word.try_into().ok()?))
    }
}
