//! The digest of a request, and the first field in which two requests differ: how a changed script is noticed on replay.

use runbook_seeded::mutant;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The digest of values in their canonical form: maps by sorted key, so that the order of writing does not count.
pub fn digest(values: &[&Value]) -> String {
    let mut hash = Sha256::new();
    for value in values {
        feed(&mut hash, value);
    }
    hex::encode(hash.finalize())
}

fn feed(hash: &mut Sha256, value: &Value) {
    let mut text = |mark: u8, text: &str| {
        hash.update([mark]);
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    };
    match value {
        Value::Null => text(b'0', ""),
        Value::Bool(b) => text(b'b', if *b { "1" } else { "0" }),
        Value::Number(n) => text(b'n', &n.to_string()),
        Value::String(s) => text(b's', s),
        Value::Array(list) => {
            text(b'[', &list.len().to_string());
            list.iter().for_each(|item| feed(hash, item));
        }
        Value::Object(map) => {
            text(b'{', &map.len().to_string());
            let mut fields: Vec<_> = map.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            if mutant!("digest-ignores-a-field") {
                fields.pop();
            }
            for (name, item) in fields {
                feed(hash, &Value::String(name.clone()));
                feed(hash, item);
            }
        }
    }
}

/// The first field in which two values differ, with both: `(field, before, now)`. A missing field is None.
pub fn difference<'a>(
    path: &str, before: &'a Value, now: &'a Value,
) -> Option<(String, Option<&'a Value>, Option<&'a Value>)> {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match (before, now) {
        (Value::Object(old), Value::Object(new)) => {
            let mut names: Vec<_> = old.keys().chain(new.keys()).collect();
            names.sort();
            names.dedup();
            names.into_iter().find_map(|name| match (old.get(name), new.get(name)) {
                (Some(old), Some(new)) => difference(&below(name), old, new),
                (old, new) => Some((below(name), old, new)),
            })
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => old
            .iter()
            .zip(new)
            .enumerate()
            .find_map(|(index, (old, new))| difference(&below(&index.to_string()), old, new)),
        _ if before == now => None,
        _ => Some((path.to_owned(), Some(before), Some(now))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_fields_does_not_count_and_everything_else_does() {
        let one: Value = serde_json::from_str(r#"{"a": 1, "b": [true, null]}"#).unwrap();
        let two: Value = serde_json::from_str(r#"{"b": [true, null], "a": 1}"#).unwrap();
        assert_eq!(digest(&[&one]), digest(&[&two]));
        for other in [json!({"a": "1", "b": [true, null]}), json!({"a": 1, "b": [true]}), json!({"a": 1}), json!([1])] {
            assert_ne!(digest(&[&one]), digest(&[&other]), "{other}");
        }
        assert_ne!(digest(&[&json!(["a"]), &json!([])]), digest(&[&json!([]), &json!(["a"])]));
    }

    #[test]
    fn the_first_difference_is_named() {
        let old = json!({"cidr_block": "10.5.0.0/16", "list": [{"x": 1}], "same": 1});
        let new = json!({"cidr_block": "10.5.0.0/16", "list": [{"x": 2}], "same": 1});
        assert_eq!(difference("", &old, &new), Some(("list.0.x".to_owned(), Some(&json!(1)), Some(&json!(2)))));
        assert_eq!(difference("", &old, &old), None);
        let more = json!({"cidr_block": "10.5.0.0/16", "list": [{"x": 1}], "same": 1, "tenancy": "d"});
        assert_eq!(difference("", &old, &more), Some(("tenancy".to_owned(), None, Some(&json!("d")))));
    }
}
