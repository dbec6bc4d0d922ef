//! The addresses behind Services: Endpoints and EndpointSlices, made at the time of asking out of the pods that a Service selects.

use serde_json::{Value, json};

use super::{
    super::world::{Object, World},
    of_kind,
};
use crate::k8s::types::text;

/// The pods that a Service selects, those that are not ready included.
pub fn pods<'a>(
    world: &'a World, cluster: &str, service: &'a Object, now_ms: i64,
) -> impl Iterator<Item = &'a Object> + use<'a> {
    let namespace = text(&service.body, "metadata.namespace");
    let selector = service.body["spec"]["selector"].as_object().filter(|selector| !selector.is_empty());
    of_kind(world, cluster, "Pod", now_ms).filter(move |pod| {
        let labels = &pod.body["metadata"]["labels"];
        pod.exists(now_ms)
            && pod.gone_at.is_none()
            && text(&pod.body, "metadata.namespace") == namespace
            && selector.is_some_and(|selector| selector.iter().all(|(name, value)| labels.get(name) == Some(value)))
    })
}

/// The objects of kind `Endpoints` or `EndpointSlice` that the Services of a cluster have; none of another kind.
pub fn all(world: &World, cluster: &str, kind: &str, now_ms: i64) -> Vec<Value> {
    if !matches!(kind, "Endpoints" | "EndpointSlice") {
        return Vec::new();
    }
    let services = of_kind(world, cluster, "Service", now_ms).filter(|o| o.exists(now_ms) && o.gone_at.is_none());
    services.filter(|o| o.body["spec"]["selector"].is_object()).map(|o| one(world, cluster, kind, o, now_ms)).collect()
}

fn one(world: &World, cluster: &str, kind: &str, service: &Object, now_ms: i64) -> Value {
    let [namespace, name] = ["metadata.namespace", "metadata.name"].map(|path| text(&service.body, path));
    let ports = service.body["spec"]["ports"].as_array().cloned().unwrap_or_default();
    let (mut ready, mut waiting) = (Vec::new(), Vec::new());
    for pod in pods(world, cluster, service, now_ms) {
        let ip = text(&pod.body, "status.podIP");
        match pod.state(now_ms) {
            _ if ip.is_empty() => {}
            "Running" => ready.push(ip),
            _ => waiting.push(ip),
        }
    }
    if kind == "Endpoints" {
        let list = |ips: &[&str]| ips.iter().map(|ip| json!({"ip": ip})).collect::<Vec<_>>();
        let subsets = match (ready.is_empty(), waiting.is_empty()) {
            (true, true) => json!([]),
            (true, false) => json!([{"notReadyAddresses": list(&waiting), "ports": ports}]),
            (false, true) => json!([{"addresses": list(&ready), "ports": ports}]),
            (false, false) => {
                json!([{"addresses": list(&ready), "notReadyAddresses": list(&waiting), "ports": ports}])
            }
        };
        let metadata = json!({"name": name, "namespace": namespace, "labels": {}});
        return json!({"apiVersion": "v1", "kind": kind, "metadata": metadata, "subsets": subsets});
    }
    let entry = |ip: &&str, ready: bool| json!({"addresses": [ip], "conditions": {"ready": ready}});
    let endpoints: Vec<Value> =
        ready.iter().map(|ip| entry(ip, true)).chain(waiting.iter().map(|ip| entry(ip, false))).collect();
    json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": kind, "addressType": "IPv4", "endpoints": endpoints, "ports": ports,
        "metadata": {
            "name": format!("{name}-endpoints"), "namespace": namespace, "labels": {"kubernetes.io/service-name": name},
        },
    })
}
