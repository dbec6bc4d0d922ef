//! Typed inputs: a script's map is checked against a documented Rust struct, and an error names the field.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// An input that does not fit, by field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", if path.is_empty() { String::new() } else { format!("{path}: ") })]
pub struct InputError {
    /// The field, dotted, e.g. `ip_permissions.0.cidr_ip`; empty for the map as a whole.
    pub path: String,
    /// What is wrong, in lower case, e.g. `unknown field`.
    pub message: String,
    /// The nearest known names, nearest first.
    pub nearest: Vec<String>,
}

impl InputError {
    /// Makes an error about one field.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), nearest: Vec::new() }
    }
}

/// The JSON schema of a typed input.
pub fn schema<T: JsonSchema>() -> Value {
    schemars::schema_for!(T).to_value()
}

/// Checks a map against a typed input: the structs say `deny_unknown_fields`.
///
/// # Errors
/// The field that does not fit, with the nearest known names.
pub fn check<T: DeserializeOwned + JsonSchema>(input: &Value) -> Result<(), InputError> {
    parse::<T>(input).map(|_| ())
}

/// Turns a checked map into its typed form.
///
/// # Errors
/// As [`check`].
pub fn parse<T: DeserializeOwned + JsonSchema>(input: &Value) -> Result<T, InputError> {
    serde_json::from_value(input.clone()).map_err(|e| InputError::new("", e.to_string()))
}

/// The names nearest to a mistyped one, nearest first, at most three.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut scored: Vec<(usize, &str)> = known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(wrong, name), name))
        .filter(|(distance, name)| *distance <= 2.max(name.len().min(wrong.len()) / 3))
        .collect();
    scored.sort();
    scored.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}
