//! The symbols of the image: sized local functions with readable names that cover every byte, and the wrappers.
//!
//! cmd/link wants each byte of a text section to belong to a function ("hole in findfunctab", cmd/link/internal/ld/pcln.go) and
//! fewer than 256 functions to begin in any bucket of 4096 bytes ("too many functions in a findfunc bucket").

use super::functions::NameTable;
use super::inputs::Inputs;
use super::layout::table::Layout;
use std::collections::VecDeque;

/// Functions that may begin within any 4096 bytes; below 256, since Go's own functions may share the bucket.
const MAX_PER_BUCKET: usize = 240;
const BUCKET: u64 = 4096;

/// A symbol of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSymbol {
    /// Readable name; of a wrapper, the name that the Go stub refers to.
    pub name: String,
    /// Bytes from the start of the image.
    pub offset: u64,
    /// Bytes, up to the next symbol.
    pub size: u64,
    /// Whether it is a wrapper.
    pub global: bool,
}

/// Gives the wrappers the names that they have outside, which are known when the image is complete.
pub fn publish(symbols: &mut [ImageSymbol], public: impl Fn(&str) -> String) {
    for wrapper in symbols.iter_mut().filter(|s| s.global) {
        wrapper.name = public(&wrapper.name);
    }
}

/// The symbols, in order, without holes.
pub fn table(inputs: &Inputs<'_>, layout: &Layout, names: &NameTable) -> Vec<ImageSymbol> {
    let mut starts = vec![start("rsyso.header", 0)];
    let code_end = layout.params.code_offset + layout.params.code_size;
    for (at, address) in layout.order.iter().filter(|(_, a)| *a < code_end) {
        let section = inputs.section(*at);
        if !section.exec() {
            continue;
        }
        let mut functions = names.of(*at).peekable();
        if functions.peek().is_none_or(|(value, _)| *value > 0) {
            starts.push(start(&section.name, *address));
        }
        for (value, name) in functions {
            starts.push(ImageSymbol {
                name: name.to_owned(),
                offset: address + value,
                size: 0,
                global: inputs.wrappers == Some(at.obj),
            });
        }
    }
    starts.push(start("rsyso.rodata", code_end));
    starts.push(start("rsyso.data", layout.params.rw_offset));
    close(thin_out(starts), layout.params.image_size)
}

fn start(name: &str, offset: u64) -> ImageSymbol {
    ImageSymbol {
        name: name.to_owned(),
        offset,
        size: 0,
        global: false,
    }
}

/// Joins functions to the one before where too many begin close together, and where two begin at one place. Wrappers are never joined.
fn thin_out(starts: Vec<ImageSymbol>) -> Vec<ImageSymbol> {
    let mut kept: Vec<ImageSymbol> = Vec::with_capacity(starts.len());
    let mut window: VecDeque<u64> = VecDeque::new();
    for symbol in starts {
        while window
            .front()
            .is_some_and(|first| first + BUCKET <= symbol.offset)
        {
            window.pop_front();
        }
        let same_place = kept.last().is_some_and(|last| last.offset == symbol.offset);
        if same_place && !symbol.global {
            continue;
        }
        if window.len() >= MAX_PER_BUCKET && !symbol.global {
            continue;
        }
        window.push_back(symbol.offset);
        kept.push(symbol);
    }
    kept
}

fn close(mut symbols: Vec<ImageSymbol>, end: u64) -> Vec<ImageSymbol> {
    let mut next = end;
    for symbol in symbols.iter_mut().rev() {
        symbol.size = next - symbol.offset;
        next = symbol.offset;
    }
    symbols
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_cover_everything_and_stay_below_the_bucket_limit() {
        let starts: Vec<_> = (0..2000).map(|i| start("f", i * 4)).collect();
        let table = close(thin_out(starts), 8192);
        assert_eq!(table[0].offset, 0);
        for pair in table.windows(2) {
            assert_eq!(pair[0].offset + pair[0].size, pair[1].offset);
        }
        assert_eq!(table.last().map(|s| s.offset + s.size), Some(8192));
        for from in (0..8192).step_by(4) {
            let inside = table
                .iter()
                .filter(|s| (from..from + BUCKET).contains(&s.offset))
                .count();
            assert!(inside < 256, "{inside} functions begin in a bucket");
        }
    }
}
