//! CONTRIBUTING.md sends people to the right files.

use crate::common::root;

/// Each row of the table: its file, and what it says to look for there.
#[test]
fn the_map_is_true() {
    let text = std::fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let table = text.split("## Where to go").nth(1).unwrap();
    let table = table.split("\n## ").next().unwrap();
    let mut rows = 0;
    for line in table.lines().filter(|line| line.contains("| `")) {
        let words: Vec<_> = line.split('`').skip(1).step_by(2).collect();
        let [file, word] = words.as_slice() else {
            panic!("not one file and one word: {line}");
        };
        let code = std::fs::read_to_string(root().join(file));
        let code = code.unwrap_or_else(|e| panic!("{file}: {e}"));
        assert!(code.contains(word), "there is no `{word}` in {file}");
        rows += 1;
    }
    assert!(rows >= 7, "the table is gone");
}

/// "Only `src/base/files.rs` uses `std::fs`", tests aside, which stand at the end of a file or in one of their own.
#[test]
fn one_file_touches_the_file_system() {
    let mut folders = vec![root().join("src")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let tests = path.iter().any(|part| part == "tests") || name.ends_with("tests");
            if path.extension().is_none_or(|e| e != "rs")
                || tests
                || path.ends_with("base/files.rs")
            {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
            for (n, line) in code.lines().enumerate() {
                let code = line.split("//").next().unwrap();
                let used = code.contains("std::fs") || code.contains("use std::{");
                assert!(
                    !used,
                    "{}:{}: only src/base/files.rs touches the file system: ask it, or give it a function for this",
                    path.display(),
                    n + 1
                );
            }
            seen += 1;
        }
    }
    assert!(seen > 100, "the sources are elsewhere");
}
