//! Parameters that are named as what the bodies of generated functions use, and names as C has them.

use rsyso::internals::base::identifiers::{Naming, Style};

use super::Module;
use super::build::*;
use super::samples;

/// Go's universe block (Go specification, "Predeclared identifiers"), the packages that generated files import, and what a body may call
/// its own variables.
const WORDS: &str = "
    any bool byte comparable complex64 complex128 error float32 float64 int int8 int16 int32 int64 rune string uint uint8 uint16 uint32
    uint64 uintptr true false iota nil append cap clear close complex copy delete imag len make max min new panic print println real recover
    atomic binary errors fmt math runtime strings sync unsafe
    args c call err f frame h handle i n ok out owner p p0 raw result ret rsyso t text v value which";

/// The functions, and each again for each word, with it and those after it for names of the parameters.
fn with_names(mut api: Sample) -> Sample {
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let declared = &mut api.declared;
    let firsts = api
        .functions
        .iter()
        .flat_map(|f| (0..words.len()).map(move |first| (f, first)));
    let copies = firsts.map(|(f, first)| {
        let mut copy = f.clone();
        copy.symbol = format!("{}_beside_{}", f.symbol, words[first]);
        for said in [&mut declared.blocking, &mut declared.trusted] {
            if let Some(takes) = said.get(&f.symbol).copied() {
                said.insert(copy.symbol.clone(), takes);
            }
        }
        for (param, word) in copy.params.iter_mut().zip(words.iter().cycle().skip(first)) {
            param.name = word.to_string();
        }
        copy
    });
    let copies: Vec<_> = copies.collect();
    api.functions.extend(copies);
    api
}

#[test]
fn no_parameter_hides_what_a_body_uses() {
    let module = Module::new();
    let linux = [("GOOS", "linux"), ("GOARCH", "amd64")];
    for (stem, sample) in samples::all() {
        let named = with_names(sample);
        let sample = Sample {
            declared: named.declared,
            ..api(named.functions, named.types)
        };
        module.add_package(&sample, stem, "amd64");
    }
    module.run("go", &["build", "./..."], &linux);
}

/// All samples with C's names: the Go compiler takes them, and finds that none hides another.
#[test]
fn packages_with_names_of_c() {
    let module = Module::new();
    let linux = [("GOOS", "linux"), ("GOARCH", "amd64")];
    for (stem, sample) in samples::all() {
        let sample = Sample {
            naming: Naming::new(Style::C, None),
            ..sample
        };
        module.add_package(&sample, stem, "amd64");
    }
    module.run("go", &["build", "./..."], &linux);
    module.run("go", &["build", "./..."], &[("GOOS", "windows")]);
}
