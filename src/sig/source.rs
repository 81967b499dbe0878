//! What debug information does not record and the source does: `#[repr(...)]` and doc comments.
//!
//! Only files that the debug information names are read, and the modules of a crate whose root it names. A file that is missing, too
//! large or does not parse is as good as absent: everything here is optional.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::syntax::{Alias, File, Item, ItemKind, parse};

/// Files of one crate at most.
const CRATE_LIMIT: usize = 4000;

/// Finds the roots of a crate by its name.
type FindRoots<'a> = Box<dyn Fn(&str) -> Vec<PathBuf> + 'a>;

/// What stands for cargo's home in libraries that `rsyso build` made ([`crate::build`]).
pub const CARGO_HOME: &str = "/cargo-home";

/// Cargo's home (The Cargo Book, "Cargo Home").
pub fn cargo_home() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").filter(|home| !home.is_empty());
    home.map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")))
}

/// The source files parsed so far. Clones share them: signatures may be read several times, files need not.
#[derive(Clone, Default)]
pub struct Parsed {
    files: Rc<RefCell<HashMap<PathBuf, Option<Rc<File>>>>>,
    /// Folders that stand for others, and where these are.
    places: Rc<[(PathBuf, PathBuf)]>,
}

impl Parsed {
    /// No files yet; the debug information names some folders by what stands for them.
    pub fn with(mut places: Vec<(PathBuf, PathBuf)>) -> Parsed {
        places.extend(cargo_home().map(|home| (CARGO_HOME.into(), home)));
        Parsed {
            files: Rc::default(),
            places: places.into(),
        }
    }

    fn file(&self, path: &Path) -> Option<Rc<File>> {
        if let Some(known) = self.files.borrow().get(path) {
            return known.clone();
        }
        let parsed = parse(&self.real(path)).map(Rc::new);
        let mut files = self.files.borrow_mut();
        files.insert(path.to_owned(), parsed.clone());
        parsed
    }

    /// Where a file is that the debug information names.
    fn real<'p>(&self, path: &'p Path) -> Cow<'p, Path> {
        let mut places = self.places.iter();
        let real =
            places.find_map(|(stands, real)| Some(real.join(path.strip_prefix(stands).ok()?)));
        real.map_or(Cow::Borrowed(path), Cow::Owned)
    }
}

/// What the source says of the crates of one reading.
pub struct Sources<'a> {
    find_roots: FindRoots<'a>,
    files: Parsed,
    /// Crate name to the roots (`src/lib.rs`) that the debug information names.
    roots: HashMap<String, Vec<PathBuf>>,
    crates: HashMap<String, Rc<Vec<Item>>>,
}

impl<'a> Sources<'a> {
    /// No crates yet. `find_roots` is asked for crates whose root nobody added.
    pub fn new(files: Parsed, find_roots: impl Fn(&str) -> Vec<PathBuf> + 'a) -> Self {
        Sources {
            find_roots: Box::new(find_roots),
            files,
            roots: HashMap::new(),
            crates: HashMap::new(),
        }
    }

    /// Notes where a crate begins.
    pub fn add_root(&mut self, krate: &str, root: PathBuf) {
        let roots = self.roots.entry(krate.to_owned()).or_default();
        if !roots.contains(&root) {
            roots.push(root);
        }
    }

    /// The function or static `name` that spans `line` of a file.
    pub fn item(&mut self, file: &str, line: u32, name: &str) -> Option<Item> {
        let file = self.file(Path::new(file))?;
        let here = |i: &&Item| {
            i.name() == name
                && matches!(i.kind, ItemKind::Function(_) | ItemKind::Static)
                && i.lines.0 <= line
                && line <= i.lines.1
        };
        // Functions may nest under one name: the innermost spans the fewest lines.
        file.items
            .iter()
            .filter(here)
            .min_by_key(|i| i.lines.1.saturating_sub(i.lines.0))
            .cloned()
    }

    /// The type at a full path (crate first, no generic arguments), with parts of these names when they are given. None when the
    /// source is not at hand, or holds no such type (a macro made it), or several that differ.
    pub fn ty(&mut self, path: &[String], parts: Option<&[String]>) -> Option<Item> {
        let (krate, inside) = path.split_first()?;
        let items = self.items(krate);
        let fits = |i: &&Item| match &i.kind {
            ItemKind::Type { parts: p, .. } => {
                i.path == inside && parts.is_none_or(|parts| p.iter().map(|p| &p.0).eq(parts))
            }
            _ => false,
        };
        let mut found = items.iter().filter(fits);
        let first = found.next()?;
        found
            .all(|other| same_repr(first, other))
            .then(|| first.clone())
    }

    /// The one function of a crate that bears a symbol, with its path from the root.
    pub fn exported(&mut self, krate: &str, symbol: &str) -> Option<Item> {
        let items = self.items(krate);
        let bears = |i: &&Item| {
            i.signature()
                .is_some_and(|s| s.symbol.as_deref() == Some(symbol))
        };
        let mut found = items.iter().filter(bears);
        found.next().filter(|_| found.next().is_none()).cloned()
    }

    /// The functions of a symbol that a crate declares in `extern` blocks, with their paths from the root.
    pub fn foreign(&mut self, krate: &str, symbol: &str) -> Vec<Item> {
        let items = self.items(krate);
        let bears = |i: &&Item| match &i.kind {
            ItemKind::Foreign(s) => s.symbol.as_deref() == Some(symbol),
            _ => false,
        };
        items.iter().filter(bears).cloned().collect()
    }

    /// What a name of a module (crate first) may stand for because of a `use` there: paths as written, those of single names first.
    pub fn used(&mut self, module: &[String], name: &str) -> Vec<Vec<String>> {
        let Some((krate, inside)) = module.split_first() else {
            return Vec::new();
        };
        let items = self.items(krate);
        let here = items.iter().filter(|i| match i.path.split_last() {
            Some((_, of)) => of == inside,
            None => false,
        });
        let (mut single, mut all) = (Vec::new(), Vec::new());
        for item in here {
            match &item.kind {
                ItemKind::Use(path) if item.name() == name => single.push(path.clone()),
                ItemKind::Use(path) if item.name() == "*" => {
                    all.push(path.iter().cloned().chain([name.to_owned()]).collect());
                }
                _ => {}
            }
        }
        single.append(&mut all);
        single
    }

    /// What the `type`s at a full path (crate first) stand for, as written: several where attributes choose one.
    pub fn aliases(&mut self, path: &[String]) -> Vec<String> {
        let Some((krate, inside)) = path.split_first() else {
            return Vec::new();
        };
        let items = self.items(krate);
        let written = |i: &Item| match &i.kind {
            ItemKind::Alias(alias) if i.path == inside => Some(alias.stands_for.clone()),
            _ => None,
        };
        items.iter().filter_map(written).collect()
    }

    /// A `type` of a crate, by its name alone; None when several of that name differ.
    pub fn alias(&mut self, krate: &str, name: &str) -> Option<Alias> {
        let items = self.items(krate);
        let mut found = items.iter().filter_map(|i| match &i.kind {
            ItemKind::Alias(alias) if i.name() == name => Some(alias),
            _ => None,
        });
        let first = found.next()?;
        found.all(|other| other == first).then(|| first.clone())
    }

    /// The doc comment of a crate, from the first of its roots that has one; empty when there is none.
    pub fn crate_doc(&mut self, krate: &str) -> String {
        let roots = self.roots.get(krate).cloned();
        let roots = roots.unwrap_or_else(|| (self.find_roots)(krate));
        let docs = roots
            .iter()
            .filter_map(|root| Some(self.file(root)?.doc.clone()));
        docs.into_iter()
            .find(|doc| !doc.is_empty())
            .unwrap_or_default()
    }

    /// All items of a crate, with paths from its root.
    fn items(&mut self, krate: &str) -> Rc<Vec<Item>> {
        if let Some(items) = self.crates.get(krate) {
            return items.clone();
        }
        let mut items = Vec::new();
        let roots = self.roots.get(krate).cloned();
        for root in roots.unwrap_or_else(|| (self.find_roots)(krate)) {
            self.collect(root, &mut items);
        }
        let items = Rc::new(items);
        self.crates.insert(krate.to_owned(), items.clone());
        items
    }

    fn collect(&mut self, root: PathBuf, items: &mut Vec<Item>) {
        let mut todo = vec![(Vec::new(), root, true)];
        let mut seen = 0;
        while let Some((module, path, beside)) = todo.pop() {
            seen += 1;
            let file = if seen <= CRATE_LIMIT {
                self.file(&path)
            } else {
                None
            };
            let Some(file) = file else { continue };
            for item in &file.items {
                let mut item = item.clone();
                item.path.splice(0..0, module.iter().cloned());
                items.push(item);
            }
            for inner in &file.modules {
                let module: Vec<_> = module.iter().chain(&inner.path).cloned().collect();
                let there = |file: &Path| self.files.real(file).is_file();
                let found = inner.find(&path, beside, there);
                todo.extend(found.map(|(path, beside)| (module, path, beside)));
            }
        }
    }

    fn file(&self, path: &Path) -> Option<Rc<File>> {
        self.files.file(path)
    }
}

fn same_repr(a: &Item, b: &Item) -> bool {
    match (&a.kind, &b.kind) {
        (ItemKind::Type { repr: a, .. }, ItemKind::Type { repr: b, .. }) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_where_a_folder_stands_for_another() {
        let dir = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text);
        write("lib.rs", "mod inner;").expect("written");
        write("inner.rs", "#[repr(C)] pub struct Foo { a: u8 }").expect("written");
        let files = Parsed::with(vec![("/stands".into(), dir.path().into())]);
        let mut sources = Sources::new(files, |_| Vec::new());
        sources.add_root("k", "/stands/lib.rs".into());
        let path = ["k", "inner", "Foo"].map(str::to_owned);
        assert!(sources.ty(&path, None).is_some());
    }
}
