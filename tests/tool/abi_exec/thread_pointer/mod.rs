//! Code that goes through the thread pointer, and what replaces it: run side by side, the one with `fs` at the base of a lane, the other without.
//! Registers, flags, the red zone and all memory above must be the same in the end.

mod cases;

use iced_x86::code_asm::*;
use iced_x86::{Code, Decoder, DecoderOptions, Instruction, OpKind, Register};
use memmap2::MmapMut;
use rsyso::internals::arch::{self, Arch, thread_pointer};
use std::arch::naked_asm;
use std::collections::{BTreeMap, BTreeSet, HashSet};

const LANE: usize = 1 << 16;
/// Where the thread-locals are in the lane; more than 15 bits, so that no short form holds it.
const LOCAL: i32 = 0x9100;
/// Where the stack pointer is when the code begins: at a return address.
const STACK: usize = 0x8000;
const RED_ZONE: usize = 128;
/// Of the code and what is appended to it; the stack protector's value follows.
const ROOM: usize = 4096;
const PROTECTOR: i32 = 0x28;

/// What the code runs with, and what it leaves. The fields behind the flags are the harness's.
#[repr(C)]
#[derive(Clone, Default, PartialEq, Debug)]
struct State {
    registers: [u64; 16],
    flags: u64,
    host: u64,
    old_fs: u64,
}

/// Runs `code` with the registers and flags of `state`, and with `base` as the thread pointer, unless that is 0.
#[unsafe(naked)]
extern "C" fn run(code: *const u8, state: *mut State, base: usize) {
    naked_asm!(
        "push rbx",
        "push rbp",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov [rsi + 17*8], rsp",
        "mov r12, rdi",
        "mov r13, rsi",
        "mov r14, rdx",
        "test rdx, rdx",
        "jz 2f",
        "mov edi, 0x1003", // ARCH_GET_FS
        "lea rsi, [r13 + 18*8]",
        "mov eax, 158", // arch_prctl
        "syscall",
        "mov edi, 0x1002", // ARCH_SET_FS
        "mov rsi, r14",
        "mov eax, 158",
        "syscall",
        "2:",
        "mov rsi, r13",
        "push qword ptr [rsi + 16*8]",
        "popfq",
        // On the lane: the return address, the state, the code.
        "mov rsp, [rsi + 4*8]",
        "lea rax, [rip + 3f]",
        "mov [rsp], rax",
        "mov [rsp + 8], rsi",
        "mov [rsp + 16], r12",
        "mov [rsp + 24], r14",
        "mov rax, [rsi]",
        "mov rcx, [rsi + 8]",
        "mov rdx, [rsi + 2*8]",
        "mov rbx, [rsi + 3*8]",
        "mov rbp, [rsi + 5*8]",
        "mov rdi, [rsi + 7*8]",
        "mov r8, [rsi + 8*8]",
        "mov r9, [rsi + 9*8]",
        "mov r10, [rsi + 10*8]",
        "mov r11, [rsi + 11*8]",
        "mov r12, [rsi + 12*8]",
        "mov r13, [rsi + 13*8]",
        "mov r14, [rsi + 14*8]",
        "mov r15, [rsi + 15*8]",
        "mov rsi, [rsi + 6*8]",
        "jmp qword ptr [rsp + 16]",
        "3:",
        "xchg rax, [rsp]",
        "mov [rax + 8], rcx",
        "mov [rax + 2*8], rdx",
        "mov [rax + 3*8], rbx",
        "mov [rax + 4*8], rsp",
        "mov [rax + 5*8], rbp",
        "mov [rax + 6*8], rsi",
        "mov [rax + 7*8], rdi",
        "mov [rax + 8*8], r8",
        "mov [rax + 9*8], r9",
        "mov [rax + 10*8], r10",
        "mov [rax + 11*8], r11",
        "mov [rax + 12*8], r12",
        "mov [rax + 13*8], r13",
        "mov [rax + 14*8], r14",
        "mov [rax + 15*8], r15",
        "mov rcx, [rsp]",
        "mov [rax], rcx",
        "mov r14, [rsp + 16]",
        "mov r13, rax",
        "cld",
        "mov rsp, [rax + 17*8]",
        "test r14, r14",
        "jz 4f",
        "mov edi, 0x1002",
        "mov rsi, [r13 + 18*8]",
        "mov eax, 158",
        "syscall",
        "4:",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbp",
        "pop rbx",
        "ret",
    )
}

struct Machine {
    /// Twice the size, so that an aligned lane lies in it.
    memory: MmapMut,
    code: Option<MmapMut>,
}

impl Machine {
    fn lane(&mut self) -> &mut [u8] {
        let start = self.memory.as_ptr() as usize;
        let inside = start.next_multiple_of(LANE) - start;
        &mut self.memory[inside..inside + LANE]
    }

    /// Runs code from a given state of the lane; gives the registers and the lane.
    fn go(&mut self, code: &[u8], before: &State, lane: &[u8], with_fs: bool) -> (State, Vec<u8>) {
        let mut map = self.code.take().expect("memory for code");
        map.fill(0xcc);
        map[..code.len()].copy_from_slice(code);
        map[ROOM..ROOM + 8].copy_from_slice(&lane[PROTECTOR as usize..][..8]);
        let map = map.make_exec().expect("mprotect");
        self.lane().copy_from_slice(lane);
        let base = self.lane().as_ptr() as usize;
        let mut state = before.clone();
        state.registers[4] = (base + STACK) as u64;
        run(map.as_ptr(), &mut state, if with_fs { base } else { 0 });
        self.code = Some(map.make_mut().expect("mprotect"));
        (state.host, state.old_fs) = (0, 0);
        (state, self.lane().to_vec())
    }
}

/// Code, with the places of fields in it that a linker would fill in.
struct Snippet {
    code: Vec<u8>,
    offsets: BTreeSet<u64>,
}

fn snippet(write: fn(&mut CodeAssembler) -> Result<(), iced_x86::IcedError>) -> Snippet {
    let mut a = CodeAssembler::new(64).expect("an assembler");
    write(&mut a).expect("instructions");
    let code = a.assemble(0).expect("code");
    let mut decoder = Decoder::new(64, &code, DecoderOptions::NONE);
    let mut offsets = BTreeSet::new();
    while decoder.can_decode() {
        let i = decoder.decode();
        let c = decoder.get_constant_offsets(&i);
        let absolute =
            i.memory_base() == Register::None && i.memory_displacement64() >= LOCAL as u64;
        if i.memory_segment() == Register::FS && absolute && c.has_displacement() {
            offsets.insert(i.ip() + c.displacement_offset() as u64);
        }
        if i.code() == Code::Mov_rm64_imm32 && i.op1_kind() == OpKind::Immediate32to64 {
            offsets.insert(i.ip() + c.immediate_offset() as u64);
        }
    }
    Snippet { code, offsets }
}

/// mov r64, offset: what a load of the offset from a cell has become.
fn load(a: &mut CodeAssembler, to: Register, offset: i32) -> Result<(), iced_x86::IcedError> {
    a.add_instruction(Instruction::with2(Code::Mov_rm64_imm32, to, offset)?)
}

fn replace(s: &Snippet, labels: &[u64]) -> Result<thread_pointer::Detours, Vec<(u64, String)>> {
    let backend: &dyn Arch = arch::by_machine(62).expect("amd64");
    assert!(backend.uses_thread_pointer(&s.code));
    let fields: BTreeMap<u64, u8> = s.offsets.iter().map(|o| (*o, 4)).collect();
    backend.replace_thread_pointer(&thread_pointer::Code {
        bytes: &s.code,
        functions: std::slice::from_ref(&(0..s.code.len() as u64)),
        fields: &fields,
        offsets: &s.offsets,
        has_offsets: true,
        labels: &labels.iter().copied().collect::<HashSet<u64>>(),
        lane_size: LANE as u64,
    })
}

/// The new code, as the linker makes it of what the backend found.
fn replaced(s: &Snippet) -> Vec<u8> {
    let found = replace(s, &[]).unwrap_or_else(|e| panic!("{e:?}"));
    let word = |at: u64| i32::from_le_bytes(s.code[at as usize..][..4].try_into().expect("4"));
    let values: Vec<_> = found
        .moved
        .iter()
        .map(|m| (m.to, word(m.from) + m.plus as i32))
        .collect();
    let mut code = s.code.clone();
    for (at, bytes) in &found.patches {
        code[*at as usize..][..bytes.len()].copy_from_slice(bytes);
    }
    code.extend(&found.appended);
    for (to, value) in values {
        code[to as usize..][..4].copy_from_slice(&value.to_le_bytes());
    }
    for (at, field, plus) in found.protectors {
        let distance = field.distance(ROOM as i64, at as i64) + plus;
        field.write(&mut code, at, distance).expect("it fits");
    }
    for i in Decoder::new(64, &code, DecoderOptions::NONE).iter() {
        assert!(i.is_invalid() || i.memory_segment() != Register::FS, "{i}");
    }
    code
}

#[track_caller]
fn same(name: &str, write: fn(&mut CodeAssembler) -> Result<(), iced_x86::IcedError>) {
    let s = snippet(write);
    let new = replaced(&s);
    assert!(new.len() <= ROOM);
    let mut machine = Machine {
        memory: MmapMut::map_anon(2 * LANE).expect("memory"),
        code: Some(MmapMut::map_anon(2 * ROOM).expect("memory")),
    };
    let base = machine.lane().as_ptr() as u64;
    let mut random = fastrand::Rng::with_seed(1);
    for round in 0..16 {
        let mut lane: Vec<u8> = std::iter::repeat_with(|| random.u8(..))
            .take(LANE)
            .collect();
        // As a thread's control block has it: its own address. Where the code calls through a pointer, it leads to the code's end.
        lane[..8].copy_from_slice(&base.to_le_bytes());
        let code = machine.code.as_ref().expect("memory for code").as_ptr() as u64;
        let last = code + s.code.len() as u64 - 1;
        lane[LOCAL as usize + 0x40..][..8].copy_from_slice(&last.to_le_bytes());
        let mut state = State::default();
        state.registers.fill_with(|| random.u64(..));
        // rbx, rbp and r13 are for offsets.
        for n in [3, 5, 13] {
            state.registers[n] = LOCAL as u64 + random.u64(0..4) * 8;
        }
        // Interrupts on; the status flags at random.
        state.flags = 0x202 | random.u64(..) & 0x8d5;
        let (old, old_lane) = machine.go(&s.code, &state, &lane, true);
        let (got, got_lane) = machine.go(&new, &state, &lane, false);
        assert_eq!(got, old, "{name}, round {round}");
        let kept = STACK - RED_ZONE..;
        let slots = STACK..STACK + 32;
        for at in kept
            .clone()
            .take_while(|at| *at < LANE)
            .filter(|at| !slots.contains(at))
        {
            assert_eq!(
                got_lane[at], old_lane[at],
                "{name}, round {round}: the lane at {at:#x}"
            );
        }
    }
}

/// What is refused, where, and why.
#[test]
fn what_cannot_be_replaced_is_refused_with_its_place() {
    #[track_caller]
    fn refused(
        write: fn(&mut CodeAssembler) -> Result<(), iced_x86::IcedError>,
        labels: &[u64],
        at: u64,
        why: &str,
    ) {
        let all = replace(&snippet(write), labels).expect_err("refused");
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!(all[0].0, at);
        assert!(all[0].1.contains(why), "{}", all[0].1);
    }
    refused(
        |a| {
            a.nop()?;
            a.mov(rdx, qword_ptr(0x10).fs())
        },
        &[],
        1,
        "fs:0x10, which belongs to a C library",
    );
    refused(|a| a.mov(qword_ptr(0).fs(), rdx), &[], 0, "fs:0x0");
    refused(|a| a.mov(edx, dword_ptr(0).fs()), &[], 0, "fs:0x0");
    refused(
        |a| {
            a.nop()?;
            a.push(qword_ptr(rax).fs())?;
            a.nop()?;
            a.ret()
        },
        &[],
        1,
        "stack pointer",
    );
    refused(
        |a| {
            a.mov(qword_ptr(rbx).fs(), rsp)?;
            a.nop()?;
            a.ret()
        },
        &[],
        0,
        "stack pointer",
    );
    refused(
        |a| {
            a.mov(eax, dword_ptr(eax).fs())?;
            a.nop()?;
            a.ret()
        },
        &[],
        0,
        "32 bits",
    );
    refused(
        |a| {
            a.nop()?;
            a.wrfsbase(rax)
        },
        &[],
        1,
        "kind of instruction",
    );
    refused(
        |a| {
            a.nop()?;
            a.rdfsbase(rax)
        },
        &[],
        1,
        "kind of instruction",
    );
    // Code arrives between the neighbours.
    refused(
        |a| {
            a.nop()?;
            a.mov(eax, dword_ptr(rax).fs())?;
            a.ret()?;
            a.nop()
        },
        &[1, 4],
        1,
        "no room for a jump",
    );
    // What is there is cut off.
    refused(
        |a| a.mov(eax, dword_ptr(rax).fs()),
        &[],
        0,
        "no room for a jump",
    );
}

/// Bytes that no function covers may be data; what only looks like an access there is left alone. The fields of relocations do not lie.
#[test]
fn data_between_functions_is_left_alone() {
    let backend: &dyn Arch = arch::by_machine(62).expect("amd64");
    // ret; then bytes that read as mov rax, fs:[rax]; mov rax, fs:16
    let bytes = [
        0xc3, 0x64, 0x48, 0x8b, 0, 0x64, 0x48, 0x8b, 4, 0x25, 16, 0, 0, 0,
    ];
    let look = |end: u64| {
        backend.replace_thread_pointer(&thread_pointer::Code {
            bytes: &bytes,
            functions: std::slice::from_ref(&(0..end)),
            fields: &BTreeMap::new(),
            offsets: &BTreeSet::new(),
            has_offsets: false,
            labels: &HashSet::new(),
            lane_size: LANE as u64,
        })
    };
    assert_eq!(look(1), Ok(thread_pointer::Detours::default()));
    let refused = look(14).expect_err("refused");
    assert_eq!(refused.iter().map(|r| r.0).collect::<Vec<_>>(), [1, 5]);
    assert!(refused[0].1.contains("no thread-local's offset"));
}
