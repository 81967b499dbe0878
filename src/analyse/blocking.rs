//! Functions that block: what the user says of them (`--blocking`), and what the analysis finds.

use crate::analyse::waits::Waits;
use crate::base::diag::{Error, Kind, Problem, Result};
use crate::base::globs;
use crate::base::report::{Progress, Wait, Waiting, count};
use crate::link::SecRef;
use crate::link::exports::Export;
use crate::link::live::shorten;
use crate::link::symbols::Inputs;
use crate::model::Api;

/// Chains in one warning.
const SHOWN: usize = 3;

/// Applies the globs of `--blocking` to the functions: for each, what they say of it.
pub fn declare(api: &mut Api, globs: &[String]) -> Result<Vec<Option<bool>>> {
    let mut problems = Vec::new();
    let mut declared = vec![None; api.functions.len()];
    for text in globs {
        let glob = match globs::parse("--blocking", text) {
            Ok(glob) => glob,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let mut any = false;
        for (function, said) in api.functions.iter().zip(&mut declared) {
            if glob.matcher.is_match(&function.symbol) {
                (any, *said) = (true, Some(glob.takes));
            }
        }
        if !any {
            problems.push(nothing_matches(text, api));
        }
    }
    Error::check(Kind::Fault, problems, ())?;
    for (function, said) in api.functions.iter_mut().zip(&declared) {
        function.blocking = *said == Some(true);
    }
    Ok(declared)
}

fn nothing_matches(text: &str, api: &Api) -> Problem {
    let names: Vec<_> = api.functions.iter().map(|f| f.symbol.as_str()).collect();
    Problem::new(format!(
        "--blocking {text}: no exported function has such a name"
    ))
    .help(format!("exported are: {}", some(&names)))
}

/// The first names of a list, and how many more there are.
fn some(names: &[&str]) -> String {
    const NAMED: usize = 8;
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("{}{more}", names[..names.len().min(NAMED)].join(", "))
}

/// The wait that an export reaches, as reports have it.
pub fn wait_of(inputs: &Inputs<'_>, waits: &Waits, export: &Export) -> Option<Wait> {
    let at = SecRef {
        obj: export.obj,
        sec: export.section,
    };
    let found = waits.of(inputs, at)?;
    Some(Wait {
        why: found.why.words().to_owned(),
        chain: found.chain,
    })
}

/// The functions of which there is something to say.
pub fn report(api: &Api, declared: &[Option<bool>], waits: &[Option<Wait>]) -> Vec<Waiting> {
    let each = api.functions.iter().zip(declared).zip(waits);
    let each = each.filter(|((_, declared), wait)| declared.is_some() || wait.is_some());
    each.map(|((function, declared), wait)| Waiting {
        symbol: function.symbol.clone(),
        declared: *declared,
        wait: wait.clone(),
    })
    .collect()
}

/// Warns of functions that can wait and of which `--blocking` says nothing: one warning for each way of waiting.
pub fn warn(api: &Api, waits: &[Waiting], progress: &dyn Progress) {
    let mut groups: Vec<(&str, Vec<(&str, &Wait)>)> = Vec::new();
    for waiting in waits.iter().filter(|w| w.declared.is_none()) {
        let Some(wait) = &waiting.wait else { continue };
        let entry = (waiting.symbol.as_str(), wait);
        match groups.iter_mut().find(|(why, _)| *why == wait.why) {
            Some((_, list)) => list.push(entry),
            None => groups.push((&wait.why, vec![entry])),
        }
    }
    for (why, list) in groups {
        progress.warn(&warning(api, why, &list));
    }
}

fn warning(api: &Api, why: &str, list: &[(&str, &Wait)]) -> Problem {
    let symbols: Vec<_> = list.iter().map(|(symbol, _)| *symbol).collect();
    let (who, mut problem) = match symbols.as_slice() {
        [one] => {
            let function = api.functions.iter().find(|f| f.symbol == *one);
            let source = function.and_then(|f| f.source.as_ref());
            let message = format!("{one} can {why}, and Go's garbage collector waits with it");
            let mut problem = Problem::new(message);
            problem.place = source.map(|s| format!("{}:{}", s.file, s.line));
            (*one, problem)
        }
        _ => {
            let all = count(symbols.len(), "function");
            let message = format!("{all} can {why}, and Go's garbage collector waits with them");
            ("GLOB", Problem::new(message).note(some(&symbols)))
        }
    };
    for (_, wait) in list.iter().take(SHOWN) {
        problem = problem.note(format!("by {}", shorten(&wait.chain)));
    }
    problem.help(format!(
        "say which: `--blocking '{who}'` if it can last, `--blocking '!{who}'` if it is short"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Function;
    use std::sync::Mutex;

    fn api(names: &[&str]) -> Api {
        let functions = names.iter().map(|name| Function {
            symbol: name.to_string(),
            params: vec![],
            result: None,
            doc: String::new(),
            source: None,
            path: String::new(),
            blocking: false,
            trusted: false,
            foreign: false,
        });
        Api {
            functions: functions.collect(),
            ..Api::default()
        }
    }

    fn said(globs: &[&str]) -> Result<Vec<Option<bool>>> {
        let globs: Vec<_> = globs.iter().map(|g| g.to_string()).collect();
        declare(&mut api(&["db_get", "db_len", "now"]), &globs)
    }

    #[test]
    fn the_last_glob_that_matches_counts() {
        assert_eq!(said(&[]).unwrap(), [None, None, None]);
        assert_eq!(
            said(&["db_*", "!db_len", "!db_get"]).unwrap(),
            [Some(false), Some(false), None]
        );
    }

    #[test]
    fn globs_that_match_nothing_are_told_together() {
        let error = said(&["db_*", "dbget", "!sleep*", "a[", "!"]).unwrap_err();
        assert_eq!(error.kind, Kind::Fault);
        let messages: Vec<_> = error.problems.iter().map(|p| p.message.as_str()).collect();
        assert_eq!(messages.len(), 4, "{messages:?}");
        assert!(messages[0].contains("--blocking dbget:"), "{messages:?}");
        assert!(messages[1].contains("--blocking !sleep*:"), "{messages:?}");
        assert!(messages[2].contains("--blocking a[:"), "{messages:?}");
        let help = error.problems[0].help.as_deref().unwrap();
        assert_eq!(help, "exported are: db_get, db_len, now");
    }

    #[derive(Default)]
    struct Heard(Mutex<Vec<Problem>>);

    impl Progress for Heard {
        fn status(&self, _: &str, _: &str) {}
        fn detail(&self, _: &str, _: &str) {}
        fn warn(&self, problem: &Problem) {
            self.0.lock().unwrap().push(problem.clone());
        }
    }

    #[test]
    fn one_warning_for_each_way_of_waiting() {
        let wait = |symbol: &str, why: &str| {
            Some(Wait {
                why: why.into(),
                chain: vec![symbol.into(), "nanosleep".into()],
            })
        };
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        let api = api(&names);
        let mut waits: Vec<_> = names.iter().map(|n| wait(n, "sleep")).collect();
        waits[5] = wait("f", "wait for input");
        waits[6] = None;
        let mut declared = vec![None; names.len()];
        declared[0] = Some(false);
        let report = report(&api, &declared, &waits);
        assert_eq!(report.len(), 6, "g has nothing to say");
        let heard = Heard::default();
        warn(&api, &report, &heard);
        let heard = heard.0.into_inner().unwrap();
        let messages: Vec<_> = heard.iter().map(|p| p.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "4 functions can sleep, and Go's garbage collector waits with them",
                "f can wait for input, and Go's garbage collector waits with it",
            ]
        );
        assert_eq!(heard[0].notes[0], "b, c, d, e");
        assert_eq!(heard[0].notes.len(), 1 + SHOWN);
    }
}
