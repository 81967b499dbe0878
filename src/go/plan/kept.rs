//! The Go side of functions that the library keeps: a type for each parameter of an export that takes such functions.
//!
//! Go holds them in a table, and the library has a number of that as their user data: an index, and how often the place was used before. So the library never
//! has a pointer of Go's, and a number that it was given long ago means nothing, or the function that it stood for. The library calls one
//! by leaving its lane (`rt/src/leave/kept.rs`); an assembly function of the package goes on from there, and calls [`KEPT`].

use std::collections::BTreeMap;

use crate::contract::{KEPT_DESTROY, KEPT_SERVE, Shown, symbols};
use crate::go::package::{Item, Stub};
use crate::model::goabi::{self, Frame, WORD};
use crate::model::{Api, Function, Owner, Type};
use crate::wrappers;

use super::adopt::SERVE;
use super::callbacks::{ABORT, CALLBACK, Called, KEPT_CALL};
use super::export::Export;
use super::handle_types::SETTLE;
use super::kept_type::KeptType;
use super::manner::Manner;
use super::pools::{self, Pools};
use super::race::{ACQUIRES, RELEASES};
use super::scope::Scope;
use super::{adopt, depart, imports, kept_type, types};

/// What the native file imports for this.
pub(super) const IMPORTS: &[&str] = &[ONCE, "\"sync/atomic\"", "\"unsafe\""];

/// What only the table and what begins once take of that.
pub(super) const ONCE: &str = "\"sync\"";

/// The Go function that an away function calls.
pub(super) const KEPT: &str = "rsysoKept";
/// Puts a Go function into the table.
const KEEP: &str = "rsysoKeep";
/// The stub that goes on in the library when a Go function has not returned.
const UNWIND: &str = "rsysoKeptUnwind";
/// Words of room that it has for the result of any export: what Go passes to assembly at most, without its first argument.
const ROOM: u64 = 31;

/// What away functions need of it.
pub(super) fn away(api: &Api) -> Option<(&'static str, &'static str)> {
    api.keeps().then_some((KEPT, symbols::KEPT_RESUME))
}

/// The stub for a Go function that did not return.
pub(super) fn stub(api: &Api) -> Option<Stub> {
    api.keeps().then(|| Stub {
        name: UNWIND.to_owned(),
        signature: format!("func {UNWIND}(c uintptr, room [{ROOM}]uint64)"),
        wraps: symbols::KEPT_UNWIND.to_owned(),
        frame: Frame {
            size: (1 + ROOM) * WORD,
            ..Frame::default()
        },
        package: depart::LANDING,
        landing: depart::landing(Manner::Polite),
        in_macro: false,
    })
}

/// The stub of [`wrappers::due`].
const DUE: &str = "rsysoKeptDue";

/// The stubs by which Go and the runtime tell each other of kept functions.
pub(super) fn internal(api: &Api) -> impl Iterator<Item = Stub> {
    let all = [
        // Of functions that the library has destroyed where Go could not hear of it.
        (api.destroys(), DUE, "uintptr".to_owned(), wrappers::due()),
        // Of threads of its own.
        (
            api.keeps(),
            adopt::BEGIN,
            "uintptr".to_owned(),
            wrappers::begin(),
        ),
        (
            api.keeps(),
            adopt::NEXT,
            format!("*{CALLBACK}"),
            wrappers::next(),
        ),
    ];
    let stub = move |name: &str, result: String, function: Function| Stub {
        name: name.to_owned(),
        signature: format!("func {name}() {result}"),
        frame: goabi::frame(api, &function),
        wraps: function.symbol,
        package: depart::LANDING,
        landing: depart::landing(Manner::Polite),
        in_macro: false,
    };
    let needed = all.into_iter().filter(|(needed, ..)| *needed);
    let stubs = needed.map(move |(_, name, result, function)| stub(name, result, function));
    stubs.chain(pools::stub(api))
}

/// The functions that an export takes and keeps, as the first that does: the number of the parameter, and which of the kept ones it is.
fn of(export: &Export<'_>) -> BTreeMap<usize, usize> {
    let params = export.f.params.iter().enumerate();
    let kept = params.filter_map(|(at, p)| match p.ty {
        Type::Kept { id, .. } => Some((at, id, export.api.kept().get(id)?)),
        _ => None,
    });
    let own = kept.filter(|(at, _, kept)| {
        let first = export
            .f
            .params
            .get(*at)
            .is_some_and(|p| p.name == kept.name);
        first && matches!(&kept.owner, Owner::Export(symbol) if *symbol == export.f.symbol)
    });
    own.map(|(at, id, _)| (id, at)).collect()
}

/// The types of an export's functions, and what belongs to them; `panic` is the body of a function with a label, where there is no native code.
pub(super) fn declared(export: &Export<'_>, panic: Option<&dyn Fn(&str) -> String>) -> Vec<Item> {
    let all = of(export).into_iter();
    all.flat_map(|(id, at)| one(export, at, id, panic))
        .collect()
}

fn one(
    export: &Export<'_>,
    at: usize,
    id: usize,
    panic: Option<&dyn Fn(&str) -> String>,
) -> Vec<Item> {
    let Some(kept) = export.api.kept().get(id) else {
        return Vec::new();
    };
    let name = export.scope.kept_name(id);
    let place = kept_type::place(
        kept,
        format!("the parameter {} of {}", export.params[at], export.label),
    );
    if kept.pooled() {
        let pools = Pools {
            api: export.api,
            scope: export.scope,
            package: export.package(),
        };
        return pools.one(id, &place, panic);
    }
    if kept.destroyed {
        return match panic {
            None => vec![Item::Support(destroyed(export, at, id, &kept.ty))],
            Some(_) => Vec::new(),
        };
    }
    let named = types::indefinite(name);
    let new = format!("New{name}");
    let text = match panic {
        None => format!("type {name} struct {{\n\tid uintptr\n}}"),
        Some(_) => format!("type {name} struct{{ _ [0]func() }}"),
    };
    let (made, free) = match panic {
        None => (
            body(export, id, &kept.ty),
            vec![format!("\tif f != nil {{\n\t\t{KEEPS}.release(f.id)\n\t}}")],
        ),
        Some(panic) => (vec![panic(&new)], Vec::new()),
    };
    let shown = KeptType {
        scope: export.scope,
        name,
        function: &kept.ty,
        place: &place,
        text,
        limit: "",
    };
    let mut items = shown.declarations(made, free);
    if panic.is_none() {
        items.push(Item::Support(format!(
            "// user is what the library is given for f.
func (f *{name}) user(who string) uintptr {{
\tif f == nil {{
\t\treturn 0
\t}}
\tif {KEEPS}.find(f.id) == nil {{
\t\tpanic(who + \" was given {named} that was released\")
\t}}
\treturn f.id
}}"
        )));
    }
    items
}

/// The table.
const KEEPS: &str = "rsysoKeeps";

/// The call that has the library keep a function until it destroys it.
pub(super) fn keeps(name: &str, function: &str) -> String {
    format!("{KEEP}{name}({function})")
}

/// The function that is called so.
fn destroyed(export: &Export<'_>, at: usize, id: usize, ty: &Type) -> String {
    let name = export.scope.kept_name(id);
    let function = types::go_type(export.scope, ty);
    let (label, f) = (&export.label, &export.params[at]);
    let mut lines = vec![
        format!("// {KEEP}{name} has the library keep {f} of {label}, until it is done with it."),
        format!("func {KEEP}{name}({f} {function}) uintptr {{"),
        format!("\tif {f} == nil {{\n\t\treturn 0\n\t}}"),
    ];
    let called = Called::new(export.scope, id, ty, &export.who, f);
    lines.extend(keep("\treturn ", "", &called));
    lines.push("}".to_owned());
    lines.join("\n")
}

/// The body of the function that makes one.
fn body(export: &Export<'_>, id: usize, ty: &Type) -> Vec<String> {
    let name = export.scope.kept_name(id);
    let package = export.package();
    let mut lines = vec![format!(
        "\tif f == nil {{\n\t\tpanic(\"{package}: New{name} needs a function, not nil\")\n\t}}"
    )];
    let who = format!("{package}: {name}");
    let called = Called::new(export.scope, id, ty, &who, "f");
    lines.extend(keep(&format!("\treturn &{name}{{"), "}", &called));
    lines
}

/// Puts one into the table; the number stands between `before` and `behind`.
fn keep(before: &str, behind: &str, called: &Called) -> Vec<String> {
    let before = format!("{before}{KEEP}({}", called.id);
    called.passed(&before, &format!("){behind}"))
}

/// What all of them stand on; `settles` and `aborts` as for [`super::callbacks::native`].
pub(super) fn native(
    api: &Api,
    scope: &Scope,
    package: &str,
    settles: bool,
    aborts: bool,
) -> Option<String> {
    if !api.keeps() {
        return None;
    }
    let settle = match settles {
        true => format!("\n\t\t\t{SETTLE}(nil)"),
        false => String::new(),
    };
    let ended = match aborts {
        false => format!(
            "\t\t// The function panicked, or ended its goroutine: before that goes on, the library's own functions end.
\t\tif last := c; last != nil {{
\t\t\tlast.unwind = true
\t\t\t{UNWIND}(uintptr(unsafe.Pointer(last)), [{ROOM}]uint64{{}}){settle}
\t\t}}"
        ),
        true => format!(
            "\t\t// The function panicked, or ended its goroutine: the library's own functions cannot end.
\t\tif c != nil {{
\t\t\t{ABORT}(recover())
\t\t}}"
        ),
    };
    let due = match api.destroys() {
        false => String::new(),
        true => format!(
            "\n\n// {DUE} tells of a function that the library was done with on a thread of its own, or returns 0.\nfunc {DUE}() uintptr"
        ),
    };
    let called = called(api, scope, package, false);
    Some(format!(
        "{called}

// {KEPT} does so in the place of a call that is under way.
func {KEPT}(c *{CALLBACK}) {{
\tdefer func() {{
{ended}
\t}}()
\t{KEPT_CALL}(c)
\tc = nil
}}

// {UNWIND} ends the library's functions of a call. If one of them does not end, but returns, what it gives goes into the room.
func {UNWIND}(c uintptr, room [{ROOM}]uint64){due}"
    ))
}

/// Whether there are functions that user data tells apart.
fn has_table(api: &Api) -> bool {
    api.kept().iter().any(|kept| !kept.pooled())
}

/// The tables of all Go functions that the library may call in any call, and what calls one; `cgo`: for the file that calls through cgo.
pub(super) fn called(api: &Api, scope: &Scope, package: &str, cgo: bool) -> String {
    let shown = Shown::GO.name;
    let destroyed = match api.destroys() {
        false => String::new(),
        true => format!(
            "\n\tif c.which == {KEPT_DESTROY} {{\n\t\t{KEEPS}.release(c.user) // the library is done with it\n\t\treturn\n\t}}"
        ),
    };
    let serve = match cgo {
        true => String::new(),
        false => format!(
            "\n\tif c.which == {KEPT_SERVE} {{
\t\tgo {SERVE}() // it is about to have a thread
\t\treturn
\t}}"
        ),
    };
    let imported = imports::called(api, scope, package);
    let pools = Pools {
        api,
        scope,
        package,
    };
    let pooled = pools.called();
    let found = found(api, scope, package);
    let tables = [
        imports::native(api),
        pools.table(cgo),
        table(api, package, cgo),
    ];
    let tables: String = tables.into_iter().flatten().map(|t| t + "\n\n").collect();
    format!(
        "{tables}// {KEPT_CALL} calls the Go function that the library asks for.
func {KEPT_CALL}(c *{shown}) {{{destroyed}
\t{ACQUIRES}(){serve}{imported}{pooled}{found}
}}"
    )
}

/// The statements that call a function of the table.
fn found(api: &Api, scope: &Scope, package: &str) -> String {
    if !has_table(api) {
        return String::new();
    }
    // By number; those of pools are found above.
    let by = api.kept().iter().enumerate().map(|(id, kept)| {
        let what = match kept.alias.as_str() {
            "" => format!("a Go function that {} was given,", kept.owner.name()),
            _ => types::indefinite(scope.kept_name(id)),
        };
        format!("{what:?}")
    });
    let by = by.collect::<Vec<_>>().join(", ");
    format!(
        "\n\tf := {KEEPS}.find(c.user)
\tif f == nil || f.kind != c.which {{
\t\tby := [...]string{{{by}}}[c.which]
\t\trsysoThrow(\"{package}: the Rust library called \" + by + \" after it was released\")
\t}}
\tf.call(c.frame)
\t{RELEASES}()"
    )
}

/// Takes out of the table `t` what the library has destroyed where Go could not hear of it.
fn drain(api: &Api) -> String {
    match api.destroys() {
        false => String::new(),
        true => format!("\n\tfor id := {DUE}(); id != 0; id = {DUE}() {{\n\t\tt.release(id)\n\t}}"),
    }
}

/// How functions are found in the table, and taken out.
const FIND_AND_RELEASE: &str = "\
// find returns the function of a number, or nil if it was released.
func (t *rsysoKeptTable) find(id uintptr) *rsysoKeptFunc {
\tslots, index := t.slots.Load(), id&rsysoKeptIndex-1
\tif slots == nil || index >= uintptr(len(*slots)) {
\t\treturn nil
\t}
\tif f := (*slots)[index].now.Load(); f != nil && f.id == id {
\t\treturn f
\t}
\treturn nil
}

// release takes a function out, if it is there.
func (t *rsysoKeptTable) release(id uintptr) {
\tt.mu.Lock()
\tdefer t.mu.Unlock()
\tif t.find(id) == nil {
\t\treturn
\t}
\tindex := id&rsysoKeptIndex - 1
\t(*t.slots.Load())[index].now.Store(nil)
\tt.free = append(t.free, index)
}";

/// The table of all of them, if there are any. Through cgo, Go hears of all at once that the library is done with.
fn table(api: &Api, package: &str, cgo: bool) -> Option<String> {
    let drain = if cgo { String::new() } else { drain(api) };
    let begin = adopt::begin(cgo).map_or(String::new(), |line| format!("\n{line}"));
    let table = format!(
        "// rsysoKeptFunc is a Go function that the library may call.
type rsysoKeptFunc struct {{
\tid   uintptr // the library's user data
\tkind int     // which parameter it is for
\tcall func(frame unsafe.Pointer)
}}

// rsysoKeptSlot is a place for one. A number of the library's is that of the place, and how often that was used.
type rsysoKeptSlot struct {{
\tnow  atomic.Pointer[rsysoKeptFunc] // nil while it is free
\tuses uintptr                       // guarded by the table's mutex
}}

// rsysoKeptTable holds all. They are found without its mutex: places stay where they are, and are never fewer.
type rsysoKeptTable struct {{
\tmu    sync.Mutex
\tslots atomic.Pointer[[]*rsysoKeptSlot]
\tfree  []uintptr
}}

var {KEEPS} rsysoKeptTable

// rsysoKeptIndex has the bits of a number that say which place is meant, counted from 1.
const rsysoKeptIndex = 1<<24 - 1

// {KEEP} puts a function into the table.
func {KEEP}(kind int, call func(frame unsafe.Pointer)) uintptr {{
\tt := &{KEEPS}{begin}{drain}
\tt.mu.Lock()
\tdefer t.mu.Unlock()
\tvar slots []*rsysoKeptSlot
\tif all := t.slots.Load(); all != nil {{
\t\tslots = *all
\t}}
\tindex := uintptr(len(slots))
\tif last := len(t.free) - 1; last >= 0 {{
\t\tindex, t.free = t.free[last], t.free[:last]
\t}} else {{
\t\tif index == rsysoKeptIndex {{
\t\t\tpanic(\"{package}: the library keeps too many Go functions: some are to be released\")
\t\t}}
\t\tslots = append(slots, new(rsysoKeptSlot))
\t\tt.slots.Store(&slots)
\t}}
\tslot := slots[index]
\tslot.uses++
\tid := slot.uses*(rsysoKeptIndex+1) + index + 1
\tslot.now.Store(&rsysoKeptFunc{{id, kind, call}})
\treturn id
}}

{FIND_AND_RELEASE}"
    );
    has_table(api).then_some(table)
}
