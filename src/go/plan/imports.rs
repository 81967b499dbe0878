//! The Go side of functions that the library calls by name and Go provides (`--import`).
//!
//! The library calls one as it calls a function that it keeps ([`super::kept`]), but there is nothing to look up: each has a place of its own, which its
//! `SetXxx` fills.

use crate::base::identifiers as names;
use crate::go::package::{Declaration, Item, Kind};
use crate::model::{Api, Import};

use super::border::Looks;
use super::callbacks::Answer;
use super::export::lent_to;
use super::lead::{Named, lead};
use super::race::RELEASES;
use super::scope::Scope;
use super::{adopt, doc, types};

/// Where the functions are.
const IMPORTS: &str = "rsysoImports";

/// The functions that set them; `cgo`: for the file that calls through cgo; `panic` is the body of a function where there is no code.
pub(super) fn declared(
    api: &Api,
    scope: &Scope,
    package: &str,
    cgo: bool,
    panic: Option<&dyn Fn(&str) -> String>,
) -> Vec<Item> {
    let all = api.imports().iter().zip(&scope.imports).enumerate();
    all.map(|(index, (import, name))| {
        let ty = types::go_type(scope, &import.ty);
        let body = match panic {
            None => {
                let mut lines = body(scope, package, index, import, name);
                lines.extend(adopt::begin(cgo));
                lines
            }
            Some(panic) => vec![panic(name)],
        };
        Declaration::new(Kind::Func, name, format!("func {name}(f {ty})"))
            .doc(comment(import, name))
            .body(body)
            .into()
    })
    .collect()
}

fn comment(import: &Import, name: &str) -> Vec<String> {
    let symbol = &import.symbol;
    let mut sentence = format!(
        "{name} provides the function {symbol}, which the library calls. It is called once, before the library needs it; a call of {symbol} before that panics."
    );
    if let Some(what) = lent_to(&import.ty) {
        sentence += &format!(
            " The {what} that f is given are the library's, and good until it returns: copy what is to be kept."
        );
    }
    // The comment tells of the function itself.
    let led = lead(Named::Function, symbol, &import.doc);
    let about = doc::lines(led.as_deref().unwrap_or(&import.doc));
    let blank = (!about.is_empty()).then(String::new);
    [sentence].into_iter().chain(blank).chain(about).collect()
}

fn body(scope: &Scope, package: &str, index: usize, import: &Import, name: &str) -> Vec<String> {
    let taken = ["f".to_owned()];
    let frame = names::unused("frame", &taken);
    let answer = Answer {
        looks: Looks {
            scope,
            who: &format!("{package}: the function of {name}"),
            taken: &taken,
        },
        callback: &import.ty,
        rule: scope.border.import(index),
        go: "f",
        frame: frame.clone(),
    };
    let mut lines = vec![
        format!(
            "\tif f == nil {{\n\t\tpanic(\"{package}: {name} needs a function, not nil\")\n\t}}"
        ),
        format!("\tcall := func({frame} unsafe.Pointer) {{"),
    ];
    lines.extend(answer.call("\t\t"));
    lines.push("\t}".to_owned());
    lines.push(format!(
        "\tif !{IMPORTS}[{index}].CompareAndSwap(nil, &call) {{\n\t\tpanic(\"{package}: {name} was called before\")\n\t}}"
    ));
    lines
}

/// Where the functions are, declared.
pub(super) fn native(api: &Api) -> Option<String> {
    let many = api.imports().len();
    (many > 0).then(|| {
        format!(
            "// {IMPORTS} holds the functions that the library calls by name, once they are set.
var {IMPORTS} [{many}]atomic.Pointer[func(frame unsafe.Pointer)]"
        )
    })
}

/// The statements that call one, if the call `c` of the library is of one. Their numbers begin behind those of kept functions.
pub(super) fn called(api: &Api, scope: &Scope, package: &str) -> String {
    if api.imports().is_empty() {
        return String::new();
    }
    let of = |(import, setter): (&Import, &String)| format!("\"{}, which {setter}", import.symbol);
    let all = api.imports().iter().zip(&scope.imports).map(of);
    let named: Vec<String> = all.map(|text| format!("{text}\"")).collect();
    let (first, by_name) = (api.kept().len(), crate::contract::KEPT_BY_NAME);
    let index = match first {
        0 => "c.which".to_owned(),
        n => format!("c.which - {n}"),
    };
    format!(
        "\n\tif c.user == {by_name} {{
\t\ti := {index}
\t\tf := {IMPORTS}[i].Load()
\t\tif f == nil {{
\t\t\tnames := [...]string{{{}}}
\t\t\tpanic(\"{package}: the Rust library called \" + names[i] + \" has not provided\")
\t\t}}
\t\t(*f)(c.frame)
\t\t{RELEASES}()
\t\treturn
\t}}",
        named.join(", ")
    )
}
