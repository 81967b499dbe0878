//! The places that hold absolute addresses.

use super::super::Target;
use super::super::order::Context;
use super::super::plan::Value;
use super::table::Layout;

/// Places of absolute pointers, relative to the writable part, sorted.
#[derive(Debug, Default)]
pub struct Places {
    /// To the image.
    pub near: Vec<u64>,
    /// To what lies outside.
    pub far: Vec<u64>,
}

/// Finds them all.
pub fn places(cx: Context<'_, '_>, out: &Layout) -> Places {
    let mut places = Places::default();
    let mut add = |target: Target, place: u64| match cx.plan.far.has(target) {
        true => places.far.push(place),
        false => places.near.push(place),
    };
    for (at, ops) in &cx.plan.ops {
        let section = out.sections.get(at).or(out.templates.get(at));
        let base = match (section, out.tls.get(at)) {
            (Some(base), _) => *base,
            (None, Some(offset)) => out.params.tls_offset + offset,
            (None, None) => continue, // read-only: holds none
        };
        for fill in &ops.fills {
            if let Value::Absolute(target, _) = fill.value {
                add(target, base + fill.offset);
            }
        }
    }
    for (i, (target, _)) in cx.plan.cells.iter().enumerate() {
        if let Target::Section { .. } | Target::Common(_) | Target::Linker(_) = target {
            add(*target, out.cells + 8 * i as u64);
        }
    }
    for list in [&mut places.near, &mut places.far] {
        list.sort_unstable();
        list.dedup();
    }
    places
}
