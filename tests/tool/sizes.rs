//! The sizes that `inspect` tells: do they add up to the image that `convert` writes, and do the object files say the same?

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use crate::common::converted::options;
use crate::common::process::run;
use crate::common::{archive, fixtures, rsyso, scratch};
use object::read::archive::ArchiveFile;
use object::{Object, ObjectSymbol, SymbolKind, elf};
use serde_json::Value;

fn json(arguments: &[&str], library: &Path) -> Value {
    let mut command = rsyso();
    command.args(arguments).arg("--json").arg(library);
    let ran = run(&mut command, Duration::from_secs(120)).success();
    serde_json::from_str(&ran.stdout).unwrap()
}

fn number(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap()
}

/// The sum of the kinds of an image, a crate or an item.
fn kinds(value: &Value) -> u64 {
    value["bytes"]
        .as_object()
        .unwrap()
        .values()
        .map(number)
        .sum()
}

/// An image holds what a shared object takes from libc, too, and is no larger than that; with backtraces it is.
#[test]
fn images_are_no_larger_than_shared_objects() {
    for fixture in ["panics", "text"] {
        let library = archive(fixture);
        let (plain, traced) = (
            json(&["inspect"], &library),
            json(&["inspect", "--backtrace"], &library),
        );
        let exports = list(&plain["exports"]).iter();
        let exports: Vec<&str> = exports.map(|e| text(e, "symbol")).collect();
        let dir = scratch();
        let map = format!("{{ global: {}; local: *; }};\n", exports.join("; "));
        std::fs::write(dir.path().join("exports.map"), map).unwrap();
        let mut ld = std::process::Command::new("ld");
        ld.args(["-shared", "--gc-sections", "-s", "-o", "native.so"]);
        ld.args(["--version-script", "exports.map"]);
        exports.iter().for_each(|e| _ = ld.args(["-u", e]));
        let ld = ld.arg(&library).current_dir(dir.path());
        run(ld, Duration::from_secs(60)).success();
        let native = std::fs::metadata(dir.path().join("native.so"))
            .unwrap()
            .len();
        let [plain, traced] = [plain, traced].map(|found| number(&found["image"]["size"]));
        assert!(plain <= native, "{fixture}: {plain} of {native}");
        assert!(
            plain + 200_000 <= traced,
            "{fixture}: {plain} and {traced} with backtraces"
        );
    }
}

#[test]
fn sizes_add_up_to_the_image_that_convert_writes() {
    for fixture in fixtures() {
        let library = archive(&fixture);
        let dir = scratch();
        let options = options(&fixture);
        let with = |words: &[&str]| {
            let more = options.iter().map(String::as_str);
            json(
                &words.iter().copied().chain(more).collect::<Vec<_>>(),
                &library,
            )
        };
        let made = with(&["convert", "-q", "-o", dir.path().to_str().unwrap()]);
        let found = with(&["inspect"]);
        let image = &found["image"];
        assert_eq!(image["size"], made["image_size"], "{fixture}");
        assert_eq!(kinds(image), number(&image["size"]), "{fixture}");
        let mut of_crates: BTreeMap<&str, u64> = BTreeMap::new();
        for item in list(&image["items"]) {
            assert_eq!(kinds(item), number(&item["size"]), "{fixture}: {item}");
            *of_crates.entry(text(item, "crate")).or_default() += number(&item["size"]);
        }
        for krate in list(&image["crates"]) {
            assert_eq!(kinds(krate), number(&krate["size"]), "{fixture}: {krate}");
            let items = of_crates.remove(text(krate, "name"));
            assert_eq!(items, Some(number(&krate["size"])), "{fixture}: {krate}");
        }
        assert!(of_crates.is_empty(), "{fixture}: {of_crates:?}");
        let crates: u64 = list(&image["crates"])
            .iter()
            .map(|c| number(&c["size"]))
            .sum();
        assert_eq!(crates, number(&image["size"]), "{fixture}");
        // The declarations are those of convert, to the letter.
        let go: Vec<_> = list(&found["exports"]).iter().map(|e| &e["go"]).collect();
        assert_eq!(
            go,
            list(&made["functions"]).iter().collect::<Vec<_>>(),
            "{fixture}"
        );
    }
}

/// Sizes of the functions of the archive by symbol, as the symbol tables of its members tell them (`nm -S`).
fn functions(library: &Path) -> BTreeMap<String, BTreeSet<u64>> {
    let bytes = std::fs::read(library).unwrap();
    let mut sizes: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for member in ArchiveFile::parse(&*bytes).unwrap().members() {
        let Ok(object) = object::File::parse(member.unwrap().data(&*bytes).unwrap()) else {
            continue;
        };
        for symbol in object
            .symbols()
            .filter(|s| s.is_definition() && s.kind() == SymbolKind::Text)
        {
            let size = sizes.entry(symbol.name().unwrap().to_owned()).or_default();
            size.insert(symbol.size());
        }
    }
    sizes
}

#[test]
fn the_symbol_tables_of_the_objects_say_the_same() {
    let library = archive("text");
    let sizes = functions(&library);
    let found = json(&["inspect"], &library);
    let mut ours: BTreeMap<&str, u64> = BTreeMap::new();
    let mut theirs: BTreeMap<&str, u64> = BTreeMap::new();
    for item in list(&found["image"]["items"]) {
        let code = item["bytes"]["code"].as_u64().unwrap_or(0);
        if code == 0 || !text(item, "place").starts_with("libtext.a(") {
            continue;
        }
        let symbol = match text(item, "symbol") {
            "" => text(item, "name"),
            symbol => symbol,
        };
        // Two local functions may have one name; then one of them is this one.
        let all = sizes
            .get(symbol)
            .unwrap_or_else(|| panic!("{symbol} is in no object"));
        let nearest = all.iter().min_by_key(|s| s.abs_diff(code)).unwrap();
        assert_eq!(*nearest, code, "{symbol}");
        *ours.entry(text(item, "crate")).or_default() += code;
        *theirs.entry(text(item, "crate")).or_default() += nearest;
    }
    assert!(ours.len() > 15, "{ours:?}");
    assert_eq!(ours, theirs);
    for krate in list(&found["image"]["crates"]) {
        if let Some(code) = ours.get(text(krate, "name")) {
            assert_eq!(number(&krate["bytes"]["code"]), *code, "{krate}");
        }
    }
}

/// The crate of a member, as rustc names it: `regex-0123456789abcdef.regex.cgu.o`.
fn crate_of(member: &str) -> &str {
    member.split(['-', '.']).next().unwrap()
}

#[test]
fn code_lies_with_the_crate_that_its_object_was_made_for() {
    // Generic code is made in the objects of whoever uses it. These crates have little of it, so nearly all that is told to them must
    // come from their own objects.
    let found = json(&["inspect"], &archive("text"));
    let mut own: BTreeMap<&str, [u64; 2]> = BTreeMap::new();
    for item in list(&found["image"]["items"]) {
        let place = text(item, "place");
        let Some(member) = place.strip_prefix("libtext.a(") else {
            continue;
        };
        let code = item["bytes"]["code"].as_u64().unwrap_or(0);
        let at_home = crate_of(member) == text(item, "crate");
        own.entry(text(item, "crate")).or_default()[usize::from(at_home)] += code;
    }
    for krate in ["itoa", "regex_automata", "regex_syntax", "text", "zmij"] {
        let [elsewhere, at_home] = own[krate];
        assert!(at_home > 10 * elsewhere, "{krate}: {at_home}, {elsewhere}");
    }
}

#[test]
fn every_chain_leads_from_a_root() {
    let found = json(&["inspect"], &archive("text"));
    let items = list(&found["image"]["items"]);
    let exports: BTreeSet<_> = list(&found["exports"])
        .iter()
        .map(|e| text(e, "symbol"))
        .collect();
    let mut longest = 0;
    for item in items {
        let (mut at, mut length) = (item, 1);
        while let Some(by) = at["kept_by"].as_u64() {
            assert_eq!(text(at, "root"), "", "{at}");
            (at, length) = (&items[by as usize], length + 1);
            assert!(length <= items.len(), "{item} is its own keeper");
        }
        assert_ne!(text(at, "root"), "", "{at}");
        longest = longest.max(length);
    }
    assert!(longest > 5, "{longest}");
    // Each export is kept by its wrapper.
    for export in exports {
        let item = items.iter().find(|i| i["name"] == export).unwrap();
        let by = item["kept_by"].as_u64().expect("a wrapper");
        assert_eq!(
            text(&items[by as usize], "name"),
            format!("wrapper of {export}")
        );
    }
}

/// Two C functions and a variable in one section each, as a compiler makes them without -ffunction-sections.
fn c_object() -> Vec<u8> {
    use object::write::{Object, StandardSection, Symbol, SymbolSection};
    let mut o = Object::new(
        object::BinaryFormat::Elf,
        object::Architecture::X86_64,
        object::Endianness::Little,
    );
    let code = o.section_id(StandardSection::Text);
    let data = o.section_id(StandardSection::Data);
    o.append_section_data(code, &[0xc3; 48], 16);
    o.append_section_data(data, &[7; 24], 8);
    let mut add = |name: &str, section, value, size, kind| {
        o.add_symbol(Symbol {
            name: name.into(),
            value,
            size,
            kind,
            scope: object::SymbolScope::Dynamic,
            weak: false,
            section: SymbolSection::Section(section),
            flags: object::SymbolFlags::None,
        });
    };
    add("c_one", code, 0, 16, SymbolKind::Text);
    add("c_two", code, 16, 32, SymbolKind::Text);
    add("c_data", data, 8, 16, SymbolKind::Data);
    o.write().unwrap()
}

#[test]
fn c_code_is_told_by_member() {
    let dir = scratch();
    let object = dir.path().join("one.o");
    std::fs::write(&object, c_object()).unwrap();
    let header = dir.path().join("one.h");
    std::fs::write(&header, "void c_one(void);\n").unwrap();
    let found = json(
        &[
            "inspect",
            "--export",
            "c_one",
            "--header",
            header.to_str().unwrap(),
        ],
        &object,
    );
    let items = list(&found["image"]["items"]);
    let of = |name: &str| items.iter().find(|i| i["name"] == name);
    let (one, two) = (of("c_one").unwrap(), of("c_two").unwrap());
    assert_eq!((text(one, "crate"), text(one, "module")), ("C", "one.o"));
    assert_eq!(
        [number(&one["bytes"]["code"]), number(&two["bytes"]["code"])],
        [16, 32]
    );
    // It is there because it lies in one section with the other.
    let by = number(&two["kept_by"]) as usize;
    assert_eq!(items[by]["name"], "c_one");
    assert!(of("c_data").is_none(), "nothing refers to it");
}

#[test]
fn options_mean_what_they_mean_to_convert() {
    let library = archive("text");
    let options = [
        "--package",
        "words",
        "--trim-prefix",
        "text_json_",
        "--export",
        "text_json_*",
        "--blocking",
        "text_json_sum",
    ];
    let mut arguments = vec!["inspect"];
    arguments.extend(options);
    let found = json(&arguments, &library);
    assert_eq!(found["package"], "words");
    let dir = scratch();
    let mut arguments = vec!["convert", "-q", "-o", dir.path().to_str().unwrap()];
    arguments.extend(options);
    let made = json(&arguments, &library);
    assert_eq!(found["image"]["size"], made["image_size"]);
    let go: Vec<_> = list(&found["exports"])
        .iter()
        .map(|e| text(e, "go"))
        .collect();
    assert_eq!(
        go,
        list(&made["functions"])
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
    );
    assert!(go.contains(&"func Sum(json string) float64"), "{go:?}");
    let declared: Vec<_> = list(&found["exports"])
        .iter()
        .filter(|e| e["declared"] == true)
        .collect();
    assert_eq!(declared.len(), 1);
    assert_eq!(text(declared[0], "symbol"), "text_json_sum");
    // Everything that the Go file declares for others is in the API.
    let written = std::fs::read_to_string(dir.path().join("text.go")).unwrap();
    for declaration in list(&found["api"]) {
        let text = text(declaration, "text");
        assert!(written.contains(text), "{text}");
    }
    assert!(list(&found["api"]).len() > go.len());
}

/// Globs about exports that cannot be converted are no mistake of the user's; those about nothing are.
#[test]
fn globs_may_be_about_what_cannot_be_converted() {
    let dir = scratch();
    let source = "
        pub enum Loose { One(u8), Two(u64) }
        #[unsafe(no_mangle)] pub extern \"C\" fn listen_loose(f: extern \"C\" fn(*mut u8), user: *mut u8, loose: Loose) { f(user); drop(loose) }
        #[unsafe(no_mangle)] pub extern \"C\" fn watch(f: extern \"C\" fn(*mut core::ffi::c_void), user: *mut core::ffi::c_void) { f(user) }
        #[unsafe(no_mangle)] pub extern \"C\" fn length(text: *const core::ffi::c_char) -> bool { text.is_null() }";
    std::fs::write(dir.path().join("odd.rs"), source).unwrap();
    let mut rustc = std::process::Command::new("rustc");
    rustc.args([
        "--edition=2024",
        "--crate-type=staticlib",
        "-O",
        "-g",
        "odd.rs",
    ]);
    run(rustc.current_dir(dir.path()), Duration::from_secs(120)).success();
    let library = dir.path().join("libodd.a");
    let globs = [
        "--keeps",
        "*",
        "--cstr",
        "length",
        "--blocking",
        "listen*",
        "--trust",
        "*",
    ];
    let found = json(&[&["inspect"], &globs[..]].concat(), &library);
    let go: Vec<_> = list(&found["exports"])
        .iter()
        .map(|e| text(e, "go"))
        .collect();
    let want = [
        "func Length(text string) bool",
        "",
        "func Watch(f *WatchFunc)",
    ];
    assert_eq!(go, want);
    for glob in [
        ["--keeps", "length"],
        ["--keeps", "none"],
        ["--cstr", "watch"],
    ] {
        let mut inspect = rsyso();
        let ran = run(
            inspect.arg("inspect").args(glob).arg(&library),
            Duration::from_secs(60),
        );
        assert_eq!(ran.failure(), 1);
        let told = format!("{} {}:", glob[0], glob[1]);
        assert!(ran.stderr.contains(&told), "{}", ran.stderr);
    }
}

#[test]
fn without_an_image_there_is_a_reason() {
    let dir = scratch();
    let object = dir.path().join("odd.o");
    let mut bytes = object::write::Object::new(
        object::BinaryFormat::Elf,
        object::Architecture::X86_64,
        object::Endianness::Little,
    );
    let code = bytes.section_id(object::write::StandardSection::Text);
    bytes.append_section_data(code, &[0xe8, 0, 0, 0, 0, 0xc3], 16);
    let symbol = |name: &str, section, kind| object::write::Symbol {
        name: name.into(),
        value: 0,
        size: 0,
        kind,
        scope: object::SymbolScope::Dynamic,
        weak: false,
        section,
        flags: object::SymbolFlags::None,
    };
    bytes.add_symbol(symbol(
        "odd",
        object::write::SymbolSection::Section(code),
        SymbolKind::Text,
    ));
    let nowhere = bytes.add_symbol(symbol(
        "nowhere",
        object::write::SymbolSection::Undefined,
        SymbolKind::Unknown,
    ));
    let call = object::write::Relocation {
        offset: 1,
        symbol: nowhere,
        addend: -4,
        flags: object::RelocationFlags::Elf {
            r_type: elf::R_X86_64_PLT32,
        },
    };
    bytes.add_relocation(code, call).unwrap();
    std::fs::write(&object, bytes.write().unwrap()).unwrap();
    let header = dir.path().join("odd.h");
    std::fs::write(&header, "void odd(void);\n").unwrap();
    let found = json(
        &[
            "inspect",
            "--export",
            "odd",
            "--header",
            header.to_str().unwrap(),
        ],
        &object,
    );
    assert_eq!(found["image"], Value::Null);
    assert_eq!(found["exports"][0]["stack_bytes"], Value::Null);
    let obstacles = list(&found["obstacles"]);
    assert!(
        obstacles
            .iter()
            .any(|o| o.as_str().unwrap().contains("nowhere")),
        "{obstacles:?}"
    );
    assert_eq!(found["missing"][0]["name"], "nowhere");
}

/// Kept sections hold as many bytes as the items' own kinds, since neither pools nor padding are counted twice.
#[test]
fn kept_code_is_counted_once() {
    let found = json(&["inspect"], &archive("data"));
    let code: u64 = list(&found["image"]["items"])
        .iter()
        .filter_map(|i| i["bytes"]["code"].as_u64())
        .sum();
    assert_eq!(code, number(&found["sizes"]["code"]));
}
