//! What is alive, and where it goes: the values of the linking core's first stages, which the later ones and all analyses borrow.

use super::functions::NameTable;
use super::inputs::Inputs;
use super::layout::table::Layout;
use super::live::Live;
use super::merge::Merged;
use super::plan::Plan;
use super::symbols::Symbols;
use super::thunks::Thunks;
use super::unwind::Frames;
use super::write;
use crate::arch::Arch;
use crate::contract;

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
    ) -> write::Context<'a, 'd> {
        write::Context {
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
