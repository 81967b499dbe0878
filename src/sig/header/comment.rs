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
    crate::sig::syntax::undented(lines)
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
