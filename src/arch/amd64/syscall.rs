//! What machine code tells about its system calls: the number and the arguments, as far as they are constants.
//!
//! The registers of a C call: psABI 3.2.3. Those of the instruction `syscall`: psABI A.2.1. The numbers: the kernel's
//! arch/x86/entry/syscalls/syscall_64.tbl.

use crate::arch::Arguments;
use iced_x86::{
    Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpAccess,
    OpKind, Register,
};
use std::collections::HashSet;

/// The system calls that can wait.
const NAMES: &[(u64, &str)] = &[
    (0, "read"),
    (1, "write"),
    (2, "open"),
    (7, "poll"),
    (17, "pread64"),
    (18, "pwrite64"),
    (19, "readv"),
    (20, "writev"),
    (23, "select"),
    (26, "msync"),
    (34, "pause"),
    (35, "nanosleep"),
    (40, "sendfile"),
    (42, "connect"),
    (43, "accept"),
    (44, "sendto"),
    (45, "recvfrom"),
    (46, "sendmsg"),
    (47, "recvmsg"),
    (61, "wait4"),
    (65, "semop"),
    (69, "msgsnd"),
    (70, "msgrcv"),
    (72, "fcntl"),
    (73, "flock"),
    (74, "fsync"),
    (75, "fdatasync"),
    (85, "creat"),
    (128, "rt_sigtimedwait"),
    (130, "rt_sigsuspend"),
    (162, "sync"),
    (202, "futex"),
    (208, "io_getevents"),
    (220, "semtimedop"),
    (230, "clock_nanosleep"),
    (232, "epoll_wait"),
    (242, "mq_timedsend"),
    (243, "mq_timedreceive"),
    (247, "waitid"),
    (257, "openat"),
    (270, "pselect6"),
    (271, "ppoll"),
    (275, "splice"),
    (276, "tee"),
    (277, "sync_file_range"),
    (278, "vmsplice"),
    (281, "epoll_pwait"),
    (288, "accept4"),
    (295, "preadv"),
    (296, "pwritev"),
    (299, "recvmmsg"),
    (306, "syncfs"),
    (307, "sendmmsg"),
    (326, "copy_file_range"),
    (327, "preadv2"),
    (328, "pwritev2"),
    (333, "io_pgetevents"),
    (426, "io_uring_enter"),
    (437, "openat2"),
    (441, "epoll_pwait2"),
    (449, "futex_waitv"),
    (455, "futex_wait"),
];

/// The name of a system call that can wait; None for every other.
pub fn name(number: u64) -> Option<&'static str> {
    // The kernel looks at 32 bits of the number.
    let number = number & 0xffff_ffff;
    let found = NAMES.iter().find(|(n, _)| *n == number);
    found.map(|(_, name)| *name)
}

/// RDI, RSI, RDX, RCX.
const C_CALL: [Register; 4] = [Register::RDI, Register::RSI, Register::RDX, Register::RCX];
/// The number, and three arguments.
const KERNEL: [Register; 4] = [Register::RAX, Register::RDI, Register::RSI, Register::RDX];

/// The first arguments of the calls of a C function, to which the relocations at `refs` refer. A reference that is not followed to
/// a call, such as the function's address in memory, counts as a call of which nothing is known.
pub fn c_calls(code: &[u8], refs: &[u64]) -> Vec<Arguments> {
    let mut found = Vec::new();
    let mut holders = Vec::new();
    let mut left: Vec<u64> = refs.to_vec();
    walk(code, |i, constants| {
        let end = i.next_ip();
        let Some(at) = left.iter().position(|r| (i.ip()..end).contains(r)) else {
            return;
        };
        match i.flow_control() {
            FlowControl::Call
            | FlowControl::IndirectCall
            | FlowControl::UnconditionalBranch
            | FlowControl::IndirectBranch => found.push(constants.of(C_CALL)),
            // The function's address, in a register.
            _ if matches!(i.mnemonic(), Mnemonic::Mov | Mnemonic::Lea)
                && i.op0_kind() == OpKind::Register =>
            {
                holders.push(i.op0_register());
            }
            _ => found.push(Arguments::default()),
        }
        left.swap_remove(at);
    });
    found.extend(left.iter().map(|_| Arguments::default()));
    for holder in holders {
        found.extend(calls_through(code, holder));
    }
    found
}

/// The arguments of the calls through a register; nothing is known when there are none.
fn calls_through(code: &[u8], holder: Register) -> Vec<Arguments> {
    let mut found = Vec::new();
    walk(code, |i, constants| {
        let indirect = matches!(
            i.flow_control(),
            FlowControl::IndirectCall | FlowControl::IndirectBranch
        );
        if indirect && i.op0_kind() == OpKind::Register && i.op0_register() == holder {
            found.push(constants.of(C_CALL));
        }
    });
    if found.is_empty() {
        found.push(Arguments::default());
    }
    found
}

/// The numbers and arguments of the instructions `syscall` in the code.
pub fn instructions(code: &[u8]) -> Vec<Arguments> {
    const SYSCALL: [u8; 2] = [0x0f, 0x05];
    let mut found = Vec::new();
    if memchr::memmem::find(code, &SYSCALL).is_some() {
        walk(code, |i, constants| {
            if i.mnemonic() == Mnemonic::Syscall {
                found.push(constants.of(KERNEL));
            }
        });
    }
    found
}

/// Whether a function reads the word at `[rsi + offset]`, rsi as it came in or copied, before it calls or jumps anywhere.
pub fn reads_second_argument(code: &[u8], offset: u32) -> bool {
    let mut info = InstructionInfoFactory::new();
    let mut holders = vec![Register::RSI];
    for i in Decoder::new(64, code, DecoderOptions::NONE) {
        let reads = (0..i.op_count()).any(|n| i.op_kind(n) == OpKind::Memory);
        if reads
            && holders.contains(&i.memory_base())
            && i.memory_index() == Register::None
            && i.memory_displacement64() == u64::from(offset)
            && i.mnemonic() != Mnemonic::Lea
        {
            return true;
        }
        if i.is_invalid() || i.flow_control() != FlowControl::Next {
            return false;
        }
        let copies = i.mnemonic() == Mnemonic::Mov
            && i.op1_kind() == OpKind::Register
            && holders.contains(&i.op1_register());
        for used in info.info(&i).used_registers() {
            if !matches!(used.access(), OpAccess::Read | OpAccess::CondRead) {
                holders.retain(|r| *r != used.register().full_register());
            }
        }
        if copies && i.op0_kind() == OpKind::Register {
            holders.push(i.op0_register());
        }
    }
    false
}

/// What is known of the general-purpose registers, by number.
#[derive(Clone, Copy, Default)]
struct Constants([Option<u64>; 16]);

impl Constants {
    fn of(&self, registers: [Register; 4]) -> Arguments {
        Arguments(registers.map(|r| self.get(r)))
    }

    fn get(&self, register: Register) -> Option<u64> {
        self.0.get(gpr(register)?).copied().flatten()
    }

    fn set(&mut self, register: Register, value: Option<u64>) {
        if let Some(slot) = gpr(register).and_then(|n| self.0.get_mut(n)) {
            *slot = value;
        }
    }
}

fn gpr(register: Register) -> Option<usize> {
    register.is_gpr().then(|| register.full_register().number())
}

/// Goes through the code in order, and tells of each instruction what is known before it. Nothing is known where a branch may arrive.
fn walk(code: &[u8], mut visit: impl FnMut(&Instruction, &Constants)) {
    let mut labels = HashSet::new();
    // A table of jumps arrives anywhere.
    let mut anywhere = false;
    for i in Decoder::new(64, code, DecoderOptions::NONE) {
        match i.flow_control() {
            FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch => {
                labels.insert(i.near_branch_target());
            }
            FlowControl::IndirectBranch => anywhere |= i.op0_kind() == OpKind::Register,
            _ => {}
        }
    }
    let mut info = InstructionInfoFactory::new();
    let mut known = Constants::default();
    let mut pushed = None;
    for i in Decoder::new(64, code, DecoderOptions::NONE) {
        if anywhere || labels.contains(&i.ip()) {
            known = Constants::default();
            pushed = None;
        }
        visit(&i, &known);
        pushed = step(&i, &mut info, &mut known, pushed);
    }
}

/// What an instruction does to what is known. `pushed` is the constant that the instruction before has pushed.
fn step(
    i: &Instruction,
    info: &mut InstructionInfoFactory,
    known: &mut Constants,
    pushed: Option<u64>,
) -> Option<u64> {
    let wide = |n: u64, register: Register| {
        if register.size() == 4 {
            n & 0xffff_ffff
        } else {
            n
        }
    };
    let register = i.op0_register();
    let whole = i.op0_kind() == OpKind::Register && register.is_gpr() && register.size() >= 4;
    let constant = |k: OpKind| {
        matches!(
            k,
            OpKind::Immediate32 | OpKind::Immediate64 | OpKind::Immediate32to64
        )
    };
    let value = match i.mnemonic() {
        Mnemonic::Mov if whole && constant(i.op1_kind()) => Some(wide(i.immediate(1), register)),
        Mnemonic::Mov if whole && i.op1_kind() == OpKind::Register => {
            known.get(i.op1_register()).map(|n| wide(n, register))
        }
        Mnemonic::Xor | Mnemonic::Sub
            if whole && i.op1_kind() == OpKind::Register && i.op1_register() == register =>
        {
            Some(0)
        }
        Mnemonic::Pop if whole => pushed,
        _ => None,
    };
    match i.flow_control() {
        // Where these lead to is a label; what follows them is reached from elsewhere.
        FlowControl::UnconditionalBranch
        | FlowControl::IndirectBranch
        | FlowControl::Return
        | FlowControl::Interrupt
        | FlowControl::Exception => *known = Constants::default(),
        // The callee keeps RBX, RBP and R12 to R15.
        FlowControl::Call | FlowControl::IndirectCall => {
            for n in [0, 1, 2, 6, 7, 8, 9, 10, 11] {
                known.0[n] = None;
            }
        }
        _ => {
            for used in info.info(i).used_registers() {
                if !matches!(
                    used.access(),
                    OpAccess::Read | OpAccess::CondRead | OpAccess::None | OpAccess::NoMemAccess
                ) {
                    known.set(used.register(), None);
                }
            }
            if whole {
                known.set(register, value);
            }
        }
    }
    let is_push = i.mnemonic() == Mnemonic::Push
        && matches!(
            i.op0_kind(),
            OpKind::Immediate8to64 | OpKind::Immediate32to64
        );
    is_push.then(|| i.immediate(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    // `syscall` is C's function here. Made with `as` and `objdump -d`.
    /// mov edi, 202; mov edx, 0x81; xor eax, eax; call [rip]
    const WAKE: &[u8] = &[
        0xbf, 0xca, 0, 0, 0, 0xba, 0x81, 0, 0, 0, 0x31, 0xc0, 0xff, 0x15, 0, 0, 0, 0,
    ];

    #[test]
    fn constants_are_told() {
        let calls = c_calls(WAKE, &[14]);
        assert_eq!(calls, [Arguments([Some(202), None, Some(0x81), None])]);
    }

    #[test]
    fn what_a_branch_may_bring_is_not_known() {
        // je over the first instruction.
        let code = [&[0x74, 5], WAKE].concat();
        let calls = c_calls(&code, &[16]);
        assert_eq!(calls, [Arguments([None, None, Some(0x81), None])]);
        // A table of jumps: `jmp rax` behind.
        let code = [WAKE, &[0xff, 0xe0]].concat();
        assert_eq!(c_calls(&code, &[14]), [Arguments::default()]);
    }

    #[test]
    fn calls_forget_and_only_calls_count() {
        // The arguments are set before another call.
        let code = [&WAKE[..12], &[0xe8, 0, 0, 0, 0], &WAKE[12..]].concat();
        assert_eq!(c_calls(&code, &[19]), [Arguments::default()]);
        // lea rsi, [rip+syscall]: it goes somewhere as a value.
        assert_eq!(
            c_calls(&[0x48, 0x8d, 0x35, 0, 0, 0, 0], &[3]),
            [Arguments::default()]
        );
        // A reference that is in no instruction.
        assert_eq!(c_calls(&[], &[3]), [Arguments::default()]);
    }

    #[test]
    fn calls_through_a_register_are_followed() {
        // mov r15, [rip]; mov edi, 202; mov edx, 0x89; call r15
        let code = [
            0x4c, 0x8b, 0x3d, 0, 0, 0, 0, 0xbf, 0xca, 0, 0, 0, 0xba, 0x89, 0, 0, 0, 0x41, 0xff,
            0xd7,
        ];
        let calls = c_calls(&code, &[3]);
        assert_eq!(calls, [Arguments([Some(202), None, Some(0x89), None])]);
    }

    #[test]
    fn a_table_is_read_or_it_is_none() {
        // push rbx; mov rbx, rsi; call [rbx + 32]
        let copied = [0x53, 0x48, 0x89, 0xf3, 0xff, 0x53, 0x20];
        assert!(reads_second_argument(&copied, 32));
        assert!(!reads_second_argument(&copied, 24));
        // mov r14, [rsi + 24]
        assert!(reads_second_argument(&[0x4c, 0x8b, 0x76, 0x18], 24));
        // call rsi: it was given what stands in the table.
        assert!(!reads_second_argument(&[0xff, 0xd6, 0xc3], 32));
        // mov rsi, rdi; call [rsi + 32]
        assert!(!reads_second_argument(
            &[0x48, 0x89, 0xfe, 0xff, 0x56, 0x20],
            32
        ));
    }

    #[test]
    fn instructions_tell_their_number() {
        // push 35; pop rax; syscall; then one of which nothing is known.
        let code = [0x6a, 35, 0x58, 0x0f, 0x05, 0xc3, 0x0f, 0x05];
        let calls = instructions(&code);
        assert_eq!(calls[0].0[0].and_then(name), Some("nanosleep"));
        assert_eq!(calls[1], Arguments::default());
        assert_eq!(calls.len(), 2);
    }

    #[test]
    fn numbers_are_sorted_and_each_stands_once() {
        assert!(NAMES.windows(2).all(|w| w[0].0 < w[1].0));
        assert_eq!(name(202), Some("futex"));
        assert_eq!(name(318), None, "getrandom");
    }
}
