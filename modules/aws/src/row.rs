//! A kind of AWS resource as data: what the kinds share is written here once.

use runbook_modules::{
    input::InputError,
    resource::{Health, Kind, Meta, named, same_fields},
    sandbox::{
        sim::{Sim, Simple},
        simple::lookup,
    },
};
use serde_json::{Map, Value};

/// A difference: field, asked, found.
pub type Difference = (String, Value, Value);

/// One kind, simulated by an `S`.
pub struct Row<S: 'static = Simple> {
    /// The constant facts.
    pub meta: &'static Meta,
    /// The JSON schema of the input.
    pub schema: fn() -> Value,
    /// Checks the input.
    pub check: fn(&Value) -> Result<(), InputError>,
    /// The fields by which it is read and deleted. In the description they stand at the top; in the input dots go down
    /// (`vpc.vpc_id` is the description's `vpc_id`).
    pub locator: &'static [&'static str],
    /// Fields that the locator takes along where the description or else the input has them: an operation's id, a change's id,
    /// what the script says about the deletion.
    pub along: &'static [&'static str],
    /// The input's fields that hold the ids of what must outlive it: a text or a list of texts; dots go down. Of a role's
    /// ARN the name counts too. A kind before the field (`rds.db_cluster db_cluster_identifier`) tells things of several kinds
    /// with the same name apart. A field in braces stands in a name that is made of it: `/aws/eks/{name}/cluster`.
    pub parents: &'static [&'static str],
    /// Whether a description shows it usable.
    pub judge: fn(&Value) -> Health,
    /// Where a description differs from the input.
    pub differences: fn(&Value, &Value) -> Vec<Difference>,
    /// How the sandbox simulates it.
    pub sim: &'static S,
}

impl<S: Sim> Kind for Row<S> {
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
        let mut at = Map::new();
        for path in self.locator {
            let name = path.rsplit('.').next().unwrap_or(path);
            at.insert(name.to_owned(), lookup(described, name).or_else(|| lookup(input, path))?.clone());
        }
        for name in self.along {
            if let Some(value) = lookup(described, name).or_else(|| lookup(input, name)) {
                at.insert((*name).to_owned(), value.clone());
            }
        }
        Some(Value::Object(at))
    }

    fn parents(&self, input: &Value) -> Vec<String> {
        let mut parents = Vec::new();
        for path in self.parents {
            if let Some((before, (field, after))) =
                path.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
            {
                parents
                    .extend(lookup(input, field).and_then(Value::as_str).map(|name| format!("{before}{name}{after}")));
                continue;
            }
            let (kind, path) = path.rsplit_once(' ').unwrap_or(("", path));
            let Some(value) = lookup(input, path) else { continue };
            let ids = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            for id in ids.iter().filter_map(Value::as_str) {
                if !kind.is_empty() {
                    parents.push(named(kind, id));
                    continue;
                }
                parents.push(id.to_owned());
                if let Some((_, name)) = id.strip_prefix("arn:").and_then(|_| id.rsplit_once('/')) {
                    parents.push(name.to_owned());
                }
            }
        }
        parents
    }

    fn judge(&self, described: &Value) -> Health {
        (self.judge)(described)
    }

    fn differences(&self, input: &Value, described: &Value) -> Vec<Difference> {
        (self.differences)(input, described)
    }

    fn sim(&self) -> &dyn Sim {
        self.sim
    }
}

/// Usable as soon as it is there.
pub fn at_once(_: &Value) -> Health {
    Health::Ready
}

/// Usable once a description has the field: the answer to a creation lacks it, and what a script sees is what reading tells.
pub fn once_told(described: &Value, field: &str) -> Health {
    match described.get(field) {
        None | Some(Value::Null) => Health::Pending("being read".to_owned()),
        Some(_) => Health::Ready,
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

/// The differences of the fields with the same name, where the order of texts in a list says nothing (subnet ids, CIDRs).
pub fn unordered(input: &Value, described: &Value) -> Vec<Difference> {
    same_fields(&sorted(input), &sorted(described))
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), sorted(value))).collect(),
        Value::Array(list) => {
            let mut list: Vec<Value> = list.iter().map(sorted).collect();
            if list.iter().all(Value::is_string) {
                list.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            }
            Value::Array(list)
        }
        other => other.clone(),
    }
}

/// A description as lists give it, or of what bears no tags: without them.
pub fn untagged(mut described: Value) -> Value {
    if let Value::Object(fields) = &mut described {
        fields.remove("tags");
    }
    described
}

/// A text of a described map, dotted; empty when it is missing.
pub fn text<'a>(described: &'a Value, path: &str) -> &'a str {
    lookup(described, path).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_texts_in_a_list_is_no_difference() {
        let asked = json!({ "vpc": { "subnet_ids": ["b", "a"] }, "version": "1.34" });
        let found = json!({ "vpc": { "subnet_ids": ["a", "b"] }, "version": "1.33" });
        assert_eq!(unordered(&asked, &found), [("version".to_owned(), json!("1.34"), json!("1.33"))]);
    }
}
