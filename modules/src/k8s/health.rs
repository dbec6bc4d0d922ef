//! Whether an object is ready, judged by its status alone, as the Kubernetes reference defines it.
//!
//! The sandbox adds `waiting_for`: texts that name the pods and the reasons. A live target adds the same from pods and events.

use serde_json::Value;

use super::{
    custom,
    types::{number, text},
};
use crate::resource::Health;

/// Judges a described object.
pub fn judge(object: &Value) -> Health {
    if !text(object, "metadata.deletionTimestamp").is_empty() {
        let finalizers = strings(object.pointer("/metadata/finalizers"));
        let held = if finalizers.is_empty() { String::new() } else { format!("finalizers {}", finalizers.join(", ")) };
        let waiting =
            [held, reasons(object)].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ");
        return Health::Deleting(if waiting.is_empty() { "being deleted".to_owned() } else { waiting });
    }
    if let Some(health) = custom::judge(object) {
        return with_reasons(health, object);
    }
    let generation = number(object, "metadata.generation").unwrap_or(0);
    let seen = number(object, "status.observedGeneration").is_some_and(|seen| seen >= generation);
    let count = |path: &str| number(object, path).unwrap_or(0);
    let wanted = number(object, "spec.replicas").unwrap_or(1);
    let ready = match text(object, "kind") {
        "Deployment" => {
            let updated = count("status.updatedReplicas");
            seen && updated >= wanted
                && count("status.replicas") <= updated
                && count("status.availableReplicas") >= wanted
        }
        "StatefulSet" => seen && count("status.readyReplicas") >= wanted && rolled_out(object, wanted),
        "ReplicaSet" => seen && count("status.readyReplicas") >= wanted,
        "DaemonSet" => {
            let desired = number(object, "status.desiredNumberScheduled");
            let on_delete = text(object, "spec.updateStrategy.type") == "OnDelete";
            seen && desired.is_some_and(|desired| {
                count("status.numberReady") >= desired
                    && (on_delete || count("status.updatedNumberScheduled") >= desired)
            })
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
        // A claim that waits for its first pod is as ready as it can be before there is one.
        "PersistentVolumeClaim" => {
            text(object, "status.phase") == "Bound" || reasons(object).starts_with("WaitForFirstConsumer")
        }
        "Namespace" => text(object, "status.phase") == "Active",
        "Node" => condition(object, "Ready"),
        "CustomResourceDefinition" => condition(object, "Established"),
        "APIService" => condition(object, "Available"),
        "Service" if text(object, "spec.type") == "LoadBalancer" => has_address(object),
        "Ingress" => has_address(object),
        _ => true,
    };
    if ready {
        return Health::Ready;
    }
    let waiting = reasons(object);
    Health::Pending(if waiting.is_empty() { progress(object, wanted) } else { waiting })
}

/// Whether a controller has given a Service or an Ingress an address.
fn has_address(object: &Value) -> bool {
    object.pointer("/status/loadBalancer/ingress").and_then(Value::as_array).is_some_and(|list| !list.is_empty())
}

/// What a controller says, and after it what events say.
fn with_reasons(health: Health, object: &Value) -> Health {
    let more = reasons(object);
    let both = |why: String| if more.is_empty() || why.contains(&more) { why } else { format!("{why}; {more}") };
    match health {
        Health::Pending(why) => Health::Pending(both(why)),
        Health::Failed(why) => Health::Failed(both(why)),
        other => other,
    }
}

/// Kinds that Helm waits for. What else a chart makes counts as ready when it stands, whatever a controller makes of it later.
const OF_HELM: [&str; 9] = [
    "CustomResourceDefinition",
    "APIService",
    "PersistentVolumeClaim",
    "Pod",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "Job",
];

/// Whether a release waits for an object of its chart.
pub fn helm_waits_for(object: &Value) -> bool {
    let kind = text(object, "kind");
    OF_HELM.contains(&kind) || (kind == "Service" && text(object, "spec.type") == "LoadBalancer")
}

/// Whether all pods of a StatefulSet are of the newest template, as far as its strategy replaces them by itself.
fn rolled_out(object: &Value, wanted: i64) -> bool {
    if text(object, "spec.updateStrategy.type") == "OnDelete" {
        return true;
    }
    let partition = number(object, "spec.updateStrategy.rollingUpdate.partition").unwrap_or(0);
    number(object, "status.updatedReplicas").unwrap_or(0) >= (wanted - partition).max(0)
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
        "Ingress" => match text(object, "spec.ingressClassName") {
            "" => "no controller has given it an address yet".to_owned(),
            class => format!("no controller of the class {class} has given it an address yet"),
        },
        "APIService" => match condition_text(object, "Available") {
            why if why.is_empty() => "not available yet".to_owned(),
            why => why,
        },
        "PersistentVolumeClaim" | "Pod" => text(object, "status.phase").to_owned(),
        _ => "not ready yet".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::judge;
    use crate::resource::Health;

    fn ready(object: Value) -> bool {
        judge(&object) == Health::Ready
    }

    fn deployment(status: Value) -> Value {
        json!({"kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 1}, "status": status})
    }

    #[test]
    fn a_deployment_is_ready_when_only_new_pods_are_left() {
        let status = |replicas: i64, seen: i64| json!({"observedGeneration": seen, "replicas": replicas, "updatedReplicas": 1, "availableReplicas": 1});
        assert!(ready(deployment(status(1, 2))));
        assert!(!ready(deployment(status(2, 2))), "the available one is the old one");
        assert!(!ready(deployment(status(1, 1))), "the controller has not seen the change");
        assert!(!ready(deployment(json!({}))));
    }

    #[test]
    fn a_stateful_set_is_ready_when_its_pods_are_replaced() {
        let set = |updated: i64, strategy: Value| {
            json!({"kind": "StatefulSet", "metadata": {"generation": 1}, "spec": {"replicas": 2, "updateStrategy": strategy},
                "status": {"observedGeneration": 1, "readyReplicas": 2, "updatedReplicas": updated}})
        };
        assert!(ready(set(2, json!({}))));
        assert!(!ready(set(1, json!({}))));
        assert!(ready(set(1, json!({"rollingUpdate": {"partition": 1}}))));
        assert!(ready(set(0, json!({"type": "OnDelete"}))));
    }

    #[test]
    fn a_daemon_set_that_no_controller_has_seen_is_not_ready() {
        let set = |status: Value| json!({"kind": "DaemonSet", "metadata": {"generation": 1}, "status": status});
        assert!(!ready(set(json!({"desiredNumberScheduled": 0, "numberReady": 0}))));
        assert!(ready(set(json!({"observedGeneration": 1, "desiredNumberScheduled": 0, "numberReady": 0}))));
        let old = json!({"observedGeneration": 1, "desiredNumberScheduled": 1, "numberReady": 1, "updatedNumberScheduled": 0});
        assert!(!ready(set(old)));
    }

    #[test]
    fn a_claim_waits_for_its_volume_or_for_its_first_pod() {
        let claim = |phase: &str, waiting: &str| json!({"kind": "PersistentVolumeClaim", "metadata": {}, "status": {"phase": phase}, "waiting_for": [waiting]});
        assert!(ready(claim("Bound", "")));
        assert!(ready(claim("Pending", "WaitForFirstConsumer: waiting for first consumer")));
        assert!(!ready(claim("Pending", "ProvisioningFailed: no class")));
    }

    #[test]
    fn an_ingress_waits_for_its_address() {
        let ingress = |list: Value| json!({"kind": "Ingress", "apiVersion": "networking.k8s.io/v1", "metadata": {}, "spec": {"ingressClassName": "alb"}, "status": {"loadBalancer": {"ingress": list}}});
        assert!(ready(ingress(json!([{"hostname": "x.elb.amazonaws.com"}]))));
        let why = "no controller of the class alb has given it an address yet".to_owned();
        assert_eq!(judge(&ingress(json!([]))), Health::Pending(why));
    }

    #[test]
    fn an_api_service_says_why_it_is_not_available() {
        let why =
            json!({"type": "Available", "status": "False", "reason": "MissingEndpoints", "message": "no endpoints"});
        let api = json!({"kind": "APIService", "metadata": {}, "status": {"conditions": [why]}});
        assert_eq!(judge(&api), Health::Pending("MissingEndpoints no endpoints".to_owned()));
    }

    #[test]
    fn what_the_controller_says_comes_before_the_events() {
        let mut pool = json!({"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {}, "status": {"conditions": [
            {"type": "Ready", "status": "False", "reason": "NodeClassNotReady", "message": "default"},
        ]}});
        pool["waiting_for"] = json!(["FailedX: y"]);
        assert_eq!(judge(&pool), Health::Pending("NodeClassNotReady: default; FailedX: y".to_owned()));
    }

    #[test]
    fn what_is_being_deleted_names_finalizers_and_what_remains() {
        let object = json!({"kind": "Namespace", "metadata": {"deletionTimestamp": "now", "finalizers": ["a/b"]}, "waiting_for": ["x"]});
        assert_eq!(judge(&object), Health::Deleting("finalizers a/b; x".to_owned()));
    }
}
