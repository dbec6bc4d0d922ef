//! The nodes of a node group: one object for each EC2 instance that EKS would start, in the group's subnets, taken over by kwok.

use std::{collections::BTreeSet, net::Ipv4Addr, time::Duration};

use serde_json::{Value, json};

use super::{
    aws::Aws,
    kube_objects::{Objects, condition, items, label, name, text},
};
use crate::clusters::NodeGroup;

/// A subnet as far as nodes need it.
#[derive(Debug, Clone)]
pub(super) struct Subnet {
    pub(super) zone: String,
    pub(super) network: Ipv4Addr,
    pub(super) prefix: u32,
}

/// Makes a group's nodes and waits until they are ready; nodes that stand already are left.
///
/// # Errors
/// The API server refuses a node, or the nodes do not become ready within 60 s.
pub async fn add(objects: &Objects, aws: &Aws, cluster: &str, group: &NodeGroup) -> Result<(), String> {
    let subnets = subnets(aws, cluster, &group.name).await;
    let standing = objects.list("/api/v1/nodes").await?;
    let mut taken: BTreeSet<String> = standing.iter().map(|node| text(node, "spec.podCIDR").to_owned()).collect();
    let mut wanted = Vec::new();
    for i in 0..group.nodes {
        let subnet = &subnets[i % subnets.len()];
        let (node_name, block) = place(subnet, &taken).ok_or_else(|| {
            format!("subnet {}/{} has no room for another node of {}", subnet.network, subnet.prefix, group.name)
        })?;
        taken.insert(block.clone());
        let object = node(&node_name, &block, subnet, group);
        objects.apply(&format!("/api/v1/nodes/{node_name}"), &object).await?;
        wanted.push(node_name);
    }
    for _ in 0..300 {
        let nodes = objects.list("/api/v1/nodes").await?;
        let ready = |wanted: &String| nodes.iter().any(|node| name(node) == wanted && condition(node, "Ready"));
        if wanted.iter().all(ready) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err(format!(
        "NodeCreationFailure: the nodes of {} did not become ready in 60 s; look at the control plane's kwok log",
        group.name
    ))
}

/// Takes a group's nodes away, and their pods with them.
///
/// # Errors
/// The API server refuses.
pub async fn remove(objects: &Objects, group: &str) -> Result<(), String> {
    let nodes = objects.list("/api/v1/nodes").await?;
    let names: BTreeSet<&str> =
        nodes.iter().filter(|node| label(node, "eks.amazonaws.com/nodegroup") == group).map(name).collect();
    for node in &names {
        objects.delete(&format!("/api/v1/nodes/{node}"), true).await?;
    }
    for pod in objects.list("/api/v1/pods").await? {
        if names.contains(text(&pod, "spec.nodeName")) {
            let path = format!("/api/v1/namespaces/{}/pods/{}", super::kube_objects::namespace(&pod), name(&pod));
            objects.delete(&path, true).await?;
        }
    }
    Ok(())
}

fn node(name: &str, block: &str, subnet: &Subnet, group: &NodeGroup) -> Value {
    let mut labels = json!({
        "eks.amazonaws.com/nodegroup": group.name, "eks.amazonaws.com/capacityType": "ON_DEMAND",
        "topology.kubernetes.io/zone": subnet.zone, "topology.ebs.csi.aws.com/zone": subnet.zone,
        "topology.kubernetes.io/region": subnet.zone.trim_end_matches(|c: char| c.is_ascii_lowercase()),
        "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name,
        "node.kubernetes.io/instance-type": "t3.medium",
    });
    for (key, value) in &group.labels {
        labels[key] = value.as_str().into();
    }
    let taints: Vec<Value> = group.taints.iter().filter_map(|taint| taint_of(taint)).collect();
    // The instance's id is derived, so that a node made twice is the same one.
    let instance = format!(
        "i-{}",
        name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
    );
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}},
        "spec": {
            "podCIDR": block, "podCIDRs": [block], "providerID": format!("aws:///{}/{instance}", subnet.zone), "taints": taints,
        },
    })
}

fn taint_of(taint: &str) -> Option<Value> {
    let (pair, effect) = taint.rsplit_once(':')?;
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    Some(json!({"key": key, "value": value, "effect": effect}))
}

/// The next free node of a subnet: its name, made of its address as EC2 does, and the block of addresses that its pods get. Blocks are
/// eighths of the subnet; the first holds the nodes' own addresses.
fn place(subnet: &Subnet, taken: &BTreeSet<String>) -> Option<(String, String)> {
    let first = u32::from(subnet.network);
    let prefix = (subnet.prefix + 3).min(30);
    (1..8_u32).find_map(|i| {
        let block = format!("{}/{prefix}", Ipv4Addr::from(first + (i << (32 - prefix))));
        let address = Ipv4Addr::from(first + 10 + i).to_string().replace('.', "-");
        (!taken.contains(&block)).then(|| (format!("ip-{address}.ec2.internal"), block))
    })
}

/// The group's subnets, or else a network that no cluster of AWS has, so that nodes can be had without AWS.
async fn subnets(aws: &Aws, cluster: &str, group: &str) -> Vec<Subnet> {
    let mut found = Vec::new();
    if let Ok(described) = aws.eks(&format!("/clusters/{cluster}/node-groups/{group}")).await {
        let ids = items(&described, "nodegroup.subnets").iter().filter_map(Value::as_str);
        let parameters: Vec<(String, &str)> = ids.zip(1..).map(|(id, i)| (format!("SubnetId.{i}"), id)).collect();
        let parameters: Vec<(&str, &str)> = parameters.iter().map(|(key, id)| (key.as_str(), *id)).collect();
        if !parameters.is_empty()
            && let Ok(answer) = aws.query("ec2", "DescribeSubnets", &parameters).await
        {
            found.extend(answer.all("subnetSet/item").into_iter().filter_map(subnet));
        }
    }
    if found.is_empty() {
        let spare = |zone: &str, third| Subnet {
            zone: zone.to_owned(),
            network: Ipv4Addr::new(192, 168, third, 0),
            prefix: 24,
        };
        found = vec![spare("us-east-1a", 1), spare("us-east-1b", 2)];
    }
    found
}

fn subnet(item: &super::xml::Element) -> Option<Subnet> {
    let (network, prefix) = item.text("cidrBlock").split_once('/')?;
    Some(Subnet {
        zone: item.text("availabilityZone").to_owned(),
        network: network.parse().ok()?,
        prefix: prefix.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_of_a_subnet_have_blocks_of_their_own_inside_it() {
        let subnet = Subnet { zone: "us-east-1a".into(), network: Ipv4Addr::new(10, 5, 11, 0), prefix: 24 };
        let mut taken = BTreeSet::new();
        for wanted in ["10.5.11.32/27", "10.5.11.64/27"] {
            let (_, block) = place(&subnet, &taken).unwrap();
            assert_eq!(block, wanted);
            taken.insert(block);
        }
        taken.extend((3..8).map(|i| format!("10.5.11.{}/27", i * 32)));
        assert_eq!(place(&subnet, &taken), None);
    }

    #[test]
    fn a_taint_is_read() {
        assert_eq!(taint_of("a=b:NoSchedule"), Some(json!({"key": "a", "value": "b", "effect": "NoSchedule"})));
        assert_eq!(taint_of("nothing"), None);
    }
}
