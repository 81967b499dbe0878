//! A Go file that imports "C": its preamble, and where it says `C.name`.

use std::ops::Range;
use std::path::PathBuf;

use tree_sitter::{Node, Parser};

use super::constraint::{self, Constraint};
use crate::base::diag::{Error, Problem, Result};

/// A Go file.
#[derive(Clone, Debug)]
pub(super) struct GoFile {
    pub path: PathBuf,
    /// Without a folder.
    pub name: String,
    pub text: String,
    pub package: String,
    /// Where its `//go:build` line is, and what it says.
    pub constraint: Option<(Range<usize>, Constraint)>,
    /// Where its lines `// +build` are, which say the same in a form of old.
    pub old_constraints: Vec<Range<usize>>,
    /// Its imports of "C".
    pub imports: Vec<Import>,
    /// In the order of the text.
    pub references: Vec<Reference>,
    /// Where it says the path of an import of runtime/cgo, whose handles a program without cgo cannot have.
    pub handles: Option<Range<usize>>,
    /// The functions that it exports to C.
    pub exports: Vec<Exported>,
    /// What it declares at its top level.
    pub declares: Vec<String>,
}

/// An import of "C".
#[derive(Clone, Debug)]
pub(super) struct Import {
    /// The text of it.
    pub range: Range<usize>,
    /// The comment in front of it, without the marks of a comment.
    pub preamble: String,
    /// The line where the comment begins.
    pub line: usize,
}

/// A `C.name`.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    pub range: Range<usize>,
    pub name: String,
    pub context: Context,
    pub line: usize,
}

/// How a name is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Context {
    /// `C.f(x)`, which may be a conversion.
    Call,
    /// `r, err := C.f(x)`
    CallWithError,
    /// Where only a type can stand.
    Type,
    /// Anything else.
    Expression,
}

/// A function below `//export`.
#[derive(Clone, Debug)]
pub(super) struct Exported {
    /// As C knows it.
    pub name: String,
    /// As Go does.
    pub go: String,
    pub line: usize,
    /// Whether it has a receiver.
    pub method: bool,
    /// Where its types are: of each parameter, of each result.
    pub params: Vec<Range<usize>>,
    /// See `params`.
    pub results: Vec<Range<usize>>,
}

impl GoFile {
    /// A part of the text, with what stands for the references in it.
    pub fn with(&self, part: Range<usize>, replaced: &[String]) -> String {
        let mut text = String::new();
        let mut at = part.start;
        let inside = |range: &Range<usize>| part.start <= range.start && range.end <= part.end;
        let all = self.references.iter().zip(replaced);
        for (reference, new) in all.filter(|(r, _)| inside(&r.range)) {
            text.push_str(self.text.get(at..reference.range.start).unwrap_or_default());
            text.push_str(new);
            at = reference.range.end;
        }
        text + self.text.get(at..part.end).unwrap_or_default()
    }
}

/// Parses a Go file.
pub(super) fn parse(path: PathBuf, text: String) -> Result<GoFile> {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let fault = |what: String| Error::fault(Problem::new(what).at(path.display().to_string()));
    let mut parser = Parser::new();
    parser
        .set_language(&tree_sitter_go::LANGUAGE.into())
        .map_err(|e| fault(format!("the Go parser does not fit: {e}")))?;
    let tree = parser
        .parse(&text, None)
        .ok_or_else(|| fault("the Go parser gave up".into()))?;
    let root = tree.root_node();
    if let Some(wrong) = first_error(root) {
        let line = wrong.start_position().row + 1;
        let problem = Problem::new("the file is not valid Go");
        return Err(Error::fault(
            problem.at(format!("{}:{line}", path.display())),
        ));
    }
    let reader = Reader { text: &text };
    let package = reader
        .package(root)
        .ok_or_else(|| fault("the file has no package clause".into()))?;
    let old_constraints = reader.old_constraints(root);
    let constraint = reader.constraint(root).map_err(fault)?;
    if constraint.is_none() && !old_constraints.is_empty() {
        let what = "the file has a `// +build` line and no `//go:build` line: gofmt adds one";
        return Err(fault(what.into()));
    }
    let imports = reader.imports(root);
    let references = match imports.is_empty() {
        true => Vec::new(),
        false => reader.references(root),
    };
    let handles = reader.imported(root, &["\"runtime/cgo\"", "`runtime/cgo`"]);
    let (exports, declares) = (reader.exports(root), reader.declares(root));
    Ok(GoFile {
        name,
        package,
        constraint,
        old_constraints,
        imports,
        references,
        handles,
        exports,
        declares,
        path,
        text,
    })
}

fn first_error(root: Node<'_>) -> Option<Node<'_>> {
    all(root)
        .into_iter()
        .find(|n| n.is_error() || n.is_missing())
}

fn children(node: Node<'_>) -> Vec<Node<'_>> {
    node.children(&mut node.walk()).collect()
}

/// A node and all below it, in the order of the text.
fn all(root: Node<'_>) -> Vec<Node<'_>> {
    let mut open = vec![root];
    let mut found = Vec::new();
    while let Some(node) = open.pop() {
        found.push(node);
        open.extend(children(node).into_iter().rev());
    }
    found
}

struct Reader<'t> {
    text: &'t str,
}

impl<'t> Reader<'t> {
    fn of(&self, node: Node<'_>) -> &'t str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    fn package(&self, root: Node<'_>) -> Option<String> {
        let clause = children(root)
            .into_iter()
            .find(|n| n.kind() == "package_clause")?;
        let name = children(clause)
            .into_iter()
            .find(|n| n.kind() == "package_identifier")?;
        Some(self.of(name).to_owned())
    }

    /// The comments in front of the package clause.
    fn head<'n>(&self, root: Node<'n>) -> impl Iterator<Item = Node<'n>> {
        let nodes = children(root).into_iter();
        nodes.take_while(|n| n.kind() == "comment")
    }

    fn old_constraints(&self, root: Node<'_>) -> Vec<Range<usize>> {
        let old = self.head(root).filter(|node| {
            let text = self.of(*node).strip_prefix("//");
            text.is_some_and(|t| t.trim_start().starts_with("+build "))
        });
        old.map(|node| node.byte_range()).collect()
    }

    /// The line `//go:build` in front of the package clause.
    fn constraint(
        &self,
        root: Node<'_>,
    ) -> std::result::Result<Option<(Range<usize>, Constraint)>, String> {
        let mut lines = self.head(root).filter_map(|node| {
            let said = self.of(node).strip_prefix("//go:build")?;
            said.starts_with([' ', '\t']).then_some((node, said))
        });
        let Some((node, said)) = lines.next() else {
            return Ok(None);
        };
        let text = self.of(node).trim();
        let parsed = constraint::parse(said);
        let parsed = parsed.ok_or_else(|| format!("`{text}` is no build constraint"))?;
        Ok(Some((node.byte_range(), parsed)))
    }

    fn imports(&self, root: Node<'_>) -> Vec<Import> {
        let specs = all(root).into_iter().filter(|n| {
            let path = n.child_by_field_name("path");
            n.kind() == "import_spec" && path.is_some_and(|p| matches!(self.of(p), "\"C\"" | "`C`"))
        });
        specs
            .filter_map(|spec| {
                let parent = spec.parent()?;
                // Alone, it goes with its keyword; `import ( "C" )` may stay empty.
                let whole = match parent.kind() {
                    "import_declaration" => parent,
                    _ => spec,
                };
                let mut documented = whole;
                let group = parent
                    .parent()
                    .filter(|_| parent.kind() == "import_spec_list");
                if let Some(group) = group
                    && parent.named_child_count() == 1
                    && self.comments(spec).is_empty()
                {
                    // go/parser gives the comment of a group of one to the group.
                    documented = group;
                }
                let comments = self.comments(documented);
                let line = comments
                    .first()
                    .map_or(whole.start_position().row, |c| c.start_position().row)
                    + 1;
                Some(Import {
                    range: whole.byte_range(),
                    preamble: comments.iter().map(|c| comment(self.of(*c))).collect(),
                    line,
                })
            })
            .collect()
    }

    /// Where the path of an import is, which may be written in these ways.
    fn imported(&self, root: Node<'_>, ways: &[&str]) -> Option<Range<usize>> {
        let specs = all(root).into_iter().filter(|n| n.kind() == "import_spec");
        let mut paths = specs.filter_map(|spec| spec.child_by_field_name("path"));
        let found = paths.find(|path| ways.contains(&self.of(*path)))?;
        Some(found.byte_range())
    }

    /// The comments directly in front of a node, in order.
    fn comments<'n>(&self, node: Node<'n>) -> Vec<Node<'n>> {
        let mut found = Vec::new();
        let mut next = node;
        while let Some(before) = next.prev_sibling() {
            if before.kind() == "\n" {
                next = before;
                continue;
            }
            let after = found.last().map_or(node, |n: &Node<'n>| *n);
            let close = before.end_position().row + 1 >= after.start_position().row;
            if before.kind() != "comment" || !close {
                break;
            }
            found.push(before);
            next = before;
        }
        found.reverse();
        found
    }

    fn references(&self, root: Node<'_>) -> Vec<Reference> {
        let found = all(root).into_iter().filter_map(|node| {
            let (of, name) = match node.kind() {
                "selector_expression" => ("operand", "field"),
                "qualified_type" => ("package", "name"),
                _ => return None,
            };
            let of = node.child_by_field_name(of)?;
            if self.of(of) != "C" {
                return None;
            }
            let name = node.child_by_field_name(name)?;
            Some(Reference {
                range: node.byte_range(),
                name: self.of(name).to_owned(),
                context: self.context(node),
                line: node.start_position().row + 1,
            })
        });
        found.collect()
    }

    fn context(&self, node: Node<'_>) -> Context {
        if node.kind() == "qualified_type" {
            return Context::Type;
        }
        let Some(call) = node.parent().filter(|p| {
            p.kind() == "call_expression" && p.child_by_field_name("function") == Some(node)
        }) else {
            return Context::Expression;
        };
        let values = |n: Node<'_>| n.named_child_count();
        let two = call
            .parent()
            .filter(|list| list.kind() == "expression_list" && values(*list) == 1)
            .and_then(|list| list.parent())
            .is_some_and(|statement| match statement.kind() {
                "short_var_declaration" | "assignment_statement" => statement
                    .child_by_field_name("left")
                    .is_some_and(|left| values(left) == 2),
                "var_spec" => {
                    let mut walk = statement.walk();
                    let names = statement.children_by_field_name("name", &mut walk);
                    names.filter(|n| n.is_named()).count() == 2
                }
                _ => false,
            });
        match two {
            true => Context::CallWithError,
            false => Context::Call,
        }
    }

    fn exports(&self, root: Node<'_>) -> Vec<Exported> {
        let functions = children(root);
        let functions = functions
            .iter()
            .filter(|n| matches!(n.kind(), "function_declaration" | "method_declaration"));
        let exported = functions.flat_map(|f| {
            let of = |field| f.child_by_field_name(field);
            let go = of("name").map_or("", |name| self.of(name));
            let names = self.comments(*f).into_iter().filter_map(|c| {
                let rest = self.of(c).strip_prefix("//export ")?;
                let name = rest.split_whitespace().next()?;
                Some(Exported {
                    name: name.to_owned(),
                    go: go.to_owned(),
                    method: f.kind() == "method_declaration",
                    line: c.start_position().row + 1,
                    params: of("parameters").map_or_else(Vec::new, types),
                    results: match of("result") {
                        Some(list) if list.kind() == "parameter_list" => types(list),
                        Some(one) => vec![one.byte_range()],
                        None => Vec::new(),
                    },
                })
            });
            names.collect::<Vec<_>>()
        });
        exported.collect()
    }

    /// Names of functions, types, variables and constants at the top level.
    fn declares(&self, root: Node<'_>) -> Vec<String> {
        let mut found = Vec::new();
        for node in children(root) {
            match node.kind() {
                "function_declaration" => found.extend(node.child_by_field_name("name")),
                "type_declaration" | "var_declaration" | "const_declaration" => {
                    let kinds = ["type_spec", "type_alias", "var_spec", "const_spec"];
                    let specs = all(node).into_iter().filter(|n| kinds.contains(&n.kind()));
                    // Not what stands in the bodies of function literals.
                    let specs = specs.filter(|s| {
                        let mut up = s.parent();
                        while let Some(n) = up {
                            if n == node {
                                return true;
                            }
                            if n.kind() == "block" {
                                return false;
                            }
                            up = n.parent();
                        }
                        false
                    });
                    for spec in specs {
                        found.extend(spec.children_by_field_name("name", &mut spec.walk()));
                    }
                }
                _ => {}
            }
        }
        let names = found.into_iter().map(|n| self.of(n).to_owned());
        names
            .filter(|n| !matches!(n.as_str(), "_" | "init" | ","))
            .collect()
    }
}

/// The types of a list of parameters, one for each of them.
fn types(list: Node<'_>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for node in children(list).into_iter().filter(|n| n.is_named()) {
        if node.kind() == "variadic_parameter_declaration" {
            // As a whole it is no type of C's.
            found.push(node.byte_range());
        } else if let Some(ty) = node.child_by_field_name("type") {
            let names = node
                .children_by_field_name("name", &mut node.walk())
                .count();
            found.extend(std::iter::repeat_n(ty.byte_range(), names.max(1)));
        }
    }
    found
}

/// A comment without its marks, as cgo takes it for C.
fn comment(text: &str) -> String {
    if let Some(line) = text.strip_prefix("//") {
        return format!("{line}\n");
    }
    let inside = text.strip_prefix("/*").and_then(|t| t.strip_suffix("*/"));
    inside.unwrap_or_default().to_owned()
}
