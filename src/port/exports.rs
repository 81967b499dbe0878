//! Go functions that C calls by name, those below `//export`: what they are in C, and what sets them for the image.
//!
//! As under cgo, their C types come from their Go types (cmd/cgo, `Package.cgoType`), and `_cgo_export.h` declares them. To the image they are functions that
//! the program provides (`--import`): the library calls them in any call, and on threads of its own.

use std::fmt::Write as _;

use super::abi::{Abi, Passed};
use super::ctype::{CType, Types};
use super::gotypes::Refused;
use super::names::in_c;
use super::package::Package;
use super::probe::Meaning;
use super::source::{Exported, GoFile};
use crate::base::identifiers;
use crate::model::{Function, Param};

/// The header that declares them.
pub(super) const HEADER: &str = "_cgo_export.h";

/// The types of Go's own, as cgo has them in C.
const PLAIN: &[(&str, &str, &str)] = &[
    ("bool", "GoUint8", "unsigned char"),
    ("byte", "GoUint8", "unsigned char"),
    ("float32", "GoFloat32", "float"),
    ("float64", "GoFloat64", "double"),
    ("int", "GoInt", "long long"),
    ("int16", "GoInt16", "short"),
    ("int32", "GoInt32", "int"),
    ("int64", "GoInt64", "long long"),
    ("int8", "GoInt8", "signed char"),
    ("rune", "GoInt32", "int"),
    ("uint", "GoUint", "unsigned long long"),
    ("uint16", "GoUint16", "unsigned short"),
    ("uint32", "GoUint32", "unsigned int"),
    ("uint64", "GoUint64", "unsigned long long"),
    ("uint8", "GoUint8", "unsigned char"),
    ("uintptr", "GoUintptr", "__SIZE_TYPE__"),
];

/// What a Go type is in C.
fn c_type(go: &str) -> Result<String, Refused> {
    let go = go.trim();
    if let Some((_, c, _)) = PLAIN.iter().find(|(name, ..)| *name == go) {
        return Ok((*c).to_owned());
    }
    if go == "unsafe.Pointer" {
        return Ok("void *".to_owned());
    }
    if let Some(name) = go.strip_prefix("C.") {
        return Ok(in_c(name));
    }
    match go.strip_prefix('*') {
        Some(to) => Ok(format!("{} *", c_type(to)?)),
        None => Err(format!(
            "C has no type for Go's `{go}` here: take or give a number, a type of C's, or a pointer to one"
        )),
    }
}

/// The declaration of one in C.
fn prototype(file: &GoFile, export: &Exported) -> Result<String, Refused> {
    if export.method {
        return Err("it is a method: export a function that calls it".into());
    }
    let of = |range: &std::ops::Range<usize>| file.text.get(range.clone()).unwrap_or_default();
    let result = match export.results.as_slice() {
        [] => "void".to_owned(),
        [one] => c_type(of(one))?,
        _ => return Err("it has several results: C functions have one at most".into()),
    };
    let params = export.params.iter().map(|p| c_type(of(p)));
    let params = params.collect::<Result<Vec<_>, _>>()?;
    let params = match params.is_empty() {
        true => "void".to_owned(),
        false => params.join(", "),
    };
    Ok(format!("extern {result} {}({params});\n", export.name))
}

/// The declarations of those of a file, with what they need. Those that C cannot have are left out: [`refused`] tells of them.
pub(super) fn prototypes(file: &GoFile) -> String {
    let mut text = String::new();
    if file.exports.is_empty() {
        return text;
    }
    let _ = writeln!(text, "#line 1 \"{HEADER}\"");
    for (_, name, c) in PLAIN {
        let _ = writeln!(text, "typedef {c} {name};");
    }
    let all = file.exports.iter().filter_map(|e| prototype(file, e).ok());
    text.extend(all);
    text
}

/// Why C cannot have one.
pub(super) fn refused(file: &GoFile, export: &Exported) -> Option<Refused> {
    prototype(file, export).err()
}

/// C code that refers to all of them, whoever else does.
pub(super) fn referred(package: &Package) -> Option<String> {
    let names: Vec<&str> = names(package).collect();
    let declared: String = names
        .iter()
        .map(|name| format!("extern void {name}(void);\n"))
        .collect();
    let all = names.join(", ");
    (!names.is_empty())
        .then(|| format!("{declared}void (*goport_exports[])(void) = {{ {all} }};\n"))
}

/// Their names.
pub(super) fn names(package: &Package) -> impl Iterator<Item = &str> {
    let all = package.files.iter().flat_map(|f| &f.exports);
    all.map(|e| e.name.as_str())
}

/// The function of the image's package that sets one.
pub(super) fn setter(name: &str) -> String {
    format!("Set{}", identifiers::exported(name, 'X'))
}

/// One that is set.
pub(super) struct Provided {
    pub name: String,
    /// The Go function.
    pub go: String,
    /// The types that Go gives its parameters, and how each comes.
    pub params: Vec<(String, Passed)>,
    /// The same of its result.
    pub result: Option<(String, Passed)>,
    /// As the image has it.
    pub function: Function,
}

/// What one is to the image; `replaced` are what stands for the references of its file.
pub(super) fn provided(
    file: &GoFile,
    export: &Exported,
    replaced: &[String],
    (types, abi): (&Types, &mut Abi<'_>),
    meaning: &Meaning,
) -> Result<Provided, Refused> {
    let CType::Function { params, result, .. } = types.get(meaning.ty) else {
        return Err("C does not know it as a function".into());
    };
    if params.len() != export.params.len() {
        return Err(format!(
            "it has {} parameters in Go and {} in C",
            export.params.len(),
            params.len()
        ));
    }
    let (mut passed, mut model) = (Vec::new(), Vec::new());
    for (n, (ty, go)) in params.iter().zip(&export.params).enumerate() {
        let (ty, how) = abi.value(*ty)?;
        passed.push((file.with(go.clone(), replaced), how));
        model.push(Param {
            name: format!("p{n}"),
            ty,
        });
    }
    let (void, _) = abi.spelled(*result)?;
    let result = match export.results.first() {
        Some(go) if !void => Some((go, abi.value(*result)?)),
        _ => None,
    };
    let (ty, given) = result
        .map(|(go, (ty, how))| (ty, (file.with(go.clone(), replaced), how)))
        .unzip();
    Ok(Provided {
        name: export.name.clone(),
        go: export.go.clone(),
        params: passed,
        result: given,
        function: Function {
            symbol: export.name.clone(),
            params: model,
            result: ty,
            foreign: true,
            ..Function::default()
        },
    })
}

/// The statements that set all of them, in a function that runs before `main`.
pub(super) fn set(all: &[Provided], image: &str) -> String {
    if all.is_empty() {
        return String::new();
    }
    let calls: String = all.iter().map(|one| one.set(image)).collect();
    format!("// C calls these functions by name.\nfunc init() {{\n{calls}}}\n\n")
}

impl Provided {
    fn set(&self, image: &str) -> String {
        let params = self.params.iter().enumerate();
        let (mut declared, mut args) = (Vec::new(), Vec::new());
        for (n, (go, how)) in params {
            let (raw, arg) = match how {
                Passed::Number(raw) if raw == go => ((*raw).to_owned(), format!("p{n}")),
                Passed::Number(raw) if go == "bool" => ((*raw).to_owned(), format!("p{n} != 0")),
                Passed::Number(raw) => ((*raw).to_owned(), format!("({go})(p{n})")),
                Passed::Pointer if go == "unsafe.Pointer" => (go.clone(), format!("p{n}")),
                Passed::Pointer => ("unsafe.Pointer".to_owned(), format!("({go})(p{n})")),
                Passed::Bytes(of) => (
                    format!("{image}.{of}"),
                    format!("*(*{go})(unsafe.Pointer(&p{n}))"),
                ),
            };
            declared.push(format!("p{n} {raw}"));
            args.push(arg);
        }
        let call = format!("{}({})", self.go, args.join(", "));
        let (result, body) = match &self.result {
            None => (String::new(), format!("\t\t{call}\n")),
            // Go has no conversion from truth values to numbers.
            Some((go, Passed::Number(raw))) if go == "bool" && *raw != "bool" => (
                format!(" {raw}"),
                format!("\t\tif {call} {{\n\t\t\treturn 1\n\t\t}}\n\t\treturn 0\n"),
            ),
            Some((_, Passed::Number(raw))) => {
                (format!(" {raw}"), format!("\t\treturn {raw}({call})\n"))
            }
            Some((_, Passed::Pointer)) => (
                " unsafe.Pointer".to_owned(),
                format!("\t\treturn unsafe.Pointer({call})\n"),
            ),
            Some((_, Passed::Bytes(of))) => (
                format!(" {image}.{of}"),
                format!("\t\tr := {call}\n\t\treturn *(*{image}.{of})(unsafe.Pointer(&r))\n"),
            ),
        };
        let (name, declared) = (setter(&self.name), declared.join(", "));
        format!("\t{image}.{name}(func({declared}){result} {{\n{body}\t}})\n")
    }
}
