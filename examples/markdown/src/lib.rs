//! Turns Markdown into HTML, by the comrak crate: CommonMark, and what GitHub adds to it.
//!
//! Texts must be valid UTF-8.
#![allow(improper_ctypes_definitions)] // rsyso knows the layout of `&str`.

use comrak::nodes::NodeValue;
use comrak::{Arena, parse_document};
use rsyso_ffi::OwnedString;

/// What is Markdown besides CommonMark, and how it is written.
///
/// The zero value is CommonMark, safe for text that strangers wrote: HTML in it and links such as `javascript:` are left out.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Options {
    /// Tables, as GitHub has them.
    pub tables: bool,
    /// `~~struck through~~`.
    pub strikethrough: bool,
    /// Addresses are links without being marked as such.
    pub autolinks: bool,
    /// Lists of `[ ]` things to do and `[x]` things done.
    pub task_lists: bool,
    /// Footnotes: `[^1]`, and `[^1]: text` elsewhere.
    pub footnotes: bool,
    /// GitHub's alerts: `> [!NOTE]`.
    pub alerts: bool,
    /// Mathematics: `$x$`, and `$$x$$` on a line of its own. It is marked for a script to draw.
    pub math: bool,
    /// Headings get an `id` and a link to themselves.
    pub heading_anchors: bool,
    /// Straight quotes, `--` and `...` become typographic ones.
    pub smart: bool,
    /// Line ends are line ends in HTML, too.
    pub hard_breaks: bool,
    /// HTML and all links are let through. Only for text that you trust.
    pub unsafe_html: bool,
}

impl Options {
    fn comrak(&self) -> comrak::Options<'static> {
        let mut options = comrak::Options::default();
        options.extension.table = self.tables;
        options.extension.strikethrough = self.strikethrough;
        options.extension.autolink = self.autolinks;
        options.extension.tasklist = self.task_lists;
        options.extension.footnotes = self.footnotes;
        options.extension.alerts = self.alerts;
        options.extension.math_dollars = self.math;
        options.extension.header_id_prefix = self.heading_anchors.then(String::new);
        options.parse.smart = self.smart;
        options.render.hardbreaks = self.hard_breaks;
        options.render.r#unsafe = self.unsafe_html;
        options
    }
}

/// Gives the options for what GitHub takes in its files: tables, strikethrough, autolinks, task lists, footnotes, alerts, mathematics
/// and headings with an id.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn git_hub() -> Options {
    Options {
        tables: true,
        strikethrough: true,
        autolinks: true,
        task_lists: true,
        footnotes: true,
        alerts: true,
        math: true,
        heading_anchors: true,
        ..Options::default()
    }
}

/// Writes a Markdown document as HTML.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn to_html(source: &str, options: Options) -> OwnedString {
    comrak::markdown_to_html(source, &options.comrak()).into()
}

/// Writes a Markdown document as Markdown again, in one style: what gofmt is for Go.
///
/// Lines are filled up to `width`, or left as they are if it is 0.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn format(source: &str, options: Options, width: usize) -> OwnedString {
    let mut options = options.comrak();
    options.render.width = width;
    comrak::markdown_to_commonmark(source, &options).into()
}

/// Gives the text of a document without any markup: for a search index, say. Each block is a line.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn plain_text(source: &str, options: Options) -> OwnedString {
    let arena = Arena::new();
    let root = parse_document(&arena, source, &options.comrak());
    let mut text = String::with_capacity(source.len());
    for node in root.descendants() {
        match &node.data.borrow().value {
            NodeValue::Text(t) => text.push_str(t),
            NodeValue::Code(code) => text.push_str(&code.literal),
            NodeValue::CodeBlock(block) => {
                end_line(&mut text);
                text.push_str(&block.literal);
            }
            NodeValue::SoftBreak | NodeValue::LineBreak => text.push(' '),
            value if value.block() => end_line(&mut text),
            _ => {}
        }
    }
    end_line(&mut text);
    text.into()
}

fn end_line(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}
