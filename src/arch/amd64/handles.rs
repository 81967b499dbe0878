//! Handles of Go's in a wrapper: their cells are shown in the control block while the call uses them (`rt/src/leave/handles.rs`).
//!
//! The common case, a cell that is open and known to the lane, or to many, takes no call. Everything else is the runtime's, and lies out of the way.

use iced_x86::IcedError;
use iced_x86::code_asm::*;

use super::writer::{FramePlace, HandleSlot, Step, Writer, broken, disp};
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
        foreign: CodeLabel,
        check: CodeLabel,
        slow: CodeLabel,
        done: CodeLabel,
    },
    /// The end of a call whose cell is open no more.
    End { ended: CodeLabel, done: CodeLabel },
}

/// The wrapper of a function that frees: it is called with what the runtime says is to be dropped.
pub(super) fn closing(frame: &Frame, free: &str, keeps: bool) -> Result<Code, String> {
    let at = frame.params.first().map_or(0, |slot| slot.offset);
    let mut w = Writer::new(FramePlace::of(frame)).map_err(broken)?;
    w.keeps = keeps;
    w.lone(free, frame.callbacks, |w| {
        let cell = w.at(at);
        w.a.mov(rdi, qword_ptr(cell))?;
        w.address(rsi, free)?;
        w.call(symbols::HANDLE_CLOSE)?;
        w.drop_due()
    })
    .map_err(broken)?;
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

impl Writer {
    fn shown(&self, base: AsmRegister64, stack: u64, slot: u64) -> AsmMemoryOperand {
        base + disp(stack + CONTROL_USES + 8 * slot)
    }

    /// Shows the cells of all handles, and takes what is taken. r11 holds the control block, before and after.
    pub fn begin_uses(&mut self, function: &str, stack: u64) -> Result<Vec<Aside>, IcedError> {
        let mut asides = Vec::new();
        let all = self.handles.iter().copied();
        let (taken, used): (Vec<HandleSlot>, Vec<HandleSlot>) = all.partition(|h| h.taken);
        for handle in used {
            let mut check = self.a.create_label();
            let mut done = self.a.create_label();
            let (foreign, slow) = (self.a.create_label(), self.a.create_label());
            let from = self.at(handle.at);
            self.a.mov(rax, qword_ptr(from))?;
            self.a.test(rax, rax)?;
            self.a.jz(if handle.nullable { done } else { slow })?;
            self.a.mov(rcx, qword_ptr(rax + disp(HANDLE_CELL)))?;
            self.a.test(rcx, rcx)?;
            self.a.jz(slow)?;
            let shown = self.shown(r11, 0, handle.slot);
            self.a.mov(qword_ptr(shown), rcx)?;
            self.a.cmp(qword_ptr(rcx + disp(CELL_LAST)), r11)?;
            self.a.jne(foreign)?;
            self.a.set_label(&mut check)?;
            self.a
                .cmp(dword_ptr(rcx + disp(CELL_STATE)), CELL_OPEN as i32)?;
            self.a.jne(slow)?;
            self.a.set_label(&mut done)?;
            self.a.zero_bytes()?;
            asides.push(Aside::Begin {
                handle,
                foreign,
                check,
                slow,
                done,
            });
        }
        for handle in &taken {
            let mut done = self.a.create_label();
            let from = self.at(handle.at);
            self.a.mov(rdx, qword_ptr(from))?;
            if handle.nullable {
                self.a.test(rdx, rdx)?;
                self.a.jz(done)?;
            }
            self.runtime(symbols::HANDLE_TAKE, function, handle.slot, stack)?;
            self.a.set_label(&mut done)?;
            self.a.zero_bytes()?;
        }
        for handle in taken {
            let shown = self.shown(r11, 0, handle.slot);
            self.a.mov(qword_ptr(shown), 0)?;
        }
        Ok(asides)
    }

    /// Has the runtime look at the handle in rdx.
    fn runtime(&mut self, symbol: &str, function: &str, slot: u64, stack: u64) -> Step {
        self.a.mov(rdi, r11)?;
        self.a.mov(esi, disp(slot))?;
        self.address(rcx, &note(function, slot))?;
        self.call(symbol)?;
        self.a.lea(r11, rsp + disp(stack))
    }

    /// From a handle to Rust's pointer, if the part of the frame is one.
    pub fn unwrap_handle(&mut self, register: AsmRegister64, at: u64) -> Step {
        let Some(handle) = self.handles.iter().find(|h| h.at == at).copied() else {
            return Ok(());
        };
        let mut none = self.a.create_label();
        if handle.nullable {
            self.a.test(register, register)?;
            self.a.jz(none)?;
        }
        self.a
            .mov(register, qword_ptr(register + disp(HANDLE_RAW)))?;
        self.a.set_label(&mut none)?;
        self.a.zero_bytes()
    }

    /// Ends all uses; the result is stored already.
    pub fn end_uses(&mut self, stack: u64, pinned: bool) -> Result<Vec<Aside>, IcedError> {
        let used: Vec<_> = self.handles.iter().filter(|h| !h.taken).copied().collect();
        let mut asides = Vec::new();
        for handle in used {
            let (ended, mut done) = (self.a.create_label(), self.a.create_label());
            let shown = self.shown(rsp, stack, handle.slot);
            self.a.mov(rdi, qword_ptr(shown))?;
            if handle.nullable {
                self.a.test(rdi, rdi)?;
                self.a.jz(done)?;
            }
            if pinned {
                self.a.lock().inc(dword_ptr(rdi + disp(CELL_PINS)))?;
            }
            self.a.mov(qword_ptr(shown), 0)?;
            self.a
                .cmp(dword_ptr(rdi + disp(CELL_STATE)), CELL_OPEN as i32)?;
            self.a.jne(ended)?;
            self.a.set_label(&mut done)?;
            self.a.zero_bytes()?;
            asides.push(Aside::End { ended, done });
        }
        Ok(asides)
    }

    /// What the common case jumps over.
    pub fn asides(&mut self, asides: Vec<Aside>, function: &str, stack: u64) -> Step {
        for aside in asides {
            match aside {
                Aside::Begin {
                    handle,
                    mut foreign,
                    check,
                    mut slow,
                    done,
                } => {
                    self.a.set_label(&mut foreign)?;
                    self.a
                        .cmp(qword_ptr(rcx + disp(CELL_LAST)), disp(CELL_MANY))?;
                    self.a.je(check)?;
                    self.a.set_label(&mut slow)?;
                    self.a.mov(rdx, rax)?;
                    self.runtime(symbols::HANDLE_USE, function, handle.slot, stack)?;
                    self.a.jmp(done)?;
                }
                Aside::End { mut ended, done } => {
                    self.a.set_label(&mut ended)?;
                    self.call(symbols::HANDLE_USED)?;
                    self.drop_due()?;
                    self.a.jmp(done)?;
                }
            }
        }
        Ok(())
    }

    /// Drops the value in rax by the function in rdx, if there is one, and all that are due.
    pub fn drop_due(&mut self) -> Step {
        let (mut next, mut none) = (self.a.create_label(), self.a.create_label());
        self.a.set_label(&mut next)?;
        self.a.test(rax, rax)?;
        self.a.jz(none)?;
        self.a.mov(rdi, rax)?;
        self.a.call(rdx)?;
        self.call(symbols::HANDLE_DUE)?;
        self.a.jmp(next)?;
        self.a.set_label(&mut none)?;
        self.a.zero_bytes()
    }
}

#[cfg(test)]
#[path = "handles_tests.rs"]
mod tests;
