//! docs/TUTORIAL.md as it stands: its commands are run in an empty folder, and must print what the page shows. So are those of other pages ([`follow`]).

use crate::common;
use std::path::Path;
use std::time::Duration;

use crate::common::process::run;
use crate::common::scaffold::script;

/// The one command that is left out: it would compile the tool again, and the tool under test is on PATH already.
const INSTALL: &str = "cargo install --locked --path .";

/// What a block prints ends with this line.
const END: &str = "=== end of block";

/// Commands of the page and the output that it shows, if it does.
struct Block {
    line: usize,
    commands: String,
    shown: Option<String>,
}

fn blocks(page: &str, name: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else {
            continue;
        };
        let inside: Vec<&str> = lines
            .by_ref()
            .map(|(_, l)| l)
            .take_while(|l| *l != "```")
            .collect();
        let text = inside.join("\n");
        match (kind, blocks.last_mut()) {
            ("sh", _) => blocks.push(Block {
                line: number + 1,
                commands: text,
                shown: None,
            }),
            ("text", Some(last)) if last.shown.is_none() => last.shown = Some(text),
            _ => panic!("{name}:{}: a block of no known kind", number + 1),
        }
    }
    blocks
}

/// Where numbers are sizes and times, which differ from run to run: the status lines of cargo, rsyso and `go test`.
fn masked(line: &str) -> String {
    let status = line.get(..12).is_some_and(|head| {
        head.starts_with(' ') && head.ends_with(|c: char| c.is_ascii_lowercase())
    });
    if !status && !line.starts_with("ok  \t") {
        return line.to_owned();
    }
    let mut out = String::new();
    for c in line.replace("(cached)", "0s").chars() {
        match c {
            '0'..='9' | '.' if out.ends_with('#') => {}
            '0'..='9' => out.push('#'),
            c => out.push(c),
        }
    }
    out
}

/// Whether what was printed is what is shown; a line `...` stands for any number of lines.
fn agrees(shown: &[&str], printed: &[&str]) -> bool {
    match (shown.split_first(), printed.split_first()) {
        (None, None) => true,
        (Some((&"...", rest)), _) => {
            (0..=printed.len()).any(|skipped| agrees(rest, &printed[skipped..]))
        }
        (Some((a, shown)), Some((b, printed))) => masked(a) == masked(b) && agrees(shown, printed),
        _ => false,
    }
}

#[test]
fn the_first_ten_minutes_go_as_the_page_says() {
    let page = std::fs::read_to_string(common::root().join("docs/TUTORIAL.md")).unwrap();
    assert!(blocks(&page, "docs/TUTORIAL.md").len() > 10);
    let tmp = tempfile::tempdir().unwrap();
    let home = tmp.path().canonicalize().unwrap();
    let left_out = follow(&page, "docs/TUTORIAL.md", &home, &[INSTALL]);
    assert_eq!(left_out, 1, "the page has the line `{INSTALL}` once");
    println!("left out: {INSTALL}");
}

/// Runs the commands of a page in a folder, which must print what it shows, but for some. Gives how many were left out.
#[track_caller]
pub fn follow(page: &str, name: &str, home: &Path, without: &[&str]) -> usize {
    let blocks = blocks(page, name);
    let mut text = String::from("exec 2>&1\n");
    let mut left_out = 0;
    for block in &blocks {
        for command in block.commands.lines() {
            if without.contains(&command) {
                left_out += 1;
            } else {
                text.push_str(command);
                text.push('\n');
            }
        }
        text.push_str(&format!("echo '{END}'\n"));
    }
    // Not stopped by a block that prints something else: the comparison shows more than an exit status would.
    let ran = run(&mut script(home, &text), Duration::from_secs(600));
    let printed = ran.stdout.replace(home.to_str().unwrap(), "/home/me");
    let end = format!("{END}\n");
    let mut outputs = printed.split(end.as_str());
    for block in &blocks {
        let output = outputs.next().unwrap_or_default();
        if let Some(shown) = &block.shown {
            assert!(
                agrees(
                    &shown.lines().collect::<Vec<_>>(),
                    &output.lines().collect::<Vec<_>>()
                ),
                "{name}:{}: the commands printed\n{output}",
                block.line
            );
        }
    }
    assert_eq!(
        outputs.next(),
        Some(""),
        "the script stopped early:\n{printed}"
    );
    ran.success();
    left_out
}

#[test]
fn outputs_are_compared_line_by_line() {
    let same = |shown: &str, printed: &str| {
        agrees(
            &shown.lines().collect::<Vec<_>>(),
            &printed.lines().collect::<Vec<_>>(),
        )
    };
    assert!(same("a\n...\nb", "a\nx\ny\nb") && same("...", "") && same("a\n...", "a"));
    assert!(!same("a\n...\nb", "a\nx") && !same("a", "a\nb") && !same("", "a"));
    let size = "     Reading libhello.a (21.9 MB, 320 members)";
    assert!(same(size, "     Reading libhello.a (22 MB, 9 members)"));
    assert!(!same(size, "     Reading liba.a (21.9 MB, 320 members)"));
    assert!(!same("2 words, 18 letters", "3 words, 18 letters"));
    assert!(same(
        "ok  \texample.com/m\t0.004s",
        "ok  \texample.com/m\t(cached)"
    ));
}
