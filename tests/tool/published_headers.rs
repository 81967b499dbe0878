//! The headers that published crates ship are read without a word, with the files that they include, and their tagged unions and unions become types.

use std::path::Path;

use object::write::{Object, StandardSection, Symbol, SymbolSection};
use object::{Architecture, BinaryFormat, Endianness, SymbolFlags, SymbolKind, SymbolScope};
use rsyso::internals::base::options::Headers as Options;
use rsyso::internals::model::{Signatures, TypeKind};
use rsyso::internals::sig::header::Headers;
use rsyso::internals::sig::{Export, Parsed, Wanted, read};

use crate::common::registry::sources;

/// Crates of the registry with the header that they ship, and a function of it. What a header includes is in `include`, if it is not beside it.
const HEADERS: [(&str, &str, &str, &str); 7] = [
    ("rure", "0.2.5", "include/rure.h", "rure_compile_must"),
    ("quiche", "0.30.0", "include/quiche.h", "quiche_conn_send"),
    (
        "rustls-ffi",
        "0.15.7",
        "src/rustls.h",
        "rustls_connection_read",
    ),
    (
        "encoding_c",
        "0.9.8",
        "include/encoding_rs.h",
        "encoding_for_label",
    ),
    ("firewood-ffi", "0.3.1", "firewood.h", "fwd_batch"),
    // Macros make most of their declarations.
    (
        "wasmi_c_api_impl",
        "2.0.0",
        "include/wasmi.h",
        "wasm_functype_vec_new_uninitialized",
    ),
    (
        "wasmtime-c-api-impl",
        "50.0.1",
        "include/wasmtime.h",
        "wasm_module_as_ref",
    ),
];

/// How the header of a crate is to be read.
fn options(sources: &Path, header: &str) -> Options {
    let mut options = Options::default();
    options.files = vec![sources.join(header)];
    options.include_dirs = vec![sources.join("include")];
    // CMake writes that into a header of its own, which is not shipped.
    let features = "WASI WASI_HTTP GC THREADS COMPILER CACHE PARALLEL_COMPILATION COMPONENT_MODEL \
         COMPONENT_MODEL_ASYNC ASYNC POOLING_ALLOCATOR PROFILING COREDUMP WAT";
    let define = |feature| format!("WASMTIME_FEATURE_{feature}");
    options.defines = features.split_whitespace().map(define).collect();
    options
}

#[test]
fn are_read_without_a_word() {
    for (name, version, header, function) in HEADERS {
        let options = options(&sources(name, version), header);
        let headers = Headers::open(&options).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(
            format!("{headers:?}").contains(&format!("{function:?}")),
            "{name}: {function}"
        );
    }
}

/// What functions are by a header alone: a library without debug information defines them.
fn signatures(options: &Options, functions: &[&str]) -> Signatures {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let text = object.section_id(StandardSection::Text);
    let mut exports = Vec::new();
    for name in functions {
        let value = object.append_section_data(text, &[0xc3], 16);
        object.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value,
            size: 1,
            kind: SymbolKind::Text,
            scope: SymbolScope::Dynamic,
            weak: false,
            section: SymbolSection::Section(text),
            flags: SymbolFlags::None,
        });
        exports.push(Export {
            symbol: (*name).to_owned(),
            object: 0,
            section: 1,
            offset: value,
            is_static: false,
        });
    }
    let bytes = object.write().expect("an object");
    let object = rsyso::internals::sig::Object {
        name: "foo.o".into(),
        data: &bytes,
        rust: true,
    };
    let headers = Headers::open(options).unwrap_or_else(|e| panic!("{e}"));
    read(
        &[object],
        &Wanted::exports(&exports),
        &headers,
        &Parsed::default(),
        &[],
    )
    .unwrap_or_else(|e| panic!("{e}"))
}

#[track_caller]
fn kind<'a>(api: &'a Signatures, name: &str) -> &'a TypeKind {
    let mut types = api.types.iter();
    let def = types.find(|t| t.name == name);
    &def.unwrap_or_else(|| panic!("no {name}")).kind
}

#[test]
fn tagged_unions_of_firewood_are_sum_types() {
    let options = options(&sources("firewood-ffi", "0.3.1"), "firewood.h");
    let text = std::fs::read_to_string(&options.files[0]).expect("a header");
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '('));
    let mut functions: Vec<&str> = words
        .filter_map(|w| w.strip_prefix("fwd_").and(w.split_once('(')))
        .map(|(name, _)| name)
        .collect();
    functions.sort_unstable();
    functions.dedup();
    assert!(functions.len() > 30, "{functions:?}");
    let api = signatures(&options, &functions);
    assert_eq!(api.functions.len(), functions.len(), "all of them");
    let all = api.types.iter();
    let sums = all.filter(|t| matches!(t.kind, TypeKind::Sum { .. }));
    let sums: Vec<&str> = sums.map(|t| t.name.as_str()).collect();
    assert!(sums.len() > 15, "{sums:?}");
    let tags = text.matches("_Tag tag;").count();
    assert_eq!(sums.len(), tags, "{sums:?}");
    let TypeKind::Sum { variants, size, .. } = kind(&api, "ValueResult") else {
        panic!("{:?}", kind(&api, "ValueResult"));
    };
    let variants: Vec<_> = variants
        .iter()
        .map(|v| (v.name.as_str(), v.fields.len()))
        .collect();
    let want = [
        ("NullHandlePointer", 0),
        ("RevisionNotFound", 1),
        ("None", 0),
        ("Some", 1),
        ("Err", 1),
    ];
    assert_eq!((variants.as_slice(), *size), (want.as_slice(), 40));
}

#[test]
fn unions_of_wasmtime_are_unions() {
    let sources = sources("wasmtime-c-api-impl", "50.0.1");
    let options = options(&sources, "include/wasmtime.h");
    let functions = [
        "wasm_val_copy",
        "wasmtime_global_get",
        "wasmtime_global_set",
        "wasmtime_table_get",
        "wasmtime_val_clone",
    ];
    let api = signatures(&options, &functions);
    let TypeKind::Union {
        fields,
        size: 24,
        align: 8,
    } = kind(&api, "wasmtime_valunion_t")
    else {
        panic!("{:?}", kind(&api, "wasmtime_valunion_t"));
    };
    assert!(fields.iter().any(|f| f.name == "f64"));
    assert!(matches!(
        kind(&api, "wasm_val_t"),
        TypeKind::Struct { size: 16, .. }
    ));
    assert!(matches!(
        kind(&api, "wasm_val_t_of"),
        TypeKind::Union { size: 8, .. }
    ));
}
