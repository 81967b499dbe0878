//! Wrappers of functions that take handles, as text. `fixtures/handles` runs them.

use super::*;
use crate::arch::amd64::wrapper;
use crate::model::goabi;
use crate::model::{Api, Function, Param, PointerKind, Type};
use iced_x86::{Decoder, DecoderOptions, Formatter, IntelFormatter};

/// The code of a function of two handles, the second of which may be nil, and is taken if `taken`.
fn lines(taken: bool, pinned: bool) -> Vec<String> {
    let param = || Param {
        name: "x".into(),
        ty: Type::Pointer {
            to: None,
            kind: PointerKind::Ref,
            nullable: true,
        },
    };
    let function = Function {
        symbol: "f".into(),
        params: vec![param(), param()],
        result: None,
        ..Function::default()
    };
    let given = |param: usize| Given {
        param,
        taken: taken && param == 1,
        nullable: param == 1,
        note: Default::default(),
    };
    let uses = Uses::Given {
        handles: vec![given(0), given(1)],
        pinned,
    };
    let api = Api::default();
    let frame = goabi::frame(&api, &function);
    let code = wrapper::emit(&api, &function, &frame, &[], &uses).expect("a wrapper");
    let mut formatter = IntelFormatter::new();
    Decoder::with_ip(64, &code.bytes, 0, DecoderOptions::NONE)
        .iter()
        .map(|i| {
            let mut text = String::new();
            formatter.format(&i, &mut text);
            let refers = code
                .refs
                .iter()
                .find(|r| (i.ip()..i.next_ip()).contains(&r.offset));
            refers.map_or(text, |r| format!("-> {}", r.symbol))
        })
        .collect()
}

#[track_caller]
fn in_order(lines: &[String], want: &[&str]) {
    let mut rest = lines.iter();
    for line in want {
        let found = rest.any(|l| l.starts_with(line));
        assert!(
            found,
            "no `{line}` where it should be in\n{}",
            lines.join("\n")
        );
    }
}

#[test]
fn a_handle_is_shown_before_its_state_is_read_and_until_the_call_is_over() {
    let lines = lines(false, false);
    in_order(
        &lines,
        &[
            // The cell of the first.
            "mov rax,[rbx+8]",
            "mov rcx,[rax]",
            "mov [r11+18h],rcx",
            "cmp [rcx+8],r11",
            "cmp dword ptr [rcx+10h],0",
            // The second, if there is one.
            "mov rax,[rbx+10h]",
            "test rax,rax",
            "mov [r11+20h],rcx",
            // Rust's own pointers.
            "mov rdi,[rdi+8]",
            "test rsi,rsi",
            "mov rsi,[rsi+8]",
            "-> f",
            "mov rdi,[rsp+18h]",
            "mov qword ptr [rsp+18h],0",
            "cmp dword ptr [rdi+10h],0",
            "mov rsp,[rsp]",
            "ret",
            "-> rsyso_handle_use",
            "-> rsyso_handle_used",
            "call rdx",
            "-> rsyso_handle_due",
        ],
    );
    assert!(!lines.iter().any(|l| l.contains("lock")));
}

#[test]
fn what_go_copies_is_pinned_before_the_use_ends() {
    let want = [
        "-> f",
        "mov rdi,[rsp+18h]",
        "lock inc dword ptr [rdi+14h]",
        "mov qword ptr [rsp+18h],0",
    ];
    in_order(&lines(false, true), &want);
}

/// First the others: a handle that is given for both is found out.
#[test]
fn what_is_taken_is_taken_last_and_shown_no_more() {
    let want = [
        "mov [r11+18h],rcx",
        "-> f.handle.1",
        "-> rsyso_handle_take",
        "mov qword ptr [r11+20h],0",
        "-> f",
    ];
    in_order(&lines(true, false), &want);
}
