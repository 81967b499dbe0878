//! What a wrapper runs on: executable memory with the wrappers in it, a lane, a lane table, and `g` and `m` of a goroutine.

use memmap2::{Mmap, MmapMut};
use rsyso::internals::arch;
use rsyso::internals::contract::symbols as rt;
use rsyso::internals::contract::{
    CONTROL_GO_BP, CONTROL_GO_LANDING, CONTROL_GO_SP, CONTROL_SIZE, GO_G_M, LANE_HASH,
    LANE_TABLE_BITS,
};
use rsyso::internals::model::Api;
use rsyso::internals::model::uses::Uses;
use std::arch::naked_asm;
use std::cell::Cell;
use std::collections::HashMap;

/// Bytes of stack of the goroutine's caller, above the frame, that must stay as they are.
pub const ROOM: usize = 64;

const LANE: usize = 1 << 20;

pub struct Machine {
    wrappers: HashMap<String, usize>,
    /// Its first two words are the address of the lane table and the owner. Always there, but for a moment in [`Machine::first_words`].
    code: Option<Mmap>,
    table: Vec<[usize; 2]>,
    lane: MmapMut,
    g: Vec<usize>,
    slow: Box<Slow>,
}

/// What the slow path gives out and is told: the control block, `m`, `g`, and the number of calls.
type Slow = [Cell<usize>; 4];

/// As `rsyso_lane_slow`: `m` in rax, `g` in r14, the control block to r11; all but rsp, rbp and r12 to r14 is clobbered. It finds its
/// own data at the end of the fake `g`.
#[unsafe(naked)]
extern "C" fn lane_slow() {
    naked_asm!(
        "mov rcx, [r14 + {slow}]",
        "mov r11, [rcx]",
        "mov [rcx + 8], rax",
        "mov [rcx + 16], r14",
        "inc qword ptr [rcx + 24]",
        "mov rax, -1",
        "mov rbx, rax",
        "mov rcx, rax",
        "mov rdx, rax",
        "mov rsi, rax",
        "mov rdi, rax",
        "mov r8, rax",
        "mov r9, rax",
        "mov r10, rax",
        "mov r15, rax",
        "ret",
        slow = const G_SLOW * 8,
    )
}

/// The word of the fake `g` with the address of [`Slow`].
const G_SLOW: usize = 15;

/// What a stub passes as the address of its landing.
const LANDING: usize = 0x1234_5678;

/// What it tells the package by.
const PACKAGE: usize = 0x2345_6789;

/// As a Go stub calls: the frame lies at rsp when the call is made, `g` is in r14, what tells the package in r13, the landing in r12. Returns rsp as it was after the call.
#[unsafe(naked)]
extern "C" fn call_abi0(wrapper: usize, g: *const usize, frame: *mut u8) -> usize {
    naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov rbp, rsp",
        "mov rsp, rdx",
        "mov r14, rsi",
        "mov r13, {package}",
        "mov r12, {landing}",
        "call rdi",
        "mov rax, rsp",
        "mov rsp, rbp",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
        package = const PACKAGE,
        landing = const LANDING,
    )
}

/// Grows executable memory before it has an address.
struct Builder {
    bytes: Vec<u8>,
    base: usize,
}

impl Builder {
    fn align(&mut self) {
        self.bytes
            .resize(self.bytes.len().next_multiple_of(16), 0xcc);
    }

    /// `jmp [rip]` and the address: a target anywhere in reach of a 32-bit call.
    fn pad(&mut self, target: usize) -> usize {
        self.align();
        let at = self.base + self.bytes.len();
        self.bytes.extend([0xff, 0x25, 0, 0, 0, 0]);
        self.bytes.extend(target.to_le_bytes());
        at
    }
}

impl Machine {
    pub fn new(api: &Api, addresses: &[(&str, *const ())]) -> Self {
        let backend = arch::by_machine(62).expect("amd64");
        let mut map = MmapMut::map_anon(1 << 20).expect("memory");
        let mut b = Builder {
            bytes: vec![0; 16],
            base: map.as_ptr() as usize,
        };
        let mut symbols = HashMap::from([
            (rt::LANE_TABLE.to_string(), b.base),
            (rt::LANE_OWNER.to_string(), b.base + 8),
        ]);
        let slow = b.pad(lane_slow as *const () as usize);
        symbols.insert(rt::LANE_SLOW.into(), slow);
        for (name, address) in addresses {
            let pad = b.pad(*address as usize);
            symbols.insert((*name).into(), pad);
        }
        let mut wrappers = HashMap::new();
        for f in api.functions() {
            let frame = rsyso::internals::model::goabi::frame(api, f);
            let code = backend
                .wrapper(api, f, &frame, &[], &Uses::None)
                .expect("a wrapper");
            b.align();
            let at = b.bytes.len();
            b.bytes.extend(&code.bytes);
            for r in &code.refs {
                assert!([2, 4].contains(&r.r_type));
                let place = at + r.offset as usize;
                let value = symbols[&r.symbol] as i64 + r.addend - (b.base + place) as i64;
                let value = i32::try_from(value).expect("in reach");
                b.bytes[place..place + 4].copy_from_slice(&value.to_le_bytes());
            }
            wrappers.insert(f.symbol.clone(), b.base + at);
        }
        let table = vec![[0, 0]; 1 << LANE_TABLE_BITS];
        b.bytes[..8].copy_from_slice(&(table.as_ptr() as usize).to_le_bytes());
        b.bytes[8..16].copy_from_slice(&PACKAGE.to_le_bytes());
        map[..b.bytes.len()].copy_from_slice(&b.bytes);
        let mut machine = Machine {
            wrappers,
            code: map.make_exec().ok(),
            table,
            lane: MmapMut::map_anon(LANE).expect("a lane"),
            g: vec![0xdead_beef; 16],
            slow: Box::default(),
        };
        machine.go_on();
        machine
    }

    /// Gives the goroutine an `m` whose lane stands in its home slot.
    fn go_on(&mut self) {
        let m = 0xc000_1234_5600;
        self.g[GO_G_M as usize / 8] = m;
        self.slow[0].set(self.control());
        self.g[G_SLOW] = self.slow.as_ptr() as usize;
        let home = self.home();
        self.table[home] = [m, self.control()];
    }

    fn m(&self) -> usize {
        self.g[GO_G_M as usize / 8]
    }

    /// As `contract.rs` says it.
    fn home(&self) -> usize {
        ((self.m() as u32).wrapping_mul(LANE_HASH) >> (32 - LANE_TABLE_BITS)) as usize
    }

    fn control(&self) -> usize {
        self.lane.as_ptr() as usize + LANE - CONTROL_SIZE as usize
    }

    /// Before the first use of an image there is no table.
    pub fn no_table(&mut self) {
        self.first_words([0, 0]);
    }

    /// Another copy of the package was first.
    pub fn another_owner(&mut self) {
        self.first_words([self.table.as_ptr() as usize, PACKAGE + 1]);
    }

    pub fn empty_table(&mut self) {
        self.first_words([self.table.as_ptr() as usize, PACKAGE]);
        self.table.fill([0, 0]);
    }

    /// Another `m` sits in the home slot.
    pub fn collision(&mut self) {
        let home = self.home();
        self.table[home] = [self.m() + (1 << 40), 8];
    }

    fn first_words(&mut self, values: [usize; 2]) {
        let code = self.code.take().expect("the code");
        let mut code = code.make_mut().expect("writable");
        code[..8].copy_from_slice(&values[0].to_le_bytes());
        code[8..16].copy_from_slice(&values[1].to_le_bytes());
        self.code = code.make_exec().ok();
    }

    pub fn slow_calls(&self) -> usize {
        self.slow[3].get()
    }

    /// Calls a wrapper with a copy of `frame` on a stack of its own, and copies back what came of it. A goroutine's frame is aligned to
    /// 8 bytes, but not always to 16: `odd` tries the other case.
    pub fn call(&mut self, symbol: &str, frame: &mut [u8], by_reference: bool, odd: bool) {
        let below = if odd { 4096 + 8 } else { 4096 };
        let mut stack = vec![0u128; (below + frame.len()).div_ceil(16)];
        // SAFETY: the vector has room for the frame and for what lies below it.
        let at = unsafe { stack.as_mut_ptr().cast::<u8>().add(below) };
        // SAFETY: as above; both are plain bytes.
        unsafe { at.copy_from_nonoverlapping(frame.as_ptr(), frame.len()) };
        let mut entry = at;
        if by_reference {
            // SAFETY: there are 4096 bytes below.
            entry = unsafe { at.sub(64) };
            // SAFETY: as above; stacks are aligned to words.
            unsafe { entry.cast::<*mut u8>().write(at) };
        }
        let slow = self.slow_calls();
        self.lane[LANE - CONTROL_SIZE as usize..].fill(0x55);
        let sp = call_abi0(self.wrappers[symbol], self.g.as_ptr(), entry);
        assert_eq!(sp, entry as usize, "the stack pointer comes back");
        self.check_control(entry as usize - 8);
        // SAFETY: as above.
        unsafe { at.copy_to_nonoverlapping(frame.as_mut_ptr(), frame.len()) };
        if self.slow_calls() > slow {
            assert_eq!(self.slow[1].get(), self.m());
            assert_eq!(self.slow[2].get(), self.g.as_ptr() as usize);
        }
    }

    /// The wrapper notes where the goroutine stands, and nothing else is written there.
    fn check_control(&self, sp: usize) {
        let control = &self.lane[LANE - CONTROL_SIZE as usize..];
        let word = |at: u64| {
            usize::from_ne_bytes(control[at as usize..][..8].try_into().expect("8 bytes"))
        };
        assert_eq!(word(CONTROL_GO_SP), sp);
        assert_ne!(word(CONTROL_GO_BP), 0x5555_5555_5555_5555);
        assert_eq!(word(CONTROL_GO_LANDING), LANDING);
        assert!(control[24..].iter().all(|b| *b == 0x55));
    }
}
