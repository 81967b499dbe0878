//! The sum over what an image is made of: it is the same wherever the library was built.

use super::graph::Graph;
use super::unwind;
use crate::provenance::Sum;
use crate::read::{Bind, Reloc, Section, Symbol, runtime};
use sha2::{Digest, Sha256};

/// SHA-256 over what is kept of the inputs, and the runtime, by its own sum. Debug information does not take part: it names the folders of the
/// machine that built the library, and what it says of the API is in the Go files. Nor does what is left out, which need not be read then.
pub fn digest(graph: &Graph<'_>, goarch: &str) -> Sum {
    let (inputs, live) = (&graph.inputs, &graph.live);
    let own = |obj: u32| !inputs.is_runtime(obj) && inputs.wrappers != Some(obj);
    let mut hash = Buffered::default();
    hash.update(runtime::sha256(goarch).unwrap_or_default());
    let mut objects = Vec::new();
    for at in live.sections.iter().filter(|at| own(at.obj)) {
        hash.section(inputs.section(*at));
        objects.push(at.obj);
    }
    for record in live.records.iter().filter(|record| own(record.at.obj)) {
        let section = inputs.section(record.at);
        if let Some(own) = unwind::record(&graph.frames, *record) {
            hash.update(own.bytes(section));
            hash.relocs(own.relocs(section));
        }
    }
    // In order, as the sections are.
    objects.dedup();
    for obj in objects {
        let symbols = inputs.object(obj).symbols.iter();
        symbols.for_each(|symbol| hash.symbol(symbol));
    }
    hash.finish()
}

/// Collects what comes in small pieces.
#[derive(Default)]
struct Buffered {
    hash: Sha256,
    pieces: Vec<u8>,
}

impl Buffered {
    const MUCH: usize = 16 << 10;

    fn section(&mut self, section: &Section<'_>) {
        let bytes = section.data.len() as u64;
        for n in [section.flags, section.size, section.align, bytes] {
            self.number(n);
        }
        self.update(&section.data);
        self.relocs(&section.relocs);
    }

    fn relocs(&mut self, relocs: &[Reloc]) {
        for reloc in relocs {
            let [kind, symbol] = [reloc.r_type, reloc.symbol].map(u64::from);
            for n in [reloc.offset, kind, symbol, reloc.addend as u64] {
                self.number(n);
            }
        }
    }

    fn symbol(&mut self, symbol: &Symbol<'_>) {
        self.number(symbol.value);
        self.number(symbol.size);
        // Names that compilers make have hashes in them, which tell the folder of a crate outside of the workspace.
        let made = ["_ZN", "_R"].iter().any(|p| symbol.name.starts_with(p));
        if symbol.bind != Bind::Local && !made && !symbol.name.contains('.') {
            self.number(symbol.name.len() as u64);
            self.update(symbol.name.as_bytes());
        }
    }

    fn number(&mut self, n: u64) {
        self.update(n.to_le_bytes());
    }

    fn update(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        if self.pieces.len() + bytes.len() > Self::MUCH {
            self.hash.update(&self.pieces);
            self.pieces.clear();
        }
        match bytes.len() > Self::MUCH {
            true => self.hash.update(bytes),
            false => self.pieces.extend_from_slice(bytes),
        }
    }

    fn finish(mut self) -> Sum {
        self.hash.update(&self.pieces);
        self.hash.finalize().into()
    }
}
