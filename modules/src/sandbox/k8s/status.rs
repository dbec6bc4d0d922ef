//! A description of an object at the time of asking: its status as the controllers would have written it by then.

use serde_json::{Value, json};

use super::{
    super::{
        balancers,
        clock_text::rfc3339,
        simple::{merge, set},
        world::{Object, World},
    },
    CLUSTER, custom, delete, of_kind, one, pods, settle, volumes,
};
use crate::k8s::{object::with_identity, types::text};

/// The description of an object: the object itself with its status, `id`, `name`, `tags`, and what it waits for.
pub fn describe(world: &World, cluster: &str, object: &Object, now_ms: i64) -> Value {
    let mut body = object.body.clone();
    if let Some(gone) = object.gone_at
        && text(&body, "metadata.deletionTimestamp").is_empty()
    {
        set(&mut body, "metadata.deletionTimestamp", rfc3339(gone).into());
    }
    let status = status(world, cluster, object, now_ms);
    if !status.is_null() {
        let mut merged = body["status"].take();
        merge(&mut merged, status);
        body["status"] = merged;
    }
    let waiting = waits_for(world, cluster, object, &body, now_ms);
    if !waiting.is_empty() {
        body["waiting_for"] = waiting.into();
    }
    with_identity(body, &object.id, &object.tags)
}

fn yes(condition: bool) -> &'static str {
    if condition { "True" } else { "False" }
}

fn status(world: &World, cluster: &str, object: &Object, now_ms: i64) -> Value {
    let body = &object.body;
    let state = object.state(now_ms);
    let pods: Vec<&Object> = pods::pods_of(world, cluster, object, now_ms)
        .filter(|pod| pod.exists(now_ms) && pod.gone_at.is_none())
        .collect();
    let ready = pods.iter().filter(|pod| pod.state(now_ms) == "Running").count();
    let wanted = body["spec"]["replicas"].as_u64().unwrap_or(1);
    let generation = &body["metadata"]["generation"];
    match text(body, "kind") {
        "Pod" => pod(world, cluster, object, now_ms),
        "Deployment" => json!({
            "observedGeneration": generation, "replicas": pods.len(), "updatedReplicas": pods.len(), "readyReplicas": ready,
            "availableReplicas": ready, "conditions": [{"type": "Available", "status": yes(ready as u64 >= wanted)}],
        }),
        "StatefulSet" => json!({
            "observedGeneration": generation, "replicas": pods.len(), "updatedReplicas": pods.len(), "readyReplicas": ready,
            "availableReplicas": ready, "currentReplicas": pods.len(),
        }),
        "DaemonSet" => {
            let nodes = of_kind(world, cluster, "Node", now_ms).filter(|node| node.exists(now_ms)).count();
            json!({
                "observedGeneration": generation, "desiredNumberScheduled": nodes, "currentNumberScheduled": pods.len(),
                "updatedNumberScheduled": pods.len(), "numberReady": ready, "numberAvailable": ready,
            })
        }
        "Job" => {
            let done = pods.iter().filter(|pod| pod.state(now_ms) == "Succeeded").count();
            json!({"active": pods.len() - done, "succeeded": done, "conditions": [{"type": "Complete", "status": yes(done > 0)}]})
        }
        "Node" => json!({"conditions": [
            {"type": "Ready", "status": yes(state == "Ready"), "reason": if state == "Ready" { "KubeletReady" } else { "KubeletNotReady" }},
        ]}),
        "PersistentVolumeClaim" => json!({"phase": state, "capacity": body["spec"]["resources"]["requests"]}),
        "PersistentVolume" => json!({"phase": volumes::phase(world, cluster, object, now_ms)}),
        "Namespace" if text(body, "metadata.deletionTimestamp").is_empty() && object.gone_at.is_none() => {
            json!({"phase": "Active"})
        }
        "Namespace" => json!({"phase": "Terminating"}),
        "CustomResourceDefinition" => json!({"conditions": [
            {"type": "NamesAccepted", "status": "True"}, {"type": "Established", "status": yes(state == "Established")},
        ]}),
        "APIService" => json!({"conditions": [{"type": "Available", "status": "True"}]}),
        "Service" | "Ingress" if balancers::address(world, cluster, object, now_ms).is_some() => {
            json!({"loadBalancer": {"ingress": [{"hostname": balancers::address(world, cluster, object, now_ms)}]}})
        }
        "Service" if text(body, "spec.type") == "LoadBalancer" && state == "Ready" && !balancers::handled(body) => {
            let region =
                world.get(CLUSTER, cluster, cluster, now_ms).map(|c| text(&c.body, "region")).unwrap_or_default();
            let hostname = format!("{}.elb.{region}.amazonaws.com", settle::balancer(object));
            json!({"loadBalancer": {"ingress": [{"hostname": hostname}]}})
        }
        "Service" | "Ingress" => json!({"loadBalancer": {}}),
        _ => custom::status(world, cluster, object, now_ms),
    }
}

fn pod(world: &World, cluster: &str, object: &Object, now_ms: i64) -> Value {
    let body = &object.body;
    let phase = object.state(now_ms);
    let running = phase == "Running";
    let placed = !text(body, "spec.nodeName").is_empty();
    let node = text(body, "spec.nodeName");
    let host = one(world, cluster, "Node", "", node, now_ms)
        .map(|node| node.body["status"]["addresses"][0]["address"].clone());
    let containers = body["spec"]["containers"].as_array().into_iter().flatten();
    let statuses: Vec<Value> = containers
        .map(|container| {
            let state = match phase {
                "Running" => json!({"running": {}}),
                "Succeeded" => json!({"terminated": {"exitCode": 0, "reason": "Completed"}}),
                _ => json!({"waiting": {"reason": "ContainerCreating"}}),
            };
            json!({"name": container["name"], "image": container["image"], "ready": running, "restartCount": 0, "state": state})
        })
        .collect();
    json!({
        "phase": phase, "hostIP": host, "containerStatuses": statuses,
        "conditions": [
            {"type": "PodScheduled", "status": yes(placed)}, {"type": "ContainersReady", "status": yes(running)},
            {"type": "Ready", "status": yes(running)},
        ],
    })
}

/// What an object waits for, for people: the pods that are not ready and why, or what keeps it from going.
fn waits_for(world: &World, cluster: &str, object: &Object, body: &Value, now_ms: i64) -> Vec<String> {
    if !text(body, "metadata.deletionTimestamp").is_empty() {
        return delete::waits_for(world, cluster, object, now_ms);
    }
    if text(body, "kind") == "Pod" {
        return pod_waits_for(world, cluster, object, now_ms).into_iter().collect();
    }
    if text(body, "kind") == "Service" && balancers::handled(body) {
        let there = balancers::address(world, cluster, object, now_ms).is_some();
        return (!there).then(|| balancers::why_none(world, cluster, object, now_ms)).flatten().into_iter().collect();
    }
    if !matches!(text(body, "kind"), "Deployment" | "StatefulSet" | "DaemonSet" | "Job") {
        return Vec::new();
    }
    pods::pods_of(world, cluster, object, now_ms)
        .filter(|pod| pod.exists(now_ms) && pod.gone_at.is_none())
        .filter_map(|pod| {
            let why = pod_waits_for(world, cluster, pod, now_ms)?;
            Some(format!("pod {}: {why}", text(&pod.body, "metadata.name")))
        })
        .collect()
}

fn pod_waits_for(world: &World, cluster: &str, pod: &Object, now_ms: i64) -> Option<String> {
    match pod.state(now_ms) {
        "Pending" => {}
        "Running" if text(&pod.body["metadata"]["ownerReferences"][0], "kind") == "Job" => {
            return Some("running".to_owned());
        }
        _ => return None,
    }
    if let Some(missing) = pods::missing(world, cluster, &pod.body, now_ms) {
        return Some(format!("CreateContainerConfigError ({missing})"));
    }
    if of_kind(world, cluster, "Node", now_ms).next().is_none() {
        return Some("Pending (0/0 nodes are available)".to_owned());
    }
    if !pod.states.iter().any(|(_, state)| state == "Running") {
        return Some("Pending".to_owned());
    }
    Some("ContainerCreating".to_owned())
}
