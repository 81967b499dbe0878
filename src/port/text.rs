//! The Go files: the ported ones, and the one with what they use of C.

use std::collections::BTreeMap;

use super::abi::Passed;
use super::binding::{Address, Binding, Call};
use super::constraint::Constraint;
use super::exports;
use super::source::GoFile;
use super::target::{self, Target};

/// What the first line of each file says after the name of the tool.
pub(super) const COMMAND: &str = "port";

/// The file with what the ported files use of C.
const SHARED: &str = "rsyso_cgo.go";

/// The package that stands for runtime/cgo, below the image's.
pub(super) const HANDLES: &str = "cgo";

/// Its file.
pub(super) fn handles(marker: &str) -> String {
    format!("{marker}\n\n{}", include_str!("handle.go.in"))
}

/// The name of the ported form of a file.
fn ported_name(file: &str) -> String {
    match file.strip_suffix("_test.go") {
        Some(stem) => format!("{stem}_rsyso_test.go"),
        None => format!("{}_rsyso.go", file.strip_suffix(".go").unwrap_or(file)),
    }
}

/// A file on one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    name: String,
    /// What its constraint says beyond the machine.
    left: Option<String>,
    /// What follows the constraint.
    body: String,
}

/// The files of all machines.
#[derive(Default)]
pub(super) struct Pieces(BTreeMap<String, Vec<(Target, Piece)>>);

impl Pieces {
    pub fn add(&mut self, target: &Target, piece: Piece) {
        let same = self.0.entry(piece.name.clone()).or_default();
        same.push((*target, piece));
    }

    /// Names and texts: one file for all machines where they have the same, else one for each.
    pub fn files(self, marker: &str) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for (name, pieces) in self.0 {
            let Some((_, first)) = pieces.first() else {
                continue;
            };
            if pieces.iter().all(|(_, piece)| piece == first) {
                let targets: Vec<Target> = pieces.iter().map(|(t, _)| *t).collect();
                all.push((name, first.text(marker, &targets)));
                continue;
            }
            let each = pieces.iter().map(|(target, piece)| {
                let name = name_on(&name, target.arch.goarch());
                (name, piece.text(marker, &[*target]))
            });
            all.extend(each);
        }
        all
    }
}

impl Piece {
    fn text(&self, marker: &str, targets: &[Target]) -> String {
        let left = self.left.as_ref().map(|left| format!(" && {left}"));
        let constraint = target::constraint(targets) + &left.unwrap_or_default();
        format!("{marker}\n\n//go:build {constraint}\n\n{}", self.body)
    }
}

/// The name of a file that is for one machine: the go command sees that in it, too.
fn name_on(name: &str, machine: &str) -> String {
    match name.strip_suffix("_test.go") {
        Some(stem) => format!("{stem}_{machine}_test.go"),
        None => format!("{}_{machine}.go", name.trim_end_matches(".go")),
    }
}

/// The file without "C": `replaced` holds what stands for each of its references.
pub(super) fn ported(file: &GoFile, replaced: &[String], image: &Image, target: &Target) -> Piece {
    let mut edits: Vec<(std::ops::Range<usize>, String)> = Vec::new();
    for (reference, new) in file.references.iter().zip(replaced) {
        edits.push((reference.range.clone(), new.clone()));
    }
    for import in &file.imports {
        edits.push((import.range.clone(), String::new()));
    }
    if let Some(path) = &file.handles {
        edits.push((path.clone(), format!("\"{}/{HANDLES}\"", image.path)));
    }
    let mut constraint = None;
    if let Some((range, own)) = &file.constraint {
        // The line stays, so that those below keep their numbers.
        edits.push((range.clone(), String::from("//")));
        let left = own.given(&|tag| target.knows(tag, true));
        constraint = (left != Constraint::Is(true)).then(|| left.to_string());
    }
    // go vet wants both forms to say the same.
    let old = file.old_constraints.iter();
    edits.extend(old.map(|range| (range.clone(), String::from("//"))));
    edits.sort_by_key(|(range, _)| range.start);
    // References in references (the operand of a selector) do not occur: `C` is no value.
    let mut text = format!("//line {}:1\n", file.name);
    let mut at = 0;
    for (range, new) in edits {
        text.push_str(file.text.get(at..range.start).unwrap_or_default());
        text.push_str(&new);
        at = range.end;
    }
    text.push_str(file.text.get(at..).unwrap_or_default());
    Piece {
        name: ported_name(&file.name),
        left: constraint,
        body: text,
    }
}

/// Where the image is.
pub(super) struct Image {
    /// The name of its package.
    pub package: String,
    pub path: String,
}

/// The file with what the ported files use of C.
pub(super) fn shared(package: &str, binding: &Binding<'_>, image: &Image) -> Piece {
    let mut text = format!(
        "// What this package uses of C, under the names that cgo gives it.\n\npackage {package}\n\n"
    );
    let body = declarations(binding, &image.package);
    let mut imports = Vec::new();
    for name in ["syscall", "unsafe"] {
        if body.contains(&format!("{name}.")) {
            imports.push(format!("\t\"{name}\"\n"));
        }
    }
    if body.contains(&format!("{}.", image.package)) {
        imports.push(format!("\n\t\"{}\"\n", image.path));
    }
    if !imports.is_empty() {
        text.push_str(&format!(
            "import (\n{})\n\n",
            imports.concat().trim_start_matches('\n')
        ));
    }
    text.push_str(&body);
    Piece {
        name: SHARED.to_owned(),
        left: None,
        body: text,
    }
}

fn declarations(binding: &Binding<'_>, image: &str) -> String {
    let mut text = String::new();
    for (name, value) in &binding.constants {
        text.push_str(&format!("const {name} = {value}\n\n"));
    }
    for (name, definition) in &binding.types.defined {
        if !definition.left_out.is_empty() {
            let fields = definition.left_out.join(", ");
            text.push_str(&format!("// Fields of C that Go cannot have: {fields}.\n"));
        }
        let alias = if definition.alias { "= " } else { "" };
        text.push_str(&format!("type {name} {alias}{}\n\n", definition.text));
    }
    for address in binding.addresses.values() {
        text.push_str(&variable(address, image));
    }
    if binding
        .addresses
        .values()
        .any(|a| a.go.starts_with("_Cfpvar_"))
    {
        text.push_str("func _Cgo_ptr(ptr unsafe.Pointer) unsafe.Pointer { return ptr }\n\n");
    }
    for call in binding.calls.values() {
        text.push_str(&function(call, image));
    }
    text.push_str(&exports::set(&binding.provided, image));
    for (name, body) in BUILT_IN {
        if binding.built_in.contains(*name) {
            text.push_str(&body.replace("IMAGE", image));
            text.push('\n');
        }
    }
    // One line break at the end of the file.
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn variable(address: &Address, image: &str) -> String {
    let Address { go, raw, ty } = address;
    let value = format!("{image}.{raw}()");
    match ty.as_str() {
        "unsafe.Pointer" => format!("var {go} = {value}\n\n"),
        _ => format!("var {go} = ({ty})({value})\n\n"),
    }
}

fn function(call: &Call, image: &str) -> String {
    let params = call.params.iter().enumerate();
    let declared: Vec<String> = params
        .clone()
        .map(|(n, (ty, _))| format!("p{n} {ty}"))
        .collect();
    let args: Vec<String> = params
        .map(|(n, (_, how))| match how {
            Passed::Number(go) => format!("{go}(p{n})"),
            Passed::Pointer => format!("unsafe.Pointer(p{n})"),
            Passed::Bytes(of) => format!("*(*{image}.{of})(unsafe.Pointer(&p{n}))"),
        })
        .collect();
    let result = call.result.as_ref().map_or("_Ctype_void", |(ty, _)| ty);
    let error = if call.errno.is_some() {
        ", r2 error"
    } else {
        ""
    };
    let head = format!(
        "func {}({}) (r1 {result}{error}) {{\n",
        call.go,
        declared.join(", ")
    );
    let called = format!("{image}.{}({})", call.raw, args.join(", "));
    let mut body = String::new();
    let mut give = |value: String| match &call.result {
        None => {}
        Some((ty, Passed::Number(_))) => body.push_str(&format!("\tr1 = {ty}({value})\n")),
        Some((ty, Passed::Pointer)) => body.push_str(&format!("\tr1 = ({ty})({value})\n")),
        Some((ty, Passed::Bytes(_))) => {
            body.push_str(&format!(
                "\tb := {value}\n\tr1 = *(*{ty})(unsafe.Pointer(&b))\n"
            ));
        }
    };
    let mut before = String::new();
    match (&call.errno, &call.result) {
        (Some(_), _) => {
            before = format!("\ts := {called}\n");
            give("s.R".into());
            body.push_str("\tif s.E != 0 {\n\t\tr2 = syscall.Errno(s.E)\n\t}\n");
        }
        (None, None) => before = format!("\t{called}\n"),
        (None, Some(_)) => give(called),
    }
    format!("{head}{before}{body}\treturn\n}}\n\n")
}

/// Functions of package C that are not C's.
const BUILT_IN: &[(&str, &str)] = &[
    (
        "CString",
        "// CString copies a string to C's heap, with a zero behind it.
func _Cfunc_CString(s string) *_Ctype_char {
	p := _Cfunc__CMalloc(_Ctype_size_t(len(s) + 1))
	b := unsafe.Slice((*byte)(p), len(s)+1)
	copy(b, s)
	b[len(s)] = 0
	return (*_Ctype_char)(p)
}
",
    ),
    (
        "CBytes",
        "// CBytes copies bytes to C's heap.
func _Cfunc_CBytes(b []byte) unsafe.Pointer {
	p := _Cfunc__CMalloc(_Ctype_size_t(len(b)))
	copy(unsafe.Slice((*byte)(p), len(b)), b)
	return p
}
",
    ),
    (
        "_CMalloc",
        "// _CMalloc is C's malloc, but that it never returns nil.
func _Cfunc__CMalloc(n _Ctype_size_t) unsafe.Pointer {
	p := IMAGE.RsysoMalloc(uint64(n))
	if p == nil {
		panic(\"C malloc failed\")
	}
	return p
}
",
    ),
    (
        "GoString",
        "// GoString copies a string of C's.
func _Cfunc_GoString(p *_Ctype_char) string {
	if p == nil {
		return \"\"
	}
	return string(unsafe.Slice((*byte)(unsafe.Pointer(p)), IMAGE.RsysoStrlen(unsafe.Pointer(p))))
}
",
    ),
    (
        "_GoStringLen",
        "// _GoStringLen is the length of a Go string.
func _Cfunc__GoStringLen(s string) _Ctype_size_t { return _Ctype_size_t(len(s)) }
",
    ),
    (
        "_GoStringPtr",
        "// _GoStringPtr is where the bytes of a Go string are.
func _Cfunc__GoStringPtr(s string) *_Ctype_char { return *(**_Ctype_char)(unsafe.Pointer(&s)) }
",
    ),
    (
        "GoStringN",
        "// GoStringN copies a string of C's of a known length.
func _Cfunc_GoStringN(p *_Ctype_char, l _Ctype_int) string {
	return string(unsafe.Slice((*byte)(unsafe.Pointer(p)), l))
}
",
    ),
    (
        "GoBytes",
        "// GoBytes copies bytes of C's.
func _Cfunc_GoBytes(p unsafe.Pointer, l _Ctype_int) []byte {
	return append([]byte{}, unsafe.Slice((*byte)(p), l)...)
}
",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> GoFile {
        super::super::source::parse("x.go".into(), text.into()).expect("a Go file")
    }

    fn image() -> Image {
        Image {
            package: "p".into(),
            path: "m/p".into(),
        }
    }

    /// The files of two machines, on which a reference becomes these.
    fn merged(text: &str, replaced: [&str; 2]) -> Vec<(String, String)> {
        let mut pieces = Pieces::default();
        for (arch, replaced) in crate::arch::ALL.iter().zip(replaced) {
            let target = Target { arch: *arch };
            let piece = ported(&file(text), &[replaced.to_owned()], &image(), &target);
            pieces.add(&target, piece);
        }
        pieces.files("// M")
    }

    #[test]
    fn a_file_is_one_for_all_machines_or_one_for_each() {
        let text = "package p\n\nimport \"C\"\n\nvar x = C.X\n";
        let all = crate::arch::ALL.iter();
        let machines: Vec<&str> = all.map(|a| a.goarch()).collect();
        let one = merged(text, ["1", "1"]);
        let both = format!("({} || {})", machines[0], machines[1]);
        assert_eq!(
            one,
            [(
                "x_rsyso.go".to_owned(),
                format!(
                    "// M\n\n//go:build linux && {both} && (!cgo || rsyso)\n\n//line x.go:1\npackage p\n\n\n\nvar x = 1\n"
                )
            )]
        );
        let each = merged(text, ["1", "2"]);
        let names: Vec<&str> = each.iter().map(|(name, _)| name.as_str()).collect();
        let expected = machines.iter().map(|m| format!("x_rsyso_{m}.go"));
        assert_eq!(names, expected.collect::<Vec<_>>());
        for ((_, text), (machine, value)) in each.iter().zip(machines.iter().zip(["1", "2"])) {
            let constraint = format!("//go:build linux && {machine} && (!cgo || rsyso)\n");
            assert!(text.contains(&constraint), "{text}");
            assert!(text.ends_with(&format!("var x = {value}\n")), "{text}");
        }
        assert_eq!(name_on("x_rsyso_test.go", "m"), "x_rsyso_m_test.go");
    }

    #[test]
    fn lines_of_constraints_are_left_empty() {
        let text = "//go:build cgo && !other\n// +build cgo,!other\n\npackage p\n\nimport \"C\"\n\nvar x = C.X\n";
        let [(_, text)] = &merged(text, ["1", "1"])[..] else {
            panic!("one file");
        };
        assert!(text.contains("(!cgo || rsyso) && !other\n\n//line x.go:1\n//\n//\n\npackage p\n"));
        assert!(!text.contains("+build"), "{text}");
    }
}
