//! The rules for the symbols of a `.syso`.

use std::collections::HashSet;

use goblin::elf::section_header::{SHN_COMMON, SHN_UNDEF};
use goblin::elf::sym::{
    STB_LOCAL, STB_WEAK, STT_COMMON, STT_FILE, STT_FUNC, STT_SECTION, STT_TLS, STV_HIDDEN, Sym,
};

use super::{Findings, ImageSection};

/// A symbol with its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Symbol<'a> {
    /// Its place in the table.
    pub index: usize,
    /// Its name.
    pub name: &'a str,
    /// The entry.
    pub sym: Sym,
}

impl Symbol<'_> {
    pub fn is_local(&self) -> bool {
        self.sym.st_bind() == STB_LOCAL
    }

    /// File and section symbols name no bytes; loadelf passes over them.
    fn is_marker(&self) -> bool {
        matches!(self.sym.st_type(), STT_FILE | STT_SECTION) && self.is_local()
    }

    fn is_common(&self) -> bool {
        self.sym.st_shndx as u32 == SHN_COMMON || self.sym.st_type() == STT_COMMON
    }

    fn end(&self) -> u64 {
        self.sym.st_value.saturating_add(self.sym.st_size)
    }

    fn describe(&self) -> String {
        format!("symbol {} `{}`", self.index, self.name)
    }
}

/// Holds the symbols against the rules. The fixed part of the image has `fixed_size` bytes.
pub(super) fn check(
    findings: &mut Findings<'_>,
    all: &[Symbol<'_>],
    image: &ImageSection<'_>,
    fixed_size: u64,
) {
    let symbols: Vec<Symbol<'_>> = all.iter().filter(|s| !s.is_marker()).copied().collect();
    let broken = |f: &dyn Fn(&Symbol<'_>) -> bool| -> Vec<String> {
        symbols
            .iter()
            .filter(|s| f(s))
            .map(Symbol::describe)
            .collect()
    };
    let mut rule = |message: &str, f: &dyn Fn(&Symbol<'_>) -> bool| {
        findings.none(message, broken(f).into_iter());
    };

    // The image must not ask for anything: a reference would need a relocation.
    let undefined = |s: &Symbol<'_>| s.sym.st_shndx as u32 == SHN_UNDEF;
    rule("undefined symbols", &undefined);
    // Both would become plain Go data outside the image.
    rule("common symbols", &|s| s.is_common());
    rule(
        "thread-local symbols, which Go's linker does not know",
        &|s| s.sym.st_type() == STT_TLS,
    );
    // From here on, symbols that lie in the file.
    let placed = |s: &Symbol<'_>| !undefined(s) && !s.is_common() && s.sym.st_type() != STT_TLS;
    let inside = |s: &Symbol<'_>| placed(s) && s.sym.st_shndx == image.index;
    // loadelf.Load: "ignoring symbol in section" is its error for a symbol in a section that is not loaded.
    rule("symbols outside the image's section", &|s| {
        placed(s) && !inside(s)
    });
    rule("symbols that are not functions", &|s| {
        placed(s) && s.sym.st_type() != STT_FUNC
    });
    rule("symbols without a size", &|s| {
        inside(s) && s.sym.st_size == 0
    });
    rule("symbols that reach past the end of the image", &|s| {
        inside(s)
            && (s.sym.st_value.checked_add(s.sym.st_size)).is_none_or(|e| e > image.header.sh_size)
    });
    // readelfsym drops arm's mapping symbols ($a, $d, $x), which would leave a hole; a function without a name is of no use in a trace.
    rule(
        "local symbols with a name that Go's linker passes over",
        &|s| {
            placed(s)
                && s.is_local()
                && (s.name.is_empty() || ["$a", "$d", "$x"].iter().any(|p| s.name.starts_with(p)))
        },
    );
    let inside: Vec<Symbol<'_>> = symbols.iter().filter(|s| inside(s)).copied().collect();
    globals(findings, &inside, fixed_size);
    coverage(findings, &inside, image);
}

/// The rules for symbols that the rest of the program can see: wrappers, each only once.
fn globals(findings: &mut Findings<'_>, symbols: &[Symbol<'_>], fixed_size: u64) {
    let globals = || symbols.iter().filter(|s| !s.is_local());
    let mut rule = |message: &str, f: &dyn Fn(&Symbol<'_>) -> bool| {
        findings.none(message, globals().filter(|s| f(s)).map(Symbol::describe));
    };
    // Where a program holds the package twice, under two import paths, linkers take the first of them: "duplicate symbol reference" (loadelf.Load)
    // else. Names tell images apart, so what is merged is equal.
    rule("symbols that are neither local nor weak", &|s| {
        s.sym.st_bind() != STB_WEAK
    });
    rule("wrappers that are not hidden", &|s| {
        s.sym.st_visibility() != STV_HIDDEN
    });
    rule(
        "global symbols that are not named as wrappers (`rsyso_<hex>_<name>`)",
        &|s| !crate::wrappers::is_public(s.name),
    );
    rule("global symbols in the writable part", &|s| {
        s.end() > fixed_size
    });
    // "duplicate symbol reference" (loadelf.Load).
    let mut seen = HashSet::new();
    findings.none(
        "two global symbols of one name",
        globals()
            .filter(|s| !seen.insert(s.name))
            .map(Symbol::describe),
    );
    findings.require(globals().next().is_some(), || {
        "no wrappers: Go could not call anything in the image".to_string()
    });
}

/// Every byte belongs to exactly one symbol, and there are not too many for the tables that the Go runtime looks functions up in.
fn coverage(findings: &mut Findings<'_>, symbols: &[Symbol<'_>], image: &ImageSection<'_>) {
    let mut sorted: Vec<&Symbol<'_>> = symbols.iter().filter(|s| s.sym.st_size > 0).collect();
    sorted.sort_by_key(|s| (s.sym.st_value, s.index));

    // For the Go runtime a function reaches up to the next one: a hole carries the name of what stands before it, and at the start of the
    // image there is nothing before it, "hole in findfunctab" (ld/pcln.go, findfunctab).
    let mut holes = Vec::new();
    let mut overlaps = Vec::new();
    let mut at = 0;
    for s in &sorted {
        let begin = s.sym.st_value;
        if begin > at {
            holes.push(format!("{at:#x} to {begin:#x}, before {}", s.describe()));
        } else if begin < at {
            overlaps.push(format!("{} at {begin:#x}", s.describe()));
        }
        at = at.max(s.end());
    }
    if at < image.header.sh_size {
        holes.push(format!("{at:#x} to {:#x}, the end", image.header.sh_size));
    }
    findings.none("bytes that belong to no symbol", holes.into_iter());
    findings.none("symbols that overlap", overlaps.into_iter());
    density(findings, &sorted);
}

/// cmd/link keeps, for each bucket of 4096 bytes, the number of the function at its start, and for each 256 bytes of it the distance to
/// that number in one byte: "too many functions in a findfunc bucket" (ld/pcln.go, findfunctab). The last distance counts the functions that
/// begin in 15 * 256 bytes. Where buckets begin is the linker's choice, so the rule must hold from any address on.
fn density(findings: &mut Findings<'_>, sorted: &[&Symbol<'_>]) {
    const REACH: u64 = 15 * 256;
    const LIMIT: usize = 255;
    let crowded = sorted
        .windows(LIMIT + 1)
        .filter(|w| match w {
            [first, .., last] => last.sym.st_value.saturating_sub(first.sym.st_value) < REACH,
            _ => false,
        })
        .map(|w| format!("{} symbols from {} on", w.len(), w[0].describe()));
    findings.none("more than 255 symbols begin within 3840 bytes", crowded);
}
