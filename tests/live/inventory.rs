//! The inventory as text that two runs can be compared by: one line a thing, sorted, without what differs from run to run.

use std::sync::LazyLock;

use regex_lite::Regex;
use serde_json::Value;

/// What differs from run to run, and what stands in its place.
static DIFFERENT: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"\b(vpc|subnet|igw|nat|eipalloc|eipassoc|rtb|rtbassoc|sg|sgr|pcx|acl|eni|vol|ns|srv)-[0-9a-z]{8,}\b", "$1-#"),
        (r"\b[0-9a-f]{64}\b", "<token>"),
        (r"\b[0-9a-f]{32}\b", "<effect>"),
        (r"(/hostedzone/|hostedzone/|\bzone-)[0-9A-Z]{8,}\b", "$1#"),
        (r"\bZ[0-9A-Z]{8,}\b", "Z#"),
        (r"https?://127\.0\.0\.1:\d+", "<address>"),
        (r"/id/[0-9A-Za-z]{8,}", "/id/#"),
    ]
    .map(|(pattern, with)| (Regex::new(pattern).expect("a pattern"), with))
    .into()
});

/// One line a thing that stands, as the emulators have it, sorted.
pub fn lines(told: &Value, run: &str) -> Vec<String> {
    let kinds = told.as_object().into_iter().flatten();
    let lines = kinds.flat_map(|(kind, items)| {
        let items = items.as_array().into_iter().flatten();
        items.map(move |item| format!("{kind} {}", same(&sorted(item).to_string(), run)))
    });
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}

/// The text without what differs from run to run.
fn same(text: &str, run: &str) -> String {
    let text = if run.is_empty() { text.to_owned() } else { text.replace(run, "<run>") };
    DIFFERENT.iter().fold(text, |text, (pattern, with)| pattern.replace_all(&text, *with).into_owned())
}

/// The order of a map's fields depends on how serde_json was built.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            fields.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}
