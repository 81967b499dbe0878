//! Tagged unions as cbindgen writes them: of `repr(C)` a struct of the tag and a union without a name, of `repr(u8)` a union of structs that begin with
//! the tag. Others are what C has them for, since nothing says which number stands for which field: a struct, with a union in it.

use super::super::decl::{CField, CType, Record, Tag, is_nameless};
use super::{Layout, Resolved, Resolver};
use crate::model::{Field, TypeKind, Variant};

/// How cbindgen calls the tag.
const TAG: &str = "tag";
/// What ends the name of the struct of a variant.
const BODY: &str = "_Body";

/// One field of the union: the fields of a variant.
struct Payload<'d> {
    /// The variant's name, in another case.
    name: &'d str,
    record: &'d Record,
    /// The only field of a tuple has the name of the variant, and no struct with a name.
    tuple: bool,
}

impl Payload<'_> {
    fn is_of(&self, variant: &Variant) -> bool {
        plain(self.name) == plain(&variant.name)
    }
}

impl Resolver<'_> {
    /// The sum type that a struct or a union stands for, if it does.
    pub(super) fn sum(
        &mut self,
        key: &(Tag, String),
        record: &Record,
        title: &str,
        depth: u32,
    ) -> Resolved<Option<TypeKind>> {
        let declared = self.declared;
        let Some((first, rest)) = record.fields.split_first() else {
            return Ok(None);
        };
        let Some(enumeration) = self
            .tag_of(first)
            .filter(|_| record.about.refused.is_none())
        else {
            return Ok(None);
        };
        let (union, inside) = match (key.0, rest) {
            (Tag::Union, rest) => (rest, true),
            (Tag::Struct, [union]) => match self.bare(&union.ty) {
                CType::Tagged(Tag::Union, name) if union.name.is_empty() && is_nameless(name) => {
                    match declared.records.get(&(Tag::Union, name.clone())) {
                        Some(union) => (union.fields.as_slice(), false),
                        None => return Ok(None),
                    }
                }
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        let Some(payloads) = self.payloads(union, inside) else {
            return Ok(None);
        };
        let TypeKind::Enum {
            repr: tag,
            variants,
        } = self.enumeration(&enumeration, title)?
        else {
            return Ok(None);
        };
        let Some(mut variants) = matched(title, variants, &payloads) else {
            return Ok(None);
        };
        let Some(Layout { size, align }) = self.size_of(&CType::Tagged(key.0, key.1.clone()), 0)
        else {
            return Ok(None);
        };
        for variant in &mut variants {
            if let Some(payload) = payloads.iter().find(|p| p.is_of(variant)) {
                let from = (!inside).then(|| tag.size().next_multiple_of(align.max(1)));
                variant.fields = self.variant(payload, from, title, depth)?;
            }
        }
        Ok(Some(TypeKind::Sum {
            tag,
            variants,
            size,
            align,
        }))
    }

    /// The enum that a field is of, if it is a tag.
    fn tag_of(&self, field: &CField) -> Option<String> {
        match self.bare(&field.ty) {
            _ if field.name != TAG => None,
            CType::Tagged(Tag::Enum, name) => Some(name.clone()),
            CType::Name(name) if self.is_enum(name) => Some(name.clone()),
            _ => None,
        }
    }

    /// cbindgen writes the doc comment of a sum type at its tag.
    pub(super) fn doc_of_tag(&self, tag: Tag, name: &str) -> String {
        let record = self.declared.records.get(&(tag, name.to_owned()));
        let first = record.and_then(|r| r.fields.first());
        let enumeration = first.and_then(|f| self.tag_of(f));
        let found = enumeration.and_then(|name| self.declared.enums.get(&name));
        found.map_or(String::new(), |e| e.about.doc.clone())
    }

    /// The fields of the union, if all of them are written as those of variants are.
    fn payloads<'d>(&self, union: &'d [CField], inside: bool) -> Option<Vec<Payload<'d>>>
    where
        Self: 'd,
    {
        let declared = self.declared;
        let payload = |field: &'d CField| {
            let CType::Tagged(Tag::Struct, name) = self.bare(&field.ty) else {
                return None;
            };
            let record = declared.records.get(&(Tag::Struct, name.clone()))?;
            let own = match (inside, record.fields.split_first()) {
                (true, Some((tag, own))) => self.is_tag(tag).then_some(own)?,
                (true, None) => return None,
                (false, _) => &record.fields,
            };
            match (is_nameless(name) && field.name.is_empty(), own) {
                (true, [only]) => Some(Payload {
                    name: only.name.as_str(),
                    record,
                    tuple: true,
                }),
                (false, _) if name.ends_with(BODY) => Some(Payload {
                    name: field.name.as_str(),
                    record,
                    tuple: false,
                }),
                _ => None,
            }
        };
        union.iter().map(payload).collect()
    }

    /// Whether a field is the tag in the struct of a variant: `tag`, or `circle_tag` where the struct has no name.
    fn is_tag(&self, field: &CField) -> bool {
        let named = CField {
            name: TAG.to_owned(),
            ..field.clone()
        };
        field.name.ends_with(TAG) && self.tag_of(&named).is_some()
    }

    /// The fields of a variant. Their struct begins behind so many bytes, or with the tag.
    fn variant(
        &mut self,
        payload: &Payload<'_>,
        from: Option<u64>,
        title: &str,
        depth: u32,
    ) -> Resolved<Vec<Field>> {
        let (mut fields, _) = self.fields(Tag::Struct, payload.record, title, depth + 1)?;
        if from.is_none() && !fields.is_empty() {
            fields.remove(0);
        }
        for field in &mut fields {
            field.offset = field.offset.saturating_add(from.unwrap_or(0));
            if payload.tuple {
                field.name = "0".to_owned();
            }
        }
        Ok(fields)
    }
}

/// A name in any case, without what keeps it apart from C's keywords.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// The variants, if each of the union's fields is of one.
fn matched(
    title: &str,
    mut variants: Vec<Variant>,
    payloads: &[Payload<'_>],
) -> Option<Vec<Variant>> {
    let fit = |variants: &[Variant]| {
        payloads
            .iter()
            .all(|p| variants.iter().filter(|v| p.is_of(v)).count() == 1)
            && variants
                .iter()
                .all(|v| payloads.iter().filter(|p| p.is_of(v)).count() <= 1)
    };
    if fit(&variants) {
        return Some(variants);
    }
    without_mangling(title, &mut variants);
    fit(&variants).then_some(variants)
}

/// cbindgen writes the variants of `Maybe<u8>` as `Some_u8`, or `SomeU8`, as it does the type.
fn without_mangling(title: &str, variants: &mut [Variant]) {
    let Some(first) = variants.first().map(|v| v.name.clone()) else {
        return;
    };
    let begins = first
        .char_indices()
        .skip(1)
        .filter(|(_, c)| *c == '_' || c.is_uppercase());
    let common = begins.filter_map(|(at, _)| first.get(at..)).find(|end| {
        title.ends_with(end)
            && variants
                .iter()
                .all(|v| v.name.len() > end.len() && v.name.ends_with(end))
    });
    if let Some(end) = common {
        for variant in variants {
            let kept = variant.name.len() - end.len();
            variant.name.truncate(kept);
        }
    }
}
