//! Policy documents: a map, or JSON text; IAM stores text and answers it percent-encoded.

use runbook_modules::{error::CallError, input::InputError};
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

/// What a document is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It says who may assume a role.
    Trust,
    /// It says what somebody may do.
    Permission,
}

/// Refuses what IAM would refuse in a document: each statement has an effect and actions; a trust policy names principals and no
/// resources, a permission policy resources and no principals.
///
/// # Errors
/// MalformedPolicyDocument.
pub fn refuse(input: &Value, field: &str, purpose: Purpose) -> Result<(), CallError> {
    let document = input.get(field).map(normal).unwrap_or_default();
    let refused = |why: &str| Err(CallError::refused("MalformedPolicyDocument", why));
    if document.get("Version").is_some_and(|version| version != "2012-10-17" && version != "2008-10-17") {
        return refused("The policy must contain a valid version string");
    }
    let statements = document.get("Statement").unwrap_or(&Value::Null);
    for statement in statements.as_array().map_or(std::slice::from_ref(statements), Vec::as_slice) {
        let has = |names: [&str; 2]| names.iter().any(|name| statement.get(*name).is_some());
        let (principals, resources) = (has(["Principal", "NotPrincipal"]), has(["Resource", "NotResource"]));
        if !statement.get("Effect").is_some_and(|effect| effect == "Allow" || effect == "Deny") {
            return refused("Syntax errors in policy: a statement's Effect is Allow or Deny.");
        }
        if !has(["Action", "NotAction"]) {
            return refused("Policy statement must contain actions.");
        }
        match purpose {
            Purpose::Trust if resources => return refused("Has prohibited field Resource"),
            Purpose::Trust if !principals => return refused("Missing required field Principal"),
            Purpose::Permission if principals => return refused("Policy document should not specify a principal."),
            Purpose::Permission if !resources => return refused("Policy statement must contain resources."),
            _ => {}
        }
    }
    Ok(())
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
    fn a_statement_needs_effect_actions_and_what_its_purpose_asks_for() {
        let error = |purpose, statement: Value| {
            let input = json!({ "document": { "Version": "2012-10-17", "Statement": [statement] } });
            refuse(&input, "document", purpose).map_err(|e| e.code)
        };
        let malformed = Err("MalformedPolicyDocument".to_owned());
        let trust = json!({ "Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole" });
        let permission = json!({ "Effect": "Deny", "NotAction": ["s3:*"], "Resource": "*" });
        assert_eq!(error(Purpose::Trust, trust.clone()), Ok(()));
        assert_eq!(error(Purpose::Permission, permission.clone()), Ok(()));
        assert_eq!(error(Purpose::Permission, trust), malformed);
        assert_eq!(error(Purpose::Trust, permission), malformed);
        assert_eq!(error(Purpose::Permission, json!({ "Effect": "Allow", "Resource": "*" })), malformed);
        assert_eq!(error(Purpose::Permission, json!({ "Effect": "allow", "Action": "*", "Resource": "*" })), malformed);
    }

    #[test]
    fn what_is_no_document_is_refused_by_its_field() {
        let error = |value| check(&json!({ "policy_document": value }), "policy_document").unwrap_err().to_string();
        assert_eq!(error(json!("nope")), "policy_document: is not a JSON document");
        assert_eq!(error(json!({})), "policy_document: a policy document has a `Statement`");
    }
}
