//! Doc comments: `/** ... */`, `///`, and their kin of Doxygen.

use tree_sitter::Node;

/// The text of the doc comment that stands before a declaration, on lines of its own.
pub(super) fn before(node: Node<'_>, text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut below = node;
    while let Some(comment) = below.prev_sibling().filter(|n| n.kind() == "comment") {
        let own = comment.prev_sibling().is_none_or(|before| {
            before.end_position().row < comment.start_position().row
                || before.start_byte() == before.end_byte()
        });
        let near = comment.end_position().row + 1 >= below.start_position().row;
        let body = text.get(comment.byte_range()).unwrap_or_default();
        if !own || !near {
            break;
        }
        if let Some(line) = line(body) {
            lines.insert(0, line.to_owned());
            below = comment;
            continue;
        }
        if let (true, Some(block)) = (lines.is_empty(), block(body)) {
            lines = block.lines().map(|l| starless(l).to_owned()).collect();
        }
        break;
    }
    crate::sig::attributes::undented(lines)
}

/// The text of the doc comment that ends on the line above one (from 0) that is no declaration.
pub(super) fn above(text: &str, row: usize) -> String {
    let lines: Vec<&str> = text.lines().take(row).collect();
    let own = lines.iter().rev().map_while(|l| line(l.trim_start()));
    let mut found: Vec<String> = own.map(str::to_owned).collect();
    found.reverse();
    if found.is_empty() {
        let above = lines.join("\n");
        let above = above.trim_end_matches([' ', '\t', '\r']);
        let begins = above.rfind("/*").filter(|_| above.ends_with("*/"));
        let body = begins.and_then(|at| above.split_at_checked(at));
        // A comment that stands behind something else is of that.
        let alone = |before: &str| {
            before
                .rsplit('\n')
                .next()
                .is_none_or(|l| l.trim().is_empty())
        };
        if let Some((before, body)) = body
            && alone(before)
        {
            let inside = block(body).into_iter().flat_map(str::lines);
            found = inside.map(|l| starless(l).to_owned()).collect();
        }
    }
    crate::sig::attributes::undented(found)
}

/// `/// text` and `//! text`.
fn line(comment: &str) -> Option<&str> {
    let text = comment
        .strip_prefix("///")
        .or_else(|| comment.strip_prefix("//!"))?;
    (!text.starts_with(['/', '<'])).then(|| text.trim_end_matches('\r'))
}

/// The inside of `/** text */` and `/*! text */`.
fn block(comment: &str) -> Option<&str> {
    let text = comment
        .strip_prefix("/**")
        .or_else(|| comment.strip_prefix("/*!"))?;
    let text = text.strip_suffix("*/")?;
    (!text.starts_with(['*', '<'])).then_some(text)
}

/// A line of a block without the star that it begins with.
fn starless(line: &str) -> &str {
    let line = line.trim_end_matches('\r');
    line.trim_start().strip_prefix('*').unwrap_or(line)
}
