//! From rustdoc's Markdown to Go doc comments.
//!
//! gofmt rewrites doc comments into a form of its own (go/doc/comment), so what is printed here must already have that form: blocks
//! apart by a blank line, code behind a tab, list items behind "  - " or " 1. ". Markdown has more than Go's syntax can
//! say; such things lose their markup, not their words.

use super::markdown::{Block, Reader};

/// The lines of a comment, without the slashes. Empty when the text is.
pub(super) fn lines(markdown: &str) -> Vec<String> {
    let clean = clean(markdown);
    let mut lines = Vec::new();
    let mut before: Option<Block> = None;
    for block in Reader::read(&clean) {
        if let Some(before) = &before {
            lines.push(String::new());
            if before.indented() && block.indented() {
                let bridge = match block {
                    Block::Code(_) => "In code:",
                    _ => "And:",
                };
                lines.extend([bridge.to_string(), String::new()]);
            }
        }
        print(&block, &mut lines);
        before = Some(block);
    }
    lines.into_iter().map(escaped).collect()
}

/// `+build` at the start of a line would be a build constraint to the go command.
fn escaped(line: String) -> String {
    let text = line.trim_start();
    match text.starts_with("+build") {
        true => format!("{}\\{text}", &line[..line.len() - text.len()]),
        false => line,
    }
}

/// Without what Go's scanner refuses (NUL, a byte order mark) and what could make a text look other than it is
/// (control characters, changes of writing direction).
fn clean(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .filter(|c| {
            !matches!(c, '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
        })
        .map(|c| match c {
            '\n' | '\t' => c,
            '\r' => '\n',
            '\u{2028}' | '\u{2029}' => ' ',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect()
}

fn print(block: &Block, lines: &mut Vec<String>) {
    match block {
        Block::Heading(text) => lines.push(format!("# {text}")),
        Block::Paragraph(text) => paragraph(text, lines),
        Block::Code(code) => print_code(code, lines),
        Block::List(items) => {
            for (number, text) in items {
                let mut marker = match number {
                    Some(n) => format!(" {n}. "),
                    None => "  - ".to_string(),
                };
                for line in item_lines(text) {
                    lines.push(format!("{marker}{line}"));
                    marker = "    ".to_string();
                }
            }
        }
    }
}

fn paragraph(text: &str, lines: &mut Vec<String>) {
    // Go takes a lone line that ends in a letter for a heading (go/doc/comment, isOldHeading).
    let stop = match !text.contains('\n') && text.ends_with(char::is_alphanumeric) {
        true => ".",
        false => "",
    };
    for line in format!("{text}{stop}").lines() {
        // Go takes a line like "[name]: https://..." for the definition of a link, and moves it.
        lines.push(match line.starts_with('[') {
            true => line.replace("]: ", "] : ").replace("]:\t", "] : "),
            false => line.to_string(),
        });
    }
}

fn print_code(code: &str, lines: &mut Vec<String>) {
    let code: Vec<&str> = code.lines().map(str::trim_end).collect();
    let full = |line: &&str| !line.is_empty();
    let first = code.iter().position(full).unwrap_or(0);
    let last = code.iter().rposition(full).map_or(0, |i| i + 1);
    let code = code.get(first..last).unwrap_or_default();
    let common = code
        .iter()
        .copied()
        .filter(full)
        .map(|line| &line[..line.len() - line.trim_start_matches([' ', '\t']).len()])
        .reduce(common_prefix)
        .unwrap_or_default();
    // A first line that looks like an item would make it a list.
    let fence = code.first().is_some_and(|line| is_item(line));
    if fence {
        lines.push("\t```".into());
    }
    for line in code {
        lines.push(match line.strip_prefix(common) {
            Some(rest) if !line.is_empty() => format!("\t{rest}"),
            _ => String::new(),
        });
    }
    if fence {
        lines.push("\t```".into());
    }
}

fn common_prefix<'a>(a: &'a str, b: &'a str) -> &'a str {
    let same = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    &a[..same]
}

/// The lines of an item, none of which looks like an item itself.
fn item_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match lines.last_mut() {
            Some(before) if is_item(line) => {
                before.push(' ');
                before.push_str(line);
            }
            _ => lines.push(line.to_string()),
        }
    }
    lines
}

/// What Go takes for the start of an item (go/doc/comment, listMarker).
fn is_item(line: &str) -> bool {
    let line = line.trim_start();
    let rest = match line.strip_prefix(['\u{2022}', '*', '+', '-']) {
        Some(rest) => rest,
        None => {
            let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
            match rest.strip_prefix(['.', ')']) {
                Some(after) if rest.len() < line.len() => after,
                _ => return false,
            }
        }
    };
    rest.starts_with([' ', '\t'])
}

/// One line of plain text: what would break a comment line is gone.
pub(super) fn line(text: &str) -> String {
    clean(text).replace(['\n', '\t'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn go(markdown: &str) -> String {
        crate::go::print::comment(&lines(markdown), "").join("\n")
    }

    #[test]
    fn markdown_becomes_a_go_doc_comment() {
        for (markdown, want) in [
            ("", ""),
            (" \n\n", ""),
            ("Adds.", "// Adds."),
            ("A lone line", "// A lone line."),
            ("Two\nlines", "// Two\n// lines"),
            ("# Safety\nNone.", "// # Safety\n//\n// None."),
            ("Setext\n===", "// # Setext"),
            (
                "Adds.\n\n# Examples\n\n```\nadd(1);\n```",
                "// Adds.\n//\n// In Rust:\n//\n//\tadd(1);",
            ),
            (
                "# Example\n\nSo:\n```text\n1\n```\n# Errors\n```\nx\n```",
                "// # Example\n//\n// So:\n//\n//\t1\n//\n// # Errors\n//\n//\tx",
            ),
            (
                "See [`Foo`] and [bar](crate::bar).",
                "// See `Foo` and bar.",
            ),
            ("`a[0]` is [0, 1).", "// `a[0]` is [0, 1)."),
            (
                "[x](https://y.z) <https://y.z>.",
                "// x (https://y.z) https://y.z.",
            ),
            ("*a* **b** `c`.", "// a b `c`."),
            (
                "a\n```\n  x\n\n    y\n```\nb.",
                "// a.\n//\n//\tx\n//\n//\t  y\n//\n// b.",
            ),
            (
                "```no_run\n# use x;\n#\na();\n  ## b\n#[c]\n```",
                "//\ta();\n//\t  # b\n//\t#[c]",
            ),
            ("```toml\n# x\n```", "//\t# x"),
            ("```\n- x\n```", "//\t```\n//\t- x\n//\t```"),
            ("- a\n- b\n  c", "//   - a\n//   - b\n//     c"),
            ("3. a\n4. b", "//  3. a\n//  4. b"),
            (
                "- a\n  ```\n  x\n  ```\n- b",
                "//   - a\n//\n// In code:\n//\n//\tx\n//\n// And:\n//\n//   - b",
            ),
            ("|a|b|\n|-|-|\n|1|2|", "//\t|a|b|\n//\t|-|-|\n//\t|1|2|"),
        ] {
            assert_eq!(go(markdown), want, "{markdown:?}");
        }
    }

    #[test]
    fn nothing_gets_out_of_the_comment_or_deceives() {
        for (markdown, want) in [
            ("+build linux.", "// \\+build linux."),
            ("```\n+build x\n```", "//\t\\+build x"),
            ("a\rfunc b.", "// a\n// func b."),
            ("a\0b\u{1b}c.", "// a b c."),
            ("\u{feff}a\u{202e}b.", "// ab."),
            ("a*/b.", "// a*/b."),
        ] {
            let got = go(markdown);
            assert!(got.lines().all(|l| l.starts_with("//")), "{got}");
            assert_eq!(got, want, "{markdown:?}");
        }
        assert_eq!(line("a\nb\tc\0"), "a b c ");
    }
}
