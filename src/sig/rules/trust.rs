//! Functions whose arguments Go does not look at before a call (`--trust`).

use crate::base::diag::{Error, Kind, Problem, Result};
use crate::base::globs;
use crate::model::Api;

/// Applies the globs to the functions.
pub fn declare(api: &mut Api, globs: &[String]) -> Result<()> {
    let mut problems = Vec::new();
    for text in globs {
        let glob = match globs::parse("--trust", text) {
            Ok(glob) => glob,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let named = |symbol: &str| glob.matcher.is_match(symbol);
        let mut functions = api.functions.iter_mut().filter(|f| named(&f.symbol));
        let mut any = false;
        for function in &mut functions {
            (any, function.trusted) = (true, glob.takes);
        }
        if !any {
            problems.push(
                Problem::new(format!(
                    "--trust {text}: no exported function has such a name"
                ))
                .help("`rsyso inspect` lists the exports"),
            );
        }
    }
    Error::check(Kind::Fault, problems, ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::goabi;

    fn trusted(globs: &[&str]) -> Result<Vec<String>> {
        let functions = ["db_get", "db_put", "now"].map(|symbol| crate::model::Function {
            symbol: symbol.into(),
            ..goabi::callback(&[], None)
        });
        let mut api = Api {
            functions: functions.into(),
            ..Api::default()
        };
        let globs: Vec<_> = globs.iter().map(|g| g.to_string()).collect();
        declare(&mut api, &globs)?;
        let functions = api.functions.into_iter().filter(|f| f.trusted);
        Ok(functions.map(|f| f.symbol).collect())
    }

    #[test]
    fn the_last_glob_that_matches_counts() {
        assert!(trusted(&[]).unwrap().is_empty());
        assert_eq!(trusted(&["db_*", "!db_put"]).unwrap(), ["db_get"]);
        assert_eq!(trusted(&["!db_put", "*"]).unwrap().len(), 3);
    }

    #[test]
    fn globs_that_match_nothing_are_told_together() {
        let error = trusted(&["db_*", "dbget", "!sleep*", "a["]).unwrap_err();
        assert_eq!(error.kind, Kind::Fault);
        let told: Vec<_> = error.problems.iter().map(|p| p.message.as_str()).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].starts_with("--trust dbget:"), "{told:?}");
        assert!(told[1].starts_with("--trust !sleep*:"), "{told:?}");
        assert!(told[2].starts_with("--trust a[:"), "{told:?}");
    }
}
