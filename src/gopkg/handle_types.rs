//! The text of handle types: the type, `Close`, and how handles and Rust's pointers become each other.

use std::collections::BTreeSet;

use crate::model::{Api, TypeId};

use super::handles::{Handle, Handles, accessor};
use super::lead::Named;
use super::types;

/// What the native file imports for them.
pub(super) const NATIVE_IMPORTS: &[&str] = &["\"runtime\"", "\"sync/atomic\""];

/// The type and what is exported with it, on platforms without native code.
pub(super) fn unsupported(
    api: &Api,
    handle: &Handle,
    id: TypeId,
    panic: &dyn Fn(&str) -> String,
) -> String {
    let Handle {
        name, receiver: f, ..
    } = handle;
    let mut sections = vec![
        format!(
            "{}\ntype {name} struct{{ _ [0]func() }}",
            comment(api, handle, id)
        ),
        format!("{}\nfunc ({f} *{name}) Close() {{}}", close_comment(handle)),
    ];
    if handle.exposed {
        let (raw, wrap, borrow) = (&handle.raw, handle.wrap(), handle.borrow());
        sections.push(format!(
            "{}\nfunc ({f} *{name}) Raw() *{raw} {{\n{}\n}}",
            raw_comment(handle),
            panic(&format!("{name}.Raw"))
        ));
        sections.push(format!(
            "{}\nfunc {wrap}(raw *{raw}) *{name} {{\n{}\n}}",
            wrap_comment(handle),
            panic(&wrap)
        ));
        sections.push(format!(
            "{}\nfunc {borrow}(raw *{raw}, owner any) *{name} {{\n{}\n}}",
            borrow_comment(handle),
            panic(&borrow)
        ));
    }
    sections.join("\n\n")
}

/// The type and all that belongs to it where there is native code; `free` are the statements that free what `raw` points to.
pub(super) fn native(
    api: &Api,
    handle: &Handle,
    id: TypeId,
    package: &str,
    free: &[String],
) -> String {
    let Handle {
        name,
        raw,
        receiver: f,
        ..
    } = handle;
    let lent = handle.lent;
    let wrap = handle.wrap();
    let fields = match lent {
        true => {
            "\tptr   atomic.Pointer[{raw}]\n\tlent  bool // by the library, which frees it\n\towner any  // what must live as long as it is lent"
        }
        false => "\tptr atomic.Pointer[{raw}]",
    };
    let fields = fields.replace("{raw}", raw);
    let not_own = if lent {
        format!(" || {f}.lent")
    } else {
        String::new()
    };
    let free: Vec<String> = free.iter().map(|line| format!("\t{line}")).collect();
    let mut sections = vec![
        format!(
            "{}\ntype {name} struct {{\n{fields}\n}}",
            comment(api, handle, id)
        ),
        format!(
            "{}
func ({f} *{name}) Close() {{
\tif {f} == nil{not_own} {{
\t\treturn
\t}}
\tif raw := {f}.ptr.Swap(nil); raw != nil {{
\t\truntime.SetFinalizer({f}, nil)
{}
\t}}
}}",
            close_comment(handle),
            free.join("\n")
        ),
    ];
    if handle.exposed {
        sections.push(format!(
            "{}\nfunc ({f} *{name}) Raw() *{raw} {{\n\treturn {f}.use(\"{name}.Raw\")\n}}",
            raw_comment(handle)
        ));
    }
    let wrap_comment = match handle.exposed {
        true => wrap_comment(handle),
        false => {
            format!("// {wrap} makes the {name} that frees raw when it is closed or forgotten.")
        }
    };
    sections.push(format!(
        "{wrap_comment}
func {wrap}(raw *{raw}) *{name} {{
\tif raw == nil {{
\t\treturn nil
\t}}
\t{f} := new({name})
\t{f}.ptr.Store(raw)
\truntime.SetFinalizer({f}, (*{name}).Close)
\treturn {f}
}}"
    ));
    if lent {
        let borrow = handle.borrow();
        sections.push(format!(
            "{}
func {borrow}(raw *{raw}, owner any) *{name} {{
\tif raw == nil {{
\t\treturn nil
\t}}
\t{f} := &{name}{{lent: true, owner: owner}}
\t{f}.ptr.Store(raw)
\treturn {f}
}}",
            borrow_comment(handle)
        ));
    }
    sections.push(format!(
        "// use returns the Rust pointer, for function.
func ({f} *{name}) use(function string) *{raw} {{
\tif {f} == nil {{
\t\tpanic(\"{package}: \" + function + \" was given a nil *{name}\")
\t}}
\traw := {f}.ptr.Load()
\tif raw == nil {{
\t\tpanic(\"{package}: \" + function + \" was given a {name} that is closed\")
\t}}
\treturn raw
}}"
    ));
    sections.join("\n\n")
}

/// As `use`, for functions that keep what they are given.
fn take(handle: &Handle, package: &str) -> String {
    let Handle {
        name,
        raw,
        receiver: f,
        ..
    } = handle;
    let lent = match handle.lent {
        true => format!(
            "\n\tif {f} != nil && {f}.lent {{\n\t\tpanic(\"{package}: \" + function + \" was given a {name} that is the library's own\")\n\t}}"
        ),
        false => String::new(),
    };
    format!(
        "// take returns the Rust pointer, for function to keep: {f} is closed.
func ({f} *{name}) take(function string) *{raw} {{{lent}
\traw := {f}.use(function)
\tif !{f}.ptr.CompareAndSwap(raw, nil) {{
\t\tpanic(\"{package}: \" + function + \" was given a {name} that is closed\")
\t}}
\truntime.SetFinalizer({f}, nil)
\treturn raw
}}"
    )
}

fn comment(api: &Api, handle: &Handle, id: TypeId) -> String {
    let def = api.def(id);
    let rust = &def.name;
    let name = &handle.name;
    let made = match handle.constructors.as_slice() {
        [] => String::new(),
        [one] => format!(", made by [{one}]"),
        [first, ..] => format!(", made by [{first}] and others"),
    };
    // Unless its own words tell.
    let share = match def.doc.contains("goroutine") || def.doc.contains("thread") {
        true => "",
        false => " Whether goroutines may share it is for the library to say.",
    };
    let sentence = format!(
        "{name} is a value of the Rust type {rust}{made}. [{name}.Close] frees it, and so does the garbage collector once nothing refers to the {name}.{share}"
    );
    types::with_doc(Named::Type, name, &sentence, &def.doc).join("\n")
}

fn close_comment(handle: &Handle) -> String {
    let name = &handle.name;
    let lent = match handle.lent {
        true => format!("\n// It does nothing to a {name} that the library keeps for itself."),
        false => String::new(),
    };
    format!(
        "// Close frees the Rust value. It may be called more than once and on nil, but not while a call uses the {name}.{lent}"
    )
}

fn raw_comment(handle: &Handle) -> String {
    let Handle { name, raw, .. } = handle;
    format!(
        "// Raw returns the Rust pointer, for functions and structs that want a *{raw}. It is valid until the {name} is closed or forgotten."
    )
}

fn wrap_comment(handle: &Handle) -> String {
    let (name, wrap) = (&handle.name, handle.wrap());
    format!(
        "// {wrap} makes a {name} of a Rust pointer that is the caller's to free. It is nil for nil."
    )
}

fn borrow_comment(handle: &Handle) -> String {
    let (name, borrow) = (&handle.name, handle.borrow());
    format!(
        "// {borrow} makes a {name} of a Rust pointer that stays the library's: closing it does nothing. It is valid as long as the Rust value is.
// It keeps owner, if there is one, from being collected. It is nil for nil."
    )
}

/// The other methods by which functions get the Rust pointer ([`accessor`]), as far as there are such functions.
pub(super) fn accessors(
    api: &Api,
    handles: &Handles,
    handle: &Handle,
    package: &str,
) -> Vec<String> {
    let functions = api.functions.iter().enumerate();
    let others = functions.filter(|(index, _)| handle.free != *index);
    let params = others.flat_map(|(_, f)| &f.params);
    let own = params.filter(|p| {
        let of = handles.of(&p.ty);
        of.is_some_and(|(other, _)| other.name == handle.name)
    });
    let mut used: BTreeSet<&str> = own.map(|p| accessor(&p.ty)).collect();
    if used.contains("takeOrNil") {
        used.insert("take");
    }
    let texts = used.iter().filter_map(|name| match *name {
        "take" => Some(take(handle, package)),
        "takeOrNil" | "useOrNil" => Some(or_nil(handle, name.trim_end_matches("OrNil"))),
        // Part of every handle.
        _ => None,
    });
    texts.collect()
}

/// As `use` or `take`, for functions that may be given nil.
fn or_nil(handle: &Handle, accessor: &str) -> String {
    let Handle {
        name,
        raw,
        receiver: f,
        ..
    } = handle;
    format!(
        "// {accessor}OrNil is {accessor} for functions that may be given nil.
func ({f} *{name}) {accessor}OrNil(function string) *{raw} {{
\tif {f} == nil {{
\t\treturn nil
\t}}
\treturn {f}.{accessor}(function)
}}"
    )
}
