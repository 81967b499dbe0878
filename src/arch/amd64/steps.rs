//! Instructions that replace others, before and after they are encoded.

use crate::arch::thread_pointer::Moved;
use iced_x86::{Encoder, Instruction};

/// Bytes of jmp rel32 and call rel32.
pub(super) const JUMP: usize = 5;

/// An instruction of the new code, and which fields of the old code are in it now.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub i: Instruction,
    pub fields: Vec<FieldOf>,
}

/// A field that is filled in later.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldOf {
    /// Its place in the old code.
    pub from: u64,
    /// Whether it is the displacement; else, the immediate.
    pub displacement: bool,
    /// What is added.
    pub plus: i64,
}

impl Step {
    pub fn plain(i: Instruction) -> Self {
        Step {
            i,
            fields: Vec::new(),
        }
    }
}

/// A jump or call at `from`, to `to`.
pub(super) fn jump(opcode: u8, from: u64, to: u64) -> Result<Vec<u8>, String> {
    let distance = to.wrapping_sub(from + JUMP as u64) as i64;
    let distance = i32::try_from(distance).map_err(|_| "the section is too large".to_owned())?;
    let mut bytes = vec![opcode];
    bytes.extend(distance.to_le_bytes());
    Ok(bytes)
}

/// One instruction, and where its fields are.
pub(super) struct Encoded {
    pub bytes: Vec<u8>,
    pub displacement: Option<usize>,
    immediate: Option<usize>,
}

pub(super) fn encode(step: &Step, at: u64) -> Result<Encoded, String> {
    let mut encoder = Encoder::new(64);
    let broken = |e| format!("it cannot be encoded: {e}");
    encoder.encode(&step.i, at).map_err(broken)?;
    let c = encoder.get_constant_offsets();
    Ok(Encoded {
        bytes: encoder.take_buffer(),
        displacement: c.has_displacement().then(|| c.displacement_offset()),
        immediate: c.has_immediate().then(|| c.immediate_offset()),
    })
}

/// Code at a place, and where the old fields are in it.
pub(super) fn encode_all(steps: &[Step], at: u64) -> Result<(Vec<u8>, Vec<Moved>), String> {
    let (mut bytes, mut moved) = (Vec::new(), Vec::new());
    for step in steps {
        let here = at + bytes.len() as u64;
        let new = encode(step, here)?;
        for field in &step.fields {
            let place = match field.displacement {
                true => new.displacement,
                false => new.immediate,
            };
            moved.push(Moved {
                from: field.from,
                to: here + place.ok_or("a field has no place")? as u64,
                plus: field.plus,
            });
        }
        bytes.extend(new.bytes);
    }
    Ok((bytes, moved))
}
