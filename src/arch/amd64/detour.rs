//! What replaces one use of the thread pointer.
//!
//! The base of the lane, `SP & -size`, takes the place of the thread pointer: it is another number on each thread, never 0, and a
//! thread-local's offset in the lane, added to it, is its address. Flags and registers stay as the instruction leaves them, and so does
//! the red zone, the 128 bytes below the stack pointer that a function may use (psABI 3.2.2).

use super::flags;
use super::steps::{FieldOf, Step};
use iced_x86::{
    Code, Decoder, DecoderOptions, Encoder, Instruction, InstructionInfoFactory, MemoryOperand,
    MemorySize, Mnemonic, OpAccess, OpKind, Register,
};

/// What the instruction reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// `fs:0`, the thread pointer itself.
    Pointer,
    /// `fs:40`, the stack protector's value.
    Protector,
    /// A thread-local.
    Local,
}

/// A register that holds an offset which is not known yet: the instruction before has loaded it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub register: Register,
    /// Where the field of that instruction is.
    pub from: u64,
}

/// Why there is nothing to replace it with.
pub(super) type Refused = String;

/// The red zone.
const RED_ZONE: i64 = 128;
/// A displacement that takes 32 bits: a field in waiting.
const WIDE: u64 = 0x7fff_ffff;

/// One use and what is around it.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    /// The code from the instruction on.
    pub code: &'a [Instruction],
    /// Which use it is.
    pub what: Use,
    /// Where its displacement is, if that is the field of an offset.
    pub field: Option<u64>,
    /// Bytes of a lane.
    pub lane_size: u64,
}

impl Site<'_> {
    fn instruction(&self) -> &Instruction {
        &self.code[0]
    }

    /// The code that does what the instruction does.
    pub fn replaced(&self) -> Result<Vec<Step>, Refused> {
        let i = self.instruction();
        if self.uses(Register::RSP) || i.stack_pointer_increment() != 0 {
            return Err("it also uses the stack pointer".to_owned());
        }
        if i.is_vsib() {
            return Err("it reads from many places".to_owned());
        }
        let wide = |r: Register| r == Register::None || (r.is_gpr64() && r != Register::RSP);
        if !wide(i.memory_base()) || !wide(i.memory_index()) {
            return Err("its address has 32 bits".to_owned());
        }
        let address = [i.memory_base(), i.memory_index()];
        match overwritten(i) {
            Some(free) if !address.contains(&free) => Ok(self.through_free(free)),
            _ => SCRATCH
                .iter()
                .filter(|r| !self.uses(**r))
                .map(|r| self.through_saved(*r))
                .find(|steps| steps.iter().all(|s| is_encodable(&s.i)))
                .ok_or_else(|| "no form of it has another address".to_owned()),
        }
    }

    /// A call or jump to where a thread-local points, as a jump; a call's code is itself called. R11 is nobody's at a call (psABI 3.2.1).
    pub fn jump(&self) -> Result<Vec<Step>, Refused> {
        const FREE: Register = Register::R11;
        let i = self.instruction();
        let wide =
            |r: Register| r == Register::None || (r.is_gpr64() && r != Register::RSP && r != FREE);
        if !wide(i.memory_base()) || !wide(i.memory_index()) || self.what != Use::Local {
            return Err("it goes to an address that is computed in an unusual way".to_owned());
        }
        let mut load = *i;
        load.set_code(Code::Mov_r64_rm64);
        load.set_op1_kind(OpKind::Memory);
        load.set_op0_kind(OpKind::Register);
        load.set_op0_register(FREE);
        let site = Site {
            code: &[load],
            ..*self
        };
        let mut steps = vec![
            Step::plain(two(Code::Mov_r64_rm64, FREE, Register::RSP)),
            Step::plain(masked(FREE, self.lane_size)),
        ];
        let last = site.accessing(FREE, &mut steps);
        steps.extend(last);
        steps.push(Step::plain(
            Instruction::with1(Code::Jmp_rm64, FREE).unwrap_or_default(),
        ));
        match steps.iter().all(|s| is_encodable(&s.i)) {
            true => Ok(steps),
            false => Err("it has no such form".to_owned()),
        }
    }

    /// Whether the instruction uses a register or a part of it.
    fn uses(&self, register: Register) -> bool {
        let mut factory = InstructionInfoFactory::new();
        let mut used = factory.info(self.instruction()).used_registers().iter();
        used.any(|u| u.register().full_register() == register)
    }

    fn flags_are_dead(&self) -> bool {
        flags::are_dead(self.code.iter())
    }

    /// The code that does what the instruction does and the one that loads its base register, in place of both: the register gets the
    /// thread-local's address; behind the instruction it has its offset, if that can matter. None if the instruction needs it.
    pub fn replaced_with(&self, known: Known) -> Option<Vec<Step>> {
        let mut i = *self.instruction();
        let overwritten = overwritten(&i);
        let base = known.register;
        let others = (0..i.op_count()).filter(|n| {
            i.op_kind(*n) == OpKind::Register && i.op_register(*n).full_register() == base
        });
        let others = others.count();
        if self.what != Use::Local
            || !is_explicit(&i)
            || self.uses(Register::RSP)
            || self.field.is_some()
            || i.memory_base() != base
            || i.memory_index() != Register::None
            || (others != 0 && (overwritten != Some(base) || others != 1))
        {
            return None;
        }
        let plus = i.memory_displacement64() as i64;
        i.set_segment_prefix(Register::None);
        i.set_memory_displacement64(WIDE);
        i.set_memory_displ_size(8);
        let mut steps = self.lane_base(base, true);
        steps.push(Step {
            i,
            fields: vec![FieldOf {
                from: known.from,
                displacement: true,
                plus,
            }],
        });
        if overwritten != Some(base) {
            steps.push(Step {
                i: offset_load(base),
                fields: vec![FieldOf {
                    from: known.from,
                    displacement: false,
                    plus: 0,
                }],
            });
        }
        steps.iter().all(|s| is_encodable(&s.i)).then_some(steps)
    }

    /// The register that the instruction overwrites anyway serves.
    fn through_free(&self, free: Register) -> Vec<Step> {
        let mut steps = self.lane_base(free, true);
        if let Some(last) = self.accessing(free, &mut steps) {
            steps.push(last);
        }
        steps
    }

    /// A register is saved below the red zone.
    fn through_saved(&self, scratch: Register) -> Vec<Step> {
        let mut steps = vec![stack(-RED_ZONE), push(scratch)];
        let mut inner = self.lane_base(scratch, false);
        steps.append(&mut inner);
        let flags = !self.flags_are_dead();
        let last = self.accessing(scratch, &mut steps);
        if flags {
            steps.push(flags_back());
        }
        steps.extend(last);
        steps.extend([pop(scratch), stack(RED_ZONE)]);
        steps
    }

    /// The base of the lane, in `to`. Flags that matter are kept: `whole` says whether here, or else they lie on the stack.
    fn lane_base(&self, to: Register, whole: bool) -> Vec<Step> {
        let mut steps = Vec::new();
        let flags = !self.flags_are_dead();
        if flags {
            if whole {
                steps.push(stack(-RED_ZONE));
            }
            steps.push(Step::plain(Instruction::with(Code::Pushfq)));
        }
        steps.extend([
            Step::plain(two(Code::Mov_r64_rm64, to, Register::RSP)),
            Step::plain(masked(to, self.lane_size)),
        ]);
        if flags && whole {
            steps.extend([flags_back(), stack(RED_ZONE)]);
        }
        steps
    }

    /// The instruction with `base`, the base of the lane, in the thread pointer's place. None if nothing is left to do.
    fn accessing(&self, base: Register, steps: &mut Vec<Step>) -> Option<Step> {
        let mut i = *self.instruction();
        i.set_segment_prefix(Register::None);
        if self.what == Use::Pointer {
            let operand = (0..i.op_count()).find(|n| i.op_kind(*n) == OpKind::Memory)?;
            i.set_op_kind(operand, OpKind::Register);
            i.set_op_register(operand, base);
            let itself = i.code() == Code::Mov_r64_rm64 && i.op0_register() == base;
            return (!itself).then(|| Step::plain(i));
        }
        if i.memory_index() == Register::None {
            i.set_memory_index(i.memory_base());
            i.set_memory_index_scale(1);
        } else if i.memory_base() != Register::None {
            let sum = MemoryOperand::with_base_index(base, i.memory_base());
            steps.push(Step::plain(memory(Code::Lea_r64_m, base, sum)));
        }
        i.set_memory_base(base);
        let mut fields = Vec::new();
        if let Some(from) = self.field {
            i.set_memory_displacement64(WIDE);
            i.set_memory_displ_size(8);
            fields.push(FieldOf {
                from,
                displacement: true,
                plus: 0,
            });
        } else if i.memory_displ_size() > 0 {
            i.set_memory_displ_size(8);
        }
        Some(Step { i, fields })
    }
}

/// Registers to be saved. Those in front need no prefix, which instructions with AH and its kin cannot have.
const SCRATCH: [Register; 8] = [
    Register::RCX,
    Register::RAX,
    Register::RDX,
    Register::RBX,
    Register::RSI,
    Register::RDI,
    Register::R8,
    Register::R9,
];

/// The register that the instruction overwrites whole, and which is not looked at besides its use in the address.
fn overwritten(i: &Instruction) -> Option<Register> {
    use Mnemonic::*;
    let to = i.op0_register();
    let moves = matches!(i.mnemonic(), Mov | Movzx | Movsx | Movsxd);
    let whole = i.op0_kind() == OpKind::Register && (to.is_gpr32() || to.is_gpr64());
    (moves && whole).then(|| to.full_register())
}

/// Whether the instruction uses no registers but those that it names.
fn is_explicit(i: &Instruction) -> bool {
    use Mnemonic::*;
    let integers = matches!(
        i.mnemonic(),
        Mov | Movzx | Movsx | Movsxd | Cmp | Test | Add | Sub | And | Or | Xor | Inc | Dec
    );
    integers
        || matches!(
            i.mnemonic(),
            Movups | Movaps | Movdqu | Movdqa | Movss | Movq | Movd
        )
}

/// Whether an instruction calls, or goes on, where its memory operand points.
pub(super) fn goes_through(i: &Instruction) -> bool {
    matches!(i.code(), Code::Call_rm64 | Code::Jmp_rm64)
}

/// Whether an instruction does no more to its memory operand than read it.
pub(super) fn only_reads(i: &Instruction) -> bool {
    let mut factory = InstructionInfoFactory::new();
    let memory = factory.info(i).used_memory();
    memory.iter().all(|m| m.access() == OpAccess::Read)
}

/// Whether the operand is a word of 64 bits.
pub(super) fn is_word(i: &Instruction) -> bool {
    matches!(i.memory_size(), MemorySize::UInt64 | MemorySize::Int64)
}

/// `fs:40` becomes the protector's value in the image. The displacement is the field.
pub(super) fn protector(i: &Instruction) -> Instruction {
    let mut new = *i;
    new.set_segment_prefix(Register::None);
    new.set_memory_base(Register::RIP);
    new.set_memory_displ_size(8);
    new.set_memory_displacement64(i.next_ip());
    new
}

/// Whether the instruction loads the offset of a thread-local.
pub(super) fn is_offset_load(i: &Instruction) -> bool {
    i.code() == Code::Mov_rm64_imm32 && i.op0_kind() == OpKind::Register
}

fn offset_load(to: Register) -> Instruction {
    let load = Instruction::with2(Code::Mov_rm64_imm32, to, WIDE as i32);
    load.unwrap_or_default()
}

/// Adds to the stack pointer, and leaves the flags.
fn stack(by: i64) -> Step {
    let place = MemoryOperand::with_base_displ(Register::RSP, by);
    Step::plain(memory(Code::Lea_r64_m, Register::RSP, place))
}

fn push(r: Register) -> Step {
    Step::plain(Instruction::with1(Code::Push_r64, r).unwrap_or_default())
}

fn pop(r: Register) -> Step {
    Step::plain(Instruction::with1(Code::Pop_r64, r).unwrap_or_default())
}

fn flags_back() -> Step {
    Step::plain(Instruction::with(Code::Popfq))
}

fn two(code: Code, a: Register, b: Register) -> Instruction {
    Instruction::with2(code, a, b).unwrap_or_default()
}

fn memory(code: Code, a: Register, m: MemoryOperand) -> Instruction {
    Instruction::with2(code, a, m).unwrap_or_default()
}

/// `and r, -size`. RAX has a shorter form.
fn masked(r: Register, lane_size: u64) -> Instruction {
    let code = match r {
        Register::RAX => Code::And_RAX_imm32,
        _ => Code::And_rm64_imm32,
    };
    let mask = i32::try_from(-(lane_size as i64));
    mask.ok()
        .and_then(|mask| Instruction::with2(code, r, mask).ok())
        .unwrap_or_default()
}

/// Whether the encoder takes it, and the decoder reads the same from what it made.
fn is_encodable(i: &Instruction) -> bool {
    let mut encoder = Encoder::new(64);
    if i.is_invalid() || encoder.encode(i, i.ip()).is_err() {
        return false;
    }
    let bytes = encoder.take_buffer();
    let mut decoder = Decoder::with_ip(64, &bytes, i.ip(), DecoderOptions::NONE);
    decoder.decode().code() == i.code()
}
