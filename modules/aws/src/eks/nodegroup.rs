//! `eks.nodegroup`: a managed group of nodes.

use std::{collections::BTreeMap, time::Duration};

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Identity, Kind, Meta},
    sandbox::{
        sim::{Sim, SimCall},
        world::World,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{cluster, cluster_sim, nodegroup_sim::SIM};
use crate::{
    row::{Row, unordered},
    simulate::{body, having},
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

/// The least, the most and the first number of nodes, EKS's own where nothing is said.
pub(super) fn sizes(scaling: Option<&Scaling>) -> (i32, i32, i32) {
    let of = |size: fn(&Scaling) -> Option<i32>| scaling.and_then(size);
    let min = of(|s| s.min_size).unwrap_or(1);
    let desired = of(|s| s.desired_size).unwrap_or(2.max(min));
    (min, of(|s| s.max_size).unwrap_or(desired.max(2)), desired)
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
