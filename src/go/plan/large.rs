//! Functions whose frame is not passed as such, for its size, because they may block or because they take Go functions: the Go side hands
//! over a pointer to it ([`crate::model::goabi::Frame::by_reference`]).

use crate::model::{Api, Function, Type};

use super::callbacks::{self, CALLBACK};
use super::cgo;
use super::depart::{ENTER, ENTER_CGO, EXIT};
use super::export::{CallSite, Export, Made};
use super::handle_types::CELL;
use super::handles::Role;
use super::types;
use crate::base::identifiers as names;

/// Names of what stands between the Go function `name` and its stub. Not exported, no names that Rust's could become, and, as they
/// differ in how they begin, never those of another function.
pub(super) struct Between {
    /// The function that the stub implements.
    pub stub: String,
    frame: String,
    /// What stands between, if the function may block.
    blocking: String,
}

impl Between {
    pub fn new(name: &str) -> Self {
        Between {
            stub: format!("rsysoCall{name}"),
            frame: format!("rsysoFrame{name}"),
            blocking: format!("rsysoBlocking{name}"),
        }
    }

    /// The stub's declaration: `func rsysoCallSum(frame *rsysoFrameSum)`; `gives`: it gives what Go is to call.
    pub fn signature(&self, gives: bool) -> String {
        let result = match gives {
            true => format!(" *{CALLBACK}"),
            false => String::new(),
        };
        format!("func {}(frame *{}){result}", self.stub, self.frame)
    }

    /// The call, all of it in statements.
    pub fn call(&self, export: &Export<'_>, site: &CallSite<'_>) -> Made {
        let local = names::unused("rsysoFrame", site.taken);
        let fields = export.f.params.iter().zip(site.args).enumerate();
        let fields = fields.map(|(i, (p, arg))| match p.ty {
            Type::Callback { nullable: true, .. } => format!("p{i}: {arg} != nil"),
            Type::Callback { .. } => format!("p{i}: true"),
            _ => format!("p{i}: {arg}"),
        });
        let mut statements = vec![format!(
            "\t{local} := {}{{{}}}",
            self.frame,
            fields.collect::<Vec<_>>().join(", ")
        )];
        let stub = match export.blocks() {
            _ if export.cgo => {
                let frame = format!("unsafe.Pointer(&{local})");
                match export.frame.callbacks {
                    // What it calls is still to come.
                    true => format!("{}({}, {frame}", cgo::ENTER_WITH, export.index),
                    false => format!("{}({}, {frame})", ENTER_CGO, export.index),
                }
            }
            true => format!("{}(&{local})", self.blocking),
            false => format!("{}(&{local})", self.stub),
        };
        match export.frame.callbacks {
            true => {
                statements.extend(callbacks::answers(export, site, &stub));
                // While Go runs, no frame of the stub's holds what Rust still uses.
                statements.push(format!("\truntime.KeepAlive(&{local})"));
            }
            false => statements.push(format!("\t{stub}")),
        }
        Made {
            statements,
            result: format!("{local}.result"),
            done: true,
        }
    }

    /// The function that tells the scheduler of a call that may block. It may not grow the stack, as the scheduler's own may not.
    pub fn blocking(&self, gives: bool) -> String {
        let (blocking, frame, stub) = (&self.blocking, &self.frame, &self.stub);
        match gives {
            true => format!(
                "//go:nosplit\nfunc {blocking}(frame *{frame}) *{CALLBACK} {{\n\t{ENTER}()\n\tc := {stub}(frame)\n\t{EXIT}()\n\treturn c\n}}"
            ),
            false => format!(
                "//go:nosplit\nfunc {blocking}(frame *{frame}) {{\n\t{ENTER}()\n\t{stub}(frame)\n\t{EXIT}()\n}}"
            ),
        }
    }

    /// The type of the frame, of a function that has this name: the offsets are those of Go's ABI0.
    pub fn frame(&self, export: &Export<'_>, name: &str) -> Vec<String> {
        let Export { scope, f, .. } = *export;
        let frees = matches!(export.role(), Role::Free(_));
        let mut fields: Vec<(String, String)> = Vec::new();
        for (i, p) in f.params.iter().enumerate() {
            let ty = match p.ty {
                Type::Callback { .. } => "bool".into(),
                _ if export.cgo && scope.handles.of(&p.ty).is_some() => "unsafe.Pointer".into(),
                _ if frees => format!("*{CELL}"),
                _ => types::passed_type(scope, &p.ty),
            };
            fields.push((format!("p{i}"), ty));
        }
        if let Some(ty) = &f.result {
            // Results begin at a word.
            fields.push(("_".into(), "[0]uint64".into()));
            fields.push(("result".into(), types::go_type(scope, ty)));
        }
        let width = fields.iter().map(|(n, _)| n.len()).max().unwrap_or(0);
        let mut lines = vec![
            format!(
                "// {} holds what {name} takes and gives{}.",
                self.frame,
                match export.cgo || export.blocks() || export.frame.callbacks || export.frame.moves
                {
                    true => "",
                    false => ": more than Go passes to assembly on the stack",
                }
            ),
            format!("type {} struct {{", self.frame),
        ];
        lines.extend(fields.iter().map(|(n, ty)| format!("\t{n:width$} {ty}")));
        lines.push("}".into());
        lines
    }
}

fn takes_functions(f: &Function) -> bool {
    f.callbacks().next().is_some()
}

/// Whether the frame may stay on the goroutine's stack: nothing that it points to is kept, and the stack stays where it is.
pub(super) fn frame_stays(api: &Api, f: &Function) -> bool {
    if takes_functions(f) || api.keeps() {
        return false;
    }
    let mut types = f.params.iter().map(|p| &p.ty).chain(&f.result);
    super::escape::noescape(api, f) || !types.any(|ty| holds_pointer(api, ty))
}

fn holds_pointer(api: &Api, ty: &Type) -> bool {
    match ty {
        Type::Str | Type::Text { .. } | Type::Slice { .. } | Type::Pointer { .. } => true,
        // What they own is the library's memory, never a place on a stack of Go's.
        Type::Array { elem, .. } | Type::Owned { elem } => holds_pointer(api, elem),
        Type::Fallible { value } => value.as_ref().is_some_and(|v| holds_pointer(api, v)),
        Type::Named(id) => {
            let mut fields = api.def(*id).kind.fields();
            fields.any(|f| holds_pointer(api, &f.ty))
        }
        _ => false,
    }
}
