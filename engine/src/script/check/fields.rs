//! The literal parts of an input against the schema of a call, nested maps and lists included.

use rhai::{Expr, Map, Position};
use runbook_modules::input::{self, InputError, nearest};
use serde_json::{Value, json};

use crate::{run::retry, script::convert};

/// Fields that the engine takes out of every input, unless the input has one of this name itself.
const OURS: [&str; 4] = ["name", "tags", "wait", "timeout"];

/// A part of an input that certainly does not fit.
pub(super) struct Misfit {
    /// Which field, and why.
    pub(super) error: InputError,
    /// Where; may be none.
    pub(super) at: Position,
}

/// All parts that do not fit.
pub(super) fn misfits(schema: &Value, input: &Expr) -> Vec<Misfit> {
    let mut found = Vec::new();
    let fields = match known(input) {
        Known::Map(fields, at) => Some((fields, at)),
        Known::Value(Value::Object(map), at) => {
            let fields = map.iter().map(|(name, value)| (name.clone(), at, Known::Value(value.clone(), at))).collect();
            Some((fields, at))
        }
        _ => None,
    };
    let Some((fields, at)) = fields else { return found };
    let own = |name: &str| OURS.contains(&name) && schema.pointer(&format!("/properties/{name}")).is_none();
    let (ours, theirs): (Vec<_>, Vec<_>) = fields.into_iter().partition(|(name, ..)| own(name));
    for (name, _, value) in &ours {
        fit(&json!({}), &of_ours(name), value, name, &mut found);
        if let ("timeout", Known::Value(Value::String(text), at)) = (name.as_str(), value)
            && let Err(why) = retry::parse(text)
        {
            found.push(Misfit { error: InputError::new("timeout", why), at: *at });
        }
    }
    fit(schema, schema, &Known::Map(theirs, at), "", &mut found);
    for misfit in found.iter_mut().filter(|misfit| misfit.error.message == UNKNOWN && !misfit.error.path.contains('.'))
    {
        misfit.error.nearest.extend(nearest(&misfit.error.path, OURS));
    }
    found
}

/// As the input checks say it.
const UNKNOWN: &str = "unknown field";

/// The schema of a field of ours.
fn of_ours(name: &str) -> Value {
    let text = json!({ "type": ["string", "null"] });
    match name {
        "tags" => {
            json!({ "type": ["object", "null"], "additionalProperties": { "type": ["string", "boolean", "number"] } })
        }
        "wait" => json!({ "type": ["boolean", "null"] }),
        _ => text,
    }
}

/// What the text says about a value.
enum Known {
    /// All of it.
    Value(Value, Position),
    /// It is a text.
    Text(Position),
    /// It is a map with these fields.
    Map(Vec<(String, Position, Known)>, Position),
    /// It is a list.
    List(Vec<Known>, Position),
    /// Nothing.
    Nothing,
}

fn known(expression: &Expr) -> Known {
    match expression {
        Expr::BoolConstant(flag, at) => Known::Value((*flag).into(), *at),
        Expr::IntegerConstant(number, at) => Known::Value((*number).into(), *at),
        Expr::FloatConstant(number, at) => Known::Value((**number).into(), *at),
        Expr::StringConstant(text, at) => Known::Value(text.as_str().into(), *at),
        Expr::Unit(at) => Known::Value(Value::Null, *at),
        Expr::InterpolatedString(_, at) => Known::Text(*at),
        Expr::Array(items, at) => Known::List(items.iter().map(known).collect(), *at),
        Expr::Map(map, at) => {
            let fields = map.0.iter().map(|(name, value)| (name.name.to_string(), name.pos, known(value))).collect();
            Known::Map(fields, *at)
        }
        Expr::DynamicConstant(value, at) if value.is::<Map>() || value.is_array() => {
            convert::to_json(value, "").map_or(Known::Nothing, |value| Known::Value(value, *at))
        }
        _ => Known::Nothing,
    }
}

fn fit(root: &Value, schema: &Value, value: &Known, path: &str, found: &mut Vec<Misfit>) {
    let schema = input::resolve(root, schema);
    let mut wrong = |result: Result<(), InputError>, at: Position| {
        let misfit = result.err().map(|error| Misfit { error, at });
        let is_wrong = misfit.is_some();
        found.extend(misfit);
        is_wrong
    };
    let (fields, items, at) = match value {
        Known::Nothing => return,
        Known::Value(value, at) => {
            wrong(input::fit(root, schema, value, path), *at);
            return;
        }
        Known::Text(at) => {
            let words = ["enum", "const", "anyOf", "oneOf", "allOf"];
            if !words.iter().any(|word| schema.get(word).is_some()) {
                wrong(input::check_type(schema, &json!(""), path), *at);
            }
            return;
        }
        Known::Map(fields, at) => (Some(fields), None, *at),
        Known::List(items, at) => (None, Some(items), *at),
    };
    for choice in ["anyOf", "oneOf"] {
        if let Some(choices) = schema.get(choice).and_then(Value::as_array) {
            one_of(root, choices, value, path, at, found);
            return;
        }
    }
    for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        fit(root, part, value, path, found);
    }
    let stand_in = if fields.is_some() { json!({}) } else { json!([]) };
    if let Err(error) = input::check_type(schema, &stand_in, path) {
        found.push(Misfit { error, at });
        return;
    }
    if let (Some(items), Some(schema)) = (items, schema.get("items")) {
        for (index, item) in items.iter().enumerate() {
            fit(root, schema, item, &below(path, &index.to_string()), found);
        }
    }
    if let Some(fields) = fields {
        map(root, schema, fields, path, at, found);
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn map(
    root: &Value, schema: &Value, fields: &[(String, Position, Known)], path: &str, at: Position,
    found: &mut Vec<Misfit>,
) {
    let properties = schema.get("properties").and_then(Value::as_object);
    let more = schema.get("additionalProperties");
    for (name, at, value) in fields {
        let path = below(path, name);
        if let Some(property) = properties.and_then(|known| known.get(name)) {
            fit(root, property, value, &path, found);
        } else if more == Some(&Value::Bool(false)) {
            let nearest = nearest(name, properties.into_iter().flatten().map(|(name, _)| name.as_str()));
            let error = InputError { path, message: UNKNOWN.to_owned(), nearest };
            found.push(Misfit { error, at: *at });
        } else if let Some(more @ Value::Object(_)) = more {
            fit(root, more, value, &path, found);
        }
    }
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for missing in required.filter(|name| !fields.iter().any(|(known, ..)| known == name)) {
        found.push(Misfit { error: InputError::new(below(path, missing), "missing"), at });
    }
}

/// Wrong when it fits none of them; with only one to choose, that one says why.
fn one_of(root: &Value, choices: &[Value], value: &Known, path: &str, at: Position, found: &mut Vec<Misfit>) {
    let tried = |choice: &Value| {
        let mut wrong = Vec::new();
        fit(root, choice, value, path, &mut wrong);
        wrong
    };
    if choices.iter().any(|choice| tried(choice).is_empty()) {
        return;
    }
    let no_null = |choice: &&Value| input::resolve(root, choice).get("type") != Some(&Value::from("null"));
    match &choices.iter().filter(no_null).collect::<Vec<_>>()[..] {
        [only] => found.extend(tried(only)),
        _ => found.push(Misfit { error: InputError::new(path, "does not fit"), at }),
    }
}
