//! What the attributes of an item say: its symbol, its `repr`, its doc comment.

use syn::punctuated::Punctuated;

/// What the attributes of a struct say of its layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repr {
    /// No `repr`, or one that leaves the order of fields to the compiler.
    Rust,
    /// `repr(C)`; `repr(u8)` and the like, of an enum.
    C,
    /// `repr(transparent)`.
    Transparent,
    /// `repr(C, packed)` and the like.
    Packed,
    /// `repr(C, align(N))`.
    Align,
}

/// The symbol that an attribute gives a function: `no_mangle`, `export_name = "..."`, also inside `unsafe(...)` or `cfg_attr(...)`.
pub(super) fn symbol(meta: &syn::Meta, ident: &syn::Ident) -> Option<String> {
    if meta.path().is_ident("no_mangle") {
        return Some(name_of(ident));
    }
    match meta {
        syn::Meta::List(list) if list.path.is_ident("unsafe") => {
            symbol(&list.parse_args().ok()?, ident)
        }
        // The condition comes first.
        syn::Meta::List(list) if list.path.is_ident("cfg_attr") => {
            let inside =
                list.parse_args_with(Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated);
            inside
                .ok()?
                .iter()
                .skip(1)
                .find_map(|meta| symbol(meta, ident))
        }
        syn::Meta::NameValue(pair) if pair.path.is_ident("export_name") => {
            string_value(pair).or_else(|| macro_of(pair, ident))
        }
        _ => None,
    }
}

/// The name of a function that gives it to a macro (`export_name = prefix!(foo_open)`). The macro may put something before it; but whoever
/// looks for the function of a symbol has one that is there, and no other function asks for this name.
fn macro_of(pair: &syn::MetaNameValue, ident: &syn::Ident) -> Option<String> {
    let syn::Expr::Macro(call) = &pair.value else {
        return None;
    };
    (*ident == call.mac.tokens.to_string()).then(|| name_of(ident))
}

/// None when a `cfg_attr` may add a `repr`.
pub(super) fn repr(attrs: &[syn::Attribute]) -> Option<Repr> {
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
                // Of enums. With fields they are laid out as C's, too (The Rust Reference, "Type layout").
                Some(
                    "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" | "isize",
                ) => base = Repr::C,
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

pub(super) fn attr_value(attr: &syn::Attribute) -> Option<String> {
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
pub(super) fn doc(attrs: &[syn::Attribute]) -> String {
    let texts = attrs
        .iter()
        .filter(|a| a.path().is_ident("doc"))
        .filter_map(attr_value);
    let mut lines: Vec<String> = Vec::new();
    for text in texts {
        if text.contains('\n') {
            // Lines of a block comment may each begin with a star.
            let star = |l: &str| {
                l.trim_start()
                    .strip_prefix('*')
                    .map_or(l.to_owned(), str::to_owned)
            };
            lines.extend(text.lines().map(star));
        } else {
            lines.push(text);
        }
    }
    undented(lines)
}

/// The lines of a doc comment as one text, without the blanks that all of them begin with.
pub(super) fn undented(lines: Vec<String>) -> String {
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

/// Raw identifiers (`r#type`) lose their prefix, as in debug information.
pub(super) fn name_of(ident: &syn::Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map_or(name.clone(), str::to_owned)
}
