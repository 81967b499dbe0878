//! The `.syso`: one section, no relocations.

use super::symtab::ImageSymbol;
use crate::arch::Arch;
use crate::base::diag::{Error, Problem, Result};
use crate::crates;
use ::object::elf::{SHF_EXCLUDE, SHT_PROGBITS};
use ::object::write::{
    Object, SectionKind, Symbol, SymbolFlags, SymbolKind, SymbolScope, SymbolSection,
};
use ::object::{BinaryFormat, Endianness, SectionFlags};

/// Wraps the image into a relocatable ELF object, with the list of what is inside for scanners.
pub fn write(
    arch: &dyn Arch,
    image: Vec<u8>,
    symbols: &[ImageSymbol],
    crates: Option<Vec<u8>>,
) -> Result<Vec<u8>> {
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
    if let Some(list) = crates {
        let name = crates::SECTION.as_bytes().to_vec();
        let section = object.add_section(Vec::new(), name, SectionKind::Other);
        object.set_section_data(section, list, 1);
        // cmd/link passes over what is not loaded. SHF_EXCLUDE has the C linker do the same (gABI, "Section Attribute Flags"): it would
        // join the lists of several packages, and no scanner reads that.
        object.section_mut(section).flags = SectionFlags::Elf {
            sh_type: SHT_PROGBITS,
            sh_flags: SHF_EXCLUDE,
        };
    }
    // Without it, external linking makes the stack executable.
    object.add_section(Vec::new(), b".note.GNU-stack".to_vec(), SectionKind::Other);
    object
        .write()
        .map_err(|e| Error::fault(Problem::new(format!("cannot write the object: {e}"))))
}
