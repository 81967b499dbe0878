//! Code that was compiled without stack probes and has a frame so large that it can jump over the guards of a lane: then the end of the stack is
//! no fault, but somebody else's memory.

use crate::arch::Arch;
use crate::base::diag::Problem;
use crate::base::hash::Set;
use crate::contract;
use crate::link::SecRef;
use crate::link::functions;
use crate::link::inputs::Inputs;
use crate::link::names::demangle;

/// Functions in one warning.
const LISTED: usize = 5;

/// A warning that names such functions among the live ones.
pub fn warning(inputs: &Inputs<'_>, live: &[SecRef], arch: &dyn Arch) -> Option<Problem> {
    let found: Vec<(SecRef, u64, u64)> = live
        .iter()
        .filter(|at| !inputs.is_runtime(at.obj) && inputs.section(**at).exec())
        .flat_map(|at| {
            let frames = arch.large_frames(&inputs.section(*at).data, contract::OUTER_GUARD_SIZE);
            frames
                .into_iter()
                .map(|(offset, bytes)| (*at, offset, bytes))
        })
        .collect();
    let (first, offset, _) = *found.first()?;
    let sections: Set<SecRef> = found.iter().map(|(at, ..)| *at).collect();
    let named = functions::functions(inputs, &|at| sections.contains(&at));
    let name = |at: SecRef, offset: u64| {
        let list = named.get(&at)?;
        let after = list.partition_point(|(start, _)| *start <= offset);
        Some(demangle(list.get(after.checked_sub(1)?)?.1))
    };
    let mut problem = Problem::new(
        "the frame of a function is so large that it can jump over the guard of the stack, and the function does not look",
    )
    .at(inputs.object(first.obj).place(first.sec, offset));
    for (at, offset, bytes) in found.iter().take(LISTED) {
        let name = name(*at, *offset).unwrap_or_else(|| "a function without a name".to_owned());
        let member = &inputs.object(at.obj).name;
        problem = problem.note(format!("{name} of {member} takes {} KiB", bytes >> 10));
    }
    if let more @ 1.. = found.len().saturating_sub(LISTED) {
        problem = problem.note(format!("and {more} more"));
    }
    Some(
        problem.help(
            "compile it with -fstack-clash-protection, or let it take its memory from the heap",
        ),
    )
}
