//! The groups of relocations that are rewritten: addresses that come from cells, or that are to; accesses to thread-locals. An address is in two
//! instructions, which need not be neighbours, and one `adrp` may serve several others: what is done to the one is done to all of a symbol.

use super::encoding::{Use, word};
use super::relax;
use super::reloc::{
    R_ADR_GOT_PAGE, R_LD64_GOT_LO12_NC, R_TLSDESC_ADR_PAGE21, R_TLSIE_ADR_GOTTPREL_PAGE21,
    R_TLSIE_LD64_GOTTPREL_LO12_NC,
};
use super::tls;
use crate::arch::groups::{Group, Reach, Relocated};
use std::collections::BTreeMap;

/// What is taken together: a symbol with an addend.
type Of = (u32, i64);

/// The groups of a section, in order.
pub fn claim(section: &Relocated<'_>) -> Vec<Group> {
    let mut cells: BTreeMap<Of, Vec<Use<'_>>> = BTreeMap::new();
    let mut offsets: BTreeMap<Of, Vec<Use<'_>>> = BTreeMap::new();
    let mut far: BTreeMap<u32, Vec<Use<'_>>> = BTreeMap::new();
    let mut groups = Vec::new();
    for (n, site) in section.sites.iter().enumerate() {
        let Some(word) = word(section.code, site.offset) else {
            continue;
        };
        let (of, here) = ((site.symbol, site.addend), Use { n, site, word });
        match site.r_type {
            R_ADR_GOT_PAGE | R_LD64_GOT_LO12_NC => cells.entry(of).or_default().push(here),
            R_TLSIE_ADR_GOTTPREL_PAGE21 | R_TLSIE_LD64_GOTTPREL_LO12_NC => {
                offsets.entry(of).or_default().push(here);
            }
            R_TLSDESC_ADR_PAGE21 => groups.extend(tls::descriptor(section, n)),
            _ if site.reach == Reach::Far => far.entry(site.symbol).or_default().push(here),
            _ => {}
        }
    }
    groups.extend(
        cells
            .into_values()
            .filter_map(|all| relax::cell_loads(&all)),
    );
    groups.extend(
        offsets
            .into_values()
            .filter_map(|all| tls::offset_loads(&all)),
    );
    groups.extend(far.into_values().filter_map(|all| relax::addresses(&all)));
    groups.sort_by_key(|g| g.members.first().copied());
    groups
}
