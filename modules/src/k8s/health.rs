//! Whether an object is ready, judged by its status alone, as the Kubernetes reference defines it.
//!
//! The sandbox adds `waiting_for`: texts that name the pods and the reasons. A live target adds the same from pods and events.

use serde_json::Value;

use super::types::{number, text};
use crate::resource::Health;

/// Judges a described object.
pub fn judge(object: &Value) -> Health {
    if !text(object, "metadata.deletionTimestamp").is_empty() {
        let finalizers = strings(object.pointer("/metadata/finalizers"));
        let waiting =
            if finalizers.is_empty() { reasons(object) } else { format!("finalizers {}", finalizers.join(", ")) };
        return Health::Deleting(if waiting.is_empty() { "being deleted".to_owned() } else { waiting });
    }
    let generation = number(object, "metadata.generation").unwrap_or(0);
    let seen = number(object, "status.observedGeneration").is_none_or(|seen| seen >= generation);
    let count = |path: &str| number(object, path).unwrap_or(0);
    let wanted = number(object, "spec.replicas").unwrap_or(1);
    let ready = match text(object, "kind") {
        "Deployment" => {
            seen && count("status.updatedReplicas") >= wanted && count("status.availableReplicas") >= wanted
        }
        "StatefulSet" | "ReplicaSet" => seen && count("status.readyReplicas") >= wanted,
        "DaemonSet" => {
            let desired = number(object, "status.desiredNumberScheduled");
            seen && desired.is_some_and(|desired| count("status.numberReady") >= desired)
        }
        "Job" => {
            if condition(object, "Failed") {
                return Health::Failed(condition_text(object, "Failed"));
            }
            condition(object, "Complete")
        }
        "Pod" => match text(object, "status.phase") {
            "Failed" => return Health::Failed(text(object, "status.message").to_owned()),
            "Succeeded" => true,
            _ => condition(object, "Ready"),
        },
        "PersistentVolumeClaim" => text(object, "status.phase") == "Bound",
        "Namespace" => text(object, "status.phase") == "Active",
        "Node" => condition(object, "Ready"),
        "CustomResourceDefinition" => condition(object, "Established"),
        "APIService" => condition(object, "Available"),
        "Service" if text(object, "spec.type") == "LoadBalancer" => object
            .pointer("/status/loadBalancer/ingress")
            .and_then(Value::as_array)
            .is_some_and(|list| !list.is_empty()),
        _ => true,
    };
    if ready {
        return Health::Ready;
    }
    let waiting = reasons(object);
    Health::Pending(if waiting.is_empty() { progress(object, wanted) } else { waiting })
}

/// Whether a condition of the status is `True`.
pub fn condition(object: &Value, name: &str) -> bool {
    find_condition(object, name).is_some_and(|condition| text(condition, "status") == "True")
}

fn condition_text(object: &Value, name: &str) -> String {
    let found = find_condition(object, name).map(|c| [text(c, "reason"), text(c, "message")].join(" "));
    found.unwrap_or_default().trim().to_owned()
}

fn find_condition<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    object.pointer("/status/conditions")?.as_array()?.iter().find(|condition| text(condition, "type") == name)
}

fn reasons(object: &Value) -> String {
    strings(object.get("waiting_for")).join("; ")
}

fn strings(list: Option<&Value>) -> Vec<&str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

fn progress(object: &Value, wanted: i64) -> String {
    match text(object, "kind") {
        "Deployment" | "StatefulSet" | "ReplicaSet" => {
            format!("{} of {wanted} pods ready", number(object, "status.readyReplicas").unwrap_or(0))
        }
        "CustomResourceDefinition" => "not established yet".to_owned(),
        "Service" => "no load balancer yet".to_owned(),
        "PersistentVolumeClaim" | "Pod" => text(object, "status.phase").to_owned(),
        _ => "not ready yet".to_owned(),
    }
}
