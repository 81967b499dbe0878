//! What is alive, and where it goes: the values of the linking core's first stages, which the later ones and all analyses borrow.

use super::SecRef;
use super::functions::NameTable;
use super::image;
use super::layout::Layout;
use super::live::Live;
use super::merge::Merged;
use super::plan::Plan;
use super::symbols::{Inputs, Symbols};
use super::thunks::Thunks;
use super::unwind::Frames;
use crate::arch::Arch;
use crate::contract;
use crate::read::Object;

impl<'d> Inputs<'d> {
    /// The library's objects, the wrappers and the runtime's objects, in this order.
    pub fn new(library: Vec<Object<'d>>, wrappers: Object<'d>, runtime: &[Object<'d>]) -> Self {
        let mut objects = library;
        let at = objects.len();
        objects.push(wrappers);
        objects.extend_from_slice(runtime);
        Inputs {
            objects,
            runtime_from: at + 1,
            wrappers: Some(at as u32),
        }
    }

    /// The sections of the wrappers: what is kept is what they reach.
    pub fn wrapper_sections(&self) -> Vec<SecRef> {
        let of = |obj: u32| {
            let count = self.object(obj).sections.len() as u32;
            (1..count).map(move |sec| SecRef { obj, sec })
        };
        self.wrappers.into_iter().flat_map(of).collect()
    }

    /// Number of sections that could be loaded.
    pub fn loadable(&self) -> usize {
        let sections = self.objects.iter().flat_map(|o| &o.sections);
        sections.filter(|s| s.alloc()).count()
    }
}

/// What is alive, and the tables that tell it.
pub struct Graph<'d> {
    /// All objects.
    pub inputs: Inputs<'d>,
    /// What their symbols stand for.
    pub symbols: Symbols,
    /// By object: its unwind records.
    pub frames: Vec<Frames>,
    /// What the roots reach.
    pub live: Live,
}

/// What is alive, with a place for each byte of it.
pub struct Placed {
    /// What is written where.
    pub plan: Plan,
    /// Steps for branches that would not reach.
    pub thunks: Thunks,
    /// Pools of equal constants.
    pub merged: Merged,
    /// Names of functions.
    pub names: NameTable,
    /// Addresses.
    pub layout: Layout,
}

impl Placed {
    /// Bytes of a lane between its guard and the control block.
    pub fn stack_bytes(&self) -> u64 {
        let control = self.layout.params.lane_control;
        control.saturating_sub(contract::GUARD_SIZE)
    }

    /// What the writer of the image reads.
    pub fn image<'a, 'd>(
        &'a self,
        graph: &'a Graph<'d>,
        arch: &'a dyn Arch,
    ) -> image::Context<'a, 'd> {
        image::Context {
            inputs: &graph.inputs,
            plan: &self.plan,
            thunks: &self.thunks,
            merged: &self.merged,
            names: &self.names,
            looked_up: &graph.live.looked_up,
            layout: &self.layout,
            frames: &graph.frames,
            arch,
        }
    }
}
