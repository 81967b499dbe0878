//! Structs and unions: fields and where they lie.

use super::super::decl::{CField, CType, Record, Tag, is_nameless};
use super::super::names;
use super::{Layout, NESTING_LIMIT, Resolved, Resolver, Why, refuse};
use crate::model::{Field, TypeKind};

/// What a union without a name is called where it is a field.
const UNNAMED: &str = "anon";

impl Resolver<'_> {
    /// Whether a type has neither a tag nor a field that names it.
    pub(super) fn is_unknown(&self, tag: Tag, name: &str) -> bool {
        is_nameless(name) && !self.of_fields.contains_key(&(tag, name.to_owned()))
    }

    /// What a struct or a union is to Go.
    pub(super) fn record(
        &mut self,
        tag: Tag,
        name: &str,
        title: &str,
        depth: u32,
    ) -> Resolved<TypeKind> {
        let declared = self.declared;
        let key = (tag, name.to_owned());
        let Some(record) = declared.records.get(&key) else {
            return Err(
                Why::new(format!("is `{title}`, which is declared but not described"))
                    .help("pass it behind a pointer"),
            );
        };
        if let Some(sum) = self.sum(&key, record, title, depth)? {
            return Ok(sum);
        }
        let (fields, Layout { size, align }) = self.fields(tag, record, title, depth)?;
        if fields.is_empty() || size == 0 {
            return refuse(format!("is `{title}`, which has no bytes"));
        }
        Ok(match tag {
            Tag::Union => TypeKind::Union {
                fields,
                size,
                align,
            },
            _ => TypeKind::Struct {
                fields,
                size,
                align,
            },
        })
    }

    /// The fields of a struct or a union, and its layout. Those of structs without a name in it are among them.
    pub(super) fn fields(
        &mut self,
        tag: Tag,
        record: &Record,
        title: &str,
        depth: u32,
    ) -> Resolved<(Vec<Field>, Layout)> {
        if depth > NESTING_LIMIT {
            return refuse("is nested too deep");
        }
        if let Some(why) = &record.about.refused {
            return refuse(format!("is `{title}`, which {why}"));
        }
        let mut fields = Vec::new();
        let (mut end, mut last, mut align) = (0u64, 0u64, 1u64);
        for field in &record.fields {
            let (mut found, layout) = self.field(tag, field, title, depth)?;
            let from = match tag {
                Tag::Union => Some(0),
                _ => last.checked_next_multiple_of(layout.align),
            };
            let Some(from) = from.filter(|from| from.checked_add(layout.size).is_some()) else {
                return refuse(format!("is `{title}`, which is too large"));
            };
            found
                .iter_mut()
                .for_each(|f| f.offset = f.offset.saturating_add(from));
            fields.extend(found);
            (last, align) = (from.saturating_add(layout.size), align.max(layout.align));
            end = end.max(last);
        }
        match end.checked_next_multiple_of(align) {
            Some(size) => Ok((fields, Layout { size, align })),
            None => refuse(format!("is `{title}`, which is too large")),
        }
    }

    /// What one field is to the struct or union around it: a field, several, or none.
    fn field(
        &mut self,
        around: Tag,
        field: &CField,
        title: &str,
        depth: u32,
    ) -> Resolved<(Vec<Field>, Layout)> {
        let declared = self.declared;
        // An array without elements aligns what follows, and has no bytes itself: `uint8_t _private[0]`.
        let (ty, empty) = match self.bare(&field.ty) {
            CType::Array { elem, len: Some(0) } => (elem.as_ref(), true),
            _ => (&field.ty, false),
        };
        let mut name = field.name.as_str();
        if let (CType::Tagged(tag, inner), "") = (self.bare(ty), name) {
            let key = (*tag, inner.clone());
            let record = declared.records.get(&key);
            match record.filter(|_| is_nameless(inner)) {
                // A union's views lie side by side, in whichever union.
                Some(record) if *tag == Tag::Struct || around == Tag::Union => {
                    return self.fields(*tag, record, title, depth + 1);
                }
                Some(_) => name = UNNAMED,
                None => return refuse(format!("is `{title}`, which has a field without a name")),
            }
        }
        self.name_after(self.bare(ty), &format!("{title}_{name}"));
        let ty = self.held(ty, depth + 1).map_err(|why| Why {
            reason: format!("is `{title}`, whose field `{name}` {}", why.reason),
            ..why
        })?;
        let Some(layout) = self.layout(&ty) else {
            return refuse(format!("is `{title}`, which is too large"));
        };
        if empty {
            return Ok((Vec::new(), Layout { size: 0, ..layout }));
        }
        let field = Field {
            name: names::field(name),
            ty,
            offset: 0,
            doc: field.about.doc.clone(),
        };
        Ok((vec![field], layout))
    }

    /// Names a type without a tag after the field that it is of, also behind pointers and in arrays.
    fn name_after(&mut self, ty: &CType, title: &str) {
        let mut ty = ty;
        for _ in 0..NESTING_LIMIT {
            match ty {
                CType::Pointer { to, .. } => ty = to,
                CType::Array { elem, .. } => ty = elem,
                CType::Tagged(tag, name) if is_nameless(name) => {
                    let key = (*tag, name.clone());
                    self.of_fields
                        .entry(key)
                        .or_insert_with(|| title.to_owned());
                    return;
                }
                _ => return,
            }
        }
    }
}
