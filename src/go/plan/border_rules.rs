//! What each function has to look at.

use std::collections::{BTreeMap, BTreeSet};

use super::handles::Handles;
use crate::model::{Api, Declared, Field, Function, Kept, Type, TypeId, TypeKind, Variant};

/// What a value must be for Rust, beyond what its Go type says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// UTF-8.
    Text,
    /// A Unicode scalar value.
    Char,
    /// One of the constants of an enum.
    Enum(TypeId),
    /// A struct with rules for some of its fields ([`Border::structs`]).
    Struct(TypeId),
    /// A sum type: its tag is one of its constants, and the fields of that variant follow their rules ([`Border::sums`]).
    Sum(TypeId),
    /// A pointer, or a Go function.
    Pointer {
        /// Whether it must not be nil.
        needed: bool,
        /// What it leads to.
        to: Option<Box<Rule>>,
    },
    /// Each element of a slice or an array.
    Each(Box<Rule>),
}

/// A reference parameter, as a range of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Span {
    Text,
    Slice,
    /// A pointer to a type whose size is known.
    Value,
}

/// Something to look at before a call. Numbers are those of parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// A parameter follows its rule.
    Valid(usize, Rule),
    /// Two ranges have no byte in common.
    Apart([(usize, Span); 2]),
    /// Two pointers to a type whose size is not known differ, unless they are nil.
    Distinct(usize, usize),
}

/// How to tell the constants of an enum from other numbers; numbers are those of variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Members {
    /// From the lowest number of the Go type on.
    UpTo(usize),
    /// To the highest number of the Go type.
    From(usize),
    /// Without a hole.
    Between(usize, usize),
    /// One by one.
    Listed,
}

/// What all functions of a package have to look at.
#[derive(Debug, Default)]
pub(super) struct Border {
    /// In the order of the functions.
    pub(super) functions: Vec<Vec<Check>>,
    /// In the order of the functions: for each parameter that is a Go function, what its result must be.
    results: Vec<BTreeMap<usize, Rule>>,
    /// In the order of the functions that the library keeps: what their results must be.
    kept: Vec<Option<Rule>>,
    /// In the order of the functions that Go provides: the same.
    imports: Vec<Option<Rule>>,
    /// Fields with rules, by their numbers.
    pub(super) structs: BTreeMap<TypeId, Vec<(usize, Rule)>>,
    /// Sum types: for each variant, by its number, the fields with rules, by theirs.
    pub(super) sums: BTreeMap<TypeId, Vec<Vec<(usize, Rule)>>>,
    /// Structs that lead, through pointers, to themselves or to others that do.
    pub(super) cyclic: BTreeSet<TypeId>,
    /// Enums that do not have all numbers of their Go type.
    pub(super) enums: BTreeMap<TypeId, Members>,
}

impl Border {
    /// Whether a function looks at its parameters.
    pub fn looks(&self, function: usize) -> bool {
        self.functions.get(function).is_some_and(|c| !c.is_empty())
    }

    /// What the Go function that is given for a parameter must give.
    pub fn result(&self, function: usize, param: usize) -> Option<&Rule> {
        self.results.get(function)?.get(&param)
    }

    /// What the result of a function that the library keeps must be.
    pub fn kept(&self, id: usize) -> Option<&Rule> {
        self.kept.get(id)?.as_ref()
    }

    /// What the result of a function that Go provides must be.
    pub fn import(&self, index: usize) -> Option<&Rule> {
        self.imports.get(index)?.as_ref()
    }

    /// All rules that values are held against, those inside of others included.
    pub(super) fn rules(&self) -> BTreeSet<&Rule> {
        let checks = self.functions.iter().flatten();
        let valid = checks.filter_map(|check| match check {
            Check::Valid(_, rule) => Some(rule),
            _ => None,
        });
        let results = self.results.iter().flat_map(BTreeMap::values);
        let imports = self.imports.iter().chain(&self.kept).flatten();
        let mut open: Vec<&Rule> = valid.chain(results).chain(imports).collect();
        let mut found = BTreeSet::new();
        while let Some(rule) = open.pop() {
            if !found.insert(rule) {
                continue;
            }
            match rule {
                Rule::Pointer { to, .. } => open.extend(to.as_deref()),
                Rule::Each(elem) => open.push(elem),
                Rule::Struct(id) => open.extend(
                    self.structs
                        .get(id)
                        .into_iter()
                        .flatten()
                        .map(|(_, rule)| rule),
                ),
                Rule::Sum(id) => {
                    let variants = self.sums.get(id).into_iter().flatten();
                    open.extend(variants.flatten().map(|(_, rule)| rule));
                }
                Rule::Text | Rule::Char | Rule::Enum(_) => {}
            }
        }
        found
    }
}

/// Plans for all functions.
pub(super) fn plan(api: &Api, declared: &Declared, handles: &Handles) -> Border {
    let mut border = Border {
        enums: enums(api),
        ..Border::default()
    };
    let (no_enums, none) = (BTreeMap::new(), BTreeSet::new());
    let is_sum =
        |(id, kind): (TypeId, &TypeKind)| matches!(kind, TypeKind::Sum { .. }).then_some(id);
    let sums: BTreeSet<TypeId> = ids(api).filter_map(is_sum).collect();
    border.structs = structs(api, &border.enums, &sums);
    border.cyclic = cyclic(&border.structs);
    let structs = border.structs.keys().copied().collect();
    let all = Rules {
        enums: &border.enums,
        structs: &structs,
        sums: &sums,
    };
    border.sums = variants(api, &all);
    let imports = api.imports().iter();
    let imports = imports.map(|import| all.of_result(&import.ty)).collect();
    // What C's types say of values is less.
    let less = Rules {
        enums: &no_enums,
        structs: &none,
        sums: &none,
    };
    let fields = fields(api);
    let of_field = |(id, kept): (usize, &Kept)| match (
        fields.contains(&id),
        api.functions().iter().all(|f| f.foreign),
    ) {
        (false, _) => None,
        (true, true) => less.of_result(&kept.ty),
        (true, false) => all.of_result(&kept.ty),
    };
    let mut kept: Vec<Option<Rule>> = api.kept().iter().enumerate().map(of_field).collect();
    let (mut functions, mut results) = (Vec::new(), Vec::new());
    for f in api.functions() {
        if declared.trusts(f) {
            functions.push(Vec::new());
            results.push(BTreeMap::new());
            continue;
        }
        let rules = if f.foreign { &less } else { &all };
        let params = || f.params.iter().enumerate();
        let plain = params().filter(|(_, p)| handles.of(&p.ty).is_none());
        let valid = plain.filter_map(|(i, p)| Some(Check::Valid(i, rules.of(&p.ty)?)));
        functions.push(valid.chain(apart(api, f)).collect());
        for (_, p) in params() {
            if let Type::Kept { id, .. } = p.ty
                && let (Some(slot), Some(of)) = (kept.get_mut(id), api.kept().get(id))
                // Of several places, the one that asks for more counts.
                && (slot.is_none() || !f.foreign)
            {
                *slot = rules.of_result(&of.ty);
            }
        }
        results.push(
            params()
                .filter_map(|(i, p)| Some((i, rules.of_result(&p.ty)?)))
                .collect(),
        );
    }
    (border.functions, border.results) = (functions, results);
    (border.kept, border.imports) = (kept, imports);
    border
}

/// The functions that the library keeps and that are fields, by their numbers.
fn fields(api: &Api) -> BTreeSet<usize> {
    fn of(ty: &Type) -> Option<usize> {
        match ty {
            Type::Kept { id, .. } => Some(*id),
            Type::Array { elem, .. } => of(elem),
            _ => None,
        }
    }
    let fields = api.types().iter().flat_map(|def| def.kind.fields());
    fields.filter_map(|f| of(&f.ty)).collect()
}

/// From types to rules.
struct Rules<'a> {
    enums: &'a BTreeMap<TypeId, Members>,
    structs: &'a BTreeSet<TypeId>,
    sums: &'a BTreeSet<TypeId>,
}

impl Rules<'_> {
    /// What a Go function of that type must give.
    fn of_result(&self, function: &Type) -> Option<Rule> {
        match function {
            Type::Callback { result, .. } => self.of(result.as_deref()?),
            _ => None,
        }
    }

    fn of(&self, ty: &Type) -> Option<Rule> {
        match ty {
            Type::Str => Some(Rule::Text),
            Type::Char => Some(Rule::Char),
            // What a raw pointer leads to may be memory that has no value yet.
            Type::Slice {
                elem, pair: None, ..
            } => Some(Rule::Each(Box::new(self.of(elem)?))),
            Type::Array { elem, len } if *len > 0 => Some(Rule::Each(Box::new(self.of(elem)?))),
            Type::Pointer { to, kind, nullable } => {
                let to = to.as_deref().filter(|_| kind.is_reference());
                let to = to.and_then(|to| self.of(to)).map(Box::new);
                let needed = !nullable;
                (needed || to.is_some()).then_some(Rule::Pointer { needed, to })
            }
            Type::Callback {
                nullable: false, ..
            }
            | Type::Kept {
                nullable: false, ..
            } => Some(Rule::Pointer {
                needed: true,
                to: None,
            }),
            Type::Named(id) if self.enums.contains_key(id) => Some(Rule::Enum(*id)),
            Type::Named(id) if self.structs.contains(id) => Some(Rule::Struct(*id)),
            Type::Named(id) if self.sums.contains(id) => Some(Rule::Sum(*id)),
            _ => None,
        }
    }

    /// The fields with rules, by their numbers.
    fn ruled(&self, fields: &[Field]) -> Vec<(usize, Rule)> {
        let fields = fields.iter().enumerate();
        fields
            .filter_map(|(i, f)| Some((i, self.of(&f.ty)?)))
            .collect()
    }
}

fn ids(api: &Api) -> impl Iterator<Item = (TypeId, &TypeKind)> {
    (0u32..)
        .zip(api.types())
        .map(|(n, def)| (TypeId(n), &def.kind))
}

fn enums(api: &Api) -> BTreeMap<TypeId, Members> {
    let found = ids(api).filter_map(|(id, kind)| match kind {
        TypeKind::Enum { repr, variants } => {
            let bits = repr.size() * 8;
            let (low, high) = match repr.signed() {
                true => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
                false => (0, (1i128 << bits) - 1),
            };
            Some((id, members(variants, low, high)?))
        }
        _ => None,
    });
    found.collect()
}

/// How to tell the variants from the other numbers from `low` to `high`; None when there are no others, or no variants.
fn members(variants: &[Variant], low: i128, high: i128) -> Option<Members> {
    let values: BTreeSet<i128> = variants.iter().map(|v| v.value).collect();
    let at = |value: i128| variants.iter().position(|v| v.value == value);
    let (first, last) = (*values.first()?, *values.last()?);
    if values.len() as i128 != last - first + 1 {
        return Some(Members::Listed);
    }
    match (first == low, last == high) {
        (true, true) => None,
        (true, false) => Some(Members::UpTo(at(last)?)),
        (false, true) => Some(Members::From(at(first)?)),
        (false, false) => Some(Members::Between(at(first)?, at(last)?)),
    }
}

/// The structs with rules. They may refer to each other in any way, so they are looked at until no more are found.
fn structs(
    api: &Api,
    enums: &BTreeMap<TypeId, Members>,
    sums: &BTreeSet<TypeId>,
) -> BTreeMap<TypeId, Vec<(usize, Rule)>> {
    let mut known = BTreeSet::new();
    loop {
        let rules = Rules {
            enums,
            structs: &known,
            sums,
        };
        let found: BTreeMap<TypeId, Vec<(usize, Rule)>> = ids(api)
            .filter_map(|(id, kind)| match kind {
                TypeKind::Struct { fields, .. } => {
                    Some((id, rules.ruled(fields))).filter(|(_, ruled)| !ruled.is_empty())
                }
                _ => None,
            })
            .collect();
        let now: BTreeSet<TypeId> = found.keys().copied().collect();
        if now == known {
            return found;
        }
        known = now;
    }
}

/// The rules of all sum types.
fn variants(api: &Api, rules: &Rules<'_>) -> BTreeMap<TypeId, Vec<Vec<(usize, Rule)>>> {
    let found = ids(api).filter_map(|(id, kind)| match kind {
        TypeKind::Sum { variants, .. } => {
            let each = variants.iter().map(|v| rules.ruled(&v.fields));
            Some((id, each.collect()))
        }
        _ => None,
    });
    found.collect()
}

/// The struct whose rules come next, if any. What is in a sum type holds no references, so it leads nowhere.
pub(super) fn next(rule: &Rule) -> Option<TypeId> {
    match rule {
        Rule::Struct(id) => Some(*id),
        Rule::Pointer { to, .. } => next(to.as_deref()?),
        Rule::Each(elem) => next(elem),
        Rule::Text | Rule::Char | Rule::Enum(_) | Rule::Sum(_) => None,
    }
}

fn cyclic(structs: &BTreeMap<TypeId, Vec<(usize, Rule)>>) -> BTreeSet<TypeId> {
    let next = |id: &TypeId| {
        let fields = structs.get(id).into_iter().flatten();
        fields.filter_map(|(_, rule)| next(rule))
    };
    let reached = |id: TypeId| {
        let mut seen = BTreeSet::new();
        let mut open: Vec<TypeId> = next(&id).collect();
        while let Some(at) = open.pop() {
            if seen.insert(at) {
                open.extend(next(&at));
            }
        }
        seen
    };
    let all: BTreeMap<TypeId, BTreeSet<TypeId>> =
        structs.keys().map(|id| (*id, reached(*id))).collect();
    let leads_back = |id: &TypeId| all.get(id).is_some_and(|reached| reached.contains(id));
    let cyclic = all
        .iter()
        .filter(|(id, reached)| leads_back(id) || reached.iter().any(leads_back));
    cyclic.map(|(id, _)| *id).collect()
}

/// The pairs of references that must not meet: one of them is `&mut`.
fn apart(api: &Api, f: &Function) -> Vec<Check> {
    let references: Vec<(usize, &Type, bool)> = f
        .params
        .iter()
        .enumerate()
        .filter_map(|(i, p)| match &p.ty {
            Type::Str => Some((i, &p.ty, false)),
            Type::Slice {
                mutable,
                pair: None,
                ..
            } => Some((i, &p.ty, *mutable)),
            Type::Pointer {
                kind, to: Some(_), ..
            } if kind.is_reference() => {
                Some((i, &p.ty, *kind == crate::model::PointerKind::RefMut))
            }
            _ => None,
        })
        .collect();
    let mut checks = Vec::new();
    for (n, &(i, a, a_mut)) in references.iter().enumerate() {
        for &(j, b, b_mut) in &references[n + 1..] {
            if a_mut || b_mut {
                checks.extend(both(api, (i, a), (j, b)));
            }
        }
    }
    checks
}

fn both(api: &Api, (i, a): (usize, &Type), (j, b): (usize, &Type)) -> Option<Check> {
    let pointee = |ty: &Type| match ty {
        Type::Pointer { to: Some(to), .. } => Some((**to).clone()),
        _ => None,
    };
    let opaque = |ty: &Type| match pointee(ty) {
        Some(Type::Named(id)) => api.def(id).kind.layout().is_none().then_some(id),
        _ => None,
    };
    match (opaque(a), opaque(b)) {
        (Some(one), Some(other)) => return (one == other).then_some(Check::Distinct(i, j)),
        (None, None) => {}
        _ => return None,
    }
    let span = |ty: &Type| match ty {
        Type::Str => Some(Span::Text),
        Type::Slice { .. } => Some(Span::Slice),
        _ => pointee(ty)
            .filter(|to| api.layout(to).size > 0)
            .map(|_| Span::Value),
    };
    Some(Check::Apart([(i, span(a)?), (j, span(b)?)]))
}
