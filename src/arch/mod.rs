//! The seam: everything that knows a machine stands behind [`Arch`]. The rest of the crate asks for properties, never for names.
//!
//! The vocabulary that both sides share is here: [`reloc`] (what a relocation type means), [`groups`] (relocations that are rewritten together),
//! [`thread_pointer`] (uses of the thread pointer, and what replaces them). [`Arch`] has a part for each thing that a machine is asked for: [`Linking`], [`Analysis`], [`Calling`].
//!
//! Each backend has a folder with the same file names: `reloc.rs` (the relocation table), `groups.rs` (which relocations are rewritten together), `relax.rs` (rewriting of instructions),
//! `tls.rs` (thread-local sequences), `thread_pointer.rs` (uses of the thread pointer), `abi.rs` (the C calling convention), `wrapper.rs` (Go's ABI0 to C), `stub.rs` (Go assembly),
//! `syscall.rs` (which system calls code makes).

use self::groups::{Group, Relocated};
use self::reloc::{Field, Howto};
use crate::contract::symbols::{PART, WRAPPER};
use crate::model::goabi::Frame;
use crate::model::uses::Uses;
use crate::model::{Api, Function, Kept, Owner};
use gimli::write::{CallFrameInstruction, CommonInformationEntry};
use std::ops::Range;

pub mod amd64;
pub mod arm64;
mod go_functions;
pub mod groups;
mod passing;
pub mod reloc;
pub mod thread_pointer;
mod through_cgo;

pub use go_functions::{Called, GoFunction};
pub use through_cgo::{Platform, THROUGH_CGO};

/// Machine code with symbolic references, before it has an address.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Code {
    /// The instructions.
    pub bytes: Vec<u8>,
    /// Places to fill in.
    pub refs: Vec<CodeRef>,
    /// How the frame changes, by offset: the instructions of its record in the unwind table.
    pub frame: Vec<(u32, CallFrameInstruction)>,
}

/// One place in [`Code`] that refers to a symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeRef {
    /// Bytes from the start of the code.
    pub offset: u64,
    /// A relocation type of the machine (one that its table knows).
    pub r_type: u32,
    /// The symbol referred to.
    pub symbol: String,
    /// As in an ELF RELA entry.
    pub addend: i64,
}

/// The symbol of the note (`Given::note_bytes`) of the `slot`th handle that a function is given.
pub fn note(function: &str, slot: u64) -> String {
    format!("{function}.handle.{slot}")
}

/// The symbol of what stands for the Go functions that are given for a parameter, where the library keeps them.
pub fn kept_code(kept: &Kept) -> String {
    let (owner, name) = (kept.owner.name(), &kept.name);
    let what = match kept.owner {
        Owner::Export(_) => "kept",
        Owner::Type(..) => "field",
    };
    format!("{WRAPPER}{owner}{PART}{what}{PART}{name}")
}

/// The symbol of the pieces of code that stand for one Go function each, those of each [`Api::pooled`] behind those of the one before.
pub const POOL_CODE: &str = "rsyso:pool.code";

/// Bytes of one of them, on all machines: the package's text does not depend on the machine.
pub const PIECE: u64 = 12;

/// The symbol of what the library is given as the destroy function of all functions that it keeps.
pub const DESTROY_CODE: &str = "rsyso:destroy.code";

/// One Go assembly stub to print.
#[derive(Clone, Copy, Debug)]
pub struct Stub<'a> {
    /// The Go function; the one that takes a pointer when the frame goes by reference (see [`crate::model::goabi`]).
    pub go_name: &'a str,
    /// Its declaration, as in the Go file: `func CountWords(text string) uint`.
    pub signature: &'a str,
    /// The wrapper in the image, a global symbol.
    pub wrapper: &'a str,
    /// Its ABI0 frame.
    pub frame: &'a Frame,
    /// The Go function by which the image tells the package from a copy of it under another import path.
    pub package: &'a str,
    /// Where the runtime goes on if the call does not return.
    pub landing: Landing<'a>,
}

/// Where on the Go side the runtime goes on with a call that is not to go on as it is: if it does not return, and if it is to become a system call of Go's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landing<'a> {
    /// In this function (see [`Calling::landing`]); the call becomes no system call.
    Stays(&'a str),
    /// In an assembly function of the stub's own (see [`Calling::away`]).
    Away,
}

/// How Go functions are called that the library keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptCalls<'a> {
    /// The Go function that calls one.
    pub call: &'a str,
    /// Where the library goes on, a global symbol.
    pub resume: &'a str,
}

/// The first arguments of a call in machine code, where they are constants; of a system call, its number and three arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arguments(pub [Option<u64>; 4]);

/// Code that goes on at any place of the image, for branches that do not reach as far.
#[derive(Clone, Copy, Debug)]
pub struct Thunk {
    /// The instructions.
    pub code: &'static [u8],
    /// What it must be aligned to.
    pub align: u64,
    /// Its fields: each gets the distance from its place to where it goes on.
    pub fields: &'static [(u64, Field)],
}

/// A backend.
pub trait Arch: Linking + Analysis + Calling {
    /// GOARCH, e.g. `amd64`.
    fn goarch(&self) -> &'static str;
    /// The target of rustc for which the runtime is built.
    fn rust_target(&self) -> &'static str;
    /// `e_machine`.
    fn machine(&self) -> u16;
    /// The machine as the `object` crate names it, for writing.
    fn object_architecture(&self) -> object::Architecture;
}

/// What linking asks for.
pub trait Linking: Sync {
    /// The smallest page size of the platform's kernels: alignment of the image and of its writable part. Go's linker places its own text by that size, and
    /// reckons with wrong addresses of methods where a section asks for more (cmd/link/internal/ld/data.go, `textaddress` and `address`).
    fn page_size(&self) -> u64;
    /// The largest one: the pages of the writable part reach that far into what lies before and behind it.
    fn largest_page(&self) -> u64;
    /// Bytes that stop the processor if they are ever executed, used as padding in code.
    fn trap(&self) -> &'static [u8];
    /// What a relocation type means; None when it is not known.
    fn howto(&self, r_type: u32) -> Option<&'static Howto>;
    /// Claims the relocations of a code section that are to be rewritten together: loads from cells that need none, addresses of what is out of reach,
    /// and accesses to thread-locals by sequences that need a loader. No relocation is in two groups; groups come in the order of their first members.
    fn groups(&self, section: &Relocated<'_>) -> Vec<Group>;
    /// What is added to S + A to have the place that an instruction means, whose relocated field is at `offset`. Several where it cannot be
    /// told: the first one is right for an instruction that ends with its field.
    fn meant(&self, code: &[u8], offset: u64) -> &'static [i64];
    /// What branches go through that do not reach their target; None where every branch reaches all of an image.
    fn thunk(&self) -> Option<&'static Thunk>;
    /// Whether code may use the thread pointer: a quick look, which may be wrong if it says so.
    fn uses_thread_pointer(&self, code: &[u8]) -> bool;
    /// A closer look: whether an instruction of the code does, which consists of functions that begin and end where they are said to.
    fn runs_through_thread_pointer(&self, _code: &[u8], _functions: &[Range<u64>]) -> bool {
        true
    }
    /// Replaces each use of the thread pointer in a code section by that of the lane. The error tells of each that cannot be: where, and why.
    fn replace_thread_pointer(
        &self,
        code: &thread_pointer::Code<'_>,
    ) -> Result<thread_pointer::Detours, Vec<(u64, String)>>;
}

/// What is found out about code.
pub trait Analysis: Sync {
    /// The arguments of the calls of one C function, to which the relocations at the offsets `refs` of a code section refer.
    fn c_calls(&self, code: &[u8], refs: &[u64]) -> Vec<Arguments>;
    /// Whether a function, given by its code and what follows, reads a word at an offset from its second argument, a pointer.
    fn reads_second_argument(&self, code: &[u8], offset: u32) -> bool;
    /// Where code takes more than so many bytes of stack in one step, without a look at what lies between: offsets and bytes.
    fn large_frames(&self, code: &[u8], over: u64) -> Vec<(u64, u64)>;
    /// The system calls that a code section makes with the machine's own instruction.
    fn system_calls(&self, code: &[u8]) -> Vec<Arguments>;
    /// The name of a system call that can wait; None for every other.
    fn waiting_call(&self, number: u64) -> Option<&'static str>;
}

/// How Go calls Rust, and Rust calls Go.
pub trait Calling: Sync {
    /// The wrapper of one function: called by the Go stub with Go's ABI0 frame, it enters a lane and calls the symbol `function.symbol`.
    /// For the function's `n`th Go function, the symbol `codes[n]` is handed over. `uses` says what is to be done for handles.
    fn wrapper(
        &self,
        api: &Api,
        function: &Function,
        frame: &Frame,
        codes: &[String],
        uses: &Uses,
    ) -> Result<Code, String>;
    /// What stands for a Go function: called by Rust, it has Go called ([`Called::by`]).
    fn go_function(&self, api: &Api, function: &GoFunction<'_>) -> Result<Code, String>;
    /// The pieces of code of all [`Api::pooled`] ([`POOL_CODE`]), [`PIECE`] bytes each: a piece tells the code of [`Called::Pooled`] its number.
    fn pool(&self, api: &Api) -> Result<Code, String>;
    /// What Rust calls the C convention of this machine alone, besides `C` and `system` (The Rust Reference, "External blocks").
    fn c_abi_names(&self) -> &'static [&'static str];
    /// Code that goes on at a symbol.
    fn jump(&self, symbol: &str) -> Result<Code, String>;
    /// A function of the C convention that gives the address of a symbol.
    fn address(&self, symbol: &str) -> Result<Code, String>;
    /// How the frame of a wrapper stands when it is entered: the common record of their unwind table, and the type of a relocation for
    /// 32 bits of data, relative to their own place.
    fn frame_at_entry(&self) -> (CommonInformationEntry, u32);
    /// The Go assembly of one stub, with its comment, ending in a newline.
    fn stub(&self, stub: &Stub<'_>) -> String;
    /// What the Go assembly of stubs with [`Landing::Away`] begins with. Once such a call is to become a system call, the runtime goes on in a function that tells the
    /// scheduler, and calls `go_on` with the lane; if the call does not return, in one that calls `depart` with the departure. Where the library keeps Go functions, there is also what
    /// such functions call to have one called, and what the runtime goes on in then.
    fn away(&self, go_on: &str, depart: &str, keeps: Option<KeptCalls<'_>>) -> String;
    /// The Go assembly of the function `name`, in which the runtime goes on when a call does not return: it calls `then` with the pointer
    /// that it is handed.
    fn landing(&self, name: &str, then: &str) -> String;
}

/// The backends.
pub const ALL: &[&dyn Arch] = &[&amd64::Amd64, &arm64::Arm64];

/// What people call an ELF machine, also one without a backend.
pub fn machine_name(machine: u16) -> String {
    if let Some(arch) = by_machine(machine) {
        return arch.goarch().to_owned();
    }
    match object::elf::Machine(machine) {
        object::elf::EM_RISCV => "riscv64".to_owned(),
        other => format!("ELF machine {}", other.0),
    }
}

/// The platforms that there are backends for: `linux/amd64`.
pub fn platforms() -> String {
    let names = ALL.iter().map(|arch| format!("linux/{}", arch.goarch()));
    names.collect::<Vec<_>>().join(" or ")
}

/// The backend of an ELF machine.
pub fn by_machine(machine: u16) -> Option<&'static dyn Arch> {
    ALL.iter().copied().find(|a| a.machine() == machine)
}
