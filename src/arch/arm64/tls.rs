//! Thread-locals (AAELF64, "Thread Local Storage"): the sequences give the distance from the thread pointer. In its place is the base of the lane
//! ([`super::thread_pointer`]), so a distance is a number that is known when the image is made.

use super::encoding::{
    NOP, Use, bytes, is_add, is_adrp, is_blr, is_ldr, movk_low, movz_high, rd, rn, word,
};
use super::reloc::{
    MOVE_HIGH, MOVE_LOW, R_TLSDESC_ADD_LO12, R_TLSDESC_ADR_PAGE21, R_TLSDESC_CALL,
    R_TLSDESC_LD64_LO12, R_TLSIE_ADR_GOTTPREL_PAGE21,
};
use crate::arch::groups::{Group, NewField, NewValue, Relocated};

/// The access by descriptor that begins with the `n`th relocation. Its instructions stand together, in this order ("General dynamic"), and the
/// function that they call keeps all registers but x0:
///
/// ```text
/// adrp x0, :tlsdesc:foo               movz x0, #upper half, lsl 16
/// ldr  xN, [x0, :tlsdesc_lo12:foo]    movk x0, #lower half
/// add  x0, x0, :tlsdesc_lo12:foo  ->  nop
/// blr  xN                             nop
/// ```
pub(super) fn descriptor(section: &Relocated<'_>, n: usize) -> Option<Group> {
    const TYPES: [u32; 4] = [
        R_TLSDESC_ADR_PAGE21,
        R_TLSDESC_LD64_LO12,
        R_TLSDESC_ADD_LO12,
        R_TLSDESC_CALL,
    ];
    let four = section.sites.get(n..n.checked_add(4)?)?;
    let first = four.first()?;
    let together = four.iter().zip(TYPES).zip((0..).step_by(4));
    let mut together = together.map(|((site, r_type), at)| {
        let same = (site.symbol, site.addend) == (first.symbol, first.addend);
        same && site.r_type == r_type && Some(site.offset) == first.offset.checked_add(at)
    });
    together.all(|is| is).then_some(())?;
    let at = |site: usize| word(section.code, four[site].offset);
    let [adrp, ldr, add, blr] = [at(0)?, at(1)?, at(2)?, at(3)?];
    let registers = rd(adrp) == 0 && rn(ldr) == 0 && rd(add) == 0 && rn(add) == 0;
    let called = rd(ldr) == rn(blr) && rd(ldr) != 0;
    let kinds = is_adrp(adrp) && is_ldr(ldr) && is_add(add) && is_blr(blr);
    (kinds && registers && called).then_some(())?;
    let code = [movz_high(0), movk_low(0), NOP, NOP];
    let field = |offset, field| NewField {
        offset: first.offset + offset,
        field,
        of: n,
        value: NewValue::InLane(first.addend),
    };
    Some(Group {
        members: (n..n + 4).collect(),
        patches: vec![(first.offset, bytes(&code))],
        fields: vec![field(0, MOVE_HIGH), field(4, MOVE_LOW)],
    })
}

/// All loads of one offset of a section ("Initial exec"):
///
/// ```text
/// adrp xN, :gottprel:foo                   movz xN, #upper half, lsl 16
/// ldr  xN, [xN, :gottprel_lo12:foo]    ->  movk xN, #lower half
/// ```
///
/// None if a load has another register than its base: `movk` leaves the rest of its register.
pub(super) fn offset_loads(all: &[Use<'_>]) -> Option<Group> {
    let page = |u: &Use<'_>| u.site.r_type == R_TLSIE_ADR_GOTTPREL_PAGE21;
    let fits = |u: &Use<'_>| match page(u) {
        true => is_adrp(u.word),
        false => is_ldr(u.word) && rd(u.word) == rn(u.word),
    };
    all.iter().all(fits).then_some(())?;
    let new = |u: &Use<'_>| match page(u) {
        true => (movz_high(rd(u.word)), MOVE_HIGH),
        false => (movk_low(rd(u.word)), MOVE_LOW),
    };
    Some(Group {
        members: all.iter().map(|u| u.n).collect(),
        patches: all
            .iter()
            .map(|u| (u.site.offset, bytes(&[new(u).0])))
            .collect(),
        fields: all
            .iter()
            .map(|u| NewField {
                offset: u.site.offset,
                field: new(u).1,
                of: u.n,
                value: NewValue::InLane(u.site.addend),
            })
            .collect(),
    })
}
