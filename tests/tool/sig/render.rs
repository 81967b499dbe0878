//! An API as text, to compare with the expected one.

use std::fmt::Write as _;

use rsyso::internals::model::{Api, Field, PointerKind, Type, TypeKind};

/// One line per function, field and variant.
pub fn render(api: &Api, root: &str) -> String {
    let mut out = String::new();
    for f in api.functions() {
        let params: Vec<_> = f
            .params
            .iter()
            .map(|p| format!("{}: {}", p.name, ty(api, &p.ty)))
            .collect();
        let result = f
            .result
            .as_ref()
            .map_or(String::new(), |r| format!(" -> {}", ty(api, r)));
        let source = f.source.as_ref().map_or(String::new(), |s| {
            format!("{}:{}", s.file.replace(root, ""), s.line)
        });
        writeln!(
            out,
            "fn {}({}){result} = {} at {source}",
            f.symbol,
            params.join(", "),
            f.path
        )
        .unwrap();
        docs(&mut out, &f.doc, "  ");
    }
    for t in api.types() {
        match &t.kind {
            TypeKind::Opaque { .. } => {
                let layout = t.kind.layout().map_or(String::new(), |l| {
                    format!(" size {} align {}", l.size, l.align)
                });
                writeln!(out, "opaque {} = {}{layout}", t.name, t.path).unwrap()
            }
            TypeKind::Struct { size, align, .. } => writeln!(
                out,
                "struct {} = {} size {size} align {align}",
                t.name, t.path
            )
            .unwrap(),
            TypeKind::Union { size, align, .. } => writeln!(
                out,
                "union {} = {} size {size} align {align}",
                t.name, t.path
            )
            .unwrap(),
            TypeKind::Sum {
                tag, size, align, ..
            } => writeln!(
                out,
                "sum {} = {}: {tag:?} size {size} align {align}",
                t.name, t.path
            )
            .unwrap(),
            TypeKind::Enum { repr, .. } => {
                writeln!(out, "enum {} = {}: {repr:?}", t.name, t.path).unwrap()
            }
        }
        docs(&mut out, &t.doc, "  ");
        match &t.kind {
            TypeKind::Opaque { .. } => {}
            TypeKind::Struct { fields, .. } | TypeKind::Union { fields, .. } => {
                fields.iter().for_each(|f| field(&mut out, api, f, "  "));
            }
            TypeKind::Enum { variants, .. } | TypeKind::Sum { variants, .. } => {
                for v in variants {
                    writeln!(out, "  {} = {}", v.name, v.value).unwrap();
                    docs(&mut out, &v.doc, "    ");
                    v.fields
                        .iter()
                        .for_each(|f| field(&mut out, api, f, "    "));
                }
            }
        }
    }
    out
}

fn field(out: &mut String, api: &Api, f: &Field, indent: &str) {
    writeln!(out, "{indent}+{} {}: {}", f.offset, f.name, ty(api, &f.ty)).unwrap();
    docs(out, &f.doc, &format!("{indent}  "));
}

fn docs(out: &mut String, doc: &str, indent: &str) {
    for line in doc.lines() {
        writeln!(out, "{indent}/// {line}").unwrap();
    }
}

fn ty(api: &Api, t: &Type) -> String {
    match t {
        Type::Bool => "bool".into(),
        Type::Char => "char".into(),
        Type::Int(i) => format!("{i:?}").to_lowercase(),
        Type::F32 => "f32".into(),
        Type::F64 => "f64".into(),
        Type::Str => "&str".into(),
        Type::Text { length } => format!("text {length:?}"),
        Type::Slice { elem, mutable, .. } => {
            format!("&{}[{}]", if *mutable { "mut " } else { "" }, ty(api, elem))
        }
        Type::Pointer { to, kind, nullable } => {
            let option = match (nullable, kind.is_raw()) {
                (true, false) => "Option ",
                (false, true) => "NonNull ",
                _ => "",
            };
            let kind = match kind {
                PointerKind::Ref => "&",
                PointerKind::RefMut => "&mut ",
                PointerKind::Const => "*const ",
                PointerKind::Mut => "*mut ",
                PointerKind::Box => "Box ",
            };
            format!(
                "{option}{kind}{}",
                to.as_ref().map_or("void".into(), |t| ty(api, t))
            )
        }
        Type::Array { elem, len } => format!("[{}; {len}]", ty(api, elem)),
        Type::Named(id) => api.def(*id).path.clone(),
        Type::Callback {
            alias,
            params,
            names,
            result,
            user,
            nullable,
        } => {
            let mut params: Vec<_> = params.iter().map(|p| ty(api, p)).collect();
            for (param, name) in params.iter_mut().zip(names) {
                *param = format!("{name}: {param}");
            }
            let result = result
                .as_ref()
                .map_or(String::new(), |r| format!(" -> {}", ty(api, r)));
            let user = user.map_or(String::new(), |data| {
                format!(" with user data {}", data.place)
            });
            let option = if *nullable { "Option " } else { "" };
            let option = match alias.as_str() {
                "" => option.to_owned(),
                alias => format!("{alias} = {option}"),
            };
            format!("{option}extern fn({}){result}{user}", params.join(", "))
        }
        Type::Kept { id, .. } => format!("kept {}", ty(api, &api.kept()[*id].ty)),
        Type::Owned { elem } => format!("OwnedSlice<{}>", ty(api, elem)),
        Type::OwnedStr => "OwnedString".into(),
        Type::Fallible { value } => {
            let value = value.as_ref().map_or("()".into(), |v| ty(api, v));
            format!("FfiResult<{value}>")
        }
    }
}
