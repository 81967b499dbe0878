//! Functions that block: what the analysis finds, beside what `--blocking` says of them.

use crate::analyse::waits::Waits;
use crate::base::diag::Problem;
use crate::base::globs;
use crate::base::report::{Progress, Wait, Waiting, count};
use crate::link::SecRef;
use crate::link::exports::Export;
use crate::link::inputs::Inputs;
use crate::link::live::shorten;
use crate::model::{Api, Said};

/// Chains in one warning.
const SHOWN: usize = 3;

/// The wait that an export reaches, as reports have it.
pub fn wait_of(inputs: &Inputs<'_>, waits: &Waits, export: &Export) -> Option<Wait> {
    if export.is_static {
        return None;
    }
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

/// The functions of which there is something to say; `declared` is what `--blocking` says.
pub fn report(api: &Api, declared: &Said, waits: &[Option<Wait>]) -> Vec<Waiting> {
    let each = api.functions().iter().zip(waits);
    let each = each.map(|(function, wait)| Waiting {
        symbol: function.symbol.clone(),
        declared: declared.get(&function.symbol).copied(),
        wait: wait.clone(),
    });
    each.filter(|w| w.declared.is_some() || w.wait.is_some())
        .collect()
}

/// Warns of functions that can wait and that `--bare` names: one warning for each way of waiting. Other calls that wait become system calls of Go's.
pub fn warn(api: &Api, waits: &[Waiting], bare: &Said, progress: &dyn Progress) {
    let mut groups: Vec<(&str, Vec<(&str, &Wait)>)> = Vec::new();
    let is_bare = |w: &&Waiting| w.declared != Some(true) && bare.get(&w.symbol) == Some(&true);
    for waiting in waits.iter().filter(is_bare) {
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
            let function = api.functions().iter().find(|f| f.symbol == *one);
            let source = function.and_then(|f| f.source.as_ref());
            let message =
                format!("{one} can {why}, and with --bare Go's garbage collector waits with it");
            let mut problem = Problem::new(message);
            problem.place = source.map(|s| format!("{}:{}", s.file, s.line));
            (*one, problem)
        }
        _ => {
            let all = count(symbols.len(), "function");
            let message =
                format!("{all} can {why}, and with --bare Go's garbage collector waits with them");
            ("GLOB", Problem::new(message).note(globs::some(&symbols)))
        }
    };
    for (_, wait) in list.iter().take(SHOWN) {
        problem = problem.note(format!("by {}", shorten(&wait.chain)));
    }
    problem.help(format!(
        "without it, calls that wait keep nobody: `--bare '!{who}'`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Function, Signatures};
    use std::sync::Mutex;

    fn api(names: &[&str]) -> Api {
        let functions = names.iter().map(|name| Function {
            symbol: name.to_string(),
            ..Function::default()
        });
        Api::from(Signatures {
            functions: functions.collect(),
            ..Signatures::default()
        })
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
        let declared = Said::from([("a".to_owned(), false), ("c".to_owned(), true)]);
        let report = report(&api, &declared, &waits);
        assert_eq!(report.len(), 6, "g has nothing to say");
        let heard = Heard::default();
        let bare = |names: &[&str]| names.iter().map(|n| (n.to_string(), *n != "e")).collect();
        warn(&api, &report, &bare(&[]), &heard);
        assert!(heard.0.lock().unwrap().is_empty());
        warn(&api, &report, &bare(&names), &heard);
        let heard = heard.0.into_inner().unwrap();
        let messages: Vec<_> = heard.iter().map(|p| p.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "3 functions can sleep, and with --bare Go's garbage collector waits with them",
                "f can wait for input, and with --bare Go's garbage collector waits with it",
            ]
        );
        assert_eq!(heard[0].notes[0], "a, b, d");
        assert_eq!(heard[0].notes.len(), 1 + SHOWN);
    }
}
