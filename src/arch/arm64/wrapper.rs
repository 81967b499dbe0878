//! Go's ABI0 to AAPCS64: the code that takes a call from a Go stub into a lane and back.
//!
//! On entry x28 holds `g`, x30 the return address into Go, and the frame of [`crate::model::goabi`], or a pointer to it, lies 8 bytes above the stack pointer; x13 holds
//! the address by which a package is told from copies of it, and x12 the landing of the call: the address of the Go function to go on in if the call does not
//! return, or is to become a system call of Go's (`rt/src/leave/polite.rs`). ABI0 asks that the stack pointer, x28 and x29
//! come back unchanged and nothing else (cmd/compile/abi-internal.md); the C side preserves x19 to x29. x18 is left alone, by Go too.
//!
//! Below the stack pointer, where nobody else writes (Go handles signals on stacks of their own), the wrapper leaves the return address and `g`; that is where the control block
//! leads to (`go_sp`). All ways out of a lane take both from there. So does the runtime for a signal handler of Go's, which asks for `g` in x28
//! (`rt/src/arch/aarch64/handler.rs`).
//!
//! The fast path finds the lane of the running `m` in its home slot of the lane table. Everything else (the first use of the image, a
//! new `m`, a collision, another copy of the package) is the runtime's: `rsyso_lane_slow` takes `m` in x9, `g` in x28, what tells the package in
//! x13 and the landing in x12, returns the control block in x11, and preserves sp, x12, x13, x28 and x29 only. It may return to the wrapper of another
//! copy of the image.
//!
//! What `crate::arch::amd64`'s wrappers do for Go functions, for those that the library keeps, and for the unwinder, these do in the same way.

use super::abi::{self, Arg, Call, Place, Return};
use super::handles::{self, Aside};
use super::writer::{
    CONTROL, FP, FRAME, FramePlace, G, If, LDR, LDR_D, LDR_S, LDRB, LEFT, LINK, Label, MARK, SP,
    STR, STR_D, STR_S, STR_W, STUB_SP, Writer, ZERO,
};
use crate::arch::{Code, DESTROY_CODE, kept_code};
use crate::contract::symbols;
use crate::contract::{
    CALLBACK_RESULT, CONTROL_FRAME_SP, CONTROL_GO_BP, CONTROL_GO_LANDING, CONTROL_GO_SP,
    CONTROL_UNWINDING, GO_G_M, LANE_HASH, LANE_TABLE_BITS,
};
use crate::model::goabi::Frame;
use crate::model::uses::Uses;
use crate::model::{Api, Function};
use gimli::write::{CallFrameInstruction, CommonInformationEntry, Expression};
use gimli::{AArch64, Encoding, Format, Register as DwarfRegister};

/// The wrapper of `function`; `codes` are the symbols of what stands for its Go functions.
pub(super) fn emit(
    api: &Api,
    function: &Function,
    frame: &Frame,
    codes: &[String],
    uses: &Uses,
) -> Result<Code, String> {
    let call = abi::assign(api, function, frame)?;
    let mut w = Writer::new(FramePlace::of(frame));
    w.handles = handles::slots(frame, uses);
    w.keeps = api.keeps();
    if let Return::Memory { .. } = call.result
        && w.keeps
        && !frame.by_reference()
    {
        return Err("its result would be written where the goroutine's stack was".into());
    }
    w.kept = api.kept().iter().map(kept_code).collect();
    w.whole(&call, &function.symbol, codes, uses, frame.callbacks);
    w.finish()
}

/// Code that goes on elsewhere.
pub(super) fn jump(symbol: &str) -> Result<Code, String> {
    let mut w = Writer::new(FramePlace::OnLane);
    w.jump(symbol);
    w.finish()
}

/// A function that gives the address of a symbol.
pub(super) fn address(symbol: &str) -> Result<Code, String> {
    let mut w = Writer::new(FramePlace::OnLane);
    w.address(0, symbol);
    w.ret();
    w.finish()
}

/// The return address is in x30.
pub(super) fn frame_at_entry() -> CommonInformationEntry {
    let encoding = Encoding {
        format: Format::Dwarf32,
        version: 1,
        address_size: 8,
    };
    let mut cie = CommonInformationEntry::new(encoding, 4, -8, AArch64::X30);
    cie.add_instruction(CallFrameInstruction::Cfa(AArch64::SP, 0));
    cie
}

/// Structs up to this size are copied word by word, larger ones in a loop.
const UNROLLED: u64 = 64;

impl Writer {
    /// `gives`: the stub gives what Go is to call.
    fn whole(&mut self, call: &Call, target: &str, codes: &[String], uses: &Uses, gives: bool) {
        let (hit, slow) = self.reach_lane(call.stack);
        let mut asides = self.begin_uses(target, call.stack);
        if gives {
            self.begin(codes.first().map_or(target, String::as_str));
        }
        // What goes to the stack first: it is copied through registers of no argument.
        for arg in &call.args {
            self.stack_arg(arg, codes);
        }
        for arg in &call.args {
            self.register_arg(arg, codes);
        }
        if let Return::Memory { at } = call.result {
            let (base, offset) = self.at(at);
            self.add(8, base, offset);
        }
        self.call(target);
        if !gives {
            self.find_frame(call.stack);
        }
        asides.extend(self.after(&call.result, call.stack, uses));
        match gives {
            true => self.end(call.stack),
            false => self.leave(call.stack),
        }
        self.asides(asides, target, call.stack);
        self.no_lane(hit, slow);
    }

    /// What follows a call, still on the lane.
    fn after(&mut self, result: &Return, stack: u64, uses: &Uses) -> Vec<Aside> {
        self.result(result);
        match uses {
            Uses::Settled => self.drop_due(),
            Uses::Drained => {
                self.call(symbols::HANDLE_DUE);
                self.drop_due();
            }
            _ => {}
        }
        let pinned = matches!(uses, Uses::Given { pinned: true, .. });
        self.end_uses(stack, pinned)
    }

    /// Code that runs on a lane, without any argument on the stack, and returns to Go; `gives`: the stub gives what Go is to call, and `callee` tells the
    /// function from others.
    pub fn lone(&mut self, callee: &str, gives: bool, code: impl FnOnce(&mut Self)) {
        let (hit, slow) = self.reach_lane(0);
        if gives {
            self.begin(callee);
        }
        code(self);
        match gives {
            true => self.end(0),
            false => self.leave(0),
        }
        self.no_lane(hit, slow);
    }

    /// Where the frame is now.
    fn find_frame(&mut self, stack: u64) {
        if self.keeps && self.place == FramePlace::Stack {
            self.access(LDR, STUB_SP, SP, stack + CONTROL_FRAME_SP);
            self.add(STUB_SP, STUB_SP, LEFT);
        }
    }

    /// Returns to Go, from a lane with so much of arguments on its stack.
    fn leave(&mut self, stack: u64) {
        if self.keeps {
            self.access(STR, ZERO, SP, stack + CONTROL_UNWINDING);
            self.access(LDR, FP, SP, stack + CONTROL_GO_BP);
        }
        self.access(LDR, WAY_OUT, SP, stack + CONTROL_GO_SP);
        self.load_pair_on(LINK, G, WAY_OUT);
        self.add(SP, WAY_OUT, 0);
        self.ret();
    }

    /// Switches to the lane of the running `m`. The labels are for [`Self::no_lane`].
    fn reach_lane(&mut self, stack: u64) -> (Label, Label) {
        let (hit, slow) = (self.label(), self.label());
        self.find_lane(slow);
        self.set(hit);
        self.enter(stack);
        (hit, slow)
    }

    /// The end of a wrapper: the way to a lane that is not at its place.
    fn no_lane(&mut self, hit: Label, slow: Label) {
        self.frame_is(CallFrameInstruction::Cfa(AArch64::SP, 0));
        self.set(slow);
        self.push_pair(LINK, G, SP);
        self.frame_is(CallFrameInstruction::Cfa(AArch64::SP, LEFT as i32));
        self.call(symbols::LANE_SLOW);
        self.load_pair_on(LINK, G, SP);
        self.branch(hit);
    }

    /// Leaves the control block in x11, and `m` in x9 for the slow path.
    fn find_lane(&mut self, slow: Label) {
        self.access(LDR, 9, G, GO_G_M);
        // There is an owner once there is a table: what is read of it after that is not older. Another copy of the package goes the slow path, too.
        self.address(10, symbols::LANE_OWNER);
        self.load_acquire(10, 10);
        self.compare(10, 13);
        self.branch_if(If::NotEqual, slow);
        self.word_at(10, symbols::LANE_TABLE);
        // A slot has 16 bytes.
        self.constant(14, LANE_HASH.into());
        self.mul_w(14, 14, 9);
        self.shift_right_w(14, 14, 32 - LANE_TABLE_BITS);
        self.add_16_times(10, 10, 14);
        self.load_pair(14, CONTROL, 10);
        self.compare(14, 9);
        self.branch_if(If::NotEqual, slow);
    }

    /// Switches to the lane, whose stack begins at the control block. x29 stays the goroutine's frame pointer.
    fn enter(&mut self, stack: u64) {
        self.store_pair_below(LINK, G, SP);
        self.sub(10, SP, LEFT);
        self.access(STR, 10, CONTROL, CONTROL_GO_SP);
        self.access(STR, FP, CONTROL, CONTROL_GO_BP);
        self.access(STR, 12, CONTROL, CONTROL_GO_LANDING);
        if self.keeps {
            self.access(STR, 10, CONTROL, CONTROL_FRAME_SP);
        }
        self.add(STUB_SP, SP, 0);
        // It survives what is called.
        self.frame_is(CallFrameInstruction::Cfa(AArch64::X19, 0));
        self.frame_is(CallFrameInstruction::Offset(AArch64::X30, -(LEFT as i32)));
        self.sub(SP, CONTROL, stack);
        if self.keeps {
            // What x19 held may be a place that the stack has left.
            let mut cfa = Expression::new();
            cfa.op_breg(AArch64::SP, (stack + CONTROL_FRAME_SP) as i64);
            cfa.op_deref();
            cfa.op_plus_uconst(LEFT);
            self.frame_is(CallFrameInstruction::CfaExpression(cfa));
        }
        if self.place == FramePlace::Behind {
            self.access(LDR, FRAME, STUB_SP, super::writer::ARGUMENTS);
        }
    }

    /// Tells the runtime of a call that takes Go functions; x21 keeps its mark. `callee` tells the function from others.
    fn begin(&mut self, callee: &str) {
        // Where x19 leads there will be something else, once the goroutine's stack has moved.
        self.frame_is(CallFrameInstruction::Undefined(RETURN));
        self.mov(0, CONTROL);
        self.access(LDR, 1, G, GO_G_M);
        self.address(2, callee);
        self.call(symbols::CALLBACKS_BEGIN);
        self.mov(MARK, 0);
    }

    /// Ends it: the stub returns nil.
    fn end(&mut self, stack: u64) {
        self.add(0, SP, stack);
        self.call(symbols::CALLBACKS_END);
        self.access(LDR, FP, SP, stack + CONTROL_GO_BP);
        self.access(LDR, WAY_OUT, SP, stack + CONTROL_GO_SP);
        self.load_pair_on(LINK, G, WAY_OUT);
        self.access(STR, ZERO, WAY_OUT, CALLBACK_RESULT);
        self.add(SP, WAY_OUT, 0);
        self.ret();
    }

    /// The address of what stands for a Go function, or null if there is none.
    fn code(&mut self, to: u32, at: u64, which: usize, codes: &[String]) {
        let code = codes.get(which).map_or("", String::as_str);
        self.address(to, code);
        self.frame(LDRB, 10, at);
        self.compare_with(10, 0);
        self.select(to, ZERO, to, If::Equal);
    }

    /// The same for a function that the library keeps: it has user data.
    fn kept_code(&mut self, to: u32, at: u64, id: usize) {
        let code = self.kept.get(id).cloned().unwrap_or_default();
        self.address(to, &code);
        self.frame(LDR, 10, at);
        self.compare_with(10, 0);
        self.select(to, ZERO, to, If::Equal);
    }

    fn stack_arg(&mut self, arg: &Arg, codes: &[String]) {
        match *arg {
            Arg::Code {
                at,
                which,
                to: Place::Stack(to),
            } => {
                self.code(9, at, which, codes);
                self.access(STR, 9, SP, to);
            }
            Arg::Kept {
                at,
                id,
                to: Place::Stack(to),
            } => {
                self.kept_code(9, at, id);
                self.access(STR, 9, SP, to);
            }
            Arg::Destroy {
                to: Place::Stack(to),
            } => {
                self.address(9, DESTROY_CODE);
                self.access(STR, 9, SP, to);
            }
            Arg::Mark {
                to: Place::Stack(to),
            } => self.access(STR, MARK, SP, to),
            Arg::Part {
                part,
                to: Place::Stack(to),
            } => {
                self.load_int(9, part);
                self.unwrap_handle(9, part.at);
                // Members of a struct may share a word.
                let how = if part.size == 4 { STR_W } else { STR };
                self.access(how, 9, SP, to);
            }
            Arg::Fat {
                at,
                align,
                pointer: Place::Stack(p),
                length: Place::Stack(l),
                ..
            } => {
                self.load_fat(9, 10, at, align);
                self.access(STR, 9, SP, p);
                self.access(STR, 10, SP, l);
            }
            Arg::Fat {
                at,
                length: Place::Stack(l),
                ..
            } => {
                self.frame(LDR, 9, at + 8);
                self.access(STR, 9, SP, l);
            }
            Arg::Copy { at, size, copy, to } => {
                self.copy(at, size, copy);
                if let Place::Stack(to) = to {
                    self.add(9, SP, copy);
                    self.access(STR, 9, SP, to);
                }
            }
            _ => {}
        }
    }

    fn register_arg(&mut self, arg: &Arg, codes: &[String]) {
        match *arg {
            Arg::Code {
                at,
                which,
                to: Place::General(i),
            } => self.code(i, at, which, codes),
            Arg::Kept {
                at,
                id,
                to: Place::General(i),
            } => self.kept_code(i, at, id),
            Arg::Destroy {
                to: Place::General(i),
            } => self.address(i, DESTROY_CODE),
            Arg::Mark {
                to: Place::General(i),
            } => self.mov(i, MARK),
            Arg::Part {
                part,
                to: Place::General(i),
            } => {
                self.load_int(i, part);
                self.unwrap_handle(i, part.at);
            }
            Arg::Part {
                part,
                to: Place::Vector(i),
            } => match part.size {
                4 => self.frame(LDR_S, i, part.at),
                _ => self.frame(LDR_D, i, part.at),
            },
            Arg::Fat {
                at,
                align,
                pointer: Place::General(p),
                length: Place::General(l),
                ..
            } => self.load_fat(p, l, at, align),
            Arg::Fat {
                at,
                align,
                pointer: Place::General(p),
                ..
            } => self.load_fat(p, 10, at, align),
            Arg::Copy {
                copy,
                to: Place::General(i),
                ..
            } => self.add(i, SP, copy),
            _ => {}
        }
    }

    /// Loads a pointer and a length, and gives an empty slice a pointer that Rust accepts.
    fn load_fat(&mut self, pointer: u32, length: u32, at: u64, align: u64) {
        self.frame(LDR, length, at + 8);
        self.frame(LDR, pointer, at);
        self.constant(17, align);
        self.compare_with(length, 0);
        self.select(pointer, 17, pointer, If::Equal);
    }

    /// Copies a struct in whole words: above the frame there is always more to read from.
    fn copy(&mut self, at: u64, size: u64, to: u64) {
        let words = size.div_ceil(8);
        if size > UNROLLED {
            let (base, offset) = self.at(at);
            self.add(9, base, offset);
            self.add(10, SP, to);
            return self.copy_words(words);
        }
        for offset in (0..words).map(|w| w * 8) {
            self.frame(LDR, 9, at + offset);
            self.access(STR, 9, SP, to + offset);
        }
    }

    fn result(&mut self, result: &Return) {
        match result {
            Return::None | Return::Memory { .. } => {}
            Return::Fat { at, capacity } => {
                // Go's stack copier stops the program on a pointer like 1, which is Rust's for an empty slice.
                self.compare_with(1, 0);
                self.select(0, ZERO, 0, If::Equal);
                self.frame(STR, 0, *at);
                self.frame(STR, 1, at + 8);
                if *capacity {
                    self.frame(STR, 1, at + 16);
                }
            }
            Return::Parts(parts) => {
                for (part, from) in parts {
                    match *from {
                        Place::General(i) => self.store_int(i, *part),
                        Place::Vector(i) if part.size == 4 => self.frame(STR_S, i, part.at),
                        Place::Vector(i) => self.frame(STR_D, i, part.at),
                        Place::Stack(_) => {}
                    }
                }
            }
        }
    }
}

/// What Go's stack pointer is loaded into, to leave a lane by `mov sp, x10`: by that the runtime knows where no signal may make the call a system call
/// (`rt/src/arch/aarch64/polite.rs`).
const WAY_OUT: u32 = 10;

/// Where the unwinder looks for the return address.
const RETURN: DwarfRegister = AArch64::X30;

#[cfg(test)]
#[path = "wrapper_tests.rs"]
mod tests;
