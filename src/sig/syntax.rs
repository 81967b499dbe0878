//! One Rust source file, flattened to the items that are of interest: functions and types with their attributes and docs.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::attributes::{Repr, attr_value, doc, name_of, repr, symbol};
use crate::base::files;
use syn::spanned::Spanned as _;

/// Larger files are generated tables; their docs are not worth the time.
const FILE_LIMIT: u64 = 1 << 20;

/// One item of a source file.
#[derive(Clone, Debug)]
pub struct Item {
    /// Modules and enclosing functions inside the file, then the name.
    pub path: Vec<String>,
    /// The file.
    pub file: Rc<Path>,
    /// First and last line, attributes included.
    pub lines: (u32, u32),
    /// The line of its name.
    pub line: u32,
    /// Doc comment.
    pub doc: String,
    /// What it is.
    pub kind: ItemKind,
}

impl Item {
    /// The signature, of a function.
    pub fn signature(&self) -> Option<&Signature> {
        match &self.kind {
            ItemKind::Function(signature) => Some(signature),
            ItemKind::Foreign(_)
            | ItemKind::Type { .. }
            | ItemKind::Alias(_)
            | ItemKind::Use(_)
            | ItemKind::Static => None,
        }
    }

    /// The item's own name.
    pub fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }
}

/// The kinds of items that are of interest.
#[derive(Clone, Debug)]
pub enum ItemKind {
    /// A function or method.
    Function(Signature),
    /// A function of an `extern` block: others define it.
    Foreign(Signature),
    /// A static.
    Static,
    /// A `type`.
    Alias(Alias),
    /// A name that a `use` brings in: its path, as written. The item is named `*` where all names of a module come.
    Use(Vec<String>),
    /// A struct, an enum or a union.
    Type {
        /// Its `repr`; None when `cfg_attr` decides.
        repr: Option<Repr>,
        /// Fields or variants with their docs.
        parts: Vec<(String, String)>,
        /// The types of a struct's fields as written; None when it is no struct, or when attributes may drop fields.
        fields: Option<Vec<String>>,
    },
}

/// What the source says of a `type`.
#[derive(Clone, Debug, PartialEq)]
pub struct Alias {
    /// What it stands for, as written.
    pub stands_for: String,
    /// Whether it has a `pub`: then its name is one for others.
    pub public: bool,
}

/// What the source says of a function.
#[derive(Clone, Debug, Default)]
pub struct Signature {
    /// The symbol that `no_mangle` or `export_name` asks for.
    pub symbol: Option<String>,
    /// The ABI string; None for a Rust function.
    pub abi: Option<String>,
    /// Whether more parameters may follow.
    pub variadic: bool,
    /// Whether every parameter is there in every build: none has an attribute.
    pub certain: bool,
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
    /// `mod name;` declarations.
    pub modules: Vec<Module>,
    /// The doc comment of the file itself.
    pub doc: String,
}

/// A module whose contents lie in another file.
#[derive(Clone, Debug)]
pub struct Module {
    /// Modules inside the declaring file, then the name.
    pub path: Vec<String>,
    /// Folders of the inline modules around it.
    folders: PathBuf,
    /// `#[path = "..."]`.
    given: Option<String>,
}

impl Module {
    /// The file with the contents, and whether that file's own submodules lie beside it. `file` declares the module; `beside` says
    /// where its submodules lie: those of a crate's root, of `mod.rs` and of a file found by `#[path]` beside it, those of `foo.rs`
    /// in `foo/` (The Rust Reference, "Modules"). `is_file` is asked which of the possible files is there.
    pub fn find(
        &self,
        file: &Path,
        beside: bool,
        is_file: impl Fn(&Path) -> bool,
    ) -> Option<(PathBuf, bool)> {
        let parent = file.parent()?;
        let dir = if beside {
            parent.to_owned()
        } else {
            parent.join(file.file_stem()?)
        };
        let name = self.path.last()?;
        let inside = dir.join(&self.folders);
        let candidates = match &self.given {
            Some(given) if self.folders.as_os_str().is_empty() => vec![(parent.join(given), true)],
            Some(given) => vec![(inside.join(given), true)],
            None => vec![
                (inside.join(format!("{name}.rs")), false),
                (inside.join(name).join("mod.rs"), true),
            ],
        };
        candidates.into_iter().find(|c| is_file(&c.0))
    }
}

/// Parses a file; None when it is not there, too large, or not Rust.
pub fn parse(path: &Path) -> Option<File> {
    if path.extension()? != "rs" || files::size(path).ok()? > FILE_LIMIT {
        return None;
    }
    let syntax = syn::parse_file(&files::read_text(path).ok()?).ok()?;
    let mut file = File {
        doc: doc(&syntax.attrs),
        ..File::default()
    };
    let mut walk = Walk {
        file: &mut file,
        source: path.into(),
        path: Vec::new(),
        folders: PathBuf::new(),
    };
    walk.items(&syntax.items);
    Some(file)
}

/// Flattens the items of a file.
struct Walk<'a> {
    file: &'a mut File,
    source: Rc<Path>,
    path: Vec<String>,
    /// Folders of the inline modules around.
    folders: PathBuf,
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
            syn::Item::Static(s) => {
                self.push(&s.ident, &s.attrs, ItemKind::Static, item.span());
            }
            syn::Item::Struct(s) => {
                let fields = field_types(&s.fields);
                self.ty(
                    &s.ident,
                    &s.attrs,
                    field_docs(&s.fields),
                    fields,
                    item.span(),
                );
            }
            syn::Item::Union(u) => {
                let docs = field_docs(&syn::Fields::Named(u.fields.clone()));
                self.ty(&u.ident, &u.attrs, docs, None, item.span());
            }
            syn::Item::Enum(e) => {
                let variants = e
                    .variants
                    .iter()
                    .map(|v| (name_of(&v.ident), doc(&v.attrs)))
                    .collect();
                self.ty(&e.ident, &e.attrs, variants, None, item.span());
            }
            syn::Item::Type(t) => {
                let kind = ItemKind::Alias(Alias {
                    stands_for: written(&t.ty),
                    public: matches!(t.vis, syn::Visibility::Public(_)),
                });
                self.push(&t.ident, &t.attrs, kind, item.span());
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
            syn::Item::ForeignMod(block) => self.foreign(block),
            syn::Item::Use(u) if u.leading_colon.is_none() => {
                self.uses(&u.tree, &mut Vec::new(), item.span());
            }
            _ => {}
        }
    }

    /// The names that a `use` brings in, below the path `of`.
    fn uses(&mut self, tree: &syn::UseTree, of: &mut Vec<String>, span: proc_macro2::Span) {
        let (last, name) = match tree {
            syn::UseTree::Path(path) => {
                of.push(name_of(&path.ident));
                self.uses(&path.tree, of, span);
                of.pop();
                return;
            }
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.uses(tree, of, span);
                }
                return;
            }
            syn::UseTree::Name(name) => (Some(&name.ident), name_of(&name.ident)),
            syn::UseTree::Rename(rename) => (Some(&rename.ident), name_of(&rename.rename)),
            syn::UseTree::Glob(_) => (None, "*".to_owned()),
        };
        let target = of.iter().cloned().chain(last.map(name_of)).collect();
        let mut path = self.path.clone();
        path.push(name);
        self.file.items.push(Item {
            path,
            file: self.source.clone(),
            lines: (line(span.start().line), line(span.end().line)),
            line: line(span.start().line),
            doc: String::new(),
            kind: ItemKind::Use(target),
        });
    }

    /// The functions of an `extern` block.
    fn foreign(&mut self, block: &syn::ItemForeignMod) {
        for item in &block.items {
            if let syn::ForeignItem::Fn(f) = item {
                let name = f.attrs.iter().find(|a| a.path().is_ident("link_name"));
                let name = name.and_then(attr_value);
                let kind = ItemKind::Foreign(Signature {
                    symbol: Some(name.unwrap_or_else(|| name_of(&f.sig.ident))),
                    abi: Some(abi_of(&block.abi)),
                    variadic: f.sig.variadic.is_some(),
                    ..signature(&f.attrs, &f.sig)
                });
                self.push(&f.sig.ident, &f.attrs, kind, item.span());
            }
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
                let inner = self.folders.join(given.as_deref().unwrap_or(&name));
                let outer = std::mem::replace(&mut self.folders, inner);
                self.items(items);
                self.folders = outer;
            }
            None => self.file.modules.push(Module {
                path: self.path.clone(),
                folders: self.folders.clone(),
                given,
            }),
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
        fields: Option<Vec<String>>,
        span: proc_macro2::Span,
    ) {
        let repr = repr(attrs);
        let kind = ItemKind::Type {
            repr,
            parts,
            fields,
        };
        self.push(ident, attrs, kind, span);
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
        let lines = (line(span.start().line), line(span.end().line));
        self.file.items.push(Item {
            path,
            file: self.source.clone(),
            lines,
            line: line(ident.span().start().line),
            doc: doc(attrs),
            kind,
        });
    }
}

fn line(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
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
        abi: sig.abi.as_ref().map(abi_of),
        variadic: sig.variadic.is_some(),
        certain: sig.inputs.iter().all(|input| match input {
            syn::FnArg::Receiver(r) => r.attrs.is_empty(),
            syn::FnArg::Typed(p) => p.attrs.is_empty(),
        }),
        params: sig.inputs.iter().map(param).collect(),
        result: match &sig.output {
            syn::ReturnType::Default => None,
            syn::ReturnType::Type(_, ty) => Some(written(ty)),
        },
    }
}

/// The ABI string; C's is meant where there is none (The Rust Reference, "External blocks").
fn abi_of(abi: &syn::Abi) -> String {
    let name = abi.name.as_ref();
    name.map_or_else(|| "C".to_owned(), syn::LitStr::value)
}

fn written(ty: &syn::Type) -> String {
    ty.span().source_text().unwrap_or_default()
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

fn field_types(fields: &syn::Fields) -> Option<Vec<String>> {
    let conditional =
        |a: &syn::Attribute| a.path().is_ident("cfg") || a.path().is_ident("cfg_attr");
    let certain = !fields.iter().flat_map(|f| &f.attrs).any(conditional);
    certain.then(|| fields.iter().map(|f| written(&f.ty)).collect())
}
