//! Policy documents: a map, or JSON text; IAM stores text and answers it percent-encoded.

use runbook_modules::input::InputError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A policy document: a map in IAM's own spelling (`Version`, `Statement`), or the same as JSON text.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Document {
    /// As a map.
    Map(Map<String, Value>),
    /// As JSON text.
    Text(String),
}

impl Document {
    /// As IAM takes it.
    pub fn text(&self) -> String {
        match self {
            Self::Map(map) => Value::Object(map.clone()).to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// The document as a map, from a map, from JSON text, or from percent-encoded JSON text. What is none of these stays.
pub fn normal(value: &Value) -> Value {
    let Some(text) = value.as_str() else { return value.clone() };
    serde_json::from_str(text).or_else(|_| serde_json::from_str(&decode(text))).unwrap_or_else(|_| value.clone())
}

/// Checks that a document's text is JSON and holds statements.
///
/// # Errors
/// The field, and what is wrong with it.
pub fn check(input: &Value, field: &str) -> Result<(), InputError> {
    match input.get(field).map(normal) {
        Some(Value::Object(map)) if map.contains_key("Statement") => Ok(()),
        Some(Value::Object(_)) => Err(InputError::new(field, "a policy document has a `Statement`")),
        Some(_) => Err(InputError::new(field, "is not a JSON document")),
        None => Ok(()),
    }
}

/// An input or description with the document in one field as a map, for comparing.
pub fn with_normal(value: &Value, field: &str) -> Value {
    let mut value = value.clone();
    if let Some(document) = value.get_mut(field) {
        *document = normal(document);
    }
    value
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits: String = rest.by_ref().take(2).map(char::from).collect();
            bytes.extend(u8::from_str_radix(&digits, 16));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_the_same_as_map_text_and_percent_encoded_text() {
        let map = json!({ "Version": "2012-10-17", "Statement": [] });
        assert_eq!(normal(&map), map);
        assert_eq!(normal(&json!(map.to_string())), map);
        assert_eq!(normal(&json!("%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D")), map);
    }

    #[test]
    fn what_is_no_document_is_refused_by_its_field() {
        let error = |value| check(&json!({ "policy_document": value }), "policy_document").unwrap_err().to_string();
        assert_eq!(error(json!("nope")), "policy_document: is not a JSON document");
        assert_eq!(error(json!({})), "policy_document: a policy document has a `Statement`");
    }
}
