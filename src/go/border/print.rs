//! The statements that look.

use super::super::scope::Scope;
use super::super::{names, types};
use super::plan::{Check, Members, Rule, Span, next};
use crate::model::{Function, Type, TypeId};

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

/// The statements before the call of a function, which messages call `who`.
pub(in super::super) fn checks(
    scope: &Scope,
    index: usize,
    who: &str,
    f: &Function,
    params: &[String],
) -> Vec<String> {
    let mut out = Vec::new();
    for check in scope.border.functions.get(index).into_iter().flatten() {
        let name = |i: usize| params.get(i).map_or("", String::as_str);
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
                out.extend(statements(scope, rule, place, params, "\t", &fault));
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

/// The statements behind the call of the Go function `go`, whose result of type `ty` is in `place`.
pub(in super::super) fn result(
    scope: &Scope,
    (rule, ty): (&Rule, &Type),
    who: &str,
    (go, place): (&str, &str),
    taken: &[String],
    indent: &str,
) -> Vec<String> {
    let nil = format!("{who} needs {} from {go}, not nil", wanted(scope, ty));
    let fault = top(format!("{who}: {go}()"), &nil);
    statements(scope, rule, place, taken, indent, &fault)
}

/// What should stand where nil does.
fn wanted(scope: &Scope, ty: &Type) -> String {
    match ty {
        Type::Callback { .. } => "a function".into(),
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

fn statements(
    scope: &Scope,
    rule: &Rule,
    place: &str,
    taken: &[String],
    indent: &str,
    fault: &Fault<'_>,
) -> Vec<String> {
    let mut look = Look {
        scope,
        taken,
        fault,
        seen: format!("{SEEN}{{}}"),
        out: Vec::new(),
    };
    // All elements lead to what they lead to once.
    let cyclic = next(rule).is_some_and(|id| scope.border.cyclic.contains(&id));
    if cyclic && matches!(rule, Rule::Each(_)) {
        let seen = names::unused("seen", taken);
        look.out.push(format!("{indent}{seen} := {SEEN}{{}}"));
        look.seen = seen;
    }
    look.at(rule, &Place::Value(place.into()), &[], indent, 0);
    look.out
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
        let path = [Part::Text(format!(".{name}"))];
        look.at(rule, &Place::Value(format!("v.{name}")), &path, "\t", 0);
    }
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
    fn at(&mut self, rule: &Rule, place: &Place, path: &[Part], indent: &str, depth: usize) {
        match rule {
            Rule::Text => {
                let test = format!("!{UTF8}({})", place.value());
                self.refuse(indent, &test, path, &Wrong::Is("valid UTF-8".into()));
            }
            Rule::Char => {
                let test = format!("!utf8.ValidRune({})", place.value());
                let wrong = Wrong::Is("a Unicode scalar value".into());
                self.refuse(indent, &test, path, &wrong);
            }
            Rule::Enum(id) => {
                let test = self.outside(*id, &place.value());
                let wrong = Wrong::Is(format!("a constant of {}", self.scope.type_name(*id)));
                self.refuse(indent, &test, path, &wrong);
            }
            Rule::Struct(id) => self.structure(*id, place, path, indent),
            Rule::Pointer { needed, to } => {
                let pointer = place.value();
                if *needed {
                    let test = format!("{pointer} == nil");
                    self.refuse(indent, &test, path, &Wrong::Nil);
                }
                let Some(to) = to else { return };
                let mut path = path.to_vec();
                if matches!(**to, Rule::Pointer { .. }) {
                    path.push(Part::Text("'s pointer".into()));
                }
                let to = |look: &mut Self, indent: &str| {
                    look.at(to, &Place::Behind(pointer.clone()), &path, indent, depth);
                };
                match needed {
                    true => to(self, indent),
                    false => {
                        self.out.push(format!("{indent}if {pointer} != nil {{"));
                        to(self, &format!("{indent}\t"));
                        self.out.push(format!("{indent}}}"));
                    }
                }
            }
            Rule::Each(elem) => {
                let i = match ["i", "j", "k"].get(depth) {
                    Some(i) => i.to_string(),
                    None => format!("i{depth}"),
                };
                let i = names::unused(&i, self.taken);
                let all = place.indexed();
                let path = path.iter().cloned().chain([
                    Part::Text("[".into()),
                    Part::Expression(format!("strconv.Itoa({i})")),
                    Part::Text("]".into()),
                ]);
                let path: Vec<Part> = path.collect();
                let place = Place::Value(format!("{all}[{i}]"));
                self.out.push(format!("{indent}for {i} := range {all} {{"));
                self.at(elem, &place, &path, &format!("{indent}\t"), depth + 1);
                self.out.push(format!("{indent}}}"));
            }
        }
    }

    fn structure(&mut self, id: TypeId, place: &Place, path: &[Part], indent: &str) {
        let bad = names::unused("fault", self.taken);
        let seen = match self.scope.border.cyclic.contains(&id) {
            true => format!(", {}", self.seen),
            false => String::new(),
        };
        let call = format!("{}({}{seen})", finder(self.scope, id), place.pointer());
        let test = format!("{bad} := {call}; {bad} != \"\"");
        self.refuse(indent, &test, path, &Wrong::Found(bad));
    }

    fn refuse(&mut self, indent: &str, test: &str, path: &[Part], wrong: &Wrong) {
        let then = (self.fault)(path.to_vec(), wrong);
        self.out.push(refuse(indent, test, &then));
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
