//! `eks.nodegroup`: a managed group of nodes.

use std::{collections::BTreeMap, time::Duration};

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Identity, Kind, Meta},
    sandbox::{
        k8s,
        sim::{Ref, Sim, SimCall, Simple},
        simple::lookup,
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{addon, cluster, cluster_sim};
use crate::{
    row::{Row, unordered},
    simulate::{body, digits, having},
};

/// What makes a node group. See <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The cluster's name.
    pub cluster_name: String,
    /// The group's name, unique in the cluster.
    pub nodegroup_name: String,
    /// ARN of the role that the nodes act with.
    pub node_role: String,
    /// Where the nodes are.
    pub subnets: Vec<String>,
    /// EC2 instance types, e.g. `t3.medium`.
    pub instance_types: Option<Vec<String>>,
    /// Size of a node's disk in GiB.
    pub disk_size: Option<i32>,
    /// The image's family, e.g. `AL2023_x86_64_STANDARD`.
    pub ami_type: Option<String>,
    /// `ON_DEMAND` or `SPOT`.
    pub capacity_type: Option<String>,
    /// How many nodes.
    pub scaling_config: Option<Scaling>,
    /// How many may be away during an update.
    pub update_config: Option<Updating>,
    /// Kubernetes labels of the nodes.
    pub labels: Option<BTreeMap<String, String>>,
    /// Kubernetes taints of the nodes.
    pub taints: Option<Vec<Taint>>,
    /// Kubernetes version; the cluster's when left out.
    pub version: Option<String>,
    /// The image's release.
    pub release_version: Option<String>,
    /// A launch template of yours.
    pub launch_template: Option<LaunchTemplate>,
}

/// How many nodes.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scaling {
    /// At least.
    pub min_size: Option<i32>,
    /// At most.
    pub max_size: Option<i32>,
    /// To begin with.
    pub desired_size: Option<i32>,
}

/// How many nodes may be away during an update; one of the two.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Updating {
    /// So many.
    pub max_unavailable: Option<i32>,
    /// Or so many of a hundred.
    pub max_unavailable_percentage: Option<i32>,
}

/// A Kubernetes taint.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Taint {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: Option<String>,
    /// `NO_SCHEDULE`, `NO_EXECUTE` or `PREFER_NO_SCHEDULE`.
    pub effect: String,
}

/// A launch template, by name or id.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LaunchTemplate {
    /// Its name.
    pub name: Option<String>,
    /// Its id.
    pub id: Option<String>,
    /// Its version.
    pub version: Option<String>,
}

pub(super) static META: Meta = Meta {
    name: "eks.nodegroup",
    create: "create_nodegroup",
    operations: ("CreateNodegroup", "DeleteNodegroup"),
    doc: "Makes a managed node group and waits until it is ACTIVE.\n\nSee the \
          [EKS reference](https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html).",
    identity: Identity::Token { field: "client_request_token", safe: Duration::from_secs(12 * 3600), key: true },
    usual: (Duration::from_secs(180), Duration::from_secs(240)),
    cost: Some("node group"),
    replaces: false,
    shared: false,
};

/// The kind.
pub static KIND: Row = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        let scaling = input::parse::<Input>(value)?.scaling_config;
        let (min, max, desired) = sizes(scaling.as_ref());
        if min <= desired && desired <= max {
            return Ok(());
        }
        let text = format!("min_size {min} <= desired_size {desired} <= max_size {max} does not hold");
        Err(InputError::new("scaling_config", text))
    },
    locator: &["cluster_name", "nodegroup_name"],
    along: &[],
    parents: &["eks.cluster cluster_name", "node_role", "subnets", "launch_template.id"],
    judge: cluster::judge,
    differences: unordered,
    sim: &SIM,
};

fn sizes(scaling: Option<&Scaling>) -> (i32, i32, i32) {
    let of = |size: fn(&Scaling) -> Option<i32>| scaling.and_then(size);
    let min = of(|s| s.min_size).unwrap_or(1);
    let desired = of(|s| s.desired_size).unwrap_or(2.max(min));
    (min, of(|s| s.max_size).unwrap_or(desired.max(2)), desired)
}

static SIM: Simple = Simple {
    id: |call| format!("{}/{}", call.text("cluster_name"), call.text("nodegroup_name")),
    refs: &[Ref { field: "cluster_name", kind: "eks.cluster", missing: "ResourceNotFoundException", owned: false }],
    unique: (&["cluster_name", "nodegroup_name"], "ResourceInUseException"),
    state_field: "status",
    states: ("CREATING", "ACTIVE", "DELETING"),
    token: true,
    missing: "ResourceNotFoundException",
    check: |world, call| {
        cluster_sim::active(world, call)?;
        cluster_sim::check_role(world, call, "node_role")?;
        cluster_sim::check_subnets(world, call, &cluster_sim::texts(call.input, "subnets")).map(|_| ())
    },
    describe: described,
    made,
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
    let unique = digits(&format!("{id}{}", call.token), 32);
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
    let ready = group.states.last().map_or(call.now_ms, |(from, _)| *from);
    k8s::boot_nodes(world, &cluster, body(group, "nodegroup_name"), &nodes, ready);
    addon::nodes_come(world, call, &cluster, ready);
}

/// Which node group is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// The cluster's name.
    pub cluster_name: String,
    /// The group's name.
    pub nodegroup_name: String,
}

/// `eks.describe_nodegroup`.
pub static DESCRIBE: Operation = Operation {
    name: "eks.describe_nodegroup",
    operation: "DescribeNodegroup",
    doc: "Describes a node group.\n\nSee the \
          [EKS reference](https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeNodegroup.html).",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: describe,
};

fn describe(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    cluster_sim::named(world, call, "cluster_name")?;
    SIM.read(&KIND as &dyn Kind, world, call).ok_or_else(|| {
        let name = call.text("nodegroup_name");
        CallError::not_found("ResourceNotFoundException", format!("No node group found for name: {name}."))
    })
}

/// Whose node groups are asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The cluster's name.
    pub cluster_name: String,
}

/// `eks.list_nodegroups`.
pub static LIST: Operation = Operation {
    name: "eks.list_nodegroups",
    operation: "ListNodegroups",
    doc: "Lists the names of a cluster's node groups, as `#{nodegroups: [...]}`.\n\nSee the \
          [EKS reference](https://docs.aws.amazon.com/eks/latest/APIReference/API_ListNodegroups.html).",
    class: Class::Read,
    schema: input::schema::<List>,
    check: input::check::<List>,
    token: None,
    settle: None,
    sim: |world, call| {
        let cluster = cluster_sim::named(world, call, "cluster_name")?.id.clone();
        let groups = having(world, META.name, &call.place.region, call.now_ms, "cluster_name", &cluster);
        Ok(json!({ "nodegroups": groups.map(|group| body(group, "nodegroup_name")).collect::<Value>() }))
    },
};
