//! The statements that look.

use std::collections::BTreeSet;

use super::super::border_rules::{Check, Members, Rule, Span, next};
use super::super::scope::Scope;
use super::super::types;
use super::super::variants::{place, tag_type};
use crate::base::identifiers;
use crate::model::{Api, Function, Type, TypeId, TypeKind};

/// Tells UTF-8.
pub(super) const UTF8: &str = "rsysoUTF8";
/// The type of the structs that were looked at already, where they may lead back to themselves.
pub(super) const SEEN: &str = "map[any]bool";

/// The Go function that finds what is wrong with a struct.
pub(super) fn finder(scope: &Scope, id: TypeId) -> String {
    format!("rsysoFault{}", scope.type_name(id))
}

/// The Go function that tells the constants of an enum.
pub(super) fn member(scope: &Scope, id: TypeId) -> String {
    format!("rsysoIs{}", scope.type_name(id))
}

/// Where statements look.
#[derive(Clone, Copy)]
pub(in super::super) struct Looks<'a> {
    pub scope: &'a Scope,
    /// What messages begin with.
    pub who: &'a str,
    /// Names that the statements must not declare: those of the parameters, in order.
    pub taken: &'a [String],
}

/// The result of a Go function that the library called.
pub(in super::super) struct GoResult<'a> {
    /// The function.
    pub go: &'a str,
    /// An expression for the result.
    pub place: &'a str,
    pub ty: &'a Type,
}

/// The statements before the call of a function.
pub(in super::super) fn checks(looks: &Looks<'_>, index: usize, f: &Function) -> Vec<String> {
    let Looks { scope, who, taken } = *looks;
    let mut out = Vec::new();
    for check in scope.border.functions.get(index).into_iter().flatten() {
        let name = |i: usize| taken.get(i).map_or("", String::as_str);
        match check {
            Check::Valid(i, rule) => {
                let Some(param) = f.params.get(*i) else {
                    continue;
                };
                let place = name(*i);
                let nil = format!(
                    "{who} needs {} for {place}, not nil",
                    wanted(scope, &param.ty)
                );
                let fault = top(format!("{who}: {place}"), &nil);
                out.extend(looks.statements(rule, place, "\t", &fault));
            }
            Check::Apart([(i, a), (j, b)]) => {
                let (p, q) = (name(*i), name(*j));
                let test = format!("{}.meets({})", span(p, *a), span(q, *b));
                out.push(refuse("\t", &test, &overlap(who, p, q)));
            }
            Check::Distinct(i, j) => {
                let (p, q) = (name(*i), name(*j));
                let test = format!("{p} == {q} && {p} != nil");
                out.push(refuse("\t", &test, &overlap(who, p, q)));
            }
        }
    }
    out
}

/// The statements behind the call of a Go function.
pub(in super::super) fn result(
    looks: &Looks<'_>,
    rule: &Rule,
    result: &GoResult<'_>,
    indent: &str,
) -> Vec<String> {
    let (who, go) = (looks.who, result.go);
    let wanted = wanted(looks.scope, result.ty);
    let nil = format!("{who} needs {wanted} from {go}, not nil");
    let fault = top(format!("{who}: {go}()"), &nil);
    looks.statements(rule, result.place, indent, &fault)
}

/// What should stand where nil does.
fn wanted(scope: &Scope, ty: &Type) -> String {
    match ty {
        Type::Callback { .. } => "a function".into(),
        Type::Kept { id, .. } if scope.destroyed(*id).is_some() => "a function".into(),
        Type::Kept { id, .. } => types::indefinite(scope.kept_name(*id)),
        Type::Pointer { to: Some(_), .. } => format!("a {}", types::go_type(scope, ty)),
        _ => "a pointer".into(),
    }
}

fn span(name: &str, span: Span) -> String {
    match span {
        Span::Text => format!("rsysoTextSpan({name})"),
        Span::Slice => format!("rsysoSliceSpan({name})"),
        Span::Value => format!("rsysoSpanOf({name})"),
    }
}

fn overlap(who: &str, p: &str, q: &str) -> String {
    format!("panic(\"{who}: {p} and {q} overlap\")")
}

fn refuse(indent: &str, test: &str, then: &str) -> String {
    format!("{indent}if {test} {{\n{indent}\t{then}\n{indent}}}")
}

/// Words of a message.
#[derive(Clone)]
enum Part {
    Text(String),
    /// A Go expression.
    Expression(String),
}

/// A Go expression for a message.
fn message(parts: &[Part]) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(more) => text.push_str(more),
            Part::Expression(e) => {
                if !text.is_empty() {
                    words.push(format!("\"{}\"", std::mem::take(&mut text)));
                }
                words.push(e.clone());
            }
        }
    }
    if !text.is_empty() {
        words.push(format!("\"{text}\""));
    }
    words.join(" + ")
}

/// The statement for a fault: of the value itself, or of what lies in it.
type Fault<'a> = dyn Fn(Vec<Part>, &Wrong) -> String + 'a;

enum Wrong {
    Nil,
    /// Its sentence goes on so.
    Is(String),
    /// A Go expression has the rest.
    Found(String),
}

impl Wrong {
    fn part(&self) -> Part {
        match self {
            Wrong::Nil => Part::Text(" is nil".into()),
            Wrong::Is(what) => Part::Text(format!(" is not {what}")),
            Wrong::Found(expression) => Part::Expression(expression.clone()),
        }
    }
}

/// A panic whose message begins with `subject`, or is `nil`.
fn top(subject: String, nil: &str) -> impl Fn(Vec<Part>, &Wrong) -> String {
    move |path, wrong| match wrong {
        Wrong::Nil if path.is_empty() => format!("panic(\"{nil}\")"),
        _ => {
            let mut parts = vec![Part::Text(subject.clone())];
            parts.extend(path);
            parts.push(wrong.part());
            format!("panic({})", message(&parts))
        }
    }
}

impl Looks<'_> {
    fn statements(&self, rule: &Rule, place: &str, indent: &str, fault: &Fault<'_>) -> Vec<String> {
        let mut look = Look {
            scope: self.scope,
            taken: self.taken,
            fault,
            seen: format!("{SEEN}{{}}"),
            out: Vec::new(),
        };
        // All elements lead to what they lead to once.
        let cyclic = next(rule).is_some_and(|id| self.scope.border.cyclic.contains(&id));
        if cyclic && matches!(rule, Rule::Each(_)) {
            let seen = identifiers::unused("seen", self.taken);
            look.out.push(format!("{indent}{seen} := {SEEN}{{}}"));
            look.seen = seen;
        }
        look.at(rule, &Place::Value(place.into()), &At::top(indent));
        look.out
    }
}

/// The statements of the function that finds what is wrong with a struct `v`: it returns the end of a sentence.
pub(super) fn fields(scope: &Scope, id: TypeId, rules: &[(usize, Rule)]) -> Vec<String> {
    let fault = |mut path: Vec<Part>, wrong: &Wrong| {
        path.push(wrong.part());
        format!("return {}", message(&path))
    };
    let mut look = Look {
        scope,
        taken: &[],
        fault: &fault,
        seen: "seen".into(),
        out: Vec::new(),
    };
    for (field, rule) in rules {
        let names = scope.types.get(&id);
        let Some(name) = names.and_then(|n| n.members.get(*field)) else {
            continue;
        };
        let at = At {
            path: vec![Part::Text(format!(".{name}"))],
            ..At::top("\t")
        };
        look.at(rule, &Place::Value(format!("v.{name}")), &at);
    }
    look.out
}

/// As [`fields`], of a sum type.
pub(super) fn variants(api: &Api, scope: &Scope, id: TypeId) -> Vec<String> {
    let (TypeKind::Sum { variants, .. }, Some(names)) = (&api.def(id).kind, scope.types.get(&id))
    else {
        return Vec::new();
    };
    let fault = |mut path: Vec<Part>, wrong: &Wrong| {
        path.push(wrong.part());
        format!("return {}", message(&path))
    };
    let mut look = Look {
        scope,
        taken: &[],
        fault: &fault,
        seen: String::new(),
        out: vec!["\tswitch v.Tag() {".to_string()],
    };
    let rules = scope.border.sums.get(&id).into_iter().flatten();
    let (mut seen, mut free) = (BTreeSet::new(), Vec::new());
    for ((constant, variant), rules) in names.members.iter().zip(variants).zip(rules) {
        if !seen.insert(variant.value) {
            continue;
        }
        if rules.is_empty() {
            free.push(constant.as_str());
            continue;
        }
        look.out.push(format!("\tcase {constant}:"));
        for (field, rule) in rules {
            let Some(field) = variant.fields.get(*field) else {
                continue;
            };
            let path = format!(".{}.{}", identifiers::member(&variant.name), field.name);
            let at = At {
                path: vec![Part::Text(path)],
                ..At::top("\t\t")
            };
            let ty = types::go_type(scope, &field.ty);
            let place = place("v", field.offset, &ty);
            look.at(rule, &Place::Behind(place), &at);
        }
    }
    if !free.is_empty() {
        look.out.push(format!("\tcase {}:", free.join(", ")));
    }
    let tag = tag_type(&names.name);
    look.out.push(format!(
        "\tdefault:\n\t\treturn \"'s tag is not a constant of {tag}\"\n\t}}"
    ));
    look.out
}

/// Where a value lies.
enum Place {
    /// An expression for it.
    Value(String),
    /// An expression for a pointer to it.
    Behind(String),
}

impl Place {
    fn value(&self) -> String {
        match self {
            Place::Value(e) => e.clone(),
            Place::Behind(e) => format!("*{e}"),
        }
    }

    fn pointer(&self) -> String {
        match self {
            Place::Value(e) => format!("&{e}"),
            Place::Behind(e) => e.clone(),
        }
    }

    /// Go indexes an array behind a pointer as it does the array.
    fn indexed(&self) -> String {
        match self {
            Place::Value(e) | Place::Behind(e) if !e.starts_with('*') => e.clone(),
            Place::Value(e) | Place::Behind(e) => format!("({e})"),
        }
    }
}

/// Where statements about a value stand.
#[derive(Clone)]
struct At {
    /// From the value that is looked at to this one, for messages.
    path: Vec<Part>,
    indent: String,
    /// How many loops are open.
    depth: usize,
}

impl At {
    fn top(indent: &str) -> At {
        At {
            path: Vec::new(),
            indent: indent.to_owned(),
            depth: 0,
        }
    }

    /// In a block.
    fn inside(&self) -> At {
        At {
            indent: format!("{}\t", self.indent),
            ..self.clone()
        }
    }
}

/// Writes statements.
struct Look<'a> {
    scope: &'a Scope,
    /// Names that the statements must not declare.
    taken: &'a [String],
    fault: &'a Fault<'a>,
    /// What finders of structs that lead back to themselves are given.
    seen: String,
    out: Vec<String>,
}

impl Look<'_> {
    fn at(&mut self, rule: &Rule, place: &Place, at: &At) {
        match rule {
            Rule::Text => {
                let test = format!("!{UTF8}({})", place.value());
                self.refuse(at, &test, &Wrong::Is("valid UTF-8".into()));
            }
            Rule::Char => {
                let test = format!("!utf8.ValidRune({})", place.value());
                self.refuse(at, &test, &Wrong::Is("a Unicode scalar value".into()));
            }
            Rule::Enum(id) => {
                let test = self.outside(*id, &place.value());
                let wrong = Wrong::Is(format!("a constant of {}", self.scope.type_name(*id)));
                self.refuse(at, &test, &wrong);
            }
            Rule::Struct(id) | Rule::Sum(id) => self.inside(*id, place, at),
            Rule::Pointer { needed, to } => self.pointer(*needed, to.as_deref(), place, at),
            Rule::Each(elem) => self.each(elem, place, at),
        }
    }

    fn pointer(&mut self, needed: bool, to: Option<&Rule>, place: &Place, at: &At) {
        let pointer = place.value();
        if needed {
            self.refuse(at, &format!("{pointer} == nil"), &Wrong::Nil);
        }
        let Some(to) = to else { return };
        let mut inside = match needed {
            true => at.clone(),
            false => at.inside(),
        };
        if matches!(to, Rule::Pointer { .. }) {
            inside.path.push(Part::Text("'s pointer".into()));
        }
        if !needed {
            self.out
                .push(format!("{}if {pointer} != nil {{", at.indent));
        }
        self.at(to, &Place::Behind(pointer), &inside);
        if !needed {
            self.out.push(format!("{}}}", at.indent));
        }
    }

    fn each(&mut self, elem: &Rule, place: &Place, at: &At) {
        let i = match ["i", "j", "k"].get(at.depth) {
            Some(i) => i.to_string(),
            None => format!("i{}", at.depth),
        };
        let i = identifiers::unused(&i, self.taken);
        let all = place.indexed();
        let mut inside = at.inside();
        inside.depth += 1;
        inside.path.extend([
            Part::Text("[".into()),
            Part::Expression(format!("strconv.Itoa({i})")),
            Part::Text("]".into()),
        ]);
        let indent = &at.indent;
        self.out.push(format!("{indent}for {i} := range {all} {{"));
        self.at(elem, &Place::Value(format!("{all}[{i}]")), &inside);
        self.out.push(format!("{indent}}}"));
    }

    /// What a function of its own finds in a value.
    fn inside(&mut self, id: TypeId, place: &Place, at: &At) {
        let bad = identifiers::unused("fault", self.taken);
        let seen = match self.scope.border.cyclic.contains(&id) {
            true => format!(", {}", self.seen),
            false => String::new(),
        };
        let call = format!("{}({}{seen})", finder(self.scope, id), place.pointer());
        let test = format!("{bad} := {call}; {bad} != \"\"");
        self.refuse(at, &test, &Wrong::Found(bad));
    }

    fn refuse(&mut self, at: &At, test: &str, wrong: &Wrong) {
        let then = (self.fault)(at.path.clone(), wrong);
        self.out.push(refuse(&at.indent, test, &then));
    }

    /// Whether a number is no constant of an enum.
    fn outside(&self, id: TypeId, value: &str) -> String {
        let constant = |i: usize| {
            let names = self.scope.types.get(&id);
            names
                .and_then(|n| n.members.get(i))
                .map_or("", String::as_str)
        };
        match self.scope.border.enums.get(&id) {
            Some(Members::UpTo(last)) => format!("{value} > {}", constant(*last)),
            Some(Members::From(first)) => format!("{value} < {}", constant(*first)),
            Some(Members::Between(first, last)) if first == last => {
                format!("{value} != {}", constant(*first))
            }
            Some(Members::Between(first, last)) => {
                let (first, last) = (constant(*first), constant(*last));
                format!("{value} < {first} || {value} > {last}")
            }
            Some(Members::Listed) | None => format!("!{}({value})", member(self.scope, id)),
        }
    }
}
