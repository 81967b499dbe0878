//! Writes machine code with references to symbols and what the unwinder has to know: the means of the wrappers and of what stands for
//! Go functions.

use iced_x86::code_asm::*;
use iced_x86::{
    BlockEncoderOptions, Code as Opcode, ConstantOffsets, IcedError, Instruction, MemoryOperand,
    Register,
};

use super::abi::{self, Part};
use crate::arch::{Code, CodeRef};
use crate::model::goabi::Frame;
use gimli::write::CallFrameInstruction;

/// `S + A - P`, 32 bits (psABI 4.4.1).
pub(super) const R_X86_64_PC32: u32 = 2;

/// `L + A - P`, 32 bits: a call that may go through a linkage table.
pub(super) const R_X86_64_PLT32: u32 = 4;

/// Integer argument registers in order, at the widths that loads need.
pub(super) const INT64: [AsmRegister64; abi::INT_ARGS] = [rdi, rsi, rdx, rcx, r8, r9];

/// Floating-point argument registers in order.
pub(super) const SSE: [AsmRegisterXmm; abi::SSE_ARGS] =
    [xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7];

/// One register at all widths, to be stored.
pub(super) struct Widths(
    pub AsmRegister64,
    pub AsmRegister32,
    pub AsmRegister16,
    pub AsmRegister8,
);

/// Result registers for integers in order.
pub(super) const RESULT: [Widths; 2] = [Widths(rax, eax, ax, al), Widths(rdx, edx, dx, dl)];

/// Bytes between the stack pointer and the arguments.
pub(super) const RETURN_ADDRESS: u64 = 8;

/// Where the frame lies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FramePlace {
    /// Above the return address to Go; rbx leads there.
    AboveReturn,
    /// Behind a pointer there; r12 holds it.
    Behind,
    /// At the lane's stack pointer.
    OnLane,
}

impl FramePlace {
    /// That of a frame which a stub hands over.
    pub fn of(frame: &Frame) -> Self {
        match frame.by_reference() {
            true => FramePlace::Behind,
            false => FramePlace::AboveReturn,
        }
    }
}

/// A handle in the frame.
#[derive(Clone, Copy)]
pub(super) struct HandleSlot {
    /// Where in the frame.
    pub at: u64,
    /// Which of the lane's uses.
    pub slot: u64,
    pub taken: bool,
    pub nullable: bool,
}

/// Collects instructions, and notes which of them refer to symbols.
pub(super) struct Writer {
    pub a: CodeAssembler,
    /// Index of the instruction, relocation type, symbol.
    refs: Vec<(usize, u32, String)>,
    /// Index of the instruction before which the frame changes.
    frame: Vec<(usize, CallFrameInstruction)>,
    /// The value that r10 holds for empty slices.
    pub dangling: Option<u64>,
    /// Where the frame lies.
    pub place: FramePlace,
    /// The handles in the frame.
    pub handles: Vec<HandleSlot>,
    /// Whether the library keeps Go functions: the goroutine's stack may move while it runs.
    pub keeps: bool,
    /// The symbols of what stands for the functions that it keeps.
    pub kept: Vec<String>,
}

/// What each instruction can come to.
pub(super) type Step = Result<(), IcedError>;

impl Writer {
    /// No code yet, for a frame at `place`.
    pub fn new(place: FramePlace) -> Result<Self, IcedError> {
        Ok(Writer {
            a: CodeAssembler::new(64)?,
            refs: Vec::new(),
            frame: Vec::new(),
            dangling: None,
            place,
            handles: Vec::new(),
            keeps: false,
            kept: Vec::new(),
        })
    }

    /// A call of code that other code may return to Go from. The processor foresees each return from the call instruction it belongs to (its
    /// return stack), and would wait for the wrong code from then on: this call, and the return that belongs to it, it does not see.
    pub fn call_unforeseen(&mut self, symbol: &str) -> Step {
        let mut back = self.a.create_label();
        self.a.lea(rax, ptr(back))?;
        self.a.push(rax)?;
        self.address(rax, symbol)?;
        self.a.jmp(rax)?;
        self.a.set_label(&mut back)
    }

    /// See [`Self::call_unforeseen`].
    pub fn return_unforeseen(&mut self) -> Step {
        self.a.pop(rcx)?;
        self.a.jmp(rcx)
    }

    /// A place in the frame. The registers survive the call; that into the stack is loaded anew where that moves.
    pub fn at(&self, offset: u64) -> AsmMemoryOperand {
        match self.place {
            FramePlace::Behind => r12 + disp(offset),
            FramePlace::AboveReturn => rbx + disp(RETURN_ADDRESS + offset),
            FramePlace::OnLane => rsp + disp(offset),
        }
    }

    /// The address of a symbol.
    pub fn address(&mut self, to: AsmRegister64, symbol: &str) -> Step {
        self.refer(R_X86_64_PC32, symbol);
        let place = MemoryOperand::with_base_displ(Register::RIP, 0);
        let lea = Instruction::with2(Opcode::Lea_r64_m, to.into(), place)?;
        self.a.add_instruction(lea)
    }

    /// Loads an eightbyte. Bytes of odd sizes are read with the next wider load: the callee ignores the rest, and
    /// above the frame there is always more stack to read from.
    pub fn load_int(&mut self, wide: AsmRegister64, narrow: AsmRegister32, part: Part) -> Step {
        let from = self.at(part.at);
        match (part.size, part.signed) {
            (1, false) => self.a.movzx(narrow, byte_ptr(from)),
            (1, true) => self.a.movsx(narrow, byte_ptr(from)),
            (2, false) => self.a.movzx(narrow, word_ptr(from)),
            (2, true) => self.a.movsx(narrow, word_ptr(from)),
            (3 | 4, _) => self.a.mov(narrow, dword_ptr(from)),
            _ => self.a.mov(wide, qword_ptr(from)),
        }
    }

    /// Stores exactly the bytes of the slot: what follows belongs to the Go caller.
    pub fn store_int(&mut self, register: &Widths, part: Part) -> Step {
        let Widths(wide, dword, word, byte) = register;
        let mut done = 0;
        for n in [8, 4, 2, 1].into_iter().filter(|n| part.size & n != 0) {
            let to = self.at(part.at + done);
            match n {
                8 => self.a.mov(qword_ptr(to), *wide)?,
                4 => self.a.mov(dword_ptr(to), *dword)?,
                2 => self.a.mov(word_ptr(to), *word)?,
                _ => self.a.mov(byte_ptr(to), *byte)?,
            }
            done += n;
            if done < part.size {
                self.a.shr(*wide, disp(n * 8))?;
            }
        }
        Ok(())
    }

    pub fn call(&mut self, symbol: &str) -> Step {
        self.refer(R_X86_64_PLT32, symbol);
        self.a.call(0u64)
    }

    /// Before the next instruction the frame changes.
    pub fn frame_is(&mut self, now: CallFrameInstruction) {
        self.frame.push((self.a.instructions().len(), now));
    }

    /// The next instruction refers to a symbol.
    pub fn refer(&mut self, r_type: u32, symbol: &str) {
        let index = self.a.instructions().len();
        self.refs.push((index, r_type, symbol.to_owned()));
    }

    /// Encodes, and turns the references into relocations: the field is cleared, since a RELA entry carries the addend.
    pub fn finish(mut self) -> Result<Code, String> {
        let options = BlockEncoderOptions::RETURN_NEW_INSTRUCTION_OFFSETS
            | BlockEncoderOptions::RETURN_CONSTANT_OFFSETS;
        let block = self.a.assemble_options(0, options).map_err(broken)?.inner;
        let mut bytes = block.code_buffer;
        let mut refs = Vec::new();
        for (index, r_type, symbol) in self.refs {
            let start = block.new_instruction_offsets.get(index);
            let constants = block.constant_offsets.get(index);
            let offset = start
                .zip(constants)
                .and_then(|(s, c)| Some(*s as usize + field(c)?));
            match offset.and_then(|o| Some((o, bytes.get_mut(o..o + 4)?))) {
                Some((offset, value)) => {
                    value.fill(0);
                    refs.push(CodeRef {
                        offset: offset as u64,
                        r_type,
                        symbol,
                        // The field ends the instruction, and the processor counts from there.
                        addend: -4,
                    });
                }
                None => {
                    return Err(format!(
                        "its wrapper has no room for a reference to {symbol}"
                    ));
                }
            }
        }
        let mut frame = Vec::new();
        for (index, now) in self.frame {
            let offset = block.new_instruction_offsets.get(index);
            let offset = offset.ok_or("its wrapper has a frame without an end")?;
            frame.push((*offset, now));
        }
        Ok(Code { bytes, refs, frame })
    }
}

/// An operand that the assembler refuses: a fault of this folder, not of the input.
pub(super) fn broken(e: IcedError) -> String {
    format!("its wrapper cannot be encoded: {e}")
}

/// Where in an instruction its 32-bit PC-relative field lies.
fn field(constants: &ConstantOffsets) -> Option<usize> {
    match (constants.displacement_size(), constants.immediate_size()) {
        (4, _) => Some(constants.displacement_offset()),
        (0, 4) => Some(constants.immediate_offset()),
        _ => None,
    }
}

/// An offset as a displacement or immediate. It fits: [`abi::assign`] refuses larger frames.
pub(super) fn disp(n: u64) -> i32 {
    n as i32
}
