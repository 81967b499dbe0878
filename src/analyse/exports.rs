//! What each export is and takes along.

use super::convertible::Convertible;
use super::waits::Waits;
use super::{blocking, stacks};
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
    let each = cx.exports.iter().zip(&cx.convertible.problems);
    each.map(|(export, problems)| {
        let mut described = one(cx.graph, export, problems);
        if let Some(i) = cx.convertible.index_of(export) {
            described.tell(&cx.convertible.api.functions()[i], cx.go.get(i));
            described.declared = cx.blocking.get(&export.symbol).copied();
        }
        described.stack_bytes = cx.stack_bytes;
        described.wait = blocking::wait_of(&cx.graph.inputs, cx.waits, export);
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
    let reach = live::mark(&graph.inputs, &graph.symbols, &graph.frames, &[export.at()]);
    let stacks = stacks::check(&graph.inputs, &graph.symbols, &reach);
    let stacks = stacks.err().map(|e| e.problems).unwrap_or_default();
    InspectedExport {
        symbol: export.symbol.clone(),
        rust: export.symbol.clone(),
        stack: "lane".to_owned(),
        why: LANE.to_owned(),
        size_own: own.map_or(0, |s| s.size),
        size_reach: reach
            .sections
            .iter()
            .map(|at| graph.inputs.section(*at).size)
            .sum(),
        unsupported: problems
            .iter()
            .chain(&stacks)
            .map(|p| p.message.clone())
            .collect(),
        ..InspectedExport::default()
    }
}
