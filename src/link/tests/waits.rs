//! Which functions can wait, on objects made by hand.

use super::build::{Obj, graph};
use super::{CALL, function, root};
use crate::analyse::waits::sources::{self, Why};
use crate::analyse::waits::{self, Wait};
use crate::arch::amd64::Amd64;
use crate::link::inputs::Inputs;
use crate::link::resolve;
use crate::link::symbols::is_mangled;
use crate::link::{SecRef, live};
use crate::read::{Bind, Def, Files, SymbolKind};
use ::object::elf::{R_X86_64_64, R_X86_64_PLT32};
use std::collections::BTreeSet;

/// The wait that `root` reaches. The runtime offers `names`.
fn wait(objs: &[Obj], names: &[&str]) -> Option<Wait> {
    let runtime: Vec<_> = names
        .iter()
        .map(|name| {
            let mut obj = function(&format!("{name}.rt.o"), name, 0xc3);
            obj.lazy = true;
            obj
        })
        .collect();
    let found = graph(objs, &runtime, |g| {
        let waits = waits::find(&g.inputs, &g.symbols, &g.live.sections, &Amd64);
        let sections = &g.inputs.object(0).sections;
        let sec = sections.iter().position(|s| s.name == ".text.root");
        let sec = sec.expect("the root") as u32;
        Ok(waits.of(&g.inputs, SecRef { obj: 0, sec }))
    });
    found.unwrap_or_else(|e| panic!("{e}"))
}

fn chain(objs: &[Obj], names: &[&str]) -> String {
    wait(objs, names).map_or(String::new(), |w| w.chain.join(" -> "))
}

/// A function that calls each of `names`.
fn caller(name: &str, names: &[&str]) -> Obj {
    let mut obj = Obj::new(&format!("{name}.o"));
    let code = obj.code(name, &CALL.repeat(names.len().max(1)));
    for (i, name) in names.iter().enumerate() {
        obj.reloc(code, 5 * i as u64 + 1, R_X86_64_PLT32, name, -4);
    }
    obj
}

#[test]
fn the_shortest_chain_to_the_system_call_is_told() {
    let objs = [
        root(&["far", "near"]),
        caller("far", &["further"]),
        caller("further", &["near", "strlen"]),
        caller("near", &["nanosleep"]),
    ];
    let wait = wait(&objs, &["nanosleep", "strlen"]).expect("a wait");
    assert_eq!(wait.why, Why::Sleep);
    assert_eq!(wait.chain, ["root", "near", "nanosleep"]);
}

#[test]
fn a_name_counts_only_where_the_runtime_is_meant() {
    assert_eq!(chain(&[root(&["read"])], &["read"]), "root -> read");
    assert_eq!(chain(&[root(&["strlen"])], &["strlen"]), "");
    // The library's own function of that name is looked into like any other.
    let own = [root(&["read"]), function("own.o", "read", 0x90)];
    assert_eq!(chain(&own, &["read"]), "");
}

#[test]
fn function_pointers_count_as_calls() {
    let glue = "_ZN4core3ptr30drop_in_place$LT$own..Slow$GT$17h0123456789abcdefE";
    let mut objs = [
        root(&["vtable"]),
        caller("slow", &["poll"]),
        function("glue.o", glue, 0x90),
        Obj::new("vtable.o"),
    ];
    let vtable = objs[3].data(".data.rel.ro.vtable", "vtable", &[0; 32]);
    objs[3].reloc(vtable, 24, R_X86_64_64, "slow", 0);
    let nameless = chain(&objs, &["poll"]);
    assert_eq!(
        nameless,
        "root -> function pointers in vtable -> slow -> poll"
    );
    objs[3].reloc(vtable, 0, R_X86_64_64, glue, 0);
    let named = chain(&objs, &["poll"]);
    assert_eq!(named, "root -> vtable of own::Slow -> slow -> poll");
}

#[test]
fn panics_the_allocator_and_the_like_are_not_looked_into() {
    let cut = [
        "_ZN4core9panicking9panic_fmt17h0123456789abcdefE",
        "_RNvNtCs1234_3std9panicking13panic_handler",
        "__rust_alloc",
        "_RNvCs1234_7___rustc12___rust_alloc",
    ];
    for name in cut {
        let objs = [root(&[name]), caller(name, &["write"])];
        assert_eq!(chain(&objs, &["write"]), "", "{name}");
    }
    // Its closure is what the library asked for.
    let caught = "_ZN3std9panicking12catch_unwind17h0123456789abcdefE";
    let objs = [root(&[caught]), caller(caught, &["write"])];
    assert_eq!(
        chain(&objs, &["write"]),
        "root -> std::panicking::catch_unwind -> write"
    );
}

/// mov edi, 202; mov edx, `operation`; call syscall
fn futex(operation: u8) -> Obj {
    let code = [&[0xbf, 0xca, 0, 0, 0, 0xba, operation, 0, 0, 0][..], &CALL];
    let mut obj = Obj::new("root.o");
    let at = obj.code("root", &code.concat());
    obj.reloc(at, 11, R_X86_64_PLT32, "syscall", -4);
    obj
}

#[test]
fn the_arguments_of_syscall_decide() {
    const WAIT: u8 = 0x80;
    const WAKE: u8 = 0x81;
    assert_eq!(chain(&[futex(WAIT)], &["syscall"]), "root -> futex");
    assert_eq!(chain(&[futex(WAKE)], &["syscall"]), "");
    // Nothing is known of this call.
    let unknown = wait(&[root(&["syscall"])], &["syscall"]).expect("a wait");
    assert_eq!(unknown.why, Why::Unknown);
}

#[test]
fn the_machines_own_instruction_is_seen() {
    let code = |number: u8| {
        let mut obj = Obj::new("root.o");
        // mov eax, number; syscall; ret
        obj.code("root", &[0xb8, number, 0, 0, 0, 0x0f, 0x05, 0xc3]);
        obj
    };
    assert_eq!(chain(&[code(35)], &[]), "root -> nanosleep");
    assert_eq!(chain(&[code(39)], &[]), "", "getpid");
}

#[test]
fn recursion_ends() {
    let objs = [root(&["f"]), caller("f", &["g"]), caller("g", &["f"])];
    assert_eq!(chain(&objs, &[]), "");
}

/// Parts of the runtime that are not looked into: locks that it holds for a moment, and its last words.
const MOMENTS: &[&str] = &[
    "rsyso_rt::sys::lock::",
    "rsyso_rt::sys::die::",
    // It starts a thread, and what sleeps is that thread. Its predecessor has only to end.
    "rsyso_rt::alloc::keeper::",
];

/// C functions of the runtime that make a call which can wait, but not for long, and so are none of the table's.
const SHORT: &[(&str, &[&str])] = &[
    (
        "prints the last words of a program that ends",
        &["_exit", "abort", "exit"],
    ),
    ("prints a line of a panic's report", &["rsyso_no_backtrace"]),
    (
        "waits on a thread of Rust's own, or for such threads, and in no call of Go's",
        &["rsyso_kept_hand_over", "rsyso_kept_next"],
    ),
    (
        "opens and reads files of /proc, /etc and time zones, which are always ready",
        &[
            "asctime_r",
            "clock",
            "clock_gettime",
            "ctime_r",
            "dl_iterate_phdr",
            "dladdr",
            "getauxval",
            "getgrgid_r",
            "getgrnam_r",
            "getpwnam_r",
            "getpwuid_r",
            "gettimeofday",
            "localtime",
            "localtime_r",
            "mktime",
            "pidfd_getpid",
            "pthread_getname_np",
            "pthread_setname_np",
            "secure_getenv",
            "strftime",
            "time",
            "timespec_get",
        ],
    ),
    (
        "opens nothing but folders, files that it makes, and shared memory",
        &["mkostemp", "mkstemp", "opendir", "shm_open"],
    ),
    (
        "opens a terminal, which is always ready",
        &["getpt", "posix_openpt"],
    ),
    (
        "takes a lock if it is free; those that wait for it share its code",
        &["mtx_trylock", "pthread_mutex_trylock"],
    ),
    (
        "waits for a child that could not be started and has ended",
        &["pidfd_spawnp", "posix_spawn", "posix_spawnp"],
    ),
    (
        "waits for what it would run itself, as `Once` does",
        &[
            "call_once",
            "pthread_once",
            "rsyso_enter",
            "rsyso_lane_slow",
            "rsyso_serve_copy",
        ],
    ),
    (
        "ends the program",
        &[
            "__assert_fail",
            "_exit",
            "abort",
            "exit",
            "rsyso_callback",
            "rsyso_callback_depart",
            "rsyso_kept_depart",
            "rsyso_panic_stuck",
        ],
    ),
    (
        "installs what runs on a fault, and does not call it",
        &["sigaction", "signal"],
    ),
    (
        "tells of a panic",
        &[
            "rsyso_panic_cannot_unwind",
            "rsyso_panic_caught",
            "rsyso_panic_landed",
            "rsyso_panic_payload",
            "rsyso_personality",
        ],
    ),
    (
        "makes a system call that is not read off, and none that waits",
        &["pthread_create", "sysconf", "thrd_create"],
    ),
    (
        "wakes others, of this process or of all",
        &["mtx_unlock", "pthread_mutex_unlock"],
    ),
    ("is looked at by its arguments", &["syscall"]),
];

#[test]
fn every_function_of_the_runtime_that_waits_is_in_the_table() {
    let bytes = crate::read::runtime::archive("amd64").expect("the runtime");
    let files = Files::from_bytes("rt", bytes.to_vec()).expect("files");
    let mut objects = crate::read::objects(&files).expect("objects");
    for object in &mut objects {
        object.lazy = false;
    }
    let inputs = Inputs {
        runtime_from: objects.len(),
        wrappers: None,
        objects,
    };
    let symbols = resolve::resolve(&inputs, &[], false).expect("symbols");
    let mut sections = Vec::new();
    for (obj, object) in inputs.objects.iter().enumerate() {
        for sec in 0..object.sections.len() as u32 {
            let obj = obj as u32;
            sections.push(SecRef { obj, sec });
        }
    }
    sections.retain(|at| {
        let name = live::describe(&inputs, *at);
        !MOMENTS.iter().any(|m| name.starts_with(m))
    });
    let waits = waits::find(&inputs, &symbols, &sections, &Amd64);

    let known = |name: &str| {
        let short = SHORT.iter().any(|(_, names)| names.contains(&name));
        short || sources::why(name, &[]).is_some()
    };
    let (mut gaps, mut seen) = (BTreeSet::new(), 0);
    for (obj, object) in inputs.objects.iter().enumerate() {
        let offered = object.symbols.iter().filter(|s| {
            s.bind != Bind::Local && s.kind == SymbolKind::Func && !is_mangled(&s.name)
        });
        for symbol in offered {
            let Def::Section(sec) = symbol.def else {
                continue;
            };
            let obj = obj as u32;
            let Some(wait) = waits.of(&inputs, SecRef { obj, sec }) else {
                continue;
            };
            seen += 1;
            if !known(&symbol.name) {
                gaps.insert(format!("{}: {}", symbol.name, wait.chain.join(" -> ")));
            }
        }
    }
    let gaps: Vec<_> = gaps.into_iter().collect();
    assert!(gaps.is_empty(), "not in the table:\n{}", gaps.join("\n"));
    assert!(seen > 50, "only {seen} functions of the runtime wait");
}
