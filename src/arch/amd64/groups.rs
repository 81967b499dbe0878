//! The groups of relocations that are rewritten: loads of an address from a cell (psABI B.2), addresses that are to be loaded instead, and accesses to
//! thread-locals. Each is one instruction, or two that stand together.

use super::TO_NEXT_INSTRUCTION;
use super::relax::{self, Rewrite};
use super::reloc::{
    self, HALF, R_GOTPCREL, R_GOTPCRELX, R_GOTTPOFF, R_REX_GOTPCRELX, R_TLSGD, R_TLSLD,
};
use super::tls::{self, Model};
use crate::arch::groups::{Group, NewField, NewValue, Reach, Relocated, Site};
use crate::arch::reloc::{Field, Formula};

/// The groups of a section, in order.
pub fn claim(section: &Relocated<'_>) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut from = 0;
    while let Some(site) = section.sites.get(from) {
        let next = section.sites.get(from + 1);
        let group = group(section, site, next, from);
        from = group
            .as_ref()
            .and_then(|g| g.members.last().copied())
            .unwrap_or(from)
            + 1;
        groups.extend(group);
    }
    groups
}

/// The group that begins with the `n`th relocation.
fn group(section: &Relocated<'_>, site: &Site, next: Option<&Site>, n: usize) -> Option<Group> {
    let code = section.code;
    // Addends count from the next instruction where the field ends its own.
    let of_symbol = site.addend.wrapping_sub(TO_NEXT_INSTRUCTION);
    match site.r_type {
        R_GOTPCREL | R_GOTPCRELX | R_REX_GOTPCRELX => {
            (site.reach == Reach::Near && of_symbol == 0).then_some(())?;
            let new = relax::cell_load(code, site.offset)?;
            Some(one(n, new, HALF, NewValue::Address(site.addend)))
        }
        R_GOTTPOFF => {
            let new = tls::offset_load(code, site.offset)?;
            Some(one(n, new, HALF, NewValue::InLane(of_symbol)))
        }
        R_TLSGD | R_TLSLD => {
            let model = match site.r_type {
                R_TLSGD => Model::General,
                _ => Model::Local,
            };
            let call = next.filter(|next| next.reach == Reach::TlsGetAddr)?;
            let new = tls::access(model, code, site.offset, call.offset, section.lane_size)?;
            let mut group = one(n, new, HALF, NewValue::InLane(of_symbol));
            group.members.push(n + 1);
            Some(group)
        }
        r_type => {
            let row = reloc::howto(r_type).filter(|_| site.reach == Reach::Far)?;
            matches!(row.formula, Formula::PcRelative | Formula::Branch).then_some(())?;
            let new = relax::address(code, site.offset)?;
            let cell = NewValue::Cell {
                holds: of_symbol,
                plus: TO_NEXT_INSTRUCTION,
            };
            Some(one(n, new, row.field, cell))
        }
    }
}

/// A group of one relocation, the `n`th.
fn one(n: usize, new: Rewrite, field: Field, value: NewValue) -> Group {
    let field = |offset| NewField {
        offset,
        field,
        of: n,
        value,
    };
    Group {
        members: vec![n],
        fields: new.field.map(field).into_iter().collect(),
        patches: vec![(new.start, new.bytes)],
    }
}
