//! Wrappers as text: a signature, and the code between the switch to the lane and the end. `tests/tool/abi_exec` runs them.

use super::super::writer::R_X86_64_PLT32;
use super::*;
use crate::arch::CodeRef;
use crate::model::goabi;
use crate::model::{
    Field, Int, Param, PointerKind, Signatures, Type, TypeDef, TypeId, TypeKind, UserData,
};
use iced_x86::{Decoder, DecoderOptions, Formatter, IntelFormatter};

const BYTES: Type = Type::Int(Int::U8);
const WORD: Type = Type::Int(Int::U64);

fn slice(elem: Type) -> Type {
    Type::Slice {
        elem: Box::new(elem),
        mutable: false,
        pair: None,
    }
}

fn function(params: &[Type], result: Option<Type>) -> Function {
    Function {
        symbol: "f".into(),
        params: params
            .iter()
            .map(|ty| Param {
                name: "x".into(),
                ty: ty.clone(),
            })
            .collect(),
        result,
        ..Function::default()
    }
}

/// An API of one struct: size, alignment, and fields with their offsets. Its type is [`S`].
fn api(size: u64, align: u64, fields: &[(Type, u64)]) -> Api {
    let fields = fields.iter().map(|(ty, offset)| Field {
        name: "f".into(),
        ty: ty.clone(),
        offset: *offset,
        doc: String::new(),
    });
    Api::from(Signatures {
        types: vec![TypeDef {
            name: "S".into(),
            path: "S".into(),
            doc: String::new(),
            kind: TypeKind::Struct {
                fields: fields.collect(),
                size,
                align,
            },
        }],
        ..Signatures::default()
    })
}

const S: Type = Type::Named(TypeId(0));

fn wrapper(api: &Api, params: &[Type], result: Option<Type>) -> Result<Code, String> {
    let function = function(params, result);
    emit(
        api,
        &function,
        &goabi::frame(api, &function),
        &["code".into()][..function.callbacks().count()],
        &Uses::None,
    )
}

fn disassemble(code: &Code) -> Vec<String> {
    let mut formatter = IntelFormatter::new();
    let options = formatter.options_mut();
    options.set_space_after_operand_separator(true);
    options.set_hex_prefix("0x");
    options.set_hex_suffix("");
    options.set_branch_leading_zeros(false);
    let print = |i: Instruction| {
        let mut text = String::new();
        let refers = |r: &&CodeRef| (i.ip()..i.next_ip()).contains(&r.offset);
        formatter.format(&i, &mut text);
        match code.refs.iter().find(refers) {
            Some(r) => format!("{text} -> {}", r.symbol),
            None => text,
        }
    };
    Decoder::with_ip(64, &code.bytes, 0, DecoderOptions::NONE)
        .iter()
        .map(print)
        .collect()
}

/// What differs from function to function: from the switch to the return.
#[track_caller]
fn check(api: &Api, params: &[Type], result: Option<Type>, want: &str) {
    let code = wrapper(api, params, result).expect("a wrapper");
    // The call's operand is a cleared field: where it seems to lead depends on the code before it.
    let lines = disassemble(&code)
        .into_iter()
        .map(|l| match l.ends_with("-> f") {
            true => "call 0 -> f".into(),
            false => l,
        });
    let lines: Vec<String> = lines.collect();
    let from = lines
        .iter()
        .position(|l| l == "mov rbx, rsp")
        .expect("the switch");
    let to = lines.iter().position(|l| l == "ret").expect("the return");
    let want: Vec<_> = want
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect();
    assert_eq!(
        lines[from + 1..to],
        want,
        "\n{}",
        lines[from + 1..to].join("\n")
    );
}

#[test]
fn the_whole_of_a_small_one() {
    let code = wrapper(&Api::default(), &[WORD], Some(WORD)).expect("a wrapper");
    let want = "\
        mov rax, [r14+0x30]
        cmp r13, [0xB] -> rsyso_lane_owner
        jne short 0x51
        mov r10, [0x14] -> rsyso_lane_table
        imul ecx, eax, 0x9E3779B1
        shr ecx, 0xD
        and ecx, 0x7FFF0
        cmp [r10+rcx], rax
        jne short 0x51
        mov r11, [r10+rcx+8]
        mov [r11], rsp
        mov [r11+8], rbp
        mov [r11+0x10], r12
        mov rbx, rsp
        mov rsp, r11
        mov rdi, [rbx+8]
        call 0x48 -> f
        mov [rbx+0x10], rax
        mov rsp, [rsp]
        ret
        call 0x56 -> rsyso_lane_slow
        jmp short 0x2E";
    let want: Vec<_> = want.lines().map(str::trim).collect();
    assert_eq!(disassemble(&code), want);
    // Relocated fields are clear, and their addend takes the instruction pointer's lead into account.
    let refs: Vec<_> = code.refs.iter().map(|r| (r.r_type, r.addend)).collect();
    let [pc, plt] = [R_X86_64_PC32, R_X86_64_PLT32].map(|t| (t, -4));
    assert_eq!(refs, [pc, pc, plt, plt]);
    for r in &code.refs {
        assert_eq!(code.bytes[r.offset as usize..][..4], [0; 4]);
    }
}

#[test]
fn narrow_integers_are_extended() {
    use Int::*;
    let params = [U8, I8, U16, I16, I32].map(Type::Int);
    let want = "
        mov rsp, r11
        movzx edi, byte ptr [rbx+8]
        movsx esi, byte ptr [rbx+9]
        movzx edx, word ptr [rbx+0xA]
        movsx ecx, word ptr [rbx+0xC]
        mov r8d, [rbx+0x10]
        call 0 -> f
        mov [rbx+0x18], al
        mov rsp, [rsp]";
    check(&Api::default(), &params, Some(Type::Bool), want);
}

#[test]
fn a_slice_that_lacks_one_register_leaves_it_to_a_later_scalar() {
    let params = [WORD, WORD, WORD, WORD, WORD, slice(WORD), WORD, Type::F32];
    let want = "
        lea rsp, [r11-0x10]
        mov r10d, 8
        mov rcx, [rbx+0x38]
        mov rax, [rbx+0x30]
        test rcx, rcx
        cmove rax, r10
        mov [rsp], rax
        mov [rsp+8], rcx
        mov rdi, [rbx+8]
        mov rsi, [rbx+0x10]
        mov rdx, [rbx+0x18]
        mov rcx, [rbx+0x20]
        mov r8, [rbx+0x28]
        mov r9, [rbx+0x48]
        movss xmm0, [rbx+0x50]
        call 0 -> f
        mov rsp, [rsp+0x10]";
    check(&Api::default(), &params, None, want);
}

#[test]
fn a_pointer_and_length_of_c_are_parameters_of_their_own() {
    let pair = Type::Slice {
        elem: Box::new(Type::Int(Int::U32)),
        mutable: false,
        pair: Some(Int::Usize),
    };
    // Five words, then the pair: its pointer takes the last register, its length goes to memory.
    let params = [WORD, WORD, WORD, WORD, WORD, pair];
    let want = "
        lea rsp, [r11-0x10]
        mov rax, [rbx+0x38]
        mov [rsp], rax
        mov rdi, [rbx+8]
        mov rsi, [rbx+0x10]
        mov rdx, [rbx+0x18]
        mov rcx, [rbx+0x20]
        mov r8, [rbx+0x28]
        mov r10d, 4
        mov rax, [rbx+0x38]
        mov r9, [rbx+0x30]
        test rax, rax
        cmove r9, r10
        call 0 -> f
        mov rsp, [rsp+0x10]";
    check(&Api::default(), &params, None, want);
}

#[test]
fn strings_and_slices_come_back_without_dangling_pointers() {
    let params = [Type::Str, slice(BYTES), slice(Type::F64)];
    let want = "
        mov rsp, r11
        mov r10d, 1
        mov rsi, [rbx+0x10]
        mov rdi, [rbx+8]
        test rsi, rsi
        cmove rdi, r10
        mov rcx, [rbx+0x20]
        mov rdx, [rbx+0x18]
        test rcx, rcx
        cmove rdx, r10
        mov r10d, 8
        mov r9, [rbx+0x38]
        mov r8, [rbx+0x30]
        test r9, r9
        cmove r8, r10
        call 0 -> f
        xor ecx, ecx
        test rdx, rdx
        cmove rax, rcx
        mov [rbx+0x48], rax
        mov [rbx+0x50], rdx
        mov [rbx+0x58], rdx
        mov rsp, [rsp]";
    check(&Api::default(), &params, Some(slice(WORD)), want);
}

#[test]
fn a_mixed_struct_travels_in_both_kinds_of_registers() {
    // { f32, f32, u16, u8 }: SSE, INTEGER; 12 bytes.
    let int = |i| Type::Int(i);
    let fields = [
        (Type::F32, 0),
        (Type::F32, 4),
        (int(Int::U16), 8),
        (int(Int::U8), 10),
    ];
    let want = "
        mov rsp, r11
        movsd xmm0, [rbx+8]
        mov edi, [rbx+0x10]
        call 0 -> f
        movsd [rbx+0x18], xmm0
        mov [rbx+0x20], eax
        mov rsp, [rsp]";
    check(&api(12, 4, &fields), &[S], Some(S), want);
}

#[test]
fn a_result_of_odd_size_is_stored_to_its_last_byte_and_no_further() {
    let bytes = |len| Type::Array {
        elem: Box::new(BYTES),
        len,
    };
    let want = "
        mov rsp, r11
        mov rdi, [rbx+8]
        mov rsi, [rbx+0x10]
        call 0 -> f
        mov [rbx+0x18], rax
        mov [rbx+0x20], edx
        shr rdx, 0x20
        mov [rbx+0x24], dx
        shr rdx, 0x10
        mov [rbx+0x26], dl
        mov rsp, [rsp]";
    check(&api(15, 1, &[(bytes(15), 0)]), &[S], Some(S), want);
}

#[test]
fn structs_in_memory() {
    // Three words: copied for the callee, and written by it right into Go's slot.
    let fields = [(WORD, 0), (Type::F64, 8), (WORD, 16)];
    let want = "
        lea rsp, [r11-0x20]
        mov rax, [rbx+0x10]
        mov [rsp], rax
        mov rax, [rbx+0x18]
        mov [rsp+8], rax
        mov rax, [rbx+0x20]
        mov [rsp+0x10], rax
        movzx esi, byte ptr [rbx+8]
        lea rdi, [rbx+0x28]
        call 0 -> f
        mov rsp, [rsp+0x20]";
    check(&api(24, 8, &fields), &[Type::Bool, S], Some(S), want);

    let fields = [(
        Type::Array {
            elem: Box::new(WORD),
            len: 100,
        },
        0,
    )];
    let want = "
        lea rsp, [r11-0x320]
        mov r12, [rbx+8]
        lea rsi, [r12]
        mov rdi, rsp
        mov ecx, 0x64
        rep movsq [rdi], [rsi]
        call 0 -> f
        mov rsp, [rsp+0x320]";
    check(&api(800, 8, &fields), &[S], None, want);
}

#[test]
fn a_packed_struct_with_an_unaligned_field_goes_to_memory() {
    let fields = [(BYTES, 0), (Type::F32, 1)];
    let want = "
        lea rsp, [r11-0x10]
        mov rax, [rbx+8]
        mov [rsp], rax
        call 0 -> f
        mov rsp, [rsp+0x10]";
    check(&api(5, 1, &fields), &[S], None, want);
}

#[test]
fn what_cannot_be_passed_is_refused() {
    let refused = |api: &Api, params: &[Type], result, want: &str| {
        let error = wrapper(api, params, result).expect_err("an error");
        assert!(error.contains(want), "{error}");
    };
    let none = Api::default();
    let callback = |result: Option<Type>| Type::Callback {
        alias: String::new(),
        params: Vec::new(),
        names: Vec::new(),
        result: result.map(Box::new),
        user: None,
        nullable: false,
    };
    refused(
        &none,
        &[callback(Some(Type::Str))],
        None,
        "parameter `x`: a callback",
    );
    let callback = callback(None);
    let reference = |to| Type::Pointer {
        to: Some(Box::new(to)),
        kind: PointerKind::Ref,
        nullable: false,
    };
    let wide = api(16, 16, &[(WORD, 0)]);
    refused(&wide, &[S], None, "alignment 16");
    refused(&wide, &[], Some(S), "the result: a type of alignment 16");
    refused(&wide, &[reference(S)], None, "alignment 16");
    refused(&wide, &[slice(S)], None, "alignment 16");
    refused(&api(0, 1, &[]), &[slice(S)], None, "without a size");
    refused(
        &api(16, 8, &[(Type::Str, 0)]),
        &[S],
        None,
        "string or slice",
    );
    refused(
        &api(64, 8, &[(callback, 0)]),
        &[S],
        None,
        "function pointer",
    );
    // From damaged debug information.
    refused(&api(4, 4, &[(WORD, 0)]), &[S], None, "outside");
    refused(&api(4, 4, &[(S, 0)]), &[S], None, "nested too deeply");
    refused(
        &api(4, 4, &[(S, 0), (S, 0), (S, 0)]),
        &[S],
        None,
        "nested too deeply",
    );
    refused(&api(16, 8, &[(WORD, 0)]), &[S], None, "not understood");
    refused(&api(u64::MAX, 8, &[]), &[S, S], Some(S), "1 GiB");
    refused(&api(1 << 20, 8, &[]), &[S], None, "by reference");
    let absurd = Type::Array {
        elem: Box::new(WORD),
        len: u64::MAX,
    };
    refused(&api(16, 8, &[(absurd, 0)]), &[S], None, "outside");
}

/// The mark travels in r13; the goroutine's registers come from the control block, and the stub returns nil.
#[test]
fn a_function_that_takes_a_go_function() {
    let callback = Type::Callback {
        alias: String::new(),
        params: vec![WORD],
        names: Vec::new(),
        result: None,
        user: Some(UserData::behind(0)),
        nullable: true,
    };
    let code = wrapper(&Api::default(), &[WORD, callback], Some(WORD)).expect("a wrapper");
    let lines = disassemble(&code).join("\n");
    let want = [
        "mov r12, [rbx+8]",
        "mov rdi, r11",
        "-> code",
        "-> rsyso_callbacks_begin",
        "mov r13, rax",
        "mov rdi, [r12]",
        "-> code",
        "mov r10d, 0",
        "cmp byte ptr [r12+8], 0",
        "cmove rsi, r10",
        "mov rdx, r13",
        "push rax",
        "-> f",
        "jmp rax",
        "mov [r12+0x10], rax",
        "lea rdi, [rsp]",
        "-> rsyso_callbacks_end",
        "mov rbp, [rsp+8]",
        "mov rsp, [rsp]",
        "mov qword ptr [rsp+0x10], 0",
        "pop rcx",
        "jmp rcx",
    ];
    let mut rest = lines.as_str();
    for line in want {
        let at = rest.find(line);
        let at = at.unwrap_or_else(|| panic!("no `{line}` where it should be in\n{lines}"));
        rest = &rest[at + line.len()..];
    }
}

#[test]
fn zero_sized_structs_are_not_passed() {
    let want = "
        mov rsp, r11
        mov rdi, [rbx+8]
        call 0 -> f
        mov rsp, [rsp]";
    check(&api(0, 1, &[]), &[S, WORD], Some(S), want);
}
