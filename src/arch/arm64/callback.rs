//! What stands for a Go function: code with its C signature, that Rust is given the address of.
//!
//! It lays out what Rust gave as Go would (`crate::model::goabi::callback`), on the lane's own stack, and has the runtime return to Go with
//! the address of that; when Go comes back, the result is there. The user data that came along says which call it was meant for.
//!
//! ```text
//! sp -> the frame | the address for a large result | the number of a piece | padding | return address | stack arguments
//! ```

use super::abi::{self, Arg, Call, Part, Place, Return};
use super::pool;
use super::writer::{FramePlace, If, LDR, LDR_D, LDR_S, LINK, SP, STR, STR_D, STR_S, Writer, ZERO};
use crate::arch::{Code, DESTROY_CODE, kept_code};
use crate::contract::{KEPT_BY_NAME, KEPT_DESTROY, symbols};
use crate::model::goabi::Frame;
use crate::model::{Api, PointerKind, Type};
use gimli::AArch64;
use gimli::write::CallFrameInstruction;

/// The code for a callback, the `which`th of the export that `callee` belongs to.
pub(super) fn emit(api: &Api, callback: &Type, which: usize, callee: &str) -> Result<Code, String> {
    code(api, callback, which, callee, Called::Given)
}

/// The code for the functions that the library keeps of this number.
pub(super) fn kept(api: &Api, id: usize) -> Result<Code, String> {
    let kept = api.kept().get(id).ok_or("it is not kept")?;
    let called = match kept.pooled() {
        true => Called::Pooled,
        false => Called::Kept,
    };
    code(api, &kept.ty, id, &kept_code(kept), called)
}

/// The code for a function that Go provides: it has the number behind those that are kept.
pub(super) fn import(api: &Api, index: usize) -> Result<Code, String> {
    let import = api.imports().get(index).ok_or("it is not imported")?;
    let which = api.kept().len() + index;
    code(api, &import.ty, which, &import.symbol, Called::Imported)
}

/// The code for their destroy function.
pub(super) fn destroy(api: &Api) -> Result<Code, String> {
    let user = Type::Pointer {
        to: None,
        kind: PointerKind::Mut,
        nullable: true,
    };
    let function = Type::Callback {
        params: vec![user],
        names: Vec::new(),
        result: None,
        user: Some(0),
        nullable: false,
    };
    let which = KEPT_DESTROY as usize;
    code(api, &function, which, DESTROY_CODE, Called::Kept)
}

/// When the library calls a Go function.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Called {
    /// During the call that it was given to.
    Given,
    /// In any call. The user data says which function is meant.
    Kept,
    /// In any call. A register says which piece of code was called ([`pool::NUMBER`]).
    Pooled,
    /// In any call, by name.
    Imported,
}

impl Called {
    /// The runtime's function that has Go called.
    fn by(self) -> &'static str {
        match self {
            Called::Given => symbols::CALLBACK,
            Called::Kept | Called::Pooled | Called::Imported => symbols::KEPT,
        }
    }
}

/// The code that has Go called, with the address of `callee`.
fn code(
    api: &Api,
    callback: &Type,
    which: usize,
    callee: &str,
    called: Called,
) -> Result<Code, String> {
    let Type::Callback {
        params,
        result,
        user,
        ..
    } = callback
    else {
        return Err("it is no function".into());
    };
    let (frame, call) = abi::callback(api, params, result.as_deref())?;
    let user = user
        .and_then(|i| frame.params.get(i))
        .map(|slot| slot.offset);
    let mut t = Trampoline {
        w: Writer::new(FramePlace::OnLane),
        room: room(&frame, called),
        called,
    };
    t.whole(&frame, &call, which, callee, user);
    t.w.finish()
}

/// Where the address for a large result is kept: behind the frame.
fn memory_at(frame: &Frame) -> u64 {
    frame.size.next_multiple_of(8)
}

/// Where the number of a piece of code is kept: behind that.
fn number_at(frame: &Frame) -> u64 {
    memory_at(frame) + 8
}

/// Bytes below the stack pointer of the caller: these and the return address, too.
fn room(frame: &Frame, called: Called) -> u64 {
    let end = match called {
        Called::Pooled => number_at(frame) + 8,
        Called::Given | Called::Kept | Called::Imported => number_at(frame),
    };
    (end + 8).next_multiple_of(16)
}

struct Trampoline {
    w: Writer,
    room: u64,
    called: Called,
}

impl Trampoline {
    fn whole(&mut self, frame: &Frame, call: &Call, which: usize, callee: &str, user: Option<u64>) {
        let w = &mut self.w;
        w.sub(SP, SP, self.room);
        w.frame_is(CallFrameInstruction::Cfa(AArch64::SP, self.room as i32));
        w.access(STR, LINK, SP, self.room - 8);
        w.frame_is(CallFrameInstruction::Offset(AArch64::X30, -8));
        if self.called == Called::Pooled {
            w.access(STR, pool::NUMBER, SP, number_at(frame));
        }
        if let Return::Memory { .. } = call.result {
            w.access(STR, 8, SP, memory_at(frame));
        }
        for arg in &call.args {
            self.store_register(arg);
        }
        for arg in &call.args {
            self.store_stacked(arg);
        }
        self.clear_result(frame);
        let w = &mut self.w;
        match user {
            Some(at) => w.access(LDR, 3, SP, at),
            None => match self.called {
                Called::Imported => w.constant(3, KEPT_BY_NAME),
                Called::Pooled => w.access(LDR, 3, SP, number_at(frame)),
                Called::Given | Called::Kept => w.constant(3, 0),
            },
        }
        w.add(0, SP, 0);
        w.constant(1, which as u64);
        w.address(2, callee);
        w.call(self.called.by());
        self.result(frame, &call.result);
        let w = &mut self.w;
        w.access(LDR, LINK, SP, self.room - 8);
        w.add(SP, SP, self.room);
        w.frame_is(CallFrameInstruction::Cfa(AArch64::SP, 0));
        w.frame_is(CallFrameInstruction::SameValue(AArch64::X30));
        w.ret();
    }

    /// Where Rust has handed something over on the stack.
    fn above(&self, at: u64) -> u64 {
        self.room + at
    }

    fn store_register(&mut self, arg: &Arg) {
        match *arg {
            Arg::Part {
                part,
                to: Place::General(i),
            } => self.w.store_int(i, part),
            Arg::Part {
                part,
                to: Place::Vector(i),
            } => match part.size {
                4 => self.w.frame(STR_S, i, part.at),
                _ => self.w.frame(STR_D, i, part.at),
            },
            Arg::Fat {
                at,
                pointer: Place::General(p),
                length: Place::General(l),
                capacity,
                ..
            } => self.store_fat(p, l, at, capacity),
            Arg::Copy {
                at,
                size,
                to: Place::General(i),
                ..
            } => {
                self.w.mov(9, i);
                self.w.add(10, SP, at);
                self.w.copy_bytes(size);
            }
            _ => {}
        }
    }

    /// Comes after what was in registers: these are free now.
    fn store_stacked(&mut self, arg: &Arg) {
        match *arg {
            Arg::Part {
                part,
                to: Place::Stack(from),
            } => {
                let from = self.above(from);
                // A word may hold two members of a struct: of the second nothing more is to be read.
                match part.size {
                    4 => self.w.access(super::writer::LDR_W, 9, SP, from),
                    _ => self.w.access(LDR, 9, SP, from),
                }
                self.w.store_int(9, part);
            }
            // Both words are on the stack, or none: a struct is not parted.
            Arg::Fat {
                at,
                pointer: Place::Stack(p),
                length: Place::Stack(l),
                capacity,
                ..
            } => {
                let (p, l) = (self.above(p), self.above(l));
                self.w.access(LDR, 9, SP, p);
                self.w.access(LDR, 10, SP, l);
                self.store_fat(9, 10, at, capacity);
            }
            Arg::Copy {
                at,
                size,
                to: Place::Stack(from),
                ..
            } => {
                let from = self.above(from);
                self.w.access(LDR, 9, SP, from);
                self.w.add(10, SP, at);
                self.w.copy_bytes(size);
            }
            _ => {}
        }
    }

    /// A string or slice. Go's stack copier stops the program on a pointer like 1, which is Rust's for an empty one.
    fn store_fat(&mut self, pointer: u32, length: u32, at: u64, capacity: bool) {
        self.w.compare_with(length, 0);
        self.w.select(pointer, ZERO, pointer, If::Equal);
        self.w.frame(STR, pointer, at);
        self.w.frame(STR, length, at + 8);
        if capacity {
            self.w.frame(STR, length, at + 16);
        }
    }

    /// Go's write barrier looks at what was there before.
    fn clear_result(&mut self, frame: &Frame) {
        let Some(slot) = frame.result else {
            return;
        };
        // Results begin at a word, and behind them lies the rest of the last one.
        let words = (memory_at(frame) - slot.offset) / 8;
        if words == 0 {
            return;
        }
        let again = self.w.label();
        self.w.add(10, SP, slot.offset);
        self.w.constant(14, words);
        self.w.set(again);
        self.w.store_on(ZERO, 10);
        self.w.count_down(14);
        self.w.branch_if(If::NotEqual, again);
    }

    fn result(&mut self, frame: &Frame, result: &Return) {
        match result {
            Return::None | Return::Fat { .. } => {}
            Return::Parts(parts) => {
                for (part, to) in parts {
                    self.result_part(*part, *to);
                }
            }
            Return::Memory { at } => {
                self.w.add(9, SP, *at);
                self.w.access(LDR, 10, SP, memory_at(frame));
                self.w.copy_bytes(frame.result.map_or(0, |slot| slot.size));
            }
        }
    }

    fn result_part(&mut self, part: Part, to: Place) {
        match to {
            Place::General(i) => self.w.load_int(i, part),
            Place::Vector(i) => match part.size {
                4 => self.w.frame(LDR_S, i, part.at),
                _ => self.w.frame(LDR_D, i, part.at),
            },
            Place::Stack(_) => {}
        }
    }
}
