//! What debug information does not record and the source does: `#[repr(...)]` and doc comments.
//!
//! Only files that the debug information names are read, and the modules of a crate whose root it names. A file that is missing, too
//! large or does not parse is as good as absent: everything here is optional.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use syn::spanned::Spanned as _;

/// Larger files are generated tables; their docs are not worth the time.
const FILE_LIMIT: u64 = 4 << 20;
/// Files of one crate at most.
const CRATE_LIMIT: usize = 4000;

/// What the attributes of a struct say of its layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repr {
    /// No `repr`, or one that leaves the order of fields to the compiler.
    Rust,
    /// `repr(C)`.
    C,
    /// `repr(transparent)`.
    Transparent,
    /// `repr(C, packed)` and the like.
    Packed,
    /// `repr(C, align(N))`.
    Align,
}

/// One item of a source file.
#[derive(Clone, Debug)]
pub struct Item {
    /// Modules and enclosing functions inside the file, then the name.
    pub path: Vec<String>,
    /// First and last line.
    pub lines: (u32, u32),
    /// Doc comment.
    pub doc: String,
    /// What it is.
    pub kind: ItemKind,
}

impl Item {
    fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }
}

/// The kinds of items that are of interest.
#[derive(Clone, Debug)]
pub enum ItemKind {
    /// A function or method.
    Function(Signature),
    /// A struct, an enum or a union.
    Type {
        /// Its `repr`; None when `cfg_attr` decides.
        repr: Option<Repr>,
        /// Fields or variants with their docs.
        parts: Vec<(String, String)>,
    },
}

/// What the source says of a function.
#[derive(Clone, Debug, Default)]
pub struct Signature {
    /// The symbol that `no_mangle` or `export_name` asks for.
    pub symbol: Option<String>,
    /// The ABI string; None for a Rust function.
    pub abi: Option<String>,
    /// Names (None for other patterns) and types as written.
    pub params: Vec<(Option<String>, String)>,
    /// The result as written; None without an arrow.
    pub result: Option<String>,
}

/// A parsed file.
#[derive(Debug, Default)]
pub struct File {
    /// Every item, nested ones included.
    pub items: Vec<Item>,
    /// `mod name;` declarations: modules in the file, and where the contents may lie.
    modules: Vec<(Vec<String>, Vec<PathBuf>)>,
}

/// The source files read so far.
#[derive(Default)]
pub struct Sources {
    files: HashMap<PathBuf, Option<Rc<File>>>,
    /// Crate name to the roots (`src/lib.rs`) that the debug information names.
    roots: HashMap<String, Vec<PathBuf>>,
    crates: HashMap<String, Rc<Vec<Item>>>,
}

impl Sources {
    /// Notes where a crate begins.
    pub fn add_root(&mut self, krate: &str, root: PathBuf) {
        let roots = self.roots.entry(krate.to_owned()).or_default();
        if !roots.contains(&root) {
            roots.push(root);
        }
    }

    /// The function `name` that spans `line` of a file.
    pub fn function(&mut self, file: &str, line: u32, name: &str) -> Option<Item> {
        let file = self.file(Path::new(file), true)?;
        let here = |i: &&Item| {
            i.name() == name
                && matches!(i.kind, ItemKind::Function(_))
                && i.lines.0 <= line
                && line <= i.lines.1
        };
        // Functions may nest under one name: the innermost spans the fewest lines.
        file.items
            .iter()
            .filter(here)
            .min_by_key(|i| i.lines.1 - i.lines.0)
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
            ItemKind::Function(_) => false,
        };
        let mut found = items.iter().filter(fits);
        let first = found.next()?;
        found
            .all(|other| same_repr(first, other))
            .then(|| first.clone())
    }

    /// All items of a crate, with paths from its root.
    fn items(&mut self, krate: &str) -> Rc<Vec<Item>> {
        if let Some(items) = self.crates.get(krate) {
            return items.clone();
        }
        let mut items = Vec::new();
        for root in self.roots.get(krate).cloned().unwrap_or_default() {
            self.collect(root, &mut items);
        }
        let items = Rc::new(items);
        self.crates.insert(krate.to_owned(), items.clone());
        items
    }

    fn collect(&mut self, root: PathBuf, items: &mut Vec<Item>) {
        let mut todo = vec![(Vec::new(), root, true)];
        let mut seen = 0;
        while let Some((module, path, is_root)) = todo.pop() {
            seen += 1;
            let Some(file) = (seen <= CRATE_LIMIT)
                .then(|| self.file(&path, is_root))
                .flatten()
            else {
                continue;
            };
            for item in &file.items {
                let mut item = item.clone();
                item.path.splice(0..0, module.iter().cloned());
                items.push(item);
            }
            for (inner, candidates) in &file.modules {
                let module: Vec<_> = module.iter().chain(inner).cloned().collect();
                todo.extend(
                    candidates
                        .iter()
                        .find(|c| c.is_file())
                        .map(|c| (module, c.clone(), false)),
                );
            }
        }
    }

    fn file(&mut self, path: &Path, is_root: bool) -> Option<Rc<File>> {
        if let Some(known) = self.files.get(path) {
            return known.clone();
        }
        let parsed = parse(path, is_root).map(Rc::new);
        self.files.insert(path.to_owned(), parsed.clone());
        parsed
    }
}

fn same_repr(a: &Item, b: &Item) -> bool {
    match (&a.kind, &b.kind) {
        (ItemKind::Type { repr: a, .. }, ItemKind::Type { repr: b, .. }) => a == b,
        _ => false,
    }
}

fn parse(path: &Path, is_root: bool) -> Option<File> {
    let meta = std::fs::metadata(path).ok()?;
    if !meta.is_file() || meta.len() > FILE_LIMIT || path.extension()? != "rs" {
        return None;
    }
    let syntax = syn::parse_file(&std::fs::read_to_string(path).ok()?).ok()?;
    let parent = path.parent()?;
    // Submodules of `lib.rs` and `mod.rs` lie beside them, those of `foo.rs` in `foo/` (The Rust Reference, "Modules").
    let stem = path.file_stem()?;
    let dir = if is_root || stem == "mod" {
        parent.to_owned()
    } else {
        parent.join(stem)
    };
    let mut file = File::default();
    let mut walk = Walk {
        file: &mut file,
        path: Vec::new(),
        dir,
        parent: parent.to_owned(),
    };
    walk.items(&syntax.items);
    Some(file)
}

/// Flattens the items of a file.
struct Walk<'a> {
    file: &'a mut File,
    path: Vec<String>,
    /// Where submodules lie.
    dir: PathBuf,
    /// The file's own directory: `#[path]` outside inline modules counts from here.
    parent: PathBuf,
}

impl Walk<'_> {
    fn items<'i>(&mut self, items: impl IntoIterator<Item = &'i syn::Item>) {
        for item in items {
            self.item(item);
        }
    }

    fn item(&mut self, item: &syn::Item) {
        match item {
            syn::Item::Fn(f) => self.function(&f.attrs, &f.sig, &f.block, item.span()),
            syn::Item::Struct(s) => self.ty(&s.ident, &s.attrs, field_docs(&s.fields), item.span()),
            syn::Item::Union(u) => self.ty(&u.ident, &u.attrs, Vec::new(), item.span()),
            syn::Item::Enum(e) => {
                let variants = e
                    .variants
                    .iter()
                    .map(|v| (name_of(&v.ident), doc(&v.attrs)))
                    .collect();
                self.ty(&e.ident, &e.attrs, variants, item.span());
            }
            syn::Item::Impl(i) => {
                for inner in &i.items {
                    if let syn::ImplItem::Fn(f) = inner {
                        self.function(&f.attrs, &f.sig, &f.block, inner.span());
                    }
                }
            }
            syn::Item::Const(c) => {
                // `const _: () = { ... };` is how macros hide items.
                if let syn::Expr::Block(b) = &*c.expr {
                    self.block(&name_of(&c.ident), &b.block);
                }
            }
            syn::Item::Mod(m) => self.module(m),
            _ => {}
        }
    }

    fn module(&mut self, m: &syn::ItemMod) {
        let name = name_of(&m.ident);
        let given = m
            .attrs
            .iter()
            .find(|a| a.path().is_ident("path"))
            .and_then(attr_value);
        self.path.push(name.clone());
        match &m.content {
            Some((_, items)) => {
                let dir = self.dir.join(given.as_deref().unwrap_or(&name));
                let outer = (
                    std::mem::replace(&mut self.dir, dir.clone()),
                    std::mem::replace(&mut self.parent, dir),
                );
                self.items(items);
                (self.dir, self.parent) = outer;
            }
            None => {
                let candidates = match given {
                    Some(given) => vec![self.parent.join(given)],
                    None => vec![
                        self.dir.join(format!("{name}.rs")),
                        self.dir.join(&name).join("mod.rs"),
                    ],
                };
                self.file.modules.push((self.path.clone(), candidates));
            }
        }
        self.path.pop();
    }

    fn function(
        &mut self,
        attrs: &[syn::Attribute],
        sig: &syn::Signature,
        block: &syn::Block,
        span: proc_macro2::Span,
    ) {
        self.push(
            &sig.ident,
            attrs,
            ItemKind::Function(signature(attrs, sig)),
            span,
        );
        self.block(&name_of(&sig.ident), block);
    }

    /// Items inside a function body.
    fn block(&mut self, name: &str, block: &syn::Block) {
        self.path.push(name.to_owned());
        self.items(block.stmts.iter().filter_map(|s| match s {
            syn::Stmt::Item(item) => Some(item),
            _ => None,
        }));
        self.path.pop();
    }

    fn ty(
        &mut self,
        ident: &syn::Ident,
        attrs: &[syn::Attribute],
        parts: Vec<(String, String)>,
        span: proc_macro2::Span,
    ) {
        self.push(
            ident,
            attrs,
            ItemKind::Type {
                repr: repr(attrs),
                parts,
            },
            span,
        );
    }

    fn push(
        &mut self,
        ident: &syn::Ident,
        attrs: &[syn::Attribute],
        kind: ItemKind,
        span: proc_macro2::Span,
    ) {
        let mut path = self.path.clone();
        path.push(name_of(ident));
        let line = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let lines = (line(span.start().line), line(span.end().line));
        self.file.items.push(Item {
            path,
            lines,
            doc: doc(attrs),
            kind,
        });
    }
}

fn signature(attrs: &[syn::Attribute], sig: &syn::Signature) -> Signature {
    let param = |input: &syn::FnArg| match input {
        syn::FnArg::Receiver(r) => (
            Some("self".to_owned()),
            r.span().source_text().unwrap_or_default(),
        ),
        syn::FnArg::Typed(p) => {
            let name = match &*p.pat {
                syn::Pat::Ident(i) => Some(name_of(&i.ident)),
                _ => None,
            };
            (name, written(&p.ty))
        }
    };
    Signature {
        symbol: attrs.iter().find_map(|a| symbol(&a.meta, &sig.ident)),
        abi: sig.abi.as_ref().map(|abi| {
            abi.name
                .as_ref()
                .map_or_else(|| "C".to_owned(), syn::LitStr::value)
        }),
        params: sig.inputs.iter().map(param).collect(),
        result: match &sig.output {
            syn::ReturnType::Default => None,
            syn::ReturnType::Type(_, ty) => Some(written(ty)),
        },
    }
}

fn written(ty: &syn::Type) -> String {
    ty.span().source_text().unwrap_or_default()
}

/// The symbol that an attribute gives a function: `no_mangle`, `export_name = "..."`, either inside `unsafe(...)`.
fn symbol(meta: &syn::Meta, ident: &syn::Ident) -> Option<String> {
    if meta.path().is_ident("no_mangle") {
        return Some(name_of(ident));
    }
    match meta {
        syn::Meta::List(list) if list.path.is_ident("unsafe") => {
            symbol(&list.parse_args().ok()?, ident)
        }
        syn::Meta::NameValue(pair) if pair.path.is_ident("export_name") => string_value(pair),
        _ => None,
    }
}

/// Raw identifiers (`r#type`) lose their prefix, as in debug information.
fn name_of(ident: &syn::Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map_or(name.clone(), str::to_owned)
}

fn field_docs(fields: &syn::Fields) -> Vec<(String, String)> {
    let named = |(n, f): (usize, &syn::Field)| {
        (
            f.ident.as_ref().map_or_else(|| n.to_string(), name_of),
            doc(&f.attrs),
        )
    };
    fields.iter().enumerate().map(named).collect()
}

/// None when a `cfg_attr` may add a `repr`.
fn repr(attrs: &[syn::Attribute]) -> Option<Repr> {
    let (mut base, mut packed, mut align) = (Repr::Rust, false, false);
    for attr in attrs {
        if attr.path().is_ident("cfg_attr") && quoted(attr).contains("repr") {
            return None;
        }
        if !attr.path().is_ident("repr") {
            continue;
        }
        let read = attr.parse_nested_meta(|meta| {
            match meta.path.get_ident().map(ToString::to_string).as_deref() {
                Some("C") => base = Repr::C,
                Some("transparent") => base = Repr::Transparent,
                Some("packed") => packed = true,
                Some("align") => align = true,
                _ => {}
            }
            if meta.input.peek(syn::token::Paren) {
                let inside;
                syn::parenthesized!(inside in meta.input);
                inside.parse::<proc_macro2::TokenStream>()?;
            }
            Ok(())
        });
        read.ok()?;
    }
    Some(match base {
        Repr::C if packed => Repr::Packed,
        Repr::C if align => Repr::Align,
        base => base,
    })
}

fn quoted(attr: &syn::Attribute) -> String {
    match &attr.meta {
        syn::Meta::List(list) => list.tokens.to_string(),
        _ => String::new(),
    }
}

fn attr_value(attr: &syn::Attribute) -> Option<String> {
    match &attr.meta {
        syn::Meta::NameValue(pair) => string_value(pair),
        _ => None,
    }
}

fn string_value(pair: &syn::MetaNameValue) -> Option<String> {
    match &pair.value {
        syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}

/// The doc comment among attributes, with the common indentation removed as rustdoc does.
fn doc(attrs: &[syn::Attribute]) -> String {
    let texts = attrs
        .iter()
        .filter(|a| a.path().is_ident("doc"))
        .filter_map(attr_value);
    let mut lines: Vec<String> = Vec::new();
    for text in texts {
        let block = text.contains('\n');
        // Lines of a block comment may each begin with a star.
        let star = |l: &str| {
            l.trim_start()
                .strip_prefix('*')
                .map_or(l.to_owned(), str::to_owned)
        };
        lines.extend(
            text.lines()
                .map(|l| if block { star(l) } else { l.to_owned() }),
        );
    }
    let indent = |l: &String| l.len() - l.trim_start_matches(' ').len();
    let common = lines
        .iter()
        .filter(|l| !l.trim().is_empty())
        .map(indent)
        .min()
        .unwrap_or(0);
    let lines: Vec<_> = lines
        .iter()
        .map(|l| l.get(common..).unwrap_or("").trim_end())
        .collect();
    lines.join("\n").trim_matches('\n').to_owned()
}
