//! Which pods the workloads want, and where and when they run.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    super::{
        simple::set,
        world::{Object, World},
    },
    OBJECT, apply, boot, delete, digest, fitting, of_kind, one, settle, volumes,
};
use crate::k8s::types::{self, text};

/// From a node to a running and ready pod, by the kind of its workload.
fn starting_ms(owner: &str) -> i64 {
    match owner {
        "StatefulSet" => 30_000,
        "DaemonSet" => 8_000,
        _ => 12_000,
    }
}

/// How long a job's pod works.
const JOB_MS: i64 = 15_000;
/// The annotation by which a pod of an older template is told apart.
const TEMPLATE: &str = "sandbox/template";

/// Makes the pods that workloads want, ends those that none wants, and gives nodes to those that have none.
/// Says whether anything changed.
pub fn schedule(world: &mut World, cluster: &str, now_ms: i64) -> bool {
    let mut moved = false;
    for kind in ["Deployment", "StatefulSet", "DaemonSet", "Job"] {
        let workloads: Vec<Object> = of_kind(world, cluster, kind, now_ms)
            .filter(|o| o.gone_at.is_none() && text(&o.body, "metadata.deletionTimestamp").is_empty())
            .cloned()
            .collect();
        for workload in workloads {
            moved |= staff(world, cluster, &workload, now_ms);
        }
    }
    moved | place(world, cluster, now_ms)
}

/// The pods of a workload, those still to come and those on their way out included.
pub fn pods_of<'a>(
    world: &'a World, cluster: &str, workload: &'a Object, now_ms: i64,
) -> impl Iterator<Item = &'a Object> + use<'a> {
    let uid = text(&workload.body, "metadata.uid");
    of_kind(world, cluster, "Pod", now_ms)
        .filter(move |pod| text(&pod.body["metadata"]["ownerReferences"][0], "uid") == uid)
}

/// What the pods of a workload are made of: when it changes, they are replaced.
fn template_hash(workload: &Value) -> String {
    hex::encode(&digest(&[&workload["spec"]["template"].to_string()])[..5])
}

fn staff(world: &mut World, cluster: &str, workload: &Object, now_ms: i64) -> bool {
    let start = workload.states.first().map_or(now_ms, |(from, _)| *from).max(now_ms);
    let hash = template_hash(&workload.body);
    let kind = text(&workload.body, "kind");
    let name = text(&workload.body, "metadata.name");
    let count = usize::try_from(workload.body["spec"]["replicas"].as_i64().unwrap_or(1)).unwrap_or(0);
    let wanted: Vec<(String, Option<String>)> = match kind {
        "StatefulSet" => (0..count).map(|i| (format!("{name}-{i}"), None)).collect(),
        "DaemonSet" => {
            let nodes = of_kind(world, cluster, "Node", now_ms).filter(|node| node.gone_at.is_none());
            let names = nodes.map(|node| text(&node.body, "metadata.name").to_owned());
            names.map(|node| (format!("{name}-{}", suffix(&[cluster, name, &node, &hash])), Some(node))).collect()
        }
        "Job" => vec![(format!("{name}-{}", suffix(&[cluster, name])), None)],
        _ => (0..count)
            .map(|i| (format!("{name}-{hash}-{}", suffix(&[cluster, name, &hash, &i.to_string()])), None))
            .collect(),
    };
    let there: Vec<Object> =
        pods_of(world, cluster, workload, now_ms).filter(|pod| pod.gone_at.is_none()).cloned().collect();
    let mut moved = false;
    for pod in &there {
        let pod_name = text(&pod.body, "metadata.name");
        let current = pod.body["metadata"]["annotations"][TEMPLATE] == hash.as_str();
        if !wanted.iter().any(|(name, _)| name == pod_name) || (!current && kind != "Job") {
            delete::end(world, cluster, pod, now_ms + 5_000);
            moved = true;
        }
    }
    let mut after = start;
    for (pod_name, node) in wanted {
        let namespace = text(&workload.body, "metadata.namespace");
        let standing = one(world, cluster, "Pod", namespace, &pod_name, now_ms).cloned();
        let ready = match standing {
            Some(pod) if pod.gone_at.is_none() => running_at(&pod),
            other => {
                after = after.max(other.and_then(|pod| pod.gone_at).unwrap_or(after));
                claims(world, cluster, workload, &pod_name, after);
                let mut pod = template(workload, &pod_name, &hash);
                if let Some(node) = node {
                    pod["spec"]["nodeName"] = node.into();
                }
                let id = apply::put(world, cluster, pod, &Default::default(), "", after);
                world.change(OBJECT, cluster, &id, |pod| pod.states = vec![(after, "Pending".to_owned())]);
                place(world, cluster, now_ms);
                moved = true;
                one(world, cluster, "Pod", namespace, &pod_name, now_ms).and_then(running_at)
            }
        };
        if kind == "StatefulSet" && text(&workload.body, "spec.podManagementPolicy") != "Parallel" {
            match ready {
                Some(ready) => after = after.max(ready),
                None => break,
            }
        }
    }
    moved
}

/// When a pod runs and is ready; None while that is not known.
pub fn running_at(pod: &Object) -> Option<i64> {
    pod.states.iter().find(|(_, state)| state == "Running").map(|(from, _)| *from)
}

fn suffix(parts: &[&str]) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    digest(parts)[..5].iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
}

fn template(workload: &Object, name: &str, hash: &str) -> Value {
    let body = &workload.body;
    let template = &body["spec"]["template"];
    let mut metadata = match &template["metadata"] {
        Value::Object(map) => Value::Object(map.clone()),
        _ => json!({}),
    };
    metadata["name"] = name.into();
    metadata["namespace"] = text(body, "metadata.namespace").into();
    set(&mut metadata, "annotations.sandbox/template", hash.into());
    metadata["ownerReferences"] = json!([{
        "apiVersion": body["apiVersion"], "kind": body["kind"], "name": body["metadata"]["name"], "uid": body["metadata"]["uid"],
        "controller": true,
    }]);
    let mut spec = match &template["spec"] {
        Value::Object(map) => Value::Object(map.clone()),
        _ => json!({}),
    };
    let claims = body["spec"]["volumeClaimTemplates"].as_array().cloned().unwrap_or_default();
    for claim in &claims {
        let volume = text(claim, "metadata.name");
        let volumes = &mut spec["volumes"];
        if !volumes.is_array() {
            *volumes = json!([]);
        }
        if let Some(volumes) = volumes.as_array_mut() {
            volumes.push(json!({"name": volume, "persistentVolumeClaim": {"claimName": format!("{volume}-{name}")}}));
        }
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
}

/// The claims of a StatefulSet's pod. They outlive the StatefulSet.
fn claims(world: &mut World, cluster: &str, workload: &Object, pod: &str, now_ms: i64) {
    let namespace = text(&workload.body, "metadata.namespace");
    for claim in workload.body["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten() {
        let name = format!("{}-{pod}", text(claim, "metadata.name"));
        if one(world, cluster, "PersistentVolumeClaim", namespace, &name, now_ms)
            .is_some_and(|claim| claim.gone_at.is_none())
        {
            continue;
        }
        let mut claim = claim.clone();
        for (field, value) in [
            ("apiVersion", "v1".into()),
            ("kind", "PersistentVolumeClaim".into()),
            ("metadata.name", name.into()),
            ("metadata.namespace", namespace.into()),
            ("metadata.labels", workload.body["spec"]["selector"]["matchLabels"].clone()),
        ] {
            set(&mut claim, field, value);
        }
        apply::put(world, cluster, claim, &Default::default(), "", now_ms);
    }
}

/// Gives nodes to the pods that wait for one and have all that they need.
fn place(world: &mut World, cluster: &str, now_ms: i64) -> bool {
    let nodes: Vec<Object> =
        of_kind(world, cluster, "Node", now_ms).filter(|node| node.gone_at.is_none()).cloned().collect();
    if nodes.is_empty() {
        return false;
    }
    let waiting: Vec<Object> = of_kind(world, cluster, "Pod", now_ms)
        .filter(|pod| {
            pod.gone_at.is_none() && running_at(pod).is_none() && !pod.states.iter().any(|(_, s)| s == "Succeeded")
        })
        .cloned()
        .collect();
    let mut moved = false;
    let used = of_kind(world, cluster, "Pod", now_ms).map(|pod| text(&pod.body, "status.podIP").to_owned());
    let mut used: BTreeSet<String> = used.filter(|ip| !ip.is_empty()).collect();
    for pod in waiting {
        if missing(world, cluster, &pod.body, now_ms).is_some() {
            continue;
        }
        let asked = text(&pod.body, "spec.nodeName");
        let zone = volumes::zone(world, cluster, &pod.body, now_ms);
        let here = |node: &&Object| {
            zone.is_none_or(|zone| node.body["metadata"]["labels"]["topology.kubernetes.io/zone"] == zone)
        };
        let mut fitting: Vec<&Object> =
            nodes.iter().filter(here).filter(|node| fitting::fits(&pod.body, &node.body)).collect();
        // Where none fits, any one is taken: the sandbox refuses no pod.
        if fitting.is_empty() {
            fitting = nodes.iter().filter(here).collect();
        }
        let Some(node) = nodes
            .iter()
            .find(|node| text(&node.body, "metadata.name") == asked)
            .or(fitting.get(used.len() % fitting.len().max(1)).copied())
        else {
            continue;
        };
        let born = pod.states.first().map_or(now_ms, |(from, _)| *from);
        let up = node.states.iter().find(|(_, state)| state == "Ready").map_or(now_ms, |(from, _)| *from);
        let owner = text(&pod.body["metadata"]["ownerReferences"][0], "kind").to_owned();
        let start = born.max(up).max(now_ms);
        let net = settle::pod_network(&node.body);
        let ip = (100..4_000).map(|n| boot::address(net, n)).find(|ip| !used.contains(ip)).unwrap_or_default();
        let node_name = text(&node.body, "metadata.name").to_owned();
        world.change(OBJECT, cluster, &pod.id, |pod| {
            set(&mut pod.body, "spec.nodeName", node_name.into());
            set(&mut pod.body, "status", json!({"podIP": ip.clone()}));
            let ready = start + starting_ms(&owner);
            pod.states = vec![(born, "Pending".to_owned()), (ready, "Running".to_owned())];
            if owner == "Job" {
                pod.states.push((ready + JOB_MS, "Succeeded".to_owned()));
            }
        });
        used.insert(ip);
        moved = true;
    }
    moved
}

/// What a pod names that does not stand, for people.
pub fn missing(world: &World, cluster: &str, pod: &Value, now_ms: i64) -> Option<String> {
    let namespace = text(pod, "metadata.namespace");
    let mut wanted: Vec<(&str, &str)> = Vec::new();
    for volume in pod["spec"]["volumes"].as_array().into_iter().flatten() {
        wanted.push(("ConfigMap", required(&volume["configMap"], "name")));
        wanted.push(("Secret", required(&volume["secret"], "secretName")));
        wanted.push(("PersistentVolumeClaim", text(volume, "persistentVolumeClaim.claimName")));
    }
    for list in ["initContainers", "containers"] {
        for container in pod["spec"][list].as_array().into_iter().flatten() {
            for from in container["envFrom"].as_array().into_iter().flatten() {
                wanted.push(("ConfigMap", required(&from["configMapRef"], "name")));
                wanted.push(("Secret", required(&from["secretRef"], "name")));
            }
            for variable in container["env"].as_array().into_iter().flatten() {
                wanted.push(("ConfigMap", required(&variable["valueFrom"]["configMapKeyRef"], "name")));
                wanted.push(("Secret", required(&variable["valueFrom"]["secretKeyRef"], "name")));
            }
        }
    }
    wanted.push((
        "ServiceAccount",
        match text(pod, "spec.serviceAccountName") {
            "default" => "",
            name => name,
        },
    ));
    wanted.into_iter().filter(|(_, name)| !name.is_empty()).find_map(|(kind, name)| {
        match one(world, cluster, kind, namespace, name, now_ms) {
            None => Some(format!("{} \"{name}\" not found", kind.to_lowercase())),
            Some(claim) if kind == "PersistentVolumeClaim" && text(&claim.body, "spec.volumeName").is_empty() => {
                Some(format!("claim {name} has no volume"))
            }
            Some(_) => None,
        }
    })
}

fn required<'a>(reference: &'a Value, field: &str) -> &'a str {
    if reference["optional"] == true { "" } else { text(reference, field) }
}

/// Whether a pod mounts a claim.
pub fn mounts(pod: &Value, claim: &str) -> bool {
    let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
    volumes.into_iter().any(|volume| text(volume, "persistentVolumeClaim.claimName") == claim)
}

/// The id of a pod.
pub fn pod_id(namespace: &str, name: &str) -> String {
    types::id("v1", "Pod", namespace, name)
}
