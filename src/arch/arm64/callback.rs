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
use crate::arch::{Called, Code, GoFunction};
use crate::contract::KEPT_BY_NAME;
use crate::model::Api;
use crate::model::goabi::Frame;
use gimli::AArch64;
use gimli::write::CallFrameInstruction;

/// The code that has Go called.
pub(super) fn emit(api: &Api, function: &GoFunction<'_>) -> Result<Code, String> {
    let (frame, call) = abi::callback(api, &function.params, function.result)?;
    let user = function
        .user
        .and_then(|i| frame.params.get(i))
        .map(|slot| slot.offset);
    let mut t = Trampoline {
        w: Writer::new(FramePlace::OnLane),
        room: room(&frame, function.called),
        called: function.called,
    };
    t.whole(&frame, &call, function, user);
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
    fn whole(&mut self, frame: &Frame, call: &Call, function: &GoFunction<'_>, user: Option<u64>) {
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
        w.constant(1, function.which as u64);
        w.address(2, &function.callee);
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
