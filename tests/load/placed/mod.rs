//! A signal placed before each instruction of a way through the library: the call becomes a system call of Go's there, or stays as it is, and nothing
//! is lost. Registers of all kinds, flags and the red zone hold values that the fixture looks at.
//!
//! `RSYSO_PLACED` sets how many places of each way are tried (`make placed`: all).

mod trace;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use object::{Object, ObjectSymbol};

use crate::common;
use crate::common::go::{self, Release};
use trace::{Mark, Stop, Traced};

/// What comes of the signals on a way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Becomes {
    /// Some of them make the call a system call.
    Polite,
    /// None does: it is one already, or is to become none.
    Nothing,
}
use Becomes::*;

/// The ways, by their names in `tests/programs/placed`.
const WAYS: [(&str, Becomes); 22] = [
    ("registers", Polite),
    ("avx", Polite),
    ("avx512", Polite),
    ("amx", Polite),
    ("blocking", Nothing),
    ("bare", Nothing),
    ("signalled", Polite),
    ("results", Polite),
    ("callback", Polite),
    ("nested", Polite),
    ("panic", Polite),
    ("overflow", Polite),
    ("panic-back", Polite),
    ("once", Polite),
    ("read", Polite),
    ("kept", Polite),
    ("kept-panic", Polite),
    ("pooled", Polite),
    ("pooled-panic", Polite),
    ("fault-skip", Polite),
    ("fault-jump", Polite),
    ("fault-asks", Polite),
];

/// Where the code of a program lies.
struct Code {
    /// The library, the wrappers and the runtime.
    image: Range<u64>,
    /// The functions of the Go package around it.
    package: Vec<Range<u64>>,
    /// Where a call goes on that has become a system call.
    go_on: Range<u64>,
}

impl Code {
    /// The code of the package that a way leads through.
    fn of(program: &Path, way: &str) -> Code {
        let package = match way.split('-').next() {
            Some("kept") => "rsyso.test/kept",
            Some("pooled") => "rsyso.test/vtables",
            Some("fault") => "rsyso.test/faults",
            _ => "rsyso.test/polite",
        };
        let bytes = std::fs::read(program).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        let range = |s: &object::Symbol| s.address()..s.address() + s.size();
        let within = |name: &str, around: Range<u64>| {
            let mut symbols = file.symbols();
            let found = symbols.find(|s| s.name() == Ok(name) && around.contains(&s.address()));
            range(&found.unwrap_or_else(|| panic!("no {name} in {}", program.display())))
        };
        let functions = format!("{package}.");
        let of_package = |s: &object::Symbol| s.name().is_ok_and(|n| n.starts_with(&functions));
        let image = within(&format!("{package}(.text)"), 0..u64::MAX);
        Code {
            go_on: within("rsyso_go_on", image.clone()),
            image,
            package: file
                .symbols()
                .filter(of_package)
                .map(|s| range(&s))
                .collect(),
        }
    }

    /// Whether it is the package's own, in Go or not.
    fn is_ours(&self, pc: u64) -> bool {
        self.image.contains(&pc) || self.package.iter().any(|r| r.contains(&pc))
    }
}

/// What was seen on a way.
#[derive(Default)]
struct Seen {
    /// Instructions, each of them counted whenever it was executed.
    steps: usize,
    /// Distinct ones, in the order of the first time; the package's, and all others: Go's and the kernel's (vDSO).
    places: [Vec<u64>; 2],
    /// Signals that were sent.
    placed: usize,
    /// Places that the thread did not come by again; as above.
    missed: [usize; 2],
    /// Signals that made the call a system call.
    polite: usize,
    /// The first place where one did.
    at: Option<u64>,
}

/// Begins the way, up to a place before which there is to be a first signal. False if the machine does not have what the way needs.
fn begin(traced: &mut Traced, first: Option<u64>) -> bool {
    match traced.until_mark() {
        Mark::Begins => {}
        Mark::Absent => return false,
        mark => panic!("{mark:?} where the way should begin: {}", traced.told()),
    }
    if let Some(at) = first {
        traced.break_at(first);
        assert_eq!(traced.run(None), Stop::Break, "{at:#x} was not met");
        traced.break_at(None);
        traced.owe_signal();
    }
    true
}

/// Goes the way once, step by step. None if the machine does not have what the way needs.
fn look(traced: &mut Traced, first: Option<u64>) -> Option<Seen> {
    if !begin(traced, first) {
        return None;
    }
    let mut known = BTreeSet::new();
    let mut seen = Seen::default();
    while let Some(pc) = traced.step() {
        seen.steps += 1;
        if known.insert(pc) {
            seen.places[usize::from(!traced.code().is_ours(pc))].push(pc);
        }
    }
    assert_eq!(traced.until_mark(), Mark::Right);
    Some(seen)
}

/// Goes the way with a signal before one instruction, besides the first. False if it was not met.
fn place(traced: &mut Traced, first: Option<u64>, at: u64, seen: &mut Seen) -> bool {
    assert!(begin(traced, first));
    traced.break_at(Some(at));
    let met = loop {
        match traced.run(None) {
            Stop::Break => break true,
            // Of a signal that is part of the way.
            Stop::SignalReturn(_) => {}
            Stop::Mark(mark) => {
                assert_eq!(mark, Mark::Right, "without a signal: {}", traced.told());
                break false;
            }
        }
    };
    traced.break_at(None);
    if !met {
        return false;
    }
    seen.placed += 1;
    let mut stop = traced.run(Some(trace::WANTED));
    let mut polite = false;
    while let Stop::SignalReturn(pc) = stop {
        polite |= traced.code().go_on.contains(&pc);
        stop = traced.run(None);
    }
    if polite {
        seen.polite += 1;
        seen.at.get_or_insert(at);
    }
    assert!(
        stop == Stop::Mark(Mark::Right),
        "a signal at {at:#x} was not survived: {}",
        traced.told()
    );
    true
}

/// Some of the places, evenly spread.
fn some(places: &[u64], most: usize) -> impl Iterator<Item = u64> {
    let tried = places.len().min(most);
    (0..tried).map(move |i| places[i * places.len() / tried])
}

fn signals(release: Release) {
    let _among_others = crate::among_others();
    let out = common::scratch();
    let program = go::program(release, "placed", out.path());
    for (way, becomes) in WAYS {
        let mut traced = Traced::start(&program, way, Code::of(&program, way));
        println!("Go {}, {way}:", release.version());
        let Some(seen) = go_the_way(&mut traced, None) else {
            println!("  this machine has no such registers");
            continue;
        };
        let polite = seen.polite;
        assert_eq!(polite > 0, becomes == Polite, "{polite} system calls");
        // Once more, as a system call from early on.
        if let Some(at) = seen.at {
            go_the_way(&mut traced, Some(at));
        }
    }
}

/// Goes a way as often as it takes, with a signal at each place, or at some of them, besides the first.
fn go_the_way(traced: &mut Traced, first: Option<u64>) -> Option<Seen> {
    let most = common::seconds("RSYSO_PLACED", 100) as usize;
    let mut seen = look(traced, first)?;
    let places = seen.places.clone();
    // Of Go's code fewer: it is not what is tested. How a system call ends there depends on how long it took, so some places are missed.
    for (kind, most) in [most, most.div_ceil(4)].into_iter().enumerate() {
        for at in some(&places[kind], most) {
            let met = (0..3).any(|_| place(traced, first, at, &mut seen));
            seen.missed[kind] += usize::from(!met);
        }
    }
    let [ours, others] = places.map(|places| places.len());
    println!(
        "  {}{} steps, {ours} places of the package and {others} others; {} signals placed, {} and {} places missed; {} made the call a system call",
        if first.is_some() {
            "after a signal: "
        } else {
            ""
        },
        seen.steps,
        seen.placed,
        seen.missed[0],
        seen.missed[1],
        seen.polite
    );
    let tried = ours.min(most);
    assert!(
        tried > 0 && seen.missed[0] * 20 <= tried,
        "of {tried} places too many were missed"
    );
    Some(seen)
}

#[test]
fn on_the_newest_go() {
    signals(Release::Newest);
}

#[test]
fn on_the_oldest_go() {
    signals(Release::Oldest);
}

/// The instructions of a call of the fixture's `hold` around Rust's own, before calls could become system calls: the stub, and the wrapper with two arguments
/// and a result.
const BEFORE: usize = 24;

/// That a call may become a system call costs at most two instructions as long as it does not, and --bare saves none.
#[test]
fn instructions_of_a_call() {
    let out = common::scratch();
    let program = go::program(Release::Newest, "placed", out.path());
    let counted = [
        ("registers", "Hold", "_hold"),
        ("bare", "HoldBare", "_hold_bare"),
    ];
    for (way, stub, wrapper) in counted {
        let bytes = std::fs::read(&program).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        let stub = format!("rsyso.test/polite.{stub}.abi0");
        let is_part =
            |name: &str| name == stub || name.starts_with("rsyso_") && name.ends_with(wrapper);
        let parts: Vec<Range<u64>> = file
            .symbols()
            .filter(|s| s.name().is_ok_and(is_part))
            .map(|s| s.address()..s.address() + s.size())
            .collect();
        assert_eq!(parts.len(), 2, "a stub and a wrapper: {parts:x?}");
        let mut traced = Traced::start(&program, way, Code::of(&program, way));
        assert_eq!(traced.until_mark(), Mark::Begins);
        let mut steps = 0;
        while let Some(pc) = traced.step() {
            steps += usize::from(parts.iter().any(|part| part.contains(&pc)));
        }
        println!("{way}: {steps} instructions, {BEFORE} before");
        assert!(steps <= BEFORE + 2, "{way}: {steps} instructions");
    }
}
