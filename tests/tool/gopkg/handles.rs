//! Which types are handles, and what Go does with them.

use super::build::*;
use super::samples::*;
use rsyso::internals::arch::amd64::Amd64;
use rsyso::internals::model::*;

#[test]
fn what_is_no_method_or_constructor_for_its_name_is_told() {
    let notes = plan(&handles(), "handles").notes;
    let told: Vec<_> = notes.iter().map(|n| n.message.as_str()).collect();
    assert_eq!(
        told,
        [
            "`http_parser_close` does not become the method `Close`: the type has another method of this name",
            "only Close frees `Node`, not the garbage collector: nothing says whether `node_put` takes for good what a *mut leads to (say it with --consumes NAME, or --consumes '!NAME')",
            "`node_new` does not become the constructor `NewNode`: the function `new_node` has this name",
        ]
    );
    let (owned, named): (Vec<_>, Vec<_>) = notes
        .iter()
        .partition(|n| n.message.contains("Close frees"));
    assert!(owned.len() == 1 && owned[0].place.is_none());
    assert!(
        named
            .iter()
            .all(|n| n.place.as_deref() == Some("src/lib.rs:12"))
    );
    for api in [text(), shapes(), results()] {
        assert!(plan(&api, "x").notes.is_empty());
    }
}

/// What a `*mut` leads to may be taken for good, and freed twice then: the collector frees a type's values only where each function tells.
#[test]
fn the_collector_frees_what_is_known_to_be_owned() {
    use PointerKind::{Box as Owner, Const, Mut, Ref, RefMut};
    let foo = |kind| pointer(kind, named(0));
    let deep = || pointer(Mut, pointer(Mut, named(0)));
    let holds = || pointer(Ref, named(1));
    let collected = |takes: Type, decided: &[&str]| {
        let mut api = api(
            vec![
                function("foo_new", &[], Some(foo(Mut))),
                function("foo_free", &[("foo", foo(Mut))], None),
                function("foo_use", &[("it", takes)], None),
            ],
            vec![
                opaque("Foo"),
                structure("Holds", 8, 8, vec![field("foo", foo(Mut), 0)]),
            ],
        );
        let decided = decided.iter().map(|name| (name.to_string(), false));
        api.declared.consumes = decided.collect();
        let notes = plan(&api, "x").notes;
        let text = &files(&api, &Amd64, "x")[0].text;
        let set = text.contains("runtime.SetFinalizer(f.cell, rsysoForgetFoo)");
        assert_eq!(
            set,
            !text.contains("the garbage collector does not"),
            "{text}"
        );
        assert_eq!(set, notes.is_empty(), "{notes:?}");
        set
    };
    for (takes, want) in [
        (foo(Ref), true),
        (foo(RefMut), true),
        (foo(Const), true),
        (foo(Owner), true),
        (foo(Mut), false),
        (deep(), false),
        (holds(), false),
    ] {
        assert_eq!(collected(takes.clone(), &[]), want, "{takes:?}");
        assert!(collected(takes, &["foo_use"]));
    }
}

#[test]
fn only_what_is_made_and_freed_is_a_handle() {
    let declared = |functions: Vec<Function>, types: Vec<TypeDef>| {
        let package = plan(&api(functions, types), "foo");
        let declared = package.declarations().map(|d| d.text.clone());
        // Not methods.
        let mut all: Vec<_> = declared
            .filter(|d| d.starts_with("func ") && !d.starts_with("func ("))
            .collect();
        all.sort();
        all.join("\n")
    };
    let foo = |kind| pointer(kind, named(0));
    let new = |symbol: &str, kind| function(symbol, &[], Some(foo(kind)));
    let free = |symbol: &str| function(symbol, &[("foo", foo(PointerKind::Mut))], None);
    use PointerKind::{Box as Owner, Const, Mut, Ref};
    // The prefix is the library's name, and left out of plain names.
    let whole = declared(
        vec![new("foo_new", Mut), free("foo_free")],
        vec![opaque("Foo")],
    );
    assert_eq!(whole, "func NewFoo() *Foo");
    let inner = declared(
        vec![new("foo_big_bar_new_x", Owner), free("foo_big_bar_free")],
        vec![opaque("BigBar")],
    );
    assert_eq!(inner, "func NewBigBarX() *BigBar");
    for (functions, types) in [
        (vec![new("foo_new", Mut)], vec![opaque("Foo")]),
        (vec![free("foo_free")], vec![opaque("Foo")]),
        (
            vec![new("foo_new", Ref), free("foo_free")],
            vec![opaque("Foo")],
        ),
        (
            vec![new("foo_new", Const), free("foo_free")],
            vec![opaque("Foo")],
        ),
        (
            vec![new("foo_newer", Mut), free("foo_free")],
            vec![opaque("Foo")],
        ),
        (
            vec![new("foo_new", Mut), free("foo_free")],
            vec![opaque("Bar")],
        ),
        (
            vec![new("foo_new", Mut), free("foo_free")],
            vec![structure("Foo", 4, 4, vec![field("x", int(Int::U32), 0)])],
        ),
    ] {
        let text = declared(functions, types);
        assert!(!text.contains("func NewFoo()"), "{text}");
    }
}
