//! Sizes of types, those included that Go may not see into.

use super::{CType, Layout, NESTING_LIMIT, Resolver, Tag, Type, names};

impl Resolver<'_> {
    /// Bytes and alignment of a type that Go may not see into; None when the header does not say.
    pub(super) fn size_of(&mut self, ty: &CType, depth: u32) -> Option<Layout> {
        if depth > NESTING_LIMIT {
            return None;
        }
        let (tag, name) = match self.bare(ty) {
            CType::Pointer { .. } => return Some(Layout { size: 8, align: 8 }),
            CType::Array { elem, len } => {
                let elem = self.size_of(elem, depth + 1)?;
                let size = elem.size.checked_mul((*len)?)?;
                return Some(Layout { size, ..elem });
            }
            CType::Name(name) => match names::undeclared(name) {
                Some(ty) => return Some(self.api.layout(&ty)),
                None => (Tag::Enum, name),
            },
            CType::Tagged(tag, name) => (*tag, name),
            CType::Function(_) | CType::Other(_) => return None,
        };
        if tag == Tag::Enum {
            return self.enumeration(name, name).ok()?.layout();
        }
        let key = (tag, name.clone());
        if let Some(known) = self.layouts.get(&key) {
            return *known;
        }
        // While it is looked at, it holds itself, which none does.
        self.layouts.insert(key.clone(), None);
        let layout = self.size_of_record(&key, depth);
        self.layouts.insert(key, layout);
        layout
    }

    fn size_of_record(&mut self, key: &(Tag, String), depth: u32) -> Option<Layout> {
        let declared = self.declared;
        let record = declared.records.get(key).filter(|r| r.natural)?;
        let (mut size, mut align) = (0u64, 1u64);
        for field in &record.fields {
            let inner = self.size_of(&field.ty, depth + 1)?;
            align = align.max(inner.align);
            let offset = match key.0 {
                Tag::Union => 0,
                _ => size.checked_next_multiple_of(inner.align)?,
            };
            size = size.max(offset.checked_add(inner.size)?);
        }
        let size = size.checked_next_multiple_of(align).filter(|s| *s > 0)?;
        Some(Layout { size, align })
    }

    /// Checked: lengths of arrays come from the input.
    pub(super) fn layout(&self, ty: &Type) -> Option<Layout> {
        match ty {
            Type::Array { elem, len } => {
                let elem = self.layout(elem)?;
                let size = elem.size.checked_mul(*len)?;
                Some(Layout { size, ..elem })
            }
            _ => Some(self.api.layout(ty)),
        }
    }
}
