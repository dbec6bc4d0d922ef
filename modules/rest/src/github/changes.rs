//! What a commit must change, and what may be put back: pure, and the same on the sandbox and live.

use std::collections::BTreeMap;

use runbook_modules::error::CallError;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The texts of files, and None where there is none.
pub type Texts = BTreeMap<String, Option<String>>;

/// The changes of one commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Files to be written, with their texts.
    pub additions: BTreeMap<String, String>,
    /// Files to go.
    pub deletions: Vec<String>,
}

impl Changes {
    /// Whether no commit is needed.
    pub fn is_empty(&self) -> bool {
        self.additions.is_empty() && self.deletions.is_empty()
    }

    fn add(&mut self, path: String, text: Option<String>) {
        match text {
            Some(text) => {
                self.additions.insert(path, text);
            }
            None => self.deletions.push(path),
        }
    }
}

/// What an input asks for: texts, and None for what is to go.
pub fn wanted(input: &Value) -> Texts {
    let files = input.get("files").and_then(Value::as_object).into_iter().flatten();
    let written = files.map(|(path, text)| (path.clone(), text.as_str().map(str::to_owned)));
    let going = input.get("delete").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    written.chain(going.map(|path| (path.to_owned(), None))).collect()
}

/// The fingerprint of a text; null of none.
pub fn print(text: Option<&str>) -> Value {
    text.map(|text| format!("sha256:{}", hex::encode(&Sha256::digest(text)[..16]))).into()
}

/// The fingerprints that a locator holds.
pub fn prints(at: &Value) -> BTreeMap<String, Value> {
    let files = at.get("files").and_then(Value::as_object).into_iter().flatten();
    files.map(|(path, print)| (path.clone(), print.clone())).collect()
}

/// What must change so that a branch holds what an input asks for.
///
/// # Errors
/// Refused when files stand with another text and may not be replaced.
pub fn to_make(input: &Value, standing: &Texts) -> Result<Changes, CallError> {
    let overwrite = input.get("overwrite") == Some(&Value::Bool(true));
    let mut changes = Changes::default();
    let mut others = Vec::new();
    for (path, asked) in wanted(input) {
        let found = standing.get(&path).cloned().flatten();
        if asked == found {
            continue;
        }
        if asked.is_some() && found.is_some() && !overwrite {
            others.push(path.clone());
        }
        changes.add(path, asked);
    }
    if others.is_empty() {
        return Ok(changes);
    }
    let text = format!("these files stand already with another text: {}", others.join(", "));
    Err(CallError::refused("FilesDiffer", text)
        .hint("overwrite: true replaces them, and undo puts back what stood there; or choose another path or branch"))
}

/// What must change so that a branch holds again what stood before: of what is as it was made, or is put back already.
///
/// # Errors
/// Refused when somebody else has changed one since.
pub fn to_put_back(at: &Value, before: Option<&Value>, standing: &Texts) -> Result<Changes, CallError> {
    let mut changes = Changes::default();
    let mut others = Vec::new();
    for (path, made) in prints(at) {
        let back = before.and_then(|before| before.get("files")?.get(&path)?.as_str());
        let found = standing.get(&path).and_then(Option::as_deref);
        if found == back {
            continue;
        }
        if print(found) == made {
            changes.add(path, back.map(str::to_owned));
        } else {
            others.push(path);
        }
    }
    if others.is_empty() {
        return Ok(changes);
    }
    let text = format!("somebody else has changed these files since: {}", others.join(", "));
    Err(CallError::refused("ChangedSince", text).hint("put them in order by hand, then undo again"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn texts(files: &[(&str, Option<&str>)]) -> Texts {
        files.iter().map(|(path, text)| ((*path).to_owned(), text.map(str::to_owned))).collect()
    }

    #[test]
    fn only_what_differs_is_committed_and_nothing_of_others_is_replaced() {
        let input = json!({"files": {"a": "1", "b": "2", "c": "3"}, "delete": ["d", "e"]});
        let standing = texts(&[("a", Some("1")), ("b", None), ("c", Some("theirs")), ("d", Some("x")), ("e", None)]);
        let refused = to_make(&input, &standing).unwrap_err();
        assert!(refused.message.ends_with(": c"), "{refused}");
        let mut input = input;
        input["overwrite"] = true.into();
        let changes = to_make(&input, &standing).unwrap();
        assert_eq!(changes.additions.keys().collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(changes.deletions, ["d"]);
        let done = texts(&[("a", Some("1")), ("b", Some("2")), ("c", Some("3"))]);
        assert!(to_make(&input, &done).unwrap().is_empty());
    }

    #[test]
    fn what_was_made_is_put_back_and_what_others_changed_since_is_named() {
        let at = json!({"files": {"a": print(Some("ours")), "b": print(Some("ours")), "d": null}});
        let before = json!({"files": {"a": "theirs", "b": null, "d": "gone"}});
        let made = texts(&[("a", Some("ours")), ("b", Some("ours")), ("d", None)]);
        let changes = to_put_back(&at, Some(&before), &made).unwrap();
        assert_eq!(
            changes.additions,
            BTreeMap::from([("a", "theirs"), ("d", "gone")].map(|(p, t)| (p.into(), t.into())))
        );
        assert_eq!(changes.deletions, ["b"]);
        let back = texts(&[("a", Some("theirs")), ("b", None), ("d", Some("gone"))]);
        assert!(to_put_back(&at, Some(&before), &back).unwrap().is_empty());
        let changed = texts(&[("a", Some("else")), ("b", Some("ours")), ("d", None)]);
        assert!(to_put_back(&at, Some(&before), &changed).unwrap_err().message.ends_with(": a"));
    }
}
