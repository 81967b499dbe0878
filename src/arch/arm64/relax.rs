//! Rewriting of instructions that load an address from a cell (AAELF64, "Relaxing code sequences"), and the other way.

use super::encoding::{Use, add, bytes, is_add, is_adrp, is_ldr, ldr, rd, rn};
use super::reloc::{self, ADRP, LOW, LOW_64, R_ADR_GOT_PAGE};
use crate::arch::groups::{Group, NewField, NewValue, Reach};
use crate::arch::reloc::{Field, Formula, Pages};

/// All loads of one address of a section:
///
/// ```text
/// adrp xM, :got:foo                  adrp xM, foo
/// ldr  xN, [xM, :got_lo12:foo]   ->  add  xN, xM, :lo12:foo
/// ```
///
/// What an `adrp` of one section gets may be used in another (gcc's functions `.cold`), so the choice must not depend on the section: what is near
/// is relaxed, what is not comes from a cell. None if there is another instruction than those.
pub(super) fn cell_loads(all: &[Use<'_>]) -> Option<Group> {
    let page = |u: &Use<'_>| u.site.r_type == R_ADR_GOT_PAGE;
    let fits = |u: &Use<'_>| match page(u) {
        true => is_adrp(u.word),
        false => is_ldr(u.word),
    };
    all.iter().all(fits).then_some(())?;
    let near = all.iter().all(|u| u.site.reach == Reach::Near);
    let field = |u: &Use<'_>| NewField {
        offset: u.site.offset,
        field: match (page(u), near) {
            (true, _) => ADRP,
            (false, true) => LOW,
            (false, false) => LOW_64,
        },
        of: u.n,
        value: match near {
            true => NewValue::Address(u.site.addend),
            false => NewValue::Cell {
                holds: u.site.addend,
                plus: 0,
            },
        },
    };
    let loads = all.iter().filter(|u| near && !page(u));
    Some(Group {
        members: all.iter().map(|u| u.n).collect(),
        patches: loads
            .map(|u| (u.site.offset, bytes(&[add(rd(u.word), rn(u.word))])))
            .collect(),
        fields: all.iter().map(field).collect(),
    })
}

/// All computations of one address of a section, of what lies outside of the image:
///
/// ```text
/// adrp xM, foo                  adrp xM, cell
/// add  xN, xM, :lo12:foo    ->  ldr  xN, [xM, :lo12:cell]
/// ```
///
/// None if anything else is among them: a load from the place itself, whose address is in no register. Neither are there several addends, as one
/// `adrp` may serve them all, and their cells may be in several pages.
pub(super) fn addresses(all: &[Use<'_>]) -> Option<Group> {
    let addend = all.first()?.site.addend;
    all.iter().all(|u| u.site.addend == addend).then_some(())?;
    let kind = |u: &Use<'_>| -> Option<Field> {
        let row = reloc::howto(u.site.r_type)?;
        (row.formula == Formula::PcRelative).then_some(())?;
        match row.field.pages {
            Pages::Distance if is_adrp(u.word) => Some(ADRP),
            Pages::Within if is_add(u.word) => Some(LOW_64),
            _ => None,
        }
    };
    let kinds: Vec<Field> = all.iter().map(kind).collect::<Option<_>>()?;
    let with = || all.iter().zip(&kinds);
    let field = |(u, field): (&Use<'_>, &Field)| NewField {
        offset: u.site.offset,
        field: *field,
        of: u.n,
        value: NewValue::Cell {
            holds: u.site.addend,
            plus: 0,
        },
    };
    Some(Group {
        members: all.iter().map(|u| u.n).collect(),
        patches: with()
            .filter(|(_, field)| **field == LOW_64)
            .map(|(u, _)| (u.site.offset, bytes(&[ldr(rd(u.word), rn(u.word))])))
            .collect(),
        fields: with().map(field).collect(),
    })
}
