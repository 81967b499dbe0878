//! `--names c`: all of the header has its name in Go, but for a first letter in upper case.

use rsyso::internals::model::{TypeDef, TypeKind};

use super::*;

/// As Go exports it.
fn raised(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_uppercase() + rest
}

#[test]
fn the_names_of_the_header_stay() {
    let dir = scratch();
    let header = source("contract.h");
    let options = ["-q", "--import-path", "rsyso.test/contract", "--names", "c"];
    let header = ["--header", header.to_str().unwrap()];
    for (name, library) in [
        ("debug", &library().full),
        ("stripped", &library().stripped),
    ] {
        let dir = dir.path().join(name);
        std::fs::create_dir(&dir).unwrap();
        convert(library, &dir, &[&options[..], &header].concat());
        let text = std::fs::read_to_string(dir.join("contract.go")).unwrap();
        let has = |what: &str| {
            let next = |c: char| c.is_alphanumeric() || c == '_';
            let mut found = text.match_indices(what);
            let found = found.any(|(at, _)| !text[at + what.len()..].starts_with(next));
            assert!(found, "{name}: no {what}");
        };
        let functions = HEADER.match_indices("contract_").filter_map(|(at, _)| {
            let rest = &HEADER[at..];
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
            rest[end..].starts_with('(').then(|| &rest[..end])
        });
        let count = functions.clone().count();
        assert!(count > 20, "{count}");
        functions.for_each(|f| has(&format!("func {}", raised(f))));
        for line in [
            // Enumerators, as C has them, and constants.
            "Slow Mode = 0",
            "Fast Mode = 5",
            "Down Shift = -300",
            "SHAPE_CORNERS = 4",
            "type Pair_u8 struct",
        ] {
            let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
            let spaced = text
                .lines()
                .map(|l| l.split_whitespace().collect::<Vec<_>>().join(" "));
            assert!(
                spaced.into_iter().any(|l| l.starts_with(&words)),
                "{name}: no {line}"
            );
        }
        assert!(!text.contains(") Close("), "{name}: a function is a method");
        std::fs::write(
            dir.join("go.mod"),
            "module rsyso.test/contract\n\ngo 1.21\n",
        )
        .unwrap();
        go::succeed(
            &mut go::command(Release::Oldest, &dir, false),
            &["vet", "./..."],
        );
    }
}

/// The types, but for what C calls variants, which a header alone tells.
pub(super) fn types(api: &Api) -> Vec<TypeDef> {
    let mut types = api.types().to_vec();
    for def in &mut types {
        if let TypeKind::Enum { variants, .. } | TypeKind::Sum { variants, .. } = &mut def.kind {
            variants.iter_mut().for_each(|v| v.in_c.clear());
        }
    }
    types
}
