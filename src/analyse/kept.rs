//! What is kept of a library and why, and what is missing in it.

use crate::base::report::{Kept, Missing, Sizes};
use crate::link::graph::Graph;
use crate::link::{SecRef, live, names};
use crate::read::{Object, Symbol, SymbolKind};

/// The undefined symbols, and who needs them.
pub fn missing(graph: &Graph<'_>) -> Vec<Missing> {
    let each = graph.live.undefined.iter().map(|(name, places)| {
        let place = |from: &crate::link::Referrer| {
            let object = graph.inputs.object(from.at.obj);
            let place = object.place(from.at.sec, from.offset);
            format!("{} at {place}", live::describe_at(&graph.inputs, *from))
        };
        let chain = places
            .first()
            .map(|first| live::path(&graph.inputs, &graph.live, *first));
        Missing {
            name: name.clone(),
            needed_by: places.iter().take(3).map(place).collect(),
            chain: chain.unwrap_or_default(),
        }
    });
    each.collect()
}

/// Every section that is kept, with what keeps it. `own` is the object of the wrappers.
pub fn sections(graph: &Graph<'_>, own: u32) -> Vec<Kept> {
    let sections = graph.live.sections.iter();
    sections.map(|at| section(graph, *at, own)).collect()
}

fn section(graph: &Graph<'_>, at: SecRef, own: u32) -> Kept {
    let object = graph.inputs.object(at.obj);
    let section = graph.inputs.section(at);
    let symbol = main_symbol(object, at.sec);
    let reason = match graph.live.why.get(&at) {
        Some(Some(from)) if from.at.obj != own => live::describe_at(&graph.inputs, *from),
        Some(Some(_)) => "export".to_owned(),
        _ if at.obj == own => "wrapper".to_owned(),
        _ if section.exec() => "export".to_owned(),
        _ => "runs or is kept without being referred to".to_owned(),
    };
    Kept {
        name: symbol.map_or_else(|| section.name.to_string(), |s| names::demangle(&s.name)),
        symbol: symbol.map(|s| s.name.to_string()).unwrap_or_default(),
        size: section.size,
        section: section.name.to_string(),
        place: object.name.clone(),
        reason,
    }
}

/// The function or variable that a section is for.
fn main_symbol<'o, 'd>(object: &'o Object<'d>, sec: u32) -> Option<&'o Symbol<'d>> {
    let here = object.symbols_of(sec).filter(|s| !s.name.is_empty());
    here.filter(|s| s.kind != SymbolKind::Section)
        .min_by_key(|s| (s.kind != SymbolKind::Func, s.value))
}

/// Bytes of the sections that are kept, by kind.
pub fn input_sizes(graph: &Graph<'_>) -> Sizes {
    let live = &graph.live;
    let mut sizes = Sizes::default();
    for at in &live.sections {
        let section = graph.inputs.section(*at);
        let kind = match section {
            s if s.tls() => &mut sizes.tls,
            s if s.exec() => &mut sizes.code,
            s if s.nobits() => &mut sizes.bss,
            s if s.write() => &mut sizes.data,
            _ => &mut sizes.rodata,
        };
        *kind += section.size;
    }
    let commons = graph
        .symbols
        .commons
        .iter()
        .zip(&live.commons)
        .filter(|(_, kept)| **kept);
    sizes.bss += commons.map(|(c, _)| c.size).sum::<u64>();
    sizes
}
