//! NDJSON: one event a line, every line complete in itself. The format's version is [`crate::event::VERSION`].

use std::sync::Mutex;

use serde_json::Value;

use super::{out, text::mask};
use crate::{
    event::{Event, Sink},
    run::cancel::Cancel,
};

/// Writes events to standard output. When nobody reads them any more the run is parked, silently.
pub struct Json {
    open: Mutex<bool>,
    cancel: Cancel,
}

impl Json {
    /// A sink; `cancel` parks the run when the reader has gone.
    pub fn new(cancel: Cancel) -> Self {
        Self { open: true.into(), cancel }
    }
}

impl Sink for Json {
    fn event(&self, event: &Event) {
        let mut open = self.open.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *open && !out::answer(&(line(event) + "\n")) {
            *open = false;
            self.cancel.ask("the reader of its output has gone");
        }
    }
}

/// One event as a line, without its end. What it is about comes first.
pub fn line(event: &Event) -> String {
    let value = masked(serde_json::to_value(event).unwrap_or_default());
    let Value::Object(mut map) = value else { return String::new() };
    map.remove("at_ms");
    map.remove("target_ms");
    map.insert("at".to_owned(), timestamp(event.at_ms).into());
    if event.simulated {
        map.insert("simulated_at".to_owned(), timestamp(event.target_ms).into());
    }
    let first =
        ["v", "seq", "at", "run", "event", "step"].map(|name| map.remove(name).map(|value| (name.to_owned(), value)));
    // By name: whether a map keeps its names sorted depends on how serde_json was built.
    let rest: std::collections::BTreeMap<String, Value> = map.into_iter().collect();
    let fields: Vec<String> = first
        .into_iter()
        .flatten()
        .chain(rest)
        .map(|(name, value)| format!("{}:{value}", Value::String(name)))
        .collect();
    format!("{{{}}}", fields.join(","))
}

/// RFC 3339 with milliseconds.
pub fn timestamp(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map(|at| format!("{at:.3}")).unwrap_or_default()
}

/// The value with every secret's placeholder masked, in names and values.
pub fn masked(value: Value) -> Value {
    match value {
        Value::String(text) => mask(&text, "•••").into(),
        Value::Array(items) => items.into_iter().map(masked).collect(),
        Value::Object(map) => map.into_iter().map(|(name, value)| (mask(&name, "•••"), masked(value))).collect(),
        other => other,
    }
}
