//! Small crates of every shape, as archives of a few kilobytes: what a library exports, and what of std is at hand, loaded or not.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::inputs::write_archive;
use super::process::run;

/// What a crate may hold. None of it needs an object of `core`.
const PIECES: &[(&str, &str)] = &[
    (
        "plain",
        "#[unsafe(no_mangle)] pub extern \"C\" fn plain(a: i32, b: i32) -> i32 { a.wrapping_add(b) }",
    ),
    (
        "callback",
        "#[unsafe(no_mangle)] pub extern \"C-unwind\" fn visit(n: u32, f: extern \"C-unwind\" fn(u32)) { let mut i = 0; while i != n { f(i); i += 1; } }",
    ),
    (
        "data",
        "#[unsafe(no_mangle)] pub unsafe extern \"C\" fn find(f: Option<unsafe extern \"C\" fn(*mut core::ffi::c_void, i64) -> bool>, data: *mut core::ffi::c_void) -> i64 {
            match f { Some(f) => { let mut i = 0; while i != 9 && !unsafe { f(data, i) } { i += 1; } i } None => -1 } }",
    ),
    (
        "structs",
        "#[repr(C)] #[derive(Clone, Copy)] pub struct Point { pub x: f64, pub y: f64, pub tag: Tag, pub name: [u8; 5] }
         #[repr(u8)] #[derive(Clone, Copy)] pub enum Tag { Low = 1, High = 200 }
         #[unsafe(no_mangle)] pub extern \"C\" fn swap(p: Point) -> Point { Point { x: p.y, y: p.x, ..p } }
         #[unsafe(no_mangle)] pub extern \"C\" fn shift(p: &mut Point, by: f32) -> bool { p.x += by as f64; p.x > 0.0 }",
    ),
    (
        "slices",
        "#[unsafe(no_mangle)] #[allow(improper_ctypes_definitions)] pub extern \"C\" fn longer<'a>(a: &'a str, b: &'a str) -> &'a str { if a.len() < b.len() { b } else { a } }
         #[unsafe(no_mangle)] pub unsafe extern \"C\" fn first(list: *const u16, list_len: usize) -> u16 { if list_len == 0 { 0 } else { unsafe { *list } } }",
    ),
    (
        "sums",
        "#[repr(C)] #[derive(Clone, Copy)] pub enum Reply { Number(f64), Flag { set: bool, times: u16 }, Silence }
         #[repr(u8)] #[derive(Clone, Copy)] pub enum Little { Half(u16) = 1, Both(bool, u32) = 5 }
         #[repr(C)] #[derive(Clone, Copy)] pub union Bits { pub real: f32, pub whole: u32 }
         #[unsafe(no_mangle)] pub extern \"C\" fn answer(r: Reply, b: Bits) -> Little {
            match r { Reply::Number(_) => Little::Half(7), Reply::Flag { set, times } => Little::Both(set, times as u32), Reply::Silence => Little::Half(unsafe { b.whole } as u16) } }",
    ),
    (
        "handle",
        "pub struct Meter { count: u64 }
         static mut METER: Meter = Meter { count: 0 };
         #[unsafe(no_mangle)] pub extern \"C\" fn meter_new() -> *mut Meter { &raw mut METER }
         #[unsafe(no_mangle)] pub unsafe extern \"C\" fn meter_add(meter: *mut Meter, n: u64) -> u64 { unsafe { (*meter).count = (*meter).count.wrapping_add(n); (*meter).count } }
         #[unsafe(no_mangle)] pub unsafe extern \"C\" fn meter_free(meter: *mut Meter) { unsafe { (*meter).count = 0 } }",
    ),
    (
        "tables",
        "trait Shape { fn corners(&self) -> u32; }
         struct Square; struct Line(u32);
         impl Shape for Square { fn corners(&self) -> u32 { 4 } }
         impl Shape for Line { fn corners(&self) -> u32 { self.0 } }
         static SHAPES: [&(dyn Shape + Sync); 2] = [&Square, &Line(2)];
         static NAMES: [&str; 2] = [\"square\", \"line\"];
         #[unsafe(no_mangle)] pub extern \"C-unwind\" fn corners(second: bool) -> u32 { SHAPES[second as usize].corners() }
         #[unsafe(no_mangle)] #[allow(improper_ctypes_definitions)] pub extern \"C\" fn named(second: bool) -> &'static str { NAMES[second as usize] }",
    ),
    (
        "waiting",
        "unsafe extern \"C\" { fn read(fd: i32, buf: *mut u8, count: usize) -> isize; }
         #[unsafe(no_mangle)] pub unsafe extern \"C\" fn wait(fd: i32) -> isize { let mut byte = 0; unsafe { read(fd, &mut byte, 1) } }",
    ),
    (
        "raising",
        "unsafe extern \"C-unwind\" { fn _Unwind_RaiseException(exception: *mut u64) -> i32; }
         #[unsafe(no_mangle)] pub unsafe extern \"C-unwind\" fn raise(exception: *mut u64) -> i32 { unsafe { _Unwind_RaiseException(exception) } }",
    ),
    (
        "wide",
        "#[unsafe(no_mangle)] #[allow(improper_ctypes_definitions)] pub extern \"C\" fn wide(a: u128) -> u128 { a }",
    ),
    (
        "missing",
        "unsafe extern \"C\" { fn nobody_has_this(n: i32) -> i32; }
         #[unsafe(no_mangle)] pub extern \"C\" fn needy(n: i32) -> i32 { unsafe { nobody_has_this(n) } }",
    ),
    ("private", "pub fn not_exported(n: u32) -> u32 { n ^ 1 }"),
];

/// Functions of std that rsyso looks for by their names, in an object that is loaded only when something needs it.
const STD: &str = "
    #[unsafe(export_name = \"_ZN3std9panicking13resume_unwind17h0123456789abcdefE\")] pub extern \"Rust\" fn resume(a: usize, b: usize) -> ! { loop { unsafe { _Unwind_RaiseException(&raw mut WORD) }; let _ = (a, b); } }
    #[unsafe(export_name = \"_ZN3std9panicking12catch_unwind7cleanup17h0123456789abcdefE\")] pub extern \"Rust\" fn cleanup(a: usize) -> usize { a }
    #[unsafe(export_name = \"_ZN4core9panicking19panic_cannot_unwind17h0123456789abcdefE\")] pub extern \"Rust\" fn cannot() -> ! { loop { unsafe { _Unwind_RaiseException(&raw mut WORD) }; } }
    #[unsafe(export_name = \"_ZN7___rustc14___rust_dealloc17h0123456789abcdefE\")] pub extern \"Rust\" fn free(_: usize, _: usize, _: usize) {}
    #[unsafe(no_mangle)] pub extern \"C\" fn rust_eh_personality() {}
    static mut WORD: u64 = 0;
    unsafe extern \"C-unwind\" { fn _Unwind_RaiseException(exception: *mut u64) -> i32; }";

/// One crate.
pub struct Shape {
    /// For messages, and the library's name.
    pub name: &'static str,
    /// The pieces that it holds.
    pieces: &'static [&'static str],
    /// Whether std's stand-in is at hand.
    std: bool,
    /// Whether debug sections are compressed.
    compressed: bool,
    /// Whether `convert` takes it.
    pub converts: bool,
    /// Whether `inspect` takes it.
    pub shows: bool,
}

const fn shape(name: &'static str, pieces: &'static [&'static str]) -> Shape {
    Shape {
        name,
        pieces,
        std: true,
        compressed: false,
        converts: true,
        shows: true,
    }
}

/// No exports, one, many; callbacks with std not loaded, loaded, not there; what cannot be converted.
pub const SHAPES: &[Shape] = &[
    Shape {
        converts: false,
        shows: false,
        ..shape("none", &["private"])
    },
    Shape {
        std: false,
        ..shape("one", &["plain"])
    },
    shape("callback", &["callback"]),
    Shape {
        std: false,
        ..shape("alone", &["callback"])
    },
    shape("raising", &["callback", "data", "raising"]),
    shape("structs", &["structs", "slices", "sums"]),
    shape("handle", &["handle", "tables"]),
    Shape {
        compressed: true,
        ..shape("small", &["structs", "slices", "handle"])
    },
    shape(
        "mixed",
        &[
            "plain", "data", "structs", "handle", "tables", "waiting", "private",
        ],
    ),
    Shape {
        converts: false,
        ..shape("wide", &["wide"])
    },
    Shape {
        converts: false,
        ..shape("missing", &["callback", "missing"])
    },
    Shape {
        converts: false,
        ..shape("both", &["wide", "missing", "slices"])
    },
];

impl Shape {
    /// Compiles the crate. Its archive has one member, or two.
    pub fn archive(&self, dir: &Path) -> Vec<u8> {
        let pieces = PIECES.iter().filter(|(name, _)| self.pieces.contains(name));
        let sources: Vec<&str> = pieces.map(|(_, source)| *source).collect();
        assert_eq!(
            sources.len(),
            self.pieces.len(),
            "{}: an unknown piece",
            self.name
        );
        let mut files = vec![object(dir, self.name, &sources.join("\n"))];
        if self.std {
            files.push(object(dir, "std", STD));
        }
        if self.compressed {
            let mut objcopy = Command::new("objcopy");
            objcopy.arg("--compress-debug-sections=zlib").arg(&files[0]);
            run(&mut objcopy, Duration::from_secs(60)).success();
        }
        let member = |file: &PathBuf| {
            let name = file.file_name().unwrap().to_str().unwrap();
            (name.to_owned(), std::fs::read(file).unwrap())
        };
        write_archive(&files.iter().map(member).collect::<Vec<_>>())
    }
}

/// Compiles a crate into one object, named as rustc names the members of archives.
fn object(dir: &Path, krate: &str, source: &str) -> PathBuf {
    let file = dir.join(format!("{krate}.rs"));
    let source = format!("#![no_std]\n#![allow(dead_code, static_mut_refs)]\n{source}\n");
    std::fs::write(&file, source).unwrap();
    let hash = "0123456789abcdef";
    let object = dir.join(format!("{krate}-{hash}.{krate}.{hash}-cgu.0.rcgu.o"));
    let mut rustc = Command::new("rustc");
    rustc
        .args(["--edition=2024", "--crate-type=lib", "-Copt-level=2"])
        .args(["-Cdebuginfo=full", "-Ccodegen-units=1"])
        .args(["--crate-name", krate, "--emit"])
        .arg(format!("obj={}", object.display()))
        .arg(&file)
        .current_dir(dir);
    run(&mut rustc, Duration::from_secs(120)).success();
    object
}
