//! The Go side of functions that the library keeps and gives no user data for: fields of structs, and parameters without any.
//!
//! Only its address says which Go function the library means. So there is a piece of code for each, in the image, as many as `--pool` says for each type of
//! function ([`crate::arch::POOL_CODE`]). In Go a pointer to such a type *is* the address of a piece: it stands in a struct as C has it.

use crate::arch::PIECE;
use crate::contract::KEPT_POOL;
use crate::go::package::{Item, Stub};
use crate::model::goabi;
use crate::model::{Api, Owner, TypeId, TypeKind};
use crate::shim::{self, Own};
use crate::wrappers;

use super::adopt;
use super::callbacks::Called;
use super::depart::ENTER_CGO;
use super::kept_type::KeptType;
use super::manner::Manner;
use super::race::RELEASES;
use super::scope::Scope;
use super::{depart, kept_type, opaque, types};

/// What gives the address of the first piece.
const FIRST: &str = "rsysoPieces";
/// Has a piece stand for a function.
const TAKE: &str = "rsysoTakePiece";
/// Ends that.
const RELEASE: &str = "rsysoReleasePiece";
/// Says whether a piece stands for one.
const TAKEN: &str = "rsysoPieceTaken";
/// Gives the address of a piece.
const AT: &str = "rsysoPieceAt";
/// Gives the number of the piece at an address.
const OF: &str = "rsysoPieceOf";
/// The functions, by the numbers of the pieces.
const FUNCTIONS: &str = "rsysoPooled";

/// The stub of [`wrappers::pool`].
pub(super) fn stub(api: &Api) -> Option<Stub> {
    let function = wrappers::pool();
    api.pooled().next().map(|_| Stub {
        name: FIRST.to_owned(),
        signature: format!("func {FIRST}() unsafe.Pointer"),
        frame: goabi::frame(api, &function),
        wraps: function.symbol,
        package: depart::LANDING,
        landing: depart::landing(Manner::Polite),
        in_macro: false,
    })
}

/// What a package has for such functions.
#[derive(Clone, Copy)]
pub(super) struct Pools<'a> {
    pub api: &'a Api,
    pub scope: &'a Scope,
    pub package: &'a str,
}

impl Pools<'_> {
    /// The types of the functions that are fields of a type; `panic` is the body of a function with a label, where there is no native code.
    pub fn of_type(&self, id: TypeId, panic: Option<&dyn Fn(&str) -> String>) -> Vec<Item> {
        // The fields of variants have no names in Go.
        let names = |name: &str| {
            let kind = &self.api.def(id).kind;
            let is_sum = matches!(kind, TypeKind::Sum { .. });
            let fields = kind.fields().map(|f| f.name.as_str());
            let go = self
                .scope
                .types
                .get(&id)
                .filter(|_| !is_sum)?
                .members
                .iter();
            let found = fields.zip(go).find(|(field, _)| *field == name);
            Some(found?.1.clone())
        };
        let owned = self.api.pooled().filter(|(_, kept)| match kept.owner {
            Owner::Type(owner, _) => owner == id,
            Owner::Export(_) => false,
        });
        let owner = self.scope.type_name(id);
        let all = owned.flat_map(|(at, kept)| {
            let owner = types::indefinite(owner);
            let place = match names(&kept.name) {
                Some(field) => format!("the field {field} of {owner}"),
                None => format!("the variant {} of {owner}", kept.name),
            };
            let place = kept_type::place(kept, place);
            self.one(at, &place, panic)
        });
        all.collect()
    }

    /// One type; `place` is where its functions go.
    pub fn one(&self, id: usize, place: &str, panic: Option<&dyn Fn(&str) -> String>) -> Vec<Item> {
        let (Some(pool), Some(kept)) = (self.number(id), self.api.kept().get(id)) else {
            return Vec::new();
        };
        let (package, many) = (self.package, self.api.pool());
        let name = self.scope.kept_name(id);
        let named = types::indefinite(name);
        let new = format!("New{name}");
        let (made, free) = match panic {
            Some(panic) => (vec![panic(&new)], Vec::new()),
            None => {
                let mut made = vec![format!(
                    "\tif f == nil {{\n\t\tpanic(\"{package}: {new} needs a function, not nil\")\n\t}}"
                )];
                let called =
                    Called::new(self.scope, id, &kept.ty, &format!("{package}: {name}"), "f");
                let take = format!("\treturn (*{name})({TAKE}({pool}, \"{name}\"");
                made.extend(called.passed(&take, "))"));
                let free = format!(
                    "\tif f != nil {{\n\t\t{RELEASE}({pool}, \"{name}\", unsafe.Pointer(f))\n\t}}"
                );
                (made, vec![free])
            }
        };
        let shown = KeptType {
            scope: self.scope,
            name,
            function: &kept.ty,
            place,
            text: opaque::unmakeable(name),
            limit: &format!(
                ": there are {many} of them at a time, and it panics if one more is wanted"
            ),
        };
        let mut items = shown.declarations(made, free);
        if panic.is_none() && matches!(kept.owner, Owner::Export(_)) {
            items.push(Item::Support(format!(
                "// user is what the library is given for f.
func (f *{name}) user(who string) *{name} {{
\tif f != nil && !{TAKEN}({pool}, unsafe.Pointer(f)) {{
\t\tpanic(who + \" was given {named} that was released\")
\t}}
\treturn f
}}"
            )));
        }
        items
    }

    /// Which of the pools that of a kept function is.
    fn number(&self, id: usize) -> Option<usize> {
        self.api.pooled().position(|(at, _)| at == id)
    }

    /// The statements that call one, if the call `c` of the library is of one.
    pub fn called(&self) -> String {
        let names = self.api.pooled();
        let names = names.map(|(id, _)| {
            let named = types::indefinite(self.scope.kept_name(id));
            format!("\"{named}\"")
        });
        let names: Vec<String> = names.collect();
        if names.is_empty() {
            return String::new();
        }
        format!(
            "\n\tif piece := c.user - {KEPT_POOL}; piece < uintptr(len({FUNCTIONS})) {{
\t\tf := {FUNCTIONS}[piece].Load()
\t\tif f == nil {{
\t\t\tnames := [...]string{{{}}}
\t\t\trsysoThrow(\"{}: the Rust library called \" + names[piece/rsysoPoolSize] + \" after it was released\")
\t\t}}
\t\t(*f)(c.frame)
\t\t{RELEASES}()
\t\treturn
\t}}",
            names.join(", "),
            self.package
        )
    }

    /// The pools; `cgo`: for the file that calls through cgo.
    pub fn table(&self, cgo: bool) -> Option<String> {
        let pools = self.api.pooled().count();
        let (package, many) = (self.package, self.api.pool());
        let begin = adopt::begin(cgo).map_or(String::new(), |line| format!("{line}\n"));
        let pieces = match cgo {
            true => self.pieces_through_cgo(),
            false => pieces(),
        };
        (pools > 0).then(|| {
            format!(
                "const (
\t// Types of functions that the library knows by the address of a piece alone.
\trsysoPools = {pools}
\t// Pieces of each type.
\trsysoPoolSize = {many}
)

{pieces}

// {FUNCTIONS} has the function that each piece stands for.
var {FUNCTIONS} [rsysoPools * rsysoPoolSize]atomic.Pointer[func(frame unsafe.Pointer)]

// rsysoPool says which pieces of a type stand for nothing.
type rsysoPool struct {{
\tmu   sync.Mutex
\tnext uintptr   // this one and those behind it never have
\tfree []uintptr // these have, the first one the longest ago
}}

var rsysoPoolOf [rsysoPools]rsysoPool

// {TAKE} has a piece of a type stand for a function, and gives its address. A piece that has never been used, or not for long, is taken first: what
// the library does with the address of one that was released shows.
func {TAKE}(pool uintptr, name string, call func(frame unsafe.Pointer)) unsafe.Pointer {{
{begin}\tp := &rsysoPoolOf[pool]
\tp.mu.Lock()
\tdefer p.mu.Unlock()
\tvar piece uintptr
\tswitch {{
\tcase p.next < rsysoPoolSize:
\t\tpiece = pool*rsysoPoolSize + p.next
\t\tp.next++
\tcase len(p.free) > 0:
\t\tpiece, p.free = p.free[0], p.free[1:]
\tdefault:
\t\tpanic(\"{package}: all {many} functions of type \" + name + \" are in use: release some, or convert the library with a larger --pool\")
\t}}
\t{FUNCTIONS}[piece].Store(&call)
\treturn {AT}(piece)
}}

// {TAKEN} says whether a piece of a type stands for a function, or is code of the library's own.
func {TAKEN}(pool uintptr, code unsafe.Pointer) bool {{
\tpiece, begins := {OF}(code)
\tif !begins || piece/rsysoPoolSize != pool {{
\t\treturn piece >= uintptr(len({FUNCTIONS}))
\t}}
\treturn {FUNCTIONS}[piece].Load() != nil
}}

// {RELEASE} ends that a piece of a type stands for a function, if it does.
func {RELEASE}(pool uintptr, name string, code unsafe.Pointer) {{
\tpiece, begins := {OF}(code)
\tif !begins || piece/rsysoPoolSize != pool {{
\t\tpanic(\"{package}: only what New\" + name + \" has made can be released\")
\t}}
\tp := &rsysoPoolOf[pool]
\tp.mu.Lock()
\tdefer p.mu.Unlock()
\tif {FUNCTIONS}[piece].Swap(nil) != nil {{
\t\tp.free = append(p.free, piece)
\t}}
}}"
            )
        })
    }

    /// How pieces are found through cgo, where they are functions anywhere in the archive.
    fn pieces_through_cgo(&self) -> String {
        let own = shim::number(self.api, Own::Pieces);
        format!(
            "// rsysoPieceTable is where the library's pieces of code are that stand for Go functions, and which is where.
type rsysoPieceTable struct {{
\tat *[rsysoPools * rsysoPoolSize]unsafe.Pointer
\tof map[unsafe.Pointer]uintptr
}}

// {FIRST} asks the library for them once.
var {FIRST} = sync.OnceValue(func() rsysoPieceTable {{
\tvar frame struct {{
\t\tresult *[rsysoPools * rsysoPoolSize]unsafe.Pointer
\t}}
\t{ENTER_CGO}({own}, unsafe.Pointer(&frame))
\tof := make(map[unsafe.Pointer]uintptr, len(frame.result))
\tfor piece, code := range frame.result {{
\t\tof[code] = uintptr(piece)
\t}}
\treturn rsysoPieceTable{{frame.result, of}}
}})

// {AT} gives the address of a piece.
func {AT}(piece uintptr) unsafe.Pointer {{
\treturn {FIRST}().at[piece]
}}

// {OF} gives the number of the piece at an address, and whether there is one: what is none has a number behind theirs.
func {OF}(code unsafe.Pointer) (piece uintptr, begins bool) {{
\tif piece, begins = {FIRST}().of[code]; !begins {{
\t\tpiece = uintptr(len({FUNCTIONS}))
\t}}
\treturn piece, begins
}}"
        )
    }
}

/// How pieces are found in the image, where one lies behind the other.
fn pieces() -> String {
    format!(
        "// {FIRST} is where the library's pieces of code are that stand for Go functions.
func {FIRST}() unsafe.Pointer

// Bytes of a piece.
const rsysoPieceSize = {PIECE}

// {AT} gives the address of a piece.
func {AT}(piece uintptr) unsafe.Pointer {{
\treturn unsafe.Add({FIRST}(), piece*rsysoPieceSize)
}}

// {OF} gives the number of the piece at an address, and whether it begins there: what is none has a number that none has.
func {OF}(code unsafe.Pointer) (piece uintptr, begins bool) {{
\tat := uintptr(code) - uintptr({FIRST}())
\treturn at / rsysoPieceSize, at%rsysoPieceSize == 0
}}"
    )
}
