//! Go's ABI0 to System V AMD64: the code that takes a call from a Go stub into a lane and back.
//!
//! On entry the stack holds the return address into Go, and above it the frame of [`crate::model::goabi`] or a pointer to it; r14 holds `g`, r13
//! the address by which a package is told from copies of it, and r12 the landing of the call: the address of the Go function to go on in if the call does not
//! return, or is to become a system call of Go's (`rt/src/leave/polite.rs`). ABI0 asks that rsp
//! and rbp come back unchanged and nothing else (cmd/compile/abi-internal.md); the C side preserves rbx, rbp and r12 to r15. So the wrapper
//! keeps the goroutine's stack pointer in rbx across the call, to reach arguments and results, and uses no stack of the goroutine at all.
//!
//! It leaves the lane by the stack pointer that the control block holds, in one instruction: once the call has become a system call of Go's it is another one.
//! So at no instruction does it matter whether that happens.
//!
//! The fast path finds the lane of the running `m` in its home slot of the lane table. Everything else (the first use of the image, a
//! new `m`, a collision, another copy of the package) is the runtime's: `rsyso_lane_slow` takes `m` in rax, `g` in r14, what tells the package in
//! r13 and the landing in r12, returns the control block in r11, and preserves rsp, rbp and r12 to r14 only. It may return to the wrapper of another
//! copy of the image.
//!
//! A function that takes Go functions returns to Go whenever it calls one (`callback.rs`). The goroutine's stack may move meanwhile: at the end
//! its registers come from the control block, where the runtime keeps them up to date. The frame lies in Go's heap.
//!
//! If the library keeps Go functions, the stack may move during any call (`rt/src/leave/kept.rs`). Then the stub's stack pointer is kept in the control block,
//! too, where the runtime keeps it up to date, and rbx and rbp are loaded anew.
//!
//! The wrapper has a record in the unwind table, with the runtime's personality: there the way of an exception ends (`rt/src/leave/catch.rs`).

use iced_x86::code_asm::*;
use iced_x86::{Code as Opcode, IcedError, Instruction, MemoryOperand, Register};

use super::abi::{self, Arg, Call, Place, Return};
use super::handles::{self, Aside};
use super::writer::{
    FramePlace, INT64, R_X86_64_PC32, RESULT, RETURN_ADDRESS, SSE, Step, Writer, broken, disp,
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
use gimli::{Encoding, Format, X86_64};

/// The wrapper of `function`; `codes` are the symbols of what stands for its Go functions.
pub(super) fn emit(
    api: &Api,
    function: &Function,
    frame: &Frame,
    codes: &[String],
    uses: &Uses,
) -> Result<Code, String> {
    let call = abi::assign(api, function, frame)?;
    let mut w = Writer::new(FramePlace::of(frame)).map_err(broken)?;
    w.handles = handles::slots(frame, uses);
    w.keeps = api.keeps();
    if let Return::Memory { .. } = call.result
        && w.keeps
        && !frame.by_reference()
    {
        return Err("its result would be written where the goroutine's stack was".into());
    }
    w.kept = api.kept().iter().map(kept_code).collect();
    w.whole(&call, &function.symbol, codes, uses, frame.callbacks)
        .map_err(broken)?;
    w.finish()
}

/// Code that goes on elsewhere. Through a register: the assembler would make a short jump, whose field is too small, of a direct one.
pub(super) fn jump(symbol: &str) -> Result<Code, String> {
    let mut w = Writer::new(FramePlace::AboveReturn).map_err(broken)?;
    w.address(rax, symbol).map_err(broken)?;
    w.a.jmp(rax).map_err(broken)?;
    w.finish()
}

/// A function that gives the address of a symbol (psABI 3.2.3: RAX holds the result).
pub(super) fn address(symbol: &str) -> Result<Code, String> {
    let mut w = Writer::new(FramePlace::AboveReturn).map_err(broken)?;
    w.address(rax, symbol).map_err(broken)?;
    w.a.ret().map_err(broken)?;
    w.finish()
}

/// A return address on the stack, and nothing else.
pub(super) fn frame_at_entry() -> CommonInformationEntry {
    let encoding = Encoding {
        format: Format::Dwarf32,
        version: 1,
        address_size: 8,
    };
    let mut cie = CommonInformationEntry::new(encoding, 1, -8, X86_64::RA);
    cie.add_instruction(CallFrameInstruction::Cfa(X86_64::RSP, 8));
    cie.add_instruction(CallFrameInstruction::Offset(X86_64::RA, -8));
    cie
}

/// Integer argument registers in order, at half their width.
const INT32: [AsmRegister32; abi::INT_ARGS] = [edi, esi, edx, ecx, r8d, r9d];

/// Structs up to this size are copied word by word, larger ones with `rep movsq`, whose start costs more than that.
pub(super) const UNROLLED: u64 = 128;

impl Writer {
    /// `gives`: the stub gives what Go is to call.
    fn whole(
        &mut self,
        call: &Call,
        target: &str,
        codes: &[String],
        uses: &Uses,
        gives: bool,
    ) -> Step {
        let (hit, slow) = self.reach_lane(call.stack)?;
        let mut asides = self.begin_uses(target, call.stack)?;
        if gives {
            self.begin(codes.first().map_or(target, String::as_str))?;
        }
        // What goes to the stack first: it is copied through registers that carry arguments later.
        for arg in &call.args {
            self.stack_arg(arg, codes)?;
        }
        for arg in &call.args {
            self.register_arg(arg, codes)?;
        }
        if let Return::Memory { at } = call.result {
            self.a.lea(rdi, self.at(at))?;
        }
        if !gives && *uses == Uses::None {
            self.call(target)?;
            self.find_frame(call.stack)?;
            self.result(&call.result)?;
            self.leave(call.stack)?;
        } else if !gives {
            self.call(target)?;
            self.find_frame(call.stack)?;
            asides.extend(self.after(&call.result, call.stack, uses)?);
            self.leave(call.stack)?;
        } else {
            self.call_unforeseen(target)?;
            asides.extend(self.after(&call.result, call.stack, uses)?);
            self.end(call.stack)?;
        }
        self.asides(asides, target, call.stack)?;
        self.no_lane(hit, slow)
    }

    /// What follows a call, still on the lane.
    fn after(&mut self, result: &Return, stack: u64, uses: &Uses) -> Result<Vec<Aside>, IcedError> {
        self.result(result)?;
        match uses {
            Uses::Settled => self.drop_due()?,
            Uses::Drained => {
                self.call(symbols::HANDLE_DUE)?;
                self.drop_due()?;
            }
            _ => {}
        }
        let pinned = matches!(uses, Uses::Given { pinned: true, .. });
        self.end_uses(stack, pinned)
    }

    /// Code that runs on a lane, without any argument on the stack, and returns to Go; `gives`: the stub gives what Go is to call, and `callee` tells the
    /// function from others.
    pub fn lone(
        &mut self,
        callee: &str,
        gives: bool,
        code: impl FnOnce(&mut Self) -> Step,
    ) -> Step {
        let (hit, slow) = self.reach_lane(0)?;
        if gives {
            self.begin(callee)?;
        }
        code(self)?;
        match gives {
            true => self.end(0)?,
            false => self.leave(0)?,
        }
        self.no_lane(hit, slow)
    }

    /// Where the frame is now.
    fn find_frame(&mut self, stack: u64) -> Step {
        match (self.keeps, self.place) {
            (true, FramePlace::AboveReturn) => self
                .a
                .mov(rbx, qword_ptr(rsp + disp(stack + CONTROL_FRAME_SP))),
            _ => Ok(()),
        }
    }

    /// Returns to Go, from a lane with so much of arguments on its stack.
    fn leave(&mut self, stack: u64) -> Step {
        if self.keeps {
            self.a
                .mov(qword_ptr(rsp + disp(stack + CONTROL_UNWINDING)), 0)?;
            self.a
                .mov(rbp, qword_ptr(rsp + disp(stack + CONTROL_GO_BP)))?;
        }
        self.a
            .mov(rsp, qword_ptr(rsp + disp(stack + CONTROL_GO_SP)))?;
        self.a.ret()
    }

    /// Switches to the lane of the running `m`. The labels are for [`Self::no_lane`].
    fn reach_lane(&mut self, stack: u64) -> Result<(CodeLabel, CodeLabel), IcedError> {
        let mut hit = self.a.create_label();
        let slow = self.a.create_label();
        self.find_lane(slow)?;
        self.a.set_label(&mut hit)?;
        self.enter(stack)?;
        Ok((hit, slow))
    }

    /// The end of a wrapper: the way to a lane that is not at its place.
    fn no_lane(&mut self, hit: CodeLabel, mut slow: CodeLabel) -> Step {
        self.a.set_label(&mut slow)?;
        self.frame_is(CallFrameInstruction::Cfa(X86_64::RSP, 8));
        self.call(symbols::LANE_SLOW)?;
        self.a.jmp(hit)
    }

    /// Leaves the control block in r11, and `m` in rax for the slow path.
    fn find_lane(&mut self, slow: CodeLabel) -> Step {
        // A slot has 16 bytes: the index, (low32(m) * LANE_HASH) >> (32 - BITS), is wanted times 16.
        const SLOT_SHIFT: u32 = 4;
        let shift = 32 - LANE_TABLE_BITS - SLOT_SHIFT;
        let mask = ((1i32 << LANE_TABLE_BITS) - 1) << SLOT_SHIFT;
        self.a.mov(rax, qword_ptr(r14 + disp(GO_G_M)))?;
        let place = MemoryOperand::with_base_displ(Register::RIP, 0);
        // There is an owner once there is a table. Another copy of the package goes the slow path, too.
        self.refer(R_X86_64_PC32, symbols::LANE_OWNER);
        let owner = Instruction::with2(Opcode::Cmp_r64_rm64, Register::R13, place)?;
        self.a.add_instruction(owner)?;
        self.a.jne(slow)?;
        self.refer(R_X86_64_PC32, symbols::LANE_TABLE);
        let load = Instruction::with2(Opcode::Mov_r64_rm64, Register::R10, place)?;
        self.a.add_instruction(load)?;
        self.a.imul_3(ecx, eax, LANE_HASH as i32)?;
        self.a.shr(ecx, shift)?;
        self.a.and(ecx, mask)?;
        self.a.cmp(qword_ptr(r10 + rcx), rax)?;
        self.a.jne(slow)?;
        self.a.mov(r11, qword_ptr(r10 + rcx + 8))
    }

    /// Switches to the lane, whose stack begins at the control block. rbp stays the goroutine's frame pointer.
    fn enter(&mut self, stack: u64) -> Step {
        self.a.mov(qword_ptr(r11 + disp(CONTROL_GO_SP)), rsp)?;
        self.a.mov(qword_ptr(r11 + disp(CONTROL_GO_BP)), rbp)?;
        self.a.mov(qword_ptr(r11 + disp(CONTROL_GO_LANDING)), r12)?;
        if self.keeps {
            self.a.mov(qword_ptr(r11 + disp(CONTROL_FRAME_SP)), rsp)?;
        }
        self.a.mov(rbx, rsp)?;
        // rbx survives what is called.
        self.frame_is(CallFrameInstruction::Cfa(X86_64::RBX, 8));
        match stack {
            0 => self.a.mov(rsp, r11)?,
            n => self.a.lea(rsp, r11 - disp(n))?,
        }
        if self.keeps {
            // What rbx held may be a place that the stack has left.
            let mut cfa = Expression::new();
            cfa.op_breg(X86_64::RSP, (stack + CONTROL_FRAME_SP) as i64);
            cfa.op_deref();
            cfa.op_plus_uconst(RETURN_ADDRESS);
            self.frame_is(CallFrameInstruction::CfaExpression(cfa));
        }
        match self.place {
            FramePlace::Behind => self.a.mov(r12, qword_ptr(rbx + disp(RETURN_ADDRESS))),
            _ => Ok(()),
        }
    }

    /// Tells the runtime of a call that takes Go functions; r13 keeps its mark. `callee` tells the function from others.
    fn begin(&mut self, callee: &str) -> Step {
        // Where rbx leads there will be something else, once the goroutine's stack has moved.
        self.frame_is(CallFrameInstruction::Undefined(X86_64::RA));
        self.a.mov(rdi, r11)?;
        self.a.mov(rsi, qword_ptr(r14 + disp(GO_G_M)))?;
        self.address(rdx, callee)?;
        self.call(symbols::CALLBACKS_BEGIN)?;
        self.a.mov(r13, rax)
    }

    /// Ends it: the stub returns nil.
    fn end(&mut self, stack: u64) -> Step {
        let control = |offset: u64| rsp + disp(stack + offset);
        self.a.lea(rdi, control(0))?;
        self.call(symbols::CALLBACKS_END)?;
        self.a.mov(rbp, qword_ptr(control(CONTROL_GO_BP)))?;
        self.a.mov(rsp, qword_ptr(control(CONTROL_GO_SP)))?;
        self.a
            .mov(qword_ptr(rsp + disp(CALLBACK_RESULT)), disp(0))?;
        self.return_unforeseen()
    }

    /// The address of what stands for a Go function, or null if there is none.
    fn code(&mut self, to: AsmRegister64, at: u64, which: usize, codes: &[String]) -> Step {
        let code = codes.get(which).map_or("", String::as_str);
        self.address(to, code)?;
        self.a.mov(r10d, 0)?;
        self.dangling = None;
        self.a.cmp(byte_ptr(self.at(at)), 0)?;
        self.a.cmove(to, r10)
    }

    /// The same for a function that the library keeps: it has user data.
    fn kept_code(&mut self, to: AsmRegister64, at: u64, id: usize) -> Step {
        let code = self.kept.get(id).cloned().unwrap_or_default();
        self.address(to, &code)?;
        self.a.mov(r10d, 0)?;
        self.dangling = None;
        self.a.cmp(qword_ptr(self.at(at)), 0)?;
        self.a.cmove(to, r10)
    }

    fn stack_arg(&mut self, arg: &Arg, codes: &[String]) -> Step {
        match *arg {
            Arg::Code {
                at,
                which,
                to: Place::Stack(to),
            } => {
                self.code(rax, at, which, codes)?;
                self.a.mov(qword_ptr(rsp + disp(to)), rax)
            }
            Arg::Kept {
                at,
                id,
                to: Place::Stack(to),
            } => {
                self.kept_code(rax, at, id)?;
                self.a.mov(qword_ptr(rsp + disp(to)), rax)
            }
            Arg::Destroy {
                to: Place::Stack(to),
            } => {
                self.address(rax, DESTROY_CODE)?;
                self.a.mov(qword_ptr(rsp + disp(to)), rax)
            }
            Arg::Mark {
                to: Place::Stack(to),
            } => self.a.mov(qword_ptr(rsp + disp(to)), r13),
            Arg::Part {
                part,
                to: Place::Stack(to),
            } => {
                self.load_int(rax, eax, part)?;
                self.unwrap_handle(rax, part.at)?;
                self.a.mov(qword_ptr(rsp + disp(to)), rax)
            }
            Arg::Fat {
                at,
                align,
                pointer: Place::Stack(p),
                length: Place::Stack(l),
                ..
            } => {
                self.load_fat(rax, rcx, at, align)?;
                self.a.mov(qword_ptr(rsp + disp(p)), rax)?;
                self.a.mov(qword_ptr(rsp + disp(l)), rcx)
            }
            Arg::Fat {
                at,
                length: Place::Stack(l),
                ..
            } => {
                self.a.mov(rax, qword_ptr(self.at(at + 8)))?;
                self.a.mov(qword_ptr(rsp + disp(l)), rax)
            }
            Arg::Copy { at, size, to } => self.copy(at, size, to),
            _ => Ok(()),
        }
    }

    fn register_arg(&mut self, arg: &Arg, codes: &[String]) -> Step {
        match *arg {
            Arg::Code {
                at,
                which,
                to: Place::Int(i),
            } => self.code(INT64[i], at, which, codes),
            Arg::Kept {
                at,
                id,
                to: Place::Int(i),
            } => self.kept_code(INT64[i], at, id),
            Arg::Destroy { to: Place::Int(i) } => self.address(INT64[i], DESTROY_CODE),
            Arg::Mark { to: Place::Int(i) } => self.a.mov(INT64[i], r13),
            Arg::Part {
                part,
                to: Place::Int(i),
            } => {
                self.load_int(INT64[i], INT32[i], part)?;
                self.unwrap_handle(INT64[i], part.at)
            }
            Arg::Part {
                part,
                to: Place::Sse(i),
            } => match part.size {
                4 => self.a.movss(SSE[i], dword_ptr(self.at(part.at))),
                _ => self.a.movsd_2(SSE[i], qword_ptr(self.at(part.at))),
            },
            Arg::Fat {
                at,
                align,
                pointer: Place::Int(p),
                length: Place::Int(l),
                ..
            } => self.load_fat(INT64[p], INT64[l], at, align),
            Arg::Fat {
                at,
                align,
                pointer: Place::Int(p),
                ..
            } => self.load_fat(INT64[p], rax, at, align),
            _ => Ok(()),
        }
    }

    /// Loads a pointer and a length, and gives an empty slice a pointer that Rust accepts.
    fn load_fat(
        &mut self,
        pointer: AsmRegister64,
        length: AsmRegister64,
        at: u64,
        align: u64,
    ) -> Step {
        if self.dangling != Some(align) {
            self.a.mov(r10d, disp(align))?;
            self.dangling = Some(align);
        }
        self.a.mov(length, qword_ptr(self.at(at + 8)))?;
        self.a.mov(pointer, qword_ptr(self.at(at)))?;
        self.a.test(length, length)?;
        self.a.cmovz(pointer, r10)
    }

    /// Copies a struct of class MEMORY in whole words, as the stack is laid out in them.
    fn copy(&mut self, at: u64, size: u64, to: u64) -> Step {
        let words = size.div_ceil(8);
        if size > UNROLLED {
            self.a.lea(rsi, self.at(at))?;
            match to {
                0 => self.a.mov(rdi, rsp)?,
                _ => self.a.lea(rdi, rsp + disp(to))?,
            }
            self.a.mov(ecx, disp(words))?;
            return self.a.rep().movsq();
        }
        for offset in (0..words).map(|w| w * 8) {
            self.a.mov(rax, qword_ptr(self.at(at + offset)))?;
            self.a.mov(qword_ptr(rsp + disp(to + offset)), rax)?;
        }
        Ok(())
    }

    fn result(&mut self, result: &Return) -> Step {
        match result {
            Return::None | Return::Memory { .. } => Ok(()),
            Return::Fat { at, capacity } => {
                // Go's stack copier stops the program on a pointer like 1, which is Rust's for an empty slice.
                self.a.xor(ecx, ecx)?;
                self.a.test(rdx, rdx)?;
                self.a.cmovz(rax, rcx)?;
                self.a.mov(qword_ptr(self.at(*at)), rax)?;
                self.a.mov(qword_ptr(self.at(at + 8)), rdx)?;
                match capacity {
                    true => self.a.mov(qword_ptr(self.at(at + 16)), rdx),
                    false => Ok(()),
                }
            }
            Return::Parts(parts) => {
                for (part, from) in parts {
                    let to = self.at(part.at);
                    match *from {
                        Place::Int(i) => self.store_int(&RESULT[i], *part)?,
                        Place::Sse(i) if part.size == 4 => self.a.movss(dword_ptr(to), SSE[i])?,
                        Place::Sse(i) => self.a.movsd_2(qword_ptr(to), SSE[i])?,
                        Place::Stack(_) => {}
                    }
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
#[path = "wrapper_tests.rs"]
mod tests;
