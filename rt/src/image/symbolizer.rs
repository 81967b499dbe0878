//! Names of functions by addresses in them, for messages about faults and for `dladdr`.

use super::{base, params};

/// An entry of the table that the linker wrote (`Params::names_offset`).
pub type Entry = [u32; 3];

/// The name of the function that an address lies in. Safe to call from a signal handler.
pub fn name(address: usize) -> Option<&'static str> {
    function(address).map(|(_, name)| name)
}

/// The first byte and the name of the function that an address lies in; a zero follows the name.
pub fn function(address: usize) -> Option<(usize, &'static str)> {
    let p = params();
    let offset = address.wrapping_sub(base()) as u64;
    if offset.wrapping_sub(p.code_offset) >= p.code_size {
        return None;
    }
    // SAFETY: the linker put that many entries there, and each names a range of the image.
    unsafe {
        let table = core::slice::from_raw_parts(
            (base() + p.names_offset as usize) as *const Entry,
            p.names_count as usize,
        );
        let [start, at, bytes] = *find(table, offset as u32)?;
        let name = core::slice::from_raw_parts((base() + at as usize) as *const u8, bytes as usize);
        Some((base() + start as usize, core::str::from_utf8(name).ok()?))
    }
}

/// The last entry at or before an offset.
fn find(table: &[Entry], offset: u32) -> Option<&Entry> {
    let after = table.partition_point(|e| e[0] <= offset);
    table.get(after.checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_belongs_to_the_function_before_it() {
        let table = [[16, 0, 1], [32, 1, 1], [64, 2, 1]];
        assert_eq!(find(&table, 15), None);
        assert_eq!(find(&table, 16), Some(&table[0]));
        assert_eq!(find(&table, 63), Some(&table[1]));
        assert_eq!(find(&table, 1000), Some(&table[2]));
        assert_eq!(find(&[], 5), None);
    }
}
