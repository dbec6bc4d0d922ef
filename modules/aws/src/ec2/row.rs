//! A kind of EC2 resource as data: what the kinds of this service share is written here once.

use runbook_modules::{
    input::InputError,
    resource::{Health, Kind, Meta},
    sandbox::sim::{Sim, Simple},
};
use serde_json::{Map, Value};

/// A difference: field, asked, found.
pub type Difference = (String, Value, Value);

/// One kind.
pub struct Row {
    /// The constant facts.
    pub meta: &'static Meta,
    /// The JSON schema of the input.
    pub schema: fn() -> Value,
    /// Checks the input.
    pub check: fn(&Value) -> Result<(), InputError>,
    /// The fields by which it is read and deleted: out of the description, else out of the input.
    pub locator: &'static [&'static str],
    /// The input's fields that hold the ids of what must outlive it: a text or a list of texts.
    pub parents: &'static [&'static str],
    /// Whether a description shows it usable.
    pub judge: fn(&Value) -> Health,
    /// Where a description differs from the input.
    pub differences: fn(&Value, &Value) -> Vec<Difference>,
    /// How the sandbox simulates it.
    pub sim: Simple,
}

impl Kind for Row {
    fn meta(&self) -> &'static Meta {
        self.meta
    }

    fn schema(&self) -> Value {
        (self.schema)()
    }

    fn check(&self, input: &Value) -> Result<(), InputError> {
        (self.check)(input)
    }

    fn locate(&self, input: &Value, described: &Value) -> Option<Value> {
        let field = |name: &&str| {
            let value = [described, input].iter().find_map(|map| map.get(*name).filter(|v| !v.is_null()))?.clone();
            Some(((*name).to_owned(), value))
        };
        self.locator.iter().map(field).collect::<Option<Map<_, _>>>().map(Value::Object)
    }

    fn parents(&self, input: &Value) -> Vec<String> {
        let texts = |value: &Value| match value {
            Value::String(id) => vec![id.clone()],
            Value::Array(ids) => ids.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        self.parents.iter().filter_map(|field| input.get(*field)).flat_map(texts).collect()
    }

    fn judge(&self, described: &Value) -> Health {
        (self.judge)(described)
    }

    fn differences(&self, input: &Value, described: &Value) -> Vec<Difference> {
        (self.differences)(input, described)
    }

    fn sim(&self) -> &dyn Sim {
        &self.sim
    }
}

/// Judges by a state's field: one of `ready` is usable, one of `failed` never will be (the text is the described `reason`), one
/// of `deleting` is on its way out, anything else is waited for.
pub fn judge_state(state: &str, reason: Option<&Value>, ready: &[&str], failed: &[&str], deleting: &[&str]) -> Health {
    if ready.contains(&state) {
        Health::Ready
    } else if failed.contains(&state) {
        let reason = reason.and_then(Value::as_str).filter(|text| !text.is_empty()).unwrap_or(state);
        Health::Failed(reason.to_owned())
    } else if deleting.contains(&state) {
        Health::Deleting(state.to_owned())
    } else {
        Health::Pending(state.to_owned())
    }
}

/// A text of a described map, dotted; empty when it is missing.
pub fn text<'a>(described: &'a Value, path: &str) -> &'a str {
    path.split('.').try_fold(described, |value, name| value.get(name)).and_then(Value::as_str).unwrap_or_default()
}
