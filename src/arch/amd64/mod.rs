//! x86-64 (GOARCH amd64): variable-length instructions, 32-bit PC-relative reach, GOT loads that can be relaxed in place.
//! Source: System V Application Binary Interface, AMD64 Architecture Processor Supplement ("psABI").

use super::groups::{Group, Relocated};
use super::reloc::Howto;
use super::thread_pointer::{Code as UsingCode, Detours};
use super::{
    Analysis, Arch, Arguments, Calling, Code, GoFunction, KeptCalls, Linking, Stub, Thunk,
};
use crate::model::goabi::Frame;
use crate::model::uses::Uses;
use crate::model::{Api, Function};
use gimli::write::CommonInformationEntry;
use std::ops::Range;

pub mod abi;
pub mod callback;
mod detour;
mod eightbytes;
mod flags;
mod frames;
pub mod groups;
mod handles;
pub mod pool;
mod regions;
pub mod relax;
pub mod reloc;
mod steps;
pub mod stub;
pub mod syscall;
pub mod thread_pointer;
pub mod tls;
pub mod wrapper;
mod writer;

/// The backend.
#[derive(Debug)]
pub struct Amd64;

/// What the addend of a field that ends its instruction begins with: the processor counts from the next instruction.
const TO_NEXT_INSTRUCTION: i64 = -4;

impl Arch for Amd64 {
    fn goarch(&self) -> &'static str {
        "amd64"
    }
    fn rust_target(&self) -> &'static str {
        "x86_64-unknown-linux-gnu"
    }
    fn machine(&self) -> u16 {
        object::elf::EM_X86_64.0
    }
    fn object_architecture(&self) -> object::Architecture {
        object::Architecture::X86_64
    }
}

impl Linking for Amd64 {
    fn page_size(&self) -> u64 {
        4096
    }
    fn largest_page(&self) -> u64 {
        4096
    }
    fn trap(&self) -> &'static [u8] {
        &[0xcc]
    }
    fn howto(&self, r_type: u32) -> Option<&'static Howto> {
        reloc::howto(r_type)
    }
    fn groups(&self, section: &Relocated<'_>) -> Vec<Group> {
        groups::claim(section)
    }
    fn meant(&self, code: &[u8], offset: u64) -> &'static [i64] {
        reloc::meant(code, offset)
    }
    fn thunk(&self) -> Option<&'static Thunk> {
        None
    }
    fn uses_thread_pointer(&self, code: &[u8]) -> bool {
        thread_pointer::may_be_used(code)
    }
    fn runs_through_thread_pointer(&self, code: &[u8], functions: &[Range<u64>]) -> bool {
        thread_pointer::is_used(code, functions)
    }
    fn replace_thread_pointer(&self, code: &UsingCode<'_>) -> Result<Detours, Vec<(u64, String)>> {
        thread_pointer::replace(code)
    }
}

impl Analysis for Amd64 {
    fn c_calls(&self, code: &[u8], refs: &[u64]) -> Vec<Arguments> {
        syscall::c_calls(code, refs)
    }
    fn reads_second_argument(&self, code: &[u8], offset: u32) -> bool {
        syscall::reads_second_argument(code, offset)
    }
    fn large_frames(&self, code: &[u8], over: u64) -> Vec<(u64, u64)> {
        frames::large(code, over)
    }
    fn system_calls(&self, code: &[u8]) -> Vec<Arguments> {
        syscall::instructions(code)
    }
    fn waiting_call(&self, number: u64) -> Option<&'static str> {
        syscall::name(number)
    }
}

impl Calling for Amd64 {
    fn wrapper(
        &self,
        api: &Api,
        function: &Function,
        frame: &Frame,
        codes: &[String],
        uses: &Uses,
    ) -> Result<Code, String> {
        match uses {
            Uses::Freed => handles::closing(frame, &function.symbol, api.keeps()),
            _ => wrapper::emit(api, function, frame, codes, uses),
        }
    }
    fn go_function(&self, api: &Api, function: &GoFunction<'_>) -> Result<Code, String> {
        callback::emit(api, function)
    }
    fn c_abi_names(&self) -> &'static [&'static str] {
        &["sysv64", "sysv64-unwind"]
    }
    fn pool(&self, api: &Api) -> Result<Code, String> {
        pool::emit(api)
    }
    fn jump(&self, symbol: &str) -> Result<Code, String> {
        wrapper::jump(symbol)
    }
    fn address(&self, symbol: &str) -> Result<Code, String> {
        wrapper::address(symbol)
    }
    fn frame_at_entry(&self) -> (CommonInformationEntry, u32) {
        (wrapper::frame_at_entry(), writer::R_X86_64_PC32)
    }
    fn away(&self, go_on: &str, depart: &str, keeps: Option<KeptCalls<'_>>) -> String {
        stub::away(go_on, depart, keeps)
    }
    fn landing(&self, name: &str, then: &str) -> String {
        stub::landing(name, then)
    }
    fn stub(&self, stub: &Stub<'_>) -> String {
        stub::print(stub)
    }
}
