//! Prints what `inspect` found, for people.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::path::Path;

use crate::base::report::{self, Bytes, Group, Image, Inspection, Item, below, bytes};

/// Members with C code that are listed.
const MEMBERS: usize = 5;

/// Characters of a name that are shown in the list of pieces: generic arguments can go on for lines.
const NAME: usize = 64;

/// An inspection as text.
pub struct Text<'a> {
    /// What was found.
    pub found: &'a Inspection,
    /// Sources below this folder are shown relative to it.
    pub folder: &'a Path,
    /// How many functions are listed; `--json` has them all.
    pub top: usize,
}

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let found = self.found;
        write!(f, "library {} for {}", found.library, found.target)?;
        if !found.rustc.is_empty() {
            write!(f, ", rustc {}", found.rustc)?;
        }
        writeln!(f)?;
        exports(f, found, self.folder)?;
        waits(f, found)?;
        unsupported(f, found, self.folder)?;
        missing(f, found)?;
        api(f, found)?;
        image(f, found, self.top)
    }
}

fn exports(f: &mut Formatter<'_>, found: &Inspection, folder: &Path) -> fmt::Result {
    writeln!(f, "\nexports: {}", found.exports.len())?;
    let rows = found.exports.iter().map(|e| {
        let go = if e.unsupported.is_empty() {
            &e.go
        } else {
            "(not supported)"
        };
        [
            e.symbol.clone(),
            e.stack.clone(),
            match (e.declared, &e.wait) {
                (Some(true), _) => "declared",
                (_, Some(_)) => "yes",
                _ => "-",
            }
            .to_string(),
            bytes(e.size_own),
            bytes(e.size_reach),
            e.source
                .as_deref()
                .map_or("-", |s| below(s, folder))
                .to_string(),
            go.to_string(),
        ]
    });
    table(
        f,
        [
            "SYMBOL", "STACK", "BLOCKS", "OWN", "REACHES", "SOURCE", "GO",
        ],
        [3, 4, 4],
        rows.collect(),
    )?;

    // The same reason holds for many: it is told once.
    let mut reasons: Vec<(String, &str, usize)> = Vec::new();
    for e in found.exports.iter().filter(|e| !e.why.is_empty()) {
        let bound = e.stack_bytes.map(bytes);
        let bound = bound.map_or_else(String::new, |b| format!(" with a stack of {b}"));
        let stack = format!("{}{bound}", e.stack);
        match reasons.iter_mut().find(|r| (&r.0, r.1) == (&stack, &e.why)) {
            Some(reason) => reason.2 += 1,
            None => reasons.push((stack, &e.why, 1)),
        }
    }
    for (stack, why, count) in reasons {
        writeln!(f, "  {stack}, {}: {why}", report::count(count, "export"))?;
    }
    Ok(())
}

fn waits(f: &mut Formatter<'_>, found: &Inspection) -> fmt::Result {
    let waits = found
        .exports
        .iter()
        .filter_map(|e| Some((e, e.wait.as_ref()?)));
    let waits: Vec<_> = waits.collect();
    if waits.is_empty() {
        return Ok(());
    }
    writeln!(f, "\ncan block: {}", waits.len())?;
    for (export, wait) in waits {
        writeln!(f, "  {} can {}", export.symbol, wait.why)?;
        writeln!(f, "    by {}", wait.chain.join(" -> "))?;
    }
    Ok(())
}

fn unsupported(f: &mut Formatter<'_>, found: &Inspection, folder: &Path) -> fmt::Result {
    let all = || found.exports.iter().filter(|e| !e.unsupported.is_empty());
    if all().next().is_none() {
        return Ok(());
    }
    writeln!(f, "\nnot supported: {}", all().count())?;
    for e in all() {
        writeln!(
            f,
            "  {}",
            if e.rust.is_empty() {
                &e.symbol
            } else {
                &e.rust
            }
        )?;
        if let Some(source) = &e.source {
            writeln!(f, "    --> {}", below(source, folder))?;
        }
        for reason in &e.unsupported {
            writeln!(f, "    {}", reason.replace('\n', "\n    "))?;
        }
    }
    Ok(())
}

fn missing(f: &mut Formatter<'_>, found: &Inspection) -> fmt::Result {
    if found.missing.is_empty() {
        return Ok(());
    }
    writeln!(f, "\nmissing: {}", found.missing.len())?;
    for m in &found.missing {
        writeln!(f, "  {}", m.name)?;
        for place in &m.needed_by {
            writeln!(f, "    needed by {place}")?;
        }
        if !m.chain.is_empty() {
            writeln!(f, "    reached by {}", m.chain.join(" -> "))?;
        }
    }
    Ok(())
}

/// The declarations that belong to no export: types, constants, methods.
fn api(f: &mut Formatter<'_>, found: &Inspection) -> fmt::Result {
    let of_exports = |text: &str| found.exports.iter().any(|e| e.go == text);
    let rest = || found.api.iter().filter(|d| !of_exports(&d.text));
    if rest().next().is_none() {
        return Ok(());
    }
    writeln!(
        f,
        "\ntypes, constants and methods of package {}:",
        found.package
    )?;
    for declaration in rest() {
        writeln!(f, "  {}", declaration.text.replace('\n', "\n  "))?;
    }
    Ok(())
}

fn image(f: &mut Formatter<'_>, found: &Inspection, top: usize) -> fmt::Result {
    let Some(image) = &found.image else {
        writeln!(f, "\nimage: none")?;
        let mut obstacles = found.obstacles.iter();
        return obstacles.try_for_each(|o| writeln!(f, "  {}", o.replace('\n', "\n  ")));
    };
    let kinds = image.bytes.kinds();
    let kinds = kinds.iter().filter(|(_, n)| *n > 0);
    let kinds: Vec<_> = kinds.map(|(k, n)| format!("{k} {}", bytes(*n))).collect();
    writeln!(f, "\nimage: {}: {}", bytes(image.size), kinds.join(", "))?;
    writeln!(
        f,
        "  {} of {} sections kept, from {}:",
        found.kept.len(),
        found.kept.len() + found.dropped,
        report::count(image.crates.len(), "crate")
    )?;
    let row = |size: u64, code: u64, name: String| {
        let share = percent(size, image.size);
        [bytes(size), share, bytes(code), name]
    };
    let rows = image.crates.iter().flat_map(|c| {
        let members = match c.group {
            Group::C => members(image, &c.name),
            _ => Vec::new(),
        };
        let members = members
            .into_iter()
            .map(|(name, m)| row(m.total(), m.code, format!("  {name}")));
        std::iter::once(row(c.size, c.bytes.code, c.name.clone())).chain(members)
    });
    table(f, ["SIZE", "", "CODE", "CRATE"], [0, 1, 2], rows.collect())?;
    // What the linker makes is told by kind already.
    let made = |i: &&Item| i.bytes.tables + i.bytes.padding == 0;
    let items: Vec<_> = image.items.iter().filter(made).collect();
    let rows = items.iter().take(top).map(|i| {
        [
            bytes(i.size),
            percent(i.size, image.size),
            bytes(i.bytes.code),
            i.krate.clone(),
            cut(&i.name),
        ]
    });
    if top > 0 {
        writeln!(
            f,
            "\nthe largest {} of {} functions and variables, each with its constants, unwind tables and name:",
            top.min(items.len()),
            items.len()
        )?;
    }
    table(
        f,
        ["SIZE", "", "CODE", "CRATE", "NAME"],
        [0, 1, 2],
        rows.collect(),
    )
}

/// The largest members of the archive that hold C code.
fn members<'a>(image: &'a Image, c: &str) -> Vec<(&'a str, Bytes)> {
    let mut found: BTreeMap<&str, Bytes> = BTreeMap::new();
    for item in image.items.iter().filter(|i| i.krate == c) {
        *found.entry(&item.module).or_default() += item.bytes;
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_by_key(|(_, bytes)| std::cmp::Reverse(bytes.total()));
    found.truncate(MEMBERS);
    found
}

fn percent(part: u64, whole: u64) -> String {
    format!("{:.1}%", part as f64 * 100.0 / whole.max(1) as f64)
}

/// The beginning of a long name.
fn cut(name: &str) -> String {
    match name.char_indices().nth(NAME) {
        Some((at, _)) => format!("{}...", &name[..at]),
        None => name.to_string(),
    }
}

/// Columns two blanks apart; those of `right` are right-aligned. The last one is not padded.
fn table<const N: usize>(
    f: &mut Formatter<'_>,
    head: [&str; N],
    right: [usize; 3],
    rows: Vec<[String; N]>,
) -> fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = std::iter::once(head.map(String::from))
        .chain(rows)
        .collect();
    let width = |column: usize| {
        rows.iter()
            .map(|r| r[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    for row in &rows {
        let mut line = String::from(" ");
        for (column, cell) in row.iter().enumerate() {
            let width = widths[column];
            line += &if right.contains(&column) {
                format!(" {cell:>width$} ")
            } else {
                format!(" {cell:<width$} ")
            };
        }
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::report::{
        Bytes, CrateSize, GoDeclaration, Image, InspectedExport, Kept, Missing, Wait,
    };

    fn export(symbol: &str, go: &str, unsupported: &[&str]) -> InspectedExport {
        InspectedExport {
            symbol: symbol.into(),
            go: go.into(),
            rust: format!("fn {symbol}()"),
            source: Some("/home/me/text/src/lib.rs:12".into()),
            stack: "lane".into(),
            why: "it calls through pointers".into(),
            stack_bytes: Some(8_289_088),
            size_own: 120,
            size_reach: 310_200,
            unsupported: unsupported.iter().map(|s| s.to_string()).collect(),
            ..InspectedExport::default()
        }
    }

    fn image() -> Image {
        let item = |name: &str, krate: &str, bytes: Bytes| Item {
            name: name.into(),
            krate: krate.into(),
            size: bytes.total(),
            bytes,
            ..Item::default()
        };
        let krate = |i: &Item| CrateSize {
            name: i.krate.clone(),
            size: i.size,
            bytes: i.bytes,
            items: 1,
            ..CrateSize::default()
        };
        let regex = Bytes {
            code: 2500,
            names: 36,
            unwind: 120,
            ..Bytes::default()
        };
        let tables = Bytes {
            tables: 1200,
            ..Bytes::default()
        };
        let own = Bytes {
            code: 120,
            rodata: 8,
            ..Bytes::default()
        };
        let items = vec![
            item("regex::exec", "regex", regex),
            item("header", "rsyso", tables),
            item("text::count_words", "text", own),
        ];
        let mut bytes = Bytes::default();
        items.iter().for_each(|i| bytes += i.bytes);
        Image {
            size: bytes.total(),
            bytes,
            crates: items.iter().map(krate).collect(),
            items,
        }
    }

    fn text(found: &Inspection) -> String {
        let folder = Path::new("/home/me/text");
        Text {
            found,
            folder,
            top: 20,
        }
        .to_string()
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(cut(&"ä".repeat(64)), "ä".repeat(64));
        assert_eq!(cut(&"ä".repeat(65)), "ä".repeat(64) + "...");
    }

    #[test]
    fn reads_well() {
        let found = Inspection {
            library: "text".into(),
            target: "linux/amd64".into(),
            rustc: "1.95.0".into(),
            exports: vec![
                InspectedExport {
                    wait: Some(Wait {
                        why: "sleep".into(),
                        chain: ["count_words", "std::thread::sleep", "nanosleep"]
                            .map(String::from)
                            .to_vec(),
                    }),
                    ..export("count_words", "func CountWords(text string) uint", &[])
                },
                export("wide", "", &["parameter `n` is a `u128`"]),
            ],
            package: "text".into(),
            api: [
                ("Stats", "type Stats struct {\n\tWords uint\n}"),
                ("CountWords", "func CountWords(text string) uint"),
            ]
            .map(|(name, text)| GoDeclaration {
                name: name.into(),
                text: text.into(),
                ..GoDeclaration::default()
            })
            .to_vec(),
            missing: vec![Missing {
                name: "fork".into(),
                needed_by: vec!["libtext.a(text.o):(.text.spawn+0x1c)".into()],
                chain: vec!["count_words".into(), "std::process::spawn".into()],
            }],
            kept: vec![Kept::default(); 3],
            dropped: 7,
            image: Some(image()),
            ..Inspection::default()
        };
        let want = "\
library text for linux/amd64, rustc 1.95.0

exports: 2
  SYMBOL       STACK  BLOCKS    OWN   REACHES  SOURCE         GO
  count_words  lane   yes     120 B  310.2 kB  src/lib.rs:12  func CountWords(text string) uint
  wide         lane   -       120 B  310.2 kB  src/lib.rs:12  (not supported)
  lane with a stack of 8.3 MB, 2 exports: it calls through pointers

can block: 1
  count_words can sleep
    by count_words -> std::thread::sleep -> nanosleep

not supported: 1
  fn wide()
    --> src/lib.rs:12
    parameter `n` is a `u128`

missing: 1
  fork
    needed by libtext.a(text.o):(.text.spawn+0x1c)
    reached by count_words -> std::process::spawn

types, constants and methods of package text:
  type Stats struct {
  	Words uint
  }

image: 4.0 kB: code 2.6 kB, read-only data 8 B, unwind tables 120 B, names 36 B, tables 1.2 kB
  3 of 10 sections kept, from 3 crates:
    SIZE           CODE  CRATE
  2.7 kB  66.7%  2.5 kB  regex
  1.2 kB  30.1%     0 B  rsyso
   128 B   3.2%   120 B  text

the largest 2 of 2 functions and variables, each with its constants, unwind tables and name:
    SIZE           CODE  CRATE  NAME
  2.7 kB  66.7%  2.5 kB  regex  regex::exec
   128 B   3.2%   120 B  text   text::count_words
";
        assert_eq!(text(&found), want);
    }

    #[test]
    fn nothing_is_no_trouble() {
        let text = text(&Inspection::default());
        assert!(text.contains("exports: 0"), "{text}");
        assert!(text.contains("image: none"), "{text}");
    }
}
