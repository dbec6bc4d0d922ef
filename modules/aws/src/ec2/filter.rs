//! Filters of the describe calls: the input's type, and how the sandbox applies them.
//!
//! A filter's name is AWS's (`vpc-id`, `tag:Name`, `attachment.vpc-id`), its values may hold `*` and `?`.
//! See <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>.

use std::collections::BTreeMap;

use runbook_modules::error::CallError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One value or several: a resource passes when it has one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Values {
    /// One value.
    One(String),
    /// Any of these.
    Any(Vec<String>),
}

impl Values {
    /// The values as a list.
    pub fn list(&self) -> Vec<String> {
        match self {
            Self::One(value) => vec![value.clone()],
            Self::Any(values) => values.clone(),
        }
    }
}

/// Filters by name: a resource must pass all of them.
pub type Filters = BTreeMap<String, Values>;

/// Where a filter's name is not simply the field in kebab case: `("attachment.vpc-id", "attachments.vpc_id")`.
pub type Aliases = &'static [(&'static str, &'static str)];

/// The filters of an input; none when it has none.
pub fn of(input: &Value) -> Filters {
    input.get("filters").and_then(|filters| Filters::deserialize(filters).ok()).unwrap_or_default()
}

/// Keeps the described resources that pass the input's filters.
///
/// # Errors
/// A filter that does not exist.
pub fn keep(found: Vec<Value>, input: &Value, aliases: Aliases) -> Result<Vec<Value>, CallError> {
    let filters = of(input);
    let spelled = |name: &str| name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || b"-.".contains(&c));
    if let Some(wrong) = filters.keys().find(|name| !name.starts_with("tag:") && !spelled(name)) {
        return Err(CallError::refused("InvalidParameterValue", format!("The filter '{wrong}' is invalid")));
    }
    Ok(found
        .into_iter()
        .filter(|one| filters.iter().all(|(name, wanted)| passes(one, name, wanted, aliases)))
        .collect())
}

fn passes(described: &Value, name: &str, wanted: &Values, aliases: Aliases) -> bool {
    let has: Vec<String> = if let Some(tag) = name.strip_prefix("tag:") {
        described.get("tags").and_then(|tags| tags.get(tag)).map(plain).into_iter().collect()
    } else if name == "tag-key" {
        described.get("tags").and_then(Value::as_object).map(|tags| tags.keys().cloned().collect()).unwrap_or_default()
    } else {
        values(described, &path(name, aliases)).into_iter().map(plain).collect()
    };
    wanted.list().iter().any(|pattern| has.iter().any(|value| fits(pattern, value)))
}

fn path(name: &str, aliases: Aliases) -> String {
    let alias = aliases.iter().find(|(alias, _)| *alias == name);
    alias.map_or_else(|| name.replace('-', "_"), |(_, path)| (*path).to_owned())
}

/// All values at a dotted path; lists are gone through.
fn values<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    match value {
        Value::Array(list) => list.iter().flat_map(|entry| values(entry, path)).collect(),
        Value::Null => Vec::new(),
        _ if path.is_empty() => vec![value],
        _ => {
            let (first, rest) = path.split_once('.').unwrap_or((path, ""));
            value.get(first).map(|inner| values(inner, rest)).unwrap_or_default()
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `*` stands for any text, `?` for one character.
fn fits(pattern: &str, text: &str) -> bool {
    let Some(at) = pattern.find(['*', '?']) else { return pattern == text };
    let Some(rest) = text.strip_prefix(&pattern[..at]) else { return false };
    let after = &pattern[at + 1..];
    if pattern[at..].starts_with('?') {
        let mut chars = rest.chars();
        return chars.next().is_some() && fits(after, chars.as_str());
    }
    rest.char_indices().map(|(i, _)| i).chain([rest.len()]).any(|i| fits(after, &rest[i..]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ids(input: Value) -> Result<Vec<String>, CallError> {
        let found = vec![
            json!({ "id": "a", "vpc_id": "vpc-1", "groups": [{ "group_id": "sg-1" }, { "group_id": "sg-2" }], "tags": { "Name": "web-1" } }),
            json!({ "id": "b", "vpc_id": "vpc-2", "is_default": true, "tags": {} }),
        ];
        let kept = keep(found, &input, &[("group-id", "groups.group_id")])?;
        Ok(kept.iter().map(|one| plain(&one["id"])).collect())
    }

    #[test]
    fn every_filter_must_pass_and_one_value_of_each_is_enough() {
        assert_eq!(ids(json!({})), Ok(vec!["a".into(), "b".into()]));
        assert_eq!(ids(json!({ "filters": { "vpc-id": ["vpc-2", "vpc-9"] } })), Ok(vec!["b".into()]));
        assert_eq!(ids(json!({ "filters": { "vpc-id": "vpc-2", "tag:Name": "*" } })), Ok(vec![]));
        assert_eq!(ids(json!({ "filters": { "group-id": "sg-2" } })), Ok(vec!["a".into()]));
        assert_eq!(ids(json!({ "filters": { "tag:Name": "w?b*" } })), Ok(vec!["a".into()]));
        assert_eq!(ids(json!({ "filters": { "tag-key": "Name" } })), Ok(vec!["a".into()]));
        assert_eq!(ids(json!({ "filters": { "is-default": "true" } })), Ok(vec!["b".into()]));
    }

    #[test]
    fn a_filter_in_the_wrong_spelling_is_refused() {
        assert_eq!(
            ids(json!({ "filters": { "vpc_id": "vpc-1" } })).map_err(|e| e.code),
            Err("InvalidParameterValue".into())
        );
    }
}
