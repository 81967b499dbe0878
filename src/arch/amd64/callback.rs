//! What stands for a Go function: code with its C signature, that Rust is given the address of.
//!
//! It lays out what Rust gave as Go would (`crate::model::goabi::callback`), on the lane's own stack, and has the runtime return to Go with
//! the address of that; when Go comes back, the result is there. The user data that came along says which call it was meant for.
//!
//! ```text
//! rsp -> the frame | the address for a result of class MEMORY | padding | return address | stack arguments
//! ```

use iced_x86::code_asm::*;

use super::abi::{self, Arg, Call, Part, Place, Return};
use super::wrapper::UNROLLED;
use super::writer::{
    FramePlace, INT64, RESULT, RETURN_ADDRESS, SSE, Step, Widths, Writer, broken, disp,
};
use crate::arch::{Called, Code, GoFunction};
use crate::contract::KEPT_BY_NAME;
use crate::model::Api;
use crate::model::goabi::Frame;
use gimli::X86_64;
use gimli::write::CallFrameInstruction;

/// The code that has Go called.
pub(super) fn emit(api: &Api, function: &GoFunction<'_>) -> Result<Code, String> {
    let (frame, call) = abi::callback(api, &function.params, function.result)?;
    let user = function
        .user
        .and_then(|i| frame.params.get(i))
        .map(|slot| slot.offset);
    let mut t = Trampoline {
        w: Writer::new(FramePlace::OnLane).map_err(broken)?,
        room: room(&frame, function.called),
        called: function.called,
    };
    t.whole(&frame, &call, function, user).map_err(broken)?;
    t.w.finish()
}

/// Where the address for a result of class MEMORY is kept: behind the frame.
fn memory_at(frame: &Frame) -> u64 {
    frame.size.next_multiple_of(8)
}

/// Where the number of a piece of code is kept: behind that.
fn number_at(frame: &Frame) -> u64 {
    memory_at(frame) + 8
}

/// Bytes below the return address. With that the stack is aligned to 16 again.
fn room(frame: &Frame, called: Called) -> u64 {
    let end = match called {
        Called::Pooled => number_at(frame) + 8,
        Called::Given | Called::Kept | Called::Imported => number_at(frame),
    };
    (end + RETURN_ADDRESS).next_multiple_of(16) - RETURN_ADDRESS
}

/// Registers of arguments, at all widths.
const INT: [Widths; abi::INT_ARGS] = [
    Widths(rdi, edi, di, dil),
    Widths(rsi, esi, si, sil),
    Widths(rdx, edx, dx, dl),
    Widths(rcx, ecx, cx, cl),
    Widths(r8, r8d, r8w, r8b),
    Widths(r9, r9d, r9w, r9b),
];
const SCRATCH: Widths = Widths(rax, eax, ax, al);

struct Trampoline {
    w: Writer,
    room: u64,
    called: Called,
}

impl Trampoline {
    fn whole(
        &mut self,
        frame: &Frame,
        call: &Call,
        function: &GoFunction<'_>,
        user: Option<u64>,
    ) -> Step {
        self.w.a.sub(rsp, disp(self.room))?;
        let cfa = |n: u64| CallFrameInstruction::Cfa(X86_64::RSP, disp(n));
        self.w.frame_is(cfa(RETURN_ADDRESS + self.room));
        if self.called == Called::Pooled {
            let to = rsp + disp(number_at(frame));
            self.w.a.mov(dword_ptr(to), eax)?;
        }
        if let Return::Memory { .. } = call.result {
            self.w.a.mov(qword_ptr(rsp + disp(memory_at(frame))), rdi)?;
        }
        for arg in &call.args {
            self.store_register(arg)?;
        }
        for arg in &call.args {
            self.store_stacked(arg)?;
        }
        self.clear_result(frame)?;
        match user {
            Some(at) => self.w.a.mov(rcx, qword_ptr(rsp + disp(at)))?,
            None => match self.called {
                Called::Imported => self.w.a.mov(ecx, disp(KEPT_BY_NAME))?,
                Called::Pooled => {
                    let number = rsp + disp(number_at(frame));
                    self.w.a.mov(ecx, dword_ptr(number))?;
                }
                Called::Given | Called::Kept => self.w.a.xor(ecx, ecx)?,
            },
        }
        self.w.a.mov(rdi, rsp)?;
        self.w.a.mov(esi, disp(function.which as u64))?;
        self.w.address(rdx, &function.callee)?;
        self.w.call_unforeseen(self.called.by())?;
        self.result(frame, &call.result)?;
        self.w.a.add(rsp, disp(self.room))?;
        self.w.frame_is(cfa(RETURN_ADDRESS));
        self.w.return_unforeseen()
    }

    /// What Rust handed over on the stack.
    fn above(&self, at: u64) -> AsmMemoryOperand {
        rsp + disp(self.room + RETURN_ADDRESS + at)
    }

    fn store_register(&mut self, arg: &Arg) -> Step {
        match *arg {
            Arg::Part {
                part,
                to: Place::Int(i),
            } => self.w.store_int(&INT[i], part),
            Arg::Part {
                part,
                to: Place::Sse(i),
            } => {
                let to = self.w.at(part.at);
                match part.size {
                    4 => self.w.a.movss(dword_ptr(to), SSE[i]),
                    _ => self.w.a.movsd_2(qword_ptr(to), SSE[i]),
                }
            }
            Arg::Fat {
                at,
                pointer: Place::Int(p),
                length: Place::Int(l),
                capacity,
                ..
            } => self.store_fat(INT64[p], INT64[l], at, capacity),
            _ => Ok(()),
        }
    }

    /// Comes after what was in registers: these are free now.
    fn store_stacked(&mut self, arg: &Arg) -> Step {
        match *arg {
            Arg::Part {
                part,
                to: Place::Stack(from),
            } => {
                let from = self.above(from);
                self.w.a.mov(rax, qword_ptr(from))?;
                self.w.store_int(&SCRATCH, part)
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
                self.w.a.mov(rdx, qword_ptr(p))?;
                self.w.a.mov(rcx, qword_ptr(l))?;
                self.store_fat(rdx, rcx, at, capacity)
            }
            Arg::Copy { at, size, to } => {
                let from = self.above(to);
                self.w.a.lea(rsi, from)?;
                let to = self.w.at(at);
                self.w.a.lea(rdi, to)?;
                self.copy(size)
            }
            _ => Ok(()),
        }
    }

    /// A string or slice. Go's stack copier stops the program on a pointer like 1, which is Rust's for an empty one.
    fn store_fat(
        &mut self,
        pointer: AsmRegister64,
        length: AsmRegister64,
        at: u64,
        capacity: bool,
    ) -> Step {
        self.w.a.xor(eax, eax)?;
        self.w.a.test(length, length)?;
        self.w.a.cmovz(pointer, rax)?;
        let place = |i: u64| self.w.at(at + 8 * i);
        let (first, second, third) = (place(0), place(1), place(2));
        self.w.a.mov(qword_ptr(first), pointer)?;
        self.w.a.mov(qword_ptr(second), length)?;
        match capacity {
            true => self.w.a.mov(qword_ptr(third), length),
            false => Ok(()),
        }
    }

    /// Copies exactly `size` bytes from rsi to rdi.
    fn copy(&mut self, size: u64) -> Step {
        self.w.a.mov(ecx, disp(size))?;
        self.w.a.rep().movsb()
    }

    /// Go's write barrier looks at what was there before.
    fn clear_result(&mut self, frame: &Frame) -> Step {
        let Some(slot) = frame.result else {
            return Ok(());
        };
        let end = memory_at(frame);
        if end - slot.offset > UNROLLED {
            let to = self.w.at(slot.offset);
            self.w.a.lea(rdi, to)?;
            self.w.a.xor(eax, eax)?;
            self.w.a.mov(ecx, disp((end - slot.offset) / 8))?;
            return self.w.a.rep().stosq();
        }
        // Results begin at a word, and behind them lies the rest of the last one.
        for at in (slot.offset..end).step_by(8) {
            let to = self.w.at(at);
            self.w.a.mov(qword_ptr(to), 0)?;
        }
        Ok(())
    }

    fn result(&mut self, frame: &Frame, result: &Return) -> Step {
        match result {
            Return::None | Return::Fat { .. } => Ok(()),
            Return::Parts(parts) => {
                for (part, to) in parts {
                    self.result_part(*part, *to)?;
                }
                Ok(())
            }
            Return::Memory { at } => {
                let from = self.w.at(*at);
                self.w.a.lea(rsi, from)?;
                self.w.a.mov(rdi, qword_ptr(rsp + disp(memory_at(frame))))?;
                // The caller expects the address back.
                self.w.a.mov(rax, rdi)?;
                let size = frame.result.map_or(0, |slot| slot.size);
                self.copy(size)
            }
        }
    }

    fn result_part(&mut self, part: Part, to: Place) -> Step {
        match to {
            Place::Int(i) => {
                let Widths(wide, narrow, ..) = RESULT[i];
                self.w.load_int(wide, narrow, part)
            }
            Place::Sse(i) => {
                let from = self.w.at(part.at);
                match part.size {
                    4 => self.w.a.movss(SSE[i], dword_ptr(from)),
                    _ => self.w.a.movsd_2(SSE[i], qword_ptr(from)),
                }
            }
            Place::Stack(_) => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "callback_tests.rs"]
mod tests;
