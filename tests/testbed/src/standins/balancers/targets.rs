//! What a target group is to hold, by what the cluster shows. Pure.

use serde_json::Value;

use super::{
    super::kube_objects::{items, label, namespace, text},
    wanted::{Seen, Target},
};

/// What a target group is to hold: addresses of pods that are ready, or instances of nodes, each with the port there.
pub fn targets(seen: &Seen, kind: &str, target: &Target) -> Vec<(String, i64)> {
    let Some(service) = seen.service(&target.namespace, &target.service) else { return Vec::new() };
    let Some(port) = items(service, "spec.ports").iter().find(|port| port["port"] == target.port) else {
        return Vec::new();
    };
    let mut found: Vec<(String, i64)> = match kind {
        "ip" => {
            let of_service = |slice: &&Value| {
                namespace(slice) == target.namespace && label(slice, "kubernetes.io/service-name") == target.service
            };
            seen.slices.iter().filter(of_service).flat_map(|slice| ready(slice, text(port, "name"))).collect()
        }
        _ => {
            let Some(port) = port["nodePort"].as_i64() else { return Vec::new() };
            let ids = seen.nodes.iter().filter_map(|node| text(node, "spec.providerID").rsplit('/').next());
            ids.filter(|id| id.starts_with("i-")).map(|id| (id.to_owned(), port)).collect()
        }
    };
    found.sort();
    found.dedup();
    found
}

fn ready(slice: &Value, called: &str) -> Vec<(String, i64)> {
    let port = items(slice, "ports").iter().find(|port| text(port, "name") == called);
    let Some(port) = port.and_then(|port| port["port"].as_i64()) else { return Vec::new() };
    let ready = items(slice, "endpoints").iter().filter(|one| one["conditions"]["ready"] != Value::Bool(false));
    let addresses = ready.flat_map(|one| items(one, "addresses")).filter_map(Value::as_str);
    addresses.map(|address| (address.to_owned(), port)).collect()
}
