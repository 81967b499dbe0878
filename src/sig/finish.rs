//! From the mapper's working list to the API's types: all contents read, equal types merged, unused ones dropped.

use std::collections::HashMap;

use super::types::{Def, Mapped, Mapper, State};
use crate::model::{Function, Type, TypeDef, TypeId, TypeKind};

impl Mapper<'_, '_> {
    /// Reads what is still queued, and compares every further description of a type with the first.
    pub fn complete(&mut self) -> Mapped<()> {
        let mut next = 0;
        loop {
            while next < self.defs.len() {
                let id = TypeId(u32::try_from(next).map_err(|_| gimli::Error::UnsupportedOffset)?);
                self.settle(id, 0)?;
                next += 1;
            }
            let Some(((object, at), id)) = self.twins.pop() else {
                return Ok(());
            };
            let (kind, doc, _) = self.described(object, at, 0)?;
            let size = Some(self.view(object)?.size(at)?.unwrap_or(0));
            let Some(def) = self.defs.get_mut(id.0 as usize) else {
                continue;
            };
            if def.size.is_none() {
                // Debug information tells more than the source.
                (def.state, def.size, def.doc) = (State::Done(kind), size, doc);
                continue;
            }
            let same =
                matches!(&def.state, State::Done(first) if *first == kind) && def.size == size;
            if !same && !self.conflicts.contains(&def.path) {
                self.conflicts.push(def.path.clone());
            }
        }
    }

    /// The types that the functions reach, in the order in which they reach them; the functions are renumbered to match.
    pub fn into_types(self, functions: &mut [Function]) -> Vec<TypeDef> {
        let types: Vec<TypeDef> = self.defs.into_iter().map(into_type).collect();
        let sized: Vec<bool> = types.iter().map(|t| t.kind.layout().is_some()).collect();
        let mut numbers = Numbers {
            of: HashMap::new(),
            order: Vec::new(),
            sized: &sized,
        };
        for function in functions {
            let used = function
                .params
                .iter_mut()
                .map(|p| &mut p.ty)
                .chain(&mut function.result);
            used.for_each(|ty| numbers.renumber(ty));
        }
        let mut kept: Vec<TypeDef> = Vec::new();
        while let Some(old) = numbers.order.get(kept.len()) {
            let Some(def) = types.get(old.0 as usize) else {
                break;
            };
            let mut def = def.clone();
            def.kind
                .fields_mut()
                .for_each(|f| numbers.renumber(&mut f.ty));
            kept.push(def);
        }
        kept
    }
}

fn into_type(def: Def) -> TypeDef {
    let kind = match def.state {
        State::Done(kind) => kind,
        State::Queued(_) | State::Open => TypeKind::UNKNOWN,
    };
    TypeDef {
        name: def.name,
        path: def.path,
        doc: def.doc,
        kind,
    }
}

/// New numbers for the types in use.
struct Numbers<'a> {
    of: HashMap<TypeId, TypeId>,
    /// Old numbers in the order of the new ones.
    order: Vec<TypeId>,
    /// Whether Go has values of the types, by their old numbers.
    sized: &'a [bool],
}

impl Numbers<'_> {
    fn renumber(&mut self, ty: &mut Type) {
        match ty {
            Type::Named(id) => *id = self.number(*id),
            // An array of a type without a known size has no Go type either.
            Type::Pointer { to, .. }
                if to.as_deref().is_some_and(|to| self.array_of_unsized(to)) =>
            {
                *to = None;
            }
            _ => ty.parts_mut().into_iter().for_each(|p| self.renumber(p)),
        }
    }

    fn array_of_unsized(&self, mut ty: &Type) -> bool {
        let mut array = false;
        while let Type::Array { elem, .. } = ty {
            (ty, array) = (elem, true);
        }
        matches!(ty, Type::Named(id) if array && self.sized.get(id.0 as usize) == Some(&false))
    }

    fn number(&mut self, old: TypeId) -> TypeId {
        let next = TypeId(u32::try_from(self.order.len()).unwrap_or(u32::MAX));
        *self.of.entry(old).or_insert_with(|| {
            self.order.push(old);
            next
        })
    }
}
