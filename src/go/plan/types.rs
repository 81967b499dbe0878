//! Go's spelling of types, and the text of type declarations.

use std::collections::BTreeSet;

use crate::base::identifiers as names;
use crate::go::package::{Declaration, Item, Kind};
use crate::go::print::comment;
use crate::model::{Api, Int, Type, TypeDef, TypeId, TypeKind, UserData, Variant};

use super::layouts::{self, Part};
use super::lead::{Named, lead};
use super::scope::Scope;
use super::{doc, markdown, opaque, owned};

/// The Go type.
pub(super) fn go_type(scope: &Scope, ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".into(),
        Type::Char => "rune".into(),
        Type::Int(i) => go_int(*i).into(),
        Type::F32 => "float32".into(),
        Type::F64 => "float64".into(),
        Type::Str | Type::Text { .. } => "string".into(),
        Type::Slice { elem, .. } => format!("[]{}", element(scope, elem)),
        Type::Pointer { to: None, .. } => "unsafe.Pointer".into(),
        Type::Pointer { to: Some(to), .. } => format!("*{}", go_type(scope, to)),
        Type::Array { elem, len } => format!("[{len}]{}", element(scope, elem)),
        Type::Named(id) => scope.type_name(*id).into(),
        Type::Kept { id, .. } => match scope.destroyed(*id) {
            Some(function) => go_type(scope, function),
            None => format!("*{}", scope.kept_name(*id)),
        },
        Type::Owned { elem } => owned::owned(&element(scope, elem)),
        Type::OwnedStr => owned::owned("byte"),
        Type::Fallible { value } => {
            let value = value
                .as_ref()
                .map_or("struct{}".into(), |v| go_type(scope, v));
            owned::fallible(&value)
        }
        Type::Callback {
            params,
            names,
            result,
            user,
            ..
        } => {
            let types = without(params, *user).map(|p| go_type(scope, p));
            let names = parameter_names(names, *user);
            let params: Vec<String> = match names.is_empty() {
                true => types.collect(),
                false => {
                    let named = names.iter().zip(types);
                    named.map(|(name, ty)| format!("{name} {ty}")).collect()
                }
            };
            let result = result
                .as_ref()
                .map_or(String::new(), |r| format!(" {}", go_type(scope, r)));
            format!("func({}){result}", grouped(&params))
        }
    }
}

/// The parameters of a function but its user data, which Go does not see.
fn without(params: &[Type], user: Option<UserData>) -> impl Iterator<Item = &Type> {
    let all = params.iter().enumerate();
    let is_data = move |i| user.is_some_and(|data| data.place == i);
    all.filter(move |(i, _)| !is_data(*i)).map(|(_, ty)| ty)
}

/// What the parameters of a Go function are called, its user data left out; none when none has a name.
fn parameter_names(names: &[String], user: Option<UserData>) -> Vec<String> {
    let is_data = |i| user.is_some_and(|data| data.place == i);
    let all = names.iter().enumerate();
    let names: Vec<&String> = all
        .filter(|(i, _)| !is_data(*i))
        .map(|(_, name)| name)
        .collect();
    if names.iter().all(|name| name.is_empty()) {
        return Vec::new();
    }
    let mut taken: Vec<String> = Vec::new();
    for (i, name) in names.into_iter().enumerate() {
        let go = match name.as_str() {
            "" => "_".into(),
            name => names::unused(&names::parameter(name, i), &taken),
        };
        taken.push(go);
    }
    taken
}

/// Parameters, neighbours of one type together: `from, to []byte`.
pub(super) fn grouped(params: &[String]) -> String {
    let split = |param: &str| match param.split_once(' ') {
        Some((name, ty)) if names::is_identifier(name) => (name.to_string(), ty.to_string()),
        _ => (param.to_string(), String::new()),
    };
    let mut text = String::new();
    let mut params = params.iter().map(|param| split(param)).peekable();
    while let Some((name, ty)) = params.next() {
        text.push_str(&name);
        match (params.peek(), ty.as_str()) {
            (Some(_), "") => text.push_str(", "),
            (Some((_, next)), ty) if next == ty => text.push_str(", "),
            (Some(_), ty) => text.push_str(&format!(" {ty}, ")),
            (None, "") => {}
            (None, ty) => text.push_str(&format!(" {ty}")),
        }
    }
    text
}

/// The type of an element of a slice or an array: there, bytes are called so.
fn element(scope: &Scope, ty: &Type) -> String {
    match ty {
        Type::Int(Int::U8) => "byte".into(),
        _ => go_type(scope, ty),
    }
}

/// The results as callers see them.
pub(super) fn results(scope: &Scope, ty: &Type) -> Vec<String> {
    match ty {
        Type::Owned { elem } => vec![format!("[]{}", element(scope, elem))],
        Type::OwnedStr => vec!["string".into()],
        Type::Fallible { value } => {
            let value = value.iter().flat_map(|v| results(scope, v));
            value.chain(["error".to_string()]).collect()
        }
        _ => vec![public_type(scope, ty)],
    }
}

/// The type as callers see it at the top of a signature, where pointers to handle types are handles.
pub(super) fn public_type(scope: &Scope, ty: &Type) -> String {
    match scope.handles.of(ty) {
        Some((handle, _)) => format!("*{}", handle.name),
        None => go_type(scope, ty),
    }
}

/// A name with its indefinite article.
pub(super) fn indefinite(name: &str) -> String {
    match name.starts_with(['A', 'E', 'I', 'O']) {
        true => format!("an {name}"),
        false => format!("a {name}"),
    }
}

/// The type as assembly takes it.
pub(super) fn passed_type(scope: &Scope, ty: &Type) -> String {
    match ty {
        Type::Kept { id, .. } if !scope.pooled(*id) => "uintptr".into(),
        _ => public_type(scope, ty),
    }
}

fn go_int(int: Int) -> &'static str {
    match int {
        Int::U8 => "uint8",
        Int::U16 => "uint16",
        Int::U32 => "uint32",
        Int::U64 => "uint64",
        Int::I8 => "int8",
        Int::I16 => "int16",
        Int::I32 => "int32",
        Int::I64 => "int64",
        Int::Usize => "uint",
        Int::Isize => "int",
    }
}

/// Whether the spelling of the type, inside as well, needs package unsafe. Named types are declared apart.
pub(super) fn uses_unsafe(ty: &Type) -> bool {
    match ty {
        Type::Pointer { to: None, .. } => true,
        Type::Pointer { to: Some(to), .. } => uses_unsafe(to),
        Type::Slice { elem, .. } | Type::Array { elem, .. } | Type::Owned { elem } => {
            uses_unsafe(elem)
        }
        Type::Fallible { value } => value.as_deref().is_some_and(uses_unsafe),
        Type::Callback {
            params,
            result,
            user,
            ..
        } => without(params, *user).any(uses_unsafe) || result.as_deref().is_some_and(uses_unsafe),
        _ => false,
    }
}

/// The declaration of a type; that of an enum also has its constants, and a method.
pub(super) fn declare(api: &Api, scope: &Scope, id: TypeId) -> Vec<Item> {
    let def = api.def(id);
    let names = match scope.types.get(&id) {
        Some(names) => names,
        None => return Vec::new(),
    };
    let name = &names.name;
    let doc = match scope.handles.types.get(&id) {
        Some(handle) => vec![format!("{name} is what a {} points to.", handle.name)],
        None => type_comment(name, def, opaque::made(api, scope, id).is_some()),
    };
    let text = match &def.kind {
        // What looks into it is declared behind it ([`super::sums`]).
        TypeKind::Union { .. } | TypeKind::Sum { .. } => {
            opaque::bytes(name, api.layout(&Type::Named(id)))
        }
        TypeKind::Opaque { .. } => opaque::declare(api, scope, id, name),
        TypeKind::Enum { repr, variants } => format!("type {name} {}", enum_type(*repr, variants)),
        TypeKind::Struct { .. } => match rows(api, scope, id).as_slice() {
            [] => format!("type {name} struct{{}}"),
            rows => format!("type {name} struct {{\n{}\n}}", aligned(rows).join("\n")),
        },
    };
    let mut items = vec![Declaration::new(Kind::Type, name, text).doc(doc).into()];
    if let TypeKind::Enum { repr, variants } = &def.kind
        && !variants.is_empty()
    {
        items.extend(named_values(&names.name, *repr, &names.members, variants));
    }
    items
}

/// The constants of an integer type that stand for variants, and the method that names them.
pub(super) fn named_values(
    name: &str,
    repr: Int,
    members: &[String],
    variants: &[Variant],
) -> [Item; 2] {
    [
        constants(name, members, variants).into(),
        string_method(name, repr, members, variants).into(),
    ]
}

/// `made` says whether Go has values of it.
fn type_comment(name: &str, def: &TypeDef, made: bool) -> Vec<String> {
    // Without its path: a header does not know that.
    let rust = &def.name;
    let what = match def.kind {
        TypeKind::Struct { .. } => {
            format!("{name} is the Rust struct {rust}, with the same layout.")
        }
        TypeKind::Enum { .. } => format!(
            "{name} is the Rust enum {rust}. Rust allows no other values than its constants."
        ),
        TypeKind::Union { .. } => format!(
            "{name} is the Rust union {rust}, with the same layout. Each of its methods is a view of its bytes, whichever of them was written last."
        ),
        TypeKind::Sum { .. } => format!(
            "{name} is the Rust enum {rust}, with the same layout. Its tag tells which variant a value is."
        ),
        TypeKind::Opaque { .. } if made => format!(
            "{name} is the Rust type {rust}, with the same size and alignment, known to Rust alone."
        ),
        TypeKind::Opaque { .. } => format!(
            "{name} is the Rust type {rust}, known to Rust alone: a *{name} comes from the library and goes back to it. Go cannot make one."
        ),
    };
    with_doc(Named::Type, name, &what, &def.doc)
}

/// Whether what follows in a comment is a part of its own.
fn begins_section(line: &str) -> bool {
    line.starts_with("# ") || line == markdown::IN_RUST
}

/// The lines of a comment of the doc comment from Rust and a sentence of ours. Whichever can begin with the name comes first.
pub(super) fn with_doc(named: Named, name: &str, sentence: &str, markdown: &str) -> Vec<String> {
    let ours = doc::line(sentence);
    if let Some(led) = lead(named, name, markdown) {
        let mut lines = doc::lines(&led);
        // Not as a part of a section, as rustdoc's "# Panics".
        match lines.iter().position(|line| begins_section(line)) {
            Some(heading) => drop(lines.splice(heading..heading, [ours, String::new()])),
            None => lines.extend([String::new(), ours]),
        }
        return lines;
    }
    let mut lines = vec![ours];
    let doc = doc::lines(markdown);
    if !doc.is_empty() {
        lines.push(String::new());
        lines.extend(doc);
    }
    lines
}

/// Go's int has 32 bits on some platforms, where a larger constant would not compile.
pub(super) fn enum_type(repr: Int, variants: &[Variant]) -> &'static str {
    let small = variants
        .iter()
        .all(|v| i32::try_from(v.value).is_ok() || u32::try_from(v.value).is_ok());
    match repr {
        Int::Usize if !small => "uint64",
        Int::Isize if variants.iter().any(|v| i32::try_from(v.value).is_err()) => "int64",
        _ => go_int(repr),
    }
}

fn constants(name: &str, members: &[String], variants: &[Variant]) -> Declaration {
    let rows = members.iter().zip(variants).map(|(member, v)| Row {
        comment: doc::lines(&v.doc),
        name: member.clone(),
        rest: format!("{name} = {}", v.value),
    });
    let lines = aligned(&rows.collect::<Vec<_>>());
    let text = format!("const (\n{}\n)", lines.join("\n"));
    let first = members.first().map_or("", String::as_str);
    Declaration::new(Kind::Const, first, text).doc([format!("The values of {name}.")])
}

/// The method that names the values, as Go's stringer writes it: without the name of the type.
fn string_method(
    type_name: &str,
    repr: Int,
    members: &[String],
    variants: &[Variant],
) -> Declaration {
    let receiver = receiver(type_name);
    let mut body = vec![format!("\tswitch {receiver} {{")];
    // C allows two names for one value, Go no two cases.
    let mut seen = BTreeSet::new();
    let members = members.iter().zip(variants);
    for (name, _) in members.filter(|(_, v)| seen.insert(v.value)) {
        let short = name.strip_prefix(type_name).unwrap_or(name);
        body.push(format!("\tcase {name}:\n\t\treturn \"{short}\""));
    }
    let number = match repr.signed() {
        true => format!("strconv.FormatInt(int64({receiver}), 10)"),
        false => format!("strconv.FormatUint(uint64({receiver}), 10)"),
    };
    body.push(format!(
        "\t}}\n\treturn \"{type_name}(\" + {number} + \")\""
    ));
    let text = format!("func ({receiver} {type_name}) String() string");
    Declaration::new(Kind::Func, format!("{type_name}.String"), text)
        .doc(["String returns the name of the value, or its number if it has none."])
        .body(body)
}

/// What methods call a value of the type.
pub(super) fn receiver(type_name: &str) -> String {
    let letters = type_name.chars().take(1);
    letters.flat_map(char::to_lowercase).collect()
}

/// A field or a constant.
pub(super) struct Row {
    /// Without the slashes.
    comment: Vec<String>,
    name: String,
    rest: String,
}

impl Row {
    /// The same with a comment.
    pub fn comment(self, comment: Vec<String>) -> Self {
        Row { comment, ..self }
    }

    /// Without a comment.
    pub fn new(name: String, rest: String) -> Self {
        let comment = Vec::new();
        Row {
            comment,
            name,
            rest,
        }
    }
}

/// The fields of a struct.
fn rows(api: &Api, scope: &Scope, id: TypeId) -> Vec<Row> {
    let (
        TypeKind::Struct {
            fields,
            size,
            align,
        },
        Some(names),
    ) = (&api.def(id).kind, scope.types.get(&id))
    else {
        return Vec::new();
    };
    let unnamed = |rest: String| Some(Row::new("_".into(), rest));
    let parts = layouts::parts(api, fields, *size, *align).into_iter();
    let rows = parts.filter_map(|part| match part {
        Part::Aligner(bytes) => unnamed(format!("[0]uint{}", bytes.saturating_mul(8))),
        Part::Padding(bytes) => unnamed(format!("[{bytes}]byte")),
        Part::Field(index) => {
            let field = fields.get(index)?;
            Some(Row {
                comment: doc::lines(&field.doc),
                name: names.members.get(index)?.clone(),
                rest: go_type(scope, &field.ty),
            })
        }
    });
    rows.collect()
}

/// Lines as gofmt lays them out: names padded to one width within each run of lines that no comment breaks.
pub(super) fn aligned(rows: &[Row]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut at = 0;
    while at < rows.len() {
        // A comment begins a new run (text/tabwriter: a line without the cell ends the column).
        let end = (at + 1..rows.len())
            .find(|&i| !rows[i].comment.is_empty())
            .unwrap_or(rows.len());
        let run = &rows[at..end];
        let width = run
            .iter()
            .map(|r| r.name.chars().count())
            .max()
            .unwrap_or(0);
        for row in run {
            lines.extend(comment(&row.comment, "\t"));
            let gap = width - row.name.chars().count() + 1;
            lines.push(format!("\t{}{:gap$}{}", row.name, "", row.rest));
        }
        at = end;
    }
    lines
}
