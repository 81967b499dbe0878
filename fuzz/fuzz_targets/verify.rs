//! Any bytes at all, as a `.syso` and as a linked program: accepted or refused, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Almost everything is refused; only a panic is a finding.
    let _ = rsyso::internals::verify::syso("fuzzed.syso", bytes);
    let _ = rsyso::internals::verify::program("fuzzed", bytes);
});
