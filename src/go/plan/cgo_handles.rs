//! Handles where Go calls through cgo: there is no runtime that knows which call uses what, so each call says so itself, under one lock.
//!
//! What is closed while calls use it is freed by the one that ends last, as where there is native code (`rt/src/leave/handles.rs`), and the messages
//! are the same.

use crate::contract;
use crate::model::uses::Uses;

use super::export::Export;
use super::handles::Handle;
use super::scope::Scope;

/// The Go type of what all handles of a value share.
const CELL: &str = contract::Cell::GO.name;
/// What the file imports for them.
pub(super) const IMPORTS: &[&str] = &["\"runtime\"", "\"sync\"", "\"unsafe\""];
/// The handles of a call, in its statements.
const GIVEN: &str = "rsysoHandles";

/// The statements that begin and end the uses of the handles that a call is given, and what is passed for its parameters.
pub(super) fn used(export: &Export<'_>, args: &[String]) -> (Vec<String>, Vec<String>) {
    let mut passed = args.to_vec();
    let Uses::Given { handles, .. } = export.uses() else {
        return (Vec::new(), passed);
    };
    let mut lines = vec![format!("\t{GIVEN} := []rsysoGiven{{")];
    for (n, given) in handles.iter().enumerate() {
        let Some(arg) = passed.get_mut(given.param) else {
            continue;
        };
        let [before, name, behind] = &given.note;
        lines.push(format!(
            "\t\t{{(*rsysoHandle)(unsafe.Pointer({arg})), {}, {}, \"{before}\", \"{name}\", \"{behind}\"}},",
            given.taken, given.nullable
        ));
        *arg = format!("{GIVEN}[{n}].raw()");
    }
    lines.extend([
        "\t}".to_owned(),
        format!("\trsysoUse({GIVEN})"),
        format!("\tdefer rsysoUsed({GIVEN})"),
    ]);
    (lines, passed)
}

/// What frees the value of a handle; `free` are the statements for the pointer `raw`.
pub(super) fn freeing(handle: &Handle, free: &[String]) -> String {
    let name = &handle.name;
    let free: Vec<String> = free.iter().map(|line| format!("\t{line}")).collect();
    format!(
        "// rsysoDrop{name} frees the Rust value: at once, or when the last call that uses it ends.
func rsysoDrop{name}(cell *{CELL}) {{
	cell.close(func(raw unsafe.Pointer) {{
{}
	}})
}}",
        free.join("\n")
    )
}

/// What all handle types stand on.
pub(super) fn shared(scope: &Scope) -> Vec<String> {
    let all = &scope.handles.types;
    if all.is_empty() {
        return Vec::new();
    }
    let mut sections = vec![SHARED.to_owned()];
    if all.values().any(|h| h.exposed) {
        sections.push(OPEN.to_owned());
    }
    if all.values().any(|h| h.lent) {
        let mut names: Vec<&str> = all.values().map(|h| h.name.as_str()).collect();
        names.sort_unstable();
        let cases: String = names
            .iter()
            .map(|name| {
                format!(
                    "	case *{name}:
		if owner != nil && owner.cell != nil {{
			return owner.cell
		}}\n"
                )
            })
            .collect();
        sections.push(format!(
            "// rsysoLender returns the cell of what belongs to an owner: a handle, several of them, or something that nobody closes.
func rsysoLender(owner any) *{CELL} {{
	switch owner := owner.(type) {{
{cases}	case []any:
		joint := new({CELL})
		for _, one := range owner {{
			if cell := rsysoLender(one); cell.of != nil {{
				joint.of = append(joint.of, cell.of...)
			}} else {{
				joint.of = append(joint.of, cell)
			}}
		}}
		if len(joint.of) == 1 {{
			return joint.of[0]
		}}
		return joint
	}}
	return new({CELL})
}}"
        ));
    }
    sections
}

/// Whether a value can be used, for who is to be given its pointer.
const OPEN: &str = "// open says whether the value can be used.
func (c *rsysoCell) open() bool {
	rsysoCells.Lock()
	defer rsysoCells.Unlock()
	return c != nil && c.isOpen()
}";

const SHARED: &str = "// rsysoHandle is what every handle begins with.
type rsysoHandle struct {
	cell *rsysoCell     // of the Rust value, or of the one that it belongs to
	raw  unsafe.Pointer // the Rust value
	lent bool           // whether the value is not the handle's to free
}

// rsysoCell says whether a Rust value can be used.
type rsysoCell struct {
	raw   unsafe.Pointer       // the Rust value
	taken bool                 // a function has taken it for good
	uses  int                  // calls that use it
	free  func(unsafe.Pointer) // what frees it, once it is closed
	of    []*rsysoCell         // those that it stands for, where several lend
}

// rsysoCells guards all cells.
var rsysoCells sync.Mutex

// rsysoOwn makes a handle of a value that is to be freed.
func rsysoOwn(raw unsafe.Pointer) rsysoHandle {
	return rsysoHandle{cell: &rsysoCell{raw: raw}, raw: raw}
}

// isOpen says whether the value can be used, under the lock.
func (c *rsysoCell) isOpen() bool {
	for _, c := range c.of {
		if !c.isOpen() {
			return false
		}
	}
	return !c.taken && c.free == nil
}

// count adds to the calls that use the value, under the lock, and lists what is to be freed then.
func (c *rsysoCell) count(n int, due []*rsysoCell) []*rsysoCell {
	for _, c := range c.of {
		due = c.count(n, due)
	}
	c.uses += n
	if c.uses == 0 && c.free != nil {
		due = append(due, c)
	}
	return due
}

// close frees the value: at once, or when the last call that uses it ends.
func (c *rsysoCell) close(free func(unsafe.Pointer)) {
	rsysoCells.Lock()
	now := c.isOpen()
	if now {
		c.free = free
		now = c.uses == 0
	}
	rsysoCells.Unlock()
	if now {
		free(c.raw)
	}
}

// rsysoGiven is a handle that a call is given.
type rsysoGiven struct {
	handle               *rsysoHandle
	taken, nullable      bool
	before, name, behind string
}

// raw is what the library is given.
func (g *rsysoGiven) raw() unsafe.Pointer {
	if g.handle == nil {
		return nil
	}
	return g.handle.raw
}

// begin begins the use, under the lock. It says what is wrong if it cannot.
func (g *rsysoGiven) begin() string {
	h := g.handle
	switch {
	case h == nil && g.nullable:
		return \"\"
	case h == nil:
		return \"nil *\" + g.name
	case h.cell == nil:
		return g.name + \" that is closed\"
	case g.taken && h.lent:
		return g.name + \" that is the library's own\"
	case !h.cell.isOpen() && h.lent:
		return g.name + \" whose owner is closed\"
	case !h.cell.isOpen():
		return g.name + \" that is closed\"
	case g.taken && h.cell.uses > 0:
		return g.name + \" that is in use\"
	case g.taken:
		h.cell.taken = true
	default:
		h.cell.count(1, nil)
	}
	return \"\"
}

// rsysoUse begins the uses of a call: first those that last as long as it does, then those for good.
func rsysoUse(all []rsysoGiven) {
	rsysoCells.Lock()
	begun := make([]*rsysoGiven, 0, len(all))
	for _, taken := range [2]bool{false, true} {
		for i := range all {
			g := &all[i]
			if g.taken != taken {
				continue
			}
			why := g.begin()
			if why == \"\" {
				begun = append(begun, g)
				continue
			}
			for _, g := range begun {
				if g.handle != nil && g.taken {
					g.handle.cell.taken = false
				} else if g.handle != nil {
					g.handle.cell.count(-1, nil)
				}
			}
			rsysoCells.Unlock()
			panic(g.before + why + g.behind)
		}
	}
	rsysoCells.Unlock()
}

// rsysoUsed ends them, and frees what was closed meanwhile.
func rsysoUsed(all []rsysoGiven) {
	var due []*rsysoCell
	rsysoCells.Lock()
	for i := range all {
		if g := &all[i]; g.handle != nil && !g.taken {
			due = g.handle.cell.count(-1, due)
		}
	}
	rsysoCells.Unlock()
	for _, cell := range due {
		cell.free(cell.raw)
	}
	runtime.KeepAlive(all)
}";
