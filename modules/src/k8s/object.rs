//! The kind `k8s.object`: any Kubernetes object, applied by its natural key.
//!
//! Source: <https://kubernetes.io/docs/reference/using-api/server-side-apply/>.

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{finalizers, health, quantity, types, types::text};
use crate::{
    input::{self, InputError},
    resource::{Health, Identity, Kind, Meta},
    sandbox::sim::Sim,
    target::{EFFECT_TAG, RUN_TAG, STEP_TAG},
};

/// A Kubernetes object, as the Kubernetes API reference has it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// API group and version, e.g. `apps/v1`.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// Kind, e.g. `Deployment`.
    pub kind: String,
    /// Name, namespace, labels, annotations.
    pub metadata: Metadata,
    /// What is wanted, in most kinds.
    pub spec: Option<Map<String, Value>>,
    /// The kind's other fields.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// What names an object.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Metadata {
    /// Name. Always given: a generated name could not be found again.
    pub name: String,
    /// Namespace; `default` when it is left out.
    pub namespace: Option<String>,
    /// Labels.
    pub labels: Option<BTreeMap<String, String>>,
    /// Annotations.
    pub annotations: Option<BTreeMap<String, String>>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// The kind.
pub struct Object;

static META: Meta = Meta {
    name: "k8s.object",
    create: "apply",
    operations: ("Apply", "Delete"),
    doc: "Applies a Kubernetes object by server-side apply and waits until it is ready.

The map is the object itself. What stood there before is kept, and put back by undo. Fields that another manager has set to \
another value are a conflict: it names the manager and the fields, and nothing is taken by force. `generateName` is refused, since such an \
object could not be found again. Workloads are ready when their pods are; while they are not, the wait names the pods and why.

Reference: <https://kubernetes.io/docs/reference/kubernetes-api/>.",
    identity: Identity::Key,
    usual: (Duration::from_secs(60), Duration::from_secs(20)),
    cost: None,
    replaces: true,
    shared: false,
};

impl Kind for Object {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn schema(&self) -> Value {
        input::schema::<Manifest>()
    }

    fn check(&self, object: &Value) -> Result<(), InputError> {
        input::check::<Manifest>(object)?;
        if object["metadata"].get("generateName").is_some() {
            let why = "is refused: an object with a generated name could not be found again";
            return Err(InputError::new("metadata.generateName", why));
        }
        for field in ["apiVersion", "kind", "metadata.name"] {
            if text(object, field).is_empty() {
                return Err(InputError::new(field, "must not be empty"));
            }
        }
        if text(object, "kind") == "List" {
            return Err(InputError::new("kind", "is a list: apply its items"));
        }
        Ok(())
    }

    fn locate(&self, object: &Value, described: &Value) -> Option<Value> {
        let from = if described.is_object() { described } else { object };
        let mut at = json!({
            "api_version": text(from, "apiVersion"), "kind": text(from, "kind"), "namespace": text(from, "metadata.namespace"),
            "name": text(from, "metadata.name"),
        });
        let uid = text(described, "metadata.uid");
        if !uid.is_empty() {
            at["uid"] = uid.into();
        }
        if finalizers::may_lift(described) {
            at[finalizers::CONSENT] = true.into();
        }
        Some(at)
    }

    fn judge(&self, described: &Value) -> Health {
        health::judge(described)
    }

    fn differences(&self, object: &Value, described: &Value) -> Vec<(String, Value, Value)> {
        let mut found = Vec::new();
        differ("", object, described, &mut found);
        found
    }

    fn sim(&self) -> &dyn Sim {
        &crate::sandbox::k8s::sim::Applied
    }
}

/// The API server adds defaults inside lists too: items are compared one by one, and only in what was asked for.
fn differ(path: &str, asked: &Value, has: &Value, found: &mut Vec<(String, Value, Value)>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match (asked, has) {
        (Value::Object(asked), Value::Object(has)) => {
            for (name, asked) in asked {
                if let Some(has) = has.get(name) {
                    differ(&below(name), asked, has, found);
                }
            }
        }
        (Value::Array(asked), Value::Array(has)) if asked.len() == has.len() => {
            for (i, (asked, has)) in asked.iter().zip(has).enumerate() {
                differ(&below(&i.to_string()), asked, has, found);
            }
        }
        _ if asked == has || (quantity::is_at(path) && quantity::same(asked, has)) => {}
        _ => found.push((path.to_owned(), asked.clone(), has.clone())),
    }
}

/// The object with the labels and annotations that say whose it is: `runbook/run` and `runbook/effect` as labels, `runbook/step`
/// (any text) as an annotation.
pub fn owned(mut object: Value, tags: &BTreeMap<String, String>) -> Value {
    for (tag, place, name) in [
        (RUN_TAG, "labels", "runbook/run"),
        (EFFECT_TAG, "labels", "runbook/effect"),
        (STEP_TAG, "annotations", "runbook/step"),
    ] {
        if let Some(value) = tags.get(tag) {
            let metadata = &mut object["metadata"];
            if !metadata[place].is_object() {
                metadata[place] = json!({});
            }
            metadata[place][name] = value.as_str().into();
        }
    }
    object
}

/// A described object: the object with `id`, `name` and `tags` at the top.
pub fn with_identity(mut object: Value, id: &str, tags: &BTreeMap<String, String>) -> Value {
    object["id"] = id.into();
    object["name"] = object["metadata"]["name"].clone();
    object["tags"] = json!(tags);
    object
}

/// What was added by [`with_identity`], the status and what the API server sets, taken away again: an object that can be applied.
pub fn bare(mut described: Value) -> Value {
    if let Value::Object(fields) = &mut described {
        for added in ["id", "name", "tags", "status", "waiting_for"] {
            fields.remove(added);
        }
        if let Some(Value::Object(metadata)) = fields.get_mut("metadata") {
            for set in
                ["uid", "creationTimestamp", "resourceVersion", "generation", "managedFields", "deletionTimestamp"]
            {
                metadata.remove(set);
            }
        }
    }
    described
}

/// The id of an object out of its locator.
pub fn id_at(at: &Value) -> String {
    types::id(text(at, "api_version"), text(at, "kind"), text(at, "namespace"), text(at, "name"))
}
