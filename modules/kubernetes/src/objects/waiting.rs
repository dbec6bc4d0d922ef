//! What an object waits for, for people: the pods that are not ready with container and reason, what an event warns of, what a
//! terminating namespace still holds. Reads only, and as far as they get through.

use std::collections::BTreeMap;

use runbook_modules::{
    k8s::{
        health::{self, judge},
        types::{builtin, text},
    },
    resource::Health,
};
use serde_json::Value;

use super::{
    api::{Api, encoded},
    reasons::{pod_reason, shortened},
    workload,
};

/// How many pods are named.
const NAMED: usize = 5;

/// Adds `waiting_for` to a described object that is not ready or on its way out.
pub async fn with_waiting(api: Api<'_>, mut described: Value) -> Value {
    if matches!(judge(&described), Health::Pending(_) | Health::Deleting(_)) {
        let waiting = waits_for(api, &described).await;
        if !waiting.is_empty() {
            described["waiting_for"] = waiting.into();
        }
    }
    described
}

/// What an object waits for.
pub async fn waits_for(api: Api<'_>, object: &Value) -> Vec<String> {
    let namespace = text(object, "metadata.namespace");
    match text(object, "kind") {
        "Pod" => {
            let warnings = events(api, namespace, "type=Warning").await;
            pod_reason(object, &warnings).into_iter().collect()
        }
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => of_workload(api, object).await,
        "Namespace" | "CustomResourceDefinition" => conditions(object),
        "PersistentVolumeClaim" if !text(object, "metadata.deletionTimestamp").is_empty() => {
            users_of_claim(api, namespace, text(object, "metadata.name")).await
        }
        "Node" | "APIService" => conditions(object),
        _ => {
            let selector = format!("involvedObject.uid={}", text(object, "metadata.uid"));
            let namespace = if namespace.is_empty() { "default" } else { namespace };
            events(api, namespace, &selector).await.into_values().collect()
        }
    }
}

async fn of_workload(api: Api<'_>, object: &Value) -> Vec<String> {
    let namespace = text(object, "metadata.namespace");
    let Ok(staff) = workload::staff(api, object).await else { return Vec::new() };
    let warnings = events(api, namespace, "type=Warning").await;
    let mut found: Vec<String> = staff
        .pods
        .iter()
        .filter_map(|pod| Some(format!("pod {}: {}", text(pod, "metadata.name"), pod_reason(pod, &warnings)?)))
        .collect();
    if found.len() > NAMED {
        let more = found.len() - NAMED;
        found.truncate(NAMED);
        found.push(format!("and {more} pods more"));
    }
    if found.is_empty() {
        // No pod was made: the controller says why.
        found.extend(staff.owners.iter().filter_map(|uid| warnings.get(uid).cloned()));
    }
    if found.is_empty() {
        found.extend(conditions(object));
    }
    found
}

/// The newest event of each object, by its uid.
pub async fn events(api: Api<'_>, namespace: &str, selector: &str) -> BTreeMap<String, String> {
    let Some(kind) = builtin("Event", None) else { return BTreeMap::new() };
    let Ok(mut found) = api.list(&kind, namespace, &format!("fieldSelector={}", encoded(selector))).await else {
        return BTreeMap::new();
    };
    let when = |event: &Value| {
        let times = ["series.lastObservedTime", "lastTimestamp", "eventTime", "metadata.creationTimestamp"];
        times.iter().map(|path| text(event, path)).find(|time| !time.is_empty()).unwrap_or_default().to_owned()
    };
    found.sort_by_key(when);
    let said = |event: &Value| format!("{}: {}", text(event, "reason"), shortened(text(event, "message")));
    found.iter().map(|event| (text(event, "involvedObject.uid").to_owned(), said(event))).collect()
}

/// The conditions that say that something is wrong, or that something remains.
fn conditions(object: &Value) -> Vec<String> {
    let list = object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    list.filter(|condition| {
        let bad = match text(condition, "type") {
            "Ready" | "Available" | "NamesAccepted" | "Progressing" => "False",
            "Established" | "Complete" | "Failed" | "KubernetesAPIApprovalPolicyConformant" => return false,
            _ => "True",
        };
        text(condition, "status") == bad && !text(condition, "message").is_empty()
    })
    .map(|condition| shortened(text(condition, "message")))
    .collect()
}

/// The pods that still mount a claim.
async fn users_of_claim(api: Api<'_>, namespace: &str, claim: &str) -> Vec<String> {
    let Some(kind) = builtin("Pod", None) else { return Vec::new() };
    let pods = api.list(&kind, namespace, "").await.unwrap_or_default();
    let mounts = |pod: &&Value| {
        let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
        volumes.into_iter().any(|volume| text(volume, "persistentVolumeClaim.claimName") == claim)
    };
    pods.iter().filter(mounts).map(|pod| format!("pod {} mounts it", text(pod, "metadata.name"))).collect()
}

/// Whether a pod's containers run.
pub fn is_running(pod: &Value) -> bool {
    text(pod, "status.phase") == "Running" || health::condition(pod, "Ready")
}
