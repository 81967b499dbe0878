//! Packed fix-ups (ELF gABI, "Relative Relocation Table", SHT_RELR): an even word is the place of a 64-bit pointer; an odd word is a
//! bitmap of which of the 63 words that follow are pointers too.

const WORD: u64 = 8;
/// Places that one bitmap covers.
const SPAN: u64 = 63;

/// Encodes sorted, word-aligned places. The number of words depends only on the distances between them.
pub fn encode(places: &[u64]) -> Vec<u64> {
    let mut words = Vec::new();
    let mut rest = places;
    while let Some((first, after)) = rest.split_first() {
        words.push(*first);
        let mut base = first + WORD;
        rest = after;
        loop {
            let within = rest.partition_point(|p| p - base < SPAN * WORD);
            if within == 0 {
                break;
            }
            let bitmap = rest[..within]
                .iter()
                .fold(0u64, |map, p| map | 1 << ((p - base) / WORD));
            words.push(bitmap << 1 | 1);
            base += SPAN * WORD;
            rest = &rest[within..];
        }
    }
    words
}

/// The inverse, for tests.
#[cfg(test)]
pub fn decode(words: &[u64]) -> Vec<u64> {
    let mut places = Vec::new();
    let mut base = 0;
    for word in words {
        if word & 1 == 0 {
            places.push(*word);
            base = word + WORD;
        } else {
            places.extend(
                (0..SPAN)
                    .filter(|i| word >> (i + 1) & 1 == 1)
                    .map(|i| base + i * WORD),
            );
            base += SPAN * WORD;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_undoes_encoding() {
        let cases: Vec<Vec<u64>> = vec![
            vec![],
            vec![8],
            vec![8, 16, 24, 8 + 63 * 8, 8 + 64 * 8, 8 + 65 * 8],
            (0..1000).map(|i| 4096 + i * 8).collect(),
            (0..500).map(|i| 4096 + i * i * 8).collect(),
            vec![0x1000, 0x7000_0000],
        ];
        for places in cases {
            assert_eq!(decode(&encode(&places)), places);
            let moved: Vec<_> = places.iter().map(|p| p + 0x5000).collect();
            assert_eq!(encode(&moved).len(), encode(&places).len());
        }
        assert_eq!(encode(&(0..64).map(|i| i * 8).collect::<Vec<_>>()).len(), 2);
    }
}
