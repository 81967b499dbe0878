//! Calls every function of `fixtures/abi` through its wrapper, without Go: Go's frame, `g`, `m` and the lane are made by hand
//! (`machine.rs`), and the values that go in and come out are followed through the signature model alone (`values.rs`).

#[path = "../../../fixtures/abi/src/lib.rs"]
mod abi;

mod machine;
pub mod signatures;
mod thread_pointer;
mod values;

use machine::{Machine, ROOM};
use rsyso::internals::model::goabi;
use rsyso::internals::model::{Api, Function};

use values::Values;

/// Calls of one function with different values.
const ROUNDS: u64 = 40;

/// Rust must have seen what was passed, and Go must find what Rust gave.
fn exercise(machine: &mut Machine, api: &Api, index: usize, function: &Function, seed: u64) {
    let layout = goabi::frame(api, function);
    let mut values = Values::new(api, seed);
    // What is not part of a value is garbage, as on a goroutine's stack.
    let mut frame = values.garbage(layout.size as usize + ROOM);
    for (param, slot) in function.params.iter().zip(&layout.params) {
        values.pass(&mut frame, slot.offset as usize, &param.ty);
    }
    let before = frame.clone();
    let by_reference = layout.by_reference();
    machine.call(&function.symbol, &mut frame, by_reference, seed % 2 == 1);

    let mut stream = values.view(index);
    values.check_refilled(&mut stream);
    let mut written = vec![false; before.len()];
    if let (Some(ty), Some(slot)) = (&function.result, &layout.result) {
        let at = slot.offset as usize;
        values.check_result(&frame, at, ty, &mut stream);
        written[at..at + slot.size as usize].fill(true);
    }
    for (i, written) in written.iter().enumerate() {
        let same = before[i] == frame[i];
        assert!(
            *written || same,
            "the byte at {i} was written to: {layout:?}"
        );
    }
}

#[test]
fn rust_sees_what_was_passed_and_go_gets_what_was_given() {
    let api = signatures::fixture();
    let mut machine = Machine::new(&api, &abi::generated::addresses());
    assert!(api.functions().len() >= 300);
    for (index, function) in api.functions().iter().enumerate() {
        for round in 0..ROUNDS {
            let seed = index as u64 * ROUNDS + round;
            println!("{} round {round}", function.symbol);
            exercise(&mut machine, &api, index, function, seed);
        }
    }
}

#[test]
fn the_slow_path_finds_the_lane_when_the_table_does_not() {
    let api = signatures::fixture();
    let mut machine = Machine::new(&api, &abi::generated::addresses());
    let functions = || api.functions().iter().enumerate().step_by(7);
    let cases: [fn(&mut Machine); 4] = [
        Machine::no_table,
        Machine::another_owner,
        Machine::empty_table,
        Machine::collision,
    ];
    for (case, set_up) in cases.iter().enumerate() {
        set_up(&mut machine);
        for (index, function) in functions() {
            let before = machine.slow_calls();
            println!("{} case {case}", function.symbol);
            exercise(&mut machine, &api, index, function, index as u64);
            assert_eq!(machine.slow_calls(), before + 1);
        }
    }
}
