//! What the wrappers are told of handles.

use std::path::Path;

use rsyso::internals::arch::amd64::Amd64;
use rsyso::internals::base::diag::{Error, Kind};
use rsyso::internals::model::PointerKind;
use rsyso::internals::model::uses::{Calls, Uses};

use super::build::*;
use super::samples::*;

fn calls(sample: &Sample) -> Result<Calls, Error> {
    plan_in(sample, &Amd64, (Path::new("."), "handles"), None).map(|package| package.calls)
}

/// Of one function of the sample: the parameters, `+` if they are taken and `?` if they may be nil, with their notes; `pinned` at the end.
#[track_caller]
fn told(symbol: &str) -> String {
    let api = handles();
    let calls = calls(&api).expect("calls");
    let index = api.functions.iter().position(|f| f.symbol == symbol);
    match &calls.functions[index.expect("a function")].uses {
        Uses::Given { handles, pinned } => {
            let one = |h: &rsyso::internals::model::uses::Given| {
                let taken = if h.taken { "+" } else { "" };
                let nullable = if h.nullable { "?" } else { "" };
                format!("{}{taken}{nullable} {}", h.param, h.note.concat())
            };
            let all: Vec<_> = handles.iter().map(one).collect();
            format!(
                "{}{}",
                all.join("; "),
                if *pinned { "; pinned" } else { "" }
            )
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn each_handle_is_told_of_with_what_messages_say() {
    let cases = [
        ("http_parser_new", "None"),
        ("http_parser_free", "Freed"),
        ("node_free", "Freed"),
        (
            "http_parser_len",
            "0 handles: HttpParser.Len was given a HttpParser",
        ),
        // Go copies the text.
        (
            "http_parser_text",
            "0 handles: HttpParser.Text was given a HttpParser; pinned",
        ),
        (
            "http_parser_finish",
            "0+ handles: HttpParser.Finish was given a HttpParser",
        ),
        (
            "http_parser_merge",
            "0 handles: HttpParser.Merge was given a HttpParser; 1+ handles: HttpParser.Merge was given a HttpParser for from",
        ),
        (
            "count_all",
            "0? handles: HttpParser.CountAll was given a HttpParser",
        ),
        ("plain_new", "None"),
    ];
    for (symbol, want) in cases {
        assert_eq!(told(symbol), want, "{symbol}");
    }
}

#[test]
fn more_handles_than_a_lane_shows_are_refused() {
    let parser = || pointer(PointerKind::Ref, named(0));
    let with = |count: usize| {
        let mut api = handles();
        let params: Vec<_> = (0..count).map(|_| ("one", parser())).collect();
        api.functions
            .push(function("http_parser_all", &params, None));
        calls(&api)
    };
    assert!(with(8).is_ok());
    let error = with(9).expect_err("an error");
    assert_eq!(error.kind, Kind::Unsupported);
    assert_eq!(
        error.problems[0].message,
        "http_parser_all takes more than 8 handles"
    );
}
