//! What a header tells beside signatures: constants, and what is exported.

use super::{HEADER, MINUTES, library, source};
use crate::common::go::{self, Release};
use crate::common::process::run;
use crate::common::{convert, rsyso, scratch};
use std::process::Command;

/// Behind the header of the contract.
const MORE: &str = r#"
/** The largest number of items. */
#define CONTRACT_MAX_ITEMS 16
/// As a flag.
/// Not more.
#define CONTRACT_FLAG_BIG ((uint8_t)1 << 3)
#define CONTRACT_ALL (CONTRACT_FLAG_BIG | 0x1)
#define CONTRACT_MOVE 9 // the function has the short name
#define RATIO -1.5e-3
#define CONTRACT_TEXT "G" "\xc3\xbc\0\n\"te\"" /* a string */
#define LETTER 'x'
#define CONTRACT_LARGEST UINT64_MAX
#define CONTRACT_API extern
#define CONTRACT_CALL(x) (x)
#define _CONTRACT_INNER 1
#define CONTRACT_UNKNOWN (some_other + 1)
enum {
  /** Nameless. */
  CONTRACT_FIRST = 40,
  CONTRACT_SECOND,
};
/** An integer, and apart from it the names of its values. */
typedef int contract_code_t;
enum contract_code {
  CONTRACT_CODE_GOOD = 0,
  CONTRACT_CODE_BAD = -1,
};
#ifdef __cplusplus
#define CONTRACT_ONLY_CPP 1
#endif
#define CONTRACT_GONE 1
#undef CONTRACT_GONE
"#;

const TEST: &str = r#"package contract

import "testing"

const big uint64 = Largest

func TestConstants(t *testing.T) {
	var small uint8 = MaxItems
	if small != 16 || FlagBig != 8 || All != 9 || ContractMove != 9 || Ratio != -1.5e-3 || Letter != 120 {
		t.Error(small, FlagBig, All, ContractMove, Ratio, Letter)
	}
	if Text != "Gü\x00\n\"te\"" {
		t.Errorf("%q", Text)
	}
	if First != 40 || Second != 41 || CodeGood != 0 || CodeBad != -1 || big != 1<<64-1 {
		t.Error(First, Second, CodeGood, CodeBad, big)
	}
}
"#;

#[test]
fn constants_of_the_header_are_constants_in_go() {
    let dir = scratch();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let header = file("contract.h", &format!("{HEADER}{MORE}"));
    let header = ["--header", header.to_str().unwrap()];
    file("go.mod", "module rsyso.test/contract\n\ngo 1.21\n");
    file("constants_test.go", TEST);
    // From a header alone, and beside debug information.
    for library in [&library().stripped, &library().full] {
        convert(library, dir.path(), &[&["-q"], &header[..]].concat());
        let text = std::fs::read_to_string(dir.path().join("contract.go")).unwrap();
        for line in [
            "\t// The largest number of items.\n\tMaxItems = 16\n",
            "\t// As a flag.\n\t// Not more.\n\tFlagBig",
            "\t// Nameless.\n\tFirst ",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        for name in ["Inner", "Unknown", "OnlyCpp", "Gone", "Call ", "API "] {
            assert!(!text.contains(&format!("\t{name}")), "{name}\n{text}");
        }
        for release in [Release::Oldest, Release::Newest] {
            let test = ["test", "-count=1", "-run=TestConstants", "./..."];
            go::succeed(&mut go::command(release, dir.path(), false), &test);
        }
    }
}

/// Two names for one thing are told, as those of functions are.
#[test]
fn constants_whose_names_meet_are_told() {
    let dir = scratch();
    let header = dir.path().join("contract.h");
    std::fs::write(&header, format!("{HEADER}\n#define A_B 1\n#define a_b 2\n")).unwrap();
    let mut command = rsyso();
    command.arg("convert").arg(&library().stripped);
    command
        .arg("-o")
        .arg(dir.path())
        .arg("--header")
        .arg(&header);
    let ran = run(&mut command, MINUTES);
    assert_eq!(ran.failure(), 1);
    let want = "the constant `A_B` and the constant `a_b` have the same Go name, `AB`";
    assert!(ran.stderr.contains(want), "{}", ran.stderr);
}

/// Without the name of the compiler, and under names that rustc gives to no file, nothing tells whose crates the objects are: then the header does.
#[test]
fn what_is_exported_is_found_by_the_header() {
    let dir = scratch();
    let bare = dir.path().join("libcontract.a");
    let mut strip = Command::new("objcopy");
    strip.args(["--remove-section", ".comment"]);
    run(strip.arg(&library().stripped).arg(&bare), MINUTES).success();
    let mut bytes = std::fs::read(&bare).unwrap();
    let (old, new) = (b".rcgu.o", b".unit.o");
    let places: Vec<_> = memchr::memmem::find_iter(&bytes, old).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + new.len()].copy_from_slice(new);
    }
    std::fs::write(&bare, bytes).unwrap();
    let convert = |options: &[&str]| {
        let mut command = rsyso();
        command.arg("convert").arg(&bare).arg("-o").arg(dir.path());
        run(command.args(options), MINUTES)
    };
    let alone = convert(&[]);
    assert_eq!(alone.failure(), 1);
    assert!(alone.stderr.contains("exports no functions") && alone.stderr.contains("--header"));
    let header = source("contract.h");
    convert(&["--header", header.to_str().unwrap()]).success();
    let text = std::fs::read_to_string(dir.path().join("contract.go")).unwrap();
    for line in ["func (s *Store) Add(items []uint64)", "func Nothing()"] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}
