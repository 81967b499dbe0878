//! From what was read to what is meant, and no further: the API is made once and stays as it is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::base::options::DEFAULT_POOL;

use super::{
    Constant, Function, Import, Int, Kept, Layout, Owner, Param, Side, Type, TypeDef, TypeId,
    TypeKind, UserData,
};

/// What was read: the exported functions as C has them, and the types that they name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signatures {
    /// In the order of their symbol names.
    pub functions: Vec<Function>,
    /// Functions that the library calls and Go provides, in the order of their symbol names.
    pub imports: Vec<Function>,
    /// Named types; [`Type::Named`] indexes this list.
    pub types: Vec<TypeDef>,
    /// Constants of C headers, as they stand there.
    pub constants: Vec<Constant>,
    /// The doc comment of the crate, if all functions are of one; empty when there is none.
    pub doc: String,
}

impl Signatures {
    /// The definition behind an id.
    pub fn def(&self, id: TypeId) -> &TypeDef {
        &self.types[id.0 as usize]
    }

    /// The crates that the functions are of, sorted; those that are not known are left out.
    pub fn crates(&self) -> Vec<&str> {
        let names = self
            .functions
            .iter()
            .filter_map(|f| f.path.split("::").next());
        let names: BTreeSet<&str> = names.filter(|n| !n.is_empty()).collect();
        names.into_iter().collect()
    }

    /// The layout of a type on the Rust side. `&str` and slices are two words there. Opaque types that Go cannot make have none: size 0.
    pub fn layout(&self, ty: &Type) -> Layout {
        let scalar = |n| Layout { size: n, align: n };
        match ty {
            Type::Bool => scalar(1),
            Type::Char | Type::F32 => scalar(4),
            Type::F64 | Type::Pointer { .. } | Type::Callback { .. } | Type::Kept { .. } => {
                scalar(8)
            }
            Type::Int(i) => scalar(i.size()),
            Type::Str | Type::Text { .. } | Type::Slice { .. } => Layout { size: 16, align: 8 },
            Type::Owned { .. } | Type::OwnedStr => Layout { size: 24, align: 8 },
            Type::Fallible { value } => {
                let v = value
                    .as_ref()
                    .map_or(Layout { size: 0, align: 1 }, |v| self.layout(v));
                let error = v.size.checked_next_multiple_of(8).unwrap_or(u64::MAX);
                Layout {
                    size: error.saturating_add(24),
                    align: v.align.max(8),
                }
            }
            Type::Array { elem, len } => {
                let e = self.layout(elem);
                Layout {
                    // Absurd sizes come from damaged input; whoever uses them has a limit.
                    size: e.size.saturating_mul(*len),
                    align: e.align,
                }
            }
            Type::Named(id) => {
                let none = Layout { size: 0, align: 1 };
                self.def(*id).kind.layout().unwrap_or(none)
            }
        }
    }
}

/// What types and names of signatures mean beyond C, as the rules of [`crate::sig::rules`] find it. Each rule gives one part.
#[derive(Clone, Debug, PartialEq)]
pub struct Conventions {
    /// The structs of `rsyso-ffi`, and what they stand for.
    pub owned: HashMap<TypeId, Type>,
    /// By function: the function pointers that take in the parameter beside them as their user data.
    pub user_data: Vec<BTreeMap<usize, UserData>>,
    /// By function: the pointers that take in the parameter behind them as their length, and the slice or the string that they are then.
    pub pairs: Vec<BTreeMap<usize, Param>>,
    /// By function: the function pointers that the library keeps.
    pub kept: Vec<BTreeSet<usize>>,
    /// By function: those that it keeps until it calls the destroy function behind their user data.
    pub destroyed: Vec<BTreeSet<usize>>,
    /// How many Go functions of one type there can be at a time where no user data tells them apart.
    pub pool: u32,
}

impl Default for Conventions {
    fn default() -> Self {
        Conventions {
            owned: HashMap::new(),
            user_data: Vec::new(),
            pairs: Vec::new(),
            kept: Vec::new(),
            destroyed: Vec::new(),
            pool: DEFAULT_POOL,
        }
    }
}

impl Conventions {
    /// The parameters of a function as they are meant; what is kept of them is added to `all`.
    fn params(
        &self,
        function: usize,
        symbol: &str,
        params: Vec<Param>,
        all: &mut Vec<Kept>,
    ) -> Vec<Param> {
        let is_in = |all: &[BTreeSet<usize>], at: usize| {
            let of = all.get(function);
            of.is_some_and(|of| of.contains(&at))
        };
        let user_data = |at: usize| self.user_data.get(function)?.get(&at);
        let in_front = |at: usize| user_data(at).is_some_and(|data| data.side == Side::InFront);
        let pair = |at: usize| self.pairs.get(function)?.get(&at);
        let mut meant = Vec::with_capacity(params.len());
        let mut rest = params.into_iter().enumerate();
        while let Some((at, mut param)) = rest.next() {
            if in_front(at + 1) {
                continue;
            }
            if let (Type::Callback { user, .. }, Some(data)) = (&mut param.ty, user_data(at)) {
                *user = Some(*data);
                if data.side == Side::Behind {
                    rest.next();
                }
            } else if let Some(slice) = pair(at) {
                param = slice.clone();
                rest.next();
            }
            self.replace(&mut param.ty);
            let destroyed = is_in(&self.destroyed, at);
            if destroyed {
                rest.next();
            }
            if matches!(param.ty, Type::Callback { .. }) && (destroyed || is_in(&self.kept, at)) {
                let owner = Owner::Export(symbol.to_owned());
                keep(owner, &param.name, &mut param.ty, destroyed, all);
            }
            meant.push(param);
        }
        meant
    }

    /// Puts what the structs of `rsyso-ffi` stand for in their place.
    fn replace(&self, ty: &mut Type) {
        match ty {
            Type::Named(id) => {
                if let Some(meant) = self.owned.get(id) {
                    *ty = meant.clone();
                }
            }
            _ => ty.parts_mut().into_iter().for_each(|p| self.replace(p)),
        }
    }
}

/// Makes the function pointers kept that are fields of types that functions lead to: the library may call them whenever it has the value.
fn keep_fields(meant: &mut Signatures, imports: &[Import], all: &mut Vec<Kept>) {
    let mut seen = BTreeSet::new();
    let mut open: Vec<TypeId> = Vec::new();
    for f in &meant.functions {
        let used = f.params.iter().map(|p| &p.ty).chain(&f.result);
        used.for_each(|ty| named(ty, &mut open));
    }
    let called = all.iter().map(|kept| &kept.ty);
    let called = called.chain(imports.iter().map(|import| &import.ty));
    called.for_each(|ty| named(ty, &mut open));
    while let Some(id) = open.pop() {
        let Some(def) = meant.types.get_mut(id.0 as usize) else {
            continue;
        };
        if !seen.insert(id) {
            continue;
        }
        let first = all.len();
        fields(def, id, all);
        let new = all[first..].iter().map(|kept| &kept.ty);
        let held = def.kind.fields().map(|f| &f.ty);
        new.chain(held).for_each(|ty| named(ty, &mut open));
    }
}

/// The named types that a type is made of.
fn named(ty: &Type, found: &mut Vec<TypeId>) {
    match ty {
        Type::Named(id) => found.push(*id),
        _ => ty.parts().into_iter().for_each(|part| named(part, found)),
    }
}

/// Makes those of one type kept.
fn fields(def: &mut TypeDef, id: TypeId, all: &mut Vec<Kept>) {
    let owner = Owner::Type(id, def.name.clone());
    match &mut def.kind {
        TypeKind::Struct { fields, .. } | TypeKind::Union { fields, .. } => {
            for field in fields {
                keep_field(&owner, &field.name, &mut field.ty, all);
            }
        }
        TypeKind::Sum { variants, .. } => {
            for variant in variants {
                let alone = variant.fields.len() == 1;
                for field in &mut variant.fields {
                    let name = match alone {
                        true => variant.name.clone(),
                        false => format!("{}_{}", variant.name, field.name),
                    };
                    keep_field(&owner, &name, &mut field.ty, all);
                }
            }
        }
        TypeKind::Enum { .. } | TypeKind::Opaque { .. } => {}
    }
}

/// Makes a function pointer, or an array of some, one that is kept. Those of an array are of one type.
fn keep_field(owner: &Owner, name: &str, ty: &mut Type, all: &mut Vec<Kept>) {
    match ty {
        Type::Array { elem, .. } => keep_field(owner, name, elem, all),
        Type::Callback { .. } => keep(owner.clone(), name, ty, false, all),
        _ => {}
    }
}

/// Makes a function pointer one that is kept. It is the one that is there if that has its alias and is the same to the library: the same parameters and
/// result, and told apart in the same way.
fn keep(owner: Owner, name: &str, ty: &mut Type, destroyed: bool, all: &mut Vec<Kept>) {
    let Type::Callback {
        alias, nullable, ..
    } = ty
    else {
        return;
    };
    let nullable = *nullable;
    // Those that are destroyed are plain functions to Go, and have no type.
    let mut alias = match destroyed {
        true => String::new(),
        false => alias.clone(),
    };
    if !alias.is_empty()
        && let Some(id) = all.iter().position(|kept| kept.alias == alias)
        && let Some(first) = all.get_mut(id)
    {
        if same_functions(&first.ty, ty) {
            first.shared = true;
            *ty = Type::Kept { id, nullable };
            return;
        }
        alias.clear();
    }
    let id = all.len();
    all.push(Kept {
        owner,
        name: name.to_owned(),
        alias,
        shared: false,
        ty: std::mem::replace(ty, Type::Kept { id, nullable }),
        destroyed,
    });
}

/// Whether two types of functions are one but for names, and for whether the pointer may be null.
fn same_functions(one: &Type, other: &Type) -> bool {
    match (one, other) {
        (
            Type::Callback {
                params,
                result,
                user,
                ..
            },
            Type::Callback {
                params: others,
                result: gives,
                user: data,
                ..
            },
        ) => params == others && result == gives && user == data,
        _ => false,
    }
}

/// The API of a library: its exported functions as they are meant, and the types that they name. It never changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Api {
    meant: Signatures,
    kept: Vec<Kept>,
    imports: Vec<Import>,
    pool: u32,
}

impl Api {
    /// What the signatures are by the conventions. Nowhere else is an API made.
    pub fn new(read: Signatures, conventions: &Conventions) -> Api {
        let mut meant = read;
        let mut kept = Vec::new();
        for (index, function) in meant.functions.iter_mut().enumerate() {
            let params = std::mem::take(&mut function.params);
            function.params = conventions.params(index, &function.symbol, params, &mut kept);
            function
                .result
                .iter_mut()
                .for_each(|ty| conventions.replace(ty));
        }
        for def in &mut meant.types {
            def.kind
                .fields_mut()
                .for_each(|f| conventions.replace(&mut f.ty));
        }
        let imports = std::mem::take(&mut meant.imports).into_iter();
        let imports: Vec<Import> = imports.map(Import::from).collect();
        keep_fields(&mut meant, &imports, &mut kept);
        Api {
            meant,
            kept,
            imports,
            pool: conventions.pool,
        }
    }

    /// In the order of their symbol names.
    pub fn functions(&self) -> &[Function] {
        &self.meant.functions
    }

    /// The function pointers that the library keeps; [`Type::Kept`] indexes this list.
    pub fn kept(&self) -> &[Kept] {
        &self.kept
    }

    /// Those of them that have a piece of code for each Go function, with their numbers among all, in order.
    pub fn pooled(&self) -> impl Iterator<Item = (usize, &Kept)> {
        let all = self.kept.iter().enumerate();
        all.filter(|(_, kept)| kept.pooled())
    }

    /// How many pieces each of those has.
    pub fn pool(&self) -> u32 {
        self.pool
    }

    /// The functions that the library calls and Go provides, in the order of their symbol names.
    pub fn imports(&self) -> &[Import] {
        &self.imports
    }

    /// The types of the functions that the library may call in any call of Go's: those that it keeps, and those that Go provides.
    pub fn called_back(&self) -> impl Iterator<Item = &Type> {
        let kept = self.kept.iter().map(|kept| &kept.ty);
        kept.chain(self.imports.iter().map(|import| &import.ty))
    }

    /// Whether it says of some that it is done with them.
    pub fn destroys(&self) -> bool {
        self.kept.iter().any(|kept| kept.destroyed)
    }

    /// Whether the library keeps function pointers, or calls functions that Go provides: then any call of any export may be one that has Go called, and comes
    /// back with the goroutine's stack at another place.
    pub fn keeps(&self) -> bool {
        self.called_back().next().is_some()
    }

    /// Named types; [`Type::Named`] indexes this list.
    pub fn types(&self) -> &[TypeDef] {
        &self.meant.types
    }

    /// Constants of C headers, as they stand there.
    pub fn constants(&self) -> &[Constant] {
        &self.meant.constants
    }

    /// The doc comment of the crate, if all functions are of one; empty when there is none.
    pub fn doc(&self) -> &str {
        &self.meant.doc
    }

    /// The definition behind an id.
    pub fn def(&self, id: TypeId) -> &TypeDef {
        self.meant.def(id)
    }

    /// The crates that the functions are of, sorted; those that are not known are left out.
    pub fn crates(&self) -> Vec<&str> {
        self.meant.crates()
    }

    /// Whether some function gives memory that Go has to give back.
    pub fn gives_memory(&self) -> bool {
        let mut results = self.functions().iter().filter_map(|f| f.result.as_ref());
        results.any(Type::gives_memory)
    }

    /// Whether strings of C cross the border: a raw pointer to `c_char`, wherever it stands.
    pub fn has_c_strings(&self) -> bool {
        let functions = self.functions().iter();
        let of_functions = functions.flat_map(|f| f.params.iter().map(|p| &p.ty).chain(&f.result));
        let of_types = self.types().iter().flat_map(|def| def.kind.fields());
        let mut open: Vec<&Type> = of_functions.chain(of_types.map(|f| &f.ty)).collect();
        open.extend(self.called_back());
        while let Some(ty) = open.pop() {
            if let Type::Pointer {
                to: Some(to), kind, ..
            } = ty
                && kind.is_raw()
                && **to == Type::Int(Int::I8)
            {
                return true;
            }
            open.extend(ty.parts());
        }
        false
    }

    /// The layout of a type, as [`Signatures::layout`] has it.
    pub fn layout(&self, ty: &Type) -> Layout {
        self.meant.layout(ty)
    }
}

impl From<Signatures> for Api {
    /// Signatures that mean what they say.
    fn from(read: Signatures) -> Api {
        Api::new(read, &Conventions::default())
    }
}
