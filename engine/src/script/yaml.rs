//! YAML for scripts: manifests and values files.

use std::fmt::Display;

use runbook_modules::yaml::bounded;
use serde::Deserialize;
use serde_json::Value;

use crate::error::Failure;

/// All documents of a text; empty ones are left out.
///
/// # Errors
/// RB0105 with the line of the text.
pub fn documents(text: &str) -> Result<Vec<Value>, Failure> {
    bounded(text).map_err(|why| wrong(&why))?;
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let value = Value::deserialize(document).map_err(|error| wrong(&error))?;
        if !value.is_null() {
            documents.push(value);
        }
    }
    Ok(documents)
}

/// One document: a map, a list or a plain value.
///
/// # Errors
/// RB0105 with the line of the text.
pub fn document(text: &str) -> Result<Value, Failure> {
    let mut documents = documents(text)?;
    match documents.len() {
        0 => Ok(Value::Null),
        1 => Ok(documents.remove(0)),
        n => Err(Failure::new("RB0105", format!("yaml(): the text holds {n} documents"))
            .hint("Use yaml_all(text): it gives a list of all documents.")),
    }
}

/// A value as YAML.
///
/// # Errors
/// RB0105; not for values that came out of a script.
pub fn text(value: &Value) -> Result<String, Failure> {
    serde_yaml::to_string(value).map_err(|error| wrong(&error))
}

fn wrong(error: &dyn Display) -> Failure {
    Failure::new("RB0105", format!("the text is no valid YAML: {error}"))
}
