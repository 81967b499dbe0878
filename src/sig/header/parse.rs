//! From the syntax tree to declarations.

use tree_sitter::{Node, Parser};

use super::super::place_of;
use super::decl::{
    self, About, CEnum, CField, CFunction, CType, CVariable, Declarations, Record, Tag, Typedef,
};
use super::expr;
use super::macros::changes_layout;
use super::preprocess::{Clean, RUN_PREPROCESSOR};
use super::{PROBLEMS, comment, constants};
use crate::base::diag::Problem;
use crate::model::{Constant, Source, Value};

mod declarator;

/// Declarators in declarators; more means damage.
const NESTING_LIMIT: u32 = 64;

/// Adds what a header declares to what others declared.
pub(super) fn parse(clean: &Clean, into: &mut Declarations) -> Vec<Problem> {
    let mut parser = Parser::new();
    if let Err(e) = parser.set_language(&tree_sitter_c::LANGUAGE.into()) {
        return vec![Problem::new(format!("the C parser does not fit: {e}"))];
    }
    let Some(tree) = parser.parse(&clean.text, None) else {
        return vec![Problem::new("the C parser gave up")];
    };
    let mut builder = Builder {
        clean,
        into,
        problems: Vec::new(),
        refused: None,
    };
    builder.items(tree.root_node(), 0);
    builder.problems.truncate(PROBLEMS);
    let problems = builder.problems;
    let found = constants::of(clean, &into.enumerators);
    into.constants.extend(found);
    problems
}

struct Builder<'h> {
    clean: &'h Clean,
    into: &'h mut Declarations,
    problems: Vec<Problem>,
    /// Why what is being declared cannot be used.
    refused: Option<String>,
}

fn children(node: Node<'_>) -> Vec<Node<'_>> {
    node.children(&mut node.walk()).collect()
}

/// Finds a node below by its own look, in the order of the text.
fn find<'t>(node: Node<'t>, test: impl Fn(Node<'t>) -> bool) -> Option<Node<'t>> {
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        if test(node) {
            return Some(node);
        }
        open.extend(children(node).into_iter().rev());
    }
    None
}

impl<'h> Builder<'h> {
    fn text(&self, node: Node<'_>) -> &'h str {
        self.clean.text.get(node.byte_range()).unwrap_or_default()
    }

    fn source(&self, node: Node<'_>) -> Source {
        self.clean.source(node.start_position().row)
    }

    fn problem(&mut self, message: impl Into<String>, node: Node<'_>) {
        let problem = Problem::new(message).at(place_of(&self.source(node)));
        self.problems.push(problem);
    }

    fn items(&mut self, parent: Node<'_>, depth: u32) {
        for node in children(parent) {
            if self.problems.len() >= PROBLEMS {
                return;
            }
            if node.has_error() || node.is_error() || node.is_missing() {
                self.unreadable(node);
                continue;
            }
            let attribute = find(node, |n| {
                matches!(
                    n.kind(),
                    "attribute_specifier"
                        | "ms_declspec_modifier"
                        | "alignas_qualifier"
                        | "attribute_declaration"
                        | "ms_call_modifier"
                ) && changes_layout(self.text(n))
            });
            self.refused = attribute.map(|a| {
                format!(
                    "has the attribute `{}`, which changes how it is laid out or passed",
                    one_line(self.text(a))
                )
            });
            if self.refused.is_none() && self.clean.packed(node.start_position().row) {
                self.refused = find(node, |n| n.kind() == "field_declaration_list")
                    .map(|_| "is packed by `#pragma pack`".to_owned());
            }
            match node.kind() {
                "comment" | ";" | "static_assert_declaration" => {}
                // An inline function. Not one without parameters: `class Foo { ... };` looks like that.
                "function_definition" if find(node, is_function).is_some() => {}
                "declaration" => self.declaration(node),
                "type_definition" => self.type_definition(node),
                "struct_specifier" | "union_specifier" | "enum_specifier" => {
                    self.specifier(node, None);
                }
                "linkage_specification" | "declaration_list" if depth < NESTING_LIMIT => {
                    self.items(node, depth + 1);
                }
                "extern" | "string_literal" | "{" | "}" => {}
                "expression_statement" if is_assertion(self.text(node)) => {}
                _ => self.unreadable(node),
            }
        }
    }

    fn unreadable(&mut self, node: Node<'_>) {
        let at = find(node, |n| n.is_error() || n.is_missing()).unwrap_or(node);
        let source = self.source(at);
        let from = node.start_position().row;
        let row = at.start_position().row;
        let line = self.clean.text.lines().nth(row).unwrap_or_default().trim();
        let mut problem = Problem::new(format!(
            "`{}` cannot be read as a declaration of C",
            one_line(line)
        ))
        .at(place_of(&source));
        let until = row.saturating_add(1);
        let words = self
            .clean
            .text
            .lines()
            .take(until)
            .skip(from)
            .flat_map(|l| l.split(|c: char| !(c.is_alphanumeric() || c == '_')));
        let mut words = words.filter(|w| {
            w.len() > 2
                && w.bytes().any(|b| b.is_ascii_uppercase())
                && !w.bytes().any(|b| b.is_ascii_lowercase())
        });
        if let Some(word) = words.next() {
            problem = problem.note(format!(
                "is `{word}` a macro? The header does not say what it stands for"
            ));
        }
        self.problems.push(problem.help(RUN_PREPROCESSOR));
    }

    fn about(&self, node: Node<'_>) -> About {
        About {
            source: self.source(node),
            doc: comment::before(node, &self.clean.text),
            refused: self.refused.clone(),
        }
    }

    /// `int f(void);` and `extern const int x;`.
    fn declaration(&mut self, node: Node<'_>) {
        let Some((base, constant)) = self.base(node, None) else {
            return;
        };
        for part in children(node) {
            let is_declarator = matches!(
                part.kind(),
                "function_declarator"
                    | "pointer_declarator"
                    | "parenthesized_declarator"
                    | "attributed_declarator"
                    | "array_declarator"
                    | "identifier"
            );
            if !is_declarator {
                continue;
            }
            let (name, ty) = self.declarator(part, base.clone(), constant, 0);
            let Some(name) = name else {
                self.unreadable(part);
                continue;
            };
            let about = self.about(node);
            if let CType::Function(ty) = ty {
                let found = CFunction { ty: *ty, about };
                if let Some(first) = self.into.functions.get(&name)
                    && *first != found
                {
                    let note = format!("first in {}", place_of(&first.about.source));
                    self.twice(&format!("the function `{name}`"), note, node);
                }
                self.into.functions.entry(name).or_insert(found);
            } else {
                let found = CVariable { ty, about };
                self.into.variables.entry(name).or_insert(found);
            }
        }
    }

    fn twice(&mut self, what: &str, note: String, node: Node<'_>) {
        self.problem(format!("{what} is declared twice, and differently"), node);
        if let Some(last) = self.problems.last_mut() {
            last.notes.push(note);
        }
    }

    fn type_definition(&mut self, node: Node<'_>) {
        let names: Vec<_> = node
            .children_by_field_name("declarator", &mut node.walk())
            .collect();
        let hint = names
            .iter()
            .find(|n| n.kind() == "type_identifier")
            .map(|n| self.text(*n));
        let Some((base, constant)) = self.base(node, hint) else {
            return;
        };
        for part in names {
            let (name, ty) = self.declarator(part, base.clone(), constant, 0);
            let Some(name) = name else {
                self.unreadable(part);
                continue;
            };
            // `typedef struct Foo {...} Foo; typedef Foo Foo;` says nothing new (C17 6.7, 3).
            if ty == CType::Name(name.clone()) && self.into.typedefs.contains_key(&name) {
                continue;
            }
            let about = self.about(node);
            let found = Typedef { ty, about };
            if let Some(first) = self.into.typedefs.get(&name)
                && *first != found
            {
                let note = format!("first in {}", place_of(&first.about.source));
                self.twice(&format!("the type `{name}`"), note, node);
            }
            self.into.typedefs.entry(name).or_insert(found);
        }
    }

    /// The type that a declaration begins with, and whether it is `const`. `hint` names one without a tag.
    fn base(&mut self, node: Node<'_>, hint: Option<&str>) -> Option<(CType, bool)> {
        let specifier = node.child_by_field_name("type")?;
        let constant = children(node)
            .iter()
            .any(|n| n.kind() == "type_qualifier" && self.text(*n) == "const");
        Some((self.specifier(specifier, hint), constant))
    }

    fn specifier(&mut self, node: Node<'_>, hint: Option<&str>) -> CType {
        let tag = match node.kind() {
            "struct_specifier" => Tag::Struct,
            "union_specifier" => Tag::Union,
            "enum_specifier" => Tag::Enum,
            "primitive_type" | "type_identifier" | "sized_type_specifier" => {
                return CType::Name(spelling(self.text(node)));
            }
            _ => return CType::Other(format!("`{}`", one_line(self.text(node)))),
        };
        let name = node.child_by_field_name("name").map(|n| self.text(n));
        let Some(name) = name.or(hint) else {
            if let (Tag::Enum, Some(body)) = (tag, node.child_by_field_name("body")) {
                for (name, value, about) in self.variants(body) {
                    let Some(value) = value.map(Value::Int) else {
                        continue;
                    };
                    let doc = about.doc;
                    let constant = Constant { name, value, doc };
                    self.into.constants.push((constant, about.source));
                }
                return CType::Name("int".into());
            }
            let Some(body) = node.child_by_field_name("body") else {
                return CType::Other("a struct or union without a name".into());
            };
            let name = decl::nameless(&self.source(node), node.start_position().column);
            let about = self.about(node);
            self.record(tag, &name, body, about);
            return CType::Tagged(tag, name);
        };
        let about = self.about(outermost(node));
        match (node.child_by_field_name("body"), tag) {
            (None, _) => {
                let doc = match belongs_to_another(node) {
                    true => String::new(),
                    false => about.doc.clone(),
                };
                let forward = self.into.forward.entry((tag, name.to_owned()));
                forward.or_insert(About { doc, ..about });
            }
            (Some(body), Tag::Enum) => {
                let underlying = node
                    .child_by_field_name("underlying_type")
                    .map(|n| CType::Name(spelling(self.text(n))));
                let variants = self.variants(body);
                let found = CEnum {
                    underlying,
                    variants,
                    about,
                };
                if self
                    .into
                    .enums
                    .get(name)
                    .is_some_and(|first| *first != found)
                {
                    self.problem(
                        format!("`enum {name}` is defined twice, and differently"),
                        node,
                    );
                }
                self.into.enums.entry(name.to_owned()).or_insert(found);
            }
            (Some(body), _) => self.record(tag, name, body, about),
        }
        CType::Tagged(tag, name.to_owned())
    }

    fn record(&mut self, tag: Tag, name: &str, body: Node<'_>, mut about: About) {
        let mut fields = Vec::new();
        let mut natural = about.refused.is_none();
        for node in children(body) {
            if node.kind() != "field_declaration" {
                continue;
            }
            let Some((base, constant)) = self.base(node, None) else {
                continue;
            };
            let parts: Vec<_> = node
                .children_by_field_name("declarator", &mut node.walk())
                .collect();
            // C11's unnamed structs and unions: their fields are fields of this one.
            if parts.is_empty() {
                fields.push(CField {
                    name: String::new(),
                    ty: base.clone(),
                    about: self.about(node),
                });
            }
            for part in parts {
                let (field, ty) = self.declarator(part, base.clone(), constant, 0);
                let field = field.unwrap_or_default();
                if find(node, |n| n.kind() == "bitfield_clause").is_some() {
                    let why =
                        format!("has the bit field `{field}`, which has no counterpart in Go");
                    about.refused.get_or_insert(why);
                    natural = false;
                }
                let about = self.about(node);
                fields.push(CField {
                    name: field,
                    ty,
                    about,
                });
            }
        }
        let found = Record {
            fields,
            natural,
            about,
        };
        let key = (tag, name.to_owned());
        if self
            .into
            .records
            .get(&key)
            .is_some_and(|first| *first != found)
        {
            self.problem(format!("`{name}` is defined twice, and differently"), body);
        }
        self.into.records.entry(key).or_insert(found);
    }

    fn variants(&mut self, body: Node<'_>) -> Vec<(String, Option<i128>, About)> {
        let mut out = Vec::new();
        let mut next = Some(0i128);
        for node in children(body) {
            let Some(name) = node
                .child_by_field_name("name")
                .filter(|_| node.kind() == "enumerator")
            else {
                continue;
            };
            let name = self.text(name).to_owned();
            let value = match node.child_by_field_name("value") {
                Some(value) => self.constant(value),
                None => next,
            };
            if let Some(value) = value {
                self.into.enumerators.insert(name.clone(), value);
            }
            next = value.and_then(|v| v.checked_add(1));
            let about = About {
                refused: None,
                ..self.about(node)
            };
            out.push((name, value, about));
        }
        out
    }

    fn constant(&self, node: Node<'_>) -> Option<i128> {
        let tokens = expr::tokens(self.text(node))?;
        expr::evaluate(&tokens, &|name| {
            let enumerator = self.into.enumerators.get(name).copied();
            enumerator.or_else(|| self.clean.value(name))
        })
    }
}

/// The declaration that a specifier begins, when it is not an item itself: comments stand before that.
fn outermost(node: Node<'_>) -> Node<'_> {
    match node.parent() {
        Some(parent) if matches!(parent.kind(), "type_definition" | "declaration") => parent,
        _ => node,
    }
}

/// Whether the comment before a type is about what is declared with it: a function, a field.
fn belongs_to_another(node: Node<'_>) -> bool {
    let parents = ["declaration", "field_declaration", "parameter_declaration"];
    node.parent().is_some_and(|p| parents.contains(&p.kind()))
}

fn is_function(node: Node<'_>) -> bool {
    node.kind() == "function_declarator"
}

fn is_assertion(text: &str) -> bool {
    text == ";" || text.starts_with("_Static_assert") || text.starts_with("static_assert")
}

/// The words of a type's name, one blank between.
fn spelling(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A piece of the header for a message.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 60;
    // Four times that is more than enough: the rest is cut off.
    let text = spelling(&text.chars().take(4 * LONGEST).collect::<String>());
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text,
    }
}
