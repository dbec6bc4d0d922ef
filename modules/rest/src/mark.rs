//! How the services themselves tell whose a repository, a commit and a record are.
//!
//! None of them has tags that its creation takes. A repository's description and a record's comment are stored by the same request that
//! makes it, and a commit's message with the commit: so the marks stand there, at the end of the description and as the message's
//! trailers. Topics and custom properties would take a second request, in which the program may die.

use std::collections::BTreeMap;

use runbook_modules::target::{EFFECT_TAG, RUN_TAG};

/// The longest description that GitHub takes.
const DESCRIPTION: usize = 350;
/// What the mark takes of it.
const MARK: usize = 110;
/// What is left for the script's own words.
pub const WORDS: usize = DESCRIPTION - MARK;

const OPENS: &str = "[runbook ";
const RUN: &str = "Runbook-Run";
const EFFECT: &str = "Runbook-Effect";

/// Marks, by the names of the ownership tags that they stand for.
pub type Marks = BTreeMap<String, String>;

/// Of a request's tags those that a mark holds.
pub fn kept(tags: &BTreeMap<String, String>) -> Marks {
    tags.iter().filter(|(name, _)| [RUN_TAG, EFFECT_TAG].contains(&name.as_str())).map(own).collect()
}

fn own((name, value): (&String, &String)) -> (String, String) {
    (name.clone(), value.clone())
}

/// A description with the marks at its end.
pub fn into_description(words: &str, tags: &BTreeMap<String, String>) -> String {
    let of = |tag: &str| tags.get(tag).map_or("", String::as_str);
    let mark = format!("{OPENS}run={} effect={}]", of(RUN_TAG), of(EFFECT_TAG));
    if words.is_empty() { mark } else { format!("{words} {mark}") }
}

/// A description with the marks that it had, if any.
pub fn again(words: &str, marks: &Marks) -> String {
    if marks.is_empty() { words.to_owned() } else { into_description(words, marks) }
}

/// The words of a description, and its marks.
pub fn of_description(description: &str) -> (&str, Marks) {
    let Some((words, mark)) =
        description.rsplit_once(OPENS).and_then(|(words, rest)| Some((words, rest.trim_end().strip_suffix(']')?)))
    else {
        return (description, Marks::new());
    };
    let pairs = mark.split(' ').filter_map(|pair| pair.split_once('='));
    let named = pairs.filter_map(|(name, value)| match name {
        "run" => Some((RUN_TAG.to_owned(), value.to_owned())),
        "effect" => Some((EFFECT_TAG.to_owned(), value.to_owned())),
        _ => None,
    });
    (words.trim_end(), named.collect())
}

/// Whether a text could be taken for a mark.
pub fn looks_like_one(text: &str) -> bool {
    text.contains(OPENS) || text.lines().any(|line| line.starts_with(RUN) || line.starts_with(EFFECT))
}

/// The trailers of a commit's message.
pub fn trailers(marks: &Marks) -> String {
    let lines = [(RUN, RUN_TAG), (EFFECT, EFFECT_TAG)];
    let lines = lines.iter().filter_map(|(name, tag)| Some(format!("{name}: {}", marks.get(*tag)?)));
    lines.collect::<Vec<_>>().join("\n")
}

/// The marks in a commit's message.
pub fn of_message(message: &str) -> Marks {
    let pairs = message.lines().filter_map(|line| line.split_once(": "));
    let named = pairs.filter_map(|(name, value)| match name {
        RUN => Some((RUN_TAG.to_owned(), value.trim().to_owned())),
        EFFECT => Some((EFFECT_TAG.to_owned(), value.trim().to_owned())),
        _ => None,
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags() -> BTreeMap<String, String> {
        let all = [(RUN_TAG, "r".repeat(32)), (EFFECT_TAG, "e".repeat(32)), ("Name", "x".to_owned())];
        all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    #[test]
    fn marks_are_read_back_out_of_a_description() {
        for words in ["", "Operations of notejam", "with [brackets] in it"] {
            let text = into_description(words, &tags());
            assert_eq!(of_description(&text), (words, kept(&tags())), "{text}");
        }
        assert_eq!(of_description("somebody's own [words]"), ("somebody's own [words]", Marks::new()));
        assert!(into_description(&"w".repeat(WORDS), &tags()).len() <= DESCRIPTION);
    }

    #[test]
    fn marks_are_read_back_out_of_a_message() {
        let message = format!("Manifests\n\n{}", trailers(&kept(&tags())));
        assert_eq!(of_message(&message), kept(&tags()));
        assert_eq!(of_message("Update image\n\nCo-Authored-By: somebody"), Marks::new());
    }

    #[test]
    fn what_looks_like_a_mark_is_told() {
        assert!(looks_like_one("x [runbook run=1]") && looks_like_one("x\nRunbook-Run: 1"));
        assert!(!looks_like_one("a runbook"));
    }
}
