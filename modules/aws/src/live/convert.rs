//! AWS's types as JSON: the described map is built field by field, and what AWS did not answer is left out.

use std::collections::{BTreeMap, HashMap};

use aws_smithy_types::{DateTime, date_time::Format};
use runbook_modules::error::CallError;
use serde_json::{Map, Value};

/// A described resource under construction.
#[derive(Debug, Default)]
pub struct Described(Map<String, Value>);

impl Described {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A text, or anything that reads as one (an enum of the SDK).
    #[must_use]
    pub fn text<T: AsRef<str> + ?Sized>(mut self, field: &str, value: Option<&T>) -> Self {
        if let Some(value) = value {
            self.0.insert(field.to_owned(), Value::from(value.as_ref()));
        }
        self
    }

    /// A number, a flag, a map, a list of texts: anything JSON has.
    #[must_use]
    pub fn value(mut self, field: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.0.insert(field.to_owned(), value.into());
        }
        self
    }

    /// A point in time, as RFC 3339 text.
    #[must_use]
    pub fn time(self, field: &str, value: Option<&DateTime>) -> Self {
        let text = value.and_then(|t| t.fmt(Format::DateTime).ok());
        self.text(field, text.as_ref())
    }

    /// A list, each entry converted.
    #[must_use]
    pub fn list<T>(self, field: &str, values: &[T], each: impl Fn(&T) -> Value) -> Self {
        let list: Vec<Value> = values.iter().map(each).collect();
        self.value(field, Some(list))
    }

    /// The tags, from pairs.
    #[must_use]
    pub fn tags<'a>(self, tags: impl IntoIterator<Item = (Option<&'a str>, Option<&'a str>)>) -> Self {
        let map: Map<String, Value> = tags
            .into_iter()
            .filter_map(|(key, value)| Some((key?.to_owned(), Value::from(value.unwrap_or_default()))))
            .collect();
        self.value("tags", Some(map))
    }

    /// The tags, from a map.
    #[must_use]
    pub fn tag_map(self, tags: Option<&HashMap<String, String>>) -> Self {
        self.tags(tags.into_iter().flatten().map(|(key, value)| (Some(key.as_str()), Some(value.as_str()))))
    }

    /// The map.
    pub fn done(self) -> Value {
        Value::Object(self.0)
    }
}

/// A list of texts.
pub fn texts<T: AsRef<str>>(values: &[T]) -> Value {
    values.iter().map(|v| Value::from(v.as_ref())).collect()
}

/// Tags as the SDKs of REST services take them.
pub fn hash_map(tags: &BTreeMap<String, String>) -> HashMap<String, String> {
    tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// A part of a request that the SDK builds; it refuses a missing field before anything is sent.
///
/// # Errors
/// `RequestNotBuilt`, with the SDK's words.
pub fn built<T>(part: Result<T, aws_smithy_types::error::operation::BuildError>) -> Result<T, CallError> {
    part.map_err(|e| CallError::refused("RequestNotBuilt", e.to_string()))
}

/// A text field of a locator; empty when it is missing.
pub fn field<'a>(at: &'a Value, name: &str) -> &'a str {
    at.get(name).and_then(Value::as_str).unwrap_or_default()
}
