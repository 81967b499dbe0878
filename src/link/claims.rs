//! What the relocations of a section refer to, and which of them the backend rewrites together.

use super::inputs::Inputs;
use super::symbols::Symbols;
use super::{SecRef, Target};
use crate::arch::Linking;
use crate::arch::groups::{Group, Reach, Relocated, Site};

/// The references of a section, by relocation.
#[derive(Debug, Default)]
pub struct Claims {
    /// What each refers to.
    pub targets: Vec<Target>,
    /// Those that are members of a group: its index.
    group_of: Vec<Option<u32>>,
    /// The groups; taken by the first of their members.
    groups: Vec<Option<Group>>,
}

impl Claims {
    /// Asks the backend about a section. `far` says what lies outside of the image.
    pub fn new(
        (inputs, symbols): (&Inputs<'_>, &Symbols),
        arch: &dyn Linking,
        lane_size: u64,
        at: SecRef,
        far: &dyn Fn(Target) -> bool,
    ) -> Self {
        let section = inputs.section(at);
        let target = |reloc| symbols.reference(inputs, at.obj, reloc);
        let targets: Vec<Target> = section.relocs.iter().map(target).collect();
        if !section.exec() || targets.is_empty() {
            return Claims {
                targets,
                ..Claims::default()
            };
        }
        let sites = section.relocs.iter().zip(&targets);
        let sites = sites.map(|(reloc, target)| Site {
            offset: reloc.offset,
            r_type: reloc.r_type,
            symbol: reloc.symbol,
            addend: reloc.addend,
            reach: reach(inputs, *target, far),
        });
        let groups = arch.groups(&Relocated {
            code: &section.data,
            sites: &sites.collect::<Vec<_>>(),
            lane_size,
        });
        let mut group_of = vec![None; targets.len()];
        for (index, group) in groups.iter().enumerate() {
            for member in &group.members {
                group_of[*member] = Some(index as u32);
            }
        }
        Claims {
            targets,
            group_of,
            groups: groups.into_iter().map(Some).collect(),
        }
    }

    /// Whether a relocation belongs to a group.
    pub fn has(&self, n: usize) -> bool {
        self.group_of.get(n).is_some_and(Option::is_some)
    }

    /// The group of a relocation, for the first of its members that asks; None for one that stands alone.
    pub fn group(&mut self, n: usize) -> Option<Option<Group>> {
        let index = (*self.group_of.get(n)?)?;
        Some(self.groups[index as usize].take())
    }
}

fn reach(inputs: &Inputs<'_>, target: Target, far: &dyn Fn(Target) -> bool) -> Reach {
    match target {
        Target::TlsGetAddr => Reach::TlsGetAddr,
        Target::Section { at, .. } if inputs.section(at).tls() => Reach::ThreadLocal,
        Target::Section { at, .. } if !inputs.section(at).alloc() => Reach::Other,
        Target::Section { .. } | Target::Common(_) | Target::Linker(_) => match far(target) {
            true => Reach::Far,
            false => Reach::Near,
        },
        _ => Reach::Other,
    }
}
