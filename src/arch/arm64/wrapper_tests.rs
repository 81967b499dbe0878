//! Wrappers as words, each beside its assembly, of which `make arm64` makes the same words. `fixtures/abi` runs them.

use super::*;
use crate::arch::CodeRef;
use crate::model::{Int, Param, Type, goabi};
use std::process::Command;

const U32: Type = Type::Int(Int::U32);
const U64: Type = Type::Int(Int::U64);

fn function(params: &[Type], result: Option<Type>) -> Function {
    let param = |ty: &Type| Param {
        name: "x".into(),
        ty: ty.clone(),
    };
    Function {
        symbol: "f".into(),
        params: params.iter().map(param).collect(),
        result,
        ..Function::default()
    }
}

fn wrapper(params: &[Type], result: Option<Type>) -> Code {
    let function = function(params, result);
    let api = Api::default();
    let codes = &["code".into()][..function.callbacks().count()];
    let frame = goabi::frame(&api, &function);
    emit(&api, &function, &frame, codes, &Uses::None).expect("a wrapper")
}

fn words(code: &Code) -> Vec<u32> {
    let words = code.bytes.chunks_exact(4);
    words
        .map(|w| u32::from_le_bytes(w.try_into().expect("a word")))
        .collect()
}

/// Signatures, with their wrappers: words, and the instructions. Addresses are left to the linker: their words have none.
fn table() -> Vec<(Code, &'static str)> {
    vec![
        (wrapper(&[], None), include_str!("wrappers/nothing.s")),
        (
            wrapper(&[U32, U64, Type::F64], Some(U64)),
            include_str!("wrappers/scalars.s"),
        ),
        (
            wrapper(&[Type::Str, Type::Bool], Some(Type::F32)),
            include_str!("wrappers/text.s"),
        ),
    ]
}

/// `word // instruction`, as the tables have it.
fn lines(text: &str) -> impl Iterator<Item = (u32, &str)> {
    let lines = text.lines().filter(|l| !l.trim().is_empty());
    lines.map(|line| {
        let (word, instruction) = line.split_once(' ').expect("a word and an instruction");
        (u32::from_str_radix(word, 16).expect("a word"), instruction)
    })
}

#[test]
fn wrappers_are_as_the_tables_say() {
    let hex = |words: &[u32]| -> String { words.iter().map(|w| format!("{w:08x}\n")).collect() };
    let (mut all, mut all_wanted) = (String::new(), String::new());
    for (code, table) in table() {
        let want: Vec<u32> = lines(table).map(|l| l.0).collect();
        all.push_str(&format!("{}{:?}\n", hex(&words(&code)), code.refs));
        all_wanted.push_str(&format!("{}{:?}\n", hex(&want), code.refs));
    }
    assert!(all == all_wanted, "{all}");
}

/// The runtime knows the ways out of a lane by their last instruction, at most eight after Go's stack pointer is read.
#[test]
fn ways_out_are_known_by_their_end() {
    /// ldr x10, [sp, #...]
    const READS: u32 = 0xf940_03ea;
    const READS_MASK: u32 = 0xffc0_03ff;
    const LEAVES: u32 = 0x9100_015f;
    let mut ways = 0;
    for (code, _) in table() {
        let words = words(&code);
        for (at, _) in words.iter().enumerate().filter(|(_, w)| **w == LEAVES) {
            let before = &words[at.saturating_sub(8)..at];
            assert!(before.iter().any(|w| w & READS_MASK == READS));
            ways += 1;
        }
    }
    assert_eq!(ways, table().len());
}

/// What GNU `as` makes of the instructions.
#[test]
#[ignore = "needs a cross compiler"]
fn an_assembler_makes_the_same_words() {
    for (code, table) in table() {
        let dir = tempfile::tempdir().expect("a folder");
        let (text, object, bytes) = ("w.s", "w.o", "w.bin");
        // What refers to symbols is a word of the linker's.
        let refers = |n: usize| code.refs.iter().any(|r: &CodeRef| r.offset == 4 * n as u64);
        let source: String = lines(table)
            .enumerate()
            .map(|(n, (word, instruction))| match refers(n) {
                true => format!(".inst 0x{word:08x}\n"),
                false => format!("{instruction}\n"),
            })
            .collect();
        std::fs::write(dir.path().join(text), source).expect("written");
        for (program, arguments) in [
            ("aarch64-linux-gnu-as", ["-o", object, text].as_slice()),
            ("aarch64-linux-gnu-objcopy", &["-Obinary", object, bytes]),
        ] {
            let mut command = Command::new(program);
            let status = command.args(arguments).current_dir(&dir).status();
            assert!(status.expect(program).success(), "{program}");
        }
        let made = std::fs::read(dir.path().join(bytes)).expect("code");
        assert_eq!(made, code.bytes);
    }
}
