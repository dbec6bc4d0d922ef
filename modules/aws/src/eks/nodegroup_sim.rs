//! How the sandbox simulates a node group: its nodes, and a deletion that fails because something uses what EKS made for it.

use runbook_modules::sandbox::{
    k8s,
    sim::{Failing, Ref, SimCall, Simple},
    simple::lookup,
    world::{Object, World},
};
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::{
    addon, cluster_sim,
    nodegroup::{META, Scaling, sizes},
};
use crate::simulate::{body, uuid};

pub(super) static SIM: Simple = Simple {
    id: |call| format!("{}/{}", call.text("cluster_name"), call.text("nodegroup_name")),
    refs: &[Ref { field: "cluster_name", kind: "eks.cluster", missing: "ResourceNotFoundException", owned: false }],
    unique: (&["cluster_name", "nodegroup_name"], "ResourceInUseException"),
    state_field: "status",
    states: ("CREATING", "ACTIVE", "DELETING"),
    token: true,
    failing: Some(Failing {
        state: "CREATE_FAILED",
        words: |_| cluster_sim::issue("NodeCreationFailure", "Instances failed to join the kubernetes cluster"),
    }),
    missing: "ResourceNotFoundException",
    check: |world, call| {
        cluster_sim::active(world, call)?;
        cluster_sim::check_role(world, call, "node_role")?;
        cluster_sim::check_subnets(world, call, &cluster_sim::texts(call.input, "subnets")).map(|_| ())
    },
    describe: described,
    made,
    held: Some(fails),
    deleted: |world, call, group| {
        k8s::remove_nodes(world, body(group, "cluster_name"), body(group, "nodegroup_name"), call.now_ms);
    },
    ..Simple::DEFAULT
};

fn described(world: &World, call: &SimCall<'_>, id: &str) -> Value {
    let (cluster, name) = (call.text("cluster_name"), call.text("nodegroup_name"));
    let version =
        cluster_sim::named(world, call, "cluster_name").map(|c| body(c, "version").to_owned()).unwrap_or_default();
    let given = |path: &str, otherwise: Value| lookup(call.input, path).cloned().unwrap_or(otherwise);
    let (min, max, desired) =
        sizes(call.input.get("scaling_config").and_then(|scaling| Scaling::deserialize(scaling).ok()).as_ref());
    let unique = uuid(&format!("{id}{}", call.token));
    json!({
        "name": name,
        "arn": format!("arn:aws:eks:{}:{}:nodegroup/{cluster}/{name}/{unique}", call.place.region, call.account),
        "version": given("version", version.into()),
        "instance_types": given("instance_types", json!(["t3.medium"])),
        "disk_size": given("disk_size", 20.into()),
        "ami_type": given("ami_type", "AL2023_x86_64_STANDARD".into()),
        "capacity_type": given("capacity_type", "ON_DEMAND".into()),
        "scaling_config": { "min_size": min, "max_size": max, "desired_size": desired },
        "resources": { "auto_scaling_groups": [{ "name": format!("eks-{name}-{unique}") }] },
        "health": { "issues": [] },
    })
}

fn made(world: &mut World, call: &SimCall<'_>, group: &Object) {
    let Ok(cluster) = cluster_sim::named(world, call, "cluster_name") else { return };
    let security_group = body(cluster, "resources_vpc_config.cluster_security_group_id").to_owned();
    let cluster = cluster.id.clone();
    let subnets = cluster_sim::texts(call.input, "subnets");
    let count = lookup(&group.body, "scaling_config.desired_size").and_then(Value::as_u64).unwrap_or(2);
    let mut nodes = Vec::new();
    for (subnet, _) in subnets.iter().cycle().zip(0..count) {
        let zone = world.get("ec2.subnet", &call.place.region, subnet, call.now_ms);
        let zone = zone.map_or("", |subnet| body(subnet, "availability_zone")).to_owned();
        let made = cluster_sim::Interface {
            subnet,
            groups: &[&security_group],
            description: "Primary network interface of an EKS node",
            owner: group,
        };
        let address = cluster_sim::interface(world, call, &made).replace('.', "-");
        let suffix = match call.place.region.as_str() {
            "us-east-1" => "ec2.internal".to_owned(),
            region => format!("{region}.compute.internal"),
        };
        nodes.push((format!("ip-{address}.{suffix}"), zone));
    }
    if call.doomed {
        return;
    }
    let ready = group.states.last().map_or(call.now_ms, |(from, _)| *from);
    k8s::boot_nodes(world, &cluster, body(group, "nodegroup_name"), &nodes, ready);
    addon::nodes_come(world, call, &cluster, ready);
}

/// The deletion fails in the end: something else uses the security group that EKS made for the nodes.
fn fails(world: &mut World, call: &SimCall<'_>, group: &Object, held: &[String]) {
    let now = call.now_ms;
    if group.state(now) == "DELETING" {
        return;
    }
    let ids: Vec<&str> = held.iter().filter_map(|holder| holder.split(' ').nth(1)).collect();
    let issue = json!({
        "code": "Ec2SecurityGroupDeletionFailure",
        "message": "We could not delete the remote access security group for your managed node group. Remove any dependencies from the \
                    security group.",
        "resource_ids": ids,
    });
    let usual = i64::try_from(META.usual.1.as_millis()).unwrap_or(i64::MAX / 2);
    world.change(META.name, &call.place.region, &group.id, |group| {
        group.states.retain(|(from, _)| *from <= now);
        group.states.extend([(now, "DELETING".to_owned()), (now + usual, "DELETE_FAILED".to_owned())]);
        group.body["health"]["issues"] = json!([issue]);
    });
    k8s::remove_nodes(world, body(group, "cluster_name"), body(group, "nodegroup_name"), now);
}
