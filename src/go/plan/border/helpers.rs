//! The Go functions that the statements call. Each is there only if one does.

use std::collections::BTreeSet;

use super::super::border_rules::{Check, Members, Rule, Span};
use super::super::scope::Scope;
use super::statements::{SEEN, UTF8, fields, finder, member, variants};
use crate::model::{Api, TypeId, TypeKind};

/// What the native file imports for this.
pub(in super::super) fn imports(scope: &Scope) -> Vec<&'static str> {
    let rules = scope.border.rules();
    let utf8 = rules.iter().any(|r| matches!(r, Rule::Text | Rule::Char));
    utf8.then_some("\"unicode/utf8\"").into_iter().collect()
}

/// The helper functions.
pub(in super::super) fn helpers(api: &Api, scope: &Scope) -> Vec<String> {
    let rules = scope.border.rules();
    let mut out = Vec::new();
    for rule in &rules {
        match rule {
            Rule::Text => out.push(text()),
            Rule::Enum(id) if scope.border.enums.get(id) == Some(&Members::Listed) => {
                out.extend(listed(api, scope, *id));
            }
            Rule::Struct(id) => out.push(structure(scope, *id)),
            Rule::Sum(id) => out.push(sum(api, scope, *id)),
            _ => {}
        }
    }
    out.extend(spans(scope));
    out
}

/// Most text is ASCII: so many bytes at once, several times faster than package utf8 is with them.
fn text() -> String {
    format!(
        "// {UTF8} tells whether a string is UTF-8, as Rust's are. It looks at 32 bytes at once while they are ASCII.
func {UTF8}(s string) bool {{
\tconst high = 0x8080808080808080 // the bits that ASCII does not have
\tn := len(s)
\tif n < 8 {{
\t\tfor i := 0; i < n; i++ {{
\t\t\tif s[i] >= utf8.RuneSelf {{
\t\t\t\treturn utf8.ValidString(s)
\t\t\t}}
\t\t}}
\t\treturn true
\t}}
\tp := unsafe.Pointer(unsafe.StringData(s))
\ti := 0
\tfor ; i+32 <= n; i += 32 {{
\t\tw := (*[4]uint64)(unsafe.Add(p, i))
\t\tif (w[0]|w[1]|w[2]|w[3])&high != 0 {{
\t\t\treturn utf8.ValidString(s[i:])
\t\t}}
\t}}
\tfor ; i+8 <= n; i += 8 {{
\t\tif *(*uint64)(unsafe.Add(p, i))&high != 0 {{
\t\t\treturn utf8.ValidString(s[i:])
\t\t}}
\t}}
\t// The last 8 bytes, some of them for a second time.
\treturn *(*uint64)(unsafe.Add(p, n-8))&high == 0 || utf8.ValidString(s[i:])
}}"
    )
}

fn listed(api: &Api, scope: &Scope, id: TypeId) -> Option<String> {
    let TypeKind::Enum { variants, .. } = &api.def(id).kind else {
        return None;
    };
    let names = scope.types.get(&id)?;
    // C allows two names for one value, Go no two cases.
    let mut seen = BTreeSet::new();
    let members = names.members.iter().zip(variants);
    let members: Vec<&str> = members
        .filter(|(_, v)| seen.insert(v.value))
        .map(|(name, _)| name.as_str())
        .collect();
    let (name, ty) = (member(scope, id), &names.name);
    Some(format!(
        "// {name} tells the constants of {ty} from other numbers.
func {name}(value {ty}) bool {{
\tswitch value {{
\tcase {}:
\t\treturn true
\t}}
\treturn false
}}",
        members.join(", ")
    ))
}

fn structure(scope: &Scope, id: TypeId) -> String {
    let (name, ty) = (finder(scope, id), scope.type_name(id));
    let rules = scope.border.structs.get(&id).map_or(&[][..], Vec::as_slice);
    let statements = fields(scope, id, rules).join("\n");
    if !scope.border.cyclic.contains(&id) {
        return format!(
            "// {name} finds what Rust does not allow in a {ty}; it returns the end of a sentence, or nothing.
func {name}(v *{ty}) string {{
{statements}
\treturn \"\"
}}"
        );
    }
    format!(
        "// {name} finds what Rust does not allow in a {ty} and what it leads to, but for what was seen; it returns the end of a sentence, or nothing.
func {name}(v *{ty}, seen {SEEN}) string {{
\tif seen[v] {{
\t\treturn \"\"
\t}}
\tseen[v] = true
{statements}
\treturn \"\"
}}"
    )
}

fn sum(api: &Api, scope: &Scope, id: TypeId) -> String {
    let (name, ty) = (finder(scope, id), scope.type_name(id));
    let statements = variants(api, scope, id).join("\n");
    format!(
        "// {name} finds what Rust does not allow in a {ty}; it returns the end of a sentence, or nothing.
func {name}(v *{ty}) string {{
{statements}
\treturn \"\"
}}"
    )
}

/// Ranges of memory.
fn spans(scope: &Scope) -> Vec<String> {
    let checks = scope.border.functions.iter().flatten();
    let used: BTreeSet<Span> = checks
        .filter_map(|check| match check {
            Check::Apart(both) => Some(both.iter().map(|(_, span)| *span)),
            _ => None,
        })
        .flatten()
        .collect();
    if used.is_empty() {
        return Vec::new();
    }
    let mut out = vec![
        "// rsysoSpan is a range of memory.
type rsysoSpan struct{ from, to uintptr }

// meets tells whether two ranges have a byte in common.
func (a rsysoSpan) meets(b rsysoSpan) bool {
\treturn a.from < b.to && b.from < a.to && a.from < a.to && b.from < b.to
}"
        .to_string(),
    ];
    out.extend(used.into_iter().map(|span| {
        match span {
            Span::Text => {
                "// rsysoTextSpan is where the bytes of a string are.
func rsysoTextSpan(s string) rsysoSpan {
\tfrom := uintptr(unsafe.Pointer(unsafe.StringData(s)))
\treturn rsysoSpan{from, from + uintptr(len(s))}
}"
            }
            Span::Slice => {
                "// rsysoSliceSpan is where the elements of a slice are.
func rsysoSliceSpan[T any](s []T) rsysoSpan {
\tfrom := uintptr(unsafe.Pointer(unsafe.SliceData(s)))
\treturn rsysoSpan{from, from + uintptr(len(s))*unsafe.Sizeof(*new(T))}
}"
            }
            Span::Value => {
                "// rsysoSpanOf is where a value is, if there is one.
func rsysoSpanOf[T any](p *T) rsysoSpan {
\tif p == nil {
\t\treturn rsysoSpan{}
\t}
\tfrom := uintptr(unsafe.Pointer(p))
\treturn rsysoSpan{from, from + unsafe.Sizeof(*p)}
}"
            }
        }
        .to_string()
    }));
    out
}
