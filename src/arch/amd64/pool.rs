//! The pieces of code whose addresses stand for one Go function each: where no user data says which function is meant, the address does.
//!
//! ```text
//! piece:  mov eax, NUMBER     ; a C function without variable arguments is given nothing there (psABI, 3.2.3)
//!         jmp behind
//!         padding
//! behind: jmp the code for functions of this type
//! ```

use iced_x86::{Code as Opcode, Encoder, Instruction, Register};

use super::writer::{R_X86_64_PLT32, broken};
use crate::arch::{Code, CodeRef, PIECE, kept_code};
use crate::contract::KEPT_POOL;
use crate::model::Api;

/// What fills the rest of a piece: a breakpoint, which nobody comes to.
const PADDING: u8 = 0xcc;
/// Bytes of a jump, and where in it the distance is.
const JUMP: u64 = 5;
const DISTANCE: u64 = 1;

/// All pieces, and what they jump to.
pub(super) fn emit(api: &Api) -> Result<Code, String> {
    let many = u64::from(api.pool());
    let codes: Vec<String> = api.pooled().map(|(_, kept)| kept_code(kept)).collect();
    let end = codes.len() as u64 * many * PIECE;
    let mut encoder = Encoder::new(64);
    for (pool, behind) in (0..codes.len() as u64).zip((end..).step_by(JUMP as usize)) {
        for n in pool * many..(pool + 1) * many {
            let number = u32::try_from(KEPT_POOL + n).map_err(|_| "there are too many")?;
            let at = n * PIECE;
            let load = Instruction::with2(Opcode::Mov_r32_imm32, Register::EAX, number);
            let load = encoder.encode(&load.map_err(broken)?, at).map_err(broken)? as u64;
            let jump = Instruction::with_branch(Opcode::Jmp_rel32_64, behind).map_err(broken)?;
            let jump = encoder.encode(&jump, at + load).map_err(broken)? as u64;
            for _ in load + jump..PIECE {
                encoder.write_u8(PADDING);
            }
        }
    }
    let mut refs = Vec::new();
    for (symbol, at) in codes.into_iter().zip((end..).step_by(JUMP as usize)) {
        let jump = Instruction::with_branch(Opcode::Jmp_rel32_64, at + JUMP).map_err(broken)?;
        encoder.encode(&jump, at).map_err(broken)?;
        refs.push(CodeRef {
            offset: at + DISTANCE,
            r_type: R_X86_64_PLT32,
            symbol,
            addend: -4,
        });
    }
    Ok(Code {
        bytes: encoder.take_buffer(),
        refs,
        frame: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Conventions, Field, Function, Param, Signatures, Type, TypeDef, TypeId, TypeKind,
    };
    use iced_x86::{Decoder, DecoderOptions};

    fn api(pool: u32) -> Api {
        let field = |name: &str, offset| Field {
            name: name.into(),
            ty: Type::Callback {
                alias: String::new(),
                params: Vec::new(),
                names: Vec::new(),
                result: None,
                user: None,
                nullable: true,
            },
            offset,
            doc: String::new(),
        };
        let read = Signatures {
            functions: vec![Function {
                params: vec![Param {
                    name: "vtable".into(),
                    ty: Type::Named(TypeId(0)),
                }],
                ..Function::default()
            }],
            types: vec![TypeDef {
                name: "Vtable".into(),
                path: String::new(),
                doc: String::new(),
                kind: TypeKind::Struct {
                    fields: vec![field("get", 0), field("put", 8)],
                    size: 16,
                    align: 8,
                },
            }],
            ..Signatures::default()
        };
        let conventions = Conventions {
            pool,
            ..Conventions::default()
        };
        Api::new(read, &conventions)
    }

    #[test]
    fn each_piece_says_its_number_and_goes_to_the_code_of_its_type() {
        let code = emit(&api(3)).unwrap();
        let decode = |at: u64| {
            let bytes = &code.bytes[at as usize..];
            let mut decoder = Decoder::with_ip(64, bytes, at, DecoderOptions::NONE);
            [decoder.decode(), decoder.decode()]
        };
        let symbol = |at: u64| {
            let of = code.refs.iter().find(|r| r.offset == at + DISTANCE);
            of.map(|r| r.symbol.as_str())
        };
        for n in 0..6 {
            let [load, jump] = decode(n * PIECE);
            assert_eq!(load.code(), Opcode::Mov_r32_imm32);
            assert_eq!(u64::from(load.immediate32()), KEPT_POOL + n);
            let behind = jump.near_branch_target();
            assert_eq!(decode(behind)[0].code(), Opcode::Jmp_rel32_64);
            let want = match n < 3 {
                true => "rsyso:Vtable.field.get",
                false => "rsyso:Vtable.field.put",
            };
            assert_eq!(symbol(behind), Some(want));
        }
        assert_eq!(code.bytes.len() as u64, 6 * PIECE + 2 * JUMP);
    }
}
