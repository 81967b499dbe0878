//! What `--keeps` says: which function pointers the library calls when the call that they were given to is over. No signature tells.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::diag::Result;
use crate::base::globs;
use crate::model::{Function, Said, Signatures, Type, UserData};

use super::destroys;

/// What the globs say of functions that take function pointers.
pub fn said(functions: &[Function], values: &[String]) -> Result<Said> {
    let takes = |f: &&Function| pointers(f).next().is_some();
    let names = || functions.iter().filter(takes).map(|f| f.symbol.as_str());
    let all: Vec<&str> = names().collect();
    let help = match all.is_empty() {
        true => "no exported function takes a function pointer".to_owned(),
        false => format!("function pointers are taken by: {}", globs::some(&all)),
    };
    let none = (
        "no exported function that takes a function pointer has such a name",
        help.as_str(),
    );
    globs::said("--keeps", values, |_| names(), none)
}

/// The function pointers of each function that are kept, by their numbers.
pub(super) fn find(
    read: &Signatures,
    user_data: &[BTreeMap<usize, UserData>],
    destroyed: &[BTreeSet<usize>],
    said: &Said,
) -> Vec<BTreeSet<usize>> {
    let rules = user_data.iter().zip(destroyed);
    let kept = read
        .functions
        .iter()
        .zip(rules)
        .map(|(f, (data, destroyed))| {
            if said.get(&f.symbol) != Some(&true) {
                return BTreeSet::new();
            }
            // Those with a destroy function are kept without a word, and destroy functions belong to them.
            let destroys = |at: usize| {
                let mut of = data.iter().filter(|(f, _)| destroyed.contains(f));
                of.any(|(f, data)| destroys::place(*f, data) == at)
            };
            let own = |at: &usize| !destroyed.contains(at) && !destroys(*at);
            pointers(f).filter(own).collect()
        });
    kept.collect()
}

/// The numbers of the function pointers, whether it is decided that they are kept or not.
fn pointers(function: &Function) -> impl Iterator<Item = usize> {
    let pointer = |ty: &Type| matches!(ty, Type::Callback { .. } | Type::Kept { .. });
    let params = function.params.iter().enumerate();
    params.filter_map(move |(at, p)| pointer(&p.ty).then_some(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::diag::Kind;
    use crate::model::{Api, Conventions, Kept, Param, PointerKind};

    const DATA: Type = Type::Pointer {
        to: None,
        kind: PointerKind::Mut,
        nullable: true,
    };

    fn function(symbol: &str, types: &[Type]) -> Function {
        let params = types.iter().zip(["f", "user"]);
        Function {
            symbol: symbol.into(),
            params: params
                .map(|(ty, name)| Param {
                    name: name.into(),
                    ty: ty.clone(),
                })
                .collect(),
            ..Function::default()
        }
    }

    fn read() -> Signatures {
        let pointer = |params: &[Type]| Type::Callback {
            alias: String::new(),
            params: params.to_vec(),
            names: Vec::new(),
            result: None,
            user: None,
            nullable: true,
        };
        Signatures {
            functions: vec![
                function("bare", &[pointer(&[])]),
                function("close", &[]),
                function("listen", &[pointer(&[DATA]), DATA]),
                function("watch", &[pointer(&[DATA]), DATA]),
            ],
            ..Signatures::default()
        }
    }

    fn kept(globs: &[&str]) -> Result<Vec<String>> {
        let read = read();
        let values: Vec<_> = globs.iter().map(|g| g.to_string()).collect();
        let said = said(&read.functions, &values)?;
        let user_data = super::super::user_data::find(&read, &Said::new());
        let conventions = Conventions {
            kept: find(&read, &user_data, &[const { BTreeSet::new() }; 4], &said),
            user_data,
            ..Conventions::default()
        };
        let api = Api::new(read, &conventions);
        let kept = api.kept().iter();
        let named = |k: &Kept| {
            let pooled = if k.pooled() { " pooled" } else { "" };
            format!("{} {}{pooled}", k.owner.name(), k.name)
        };
        Ok(kept.map(named).collect())
    }

    #[test]
    fn the_last_glob_that_matches_counts() {
        assert_eq!(kept(&[]).unwrap(), [""; 0]);
        assert_eq!(kept(&["listen"]).unwrap(), ["listen f"]);
        assert_eq!(kept(&["*", "!watch", "!bare"]).unwrap(), ["listen f"]);
        assert_eq!(kept(&["bare"]).unwrap(), ["bare f pooled"]);
        assert_eq!(kept(&["!*", "[lw]*"]).unwrap(), ["listen f", "watch f"]);
    }

    #[test]
    fn an_alias_is_one_type_wherever_it_stands() {
        let called = |name: &str| Type::Callback {
            alias: name.into(),
            params: vec![DATA],
            names: Vec::new(),
            result: None,
            user: None,
            nullable: true,
        };
        let read = Signatures {
            functions: vec![
                function("a", &[called("event_fn"), DATA]),
                function("b", &[called("event_fn"), DATA]),
                // Without user data: told apart in another way.
                function("c", &[called("event_fn")]),
                function("d", &[called("other_fn")]),
            ],
            ..Signatures::default()
        };
        let said = said(&read.functions, &["*".into()]).unwrap();
        let user_data = super::super::user_data::find(&read, &Said::new());
        let conventions = Conventions {
            kept: find(&read, &user_data, &[const { BTreeSet::new() }; 4], &said),
            user_data,
            ..Conventions::default()
        };
        let api = Api::new(read, &conventions);
        let shown = api.kept().iter();
        let shown: Vec<_> = shown
            .map(|k| (k.owner.name(), k.alias.as_str(), k.shared))
            .collect();
        assert_eq!(
            shown,
            [
                ("a", "event_fn", true),
                ("c", "", false),
                ("d", "other_fn", false)
            ]
        );
    }

    #[test]
    fn what_takes_no_function_is_refused() {
        for glob in ["close", "!close", "none*"] {
            let error = kept(&[glob]).unwrap_err();
            assert_eq!(error.kind, Kind::Fault);
            let told = &error.problems[0];
            assert!(told.message.starts_with(&format!("--keeps {glob}:")));
            let help = told.help.as_deref();
            assert_eq!(
                help,
                Some("function pointers are taken by: bare, listen, watch")
            );
        }
    }
}
