//! What stands for Go functions, as text. `fixtures/callbacks` runs it.

use super::*;
use crate::arch::CodeRef;
use crate::model::{Int, PointerKind, Type, UserData};
use iced_x86::{Decoder, DecoderOptions, Formatter, Instruction, IntelFormatter};

fn callback(params: &[Type], result: Option<Type>, user: Option<usize>) -> Type {
    Type::Callback {
        alias: String::new(),
        params: params.to_vec(),
        names: Vec::new(),
        result: result.map(Box::new),
        user: user.map(UserData::behind),
        nullable: false,
    }
}

#[track_caller]
fn check(ty: &Type, want: &str) {
    let given = GoFunction::given(ty, 3, "first").expect("a function");
    let code = emit(&Api::default(), &given).expect("code");
    let mut formatter = IntelFormatter::new();
    let options = formatter.options_mut();
    options.set_space_after_operand_separator(true);
    options.set_hex_prefix("0x");
    options.set_hex_suffix("");
    let print = |i: Instruction| {
        let refers = |r: &&CodeRef| (i.ip()..i.next_ip()).contains(&r.offset);
        if let Some(r) = code.refs.iter().find(refers) {
            return format!(
                "{} {}",
                format!("{:?}", i.mnemonic()).to_lowercase(),
                r.symbol
            );
        }
        let mut text = String::new();
        formatter.format(&i, &mut text);
        text
    };
    let decoder = Decoder::with_ip(64, &code.bytes, 0, DecoderOptions::NONE);
    let got: Vec<String> = decoder.into_iter().map(print).collect();
    let want: Vec<&str> = want
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect();
    assert_eq!(got, want, "\n{}", got.join("\n"));
}

#[test]
fn registers_go_to_the_frame_and_the_result_comes_from_it() {
    let user = Type::Pointer {
        to: None,
        kind: PointerKind::Mut,
        nullable: true,
    };
    let params = [Type::Int(Int::U32), user, Type::F64];
    check(
        &callback(&params, Some(Type::Int(Int::I16)), Some(1)),
        "
        sub rsp, 0x28
        mov [rsp], edi
        mov [rsp+8], rsi
        movsd [rsp+0x10], xmm0
        mov qword ptr [rsp+0x18], 0
        mov rcx, [rsp+8]
        mov rdi, rsp
        mov esi, 3
        lea first
        lea rax, [0x40]
        push rax
        lea rsyso_callback
        jmp rax
        movsx eax, word ptr [rsp+0x18]
        add rsp, 0x28
        pop rcx
        jmp rcx",
    );
}

#[test]
fn an_empty_string_has_no_pointer_that_go_would_stumble_over() {
    check(
        &callback(&[Type::Str], None, None),
        "
        sub rsp, 0x18
        xor eax, eax
        test rsi, rsi
        cmove rdi, rax
        mov [rsp], rdi
        mov [rsp+8], rsi
        xor ecx, ecx
        mov rdi, rsp
        mov esi, 3
        lea first
        lea rax, [0x38]
        push rax
        lea rsyso_callback
        jmp rax
        add rsp, 0x18
        pop rcx
        jmp rcx",
    );
}

#[test]
fn what_go_cannot_give_is_refused() {
    let refused = |ty: &Type, want: &str| {
        let given = GoFunction::given(ty, 0, "first").expect("a function");
        let error = emit(&Api::default(), &given).expect_err("an error");
        assert!(error.contains(want), "{error}");
    };
    refused(
        &callback(&[], Some(Type::Str), None),
        "returns a string or slice",
    );
    refused(
        &callback(&[callback(&[], None, None)], None, None),
        "takes a function itself",
    );
    let wide = Type::Array {
        elem: Box::new(Type::Int(Int::U64)),
        len: 1 << 20,
    };
    refused(
        &callback(&[wide], None, None),
        "pass large structs by reference",
    );
}
