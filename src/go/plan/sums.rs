//! Sum types and unions: the bytes of a value, and functions that look into them.
//!
//! No field of a Go struct may be a pointer in one value and something else in another: Go's collector follows what is declared as a pointer, and ends the
//! program where one leads nowhere. So the bytes are numbers to it, pointers among them included. What a function of Go's writes through such a view is
//! on the heap (cmd/compile/internal/escape: what is stored through a pointer), but nothing keeps it there.

use std::collections::BTreeSet;

use crate::base::identifiers as names;
use crate::go::package::{Declaration, Item, Kind};
use crate::model::{Api, Field, Int, Type, TypeId, TypeKind, Variant};

use super::scope::{Scope, TypeNames};
use super::variants::{constructor, place, tag_type};
use super::{doc, types};

/// What is said where a pointer goes into such a value.
const UNSEEN: &str = "Go's collector does not see the pointers in it: what they lead to must be the library's, or be kept alive with runtime.KeepAlive.";

/// The type, and what looks into it.
pub(super) fn declare(
    api: &Api,
    scope: &Scope,
    id: TypeId,
    elsewhere: Option<&dyn Fn(&str) -> String>,
) -> Vec<Item> {
    let mut items = types::declare(api, scope, id);
    let Some(names) = scope.types.get(&id) else {
        return items;
    };
    let body = |name: &str, lines: Vec<String>| match elsewhere {
        None => lines,
        Some(panic) => vec![panic(name)],
    };
    let look = Looking {
        api,
        scope,
        names,
        body: &body,
    };
    match &api.def(id).kind {
        TypeKind::Union { fields, .. } => {
            let views = names.members.iter().zip(fields);
            items.extend(views.map(|(m, f)| look.view(m, f).into()));
        }
        TypeKind::Sum { tag, variants, .. } => {
            items.splice(0..0, look.tag(*tag, variants));
            items.extend(look.variants(variants));
        }
        _ => {}
    }
    items
}

/// What the declarations of one type are made from.
struct Looking<'a> {
    api: &'a Api,
    scope: &'a Scope,
    names: &'a TypeNames,
    /// The body of a function, by its name and its lines where there is code.
    body: &'a dyn Fn(&str, Vec<String>) -> Vec<String>,
}

impl Looking<'_> {
    fn function(
        &self,
        name: &str,
        text: String,
        doc: Vec<String>,
        lines: Vec<String>,
    ) -> Declaration {
        Declaration::new(Kind::Func, name, text)
            .doc(doc)
            .body((self.body)(name, lines))
    }

    /// A sentence of ours, and what Rust's comment says of the part that it is about.
    fn about(&self, sentence: &str, markdown: &str, hides: bool) -> Vec<String> {
        let parts = [
            vec![doc::line(sentence)],
            doc::lines(markdown),
            hides.then(|| UNSEEN.to_string()).into_iter().collect(),
        ];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|lines| !lines.is_empty())
            .map(|lines| lines.join("\n"))
            .collect();
        parts.join("\n\n").split('\n').map(str::to_string).collect()
    }

    /// A field of a union.
    fn view(&self, member: &str, field: &Field) -> Declaration {
        let name = &self.names.name;
        let (me, ty) = (types::receiver(name), types::go_type(self.scope, &field.ty));
        let sentence = format!("{member} is the field {}.", field.name);
        let doc = self.about(&sentence, &field.doc, self.hides([field].into_iter()));
        let text = format!("func ({me} *{name}) {member}() *{ty}");
        let lines = vec![format!("\treturn {}", place(&me, field.offset, &ty))];
        self.function(&format!("{name}.{member}"), text, doc, lines)
    }

    /// The type of the tag, and its constants.
    fn tag(&self, tag: Int, variants: &[Variant]) -> Vec<Item> {
        let TypeNames { name, members } = self.names;
        let tag_name = tag_type(name);
        let text = format!("type {tag_name} {}", types::enum_type(tag, variants));
        let about = format!("{tag_name} tells the variants of {name} apart.");
        let ty = Declaration::new(Kind::Type, &tag_name, text).doc([doc::line(&about)]);
        let mut items = vec![ty.into()];
        if !variants.is_empty() {
            items.extend(types::named_values(&tag_name, tag, members, variants));
        }
        items
    }

    /// What tells the variants, and the functions of each.
    fn variants(&self, variants: &[Variant]) -> Vec<Item> {
        let TypeNames { name, members } = self.names;
        let (me, tag) = (types::receiver(name), tag_type(name));
        let lines = vec![format!("\treturn *{}", place(&format!("&{me}"), 0, &tag))];
        let text = format!("func ({me} {name}) Tag() {tag}");
        let doc = vec!["Tag tells which variant the value is.".to_string()];
        let own = self.function(&format!("{name}.Tag"), text, doc, lines);
        let mut items = vec![own.into()];
        for (constant, variant) in members.iter().zip(variants) {
            items.push(self.constructor(constant, variant).into());
            items.push(self.accessor(constant, variant).into());
        }
        items
    }

    /// Whether a pointer is among the fields, where Go's collector does not see it.
    fn hides<'f>(&self, fields: impl Iterator<Item = &'f Field>) -> bool {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&Type> = fields.map(|f| &f.ty).collect();
        while let Some(ty) = open.pop() {
            match ty {
                Type::Pointer { to, .. } if !self.is_the_library_s(to.as_deref()) => return true,
                Type::Array { elem, .. } => open.push(elem),
                Type::Named(id) if seen.insert(*id) => {
                    open.extend(self.api.def(*id).kind.fields().map(|f| &f.ty));
                }
                _ => {}
            }
        }
        false
    }

    /// Whether Go can have no value of a type.
    fn is_the_library_s(&self, ty: Option<&Type>) -> bool {
        match ty {
            Some(Type::Named(id)) => self.api.def(*id).kind.layout().is_none(),
            _ => false,
        }
    }

    /// `NewShapeRect(w, h float32) Shape`
    fn constructor(&self, constant: &str, variant: &Variant) -> Declaration {
        let (name, tag) = (&self.names.name, tag_type(&self.names.name));
        let go = constructor(name, &names::member(&variant.name));
        let fields = self.named(&variant.fields, &[]);
        let params: Vec<String> = fields.iter().map(|(n, ty)| format!("{n} {ty}")).collect();
        let taken: Vec<String> = fields.iter().map(|(n, _)| n.clone()).collect();
        let local = names::unused("made", &taken);
        let mut lines = vec![
            format!("\tvar {local} {name}"),
            format!("\t*{} = {constant}", place(&format!("&{local}"), 0, &tag)),
        ];
        for (field, (param, ty)) in variant.fields.iter().zip(&fields) {
            let place = place(&format!("&{local}"), field.offset, ty);
            lines.push(format!("\t*{place} = {param}"));
        }
        lines.push(format!("\treturn {local}"));
        let sentence = format!("{go} makes the variant {}.", variant.name);
        let hides = self.hides(variant.fields.iter());
        let doc = self.about(&sentence, &variant.doc, hides);
        let text = format!("func {go}({}) {name}", types::grouped(&params));
        self.function(&go, text, doc, lines)
    }

    /// `(s Shape) AsRect() (w, h float32, ok bool)`
    fn accessor(&self, constant: &str, variant: &Variant) -> Declaration {
        let name = &self.names.name;
        let me = types::receiver(name);
        let go = format!("As{}", names::member(&variant.name));
        let fields = self.named(&variant.fields, std::slice::from_ref(&me));
        let taken: Vec<String> = fields
            .iter()
            .map(|(n, _)| n.clone())
            .chain([me.clone()])
            .collect();
        let ok = names::unused("ok", &taken);
        let named = fields.iter().map(|(n, ty)| format!("{n} {ty}"));
        let results: Vec<String> = named.chain([format!("{ok} bool")]).collect();
        let values = variant.fields.iter().zip(&fields);
        let values = values
            .map(|(field, (_, ty))| format!("*{}", place(&format!("&{me}"), field.offset, ty)));
        let values: Vec<String> = values.chain(["true".to_string()]).collect();
        let (sentence, lines) = match fields.is_empty() {
            true => (
                format!(
                    "{go} tells whether the value is the variant {}.",
                    variant.name
                ),
                vec![format!("\treturn {me}.Tag() == {constant}")],
            ),
            false => (
                format!(
                    "{go} returns the fields of the variant {}, and whether the value is that.",
                    variant.name
                ),
                vec![
                    format!("\tif {me}.Tag() != {constant} {{\n\t\treturn\n\t}}"),
                    format!("\treturn {}", values.join(", ")),
                ],
            ),
        };
        let text = match fields.is_empty() {
            true => format!("func ({me} {name}) {go}() bool"),
            false => format!("func ({me} {name}) {go}() ({})", types::grouped(&results)),
        };
        self.function(
            &format!("{name}.{go}"),
            text,
            vec![doc::line(&sentence)],
            lines,
        )
    }

    /// What the fields of a variant are called in Go, and their types.
    fn named(&self, fields: &[Field], taken: &[String]) -> Vec<(String, String)> {
        let mut taken = taken.to_vec();
        let mut out = Vec::new();
        for (i, field) in fields.iter().enumerate() {
            let number = field.name.bytes().all(|b| b.is_ascii_digit());
            let name = match (number, fields.len()) {
                (true, 1) => "value".to_string(),
                (true, _) => format!("value{i}"),
                (false, _) => names::parameter(&field.name, i),
            };
            let name = names::unused(&name, &taken);
            taken.push(name.clone());
            out.push((name, types::go_type(self.scope, &field.ty)));
        }
        out
    }
}
