//! Handles of Go's in a wrapper: their cells are shown in the control block while the call uses them (`rt/src/leave/handles.rs`).
//!
//! The common case, a cell that is open and known to the lane, or to many, takes no call. Everything else is the runtime's, and lies out of the way.

use super::writer::{
    CONTROL, FramePlace, HandleSlot, If, LDR, LDR_W, Label, SP, STR, Writer, ZERO,
};
use crate::arch::{Code, note};
use crate::contract::symbols;
use crate::contract::{
    CELL_LAST, CELL_MANY, CELL_OPEN, CELL_PINS, CELL_STATE, CONTROL_USES, HANDLE_CELL, HANDLE_RAW,
};
use crate::model::goabi::Frame;
use crate::model::uses::{Given, Uses};

/// Code that the common case jumps over.
pub(super) enum Aside {
    /// A use that is not in order at first sight: where it comes from if the cell is not the lane's own, and else; where it goes on.
    Begin {
        handle: HandleSlot,
        foreign: Label,
        check: Label,
        slow: Label,
        done: Label,
    },
    /// The end of a call whose cell is open no more.
    End { ended: Label, done: Label },
}

/// The wrapper of a function that frees: it is called with what the runtime says is to be dropped.
pub(super) fn closing(frame: &Frame, free: &str, keeps: bool) -> Result<Code, String> {
    let at = frame.params.first().map_or(0, |slot| slot.offset);
    let mut w = Writer::new(FramePlace::of(frame));
    w.keeps = keeps;
    w.lone(free, frame.callbacks, |w| {
        w.frame(LDR, 0, at);
        w.address(1, free);
        w.call(symbols::HANDLE_CLOSE);
        w.drop_due();
    });
    w.finish()
}

/// The handles among the parameters of a frame.
pub(super) fn slots(frame: &Frame, uses: &Uses) -> Vec<HandleSlot> {
    let Uses::Given { handles, .. } = uses else {
        return Vec::new();
    };
    let with_slots = handles.iter().zip(0..);
    let place = |(given, slot): (&Given, u64)| {
        let at = frame.params.get(given.param)?.offset;
        Some(HandleSlot {
            at,
            slot,
            taken: given.taken,
            nullable: given.nullable,
        })
    };
    with_slots.filter_map(place).collect()
}

/// Where in a control block the use of a slot is shown.
fn shown(slot: u64) -> u64 {
    CONTROL_USES + 8 * slot
}

impl Writer {
    /// Shows the cells of all handles, and takes what is taken. x11 holds the control block, before and after.
    pub fn begin_uses(&mut self, function: &str, stack: u64) -> Vec<Aside> {
        let mut asides = Vec::new();
        let all = self.handles.iter().copied();
        let (taken, used): (Vec<HandleSlot>, Vec<HandleSlot>) = all.partition(|h| h.taken);
        for handle in used {
            let (check, done) = (self.label(), self.label());
            let (foreign, slow) = (self.label(), self.label());
            self.frame(LDR, 2, handle.at);
            self.branch_if_zero(2, if handle.nullable { done } else { slow });
            self.access(LDR, 10, 2, HANDLE_CELL);
            self.branch_if_zero(10, slow);
            self.access(STR, 10, CONTROL, shown(handle.slot));
            self.access(LDR, 9, 10, CELL_LAST);
            self.compare(9, CONTROL);
            self.branch_if(If::NotEqual, foreign);
            self.set(check);
            self.access(LDR_W, 9, 10, CELL_STATE);
            self.compare_with(9, CELL_OPEN);
            self.branch_if(If::NotEqual, slow);
            self.set(done);
            asides.push(Aside::Begin {
                handle,
                foreign,
                check,
                slow,
                done,
            });
        }
        for handle in &taken {
            let done = self.label();
            self.frame(LDR, 2, handle.at);
            if handle.nullable {
                self.branch_if_zero(2, done);
            }
            self.runtime(symbols::HANDLE_TAKE, function, handle.slot, stack);
            self.set(done);
        }
        for handle in taken {
            self.access(STR, ZERO, CONTROL, shown(handle.slot));
        }
        asides
    }

    /// Has the runtime look at the handle in x2.
    fn runtime(&mut self, symbol: &str, function: &str, slot: u64, stack: u64) {
        self.mov(0, CONTROL);
        self.constant(1, slot);
        self.address(3, &note(function, slot));
        self.call(symbol);
        self.add(CONTROL, SP, stack);
    }

    /// From a handle to Rust's pointer, if the part of the frame is one.
    pub fn unwrap_handle(&mut self, register: u32, at: u64) {
        let Some(handle) = self.handles.iter().find(|h| h.at == at).copied() else {
            return;
        };
        let none = self.label();
        if handle.nullable {
            self.branch_if_zero(register, none);
        }
        self.access(LDR, register, register, HANDLE_RAW);
        self.set(none);
    }

    /// Ends all uses; the result is stored already.
    pub fn end_uses(&mut self, stack: u64, pinned: bool) -> Vec<Aside> {
        let used: Vec<_> = self.handles.iter().filter(|h| !h.taken).copied().collect();
        let mut asides = Vec::new();
        for handle in used {
            let (ended, done) = (self.label(), self.label());
            self.access(LDR, 0, SP, stack + shown(handle.slot));
            if handle.nullable {
                self.branch_if_zero(0, done);
            }
            if pinned {
                self.add(9, 0, CELL_PINS);
                self.increment_w(9);
            }
            // Whoever sees that the use has ended drops the value: nothing that the call did comes later.
            self.add(9, SP, stack + shown(handle.slot));
            self.store_release(ZERO, 9);
            self.access(LDR_W, 9, 0, CELL_STATE);
            self.compare_with(9, CELL_OPEN);
            self.branch_if(If::NotEqual, ended);
            self.set(done);
            asides.push(Aside::End { ended, done });
        }
        asides
    }

    /// What the common case jumps over.
    pub fn asides(&mut self, asides: Vec<Aside>, function: &str, stack: u64) {
        for aside in asides {
            match aside {
                Aside::Begin {
                    handle,
                    foreign,
                    check,
                    slow,
                    done,
                } => {
                    self.set(foreign);
                    self.compare_with(9, CELL_MANY as u32);
                    self.branch_if(If::Equal, check);
                    self.set(slow);
                    self.runtime(symbols::HANDLE_USE, function, handle.slot, stack);
                    self.branch(done);
                }
                Aside::End { ended, done } => {
                    self.set(ended);
                    self.call(symbols::HANDLE_USED);
                    self.drop_due();
                    self.branch(done);
                }
            }
        }
    }

    /// Drops the value in x0 by the function in x1, if there is one, and all that are due.
    pub fn drop_due(&mut self) {
        let (next, none) = (self.label(), self.label());
        self.set(next);
        self.branch_if_zero(0, none);
        self.call_at(1);
        self.call(symbols::HANDLE_DUE);
        self.branch(next);
        self.set(none);
    }
}
