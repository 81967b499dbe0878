//! The embedded runtime keeps what it promises to the linker.

use std::collections::BTreeSet;

use iced_x86::{Decoder, DecoderOptions, FlowControl};
use object::elf::{
    R_X86_64_DTPMOD64, R_X86_64_DTPOFF32, R_X86_64_DTPOFF64, R_X86_64_GOTPC32_TLSDESC,
};
use object::elf::{R_X86_64_GOTTPOFF, R_X86_64_TLSDESC, R_X86_64_TLSDESC_CALL, R_X86_64_TLSGD};
use object::elf::{R_X86_64_TLSLD, R_X86_64_TPOFF32, R_X86_64_TPOFF64};
use object::read::archive::ArchiveFile;
use object::read::elf::{ElfFile64, SectionHeader};
use object::{Object, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget, SymbolKind};
use rsyso::internals::contract::{FRONTS, symbols};

/// The members of the archive: name, and bytes aligned as the parser wants them.
fn members() -> Vec<(String, Vec<u64>)> {
    let data =
        rsyso::internals::read::runtime::archive("amd64").expect("there is a runtime for amd64");
    let archive = ArchiveFile::parse(data).unwrap();
    archive
        .members()
        .map(|member| {
            let member = member.unwrap();
            let bytes = member.data(data).unwrap();
            let words = bytes
                .chunks(8)
                .map(|chunk| {
                    let mut word = [0; 8];
                    word[..chunk.len()].copy_from_slice(chunk);
                    u64::from_ne_bytes(word)
                })
                .collect();
            (String::from_utf8_lossy(member.name()).into_owned(), words)
        })
        .collect()
}

fn bytes(words: &[u64]) -> &[u8] {
    // SAFETY: any word is eight bytes.
    unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), words.len() * 8) }
}

/// Calls `check` with the runtime's own object: the one member that holds its code.
fn with_own_member(check: impl FnOnce(&ElfFile64<'_>)) {
    let members = members();
    let own: Vec<_> = members
        .iter()
        .filter(|(name, _)| name.starts_with("rsyso_rt-"))
        .collect();
    assert_eq!(own.len(), 1, "one codegen unit, linked as one");
    check(&ElfFile64::parse(bytes(&own[0].1)).unwrap());
}

fn names<'a>(
    symbols: impl Iterator<Item = object::read::elf::ElfSymbol64<'a, 'a>>,
) -> BTreeSet<String> {
    symbols.map(|s| s.name().unwrap().to_owned()).collect()
}

#[test]
fn refers_to_nothing_but_the_linkers_symbols_and_its_own_archive() {
    let members = members();
    let mut defined = BTreeSet::new();
    for (_, words) in &members {
        let Ok(file) = ElfFile64::<object::Endianness>::parse(bytes(words)) else {
            continue;
        };
        defined.extend(names(
            file.symbols()
                .filter(|s| s.is_global() && !s.is_undefined()),
        ));
    }
    with_own_member(|file| {
        let of_std: BTreeSet<&str> = symbols::STD
            .iter()
            .copied()
            .chain(FRONTS.iter().map(|(_, real)| *real))
            .collect();
        let undefined = names(file.symbols().filter(|s| s.is_undefined() && s.is_global()));
        let missing: BTreeSet<_> = undefined.difference(&defined).map(String::as_str).collect();
        let linker = BTreeSet::from([symbols::IMAGE, symbols::PARAMS]);
        assert_eq!(missing, &linker | &of_std);
        // The library's std may have left them out.
        let weak = names(file.symbols().filter(|s| s.is_undefined() && s.is_weak()));
        let strong: Vec<_> = of_std.iter().filter(|n| !weak.contains(**n)).collect();
        assert!(strong.is_empty(), "{strong:?}");
    });
}

#[test]
fn provides_what_wrappers_and_libraries_ask_of_the_core() {
    with_own_member(|file| {
        let defined = names(
            file.symbols()
                .filter(|s| s.is_global() && !s.is_undefined()),
        );
        let fronts = FRONTS.iter().map(|(front, _)| front);
        for name in symbols::RUNTIME.iter().chain(fronts) {
            assert!(defined.contains(*name), "{name}");
        }
        for name in "memcpy memmove memset memcmp bcmp strlen memchr memrchr \
             malloc calloc realloc reallocarray free posix_memalign aligned_alloc memalign malloc_usable_size abort \
             _Unwind_RaiseException _Unwind_Resume _Unwind_DeleteException _Unwind_Backtrace _Unwind_GetIP \
             _Unwind_GetIPInfo _Unwind_GetCFA _Unwind_GetGR _Unwind_SetGR _Unwind_SetIP _Unwind_GetRegionStart \
             _Unwind_GetLanguageSpecificData _Unwind_GetTextRelBase _Unwind_GetDataRelBase \
             _Unwind_FindEnclosingFunction"
            .split_whitespace()
        {
            assert!(defined.contains(name), "{name}");
        }
        for name in [
            "rust_begin_unwind",
            "rust_eh_personality",
            "__rust_alloc",
            "main",
            "_start",
        ] {
            assert!(!defined.contains(name), "{name} would meet the library's");
        }
    });
}

const LOCAL_PANIC_COUNT: &str = "rsyso_std_local_panic_count";

#[test]
fn has_no_thread_locals_and_no_initialisers() {
    const TLS: &[u32] = &[
        R_X86_64_DTPMOD64.0,
        R_X86_64_DTPOFF32.0,
        R_X86_64_DTPOFF64.0,
        R_X86_64_GOTPC32_TLSDESC.0,
        R_X86_64_GOTTPOFF.0,
        R_X86_64_TLSDESC.0,
        R_X86_64_TLSDESC_CALL.0,
        R_X86_64_TLSGD.0,
        R_X86_64_TLSLD.0,
        R_X86_64_TPOFF32.0,
        R_X86_64_TPOFF64.0,
    ];
    with_own_member(|file| {
        for section in file.sections() {
            let name = section.name().unwrap();
            let flags = section
                .elf_section_header()
                .sh_flags(object::Endianness::Little);
            assert_eq!(flags.0 & object::elf::SHF_TLS.0, 0, "{name}");
            assert!(
                !name.starts_with(".init_array") && !name.starts_with(".ctors"),
                "{name}"
            );
            for (offset, relocation) in section.relocations() {
                let RelocationFlags::Elf { r_type } = relocation.flags() else {
                    panic!("not ELF");
                };
                // A thread-local of std's, which the runtime counts panics in where LTO has left out what does.
                let of_std = match relocation.target() {
                    object::RelocationTarget::Symbol(index) => {
                        file.symbol_by_index(index).unwrap().name() == Ok(LOCAL_PANIC_COUNT)
                    }
                    _ => false,
                };
                assert!(of_std || !TLS.contains(&r_type.0), "{name}+{offset:#x}");
            }
        }
        let mut own = file.symbols().filter(|s| s.name() != Ok(LOCAL_PANIC_COUNT));
        assert!(own.all(|s| s.kind() != SymbolKind::Tls));
    });
}

/// A compiler that saw through these functions would make them call themselves. They call nothing, and leave only by `ret`, or by a jump to
/// their variants for newer processors, for which the same holds without the jump.
#[test]
fn memory_functions_call_nothing() {
    with_own_member(|file| {
        let mut variants = Vec::new();
        for name in [
            "memcpy", "memmove", "memset", "memcmp", "bcmp", "strlen", "memchr", "memrchr",
        ] {
            variants.extend(calls_nothing(file, name));
        }
        // copy_forwards, copy_backwards, set, compare, length, find
        variants.sort_unstable();
        variants.dedup();
        assert_eq!(variants.len(), 6, "{variants:?}");
        for name in variants {
            assert!(name.contains("4arch6x86_644wide"), "{name}");
            assert!(calls_nothing(file, &name).is_empty(), "{name}");
        }
    });
}

/// Holds a function against that; gives the functions that it jumps to.
fn calls_nothing(file: &ElfFile64, name: &str) -> Vec<String> {
    let symbol = file.symbols().find(|s| s.name() == Ok(name)).unwrap();
    let section = symbol.section_index().unwrap();
    let section = file.section_by_index(section).unwrap();
    assert_eq!(
        section.size(),
        symbol.size(),
        "{name} has a section of its own"
    );
    let mut others = Vec::new();
    for (_, relocation) in section.relocations() {
        let RelocationTarget::Symbol(target) = relocation.target() else {
            panic!("{name}: a relocation without a symbol");
        };
        let target = file.symbol_by_index(target).unwrap();
        if target.kind() == SymbolKind::Text {
            others.push(target.name().unwrap().to_owned());
            continue;
        }
        assert!(
            matches!(target.kind(), SymbolKind::Data | SymbolKind::Section),
            "{name} refers to {}",
            target.name().unwrap()
        );
        let target = target.section_index().unwrap();
        let target = file.section_by_index(target).unwrap();
        assert_ne!(target.kind(), object::SectionKind::Text, "{name}");
    }
    let code = section.data().unwrap();
    let mut rounds = 0;
    for instruction in Decoder::with_ip(64, code, 0, DecoderOptions::NONE) {
        rounds += 1;
        match instruction.flow_control() {
            FlowControl::Next | FlowControl::Return => {}
            // One that leaves the function has a relocation, and leads to the next instruction as it stands.
            FlowControl::UnconditionalBranch | FlowControl::ConditionalBranch => {
                let target = instruction.near_branch_target();
                assert!((target as usize) < code.len(), "{name}: {instruction}");
            }
            _ => panic!("{name}: {instruction}"),
        }
    }
    assert!(rounds > 10, "{name} was decoded");
    others
}

/// A compiler that takes one of these for the other makes them call themselves, and then removes the endless loop.
#[test]
fn string_functions_have_a_body() {
    with_own_member(|file| {
        for name in [
            "strcpy", "stpcpy", "strncpy", "strcat", "strncat", "mempcpy", "strdup", "strndup",
            "putchar", "puts", "fputs",
        ] {
            let symbol = file.symbols().find(|s| s.name() == Ok(name)).unwrap();
            let section = file
                .section_by_index(symbol.section_index().unwrap())
                .unwrap();
            let leaves = section.relocations().next().is_some();
            let code = section
                .data_range(symbol.address(), symbol.size())
                .unwrap()
                .unwrap();
            let stores = Decoder::with_ip(64, code, 0, DecoderOptions::NONE)
                .into_iter()
                .any(|i| {
                    i.op0_kind() == iced_x86::OpKind::Memory
                        && i.mnemonic() == iced_x86::Mnemonic::Mov
                });
            assert!(leaves || stores, "{name} does nothing");
        }
    });
}

/// The way in runs on the goroutine's stack, of which little may be left, and before the fix-ups.
#[test]
fn the_way_in_touches_no_stack_of_its_own() {
    with_own_member(|file| {
        let symbol = file
            .symbols()
            .find(|s| s.name() == Ok("rsyso_lane_slow"))
            .unwrap();
        let section = file
            .section_by_index(symbol.section_index().unwrap())
            .unwrap();
        let code = section.data().unwrap();
        for instruction in Decoder::with_ip(64, code, 0, DecoderOptions::NONE) {
            assert!(!instruction.is_invalid());
            let text = instruction.to_string();
            assert!(
                instruction.stack_pointer_increment() == 0
                    || text.starts_with("call ")
                    || text == "ret",
                "{text}"
            );
        }
    });
}

/// Images are the same whoever built the tool, and tell nothing about that machine.
#[test]
fn holds_no_path_of_the_machine_that_built_it() {
    let data = rsyso::internals::read::runtime::archive("amd64").unwrap();
    let home = std::env::var("CARGO_HOME")
        .or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo")))
        .unwrap();
    for path in [env!("CARGO_MANIFEST_DIR"), home.as_str()] {
        let found = data
            .windows(path.len())
            .any(|window| window == path.as_bytes());
        assert!(!found, "{path}");
    }
}
