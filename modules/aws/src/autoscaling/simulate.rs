//! The Auto Scaling groups of the sandbox: one for each node group, told by what the node group is. Its instances are no objects of
//! their own, so EC2 does not list them.

use std::collections::BTreeSet;

use runbook_modules::sandbox::{
    sim::SimCall,
    simple::lookup,
    world::{Object, World},
};
use serde_json::{Value, json};

use crate::{
    row::text,
    simulate::{body, digits},
};

/// All groups of the call's region.
pub(super) fn groups(world: &World, call: &SimCall<'_>) -> Vec<Value> {
    let nodegroups = world.list("eks.nodegroup", &call.place.region, call.now_ms);
    nodegroups.filter_map(|nodegroup| described(world, call, nodegroup)).collect()
}

fn described(world: &World, call: &SimCall<'_>, nodegroup: &Object) -> Option<Value> {
    let name = nodegroup.body.pointer("/resources/auto_scaling_groups/0/name")?.as_str()?;
    let (region, state) = (call.place.region.as_str(), nodegroup.state(call.now_ms));
    let size = |field: &str| lookup(&nodegroup.body, &format!("scaling_config.{field}")).and_then(Value::as_u64);
    let (cluster, desired) = (body(nodegroup, "cluster_name"), size("desired_size").unwrap_or(2));
    let subnets: Vec<&str> =
        nodegroup.body["subnets"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let zone = |subnet: &&str| {
        let found = world.get("ec2.subnet", region, subnet, call.now_ms);
        found.map_or(String::new(), |subnet| body(subnet, "availability_zone").to_owned())
    };
    let zones: Vec<String> = subnets.iter().map(zone).collect();
    let lifecycle = match state {
        "CREATING" => "Pending",
        "DELETING" => "Terminating",
        _ => "InService",
    };
    let types = nodegroup.body["instance_types"].as_array().cloned().unwrap_or_default();
    let instance = |n: u64| {
        json!({
            "instance_id": format!("i-0{}", digits(&format!("{name} {n}"), 16)),
            "instance_type": types.first(),
            "availability_zone": zones.get(usize::try_from(n).unwrap_or(0) % zones.len().max(1)),
            "lifecycle_state": lifecycle, "health_status": "Healthy", "protected_from_scale_in": false,
        })
    };
    let unique = digits(name, 32);
    let mut group = json!({
        "id": name, "name": name, "auto_scaling_group_name": name,
        "arn": format!(
            "arn:aws:autoscaling:{region}:{}:autoScalingGroup:{unique}:autoScalingGroupName/{name}", call.account
        ),
        "min_size": size("min_size"), "max_size": size("max_size"), "desired_capacity": desired,
        "availability_zones": zones.iter().collect::<BTreeSet<_>>(), "vpc_zone_identifier": subnets.join(","), "health_check_type": "EC2",
        "instances": (0..desired).map(instance).collect::<Value>(),
        "tags": {
            "eks:cluster-name": cluster,
            "eks:nodegroup-name": text(&nodegroup.body, "nodegroup_name"),
            "k8s.io/cluster-autoscaler/enabled": "true",
            (format!("k8s.io/cluster-autoscaler/{cluster}")): "owned",
            (format!("kubernetes.io/cluster/{cluster}")): "owned",
        },
    });
    if state == "DELETING" {
        group["status"] = "Delete in progress".into();
    }
    Some(group)
}
