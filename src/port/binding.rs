//! What a package uses of C: each name with its form in Go, and the C function that Go calls for it.

use std::collections::{BTreeMap, BTreeSet};

use super::abi::{Abi, Passed, address};
use super::ctype::{CType, Number, TypeRef, Types};
use super::defined::{Defined, VISIBLE};
use super::exports::{self, Provided};
use super::gotypes::{GoTypes, PREFIX, Refused};
use super::names::Kind;
use super::probe::{Meaning, Value};
use super::source::{Context, Exported, GoFile};
use crate::base::identifiers;
use crate::model::{Function, Param, Type};

/// What the symbols of the C functions begin with that Go calls. They have names of their own: a function of a header may be a macro, or static. Names
/// that begin with `rsyso_` are the runtime's.
pub(super) const SYMBOL: &str = "goport_";

/// Functions of package C that are not C's.
const BUILT_IN: &[&str] = &[
    "CString",
    "CBytes",
    "GoString",
    "GoStringN",
    "GoBytes",
    "_GoStringLen",
    "_GoStringPtr",
];

/// What the functions of package C need the types of.
const BUILT_IN_TYPES: &[&str] = &["char", "int", "size_t"];

/// A function of package C in Go.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// `_Cfunc_foo`
    pub go: String,
    /// The function of the package with the image.
    pub raw: String,
    /// Types in Go, and how each is handed over.
    pub params: Vec<(String, Passed)>,
    pub result: Option<(String, Passed)>,
    /// The result's type for those that also give what `errno` is.
    pub errno: Option<String>,
}

/// A variable of the Go package that holds an address of C's.
#[derive(Clone, Debug)]
pub(super) struct Address {
    /// `_Cvar_foo`
    pub go: String,
    pub raw: String,
    /// `*_Ctype_int`, `unsafe.Pointer`
    pub ty: String,
}

/// A C function that Go calls.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// In whose preamble the name is known; none for what needs none.
    pub file: Option<usize>,
    pub c: String,
    pub function: Function,
}

/// Everything that a package uses of C.
pub(super) struct Binding<'t> {
    pub types: GoTypes<'t>,
    pub abi: Abi<'t>,
    all: &'t Types,
    /// `_Ciconst_FOO` and its value.
    pub constants: BTreeMap<String, String>,
    pub calls: BTreeMap<String, Call>,
    pub addresses: BTreeMap<String, Address>,
    pub built_in: BTreeSet<String>,
    pub entries: Vec<Entry>,
    /// The Go functions that C calls.
    pub provided: Vec<Provided>,
    /// Names of functions of the package with the image.
    raw: BTreeSet<String>,
}

/// What of C's a name needs to have asked.
pub(super) fn needs(name: &str) -> Vec<String> {
    match name {
        "malloc" => vec!["size_t".into()],
        _ if BUILT_IN.contains(&name) => BUILT_IN_TYPES.iter().map(|t| (*t).to_owned()).collect(),
        _ => vec![name.to_owned()],
    }
}

impl<'t> Binding<'t> {
    pub fn new(all: &'t Types) -> Self {
        Binding {
            types: GoTypes::new(all),
            abi: Abi::new(all),
            all,
            constants: BTreeMap::new(),
            calls: BTreeMap::new(),
            addresses: BTreeMap::new(),
            built_in: BTreeSet::new(),
            entries: Vec::new(),
            provided: Vec::new(),
            raw: BTreeSet::new(),
        }
    }

    /// Keeps the names of what sets the functions that C calls.
    pub fn reserve<'n>(&mut self, exported: impl Iterator<Item = &'n str>) {
        self.raw.extend(exported.map(exports::setter));
    }

    /// Has C call a Go function; `replaced` are what stands for the references of its file.
    pub fn provide(
        &mut self,
        file: &GoFile,
        export: &Exported,
        replaced: &[String],
        meanings: &BTreeMap<String, Meaning>,
    ) -> Result<(), Refused> {
        let meaning = meanings
            .get(&export.name)
            .ok_or("the C compiler does not know it")?;
        let with = (self.all, &mut self.abi);
        let one = exports::provided(file, export, replaced, with, meaning)?;
        self.provided.push(one);
        Ok(())
    }

    /// What stands in Go for a `C.name` of a file; or why nothing can.
    pub fn refer(
        &mut self,
        name: &str,
        context: Context,
        meanings: &BTreeMap<String, Meaning>,
        file: usize,
    ) -> Result<String, String> {
        let call = matches!(context, Context::Call | Context::CallWithError);
        if BUILT_IN.contains(&name) || name == "malloc" && call {
            return self.built_in(name, context, meanings);
        }
        let meaning = meanings
            .get(name)
            .ok_or("C does not know the name, as a type, a constant, a function or a variable")?;
        if meaning.kind != Kind::Type && context == Context::Type {
            return Err("it is no type".into());
        }
        self.types.number_nameless(meaning.ty)?;
        let function = match self.all.get(meaning.ty) {
            CType::Function {
                params,
                result,
                variadic,
            } => Some((params, *result, *variadic)),
            _ => None,
        };
        match (meaning.kind, function) {
            (Kind::Type, _) => {
                if matches!(self.all.get(meaning.ty), CType::Record(r) if r.size.is_none())
                    && context == Context::Call
                {
                    return Err("the type is declared only".into());
                }
                self.types.declare_as(name, meaning.ty)?;
                Ok(format!("{PREFIX}{name}"))
            }
            (Kind::Integer | Kind::Float | Kind::Text, _) => self.constant(name, meaning, file),
            (Kind::Object, Some((params, result, variadic))) => {
                if !call {
                    return self.pointer(name, file);
                }
                if variadic {
                    return Err("it takes a variable number of arguments, which Go cannot pass: call it from a C function in the preamble".into());
                }
                self.call(
                    name,
                    params,
                    result,
                    context == Context::CallWithError,
                    file,
                )
            }
            (Kind::Object | Kind::Macro, _) if call => Err("it is no function".into()),
            (Kind::Macro, _) => {
                let go = format!("_Cmacro_{name}");
                self.value_of(&go, name, meaning.ty, file)?;
                Ok(format!("{go}()"))
            }
            (Kind::Object, None) => self.variable(name, meaning.ty, file),
        }
    }

    fn constant(&mut self, name: &str, meaning: &Meaning, file: usize) -> Result<String, String> {
        let unsigned = matches!(
            self.all.get(meaning.ty),
            CType::Base {
                number: Number::Unsigned | Number::Bool,
                ..
            }
        );
        let (kind, value) = match &meaning.value {
            Some(Value::Integer(v)) if unsigned => ("iconst", format!("{v:#x}")),
            Some(Value::Integer(v)) => {
                let v = *v as i64;
                let sign = if v < 0 { "-" } else { "" };
                ("iconst", format!("{sign}{:#x}", v.unsigned_abs()))
            }
            Some(Value::Float(v)) => {
                let base = self.all.get(self.all.base(meaning.ty));
                if let CType::Base {
                    number: Number::Signed | Number::Unsigned,
                    ..
                } = base
                {
                    // A number that C computes when it runs.
                    let go = format!("_Cmacro_{name}");
                    self.value_of(&go, name, meaning.ty, file)?;
                    return Ok(format!("{go}()"));
                }
                if !v.is_finite() {
                    return Err("Go has no constant for a number that is not finite".into());
                }
                ("fconst", format!("{v:?}"))
            }
            Some(Value::Text(bytes)) => ("sconst", quoted(bytes)),
            None => return Err("its value is not known".into()),
        };
        let go = format!("_C{kind}_{name}");
        match self.constants.insert(go.clone(), value.clone()) {
            Some(other) if other != value => Err(format!(
                "it is {other} in another file of the package, and {value} here"
            )),
            _ => Ok(go),
        }
    }

    /// The name that a function has in the package with the image.
    fn raw_name(&mut self, wanted: &str) -> (String, String) {
        let mut symbol = wanted.to_owned();
        loop {
            let go = identifiers::exported(&symbol, 'X');
            if go != "Panic" && self.raw.insert(go.clone()) {
                return (format!("{SYMBOL}{symbol}"), go);
            }
            symbol.push_str("_x");
        }
    }

    fn enter(
        &mut self,
        file: Option<usize>,
        c: String,
        symbol: String,
        params: Vec<Type>,
        result: Option<Type>,
    ) {
        let params = params.into_iter().enumerate();
        let params = params.map(|(n, ty)| Param {
            name: format!("p{n}"),
            ty,
        });
        let function = Function {
            symbol,
            params: params.collect(),
            result,
            foreign: true,
            ..Function::default()
        };
        self.entries.push(Entry { file, c, function });
    }

    fn call(
        &mut self,
        name: &str,
        params: &[TypeRef],
        result: TypeRef,
        errno: bool,
        file: usize,
    ) -> Result<String, String> {
        let go = format!("_C{}func_{name}", if errno { "2" } else { "" });
        let mut passed = Vec::new();
        let mut model = Vec::new();
        let mut c_params = Vec::new();
        for (n, ty) in params.iter().enumerate() {
            let of = |what: String| format!("parameter {}: {what}", n + 1);
            let declared = self.types.declare_param(*ty).map_err(of)?;
            let (ty_model, how) = self.abi.value(*ty).map_err(|what| of(by_value(&what)))?;
            let (_, spelled) = self.abi.spelled(*ty).map_err(of)?;
            passed.push((declared, how));
            model.push(ty_model);
            c_params.push(format!("{spelled} p{n}"));
        }
        let of_result = |what: String| format!("result: {what}");
        let (void, spelled) = self.abi.spelled(result).map_err(of_result)?;
        let given = match void {
            true => None,
            false => {
                let declared = self
                    .types
                    .declare(self.all.unqualified(result))
                    .map_err(of_result)?;
                let (ty, how) = self
                    .abi
                    .value(result)
                    .map_err(|what| of_result(by_value(&what)))?;
                Some((declared, how, ty))
            }
        };
        if let Some(known) = self.calls.get(&go) {
            let same = known.params == passed
                && known.result.as_ref().map(|r| &r.0) == given.as_ref().map(|g| &g.0);
            return match same {
                true => Ok(go),
                false => Err("it is declared otherwise in another file of the package".into()),
            };
        }
        self.types.define_void();
        let (symbol, raw) = self.raw_name(&format!("{name}{}", if errno { "_errno" } else { "" }));
        let c = Defined {
            name,
            symbol: &symbol,
            params: &c_params,
            result: &spelled,
            void,
        };
        let (c, result_model, result_type) = match errno {
            true => {
                let id = self.abi.with_errno(name, given.as_ref().map(|g| &g.2));
                (
                    c.with_errno(),
                    Some(Type::Named(id)),
                    Some(self.abi.go_name(id)),
                )
            }
            false => (c.plain(), given.as_ref().map(|g| g.2.clone()), None),
        };
        self.enter(Some(file), c, symbol, model, result_model);
        let call = Call {
            go: go.clone(),
            raw,
            params: passed,
            result: given.map(|(ty, how, _)| (ty, how)),
            errno: result_type,
        };
        self.calls.insert(go.clone(), call);
        Ok(go)
    }

    /// A function without parameters that gives the value of an expression.
    fn value_of(&mut self, go: &str, name: &str, ty: TypeRef, file: usize) -> Result<(), String> {
        if self.calls.contains_key(go) {
            return Ok(());
        }
        let declared = self.types.declare_param(ty)?;
        let (model, how) = self.abi.value(ty).map_err(|what| by_value(&what))?;
        let (_, spelled) = self.abi.spelled(ty)?;
        let (symbol, raw) = self.raw_name(&format!("value_of_{name}"));
        let c = format!("{VISIBLE} {spelled} {symbol}(void) {{ return {name}; }}\n");
        self.enter(Some(file), c, symbol, Vec::new(), Some(model));
        let call = Call {
            go: go.to_owned(),
            raw,
            params: Vec::new(),
            result: Some((declared, how)),
            errno: None,
        };
        self.calls.insert(go.to_owned(), call);
        Ok(())
    }

    fn address(&mut self, go: String, name: &str, what: &str, ty: String, file: usize) {
        if self.addresses.contains_key(&go) {
            return;
        }
        let (symbol, raw) = self.raw_name(&format!("address_of_{name}"));
        let c = format!("{VISIBLE} void *{symbol}(void) {{ return (void *){what}; }}\n");
        self.enter(Some(file), c, symbol, Vec::new(), Some(address()));
        self.addresses.insert(go.clone(), Address { go, raw, ty });
    }

    fn pointer(&mut self, name: &str, file: usize) -> Result<String, String> {
        let go = format!("_Cfpvar_fp_{name}");
        self.address(go.clone(), name, name, "unsafe.Pointer".into(), file);
        Ok(format!("_Cgo_ptr({go})"))
    }

    fn variable(&mut self, name: &str, ty: TypeRef, file: usize) -> Result<String, String> {
        let go = format!("_Cvar_{name}");
        let declared = self.types.declare(ty)?;
        self.address(
            go.clone(),
            name,
            &format!("&{name}"),
            format!("*{declared}"),
            file,
        );
        Ok(format!("(*{go})"))
    }

    fn built_in(
        &mut self,
        name: &str,
        context: Context,
        meanings: &BTreeMap<String, Meaning>,
    ) -> Result<String, String> {
        match context {
            Context::Call => {}
            Context::CallWithError => return Err("it has no form with two results".into()),
            _ => return Err("it can be called only".into()),
        }
        for needed in needs(name) {
            let meaning = meanings
                .get(&needed)
                .ok_or("the C compiler does not know its types")?;
            self.types.declare_as(&needed, meaning.ty)?;
        }
        let name = if name == "malloc" { "_CMalloc" } else { name };
        let c = match name {
            "CString" | "CBytes" | "_CMalloc" => Some("malloc"),
            "GoString" => Some("strlen"),
            _ => None,
        };
        if let Some(c) = c
            && self.built_in.insert(format!("c:{c}"))
        {
            let (symbol, _) = self.raw_name(&format!("rsyso_{c}"));
            let size = || Type::Int(crate::model::Int::U64);
            match c {
                "malloc" => {
                    // As cgo: no bytes have an address of their own, too.
                    let text = format!(
                        "{VISIBLE} void *{symbol}(size_t n) {{ return malloc(n == 0 ? 1 : n); }}\n"
                    );
                    self.enter(None, text, symbol, vec![size()], Some(address()));
                }
                _ => {
                    let text = format!(
                        "{VISIBLE} size_t {symbol}(const char *text) {{ return strlen(text); }}\n"
                    );
                    self.enter(None, text, symbol, vec![address()], Some(size()));
                }
            }
        }
        if c == Some("malloc") {
            self.built_in.insert("_CMalloc".to_owned());
        }
        self.built_in.insert(name.to_owned());
        Ok(format!("_Cfunc_{name}"))
    }
}

fn by_value(what: &str) -> String {
    match what.ends_with("by value") {
        true => format!("{what}, is not passed"),
        false => what.to_owned(),
    }
}

/// A Go string of bytes.
fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => text.extend(['\\', c]),
                c if c.is_control() || c == '\u{feff}' => {
                    let mut bytes = [0; 4];
                    let bytes = c.encode_utf8(&mut bytes).bytes();
                    text.extend(bytes.map(|b| format!("\\x{b:02x}")));
                }
                c => text.push(c),
            }
        }
        text.extend(chunk.invalid().iter().map(|b| format!("\\x{b:02x}")));
    }
    text.push('"');
    text
}
