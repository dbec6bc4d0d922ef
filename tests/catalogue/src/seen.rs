//! A12: what a script saw of its calls and steps, and the outputs of its run, compared field by field with another run's. Ids, tokens,
//! addresses and times are another run's: each must stand for the same one everywhere.

use std::collections::{BTreeMap, HashMap};

use runbook_state::record::Record;
use serde_json::{Map, Value};

use crate::{harness::Place, trial};

/// How often a cluster changed before, which counts what others change as well; how often a check looked until it passed.
const COUNTERS: [&str; 2] = ["resourceVersion", "tries"];

/// What a run saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// By step and ordinal of a call, by step, by name of an output.
    values: BTreeMap<String, Value>,
    /// How many of the calls found their thing instead of making it.
    pub adopted: usize,
}

impl Seen {
    /// Out of the journal of the newest run.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(place: &Place) -> Result<Self, String> {
        let mut seen = Self::default();
        for record in trial::journal(place)?.ok_or("there is no run")? {
            let (name, value) = match record {
                Record::Done { effect, response, adopted, .. } => {
                    seen.adopted += usize::from(adopted);
                    (format!("call {}#{}", effect.step, effect.ordinal), response)
                }
                Record::StepDone { step, result, .. } => (format!("step {step}"), result),
                Record::Output { name, value } => (format!("output {name}"), value),
                _ => continue,
            };
            seen.values.insert(name, value);
        }
        Ok(seen)
    }
}

/// Where the two differ, for people.
pub fn differences(calm: &Seen, seen: &Seen) -> Vec<String> {
    let mut compared = Compared::default();
    for (name, value) in &calm.values {
        match seen.values.get(name) {
            Some(other) => compared.value(name, value, other),
            None => compared.told.push(format!("{name} is missing")),
        }
    }
    let more = seen.values.keys().filter(|name| !calm.values.contains_key(*name));
    compared.told.extend(more.map(|name| format!("{name} is too much")));
    compared.told
}

/// What was compared so far: which drawn word stands for which.
#[derive(Default)]
struct Compared {
    there: HashMap<String, String>,
    back: HashMap<String, String>,
    told: Vec<String>,
}

impl Compared {
    fn value(&mut self, at: &str, calm: &Value, seen: &Value) {
        match (calm, seen) {
            (Value::Object(a), Value::Object(b)) => self.fields(at, a, b),
            (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
                for (i, (a, b)) in a.iter().zip(b).enumerate() {
                    self.value(&format!("{at}.{i}"), a, b);
                }
            }
            (Value::String(a), Value::String(b)) if self.text(a, b) => {}
            _ if calm == seen => {}
            _ => self.told.push(format!("{at}: {calm}, now {seen}")),
        }
    }

    fn fields(&mut self, at: &str, calm: &Map<String, Value>, seen: &Map<String, Value>) {
        let mut more: Vec<&String> = seen.keys().filter(|name| !calm.contains_key(*name)).collect();
        for (name, value) in calm.iter().filter(|(name, _)| !COUNTERS.contains(&name.as_str())) {
            let path = format!("{at}.{name}");
            if let Some(other) = seen.get(name) {
                self.value(&path, value, other);
            } else if let Some(place) = more.iter().position(|other| self.text(name, other)) {
                // The name holds something that was given out.
                self.value(&path, value, &seen[more.remove(place)]);
            } else {
                self.told.push(format!("{path}: {value}, now nothing"));
            }
        }
        self.told.extend(more.into_iter().map(|name| format!("{at}.{name}: nothing, now {}", seen[name])));
    }

    fn text(&mut self, calm: &str, seen: &str) -> bool {
        let (a, b) = (words(calm), words(seen));
        if is_time(calm) && is_time(seen) {
            return true;
        }
        a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| self.word(a, b))
    }

    fn word(&mut self, calm: &str, seen: &str) -> bool {
        if !is_drawn(calm) || !is_drawn(seen) {
            return calm == seen;
        }
        let there = self.there.entry(calm.to_owned()).or_insert_with(|| seen.to_owned()) == seen;
        there && self.back.entry(seen.to_owned()).or_insert_with(|| calm.to_owned()) == calm
    }
}

fn words(text: &str) -> Vec<&str> {
    text.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.'))).collect()
}

/// Whether a word was given out or drawn: it holds eight hexadecimal digits in a row, one of them a digit, or is the address of something
/// (that of a block ends in `/`).
fn is_drawn(word: &str) -> bool {
    let mut runs = word.split(|c: char| !c.is_ascii_hexdigit());
    let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    let address = !word.ends_with('/') && bare.parse::<std::net::Ipv4Addr>().is_ok();
    address || runs.any(|run| run.len() >= 8 && run.bytes().any(|b| b.is_ascii_digit()))
}

/// Whether a text begins as a time does: `2026-11-21T15`.
fn is_time(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape.starts_with("0000-00-00T00")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn unlike(calm: Value, seen: Value) -> usize {
        let seen_as = |value| Seen { values: BTreeMap::from([("call".to_owned(), value)]), adopted: 0 };
        differences(&seen_as(calm), &seen_as(seen)).len()
    }

    #[test]
    fn another_id_must_stand_for_the_same_one_everywhere() {
        let of = |a: &str, b: &str| json!({ "id": format!("vpc-{a}"), "arn": format!("arn:aws:vpc/vpc-{a}"), "peer": format!("vpc-{b}"), (format!("id/{a}:x")): 1 });
        let calm = of("0a1b2c3d4e5f", "012345678abc");
        assert_eq!(unlike(calm.clone(), of("0ffffffff123", "0aaaaaaaa456")), 0);
        let mut wrong = of("0ffffffff123", "0aaaaaaaa456");
        wrong["arn"] = "arn:aws:vpc/vpc-0aaaaaaaa456".into();
        assert_eq!(unlike(calm.clone(), wrong), 1);
        assert_eq!(unlike(calm, of("0ffffffff123", "0ffffffff123")), 1, "two are one");
    }

    #[test]
    fn every_other_field_must_be_the_same() {
        let calm = json!({ "state": "available", "cidr": "10.0.0.0/16", "list": [1, 2], "at": "2026-11-22T10:00:00Z" });
        let with = |name: &str, value: Value| {
            let mut seen = calm.clone();
            seen[name] = value;
            unlike(calm.clone(), seen)
        };
        assert_eq!(with("at", "2026-11-23T11:00:01Z".into()), 0);
        for (name, value) in [
            ("state", json!("pending")),
            ("cidr", json!("10.1.0.0/16")),
            ("list", json!([1, 3])),
            ("list", json!([1])),
            ("new", json!(true)),
            ("at", json!(null)),
        ] {
            assert_eq!(with(name, value), 1, "{name}");
        }
    }
}
