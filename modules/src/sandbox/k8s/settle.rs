//! What follows from a change in a cluster: pods for workloads, volumes for claims, ends for what may go at last.

use ipnet::Ipv4Net;
use serde_json::{Value, json};

use super::{
    super::{
        balancers,
        simple::set,
        world::{Object, World, key},
    },
    OBJECT, apply, digest, of_kind, one, pods, region, volumes,
};
use crate::k8s::{finalizers, types::text};

/// The finalizer of a claim that a pod uses.
pub const IN_USE: &str = "kubernetes.io/pvc-protection";
/// From a claim's end to its volume's end, and to the end of the disk in AWS.
const RECLAIM_MS: (i64, i64) = (2_000, 5_000);
/// From a Service's end to the end of its load balancer's network interfaces.
const BALANCER_GONE_MS: i64 = 30_000;

/// Follows up a change until nothing more follows.
pub fn settle(world: &mut World, cluster: &str, now_ms: i64) {
    for _ in 0..50 {
        let before = world.serial;
        let moved = pods::schedule(world, cluster, now_ms) | finish(world, cluster, now_ms);
        if !moved && world.serial == before {
            return;
        }
    }
}

/// Ends what was only kept by others that are going now. Says whether anything ended.
fn finish(world: &mut World, cluster: &str, now_ms: i64) -> bool {
    let waiting: Vec<Object> = world
        .list(OBJECT, cluster, now_ms)
        .filter(|o| o.gone_at.is_none() && !text(&o.body, "metadata.deletionTimestamp").is_empty())
        .cloned()
        .collect();
    let mut moved = false;
    for object in waiting {
        let finalizers = finalizers::of(&object.body);
        let held = finalizers.iter().any(|finalizer| finalizer != IN_USE);
        let after = last_end(world, cluster, &inside(world, cluster, &object, now_ms));
        if let (false, Some(after)) = (held, after) {
            super::delete::end(world, cluster, &object, now_ms.max(after));
            moved = true;
        }
    }
    moved
}

/// What must be gone before an object that is being deleted can go: a namespace's contents, a definition's objects, a claim's pods.
pub fn inside(world: &World, cluster: &str, object: &Object, now_ms: i64) -> Vec<String> {
    let body = &object.body;
    let name = text(body, "metadata.name");
    let within: Box<dyn Fn(&Object) -> bool> = match text(body, "kind") {
        "Namespace" => Box::new(move |o| text(&o.body, "metadata.namespace") == name),
        "CustomResourceDefinition" => Box::new(move |o| of_definition(&o.body, body)),
        "PersistentVolumeClaim" => {
            let namespace = text(body, "metadata.namespace");
            Box::new(move |o| {
                text(&o.body, "kind") == "Pod"
                    && text(&o.body, "metadata.namespace") == namespace
                    && pods::mounts(&o.body, name)
            })
        }
        _ => return Vec::new(),
    };
    let there = world.stored(OBJECT, cluster).filter(|o| o.gone_at.is_none_or(|gone| now_ms < gone));
    there.filter(|o| o.id != object.id && within(o)).map(Object::key).collect()
}

/// Whether an object is one that a CustomResourceDefinition defines.
pub fn of_definition(object: &Value, definition: &Value) -> bool {
    text(object, "kind") == text(definition, "spec.names.kind")
        && text(object, "apiVersion").split('/').next() == Some(text(definition, "spec.group"))
}

fn last_end(world: &World, _cluster: &str, keys: &[String]) -> Option<i64> {
    keys.iter().try_fold(0, |last: i64, key| Some(last.max(world.by_key(key)?.gone_at?)))
}

/// The volume behind a claim, and its disk in AWS.
pub fn provision(world: &mut World, cluster: &str, claim: &str, now_ms: i64) {
    let Some(object) = world.by_key(&key(OBJECT, cluster, claim)).cloned() else { return };
    if volumes::bind(world, cluster, &object, now_ms) {
        return;
    }
    let uid = text(&object.body, "metadata.uid");
    let [namespace, name, class] = ["metadata.namespace", "metadata.name", "spec.storageClassName"]
        .map(|path| text(&object.body, path).to_owned());
    let class = if class.is_empty() { default_class(world, cluster, now_ms) } else { class };
    let asked = text(&object.body, "spec.volumeName");
    if !asked.is_empty() || (!class.is_empty() && !volumes::makes_volumes(world, cluster, &class, now_ms)) {
        return volumes::wait(world, cluster, &object, now_ms);
    }
    let size = text(&object.body, "spec.resources.requests.storage").to_owned();
    let parameters = one(world, cluster, "StorageClass", "", &class, now_ms).map(|o| o.body["parameters"].clone());
    let volume = format!("pvc-{uid}");
    let disk = world.new_id("vol-");
    let pv = json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": volume},
        "spec": {
            "capacity": {"storage": size}, "accessModes": object.body["spec"]["accessModes"], "storageClassName": class,
            "persistentVolumeReclaimPolicy": "Delete", "csi": {"driver": "ebs.csi.aws.com", "volumeHandle": disk},
            "claimRef": {"kind": "PersistentVolumeClaim", "namespace": namespace, "name": name, "uid": uid},
        },
    });
    apply::put(world, cluster, pv, &Default::default(), "", now_ms);
    world.change(OBJECT, cluster, claim, |claim| {
        set(&mut claim.body, "spec.volumeName", volume.clone().into());
        set(&mut claim.body, "spec.storageClassName", class.clone().into());
    });
    let parameters = parameters.unwrap_or_default();
    let kind = text(&parameters, "type");
    let region = region(world, cluster, i64::MAX).unwrap_or_default();
    let tags = [
        ("Name".to_owned(), format!("{cluster}-dynamic-{volume}")),
        (format!("kubernetes.io/cluster/{cluster}"), "owned".to_owned()),
        ("kubernetes.io/created-for/pvc/namespace".to_owned(), namespace),
        ("kubernetes.io/created-for/pvc/name".to_owned(), name),
    ];
    world.put(Object {
        kind: "ec2.volume".to_owned(),
        place: region,
        id: disk.clone(),
        body: json!({
            "id": disk, "volume_id": disk, "size": gib(&size), "volume_type": if kind.is_empty() { "gp2" } else { kind },
            "encrypted": text(&parameters, "encrypted") == "true",
        }),
        tags: tags.into(),
        token: String::new(),
        input: Value::Null,
        refs: Vec::new(),
        owner: None,
        states: vec![(now_ms, "creating".to_owned()), (now_ms + 2_000, "in-use".to_owned())],
        gone_at: None,
    });
}

/// The volume of a claim that is gone at `gone` goes after it.
pub fn reclaim(world: &mut World, cluster: &str, claim: &Value, gone: i64) {
    let volume = text(claim, "spec.volumeName");
    let Some(pv) =
        of_kind(world, cluster, "PersistentVolume", gone).find(|o| text(&o.body, "metadata.name") == volume).cloned()
    else {
        return;
    };
    if text(&pv.body, "spec.persistentVolumeReclaimPolicy") == "Retain" {
        return volumes::keep(world, cluster, &pv, gone);
    }
    world.change(OBJECT, cluster, &pv.id, |pv| pv.begin_deletion(gone, "", gone + RECLAIM_MS.0));
    let region = region(world, cluster, i64::MAX).unwrap_or_default();
    let disk = text(&pv.body, "spec.csi.volumeHandle").to_owned();
    world.change("ec2.volume", &region, &disk, |disk| {
        disk.begin_deletion(gone + RECLAIM_MS.0, "deleting", gone + RECLAIM_MS.1)
    });
}

/// The network interfaces of a Service's load balancer, in the nodes' subnets: they hold those subnets.
pub fn balance(world: &mut World, cluster: &str, service: &str, now_ms: i64) {
    let Some(object) = world.by_key(&key(OBJECT, cluster, service)).cloned() else { return };
    if text(&object.body, "spec.type") != "LoadBalancer" || balancers::handled(&object.body) {
        return;
    }
    let Ok(region) = region(world, cluster, i64::MAX) else { return };
    let mut subnets: Vec<String> =
        of_kind(world, cluster, "Node", now_ms).map(|node| text(&node.body, "spec.subnet").to_owned()).collect();
    subnets.sort();
    subnets.dedup();
    for subnet in subnets.iter().filter(|subnet| !subnet.is_empty()) {
        let id = world.new_id("eni-");
        world.put(Object {
            kind: "ec2.network_interface".to_owned(),
            place: region.clone(),
            id: id.clone(),
            body: json!({"id": id, "network_interface_id": id, "subnet_id": subnet, "description": format!("ELB {}", balancer(&object))}),
            tags: Default::default(),
            token: String::new(),
            input: Value::Null,
            refs: vec![key("ec2.subnet", &region, subnet)],
            owner: None,
            states: vec![(now_ms, "in-use".to_owned())],
            gone_at: None,
        });
    }
}

/// The network interfaces of a Service that is gone at `gone` go after it.
pub fn unbalance(world: &mut World, cluster: &str, service: &Object, gone: i64) {
    let Ok(region) = region(world, cluster, i64::MAX) else { return };
    let description = format!("ELB {}", balancer(service));
    let interfaces =
        world.stored("ec2.network_interface", &region).filter(|o| text(&o.body, "description") == description);
    let ids: Vec<String> = interfaces.map(|o| o.id.clone()).collect();
    for id in ids {
        world
            .change("ec2.network_interface", &region, &id, |eni| eni.begin_deletion(gone, "", gone + BALANCER_GONE_MS));
    }
}

/// The name of a Service's load balancer.
pub fn balancer(service: &Object) -> String {
    format!("a{}", hex::encode(&digest(&[text(&service.body, "metadata.uid")])[..15]))
}

fn default_class(world: &World, cluster: &str, now_ms: i64) -> String {
    let mark = "storageclass.kubernetes.io/is-default-class";
    of_kind(world, cluster, "StorageClass", now_ms)
        .find(|class| class.body["metadata"]["annotations"][mark] == "true")
        .map(|class| text(&class.body, "metadata.name").to_owned())
        .unwrap_or_default()
}

fn gib(size: &str) -> i64 {
    size.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(1)
}

/// The network of a node's pods.
pub fn pod_network(node: &Value) -> Ipv4Net {
    let net = text(node, "spec.podCIDR").parse();
    net.unwrap_or_else(|_| Ipv4Net::new_assert(std::net::Ipv4Addr::new(10, 0, 0, 0), 16))
}
