//! The parts of a doc comment in Markdown, as far as Go comments can have them.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// What stands in the place of a heading of examples that are in Rust.
pub(super) const IN_RUST: &str = "In Rust:";

/// A part of a doc comment.
#[derive(Debug, PartialEq)]
pub(super) enum Block {
    Paragraph(String),
    Heading(String),
    Code(String),
    /// Number and text of each item; no number for bullets.
    List(Vec<(Option<u64>, String)>),
}

impl Block {
    /// Go tells an indented block from the next by an unindented line alone.
    pub fn indented(&self) -> bool {
        matches!(self, Block::Code(_) | Block::List(_))
    }
}

/// Collects blocks from the events of the Markdown parser.
#[derive(Default)]
pub(super) struct Reader {
    blocks: Vec<Block>,
    /// The text of the block that is being read.
    text: String,
    /// Open lists, each with its next number.
    lists: Vec<Option<u64>>,
    /// Whether the next text begins an item.
    item_begins: bool,
    code: Option<String>,
    /// Whether the code is Rust, where rustdoc hides some lines.
    hides: bool,
    /// The heading of examples, if one is open: its place among the blocks.
    examples: Option<usize>,
    links: Vec<(usize, String)>,
}

impl Reader {
    pub fn read(markdown: &str) -> Vec<Block> {
        let mut reader = Reader::default();
        let events = Parser::new_ext(markdown, Options::ENABLE_TABLES).into_offset_iter();
        for (event, range) in events {
            // A table is shown as it was written.
            if let Event::Start(Tag::Table(_)) = event {
                reader.flush();
                let source = markdown.get(range).unwrap_or_default();
                reader.blocks.push(Block::Code(source.to_string()));
                reader.code = Some(String::new());
                continue;
            }
            reader.event(event);
        }
        reader.flush();
        merge(reader.blocks)
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::End(TagEnd::Table) => self.code = None,
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(t) => self.push(&t),
            Event::Code(t) if t.contains('`') => self.push(&t),
            Event::Code(t) => self.push(&format!("`{t}`")),
            Event::Html(t) | Event::InlineHtml(t) => self.push(&t),
            Event::SoftBreak | Event::HardBreak => self.push("\n"),
            Event::Rule => self.flush(),
            _ => {}
        }
    }

    fn push(&mut self, text: &str) {
        match &mut self.code {
            Some(code) => code.push_str(text),
            None => self.text.push_str(text),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::Heading { .. } | Tag::BlockQuote(_) | Tag::HtmlBlock => {
                self.flush()
            }
            Tag::CodeBlock(kind) => {
                self.flush();
                self.hides = match kind {
                    CodeBlockKind::Fenced(info) => is_rust(&info),
                    CodeBlockKind::Indented => true,
                };
                self.code = Some(String::new());
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push(first);
            }
            Tag::Item => {
                self.flush();
                self.item_begins = true;
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.links.push((self.text.len(), dest_url.into_string()));
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                let text = one_line(&self.text);
                self.text.clear();
                let examples = matches!(text.as_str(), "Example" | "Examples");
                self.examples = examples.then_some(self.blocks.len());
                if !text.is_empty() {
                    self.blocks.push(Block::Heading(text));
                }
            }
            TagEnd::CodeBlock => {
                if let Some(code) = self.code.take() {
                    if self.hides {
                        self.rust_example();
                    }
                    let shown = if self.hides { unhidden(&code) } else { code };
                    self.blocks.push(Block::Code(shown));
                }
            }
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
            }
            TagEnd::Item => {
                self.flush();
                if let Some(Some(number)) = self.lists.last_mut() {
                    *number = number.saturating_add(1);
                }
                self.item_begins = false;
            }
            TagEnd::Link | TagEnd::Image => self.end_link(),
            TagEnd::Paragraph | TagEnd::BlockQuote(_) | TagEnd::HtmlBlock => self.flush(),
            _ => {}
        }
    }

    /// Examples in Rust are none of the Go package: the heading says what they are instead.
    fn rust_example(&mut self) {
        let heading = self.examples.take();
        if let Some(block) = heading.and_then(|at| self.blocks.get_mut(at)) {
            *block = Block::Paragraph(IN_RUST.into());
        }
    }

    /// Shows where a link leads, if that is an address that says something outside of rustdoc.
    fn end_link(&mut self) {
        let Some((at, url)) = self.links.pop() else {
            return;
        };
        let shown = self.text.get(at..).unwrap_or_default();
        if self.code.is_none() && url.contains("://") && shown != url {
            self.text.push_str(&format!(" ({url})"));
        }
    }

    /// Ends the block that was being read.
    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        self.links.clear();
        let text = inline(&text);
        if text.is_empty() {
            return;
        }
        let Some(number) = self.lists.last() else {
            self.blocks.push(Block::Paragraph(text));
            return;
        };
        if std::mem::take(&mut self.item_begins) {
            self.blocks.push(Block::List(vec![(*number, text)]));
            return;
        }
        // A further paragraph of an item.
        match self.blocks.last_mut() {
            Some(Block::List(items)) => {
                if let Some((_, item)) = items.last_mut() {
                    item.push('\n');
                    item.push_str(&text);
                }
            }
            _ => self.blocks.push(Block::Paragraph(text)),
        }
    }
}

/// Whether rustdoc takes a code block with these words behind the fence for Rust.
fn is_rust(info: &str) -> bool {
    info.split([',', ' ']).all(|word| {
        matches!(
            word,
            "" | "rust" | "ignore" | "no_run" | "should_panic" | "compile_fail"
        ) || word.starts_with("edition")
    })
}

/// Without the lines that rustdoc hides: those that begin with `# `. Two signs stand for one.
fn unhidden(code: &str) -> String {
    let mut shown = String::new();
    for line in code.lines() {
        let text = line.trim_start();
        if text == "#" || text.starts_with("# ") {
            continue;
        }
        match text.starts_with("##") {
            true => shown.push_str(&line.replacen("##", "#", 1)),
            false => shown.push_str(line),
        }
        shown.push('\n');
    }
    shown
}

/// Joins items to lists, and code to code.
fn merge(blocks: Vec<Block>) -> Vec<Block> {
    let mut out: Vec<Block> = Vec::new();
    for block in blocks {
        match (out.last_mut(), block) {
            (Some(Block::List(items)), Block::List(more)) if kind(items) == kind(&more) => {
                items.extend(more);
            }
            (Some(Block::Code(code)), Block::Code(more)) => {
                code.push('\n');
                code.push_str(&more);
            }
            (_, Block::Code(code)) if code.trim().is_empty() => {}
            (_, block) => out.push(block),
        }
    }
    out
}

/// Whether a list is numbered.
fn kind(items: &[(Option<u64>, String)]) -> Option<bool> {
    items.first().map(|(number, _)| number.is_some())
}

/// The text of a paragraph: lines trimmed, intra-doc links without their brackets, quotes as gofmt has them.
fn inline(text: &str) -> String {
    let text = unbracket(text)
        .replace("``", "\u{201c}")
        .replace("''", "\u{201d}");
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines.join("\n")
}

fn one_line(text: &str) -> String {
    unbracket(text)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// [`Foo`] -> `Foo`
fn unbracket(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("[`") {
        out.push_str(before);
        match after.split_once('`') {
            Some((name, tail)) if tail.starts_with(']') && !name.contains('\n') => {
                out.push_str(&format!("`{name}`"));
                rest = tail.strip_prefix(']').unwrap_or(tail);
            }
            _ => {
                out.push_str("[`");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}
