//! What the globs of `--blocking`, `--bare`, `--cstr` and `--trust` say of functions.

use crate::base::diag::Result;
use crate::base::globs;
use crate::model::{Api, Function, Said};

/// What is wrong with a glob.
const NO_SUCH_NAME: &str = "no exported function has such a name";

/// What `--blocking` says: whether calls can last.
pub fn blocking(api: &Api, values: &[String]) -> Result<Said> {
    let names: Vec<&str> = symbols(api).collect();
    let help = format!("exported are: {}", globs::some(&names));
    let none = (NO_SUCH_NAME, help.as_str());
    globs::said("--blocking", values, |_| symbols(api), none)
}

/// What `--bare` says: whether calls never become system calls of Go's while they run.
pub fn bare(api: &Api, values: &[String]) -> Result<Said> {
    let none = (NO_SUCH_NAME, "`rsyso inspect` lists the exports");
    globs::said("--bare", values, |_| symbols(api), none)
}

/// What `--cstr` says: whether parameters that are strings of C are strings of Go.
pub fn cstr(api: &Api, values: &[String]) -> Result<Said> {
    let takes = |f: &&Function| f.params.iter().any(|p| p.ty.is_c_string());
    let named = |_| {
        let functions = api.functions().iter().filter(takes);
        functions.map(|f| f.symbol.as_str())
    };
    let none = (
        "no exported function of such a name takes a `*const c_char`",
        "`rsyso inspect` lists the exports; a pointer with its length is a string by itself",
    );
    globs::said("--cstr", values, named, none)
}

/// What `--trust` says: whether arguments are passed as they are.
pub fn trusted(api: &Api, values: &[String]) -> Result<Said> {
    let none = (NO_SUCH_NAME, "`rsyso inspect` lists the exports");
    globs::said("--trust", values, |_| symbols(api), none)
}

fn symbols(api: &Api) -> impl Iterator<Item = &str> {
    api.functions().iter().map(|f| f.symbol.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::diag::Kind;
    use crate::model::{Function, Signatures};

    fn api() -> Api {
        let functions = ["db_get", "db_put", "now"].map(|symbol| Function {
            symbol: symbol.into(),
            ..Function::default()
        });
        Api::from(Signatures {
            functions: functions.into(),
            ..Signatures::default()
        })
    }

    type Read = fn(&Api, &[String]) -> Result<Said>;

    const FLAGS: [(&str, Read); 3] = [
        ("--blocking", blocking),
        ("--bare", bare),
        ("--trust", trusted),
    ];

    fn said(read: Read, globs: &[&str]) -> Result<Vec<(String, bool)>> {
        let globs: Vec<_> = globs.iter().map(|g| g.to_string()).collect();
        Ok(read(&api(), &globs)?.into_iter().collect())
    }

    #[test]
    fn the_last_glob_that_matches_counts() {
        for (_, read) in FLAGS {
            let said = |globs| said(read, globs).unwrap();
            let of = |symbol: &str, takes| (symbol.to_owned(), takes);
            assert!(said(&[]).is_empty());
            assert_eq!(
                said(&["db_*", "!db_put", "!db_get"]),
                [of("db_get", false), of("db_put", false)]
            );
            let all = said(&["!db_put", "*"]);
            assert!(all.len() == 3 && all.iter().all(|(_, takes)| *takes));
        }
    }

    #[test]
    fn globs_that_match_nothing_are_told_together() {
        for (flag, read) in FLAGS {
            let error = said(read, &["db_*", "dbget", "!sleep*", "a[", "!"]).unwrap_err();
            assert_eq!(error.kind, Kind::Fault);
            let told: Vec<_> = error.problems.iter().map(|p| p.message.as_str()).collect();
            assert_eq!(told.len(), 4, "{told:?}");
            for (told, glob) in told.iter().zip(["dbget", "!sleep*", "a[", "!"]) {
                assert!(told.starts_with(&format!("{flag} {glob}:")), "{told}");
            }
        }
        let error = said(blocking, &["dbget"]).unwrap_err();
        let help = error.problems[0].help.as_deref();
        assert_eq!(help, Some("exported are: db_get, db_put, now"));
    }
}
