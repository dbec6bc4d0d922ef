//! Between Rhai's values and JSON. Strict: what JSON cannot hold is an error that names the field, never a silent text.

use rhai::{Dynamic, ImmutableString, Map as RhaiMap};
use serde_json::{Map, Number, Value};

use super::{handles, secret::Secret};
use crate::error::Failure;

/// Deeper values are refused: they would not survive being read back.
const DEEPEST: usize = 100;

/// A value as JSON; `what` names it in errors, e.g. `the result of step "vpc"`.
///
/// # Errors
/// RB0322 names the field.
pub fn to_json(value: &Dynamic, what: &str) -> Result<Value, Failure> {
    let mut path = Vec::new();
    json(value, &mut path).map_err(|why| {
        let place = if path.is_empty() { what.to_owned() } else { format!("{what}, field {}", dotted(&path)) };
        let mut failure = Failure::new("RB0322", format!("{place}: {why} cannot be kept as JSON"));
        failure.cause = format!("{why} cannot be kept");
        failure.hint("Keep texts, numbers, true/false, lists and maps of those; call .to_string() on anything else.")
    })
}

fn dotted(path: &[String]) -> String {
    path.join(".")
}

fn json(value: &Dynamic, path: &mut Vec<String>) -> Result<Value, String> {
    if path.len() > DEEPEST {
        return Err(format!("more than {DEEPEST} levels"));
    }
    if value.is_shared() {
        return json(&value.flatten_clone(), path);
    }
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(flag) = value.as_bool() {
        return Ok(Value::Bool(flag));
    }
    if let Ok(number) = value.as_int() {
        return Ok(Value::from(number));
    }
    if let Ok(number) = value.as_float() {
        let shown = if number.is_nan() { "NaN" } else { "an infinite number" };
        return Number::from_f64(number).map(Value::Number).ok_or_else(|| shown.to_owned());
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return Ok(Value::String(text.to_string()));
    }
    if let Ok(list) = value.as_array_ref() {
        return each(list.iter().enumerate().map(|(i, item)| (i.to_string(), item)), path, |_, value| value)
            .map(Value::Array);
    }
    if let Ok(map) = value.as_map_ref() {
        let entries = each(map.iter().map(|(k, v)| (k.to_string(), v)), path, |name, value| (name, value))?;
        return Ok(Value::Object(entries.into_iter().collect()));
    }
    if let Some(secret) = value.read_lock::<Secret>() {
        return Ok(Value::String(secret.text().to_owned()));
    }
    Err(named(value))
}

fn each<'a, R>(
    items: impl Iterator<Item = (String, &'a Dynamic)>, path: &mut Vec<String>, keep: impl Fn(String, Value) -> R,
) -> Result<Vec<R>, String> {
    let mut kept = Vec::new();
    for (name, item) in items {
        path.push(name.clone());
        let value = json(item, path)?;
        path.pop();
        kept.push(keep(name, value));
    }
    Ok(kept)
}

/// What a value is, for a sentence: `a closure`, `a range`.
pub fn named(value: &Dynamic) -> String {
    if let Some(handle) = handles::named(value) {
        return handle.to_owned();
    }
    match value.type_name() {
        "Fn" => "a closure".to_owned(),
        "char" => "a single character".to_owned(),
        "blob" => "a blob".to_owned(),
        "map" => "a map".to_owned(),
        "array" => "a list".to_owned(),
        "string" => "a text".to_owned(),
        "i64" => "a whole number".to_owned(),
        "f64" => "a number with a fraction".to_owned(),
        "bool" => "true or false".to_owned(),
        "()" => "nothing".to_owned(),
        name if name.contains("Range") => "a range".to_owned(),
        name if name.ends_with("Secret") => "a secret".to_owned(),
        name => format!("a value of type {}", name.rsplit("::").next().unwrap_or(name)),
    }
}

/// JSON as a script sees it. A text that is exactly one placeholder of this run becomes the secret again.
pub fn from_json(value: &Value, is_secret: &dyn Fn(&str) -> bool) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64().unwrap_or_default().into(),
        },
        Value::String(text) if is_secret(text) => Dynamic::from(Secret::new(text)),
        Value::String(text) => ImmutableString::from(text.as_str()).into(),
        Value::Array(list) => list.iter().map(|item| from_json(item, is_secret)).collect::<Vec<_>>().into(),
        Value::Object(map) => from_object(map, is_secret).into(),
    }
}

/// A JSON object as a script sees it.
pub fn from_object(map: &Map<String, Value>, is_secret: &dyn Fn(&str) -> bool) -> RhaiMap {
    map.iter().map(|(name, value)| (name.as_str().into(), from_json(value, is_secret))).collect()
}
