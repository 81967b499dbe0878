//! What takes room in the image, as people are told.

use super::table::Layout;
use crate::base::diag::Problem;
use crate::link::far::{Far, Static, name};
use crate::link::inputs::Inputs;
use crate::link::order::Context;
use crate::link::symbols::Symbols;

/// Bytes as people say them, and as `--stack-size` takes them.
pub fn amount(bytes: u64) -> String {
    match bytes {
        b if b >= 1 << 20 && b % (1 << 20) == 0 => format!("{} MiB", b >> 20),
        b if b >= 10 << 20 => format!("{} MiB", b >> 20),
        b => format!("{} KiB", b.div_ceil(1 << 10)),
    }
}

/// The largest things in the image, as notes.
pub fn largest(cx: Context<'_, '_>, layout: &Layout) -> Vec<String> {
    let mut all: Vec<(u64, Static)> = layout
        .sections
        .keys()
        .map(|at| (cx.inputs.section(*at).size, Static::Section(*at)))
        .collect();
    for (i, common) in cx.symbols.commons.iter().enumerate() {
        if layout.commons[i].is_some() {
            all.push((common.size, Static::Common(i as u32)));
        }
    }
    notes(cx.inputs, cx.symbols, &cx.plan.far, all)
}

/// Each of the three largest with its size, and why it must lie in the image.
fn notes(
    inputs: &Inputs<'_>,
    symbols: &Symbols,
    far: &Far,
    mut all: Vec<(u64, Static)>,
) -> Vec<String> {
    all.sort_by_key(|(size, what)| (std::cmp::Reverse(*size), *what));
    let told = all.iter().take(3).map(|(size, what)| {
        let name = name(inputs, symbols, *what);
        let near = far.near.iter().find(|(near, _)| near == what);
        let why = near.map_or(String::new(), |(_, who)| {
            format!("; it lies in the image because {who} reaches it by a distance")
        });
        format!("{name} has {}{why}", amount(*size))
    });
    told.collect()
}

/// The warning about zeros that take room in the file.
pub fn warning(
    inputs: &Inputs<'_>,
    symbols: &Symbols,
    far: &Far,
    layout: &Layout,
) -> Option<Problem> {
    const MUCH: u64 = 4 << 20;
    let zeros = layout.params.image_size.saturating_sub(layout.zeros_at);
    if zeros < MUCH {
        return None;
    }
    let sections = layout
        .sections
        .iter()
        .filter(|(at, address)| **address >= layout.zeros_at && inputs.section(**at).nobits());
    let mut all: Vec<_> = sections
        .map(|(at, _)| (inputs.section(*at).size, Static::Section(*at)))
        .collect();
    let commons = symbols.commons.iter().enumerate();
    let commons = commons.filter(|(i, _)| layout.commons[*i].is_some());
    all.extend(commons.map(|(i, common)| (common.size, Static::Common(i as u32))));
    let mut problem = Problem::new(format!(
        "statics that begin as zeros take {} of the package's file",
        amount(zeros)
    ));
    for note in notes(inputs, symbols, far, all) {
        problem = problem.note(note);
    }
    Some(problem.help("let the code take such a static's address first, as of a pointer to it; or allocate it on the heap at its first use"))
}
