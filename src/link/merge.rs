//! Merging of equal constants and strings (SHF_MERGE, SHF_STRINGS; ELF gABI, "Sections").

use super::SecRef;
use super::inputs::Inputs;
use super::live::Live;
use super::plan::Plan;
use crate::base::hash::Map;
use ::object::elf;
use std::collections::BTreeMap;

/// The elements of one kind, each once.
#[derive(Debug, Default)]
pub struct Pool {
    /// Contents.
    pub bytes: Vec<u8>,
    /// A power of two.
    pub align: u64,
}

/// All merged sections.
#[derive(Debug, Default)]
pub struct Merged {
    /// One pool per kind of element.
    pub pools: Vec<Pool>,
    /// The elements of all pools, each with the section that brought it first.
    pub brought: Vec<Brought>,
    pieces: Map<SecRef, (usize, Vec<Piece>)>,
}

/// An element of a pool, and where it came from.
#[derive(Clone, Copy, Debug)]
pub struct Brought {
    /// The section.
    pub by: SecRef,
    /// Its offset there.
    pub from: u64,
    /// Index of the pool.
    pub pool: usize,
    /// Its offset in the pool.
    pub to: u64,
    /// Bytes.
    pub size: u64,
}

/// One element: where it was, where it is in its pool.
#[derive(Clone, Copy, Debug)]
struct Piece {
    from: u64,
    to: u64,
}

impl Merged {
    /// Whether a section was merged away.
    pub fn contains(&self, at: SecRef) -> bool {
        self.pieces.contains_key(&at)
    }

    /// Where a byte of a merged section is: (pool, offset).
    pub fn find(&self, at: SecRef, offset: u64) -> Option<(usize, u64)> {
        let (pool, pieces) = self.pieces.get(&at)?;
        let index = pieces
            .partition_point(|p| p.from <= offset)
            .checked_sub(1)?;
        let piece = pieces[index];
        Some((*pool, piece.to + (offset - piece.from)))
    }
}

/// Merges the kept sections that allow it, in order.
pub fn merge(inputs: &Inputs<'_>, live: &Live, plan: &Plan) -> Merged {
    let mut merged = Merged::default();
    let mut kinds: BTreeMap<(bool, u64, u64), usize> = BTreeMap::new();
    let mut seen: Vec<Map<&[u8], u64>> = Vec::new();
    for at in &live.sections {
        let section = inputs.section(*at);
        let plain = !section.write() && !section.exec() && !section.tls() && !section.nobits();
        if !section.merge() || !plain || !section.relocs.is_empty() || plan.unmerged.contains(at) {
            continue;
        }
        let strings = section.flags & elf::SHF_STRINGS.0 != 0;
        let Some(elements) = split(&section.data, section.entsize, strings) else {
            continue;
        };
        let pool = *kinds
            .entry((strings, section.entsize, section.align))
            .or_insert_with(|| {
                merged.pools.push(Pool {
                    bytes: Vec::new(),
                    align: section.align,
                });
                seen.push(Map::default());
                seen.len() - 1
            });
        let bytes = &mut merged.pools[pool].bytes;
        let mut pieces = Vec::with_capacity(elements.len());
        let mut from = 0;
        for element in elements {
            let to = *seen[pool].entry(element).or_insert_with(|| {
                let to = bytes.len().next_multiple_of(section.align as usize);
                bytes.resize(to, 0);
                bytes.extend_from_slice(element);
                merged.brought.push(Brought {
                    by: *at,
                    from,
                    pool,
                    to: to as u64,
                    size: element.len() as u64,
                });
                to as u64
            });
            pieces.push(Piece { from, to });
            from += element.len() as u64;
        }
        merged.pieces.insert(*at, (pool, pieces));
    }
    merged
}

/// Cuts a section into its elements. None when it does not consist of whole ones.
fn split(data: &[u8], entsize: u64, strings: bool) -> Option<Vec<&[u8]>> {
    let entsize = usize::try_from(entsize)
        .ok()
        .filter(|e| *e > 0 && *e <= data.len())?;
    if !data.len().is_multiple_of(entsize) {
        return None;
    }
    if !strings {
        return Some(data.chunks(entsize).collect());
    }
    let mut out = Vec::new();
    let mut start = 0;
    for (i, unit) in data.chunks(entsize).enumerate() {
        if unit.iter().all(|b| *b == 0) {
            let end = (i + 1) * entsize;
            out.push(&data[start..end]);
            start = end;
        }
    }
    (start == data.len()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_cut_into_whole_elements_only() {
        assert_eq!(
            split(b"ab\0c\0", 1, true),
            Some(vec![&b"ab\0"[..], &b"c\0"[..]])
        );
        assert_eq!(split(b"ab\0c", 1, true), None);
        assert_eq!(
            split(b"12345678", 4, false),
            Some(vec![&b"1234"[..], &b"5678"[..]])
        );
        assert_eq!(split(b"1234567", 4, false), None);
        assert_eq!(split(b"a\0\0\0", 2, true), Some(vec![&b"a\0\0\0"[..]]));
        assert_eq!(split(b"", 1, true), None);
    }
}
