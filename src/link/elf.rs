//! The `.syso`: one section, no relocations.

use super::symtab::ImageSymbol;
use crate::arch::Arch;
use crate::base::diag::{Error, Problem, Result};
use ::object::write::{
    Object, SectionKind, Symbol, SymbolFlags, SymbolKind, SymbolScope, SymbolSection,
};
use ::object::{BinaryFormat, Endianness};

/// Wraps the image into a relocatable ELF object.
pub fn write(arch: &dyn Arch, image: Vec<u8>, symbols: &[ImageSymbol]) -> Result<Vec<u8>> {
    let mut object = Object::new(
        BinaryFormat::Elf,
        arch.object_architecture(),
        Endianness::Little,
    );
    let text = object.add_section(Vec::new(), b".text".to_vec(), SectionKind::Text);
    object.set_section_data(text, image, arch.page_size());
    for symbol in symbols {
        object.add_symbol(Symbol {
            name: symbol.name.clone().into_bytes(),
            value: symbol.offset,
            size: symbol.size,
            kind: SymbolKind::Text,
            // Hidden: nobody looks them up at run time, and no other module takes their place.
            scope: if symbol.global {
                SymbolScope::Linkage
            } else {
                SymbolScope::Compilation
            },
            // A program may hold the package twice, under two import paths: linkers take the first of equal weak names (gABI, "Symbol Table";
            // cmd/link/internal/loadelf, readelfsym). The runtime tells the callers apart (rt/src/enter/copies.rs).
            weak: symbol.global,
            section: SymbolSection::Section(text),
            flags: SymbolFlags::None,
        });
    }
    // Without it, external linking makes the stack executable.
    object.add_section(Vec::new(), b".note.GNU-stack".to_vec(), SectionKind::Other);
    object
        .write()
        .map_err(|e| Error::fault(Problem::new(format!("cannot write the object: {e}"))))
}
