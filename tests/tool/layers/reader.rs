//! What the files of a crate import and say.
//!
//! What is read are tokens, of macros too, without comments and without what is compiled for unit tests alone. An import is a path that begins with `crate` or
//! `super`, wherever it stands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::Sources;

/// The path of a module, without `crate`.
pub type Module = Vec<String>;

/// What one file says.
pub struct File {
    pub path: PathBuf,
    /// Paths of other modules that it names, with the line.
    pub imports: Vec<(Module, usize)>,
    /// Words and strings of its code, with the line.
    pub words: Vec<(String, usize)>,
}

/// Reads all files of a crate that are compiled without tests.
pub fn read(sources: &Sources) -> BTreeMap<Module, File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(sources.root);
    let mut files = BTreeMap::new();
    read_module(&root, &root.join("lib.rs"), &[], &mut files);
    assert!(files.len() > 20, "the sources are elsewhere");
    let known: BTreeSet<Module> = files.keys().cloned().collect();
    for (module, file) in &mut files {
        file.path = Path::new(sources.root).join(file.path.strip_prefix(&root).unwrap());
        for (target, _) in &mut file.imports {
            while !known.contains(target) {
                target.pop();
            }
        }
        file.imports
            .retain(|(target, _)| target != module && !target.is_empty());
    }
    files
}

/// Reads a file, and those of the modules that it declares.
fn read_module(root: &Path, path: &Path, module: &[String], files: &mut BTreeMap<Module, File>) {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let (file, declared) = parse(path, module, &text);
    files.insert(module.to_vec(), file);
    for name in declared {
        let child: Module = module.iter().cloned().chain([name]).collect();
        let folder = child
            .iter()
            .fold(root.to_owned(), |dir, name| dir.join(name));
        let candidates = [folder.with_extension("rs"), folder.join("mod.rs")];
        // Others are found by `#[path]`.
        if let Some(file) = candidates.iter().find(|file| file.is_file()) {
            read_module(root, file, &child, files);
        }
    }
}

/// Reads the text of one file; gives the modules too that it declares, and that are in files of their own.
pub fn parse(path: &Path, module: &[String], text: &str) -> (File, Vec<String>) {
    let tokens: TokenStream = text
        .parse()
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut reader = Reader {
        module: module.to_vec(),
        declared: Vec::new(),
        file: File {
            path: path.to_owned(),
            imports: Vec::new(),
            words: Vec::new(),
        },
    };
    reader.read(tokens);
    (reader.file, reader.declared)
}

/// Reads the tokens of one file.
struct Reader {
    /// Where it stands: the file's module, or one that it has inside.
    module: Module,
    /// Modules in files of their own.
    declared: Vec<String>,
    file: File,
}

impl Reader {
    fn read(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let rest = &tokens[at..];
            at += match token {
                TokenTree::Punct(p) if p.as_char() == '#' => self.attribute(rest),
                TokenTree::Ident(i) if i == "crate" || i == "super" => self.path(rest),
                TokenTree::Ident(i) if i == "mod" => self.declaration(rest),
                TokenTree::Group(group) => {
                    self.read(group.stream());
                    1
                }
                TokenTree::Ident(i) => {
                    self.word(&i.to_string(), token);
                    1
                }
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                    words.for_each(|word| self.word(word, token));
                    1
                }
                TokenTree::Punct(_) => 1,
            };
        }
    }

    fn word(&mut self, word: &str, token: &TokenTree) {
        let line = token.span().start().line;
        self.file.words.push((word.to_owned(), line));
    }

    /// An attribute: what is documentation is passed over, and so is an item that is for tests alone. Gives the number of tokens.
    fn attribute(&mut self, tokens: &[TokenTree]) -> usize {
        let Some((at, group)) = tokens
            .iter()
            .take(3)
            .enumerate()
            .find_map(|(at, t)| match t {
                TokenTree::Group(g) if g.delimiter() == Delimiter::Bracket => Some((at, g)),
                _ => None,
            })
        else {
            return 1;
        };
        let text = group.stream().to_string().replace(' ', "");
        if text == "cfg(test)" && at == 1 {
            let ends = |t: &TokenTree| match t {
                TokenTree::Group(g) => g.delimiter() == Delimiter::Brace,
                TokenTree::Punct(p) => p.as_char() == ';',
                _ => false,
            };
            let length = tokens.iter().position(ends);
            return length.map_or(tokens.len(), |at| at + 1);
        }
        if !text.starts_with("doc=") {
            self.read(group.stream());
        }
        at + 1
    }

    /// A module inside, or one in a file of its own. Gives the number of tokens.
    fn declaration(&mut self, tokens: &[TokenTree]) -> usize {
        match tokens {
            [_, TokenTree::Ident(name), TokenTree::Punct(p), ..] if p.as_char() == ';' => {
                self.declared.push(name.to_string());
                3
            }
            [_, TokenTree::Ident(name), TokenTree::Group(group), ..] => {
                self.module.push(name.to_string());
                self.read(group.stream());
                self.module.pop();
                3
            }
            _ => 1,
        }
    }

    /// A path from `crate` or `super` on. Gives the number of tokens.
    fn path(&mut self, tokens: &[TokenTree]) -> usize {
        let mut target = match &tokens[0] {
            TokenTree::Ident(first) if first == "super" => self.above(&self.module),
            _ => Vec::new(),
        };
        let line = tokens[0].span().start().line;
        let used = 1 + self.segments(&tokens[1..], &mut target, line);
        self.file.imports.push((target, line));
        used
    }

    fn above(&self, module: &[String]) -> Module {
        module[..module.len().saturating_sub(1)].to_vec()
    }

    /// The rest of a path, after its first segment; the paths of a list in braces are imports of their own.
    fn segments(&mut self, tokens: &[TokenTree], target: &mut Module, line: usize) -> usize {
        let mut at = 0;
        loop {
            match &tokens[at..] {
                [TokenTree::Punct(a), TokenTree::Punct(b), next, ..]
                    if a.as_char() == ':' && b.as_char() == ':' =>
                {
                    match next {
                        TokenTree::Ident(name) if name == "super" => *target = self.above(target),
                        TokenTree::Ident(name) if name == "self" => {}
                        TokenTree::Ident(name) => target.push(name.to_string()),
                        TokenTree::Group(list) => {
                            self.list(list.stream(), target, line);
                            return at + 3;
                        }
                        _ => return at + 3,
                    }
                    at += 3;
                }
                _ => return at,
            }
        }
    }

    fn list(&mut self, tokens: TokenStream, base: &[String], line: usize) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let comma = |t: &TokenTree| matches!(t, TokenTree::Punct(p) if p.as_char() == ',');
        for part in tokens.split(comma) {
            let Some(TokenTree::Ident(first)) = part.first() else {
                continue;
            };
            let mut target = base.to_vec();
            if first != "self" {
                target.push(first.to_string());
            }
            self.segments(&part[1..], &mut target, line);
            self.file.imports.push((target, line));
        }
    }
}
