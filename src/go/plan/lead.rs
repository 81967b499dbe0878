//! The first sentence of a Go doc comment, which begins with the name of what it describes.
//!
//! Rust's begin with a verb or with an article: "Counts words." and "A set of words." In Go that is "Count counts words." and "Set is a
//! set of words." Where a sentence begins otherwise it is left as it is, and one of ours goes before it.

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Function,
    Type,
    Package,
}

/// The doc comment with the name in front, if its first sentence can have it there.
pub(super) fn lead(named: Named, name: &str, doc: &str) -> Option<String> {
    let doc = doc.trim_start();
    let (first, rest) = doc.split_once([' ', '\n'])?;
    let second: &str = rest.split([' ', '\n']).next().unwrap_or_default();
    let verb = match (named, first) {
        (Named::Function, "Whether") => "reports whether".into(),
        (Named::Type | Named::Package, "A" | "An") if !followed_by(OF_THINGS, rest) => {
            format!("is {}", first.to_lowercase())
        }
        // Of a package, "The foo library ..." begins a whole sentence.
        (Named::Type, "The") if !is_plural(second) && !followed_by(OF_THINGS, rest) => {
            "is the".into()
        }
        _ if is_verb(first) && goes_on(named, second) && !followed_by(OF_NOUNS, rest) => {
            first.to_lowercase()
        }
        _ => return None,
    };
    Some(format!("{name} {verb} {rest}"))
}

/// Whether a word looks like a verb of the third person: "Counts". Nouns in the plural do, too; [`goes_on`] sorts most of them out.
fn is_verb(word: &str) -> bool {
    const OTHERS: [&str; 14] = [
        "Afterwards",
        "Always",
        "As",
        "Besides",
        "Its",
        "Nowadays",
        "Others",
        "Perhaps",
        "Regards",
        "Sometimes",
        "Thanks",
        "Was",
        "Whereas",
        "Yes",
    ];
    let mut letters = word.chars();
    letters.next().is_some_and(|c| c.is_ascii_uppercase())
        && letters.all(|c| c.is_ascii_lowercase())
        && is_plural(word)
        && !OTHERS.contains(&word)
}

/// Whether a word ends as nouns in the plural do.
fn is_plural(word: &str) -> bool {
    word.ends_with('s') && !["ss", "us", "is"].iter().any(|end| word.ends_with(end))
}

/// Whether the word behind lets the first one be a verb: "Options for" describes a thing, "Looks for" a function.
fn goes_on(named: Named, second: &str) -> bool {
    match second {
        "" | "of" | "that" | "which" | "are" | "must" | "may" | "can" => false,
        "about" | "and" | "as" | "between" | "by" | "for" | "from" | "in" | "on" | "to"
        | "used" | "with" => named == Named::Function,
        _ => true,
    }
}

/// Verbs that make a noun of a word in the plural before them: "Pages of a book are numbered."
const OF_NOUNS: &[&str] = &["are", "were", "have"];
/// Verbs that make a sentence of what would else be a thing's name: "The size is in bytes."
const OF_THINGS: &[&str] = &[
    "are", "can", "has", "have", "is", "may", "must", "should", "was", "were", "will",
];

/// Whether one of some verbs follows in the same sentence. What a conjunction comes before is another matter: "Tells whether all are there."
fn followed_by(verbs: &[&str], rest: &str) -> bool {
    const CONJUNCTIONS: [&str; 12] = [
        "as", "because", "how", "if", "that", "what", "when", "where", "whether", "which", "while",
        "who",
    ];
    let ends = [". ", ".\n", "\n\n"].map(|end| rest.find(end).unwrap_or(rest.len()));
    let sentence = &rest[..ends.into_iter().min().unwrap_or(rest.len())];
    let mut words = sentence.split_whitespace();
    let word = words.find(|word| CONJUNCTIONS.contains(word) || verbs.contains(word));
    word.is_some_and(|word| !CONJUNCTIONS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(doc: &str) -> Option<String> {
        lead(Named::Function, "Name", doc)
    }

    fn of_type(doc: &str) -> Option<String> {
        lead(Named::Type, "Name", doc)
    }

    #[test]
    fn verbs_follow_the_name() {
        assert_eq!(function("Counts words.").unwrap(), "Name counts words.");
        assert_eq!(
            function(" Looks for\nall.\n\nMore.").unwrap(),
            "Name looks for\nall.\n\nMore."
        );
        assert_eq!(
            function("Goes to the next.").unwrap(),
            "Name goes to the next."
        );
        assert_eq!(
            function("Tells whether all are there. They are.").unwrap(),
            "Name tells whether all are there. They are."
        );
        assert_eq!(
            function("Counts words. They are many.").unwrap(),
            "Name counts words. They are many."
        );
        assert_eq!(of_type("Draws pictures.").unwrap(), "Name draws pictures.");
    }

    #[test]
    fn other_beginnings_follow_a_verb() {
        assert_eq!(
            function("Whether it is so.").unwrap(),
            "Name reports whether it is so."
        );
        assert_eq!(of_type("A set.").unwrap(), "Name is a set.");
        assert_eq!(of_type("An address.").unwrap(), "Name is an address.");
        assert_eq!(
            of_type("The size that a picture is drawn in.").unwrap(),
            "Name is the size that a picture is drawn in."
        );
    }

    #[test]
    fn packages_are_what_they_are() {
        let package = |doc| lead(Named::Package, "Package x", doc);
        assert_eq!(package("A parser.").unwrap(), "Package x is a parser.");
        assert_eq!(package("The x library parses."), None);
        for next in ["A parser.\n\nTrees are kept.", "A parser.\nTrees are kept."] {
            assert!(package(next).unwrap().starts_with("Package x is a parser."));
        }
        assert!(package("A parser\n\nTrees are kept").is_some());
    }

    #[test]
    fn what_is_no_such_sentence_stays() {
        for doc in [
            "",
            "Counts",
            "This is it.",
            "As is.",
            "The number of words.",
            "Number of words.",
            "`Counts` words.",
            "# Counts\n\nwords",
            "HTTPS addresses.",
            "Items of a list.",
            "Bytes that follow.",
            "Pages inside of a struct are pointers.",
            "Points here have\ntwo coordinates.",
            "Äs words.",
            "A number.",
            "Process it.",
            "- Counts words",
        ] {
            assert_eq!(function(doc), None, "{doc}");
        }
        for doc in [
            "Whether it is so.",
            "Options for it.",
            "Settings that count.",
            "Status of it.",
            "Points in space.",
            "The size is in bytes.",
            "The types of a library.",
            "A name must be unique.",
        ] {
            assert_eq!(of_type(doc), None, "{doc}");
        }
    }
}
