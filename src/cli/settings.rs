//! `[package.metadata.rsyso]` of `Cargo.toml`: flags of a crate's package, said once. Clap's own description of the flags is the only list of them.

use std::any::TypeId;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::base::diag::{Error, Problem, Result};
use crate::build::Settings;
use clap::{Arg, ArgAction, Args, Command};
use serde_json::Value;

use super::convert::Go;

/// The table's place, for messages.
const TABLE: &str = "[package.metadata.rsyso]";

/// The table as words of a command line, each flag checked by itself.
pub(super) fn words(settings: &Settings) -> Result<Vec<OsString>> {
    let table = match &settings.table {
        Value::Null => return Ok(Vec::new()),
        Value::Object(table) => table,
        other => {
            let what = format!("{TABLE} is {}, not a table", kind(other));
            return Err(Error::fault(problem(settings, what)));
        }
    };
    let known = Go::augment_args(Command::new("rsyso").no_binary_name(true));
    let mut words = Vec::new();
    for (key, value) in table {
        let Some(flag) = known.get_arguments().find(|arg| name(arg) == *key) else {
            return Err(unknown(settings, key, &known));
        };
        let of_flag = spelled(flag, value, &settings.dir)
            .map_err(|what| Error::fault(problem(settings, format!("`{key}` {what}"))))?;
        let alone = known.clone().try_get_matches_from(&of_flag);
        alone.map_err(|e| refused(settings, &e))?;
        words.extend(of_flag);
    }
    Ok(words)
}

/// A flag's name without its dashes.
fn name(flag: &Arg) -> String {
    let short = || flag.get_short().map(String::from);
    let long = flag.get_long().map(str::to_owned);
    long.or_else(short).unwrap_or_default()
}

/// One entry of the table as words of a command line; or what is wrong with it.
fn spelled(
    flag: &Arg,
    value: &Value,
    dir: &Path,
) -> std::result::Result<Vec<OsString>, &'static str> {
    let dashes = if flag.get_long().is_some() { "--" } else { "-" };
    let word = OsString::from(format!("{dashes}{}", name(flag)));
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    // Long flags take their value behind a `=`, whatever it begins with.
    let with = |value: String| {
        let is_path = flag.get_value_parser().type_id() == TypeId::of::<PathBuf>();
        let value = match is_path {
            true => dir.join(value).into_os_string(),
            false => value.into(),
        };
        let mut word = word.clone();
        word.push(if dashes == "--" { "=" } else { "" });
        word.push(value);
        word
    };
    match (flag.get_action(), value) {
        (ArgAction::SetTrue, Value::Bool(on)) => Ok(on.then_some(word).into_iter().collect()),
        (ArgAction::SetTrue, _) => Err("must be true or false"),
        (ArgAction::Append, Value::Array(list)) => {
            let texts: Option<Vec<String>> = list.iter().map(text).collect();
            let texts = texts.ok_or("must be a list of strings")?;
            Ok(texts.into_iter().map(with).collect())
        }
        (ArgAction::Append, _) => Err("must be a list of strings, as the flag may be repeated"),
        (_, value) => Ok(vec![with(text(value).ok_or("must be a string")?)]),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Array(_) => "a list",
        Value::String(_) => "a string",
        Value::Bool(_) => "true or false",
        _ => "a number",
    }
}

fn problem(settings: &Settings, what: String) -> Problem {
    Problem::new(what).at(settings.manifest.display().to_string())
}

fn unknown(settings: &Settings, key: &str, known: &Command) -> Error {
    let names: Vec<String> = known.get_arguments().map(name).collect();
    let what = format!("{TABLE} has a key `{key}`, which is none of rsyso's");
    let help = format!("the keys are: {}", names.join(", "));
    Error::fault(problem(settings, what).help(help))
}

/// Clap's refusal of a value, as a problem of `Cargo.toml`.
pub(super) fn refused(settings: &Settings, e: &clap::Error) -> Error {
    let text = e.to_string();
    let first = text.lines().next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    Error::fault(problem(settings, format!("{TABLE}: {first}")))
}

#[cfg(test)]
mod tests {
    use super::super::build::{complete, options};
    use super::super::{Cli, Command as Asked};
    use super::*;
    use clap::Parser;
    use serde_json::json;

    fn settings(table: Value) -> Settings {
        Settings {
            table,
            dir: "crate".into(),
            manifest: "crate/Cargo.toml".into(),
        }
    }

    fn told(table: Value) -> String {
        words(&settings(table)).unwrap_err().to_string()
    }

    #[test]
    fn keys_are_flags() {
        let got = words(&settings(json!({
            "blocking": ["!*", "io_*"],
            "header": ["include/a.h", "/usr/include/b.h"],
            "no-pairs": true,
            "stack-size": "1MiB",
        })));
        let want = [
            "--blocking=!*",
            "--blocking=io_*",
            "--header=crate/include/a.h",
            "--header=/usr/include/b.h",
            "--no-pairs",
            "--stack-size=1MiB",
        ];
        assert_eq!(got.unwrap(), want);
        assert!(
            words(&settings(json!({"no-pairs": false})))
                .unwrap()
                .is_empty()
        );
        assert!(words(&settings(Value::Null)).unwrap().is_empty());
    }

    /// Whatever flags there are and come: each can be said in the table.
    #[test]
    fn every_flag_has_its_key() {
        let known = Go::augment_args(Command::new("rsyso"));
        for flag in known.get_arguments() {
            let value = match flag.get_action() {
                ArgAction::SetTrue => json!(true),
                ArgAction::Append => json!(["8388608"]),
                _ => match flag.get_possible_values().first() {
                    Some(value) => json!(value.get_name()),
                    None => json!("8388608"),
                },
            };
            let table = json!({ name(flag): value });
            assert_eq!(words(&settings(table)).unwrap().len(), 1, "{}", name(flag));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (table, parts) in [
            (json!({"exports": ["a"]}), &["`exports`", "export, "][..]),
            (json!({"export": "a"}), &["`export`", "list"]),
            (json!({"export": [1.5, true]}), &["`export`", "list"]),
            (json!({"no-pairs": "yes"}), &["`no-pairs`", "true or false"]),
            (json!({"package": ["a"]}), &["`package`", "string"]),
            (json!({"stack-size": "much"}), &["--stack-size", "much"]),
            (json!(["export"]), &["[package.metadata.rsyso] is a list"]),
        ] {
            let told = told(table);
            assert!(told.contains("crate/Cargo.toml"), "{told}");
            for part in parts {
                assert!(told.contains(part), "no {part:?} in {told}");
            }
        }
    }

    #[test]
    fn the_command_line_comes_after() {
        let settings = settings(json!({"blocking": ["!*"], "package": "a", "no-pairs": true}));
        let line = [
            "rsyso",
            "build",
            "--blocking",
            "x",
            "--package",
            "b",
            "--no-pairs",
            "dir",
        ];
        let Asked::Build(args) = Cli::try_parse_from(line).unwrap().command else {
            panic!("not build");
        };
        let args = complete(*args, &settings, &line.map(OsString::from)).unwrap();
        let options = options(args, &crate::base::report::Silent).unwrap();
        assert_eq!(options.convert.blocking, ["!*", "x"]);
        assert_eq!(options.convert.package.as_deref(), Some("b"));
        assert!(options.convert.no_pairs);
        assert_eq!(options.dir, PathBuf::from("dir"));
    }
}
