//! One API from debug information and headers: types that both name are one, and comments that the sources do not give come from the header.

use std::collections::{HashMap, VecDeque};

use super::compare::Comparison;
use crate::base::diag::Problem;
use crate::base::identifiers::exported;
use crate::model::{Function, Signatures, Type, TypeDef, TypeId, TypeKind};
use crate::sig::callback_names;

/// Adds functions of the header, whose types are those of `header`, and the header's comments to functions that both have. Types of one
/// name that differ are told.
pub(super) fn merge(
    mut api: Signatures,
    header: &Signatures,
    added: Vec<Function>,
    both: &[(usize, Function)],
    differences: &mut Vec<Problem>,
    title: &str,
) -> Signatures {
    let by_name: HashMap<String, TypeId> = (0u32..)
        .zip(&api.types)
        .map(|(n, def)| (go_name(def), TypeId(n)))
        .collect();
    differences.extend(types_that_differ(&api, header, &by_name, &added, title));
    for (index, c) in both {
        if let Some(rust) = api.functions.get_mut(*index) {
            callback_names::complete(rust, c);
            if rust.doc.is_empty() {
                rust.doc.clone_from(&c.doc);
            }
        }
    }
    for def in &header.types {
        let known = by_name
            .get(&go_name(def))
            .and_then(|id| api.types.get_mut(id.0 as usize));
        if let Some(known) = known {
            add_docs(known, def);
            // A header that tells all fields says what no source at hand did: it has C's layout.
            if let (TypeKind::Opaque { layout, made }, TypeKind::Opaque { layout: c, .. }) =
                (&mut known.kind, &def.kind)
            {
                *made |= c.is_some() && layout == c;
            }
        }
    }
    let mut merger = Merger {
        header,
        by_name,
        ids: HashMap::new(),
        todo: VecDeque::new(),
        types: api.types,
    };
    for mut function in added {
        for ty in function
            .params
            .iter_mut()
            .map(|p| &mut p.ty)
            .chain(&mut function.result)
        {
            merger.renumber(ty);
        }
        api.functions.push(function);
    }
    while let Some((old, new)) = merger.todo.pop_front() {
        let mut def = header.def(old).clone();
        def.kind
            .fields_mut()
            .for_each(|f| merger.renumber(&mut f.ty));
        if let Some(slot) = merger.types.get_mut(new.0 as usize) {
            *slot = def;
        }
    }
    api.types = merger.types;
    api.functions.sort_by(|a, b| a.symbol.cmp(&b.symbol));
    api
}

/// Types of one name that are not the same.
fn types_that_differ(
    api: &Signatures,
    header: &Signatures,
    by_name: &HashMap<String, TypeId>,
    added: &[Function],
    title: &str,
) -> Vec<Problem> {
    let mut found = Vec::new();
    for (id, def) in (0u32..).zip(&header.types) {
        let Some(&known) = by_name.get(&go_name(def)) else {
            continue;
        };
        let contradicts = api.def(known).kind.is_opaque()
            && !def.kind.is_opaque()
            && used_by_value(header, added, TypeId(id));
        if contradicts || !Comparison::new(api, header).same_named(known, TypeId(id), 0) {
            let problem = Problem::new(format!(
                "the type `{}` of the header and `{}` of the library's debug information differ",
                def.name,
                api.def(known).path
            ));
            found.push(problem.at(title).help("was the header made from another version of the library? Make it again from the sources of this build"));
        }
    }
    found
}

/// Types are one when Go would name them so: cbindgen writes `Pair<u8>` as `Pair_u8`.
pub(super) fn go_name(def: &TypeDef) -> String {
    exported(&def.name, 'X')
}

fn used_by_value(header: &Signatures, added: &[Function], id: TypeId) -> bool {
    let by_value = |ty: &Type| *ty == Type::Named(id);
    let fields = header.types.iter().flat_map(|t| t.kind.fields());
    let params = added
        .iter()
        .flat_map(|f| f.params.iter().map(|p| &p.ty).chain(&f.result));
    params.chain(fields.map(|f| &f.ty)).any(by_value)
}

/// Comments of the header where there are none, and what C calls variants.
fn add_docs(known: &mut TypeDef, def: &TypeDef) {
    let add = |doc: &mut String, other: &String| {
        if doc.is_empty() {
            doc.clone_from(other);
        }
    };
    if known.kind.is_opaque() == def.kind.is_opaque() {
        add(&mut known.doc, &def.doc);
    }
    if std::mem::discriminant(&known.kind) == std::mem::discriminant(&def.kind) {
        let fields = known.kind.fields_mut().zip(def.kind.fields());
        fields.for_each(|(f, o)| add(&mut f.doc, &o.doc));
    }
    if let (
        TypeKind::Enum { variants, .. } | TypeKind::Sum { variants, .. },
        TypeKind::Enum {
            variants: other, ..
        }
        | TypeKind::Sum {
            variants: other, ..
        },
    ) = (&mut known.kind, &def.kind)
    {
        variants.iter_mut().zip(other).for_each(|(v, o)| {
            add(&mut v.doc, &o.doc);
            add(&mut v.in_c, &o.in_c);
        });
    }
}

/// New numbers for the header's types.
struct Merger<'a> {
    header: &'a Signatures,
    by_name: HashMap<String, TypeId>,
    ids: HashMap<TypeId, TypeId>,
    /// Types to be copied, with their new numbers.
    todo: VecDeque<(TypeId, TypeId)>,
    types: Vec<TypeDef>,
}

impl Merger<'_> {
    fn renumber(&mut self, ty: &mut Type) {
        match ty {
            Type::Named(id) => *id = self.number(*id),
            _ => ty.parts_mut().into_iter().for_each(|p| self.renumber(p)),
        }
    }

    fn number(&mut self, old: TypeId) -> TypeId {
        if let Some(&new) = self.ids.get(&old) {
            return new;
        }
        let def = self.header.def(old);
        let new = match self.by_name.get(&go_name(def)) {
            Some(&known) => known,
            None => {
                let new = TypeId(u32::try_from(self.types.len()).unwrap_or(u32::MAX));
                self.types.push(def.clone());
                self.todo.push_back((old, new));
                new
            }
        };
        self.ids.insert(old, new);
        new
    }
}
