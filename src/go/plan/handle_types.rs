//! The text of handle types: the type, `Close`, and how handles and Rust's pointers become each other.
//!
//! The wrappers read and write what the types of [`shared`] hold (`rt/src/leave/handles.rs`).

use crate::contract::{self, CELL_CLOSED, CELL_JOINT, CELL_OPEN};
use crate::go::package::{Declaration, Item, Kind};
use crate::model::{Api, TypeId};

use super::export::Export;
use super::handles::Handle;
use super::lead::Named;
use super::runtime_structs::{self, Field};
use super::scope::Scope;
use super::{cgo_handles, types, uses};

/// What the native file imports for them.
pub(super) const NATIVE_IMPORTS: &[&str] = &["\"runtime\"", "\"sync/atomic\"", "\"unsafe\""];

/// The Go type of what all handles of a value share.
pub(super) const CELL: &str = contract::Cell::GO.name;
/// The stub of [`crate::wrappers::settle`].
pub(super) const SETTLE: &str = "rsysoSettle";
/// Its declaration.
pub(super) const SETTLE_SIGNATURE: &str = "func rsysoSettle(cell *rsysoCell)";

/// A handle type, for its declarations.
pub(super) struct HandleType<'a> {
    pub api: &'a Api,
    pub package: &'a str,
    pub handle: &'a Handle,
    pub id: TypeId,
    /// Whether its values are used through cgo.
    pub cgo: bool,
}

impl HandleType<'_> {
    /// The type and what is exported with it, on platforms without native code; `panic` is the body of a function with a label.
    pub fn elsewhere(&self, panic: &dyn Fn(&str) -> String) -> Vec<Item> {
        let handle = self.handle;
        let name = &handle.name;
        let ty = format!("type {name} struct{{ _ [0]func() }}");
        let mut items = vec![
            self.declared(ty).into(),
            close(handle).body::<String>([]).into(),
        ];
        if handle.exposed {
            let raw = raw(handle).body([panic(&format!("{name}.Raw"))]);
            let wrap = wrap(handle).body([panic(&handle.wrap())]);
            let borrow = borrow(handle).body([panic(&handle.borrow())]);
            items.extend([raw, wrap, borrow].map(Item::Declaration));
        }
        items
    }

    /// The type and all that belongs to it where there is native code; `free` are the statements that free what `cell` belongs to.
    pub fn native(&self, free: &[String]) -> Vec<Item> {
        let handle = self.handle;
        let Handle {
            name, receiver: f, ..
        } = handle;
        let owner = match handle.lent {
            true => "\n\towner any // what must live as long as it is lent",
            false => "",
        };
        let ty = format!("type {name} struct {{\n\trsysoHandle{owner}\n}}");
        let mut items = vec![
            self.declared(ty).into(),
            close(handle).body([self.close_body()]).into(),
            Item::Support(match self.cgo {
                true => cgo_handles::freeing(handle, free),
                false => freeing(handle, free),
            }),
        ];
        if handle.exposed {
            let package = self.package;
            let raw_type = &handle.raw;
            let body = format!(
                "\tif {f} == nil {{
\t\tpanic(\"{package}: {name}.Raw was given a nil *{name}\")
\t}}
\tif !{f}.cell.open() {{
\t\tpanic(\"{package}: {name}.Raw was given a {name} that is closed\")
\t}}
\treturn (*{raw_type})({f}.raw)"
            );
            items.push(raw(handle).body([body]).into());
        }
        items.push(wrap(handle).body([self.wrap_body()]).into());
        if handle.lent {
            let body = format!(
                "\tif raw == nil {{
\t\treturn nil
\t}}
\thandle := rsysoHandle{{cell: rsysoLender(owner), raw: unsafe.Pointer(raw), lent: true}}
\treturn &{name}{{rsysoHandle: handle, owner: owner}}"
            );
            items.push(borrow(handle).body([body]).into());
        }
        items
    }

    fn close_body(&self) -> String {
        let handle = self.handle;
        let Handle {
            name, receiver: f, ..
        } = handle;
        let not_own = match handle.lent {
            true => format!(" || {f}.lent"),
            false => String::new(),
        };
        // A closed cell that a call still uses is kept until it has been looked at.
        let drop = match handle.collected {
            true if self.cgo => {
                format!("\trsysoDrop{name}({f}.cell)\n\truntime.SetFinalizer({f}.cell, nil)")
            }
            false if self.cgo => format!("\trsysoDrop{name}({f}.cell)"),
            true => format!(
                "\tif rsysoDrop{name}({f}.cell) {{\n\t\truntime.SetFinalizer({f}.cell, nil)\n\t}}"
            ),
            false => format!("\trsysoForget{name}({f}.cell)"),
        };
        format!(
            "\tif {f} == nil || {f}.cell == nil{not_own} {{
\t\treturn
\t}}
{drop}"
        )
    }

    fn wrap_body(&self) -> String {
        let handle = self.handle;
        let Handle {
            name, receiver: f, ..
        } = handle;
        let dropped = if self.cgo { "rsysoDrop" } else { "rsysoForget" };
        let collect = match handle.collected {
            true => format!("\truntime.SetFinalizer({f}.cell, {dropped}{name})\n"),
            false => String::new(),
        };
        format!(
            "\tif raw == nil {{
\t\treturn nil
\t}}
\t{f} := &{name}{{rsysoHandle: rsysoOwn(unsafe.Pointer(raw))}}
{collect}\treturn {f}"
        )
    }

    /// The declaration of the type.
    fn declared(&self, text: String) -> Declaration {
        let handle = self.handle;
        let def = self.api.def(self.id);
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
        let collector = match handle.collected {
            true => {
                format!(", and so does the garbage collector once nothing refers to the {name}")
            }
            false => "; the garbage collector does not".into(),
        };
        let sentence = format!(
            "{name} is a value of the Rust type {rust}{made}. [{name}.Close] frees it{collector}.{share}"
        );
        let doc = types::with_doc(Named::Type, name, &sentence, &def.doc);
        Declaration::new(Kind::Type, name.as_str(), text).doc(doc)
    }
}

/// A function of a handle type, without its body.
fn function(name: String, text: String, doc: Vec<String>) -> Declaration {
    Declaration::new(Kind::Func, name, text).doc(doc)
}

fn close(handle: &Handle) -> Declaration {
    let Handle {
        name, receiver: f, ..
    } = handle;
    let mut doc = vec!["Close frees the Rust value, when the last call that uses it has ended. Calls that begin later panic. It may be called more than once and on nil.".to_owned()];
    if handle.lent {
        doc.push(format!(
            "It does nothing to a {name} that the library keeps for itself."
        ));
    }
    function(
        format!("{name}.Close"),
        format!("func ({f} *{name}) Close()"),
        doc,
    )
}

/// What frees the value.
fn freeing(handle: &Handle, free: &[String]) -> String {
    let name = &handle.name;
    let forgotten = match handle.collected {
        true => format!(" for a {name} that was forgotten"),
        false => ", and keeps the cell while a call uses it".to_string(),
    };
    format!(
        "// rsysoDrop{name} frees the Rust value: at once, or when the last call that uses it ends. It says whether nothing is left to be done.
func rsysoDrop{name}(cell *{CELL}) bool {{
{}
\treturn cell.state.Load() != {CELL_CLOSED}
}}

// rsysoForget{name} is rsysoDrop{name}{forgotten}.
func rsysoForget{name}(cell *{CELL}) {{
\tif !rsysoDrop{name}(cell) {{
\t\t// The last call will look at the cell.
\t\truntime.SetFinalizer(cell, rsysoForget{name})
\t}}
}}",
        free.join("\n")
    )
}

fn raw(handle: &Handle) -> Declaration {
    let Handle {
        name,
        raw,
        receiver: f,
        ..
    } = handle;
    let doc = format!(
        "Raw returns the Rust pointer, for functions and structs that want a *{raw}. It is valid until the {name} is closed{}.",
        or_forgotten(handle)
    );
    function(
        format!("{name}.Raw"),
        format!("func ({f} *{name}) Raw() *{raw}"),
        vec![doc],
    )
}

/// The function that makes a handle that owns its value.
fn wrap(handle: &Handle) -> Declaration {
    let (name, raw, wrap) = (&handle.name, &handle.raw, handle.wrap());
    let doc = match handle.exposed {
        true => format!(
            "{wrap} makes a {name} of a Rust pointer that is the caller's to free. It is nil for nil."
        ),
        false => {
            let forgotten = or_forgotten(handle);
            format!("{wrap} makes the {name} that frees raw when it is closed{forgotten}.")
        }
    };
    let text = format!("func {wrap}(raw *{raw}) *{name}");
    function(wrap, text, vec![doc])
}

/// The function that makes a handle that does not own its value.
fn borrow(handle: &Handle) -> Declaration {
    let (name, raw, borrow) = (&handle.name, &handle.raw, handle.borrow());
    let doc = vec![
        format!(
            "{borrow} makes a {name} of a Rust pointer that stays the library's: closing it does nothing. It is valid as long as the Rust value is."
        ),
        format!(
            "It keeps owner, if there is one, from being collected; if owner is a handle that is closed, calls with the {name} panic. It is nil for nil."
        ),
    ];
    let text = format!("func {borrow}(raw *{raw}, owner any) *{name}");
    function(borrow, text, doc)
}

/// What else than `Close` frees the value.
fn or_forgotten(handle: &Handle) -> &'static str {
    match handle.collected {
        true => " or forgotten",
        false => "",
    }
}

/// What Go itself looks at in cells.
struct Parts {
    /// Values that belong to others.
    lent: bool,
    /// Pointers that Go gives away.
    exposed: bool,
    /// Memory that Go copies after a call.
    copies: bool,
    settles: bool,
}

impl Parts {
    fn of(scope: &Scope, exports: &[Export<'_>]) -> Parts {
        let mut types = scope.handles.types.values();
        Parts {
            lent: types.any(|h| h.lent),
            exposed: scope.handles.types.values().any(|h| h.exposed),
            copies: exports.iter().any(Export::copies),
            settles: uses::settles(scope, exports),
        }
    }
}

/// What all handle types of a package stand on.
pub(super) fn shared(scope: &Scope, exports: &[Export<'_>]) -> Vec<String> {
    if scope.handles.types.is_empty() {
        return Vec::new();
    }
    let parts = Parts::of(scope, exports);
    // What is the library's alone has no name.
    let lent = match parts.lent {
        true => Field::Told,
        false => Field::Blank,
    };
    let pins = match parts.copies {
        true => Field::Told,
        false => Field::Blank,
    };
    let handle = runtime_structs::fields(contract::Handle::GO, |field| match field {
        "cell" => Field::Told("of the Rust value, or of the one that it belongs to"),
        "raw" => Field::Told("the Rust value"),
        _ => lent("whether the value is not the handle's to free"),
    });
    let cell = runtime_structs::fields(contract::Cell::GO, |field| match field {
        "raw" => Field::Told("the Rust value"),
        "last" => Field::Blank("where it was used"),
        "state" => Field::Told("0 if it can be used"),
        "pins" => pins("uses that outlast their calls"),
        _ => Field::Blank("what frees it"),
    });
    let mut sections = vec![format!(
        "// rsysoHandle is what every handle begins with. The library's code reads it.
type rsysoHandle struct {{
{handle}
}}

// {CELL} says whether a Rust value can be used. The library's code reads and writes it.
type {CELL} struct {{
{cell}
}}

// rsysoOwn makes a handle of a value that is to be freed.
func rsysoOwn(raw unsafe.Pointer) rsysoHandle {{
\treturn rsysoHandle{{cell: &{CELL}{{raw: raw}}, raw: raw}}
}}"
    )];
    if parts.exposed {
        sections.push(open(&parts));
    }
    if parts.copies {
        sections.push(release(&parts));
    }
    if parts.lent {
        sections.push(lender(scope));
    }
    if parts.settles {
        sections.push(format!(
            "// {SETTLE} frees what was closed while it was used, and is used no more.
//
//go:noescape
{SETTLE_SIGNATURE}"
        ));
    }
    sections
}

/// For a cell that stands for several: does so for each.
fn for_each(parts: &Parts, statements: &str) -> String {
    match parts.lent {
        true => format!(
            "\tif c.state.Load() == {CELL_JOINT} {{\n\t\tfor _, c := range (*rsysoJoint)(unsafe.Pointer(c)).of {{\n{statements}\n\t\t}}\n"
        ),
        false => String::new(),
    }
}

fn open(parts: &Parts) -> String {
    let each = match parts.lent {
        true => {
            for_each(parts, "\t\t\tif !c.open() {\n\t\t\t\treturn false\n\t\t\t}")
                + "\t\treturn true\n\t}\n"
        }
        false => String::new(),
    };
    format!(
        "// open says whether the value can be used.
func (c *{CELL}) open() bool {{
\tif c == nil {{
\t\treturn false
\t}}
{each}\treturn c.state.Load() == {CELL_OPEN}
}}"
    )
}

fn release(parts: &Parts) -> String {
    let each = match parts.lent {
        true => for_each(parts, "\t\t\tc.release()") + "\t\treturn\n\t}\n",
        false => String::new(),
    };
    format!(
        "// release ends a use that outlasted its call, as what the value lent had to be copied.
func (c *{CELL}) release() {{
{each}\tif c.pins.Add(-1) == 0 && c.state.Load() != {CELL_OPEN} {{
\t\t{SETTLE}(c)
\t}}
}}"
    )
}

/// From owners to cells.
fn lender(scope: &Scope) -> String {
    let mut names: Vec<&str> = scope
        .handles
        .types
        .values()
        .map(|h| h.name.as_str())
        .collect();
    names.sort_unstable();
    let cases: String = names
        .iter()
        .map(|name| {
            format!(
                "\tcase *{name}:
\t\tif owner != nil && owner.cell != nil {{
\t\t\treturn owner.cell
\t\t}}\n"
            )
        })
        .collect();
    let joint = contract::Joint::GO;
    // The first field is its own cell, which Go embeds.
    let (of, list) = joint.fields[1];
    format!(
        "// {} is the cell of what several handles lend. It can be used as long as each of them can.
type {} struct {{
\t{CELL}
\t{of} {list}
}}

// rsysoLender returns the cell of what belongs to an owner: a handle, several of them, or something that nobody closes.
func rsysoLender(owner any) *{CELL} {{
\tswitch owner := owner.(type) {{
{cases}\tcase []any:
\t\tjoint := new(rsysoJoint)
\t\tfor _, one := range owner {{
\t\t\tif cell := rsysoLender(one); cell.state.Load() == {CELL_JOINT} {{
\t\t\t\tjoint.of = append(joint.of, (*rsysoJoint)(unsafe.Pointer(cell)).of...)
\t\t\t}} else {{
\t\t\t\tjoint.of = append(joint.of, cell)
\t\t\t}}
\t\t}}
\t\tif len(joint.of) == 1 {{
\t\t\treturn joint.of[0]
\t\t}}
\t\tjoint.state.Store({CELL_JOINT})
\t\treturn &joint.{CELL}
\t}}
\treturn new({CELL})
}}",
        joint.name, joint.name
    )
}
