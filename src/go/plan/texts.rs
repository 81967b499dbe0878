//! Parameters that are strings in Go (`--cstr`): C is given a copy, which lies in Go's memory and is the library's for the call only.

use crate::base::identifiers as names;

use super::export::Export;

/// The function that copies a parameter.
const COPY: &str = "rsysoCString";

/// What is passed for the parameters of an export.
pub(super) struct Texts {
    /// Statements that make copies.
    pub statements: Vec<String>,
    /// What is passed, in the order of the parameters.
    pub args: Vec<String>,
    /// Names that are taken then: those of the parameters, and behind them those of the copies.
    pub taken: Vec<String>,
}

/// Copies the parameters that are strings in Go, and passes the others as they are.
pub(super) fn copies(export: &Export<'_>) -> Texts {
    let mut texts = Texts {
        statements: Vec::new(),
        args: export.params.clone(),
        taken: export.params.clone(),
    };
    for (param, arg) in export.f.params.iter().zip(&mut texts.args) {
        if export.copies_text(param) {
            let copy = names::unused(&format!("{arg}C"), &texts.taken);
            let what = format!("{}: {arg}", export.who);
            texts
                .statements
                .push(format!("\t{copy} := {COPY}({arg}, \"{what}\")"));
            texts.taken.push(copy.clone());
            *arg = copy;
        }
    }
    texts
}

/// The function that copies them, if there are any.
pub(super) fn copier(exports: &[Export<'_>]) -> Option<String> {
    let mut params = exports
        .iter()
        .flat_map(|e| e.f.params.iter().map(move |p| (e, p)));
    params.any(|(e, p)| e.copies_text(p)).then(|| {
        format!(
            "// {COPY} copies a text for the time of a call, with a zero byte at its end. It refuses one that C would see the beginning of alone.
func {COPY}(text, what string) *int8 {{
\tif i := strings.IndexByte(text, 0); i >= 0 {{
\t\tpanic(what + \" holds a zero byte at \" + strconv.Itoa(i))
\t}}
\tcopied := make([]byte, len(text)+1)
\tcopy(copied, text)
\treturn (*int8)(unsafe.Pointer(&copied[0]))
}}"
        )
    })
}
