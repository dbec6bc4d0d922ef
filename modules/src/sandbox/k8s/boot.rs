//! What every cluster has from the start, its nodes, and its end.
//!
//! Source: <https://docs.aws.amazon.com/eks/latest/userguide/eks-add-ons.html> (self-managed add-ons) and the default Corefile of EKS.

use ipnet::Ipv4Net;
use serde_json::{Value, json};

use super::{
    super::{
        simple::{begin_deletion, merge},
        world::{Object, World, key},
    },
    CLUSTER, OBJECT, apply, fitting, settle, types, volumes,
};
use crate::k8s::types::text;

const COREFILE: &str = ".:53 {
    errors
    health {
        lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
}
";

/// A node is seen this long before it is ready.
const JOINING_MS: i64 = 15_000;

/// A cluster begins to answer at `now_ms` (which may be to come), with the self-managed add-ons of EKS in it.
pub fn boot_cluster(world: &mut World, region: &str, cluster: &str, now_ms: i64) {
    world.put(Object {
        kind: CLUSTER.to_owned(),
        place: cluster.to_owned(),
        id: cluster.to_owned(),
        body: json!({"id": cluster, "name": cluster, "region": region}),
        tags: Default::default(),
        token: String::new(),
        input: Value::Null,
        refs: Vec::new(),
        owner: None,
        states: vec![(now_ms, String::new())],
        gone_at: None,
    });
    for object in first_objects(region) {
        apply::put(world, cluster, object, &Default::default(), "", now_ms);
    }
    settle::settle(world, cluster, now_ms);
}

/// Nodes `(name, availability zone)` of a node group, ready at `ready_ms` (which may be to come).
pub fn boot_nodes(world: &mut World, cluster: &str, nodegroup: &str, nodes: &[(String, String)], ready_ms: i64) {
    let now = ready_ms - JOINING_MS;
    for (i, (name, zone)) in nodes.iter().enumerate() {
        let (net, subnet) = node_network(world, cluster, nodegroup, zone);
        let ip = named_address(name).unwrap_or_else(|| address(net, 20 + i));
        let (labels, taints, pods) = fitting::of_group(world, cluster, nodegroup);
        let mut node = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "labels": {
                "eks.amazonaws.com/nodegroup": nodegroup, "topology.kubernetes.io/zone": zone, "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name,
            }},
            "spec": {"podCIDR": net.to_string(), "providerID": format!("aws:///{zone}/{name}"), "subnet": subnet},
            "status": {
                "addresses": [{"type": "InternalIP", "address": ip}, {"type": "Hostname", "address": name}],
                "allocatable": {"pods": pods.to_string()},
            },
        });
        merge(&mut node["metadata"]["labels"], labels.into());
        if !taints.is_null() {
            node["spec"]["taints"] = taints;
        }
        let id = apply::put(world, cluster, node, &Default::default(), "", now);
        world.change(OBJECT, cluster, &id, |node| {
            node.states = vec![(now, "NotReady".to_owned()), (ready_ms, "Ready".to_owned())];
        });
    }
    settle::settle(world, cluster, now);
}

/// The nodes of a node group go, and their pods with them.
pub fn remove_nodes(world: &mut World, cluster: &str, nodegroup: &str, now_ms: i64) {
    let names: Vec<String> = super::of_kind(world, cluster, "Node", now_ms)
        .filter(|node| node.body["metadata"]["labels"]["eks.amazonaws.com/nodegroup"] == nodegroup)
        .map(|node| text(&node.body, "metadata.name").to_owned())
        .collect();
    let pods = super::of_kind(world, cluster, "Pod", now_ms)
        .filter(|pod| names.iter().any(|n| n == text(&pod.body, "spec.nodeName")));
    let mut keys: Vec<String> = pods.map(Object::key).collect();
    keys.extend(names.iter().map(|name| key(OBJECT, cluster, &types::id("v1", "Node", "", name))));
    for key in keys {
        begin_deletion(world, &key, now_ms, "", now_ms);
    }
    settle::settle(world, cluster, now_ms);
}

/// A cluster goes, with everything in it. What its controllers made in AWS stays behind, as it would.
pub fn remove_cluster(world: &mut World, cluster: &str) {
    volumes::detach_all(world, cluster);
    let inside = [OBJECT, CLUSTER, super::super::helm::RELEASE, super::super::controllers::RECORD];
    let keys: Vec<String> = inside.iter().flat_map(|kind| world.stored(kind, cluster).map(Object::key)).collect();
    for key in keys {
        world.remove(&key);
    }
}

/// The address that an EKS node is named after: `ip-10-5-11-20.ec2.internal`.
fn named_address(name: &str) -> Option<String> {
    let (numbers, _) = name.strip_prefix("ip-")?.split_once('.')?;
    let address = numbers.replace('-', ".");
    address.parse::<std::net::Ipv4Addr>().is_ok().then_some(address)
}

/// The n-th address of a network.
pub(super) fn address(net: Ipv4Net, n: usize) -> String {
    let size =
        1_u32.checked_shl(32 - u32::from(net.prefix_len())).map_or(u32::MAX, |size| size.saturating_sub(6)).max(1);
    let n = u32::try_from(n).unwrap_or(u32::MAX) % size;
    std::net::Ipv4Addr::from(u32::from(net.network()).saturating_add(n)).to_string()
}

fn node_network(world: &World, cluster: &str, nodegroup: &str, zone: &str) -> (Ipv4Net, Value) {
    let group = world.everything().find(|o| {
        o.kind == "eks.nodegroup"
            && text(&o.body, "cluster_name") == cluster
            && text(&o.body, "nodegroup_name") == nodegroup
    });
    let subnets = group.and_then(|group| group.body.get("subnets")).and_then(Value::as_array).into_iter().flatten();
    let known: Vec<(Ipv4Net, &str, &str)> = subnets
        .filter_map(Value::as_str)
        .filter_map(|id| {
            let subnet = world.everything().find(|o| o.kind == "ec2.subnet" && o.id == id)?;
            Some((text(&subnet.body, "cidr_block").parse().ok()?, text(&subnet.body, "availability_zone"), id))
        })
        .collect();
    let found = known.iter().find(|(_, az, _)| *az == zone).or(known.first());
    match found {
        Some((net, _, id)) => (*net, Value::from(*id)),
        None => (Ipv4Net::new_assert(std::net::Ipv4Addr::new(10, 0, 0, 0), 16), Value::Null),
    }
}

fn first_objects(region: &str) -> Vec<Value> {
    let registry = format!("602401143452.dkr.ecr.{region}.amazonaws.com/eks");
    let namespace = |name: &str| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}});
    let account = |name: &str| json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": "kube-system"}});
    let daemons = |name: &str, image: &str| {
        let labels = json!({"k8s-app": name});
        json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": {"name": name, "namespace": "kube-system", "labels": labels},
            "spec": {"selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels},
                "spec": {"serviceAccountName": name, "hostNetwork": true, "containers": [{"name": name, "image": format!("{registry}/{image}")}]},
            }},
        })
    };
    let dns = json!({"k8s-app": "kube-dns", "eks.amazonaws.com/component": "coredns"});
    vec![
        namespace("default"),
        namespace("kube-system"),
        namespace("kube-public"),
        namespace("kube-node-lease"),
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "kubernetes", "namespace": "default"},
            "spec": {"clusterIP": "172.20.0.1", "ports": [{"name": "https", "port": 443, "protocol": "TCP"}]},
        }),
        account("coredns"),
        account("aws-node"),
        account("kube-proxy"),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "system:coredns"},
            "rules": [
                {"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": ["list", "watch"]},
                {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]},
                {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
            ],
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "system:coredns"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:coredns"},
            "subjects": [{"kind": "ServiceAccount", "name": "coredns", "namespace": "kube-system"}],
        }),
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "coredns", "namespace": "kube-system", "labels": dns},
            "data": {"Corefile": COREFILE},
        }),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "coredns", "namespace": "kube-system", "labels": dns},
            "spec": {"replicas": 2, "selector": {"matchLabels": dns}, "template": {"metadata": {"labels": dns}, "spec": {
                "serviceAccountName": "coredns", "dnsPolicy": "Default",
                "containers": [{
                    "name": "coredns", "image": format!("{registry}/coredns:v1.11.4-eksbuild.2"), "args": ["-conf", "/etc/coredns/Corefile"],
                    "ports": [
                        {"name": "dns", "containerPort": 53, "protocol": "UDP"}, {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
                        {"name": "metrics", "containerPort": 9153, "protocol": "TCP"},
                    ],
                    "livenessProbe": {"httpGet": {"path": "/health", "port": 8080, "scheme": "HTTP"}},
                    "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181, "scheme": "HTTP"}},
                    "volumeMounts": [{"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": true}],
                }],
                "volumes": [{"name": "config-volume", "configMap": {"name": "coredns", "items": [{"key": "Corefile", "path": "Corefile"}]}}],
            }}},
        }),
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "kube-dns", "namespace": "kube-system", "labels": dns},
            "spec": {"clusterIP": "172.20.0.10", "selector": {"k8s-app": "kube-dns"}, "ports": [
                {"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
            ]},
        }),
        daemons("aws-node", "amazon-k8s-cni:v1.19.2"),
        daemons("kube-proxy", "kube-proxy:v1.32.0-minimal-eksbuild.2"),
        json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "gp2"},
            "provisioner": "kubernetes.io/aws-ebs", "parameters": {"type": "gp2", "fsType": "ext4"},
            "reclaimPolicy": "Delete", "volumeBindingMode": "WaitForFirstConsumer",
        }),
    ]
}
