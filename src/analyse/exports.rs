//! What each export is and takes along.

use super::convertible::Convertible;
use super::waits::Waits;
use super::{blocking, reach, stacks};
use crate::base::diag::Problem;
use crate::base::report::{GoDeclaration, InspectedExport};
use crate::go::GoPackage;
use crate::link::exports::Export;
use crate::link::graph::Graph;
use crate::link::live;
use crate::model::{Function, Said};

/// Why an export runs in a lane.
const LANE: &str = "every call runs on the lane of its thread";

/// What is known of the exports.
pub struct Context<'a, 'd> {
    /// What is alive.
    pub graph: &'a Graph<'d>,
    /// All of them.
    pub exports: &'a [Export],
    /// Those that can be converted.
    pub convertible: &'a Convertible,
    /// The Go declaration of each function of the API.
    pub go: &'a [String],
    /// What `--blocking` says of them.
    pub blocking: &'a Said,
    /// Who waits.
    pub waits: &'a Waits,
    /// Bytes of the stack that a call has.
    pub stack_bytes: Option<u64>,
}

/// Describes every export, in order.
pub fn describe(cx: &Context<'_, '_>) -> Vec<InspectedExport> {
    let (inputs, symbols) = (&cx.graph.inputs, &cx.graph.symbols);
    let sections: Vec<_> = cx.exports.iter().map(Export::at).collect();
    let reach = reach::reach(cx.graph, &sections);
    // Few libraries switch stacks; only of those it is asked which exports do.
    let switches = stacks::check(inputs, symbols, &reach.live).is_err();
    let each = cx.exports.iter().zip(&cx.convertible.problems);
    let each = each.zip(sections.iter().zip(&reach.sizes));
    each.map(|((export, problems), (at, size_reach))| {
        let mut described = one(cx.graph, export, problems);
        if switches {
            let reach = live::mark(inputs, symbols, &cx.graph.frames, &[*at]);
            let found = stacks::check(inputs, symbols, &reach).err();
            let found = found.into_iter().flat_map(|e| e.problems);
            described.unsupported.extend(found.map(|p| p.message));
        }
        if let Some(i) = cx.convertible.index_of(export) {
            described.tell(&cx.convertible.api.functions()[i], cx.go.get(i));
            described.declared = cx.blocking.get(&export.symbol).copied();
        }
        described.size_reach = *size_reach;
        described.stack_bytes = cx.stack_bytes;
        described.wait = blocking::wait_of(inputs, cx.waits, export);
        described
    })
    .collect()
}

/// What the Go package offers.
pub fn go_api(package: &GoPackage) -> impl Iterator<Item = GoDeclaration> {
    package.declarations().map(|d| GoDeclaration {
        name: d.name.clone(),
        kind: d.kind.keyword().to_owned(),
        text: d.text.clone(),
        doc: d.doc.join("\n"),
    })
}

impl InspectedExport {
    /// Adds what is known of a function that can be called.
    fn tell(&mut self, function: &Function, go: Option<&String>) {
        self.go = go.cloned().unwrap_or_default();
        if !function.path.is_empty() {
            self.rust.clone_from(&function.path);
        }
        let source = function.source.as_ref();
        self.source = source.map(|s| format!("{}:{}", s.file, s.line));
    }
}

fn one(graph: &Graph<'_>, export: &Export, problems: &[Problem]) -> InspectedExport {
    let object = graph.inputs.object(export.obj);
    let own = object
        .symbols_of(export.section)
        .find(|s| s.names().any(|name| name == export.symbol));
    InspectedExport {
        symbol: export.symbol.clone(),
        rust: export.symbol.clone(),
        stack: "lane".to_owned(),
        why: LANE.to_owned(),
        size_own: own.map_or(0, |s| s.size),
        unsupported: problems.iter().map(|p| p.message.clone()).collect(),
        ..InspectedExport::default()
    }
}
