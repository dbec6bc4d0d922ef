//! The script's map becomes a checked request: our own fields taken out, the rest checked, ownership tags added.

use std::{collections::BTreeMap, time::Duration};

use runbook_modules::{input::InputError, target};
use serde_json::{Map, Value};

use super::{Call, report, token};
use crate::{
    error::{Failure, Halt},
    run::{retry, scope::Scope},
};

/// The largest input, as JSON text. It is kept, compared and sent several times over; Kubernetes takes 1.5 MiB, AWS less.
const LARGEST: usize = 4 << 20;
/// Tag values of AWS are no longer than this.
const TAG_VALUE: usize = 256;

/// A checked request.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The input without our own fields.
    pub input: Value,
    /// The name for people; may be empty.
    pub name: String,
    /// The script's tags, with `Name`.
    pub tags: BTreeMap<String, String>,
    /// Whether to wait until it is usable.
    pub wait: bool,
    /// The limit of the wait, if the script gives one.
    pub timeout: Option<Duration>,
}

impl Asked {
    /// The script's tags as a value, for the digest.
    pub fn tags_value(&self) -> Value {
        self.tags.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect::<Map<_, _>>().into()
    }
}

/// Checks a call.
pub(super) fn prepare(scope: &Scope, call: &Call<'_>) -> Result<Asked, Halt> {
    let wrong = |code: &str, error: &InputError| -> Halt { wrong_input(scope, call, code, error).into() };
    let Value::Object(map) = &call.input else {
        return Err(wrong("RB0401", &InputError::new("", "the input must be a map")));
    };
    if let Some((field, part)) = scope.session.vault.find_broken_in(&call.input) {
        let part: String = part.chars().take(24).collect();
        let error = InputError::new(field, format!("holds a broken or unknown secret ({part}...)"));
        return Err(wrong("RB0703", &error));
    }
    let size = call.input.to_string().len();
    if size > LARGEST {
        let why = format!("the input has {} MiB, more than the {} MiB that are taken", size >> 20, LARGEST >> 20);
        return Err(wrong("RB0401", &InputError::new("", why)));
    }
    let mut map = map.clone();
    let schema = call.binding.schema();
    let asked = own_fields(&mut map, &schema).map_err(|error| wrong("RB0401", &error))?;
    let asked = Asked { input: Value::Object(map), ..asked };
    call.binding.check(&asked.input).map_err(|error| wrong("RB0401", &error))?;
    Ok(asked)
}

/// Takes out `name`, `tags`, `wait` and `timeout`, as far as the input has no fields of these names itself.
fn own_fields(map: &mut Map<String, Value>, schema: &Value) -> Result<Asked, InputError> {
    let has = |name: &str| schema.pointer(&format!("/properties/{name}")).is_some();
    let take = |map: &mut Map<String, Value>, name: &str| if has(name) { None } else { map.remove(name) };
    let mut tags = BTreeMap::new();
    match take(map, "tags") {
        None | Some(Value::Null) => {}
        Some(Value::Object(given)) => {
            for (name, value) in given {
                tags.insert(name.clone(), tag_value(&name, &value)?);
            }
        }
        Some(_) => return Err(InputError::new("tags", "must be a map of texts")),
    }
    let name = match take(map, "name") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => {
            tags.entry("Name".to_owned()).or_insert_with(|| name.clone());
            Some(name)
        }
        Some(_) => return Err(InputError::new("name", "must be a text")),
    };
    let wait = match take(map, "wait") {
        None | Some(Value::Null) => true,
        Some(Value::Bool(wait)) => wait,
        Some(_) => return Err(InputError::new("wait", "must be true or false")),
    };
    let timeout = match take(map, "timeout") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(retry::parse(&text).map_err(|why| InputError::new("timeout", why))?),
        Some(_) => return Err(InputError::new("timeout", "must be a text like \"20m\"")),
    };
    let name = name.or_else(|| name_in(map)).or_else(|| tags.get("Name").cloned()).unwrap_or_default();
    Ok(Asked { input: Value::Null, name, tags, wait, timeout })
}

fn tag_value(name: &str, value: &Value) -> Result<String, InputError> {
    if name.starts_with("runbook:") {
        return Err(InputError::new(format!("tags.{name}"), "tags that begin with runbook: are ours"));
    }
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        _ => Err(InputError::new(format!("tags.{name}"), "must be a text")),
    }
}

/// What people call it, from the fields that targets use for that.
fn name_in(map: &Map<String, Value>) -> Option<String> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let object = || {
        let name = text(map.get("metadata")?.get("name"))?;
        Some(text(map.get("kind")).map_or(name.clone(), |kind| format!("{kind} {name}")))
    };
    text(map.get("name")).or_else(object).or_else(|| {
        map.iter().filter(|(field, _)| field.ends_with("_name") || *field == "release").find_map(|(_, v)| text(Some(v)))
    })
}

/// The tags of a request: the script's and the three that say whose it is.
pub(super) fn ownership(
    run: &str, step: &str, token: &str, tags: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut all = tags.clone();
    all.insert(target::RUN_TAG.to_owned(), run.to_owned());
    all.insert(target::STEP_TAG.to_owned(), step.chars().take(TAG_VALUE).collect());
    all.insert(target::EFFECT_TAG.to_owned(), token::tag(token).to_owned());
    all
}

fn wrong_input(scope: &Scope, call: &Call<'_>, code: &str, error: &InputError) -> Failure {
    let mut failure = Failure::new(code, format!("{}: {error}", call.name)).at(&call.site);
    failure.step.clone_from(&scope.key);
    call.name.clone_into(&mut failure.op);
    failure.cause = error.to_string();
    report::NOTHING_SENT.clone_into(&mut failure.outcome);
    match &error.nearest[..] {
        [] => failure.hint(format!("runbook docs {} lists its fields", call.name)),
        names => failure.hint(format!("did you mean {}?", names.join(" or "))),
    }
}
