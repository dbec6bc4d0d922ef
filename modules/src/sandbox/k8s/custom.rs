//! What well-known controllers (Argo CD, CloudNativePG, cert-manager, KEDA, Karpenter, Flux) write into the status of their objects.
//!
//! An object whose status nobody has rehearsed becomes ready after a while, as if its controller worked: once the rehearsal file has made
//! for it what it makes, and that is ready. A status in the rehearsal file (`adds: { status: … }`) is taken instead.

use serde_json::{Value, json};

use super::{
    super::{
        controllers,
        world::{Object, World},
    },
    OBJECT,
    status::describe,
};
use crate::{
    k8s::{custom, health, types::text},
    resource::Health,
};

/// From an object to its controller's first answer.
pub const ANSWERING_MS: i64 = 8_000;

/// Whether a controller that is known here writes the status of an object.
pub fn known(object: &Value) -> bool {
    custom::judge(object).is_some()
}

/// The status that its controller would have written by now; Null while it has not answered.
pub fn status(world: &World, cluster: &str, object: &Object, now_ms: i64) -> Value {
    let body = &object.body;
    let rehearsed = body["status"].as_object().is_some_and(|status| !status.is_empty());
    if rehearsed || object.state(now_ms) != "Ready" || !known(body) {
        return Value::Null;
    }
    told(body, &waits_for(world, cluster, object, now_ms))
}

/// The status that its controller writes, while it waits for these.
pub fn told(body: &Value, waiting: &[String]) -> Value {
    let ready = if waiting.is_empty() { "True" } else { "False" };
    let message = waiting.join("; ");
    let generation = &body["metadata"]["generation"];
    match text(body, "kind") {
        "Application" => json!({
            "sync": {"status": "Synced", "revision": text(body, "spec.source.targetRevision")},
            "health": {"status": if waiting.is_empty() { "Healthy" } else { "Progressing" }, "message": message},
            "operationState": {"phase": "Succeeded"},
        }),
        "Cluster" => {
            let instances = body["spec"]["instances"].as_i64().unwrap_or(1);
            let (phase, count) =
                if waiting.is_empty() { ("Cluster in healthy state", instances) } else { ("Setting up primary", 0) };
            json!({"phase": phase, "phaseReason": message, "instances": instances, "readyInstances": count})
        }
        "Prometheus" | "Alertmanager" | "ThanosRuler" => {
            json!({"conditions": [{"type": "Available", "status": ready, "reason": "", "message": message, "observedGeneration": generation}]})
        }
        _ => json!({
            "observedGeneration": generation,
            "conditions": [{"type": "Ready", "status": ready, "reason": if message.is_empty() { "Ready" } else { "Progressing" }, "message": message}],
        }),
    }
}

/// What the rehearsal file makes for it and is not ready, for people.
fn waits_for(world: &World, cluster: &str, object: &Object, now_ms: i64) -> Vec<String> {
    let (mut waiting, made) = controllers::made_by(world, object);
    for key in made {
        let Some(made) = world.by_key(&key).filter(|made| made.kind == OBJECT && made.exists(now_ms)) else { continue };
        let why = match health::judge(&describe(world, cluster, made, now_ms)) {
            Health::Ready => continue,
            Health::Pending(why) | Health::Failed(why) | Health::Deleting(why) => why,
        };
        waiting.push(format!("{} {}: {why}", text(&made.body, "kind"), text(&made.body, "metadata.name")));
    }
    waiting
}
