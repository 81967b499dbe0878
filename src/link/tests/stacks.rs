//! Libraries that switch stacks by themselves, on objects made by hand.

use super::build::{Obj, graph};
use super::{CALL, function, root};
use crate::analyse::stacks;
use crate::base::diag::{Error, Kind};
use ::object::elf::R_X86_64_PLT32;

fn check(objs: &[Obj], runtime: &[Obj]) -> Result<(), Error> {
    graph(objs, runtime, |g| {
        stacks::check(&g.inputs, &g.symbols, &g.live)
    })
}

#[test]
fn a_live_switch_is_refused_with_place_chain_and_a_way_out() {
    let psm = function("psm.o", "rust_psm_on_stack", 0x90);
    let mut grow = Obj::new("stacker.o");
    let code = grow.code("grow", &CALL);
    grow.reloc(code, 1, R_X86_64_PLT32, "rust_psm_on_stack", -4);
    let objs = [root(&["grow"]), grow.clone(), psm.clone()];
    let error = check(&objs, &[]).unwrap_err();
    assert_eq!(error.kind, Kind::Unsupported);
    let text = error.to_string();
    for part in [
        "it calls rust_psm_on_stack (the crate psm",
        "stacker.o:(.text.grow+0x1)",
        "root -> grow -> rust_psm_on_stack",
        "--export",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    // Nothing reaches it here.
    let objs = [root(&["f"]), function("f.o", "f", 0x90), grow, psm];
    assert_eq!(check(&objs, &[]), Ok(()));
}

#[test]
fn a_switch_that_the_runtime_provides_is_its_own_business() {
    let mut runtime = function("rt.o", "swapcontext", 0x90);
    runtime.lazy = true;
    assert_eq!(check(&[root(&["swapcontext"])], &[runtime]), Ok(()));
}

#[test]
fn corosensei_is_known_by_its_functions() {
    let name = "_ZN10corosensei9coroutine6switch17h0123456789abcdefE";
    let objs = [root(&[name]), function("coro.o", name, 0x90)];
    let text = check(&objs, &[]).unwrap_err().to_string();
    assert!(text.contains("corosensei::coroutine::switch"), "{text}");
}
