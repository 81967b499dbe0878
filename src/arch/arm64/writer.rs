//! Writes machine code with references to symbols and what the unwinder has to know: the means of the wrappers and of what stands for
//! Go functions. An instruction is a word; each method appends one, or as many as its operands need.

use super::abi::Part;
use super::encoding::bytes;
use super::reloc::{R_ADD_ABS_LO12_NC, R_ADR_PREL_PG_HI21, R_CALL26, R_JUMP26, R_LDST64_LO12_NC};
use crate::arch::{Code, CodeRef};
use crate::model::goabi::Frame;
use gimli::write::CallFrameInstruction;

/// A general register, or a vector register where an instruction says so; 31 is the stack pointer or zero, by the instruction (Arm ARM, C1.2.5).
pub(super) type Register = u32;

/// The stack pointer, as a base and in additions of constants.
pub(super) const SP: Register = 31;
/// Zero, everywhere else.
pub(super) const ZERO: Register = 31;
/// The link register, and the frame pointer of Go's and of C's.
pub(super) const LINK: Register = 30;
pub(super) const FP: Register = 29;
/// Go's `g`.
pub(super) const G: Register = 28;
/// A register for addresses that no instruction has room for (AAPCS64 6.1.1, "IP0"): nobody counts on it between any two instructions.
const FAR: Register = 16;

/// The control block, until the library is called.
pub(super) const CONTROL: Register = 11;

/// On a lane: the stub's stack pointer, where the frame goes by reference the frame, and the mark of a call that takes Go functions. C functions keep them.
pub(super) const STUB_SP: Register = 19;
pub(super) const FRAME: Register = 20;
pub(super) const MARK: Register = 21;

/// Bytes between the stub's stack pointer and its arguments (cmd/compile/abi-internal.md, "arm64 architecture").
pub(super) const ARGUMENTS: u64 = 8;
/// Bytes that a wrapper leaves below the stub's stack pointer, where the control block leads to: the return address to Go, and `g`.
pub(super) const LEFT: u64 = 16;

/// Where the frame lies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FramePlace {
    /// On the goroutine's stack.
    Stack,
    /// Behind a pointer there.
    Behind,
    /// At the lane's stack pointer.
    OnLane,
}

impl FramePlace {
    /// That of a frame which a stub hands over.
    pub fn of(frame: &Frame) -> Self {
        match frame.by_reference() {
            true => FramePlace::Behind,
            false => FramePlace::Stack,
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

/// A place that branches lead to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Label(usize);

/// Conditions (Arm ARM, C1.2.4).
#[derive(Clone, Copy)]
pub(super) enum If {
    Equal = 0,
    NotEqual = 1,
}

/// An access to memory: the instruction with an offset in units of its width, the one with any small offset, and that width.
#[derive(Clone, Copy)]
pub(super) struct Access {
    scaled: u32,
    unscaled: u32,
    width: u64,
}

macro_rules! accesses {
    ($($name:ident $scaled:literal $unscaled:literal $width:literal;)*) => {
        $(pub(super) const $name: Access = Access { scaled: $scaled, unscaled: $unscaled, width: $width };)*
    };
}

// Arm ARM, C4.1.94: "Load/store register (unsigned immediate)", "(unscaled immediate)".
accesses! {
    LDR 0xf940_0000 0xf840_0000 8;
    LDR_W 0xb940_0000 0xb840_0000 4;
    LDRH 0x7940_0000 0x7840_0000 2;
    LDRB 0x3940_0000 0x3840_0000 1;
    LDRSH_W 0x79c0_0000 0x78c0_0000 2;
    LDRSB_W 0x39c0_0000 0x38c0_0000 1;
    LDR_D 0xfd40_0000 0xfc40_0000 8;
    LDR_S 0xbd40_0000 0xbc40_0000 4;
    STR 0xf900_0000 0xf800_0000 8;
    STR_W 0xb900_0000 0xb800_0000 4;
    STRH 0x7900_0000 0x7800_0000 2;
    STRB 0x3900_0000 0x3800_0000 1;
    STR_D 0xfd00_0000 0xfc00_0000 8;
    STR_S 0xbd00_0000 0xbc00_0000 4;
}

/// Collects instructions, and notes which of them refer to symbols and labels.
pub(super) struct Writer {
    words: Vec<u32>,
    refs: Vec<CodeRef>,
    frame: Vec<(u32, CallFrameInstruction)>,
    /// Where each label is, in words.
    labels: Vec<Option<usize>>,
    /// Branches: which word, to which label, and how many bits from which on hold the distance.
    branches: Vec<(usize, Label, u32, u32)>,
    /// Where the frame lies.
    pub place: FramePlace,
    /// Whether the library keeps Go functions: the goroutine's stack may move while it runs.
    pub keeps: bool,
    /// The symbols of what stands for the functions that it keeps.
    pub kept: Vec<String>,
    /// The handles in the frame.
    pub handles: Vec<HandleSlot>,
}

impl Writer {
    /// No code yet, for a frame at `place`.
    pub fn new(place: FramePlace) -> Self {
        Writer {
            words: Vec::new(),
            refs: Vec::new(),
            frame: Vec::new(),
            labels: Vec::new(),
            branches: Vec::new(),
            place,
            keeps: false,
            kept: Vec::new(),
            handles: Vec::new(),
        }
    }

    fn emit(&mut self, word: u32) {
        self.words.push(word);
    }

    fn here(&self) -> u32 {
        4 * self.words.len() as u32
    }

    /// From here on the frame is another.
    pub fn frame_is(&mut self, now: CallFrameInstruction) {
        self.frame.push((self.here(), now));
    }

    fn refer(&mut self, r_type: u32, symbol: &str) {
        self.refs.push(CodeRef {
            offset: self.here().into(),
            r_type,
            symbol: symbol.to_owned(),
            addend: 0,
        });
    }

    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// The label is here.
    pub fn set(&mut self, label: Label) {
        let here = self.words.len();
        if let Some(place) = self.labels.get_mut(label.0) {
            *place = Some(here);
        }
    }

    fn to(&mut self, label: Label, word: u32, bits: u32, from: u32) {
        self.branches.push((self.words.len(), label, bits, from));
        self.emit(word);
    }

    /// b label
    pub fn branch(&mut self, label: Label) {
        self.to(label, 0x1400_0000, 26, 0);
    }

    /// b.cond label
    pub fn branch_if(&mut self, condition: If, label: Label) {
        self.to(label, 0x5400_0000 | condition as u32, 19, 5);
    }

    /// cbz Xt, label
    pub fn branch_if_zero(&mut self, register: Register, label: Label) {
        self.to(label, 0xb400_0000 | register, 19, 5);
    }

    /// cbnz Wt, label
    pub fn branch_unless_zero_w(&mut self, register: Register, label: Label) {
        self.to(label, 0x3500_0000 | register, 19, 5);
    }

    /// bl symbol
    pub fn call(&mut self, symbol: &str) {
        self.refer(R_CALL26, symbol);
        self.emit(0x9400_0000);
    }

    /// b symbol
    pub fn jump(&mut self, symbol: &str) {
        self.refer(R_JUMP26, symbol);
        self.emit(0x1400_0000);
    }

    /// blr Xn
    pub fn call_at(&mut self, register: Register) {
        self.emit(0xd63f_0000 | register << 5);
    }

    /// ret
    pub fn ret(&mut self) {
        self.emit(0xd65f_0000 | LINK << 5);
    }

    /// adrp, add: the address of a symbol.
    pub fn address(&mut self, to: Register, symbol: &str) {
        self.refer(R_ADR_PREL_PG_HI21, symbol);
        self.emit(0x9000_0000 | to);
        self.refer(R_ADD_ABS_LO12_NC, symbol);
        self.emit(0x9100_0000 | to << 5 | to);
    }

    /// adrp, ldr: the word at a symbol.
    pub fn word_at(&mut self, to: Register, symbol: &str) {
        self.refer(R_ADR_PREL_PG_HI21, symbol);
        self.emit(0x9000_0000 | to);
        self.refer(R_LDST64_LO12_NC, symbol);
        self.emit(LDR.scaled | to << 5 | to);
    }

    /// ldar Xt, [Xn]: what is read later is not older than this.
    pub fn load_acquire(&mut self, to: Register, from: Register) {
        self.emit(0xc8df_fc00 | from << 5 | to);
    }

    /// stlr Xt, [Xn]: what was read and written before is not later than this.
    pub fn store_release(&mut self, from: Register, to: Register) {
        self.emit(0xc89f_fc00 | to << 5 | from);
    }

    /// mov Xd, Xm (neither the stack pointer)
    pub fn mov(&mut self, to: Register, from: Register) {
        self.emit(0xaa00_03e0 | from << 16 | to);
    }

    /// A constant.
    pub fn constant(&mut self, to: Register, value: u64) {
        let piece = |n: u32| (value >> (16 * n)) as u32 & 0xffff;
        // movz, movk
        self.emit(0xd280_0000 | piece(0) << 5 | to);
        for n in (1..4).filter(|n| piece(*n) != 0) {
            self.emit(0xf280_0000 | n << 21 | piece(n) << 5 | to);
        }
    }

    /// A constant of 32 bits in two instructions, whatever it is.
    pub fn constant_w(&mut self, to: Register, value: u32) {
        self.emit(0x5280_0000 | (value & 0xffff) << 5 | to);
        self.emit(0x72a0_0000 | (value >> 16) << 5 | to);
    }

    /// Xd = Xn + constant; both may be the stack pointer.
    pub fn add(&mut self, to: Register, from: Register, value: u64) {
        let (low, high) = (value as u32 & 0xfff, (value >> 12) as u32);
        match value {
            0..0x1000 => self.emit(0x9100_0000 | low << 10 | from << 5 | to),
            0x1000..0x100_0000 => {
                self.emit(0x9140_0000 | high << 10 | from << 5 | to);
                if low != 0 {
                    self.emit(0x9100_0000 | low << 10 | to << 5 | to);
                }
            }
            _ => {
                self.constant(FAR, value);
                // The form in which 31 is the stack pointer.
                self.emit(0x8b20_6000 | FAR << 16 | from << 5 | to);
            }
        }
    }

    /// Xd = Xn - constant, which is below 16 MiB ([`crate::arch::passing::MAX_STACK_ARGS`]); both may be the stack pointer.
    pub fn sub(&mut self, to: Register, from: Register, value: u64) {
        let (low, high) = (value as u32 & 0xfff, (value >> 12) as u32);
        let mut from = from;
        if high != 0 {
            self.emit(0xd140_0000 | high << 10 | from << 5 | to);
            from = to;
        }
        if low != 0 || high == 0 {
            self.emit(0xd100_0000 | low << 10 | from << 5 | to);
        }
    }

    /// add Xd, Xn, Xm, lsl #4
    pub fn add_16_times(&mut self, to: Register, from: Register, index: Register) {
        self.emit(0x8b00_1000 | index << 16 | from << 5 | to);
    }

    /// mul Wd, Wn, Wm
    pub fn mul_w(&mut self, to: Register, a: Register, b: Register) {
        self.emit(0x1b00_7c00 | b << 16 | a << 5 | to);
    }

    /// lsr Wd, Wn, #shift
    pub fn shift_right_w(&mut self, to: Register, from: Register, shift: u32) {
        self.emit(0x5300_7c00 | shift << 16 | from << 5 | to);
    }

    /// lsr Xd, Xn, #shift
    pub fn shift_right(&mut self, to: Register, from: Register, shift: u32) {
        self.emit(0xd340_fc00 | shift << 16 | from << 5 | to);
    }

    /// cmp Xn, Xm
    pub fn compare(&mut self, a: Register, b: Register) {
        self.emit(0xeb00_001f | b << 16 | a << 5);
    }

    /// cmp Xn, #value, which is below 4096
    pub fn compare_with(&mut self, register: Register, value: u32) {
        self.emit(0xf100_001f | value << 10 | register << 5);
    }

    /// csel Xd, Xn, Xm, cond
    pub fn select(&mut self, to: Register, then: Register, otherwise: Register, condition: If) {
        self.emit(0x9a80_0000 | otherwise << 16 | (condition as u32) << 12 | then << 5 | to);
    }

    /// subs Xd, Xd, #1
    pub fn count_down(&mut self, register: Register) {
        self.emit(0xf100_0400 | register << 5 | register);
    }

    /// Adds 1 to the 32 bits at Xn, atomically, by way of x16 and x17 (Arm ARM, B2.9 "Synchronization and semaphores").
    pub fn increment_w(&mut self, at: Register) {
        let again = self.label();
        self.set(again);
        // ldaxr w16, [Xn]; add w16, w16, #1; stlxr w17, w16, [Xn]
        self.emit(0x885f_fc00 | at << 5 | FAR);
        self.emit(0x1100_0400 | FAR << 5 | FAR);
        self.emit(0x8800_fc00 | 17 << 16 | at << 5 | FAR);
        self.branch_unless_zero_w(17, again);
    }

    /// ldp Xa, Xb, [Xn]
    pub fn load_pair(&mut self, a: Register, b: Register, from: Register) {
        self.emit(0xa940_0000 | b << 10 | from << 5 | a);
    }

    /// ldp Xa, Xb, [Xn], #16
    pub fn load_pair_on(&mut self, a: Register, b: Register, from: Register) {
        self.emit(0xa8c1_0000 | b << 10 | from << 5 | a);
    }

    /// stp Xa, Xb, [Xn, #-16]
    pub fn store_pair_below(&mut self, a: Register, b: Register, to: Register) {
        self.emit(0xa93f_0000 | b << 10 | to << 5 | a);
    }

    /// stp Xa, Xb, [Xn, #-16]!
    pub fn push_pair(&mut self, a: Register, b: Register, to: Register) {
        self.emit(0xa9bf_0000 | b << 10 | to << 5 | a);
    }

    /// ldr Xt, [Xn], #8
    pub fn load_on(&mut self, to: Register, from: Register) {
        self.emit(0xf840_8400 | from << 5 | to);
    }

    /// str Xt, [Xn], #8
    pub fn store_on(&mut self, from: Register, to: Register) {
        self.emit(0xf800_8400 | to << 5 | from);
    }

    /// ldrb Wt, [Xn], #1
    pub fn load_byte_on(&mut self, to: Register, from: Register) {
        self.emit(0x3840_1400 | from << 5 | to);
    }

    /// strb Wt, [Xn], #1
    pub fn store_byte_on(&mut self, from: Register, to: Register) {
        self.emit(0x3800_1400 | to << 5 | from);
    }

    /// A load or store at a base, which may be the stack pointer, and an offset.
    pub fn access(&mut self, how: Access, register: Register, base: Register, offset: u64) {
        let scaled = offset / how.width;
        if offset.is_multiple_of(how.width) && scaled < 0x1000 {
            self.emit(how.scaled | (scaled as u32) << 10 | base << 5 | register);
        } else if offset < 0x100 {
            self.emit(how.unscaled | (offset as u32) << 12 | base << 5 | register);
        } else {
            self.add(FAR, base, offset);
            self.emit(how.scaled | FAR << 5 | register);
        }
    }

    /// Where a place in the frame is: a base and an offset. The registers survive the call; that into the stack is loaded anew where that moves.
    pub fn at(&self, offset: u64) -> (Register, u64) {
        match self.place {
            FramePlace::Behind => (FRAME, offset),
            FramePlace::Stack => (STUB_SP, ARGUMENTS + offset),
            FramePlace::OnLane => (SP, offset),
        }
    }

    /// [`Self::access`] to a place in the frame.
    pub fn frame(&mut self, how: Access, register: Register, at: u64) {
        let (base, offset) = self.at(at);
        self.access(how, register, base, offset);
    }

    /// Loads a word or less. Bytes of odd sizes are read with the next wider load: the callee ignores the rest, and
    /// above the frame there is always more to read from.
    pub fn load_int(&mut self, to: Register, part: Part) {
        let how = match (part.size, part.signed) {
            (1, false) => LDRB,
            (1, true) => LDRSB_W,
            (2, false) => LDRH,
            (2, true) => LDRSH_W,
            (3 | 4, _) => LDR_W,
            _ => LDR,
        };
        self.frame(how, to, part.at);
    }

    /// Stores exactly the bytes of the slot: what follows belongs to the Go caller. Changes the register.
    pub fn store_int(&mut self, from: Register, part: Part) {
        let mut done = 0;
        for (n, how) in [(8, STR), (4, STR_W), (2, STRH), (1, STRB)] {
            if part.size & n == 0 {
                continue;
            }
            self.frame(how, from, part.at + done);
            done += n;
            if done < part.size {
                self.shift_right(from, from, 8 * n as u32);
            }
        }
    }

    /// Copies words from x9 to x10, by way of x14 and x15.
    pub fn copy_words(&mut self, words: u64) {
        let again = self.label();
        self.constant(14, words);
        self.set(again);
        self.load_on(15, 9);
        self.store_on(15, 10);
        self.count_down(14);
        self.branch_if(If::NotEqual, again);
    }

    /// Copies bytes from x9 to x10, by way of x14 and x15.
    pub fn copy_bytes(&mut self, bytes: u64) {
        if bytes >= 8 {
            self.copy_words(bytes / 8);
        }
        for _ in 0..bytes % 8 {
            self.load_byte_on(15, 9);
            self.store_byte_on(15, 10);
        }
    }

    /// Fills the branches in.
    pub fn finish(mut self) -> Result<Code, String> {
        for (at, label, bits, from) in self.branches {
            let to = self.labels.get(label.0).copied().flatten();
            let to = to.ok_or("its wrapper has a branch to nowhere")?;
            let distance = to as i64 - at as i64;
            if !(-(1 << (bits - 1))..1 << (bits - 1)).contains(&distance) {
                return Err("its wrapper is too long for a branch".into());
            }
            if let Some(word) = self.words.get_mut(at) {
                *word |= (distance as u32 & ((1 << bits) - 1)) << from;
            }
        }
        Ok(Code {
            bytes: bytes(&self.words),
            refs: self.refs,
            frame: self.frame,
        })
    }
}
