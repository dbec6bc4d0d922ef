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
    serde_json::from_value(input.clone()).map_err(|error| {
        let schema = schema::<T>();
        fit(&schema, &schema, input, "").err().unwrap_or_else(|| InputError::new("", error.to_string()))
    })
}

/// Checks a value against a JSON schema as schemars makes them from our input types; the first field that does not fit.
///
/// # Errors
/// The field, and the nearest known names.
pub fn fit(root: &Value, schema: &Value, value: &Value, path: &str) -> Result<(), InputError> {
    let schema = resolve(root, schema);
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    for choice in ["anyOf", "oneOf"] {
        if let Some(choices) = schema.get(choice).and_then(Value::as_array) {
            return fit_one(root, choices, value, path);
        }
    }
    for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        fit(root, part, value, path)?;
    }
    check_type(schema, value, path)?;
    match value {
        Value::Object(map) => {
            let known = schema.get("properties").and_then(Value::as_object);
            let more = schema.get("additionalProperties");
            for (name, value) in map {
                if let Some(property) = known.and_then(|known| known.get(name)) {
                    fit(root, property, value, &below(name))?;
                } else if more == Some(&Value::Bool(false)) {
                    let known = known.into_iter().flatten().map(|(name, _)| name.as_str());
                    let nearest = nearest(name, known);
                    return Err(InputError { path: below(name), message: "unknown field".to_owned(), nearest });
                } else if let Some(more @ Value::Object(_)) = more {
                    fit(root, more, value, &below(name))?;
                }
            }
            let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
            match required.filter_map(Value::as_str).find(|name| !map.contains_key(*name)) {
                Some(missing) => Err(InputError::new(below(missing), "missing")),
                None => Ok(()),
            }
        }
        Value::Array(list) => {
            let Some(items) = schema.get("items") else { return Ok(()) };
            list.iter().enumerate().try_for_each(|(i, item)| fit(root, items, item, &below(&i.to_string())))
        }
        _ => Ok(()),
    }
}

fn fit_one(root: &Value, choices: &[Value], value: &Value, path: &str) -> Result<(), InputError> {
    if choices.iter().any(|choice| fit(root, choice, value, path).is_ok()) {
        return Ok(());
    }
    let words: Vec<&str> =
        choices.iter().filter_map(|c| resolve(root, c).get("const").and_then(Value::as_str)).collect();
    if !words.is_empty() {
        return Err(one_of(&words, value, path));
    }
    let wanted: Vec<&Value> =
        choices.iter().filter(|choice| resolve(root, choice).get("type") != Some(&Value::from("null"))).collect();
    match wanted.as_slice() {
        [only] => fit(root, only, value, path),
        _ => Err(InputError::new(path, format!("{} does not fit", describe(value)))),
    }
}

/// Checks only what kind of value it is: its type, and the words or the least number allowed; nothing inside a map or list.
///
/// # Errors
/// The field, and the nearest allowed word.
pub fn check_type(schema: &Value, value: &Value, path: &str) -> Result<(), InputError> {
    if let Some(only) = schema.get("const")
        && only != value
    {
        let word = only.as_str().map_or_else(|| only.to_string(), str::to_owned);
        return Err(one_of(&[&word], value, path));
    }
    let words: Vec<&str> =
        schema.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    if !words.is_empty() && !value.as_str().is_some_and(|text| words.contains(&text)) && !value.is_null() {
        return Err(one_of(&words, value, path));
    }
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    let fits = types.iter().any(|wanted| match *wanted {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => true,
    });
    if fits {
        return match (schema.get("minimum").and_then(Value::as_f64), value.as_f64()) {
            (Some(least), Some(found)) if found < least => {
                Err(InputError::new(path, format!("must be {least} or more, not {found}")))
            }
            _ => Ok(()),
        };
    }
    let wanted: Vec<&str> = types.iter().filter(|wanted| **wanted != "null").map(|wanted| in_words(wanted)).collect();
    Err(InputError::new(path, format!("must be {}, not {}", wanted.join(" or "), describe(value))))
}

fn one_of(words: &[&str], value: &Value, path: &str) -> InputError {
    let nearest = value.as_str().map(|wrong| nearest(wrong, words.iter().copied())).unwrap_or_default();
    let among = if words.len() == 1 { "" } else { "one of " };
    let message = format!("must be {among}{}, not {}", words.join(", "), describe(value));
    InputError { path: path.to_owned(), message, nearest }
}

/// The schema itself in place of a reference to it.
pub fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap_or(schema),
        None => schema,
    }
}

fn in_words(json_type: &str) -> &str {
    match json_type {
        "object" => "a map",
        "array" => "a list",
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        other => other,
    }
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "()".to_owned(),
        Value::String(text) if text.chars().count() <= 60 => format!("{text:?}"),
        Value::String(_) => "a long text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map".to_owned(),
        other => other.to_string(),
    }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::{check, parse};

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the shape counts")]
    struct Group {
        vpc_id: String,
        count: Option<u32>,
        mode: Option<Mode>,
        told: Option<Told>,
        #[serde(default)]
        ip_permissions: Vec<Permission>,
        #[serde(default)]
        labels: BTreeMap<String, String>,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    enum Mode {
        OnDemand,
        Spot,
    }

    /// With a sentence for each word, which makes another schema of it: one constant each.
    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Told {
        /// The first.
        InPlace,
        /// The second.
        SideCar,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the shape counts")]
    struct Permission {
        cidr_ip: String,
    }

    fn error(input: Value) -> (String, Vec<String>) {
        let error = check::<Group>(&input).unwrap_err();
        (error.to_string(), error.nearest)
    }

    #[test]
    fn a_fitting_map_passes() {
        let input = json!({"vpc_id": "vpc-1", "mode": "SPOT", "count": 3, "ip_permissions": [{"cidr_ip": "::/0"}]});
        assert_eq!(parse::<Group>(&input).map(|g| g.count).ok(), Some(Some(3)));
    }

    #[test]
    fn an_unknown_field_names_the_nearest() {
        let found = error(json!({"vpc_id": "vpc-1", "ip_permissions": [{"cidr_ip": "::/0"}, {"cidr_ib": "x"}]}));
        assert_eq!(found, ("ip_permissions.1.cidr_ib: unknown field".to_owned(), vec!["cidr_ip".to_owned()]));
    }

    #[test]
    fn a_missing_field_is_named() {
        assert_eq!(error(json!({"count": 1})).0, "vpc_id: missing");
        assert_eq!(error(json!({"vpc_id": "v", "ip_permissions": [{}]})).0, "ip_permissions.0.cidr_ip: missing");
    }

    #[test]
    fn a_wrong_type_is_said_in_words() {
        assert_eq!(error(json!({"vpc_id": 5})).0, "vpc_id: must be a text, not 5");
        assert_eq!(error(json!({"vpc_id": "v", "count": "3"})).0, "count: must be a whole number, not \"3\"");
        assert_eq!(error(json!({"vpc_id": "v", "count": -3})).0, "count: must be 0 or more, not -3");
        assert_eq!(error(json!({"vpc_id": "v", "labels": {"a": 1}})).0, "labels.a: must be a text, not 1");
        assert_eq!(error(json!([])).0, "must be a map, not a list");
    }

    #[test]
    fn a_wrong_word_names_the_nearest() {
        let (text, nearest) = error(json!({"vpc_id": "v", "mode": "SPOTS"}));
        assert_eq!(text, "mode: must be one of ON_DEMAND, SPOT, not \"SPOTS\"");
        assert_eq!(nearest, ["SPOT"]);
    }

    #[test]
    fn a_wrong_word_among_documented_ones_names_them_too() {
        assert!(check::<Group>(&json!({"vpc_id": "v", "told": "side_car"})).is_ok());
        assert!(check::<Group>(&json!({"vpc_id": "v", "told": null})).is_ok());
        let (text, nearest) = error(json!({"vpc_id": "v", "told": "sidecar"}));
        assert_eq!(text, "told: must be one of in_place, side_car, not \"sidecar\"");
        assert_eq!(nearest, ["side_car"]);
        assert_eq!(error(json!({"vpc_id": "v", "told": 1})).0, "told: must be one of in_place, side_car, not 1");
    }

    #[test]
    fn a_constant_of_a_schema_is_the_only_value() {
        let schema = json!({"type": "object", "properties": {"version": {"const": 1}, "kind": {"const": "Pod"}}});
        let fits = |input: Value| super::fit(&schema, &schema, &input, "").map_err(|error| error.to_string());
        assert_eq!(fits(json!({"version": 1, "kind": "Pod"})), Ok(()));
        assert_eq!(fits(json!({"version": 2})), Err("version: must be 1, not 2".to_owned()));
        assert_eq!(fits(json!({"kind": "Node"})), Err("kind: must be Pod, not \"Node\"".to_owned()));
    }
}
