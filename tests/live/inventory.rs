//! The inventory as text that two runs can be compared by: one line a thing, sorted, without what differs from run to run.

use std::sync::LazyLock;

use regex_lite::Regex;
use serde_json::Value;

/// What differs from run to run, and what stands in its place: ids, ordinals, times, and where the scheduler put a pod.
static DIFFERENT: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"\b(vpc|subnet|igw|nat|eipalloc|eipassoc|rtb|rtbassoc|sg|sgr|pcx|acl|eni|vol|ns|srv)-[0-9a-z]{8,}\b", "$1-*"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "*"),
        (r"\b[0-9a-f]{32,64}\b", "*"),
        (r"\bZ[0-9A-Z]{8,}\b", "Z*"),
        (r"/id/[0-9A-Za-z]{8,}", "/id/*"),
        (r"https?://127\.0\.0\.1:\d+", "<endpoint>"),
        // Secrets Manager ends an ARN with six characters of its own.
        (r":secret:([\w/+=.@-]+)-[0-9A-Za-z]{6}\b", ":secret:$1-*"),
        (r"#\d+", ""),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<time>"),
        (r"^10\.\d+\.\d+\.\d+$", "10.*"),
        (r"\b10_\d+_\d+_\d+", "10_*"),
        (r"\bip-10-\d+-\d+-\d+\b", "ip-10-*"),
    ]
    .map(|(pattern, with)| (Regex::new(pattern).expect("a pattern"), with))
    .into()
});

/// One line a thing that stands, as the emulators have it, sorted. `run` is the run's id.
pub fn lines(told: &Value, run: &str) -> Vec<String> {
    let kinds = told.as_object().into_iter().flatten();
    let lines = kinds.flat_map(|(kind, items)| {
        let items = items.as_array().into_iter().flatten();
        items.map(move |item| {
            let mut item = same(item, run);
            if kind == "ec2.volume" {
                item["availabilityZone"] = "where its pod is".into();
            }
            format!("{kind} {item}")
        })
    });
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}

/// How what stands differs from what should; None when it does not. Both are [`lines`].
pub fn difference(stands: &[String], should: &[String]) -> Option<String> {
    let only = |these: &[String], others: &[String]| {
        these.iter().filter(|line| !others.contains(line)).cloned().collect::<Vec<_>>().join("\n  ")
    };
    let (more, less) = (only(stands, should), only(should, stands));
    (stands != should).then(|| format!("too much:\n  {more}\nmissing:\n  {less}"))
}

/// The value with fields and items sorted: the one depends on how serde_json was built, the other on which branch was faster.
fn same(value: &Value, run: &str) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().map(|(name, value)| (name.clone(), same(value, run))).collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            fields.into_iter().collect()
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| same(item, run)).collect();
            items.sort_by_key(Value::to_string);
            items.into()
        }
        Value::String(text) => {
            let text = text.replace(run, "<run>");
            let replace =
                |text: String, (pattern, with): &(Regex, &str)| pattern.replace_all(&text, *with).into_owned();
            DIFFERENT.iter().fold(text, replace).into()
        }
        other => other.clone(),
    }
}
