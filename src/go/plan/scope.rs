//! The Go names of a whole API, without clashes.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::diag::{Error, Kind, Problem, Result};
use crate::model::{
    Api, Constant, Declared, Function, Kept, Owner, Type, TypeDef, TypeId, TypeKind, Variant,
};

use super::border_rules::{self, Border};
use super::check;
use super::handles::{Handles, Role};
use super::{c_strings, depart, lengths, owned, ownership, variants};
use crate::base::identifiers::{self as names, Naming, Prefix, Style};

/// Every name that the Go files declare.
#[derive(Debug)]
pub(super) struct Scope {
    /// In the order of `api.functions()`.
    pub functions: Vec<FunctionNames>,
    /// The types that the functions reach.
    pub types: BTreeMap<TypeId, TypeNames>,
    /// In the order of `api.constants()`.
    pub constants: Vec<String>,
    /// The functions for strings of C, where there are any.
    pub c_strings: Vec<String>,
    /// The types of the functions that the library keeps, in the order of `api.kept()`.
    pub kept: Vec<KeptNames>,
    /// The functions that set those that Go provides, in the order of `api.imports()`.
    pub imports: Vec<String>,
    /// Types with methods, and the functions that are their methods and constructors.
    pub handles: Handles,
    /// What functions look at before a call.
    pub border: Border,
    /// What flags say of the functions.
    pub declared: Declared,
}

/// One function.
#[derive(Debug)]
pub(super) struct FunctionNames {
    pub name: String,
    /// In the order of its parameters.
    pub params: Vec<String>,
}

/// One type.
#[derive(Debug)]
pub(super) struct TypeNames {
    pub name: String,
    /// Names of fields, of the methods that stand for a union's, or of the constants that stand for variants, in order.
    pub members: Vec<String>,
}

impl Scope {
    /// The name of a type.
    pub fn type_name(&self, id: TypeId) -> &str {
        self.types.get(&id).map_or("", |t| &t.name)
    }

    /// The type of functions that the library keeps.
    pub fn kept_name(&self, id: usize) -> &str {
        self.kept.get(id).map_or("", |kept| &kept.name)
    }

    /// Whether a piece of code stands for one of them.
    pub fn pooled(&self, id: usize) -> bool {
        self.kept.get(id).is_some_and(|kept| kept.pooled)
    }

    /// The type of such functions, if they are plain ones to Go.
    pub fn destroyed(&self, id: usize) -> Option<&Type> {
        self.kept.get(id)?.destroyed.as_ref()
    }
}

/// Functions that the library keeps.
#[derive(Debug)]
pub(super) struct KeptNames {
    /// Of their type; if there is none, of what belongs to them.
    pub name: String,
    /// The function's type, if the library says itself that it is done with one.
    pub destroyed: Option<Type>,
    /// Whether its values are addresses of code: no user data tells the functions apart.
    pub pooled: bool,
}

/// Names what has two meanings, by both.
#[derive(Default)]
struct Names {
    taken: BTreeMap<String, String>,
    /// The prefix that functions lost without being asked to.
    trimmed: String,
    problems: Vec<Problem>,
}

impl Names {
    fn take(&mut self, go: &str, rust: String) {
        if let Some(first) = self.taken.get(go) {
            let problem = Problem::new(format!("{first} and {rust} have the same Go name, `{go}`"));
            self.problems.push(match self.trimmed.as_str() {
                "" => problem.help(
                    "rename one of them, or leave the function that needs it out with --export '!NAME'",
                ),
                prefix => problem
                    .note(format!(
                        "`{prefix}` is left out, since all exports begin with it"
                    ))
                    .help("rename one of them, or keep the prefix with `--trim-prefix ''`"),
            });
        } else {
            self.taken.insert(go.to_string(), rust);
        }
    }
}

/// Names everything in `api`.
pub(super) fn scope(
    api: &Api,
    declared: &Declared,
    naming: &Naming,
    library: &str,
) -> Result<Scope> {
    let (style, wanted) = (naming.style, &naming.prefix);
    let symbols = called(api);
    let mut package = Names {
        trimmed: match wanted {
            Prefix::Auto => names::prefix(wanted, library, &symbols).into_owned(),
            Prefix::Given(_) => String::new(),
        },
        ..Names::default()
    };
    package.take(
        depart::PANIC,
        "the type of the values of Go panics".to_string(),
    );
    if owned::needs(api).errors {
        package.take(owned::ERROR, "the type of errors".to_string());
    }
    let go = function_names(api, naming, library)?;
    let trimmed = names::prefix(wanted, library, &symbols);
    // C has functions alone.
    let mut handles = match style {
        Style::Go => Handles::find(api, &trimmed, &go),
        Style::C => Handles::default(),
    };
    ownership::decide(api, declared, &mut handles);
    let functions = named(api, style, &go, &mut package);
    let mut types = BTreeMap::new();
    for id in check::reachable(api) {
        let mut names = type_names(style, api.def(id), &mut package);
        if let Some(handle) = handles.types.get(&id) {
            names.name.clone_from(&handle.raw);
            if handle.exposed {
                let of = format!("the pointers of the type `{}`", handle.name);
                package.take(&handle.raw, of.clone());
                package.take(&handle.wrap(), of.clone());
                package.take(&handle.borrow(), of);
            }
        }
        types.insert(id, names);
    }
    let kept = kept_names(api, style, &go, &mut package);
    for (index, f) in api.functions().iter().enumerate() {
        let Role::Constructor(name) = handles.role(index).clone() else {
            continue;
        };
        match package.taken.get(&name) {
            Some(other) => handles.demote(index, f, &format!("{other} has this name")),
            None => package.take(&name, format!("the constructor `{}`", f.symbol)),
        }
    }
    let imports = import_names(api, (style, &trimmed), &mut package);
    let c_strings = c_string_names(api, &functions, &mut handles, &mut package);
    let constants = constant_names(api, (style, &trimmed), &mut package);
    let border = border_rules::plan(api, declared, &handles);
    let scope = Scope {
        functions,
        types,
        constants,
        c_strings,
        kept,
        imports,
        handles,
        border,
        declared: declared.clone(),
    };
    Error::check(Kind::Fault, package.problems, scope)
}

/// The functions by these names.
fn named(api: &Api, style: Style, go: &[String], package: &mut Names) -> Vec<FunctionNames> {
    let all = go.iter().zip(api.functions());
    let named = all.map(|(name, f)| {
        package.take(name, format!("the function `{}`", f.symbol));
        let params = f.params.iter().map(|p| p.name.as_str());
        FunctionNames {
            name: name.clone(),
            params: parameters(style, params, lengths::used(f)),
        }
    });
    named.collect()
}

/// The names of the functions for strings of C. A method has its name at the type alone, so `foo_free` may be one. To a function that only has the name
/// since a prefix is left out, theirs gives way.
fn c_string_names(
    api: &Api,
    functions: &[FunctionNames],
    handles: &mut Handles,
    package: &mut Names,
) -> Vec<String> {
    let mut names = Vec::new();
    for own in c_strings::names(api) {
        let mut name = own.to_owned();
        let other = functions.iter().position(|f| f.name == own);
        let is_method = other.is_some_and(|index| *handles.role(index) != Role::Plain);
        if let Some(f) = other.and_then(|index| api.functions().get(index))
            && !is_method
            && !package.trimmed.is_empty()
        {
            name = c_strings::second_name(own);
            let what = format!(
                "the function for strings of C that is `{own}` elsewhere is `{name}` here: `{}` is `{own}`",
                f.symbol
            );
            let help = "`--trim-prefix ''` keeps the prefix of the exports";
            handles.notes.push(Problem::new(what).help(help));
        }
        if !is_method {
            package.take(&name, "a function for strings of C".to_string());
        }
        names.push(name);
    }
    names
}

/// The symbols of the functions: those of statics, which are upper case, begin otherwise.
fn called(api: &Api) -> Vec<&str> {
    let functions = api.functions().iter().filter(|f| !f.is_static);
    functions.map(|f| f.symbol.as_str()).collect()
}

/// What is left of a name in upper case without the prefix of the functions, `FOO_MAX` without `foo_`.
fn without_prefix<'n>(name: &'n str, prefix: &str) -> Option<&'n str> {
    let (head, rest) = name.split_at_checked(prefix.len())?;
    let begins = rest.starts_with(|c: char| c.is_ascii_alphabetic());
    (begins && head.eq_ignore_ascii_case(prefix)).then_some(rest)
}

/// The types of functions that the library keeps: called as the header or the source does, where that name is free. Else they are called after the export, and
/// after the parameter where it takes several; those of fields after both.
fn kept_names(api: &Api, style: Style, go: &[String], package: &mut Names) -> Vec<KeptNames> {
    let functions = api.functions();
    let several = |symbol: &str| {
        let of = |kept: &&Kept| matches!(&kept.owner, Owner::Export(s) if s == symbol);
        api.kept().iter().filter(of).nth(1).is_some()
    };
    let mut all = Vec::new();
    for kept in api.kept() {
        let (owner, field) = (kept.owner.name(), &kept.name);
        let own = Some(&kept.alias).filter(|alias| !alias.is_empty());
        let own = own.map(|alias| style.exported(alias, 'X'));
        let taken = |name: &String| {
            let new = format!("New{name}");
            package.taken.contains_key(name) || package.taken.contains_key(&new)
        };
        let by_place = || match &kept.owner {
            Owner::Type(..) => {
                let field = style.exported(field, 'F');
                format!("{}{field}Func", style.exported(owner, 'X'))
            }
            Owner::Export(symbol) => {
                let part = match several(symbol) {
                    true => style.exported(field, 'X'),
                    false => String::new(),
                };
                let at = functions.binary_search_by(|f| f.symbol.cmp(symbol));
                let go = at.ok().and_then(|at| go.get(at));
                format!("{}{part}Func", go.map_or("", String::as_str))
            }
        };
        let name = own.filter(|name| !taken(name)).unwrap_or_else(by_place);
        if !kept.destroyed {
            let of = format!("the functions for `{field}` of `{owner}`");
            package.take(&name, of.clone());
            package.take(&format!("New{name}"), of);
        }
        all.push(KeptNames {
            name,
            destroyed: kept.destroyed.then(|| kept.ty.clone()),
            pooled: kept.pooled(),
        });
    }
    all
}

/// The functions that set those that Go provides.
fn import_names(api: &Api, (style, prefix): (Style, &str), package: &mut Names) -> Vec<String> {
    let named = api.imports().iter().map(|import| {
        let rest = import.symbol.strip_prefix(prefix);
        let rest = rest.filter(|rest| !rest.is_empty());
        let go = style.exported(rest.unwrap_or(&import.symbol), 'X');
        let name = format!("Set{go}");
        package.take(&name, format!("what sets the function `{}`", import.symbol));
        name
    });
    named.collect()
}

/// The Go names of the exports, in the order of `api.functions()`.
fn function_names(api: &Api, naming: &Naming, library: &str) -> Result<Vec<String>> {
    let (symbols, wanted) = (called(api), &naming.prefix);
    let prefix = names::prefix(wanted, library, &symbols);
    if let Prefix::Given(given) = wanted
        && !given.is_empty()
        && !symbols.iter().any(|s| s.starts_with(given.as_str()))
    {
        return Err(Error::fault(
            Problem::new(format!("no exported function begins with `{given}`"))
                .help("give `--trim-prefix` the prefix as the symbols have it, e.g. `foo_`"),
        ));
    }
    let go_name = |f: &Function| {
        let rest = match f.is_static {
            true => without_prefix(&f.symbol, &prefix),
            false => f
                .symbol
                .strip_prefix(&*prefix)
                .filter(|rest| !rest.is_empty()),
        };
        naming.style.exported(rest.unwrap_or(&f.symbol), 'X')
    };
    Ok(api.functions().iter().map(go_name).collect())
}

/// The Go names of the header's constants, in the order of `api.constants()`. They lose the prefix of the functions where the short name is free.
fn constant_names(api: &Api, (style, prefix): (Style, &str), package: &mut Names) -> Vec<String> {
    let all = api.constants();
    let mut names = vec![String::new(); all.len()];
    let in_go = |name: &str| style.constant(name);
    let is_short = |c: &Constant| without_prefix(&c.name, prefix).is_some();
    // A name that loses nothing has no other.
    for short in [false, true] {
        let some = all.iter().zip(&mut names);
        for (constant, name) in some.filter(|(c, _)| is_short(c) == short) {
            let rest = without_prefix(&constant.name, prefix).map(in_go);
            *name = rest
                .filter(|rest| !package.taken.contains_key(rest))
                .unwrap_or_else(|| in_go(&constant.name));
            package.take(name, format!("the constant `{}`", constant.name));
        }
    }
    names
}

/// Parameters that meet after the mapping (`a_b` and `aB`) get underscores: nobody refers to them by name.
/// So do those that would hide what the function's body uses beyond the usual.
fn parameters<'a>(
    style: Style,
    rust: impl Iterator<Item = &'a str>,
    used: Option<&str>,
) -> Vec<String> {
    let mut taken: BTreeSet<String> = used.map(str::to_string).into_iter().collect();
    let mut out = Vec::new();
    for (i, name) in rust.enumerate() {
        let mut go = style.parameter(name, i);
        while !taken.insert(go.clone()) {
            go.push('_');
        }
        out.push(go);
    }
    out
}

fn type_names(style: Style, def: &TypeDef, package: &mut Names) -> TypeNames {
    let name = style.exported(&def.name, 'X');
    let path = match def.path.as_str() {
        "" => &def.name,
        path => path,
    };
    package.take(&name, format!("the type `{path}`"));
    let members = match &def.kind {
        TypeKind::Struct { fields, .. } | TypeKind::Union { fields, .. } => {
            let mut scope = Names::default();
            let members = fields
                .iter()
                .map(|f| {
                    let go = style.exported(&f.name, 'F');
                    scope.take(&go, format!("the field `{}` of `{path}`", f.name));
                    go
                })
                .collect();
            package.problems.append(&mut scope.problems);
            members
        }
        TypeKind::Enum { variants, .. } => variants
            .iter()
            .map(|v| {
                let go = style.variant(&name, &v.name, &v.in_c);
                package.take(&go, format!("the variant `{}` of `{path}`", v.name));
                go
            })
            .collect(),
        TypeKind::Sum { variants, .. } => {
            let tag = variants::tag_type(&name);
            package.take(&tag, format!("the type of the tag of `{path}`"));
            let mut member = |v: &Variant| {
                let variant = names::member(&v.name);
                let of = format!("the variant `{}` of `{path}`", v.name);
                package.take(&variants::constructor(&name, &variant), of.clone());
                // What C calls it is a constant without a type.
                let go = style.variant(&tag, &v.name, "");
                package.take(&go, of);
                go
            };
            variants.iter().map(&mut member).collect()
        }
        TypeKind::Opaque { .. } => Vec::new(),
    };
    TypeNames { name, members }
}
