//! The kind `k8s.patch`: some fields of an object that stands, put back by undo; and how a patch is merged.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::types::text;
use crate::{
    input::{self, InputError},
    resource::{Identity, Kind, Meta},
    sandbox::sim::Sim,
};

/// Which object, and what to change in it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Kind, e.g. `Deployment`.
    pub kind: String,
    /// API group and version, e.g. `apps/v1`; may be left out for Kubernetes' own kinds.
    pub api_version: Option<String>,
    /// Name.
    pub name: String,
    /// Namespace; `default` when it is left out.
    pub namespace: Option<String>,
    /// The fields to change; `()` takes one away.
    pub patch: Map<String, Value>,
}

/// The kind.
pub struct Patch;

static META: Meta = Meta {
    name: "k8s.patch",
    create: "patch",
    operations: ("Patch", "Patch back"),
    doc: "Changes some fields of an object that stands. What they were is kept, and undo puts them back.

Maps are merged field by field; `()` takes a field away. In Kubernetes' own kinds a list of maps with names (containers, volumes, \
ports, environment) is merged by name, as by `kubectl patch`; any other list is replaced.

Reference: <https://kubernetes.io/docs/reference/kubectl/generated/kubectl_patch/>.",
    identity: Identity::Repeat,
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: true,
    shared: false,
};

impl Kind for Patch {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn schema(&self) -> Value {
        input::schema::<Input>()
    }

    fn check(&self, input: &Value) -> Result<(), InputError> {
        input::check::<Input>(input)?;
        for field in ["kind", "name", "patch"] {
            if input[field] == "" || input[field] == json!({}) {
                return Err(InputError::new(field, "must not be empty"));
            }
        }
        Ok(())
    }

    fn locate(&self, input: &Value, described: &Value) -> Option<Value> {
        let from = |field: &str| match text(input, field) {
            "" => text(described, field).to_owned(),
            given => given.to_owned(),
        };
        Some(json!({
            "kind": from("kind"), "api_version": from("api_version"), "name": from("name"), "namespace": from("namespace"),
            "patch": input["patch"],
        }))
    }

    fn sim(&self) -> &dyn Sim {
        &crate::sandbox::k8s::sim::Patched
    }
}

/// Merges a patch as the API server does for its own kinds: maps field by field, null removes, and a list of maps that all have a
/// `name` is merged by name. Other lists are replaced.
///
/// Source: <https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/>.
pub fn strategic(into: &mut Value, patch: &Value) {
    match (into, patch) {
        (Value::Object(into), Value::Object(patch)) => {
            for (field, change) in patch {
                if change.is_null() {
                    into.remove(field);
                } else {
                    strategic(into.entry(field.clone()).or_insert(Value::Null), change);
                }
            }
        }
        (Value::Array(into), Value::Array(patch)) if named(into) && named(patch) => {
            for change in patch {
                let at = into.iter().position(|item| item["name"] == change["name"]);
                match (at, change["$patch"] == "delete") {
                    (Some(at), true) => {
                        into.remove(at);
                    }
                    (Some(at), false) => strategic(&mut into[at], change),
                    (None, true) => {}
                    (None, false) => into.push(change.clone()),
                }
            }
        }
        (into, Value::Object(patch)) => {
            *into = Value::Object(Map::new());
            strategic(into, &Value::Object(patch.clone()));
        }
        (into, patch) => *into = patch.clone(),
    }
}

/// The patch that puts back what another one is about to change.
pub fn reverse(there: &Value, patch: &Value) -> Value {
    match (there, patch) {
        (Value::Object(there), Value::Object(patch)) => {
            let fields = patch.iter().map(|(field, change)| {
                (field.clone(), there.get(field).map_or(Value::Null, |there| reverse(there, change)))
            });
            Value::Object(fields.collect())
        }
        (Value::Array(there), Value::Array(patch)) if named(there) && named(patch) => {
            let items = patch.iter().map(|change| match there.iter().find(|item| item["name"] == change["name"]) {
                Some(item) => {
                    let mut back = reverse(item, change);
                    back["name"] = change["name"].clone();
                    back
                }
                None => json!({"name": change["name"], "$patch": "delete"}),
            });
            Value::Array(items.collect())
        }
        (there, _) => there.clone(),
    }
}

fn named(list: &[Value]) -> bool {
    !list.is_empty() && list.iter().all(|item| item.get("name").is_some_and(Value::is_string))
}
