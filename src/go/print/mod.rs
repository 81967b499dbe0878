//! The text of the files, as the model has it: nothing is decided here.

use crate::arch::{self, Arch};

use super::package::{
    Assembly, DIGEST, Declaration, GoPackage, Item, ORIGIN, Routine, Source, Stub,
};

/// A text file of the package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoFile {
    /// Without a directory.
    pub name: String,
    /// UTF-8, with a newline at its end.
    pub text: String,
}

/// All files; `digest` is the sum over what the image is made of, and `wrapper` names the wrapper of a symbol.
pub fn print(
    package: &GoPackage,
    arch: &dyn Arch,
    digest: &str,
    wrapper: &dyn Fn(&str) -> String,
) -> Vec<GoFile> {
    let file = |name: &str, text: String| GoFile {
        name: name.to_owned(),
        text,
    };
    let mut files: Vec<GoFile> = package
        .sources
        .iter()
        .map(|s| file(&s.file, source(package, s, digest)))
        .collect();
    let assembly = file(
        &package.assembly.file,
        assembly(package, &package.assembly, arch, wrapper),
    );
    // Behind the files that every package has.
    files.insert(files.len().min(2), assembly);
    files
}

/// A Go file.
pub(super) fn source(package: &GoPackage, source: &Source, digest: &str) -> String {
    let known = |line: &String| match line.starts_with(ORIGIN) {
        true => line.replacen(DIGEST, digest, 1),
        false => line.clone(),
    };
    let lines: Vec<String> = source.comment.iter().map(known).collect();
    let mut clause = comment(&lines, "");
    clause.push(format!("package {}", package.name));
    let mut sections = vec![
        package.marker.clone(),
        format!("//go:build {}", source.constraint),
        clause.join("\n"),
    ];
    match source.imports.as_slice() {
        [] => {}
        [one] => sections.push(format!("import {one}")),
        all => sections.push(format!("import (\n\t{}\n)", all.join("\n\t"))),
    }
    if !source.preamble.is_empty() {
        // Right in front of the import, or it does not count (cmd/cgo).
        let preamble = source.preamble.join("\n");
        sections.push(format!("/*\n{preamble}\n*/\nimport \"C\""));
    }
    sections.extend(source.items.iter().map(|item| match item {
        Item::Declaration(d) => declaration(d),
        Item::Support(text) => text.clone(),
    }));
    joined(&sections)
}

/// Lines of a comment, behind `indent`.
pub(super) fn comment(lines: &[String], indent: &str) -> Vec<String> {
    let line = |line: &String| match line.as_str() {
        "" => format!("{indent}//"),
        code if code.starts_with('\t') => format!("{indent}//{code}"),
        text => format!("{indent}// {text}"),
    };
    lines.iter().map(line).collect()
}

fn declaration(d: &Declaration) -> String {
    let mut lines = comment(&d.doc, "");
    if let Some(directive) = d.directive {
        if !lines.is_empty() {
            lines.push("//".into());
        }
        lines.push(format!("//{directive}"));
    }
    match d.body.as_deref() {
        None => lines.push(d.text.clone()),
        Some([]) => lines.push(format!("{} {{}}", d.text)),
        Some(body) => {
            lines.push(format!("{} {{", d.text));
            lines.extend_from_slice(body);
            lines.push("}".into());
        }
    }
    lines.join("\n")
}

fn assembly(
    package: &GoPackage,
    assembly: &Assembly,
    arch: &dyn Arch,
    wrapper: &dyn Fn(&str) -> String,
) -> String {
    let mut sections = vec![
        package.marker.clone(),
        format!("//go:build {}", assembly.constraint),
        "#include \"funcdata.h\"\n#include \"textflag.h\"".to_string(),
    ];
    sections.extend(assembly.routines.iter().map(|routine| match routine {
        Routine::Stub(s) => stub(s, arch, &wrapper(&s.wraps)),
        Routine::Away {
            go_on,
            depart,
            keeps,
        } => {
            let keeps = keeps.map(|(call, resume)| (call, wrapper(resume)));
            let keeps = keeps
                .as_ref()
                .map(|(call, resume)| arch::KeptCalls { call, resume });
            arch.away(go_on, depart, keeps)
        }
        Routine::Landing { name, then } => arch.landing(name, then),
    }));
    joined(&sections)
}

fn stub(stub: &Stub, arch: &dyn Arch, wrapper: &str) -> String {
    let Stub { name, .. } = stub;
    let text = arch.stub(&arch::Stub {
        go_name: name,
        signature: &stub.signature,
        wrapper,
        frame: &stub.frame,
        package: stub.package,
        landing: stub.landing,
    });
    if !stub.in_macro {
        return text;
    }
    let symbol = format!("·{name}(SB)");
    text.replacen(
        &format!("TEXT {symbol}"),
        &format!(
            "// The vet of Go 1.21 counts no padding at the end of a struct, and does not look behind a macro.\n#define rsysoText{name} {symbol}\nTEXT rsysoText{name}"
        ),
        1,
    )
}

/// Sections with a blank line between them.
fn joined(sections: &[String]) -> String {
    let sections = sections.iter().map(|s| s.trim_end_matches('\n'));
    sections.collect::<Vec<_>>().join("\n\n") + "\n"
}
