//! The shape of a lane: where its thread-locals and its control block lie, and whether enough is left for the stack.

use super::room;
use super::table::Layout;
use crate::base::diag::{Error, Problem, Result};
use crate::base::options::MAX_STACK_SIZE;
use crate::contract;
use crate::link::order::Context;
use crate::link::{SecRef, live};

/// A lane that leaves less than this for the stack is of no use.
const MIN_STACK: u64 = 64 * 1024;
/// The stack that Rust's std gives a thread (std::thread, "Stack size").
const THREAD_STACK: u64 = 2 << 20;

/// The alignment of the block that thread-local sections make up.
pub fn tls_align(cx: Context<'_, '_>, sections: impl Iterator<Item = SecRef>) -> u64 {
    let aligns = sections.map(|at| cx.inputs.section(at).align);
    aligns.max().unwrap_or(8).max(8)
}

/// The shape of a lane: the signal stack at the top, the thread-local block below it, then the control block.
pub fn shape(cx: Context<'_, '_>, out: &mut Layout) -> Result<()> {
    const CONTROL_ALIGN: u64 = 64;
    let bytes = out.params.tls_mem_size;
    let align = tls_align(cx, out.tls.keys().copied()).max(CONTROL_ALIGN);
    // Where the thread-local block and the control block of a lane lie, and what is left for the stack.
    let shape = |lane_size: u64, bytes: u64| {
        let top = lane_size.checked_sub(contract::SIGNAL_STACK_SIZE)?;
        let tls = top.checked_sub(bytes)? / align * align;
        let control = tls.checked_sub(contract::CONTROL_SIZE)? / CONTROL_ALIGN * CONTROL_ALIGN;
        Some((tls, control, control.checked_sub(contract::GUARD_SIZE)?))
    };
    // Enough for a thread that std starts, where a lane without thread-locals would do; and they never take most of a small one.
    let enough = |lane_size: u64| {
        let whole = shape(lane_size, 0).map_or(0, |(_, _, stack)| stack);
        let least = (whole / 2).clamp(MIN_STACK, THREAD_STACK);
        shape(lane_size, bytes).filter(|(_, _, stack)| *stack >= least)
    };
    let Some((tls, control, _)) = enough(cx.lane_size) else {
        let sizes = std::iter::successors(Some(cx.lane_size), |size| Some(size * 2));
        let larger = sizes
            .take_while(|size| *size <= MAX_STACK_SIZE)
            .find(|size| enough(*size).is_some());
        return Err(Error::unsupported(too_many_locals(cx, out, larger)));
    };
    let p = &mut out.params;
    p.lane_size = cx.lane_size;
    p.lane_tls = tls;
    p.lane_control = control;
    Ok(())
}

/// The error for thread-locals that leave too little of a lane; `larger` is the size of lane that would do.
fn too_many_locals(cx: Context<'_, '_>, out: &Layout, larger: Option<u64>) -> Problem {
    let mut problem = Problem::new(format!(
        "the thread-locals of the library take {}, which leaves too little of a lane of {} for the stack",
        room::amount(out.params.tls_mem_size),
        room::amount(cx.lane_size)
    ));
    let mut all: Vec<_> = out
        .tls
        .keys()
        .map(|at| (cx.inputs.section(*at), *at))
        .collect();
    all.sort_by_key(|(section, at)| (std::cmp::Reverse(section.size), *at));
    for (section, at) in all.iter().take(3) {
        let aligned = match section.align > cx.arch.page_size() {
            true => format!(", aligned to {}", room::amount(section.align)),
            false => String::new(),
        };
        let who = live::describe(cx.inputs, *at);
        problem = problem.note(format!("{who} has {}{aligned}", room::amount(section.size)));
    }
    problem.help(match larger {
        Some(size) => format!(
            "ask for larger lanes: --stack-size {}",
            room::amount(size).replace(' ', "")
        ),
        None => "no lane is large enough: let the thread-locals be boxes".to_owned(),
    })
}
