//! Writes the generated half of `fixtures/abi`, or tells that it is stale: `RSYSO_BLESS=1 cargo test --test tool abi_fixture::`.

mod print;

use std::path::Path;

/// Compares a generated file with the one on disk, or writes it.
#[track_caller]
fn current(path: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("RSYSO_BLESS").is_some() {
        std::fs::write(&path, text).expect("the fixture can be written");
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == text,
        "{} is stale: RSYSO_BLESS=1 cargo test --test tool abi_fixture::",
        path.display()
    );
}

#[test]
fn the_generated_half_of_the_fixture_is_current() {
    let fixture = super::abi_exec::signatures::fixture();
    let fixture = print::Printer(&fixture);
    current("fixtures/abi/src/generated.rs", &fixture.rust_source());
    current("fixtures/abi/go/generated_test.go", &fixture.go_source());
}
