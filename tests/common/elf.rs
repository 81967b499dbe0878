//! What a linked program looks like from outside.

use std::path::Path;

use object::elf;
use object::read::elf::{ElfFile64, FileHeader, ProgramHeader};

/// The traits of a program that the modes differ in.
#[derive(Debug, PartialEq, Eq)]
pub struct Shape {
    /// It names a dynamic loader.
    pub interpreted: bool,
    /// It can be loaded anywhere.
    pub position_independent: bool,
}

/// Reads the shape of a program, and panics when it is not safe: an executable stack, or memory that can be written and executed.
#[track_caller]
pub fn shape(program: &Path) -> Shape {
    let bytes = std::fs::read(program).unwrap();
    let file = ElfFile64::<object::Endianness>::parse(&*bytes).unwrap();
    let endian = file.endian();
    let header = file.elf_header();
    let mut shape = Shape {
        interpreted: false,
        position_independent: header.e_type(endian) == elf::ET_DYN,
    };
    for segment in file.elf_program_headers() {
        let kind = segment.p_type(endian);
        let flags = segment.p_flags(endian);
        shape.interpreted |= kind == elf::PT_INTERP;
        if kind == elf::PT_LOAD {
            assert!(
                !flags.contains(elf::PF_W) || !flags.contains(elf::PF_X),
                "{}: a segment is writable and executable",
                program.display()
            );
        }
        if kind == elf::PT_GNU_STACK {
            assert!(
                !flags.contains(elf::PF_X),
                "{}: the stack is executable",
                program.display()
            );
        }
    }
    shape
}
