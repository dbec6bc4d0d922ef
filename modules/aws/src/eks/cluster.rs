//! `eks.cluster`: the control plane of an EKS cluster.

use std::time::Duration;

use runbook_modules::{
    input,
    operation::{Class, Operation},
    resource::{Health, Identity, Meta},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cluster_sim;
use crate::row::{Row, text, unordered};

/// What makes a cluster. See <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, unique in account and region.
    pub name: String,
    /// ARN of the role that the control plane acts with.
    pub role_arn: String,
    /// Where the control plane's network interfaces are, and who may reach its endpoint.
    pub resources_vpc_config: VpcConfig,
    /// Kubernetes version, e.g. `1.34`; EKS's default when left out.
    pub version: Option<String>,
    /// Who is let in.
    pub access_config: Option<AccessConfig>,
    /// Whether EKS puts VPC CNI, CoreDNS and kube-proxy in, to be managed by you; true when left out.
    pub bootstrap_self_managed_addons: Option<bool>,
    /// The cluster's own addresses.
    pub kubernetes_network_config: Option<NetworkConfig>,
    /// What the control plane logs to CloudWatch.
    pub logging: Option<Logging>,
    /// Encrypts Secrets with a key of yours.
    pub encryption_config: Option<Vec<Encryption>>,
    /// What happens at the end of a version's standard support.
    pub upgrade_policy: Option<UpgradePolicy>,
    /// Refuses deletion until it is taken back, by undo as well.
    pub deletion_protection: Option<bool>,
}

/// Subnets, security groups and the endpoint. See <https://docs.aws.amazon.com/eks/latest/APIReference/API_VpcConfigRequest.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VpcConfig {
    /// Subnets in at least two availability zones.
    pub subnet_ids: Vec<String>,
    /// Further security groups of the control plane's interfaces.
    pub security_group_ids: Option<Vec<String>>,
    /// Whether the endpoint is reached from the internet; true when left out.
    pub endpoint_public_access: Option<bool>,
    /// Whether the endpoint is reached inside the VPC; false when left out.
    pub endpoint_private_access: Option<bool>,
    /// Who may reach the public endpoint; everybody when left out.
    pub public_access_cidrs: Option<Vec<String>>,
}

/// Who is let in. See <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAccessConfigRequest.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessConfig {
    /// `API`, `API_AND_CONFIG_MAP` or `CONFIG_MAP`.
    pub authentication_mode: Option<AuthenticationMode>,
    /// Whether who makes the cluster becomes its administrator; true when left out.
    pub bootstrap_cluster_creator_admin_permissions: Option<bool>,
}

/// Where a cluster looks up who may do what.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AuthenticationMode {
    /// Access entries.
    Api,
    /// Access entries and the ConfigMap `aws-auth`.
    ApiAndConfigMap,
    /// The ConfigMap `aws-auth`.
    ConfigMap,
}

impl AuthenticationMode {
    /// As EKS spells it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Api => "API",
            Self::ApiAndConfigMap => "API_AND_CONFIG_MAP",
            Self::ConfigMap => "CONFIG_MAP",
        }
    }
}

/// The cluster's own addresses.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Addresses of Services, e.g. `10.100.0.0/16`.
    pub service_ipv4_cidr: Option<String>,
    /// `ipv4` or `ipv6`.
    pub ip_family: Option<String>,
}

/// What is logged.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Logging {
    /// Kinds of logs that are on or off.
    pub cluster_logging: Vec<LogSetup>,
}

/// Kinds of logs that are on or off.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogSetup {
    /// `api`, `audit`, `authenticator`, `controllerManager`, `scheduler`.
    pub types: Vec<String>,
    /// On or off.
    pub enabled: bool,
}

/// A key for Secrets.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Encryption {
    /// The key.
    pub provider: Provider,
}

/// A KMS key.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The key's ARN.
    pub key_arn: String,
}

/// The end of standard support.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpgradePolicy {
    /// `STANDARD` (EKS upgrades by itself) or `EXTENDED` (costs more).
    pub support_type: String,
}

pub(super) static META: Meta = Meta {
    name: "eks.cluster",
    create: "create_cluster",
    operations: ("CreateCluster", "DeleteCluster"),
    doc: "Makes an EKS control plane and waits until it is ACTIVE, some ten minutes.\n\nThe answer has `endpoint`, \
          `certificate_authority.data`, `identity.oidc.issuer` and `resources_vpc_config.cluster_security_group_id`; `k8s(cluster)` \
          takes it. See the [EKS reference](https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html).",
    identity: Identity::Token { field: "client_request_token", safe: Duration::from_secs(12 * 3600), key: true },
    usual: (Duration::from_secs(600), Duration::from_secs(180)),
    cost: Some("EKS control plane"),
    replaces: false,
    shared: false,
};

/// The kind.
pub static KIND: Row = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    locator: &["name"],
    along: &[],
    parents: &[
        "role_arn",
        "resources_vpc_config.subnet_ids",
        "resources_vpc_config.security_group_ids",
        // While it stands it would make its log group again.
        "/aws/eks/{name}/cluster",
    ],
    judge,
    differences: unordered,
    sim: &cluster_sim::SIM,
};

/// Judges by a status of EKS; the reason is what the description's `health.issues` say.
pub(super) fn judge(described: &Value) -> Health {
    let status = text(described, "status");
    match status {
        "ACTIVE" | "UPDATING" => Health::Ready,
        "DELETING" => Health::Deleting(status.to_owned()),
        "FAILED" | "CREATE_FAILED" | "DELETE_FAILED" => Health::Failed(with_issues(status, described)),
        _ => Health::Pending(with_issues(status, described)),
    }
}

/// A status with what the description's `health.issues` say.
pub(super) fn with_issues(status: &str, described: &Value) -> String {
    let issues = described.pointer("/health/issues").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let issues: Vec<String> =
        issues.iter().map(|issue| format!("{}: {}", text(issue, "code"), text(issue, "message"))).collect();
    if issues.is_empty() { status.to_owned() } else { format!("{status}: {}", issues.join("; ")) }
}

/// Which cluster is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// The cluster's name.
    pub name: String,
}

/// `eks.describe_cluster`.
pub static DESCRIBE: Operation = Operation {
    name: "eks.describe_cluster",
    operation: "DescribeCluster",
    doc: "Describes a cluster.\n\nSee the [EKS reference](https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeCluster.html).",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: cluster_sim::describe,
};

/// Nothing is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {}

/// `eks.list_clusters`.
pub static LIST: Operation = Operation {
    name: "eks.list_clusters",
    operation: "ListClusters",
    doc: "Lists the names of the clusters in the region, as `#{clusters: [...]}`.\n\nSee the \
          [EKS reference](https://docs.aws.amazon.com/eks/latest/APIReference/API_ListClusters.html).",
    class: Class::Read,
    schema: input::schema::<List>,
    check: input::check::<List>,
    token: None,
    settle: None,
    sim: |world, call| {
        let names = world.list(META.name, &call.place.region, call.now_ms).map(|object| object.id.as_str());
        Ok(json!({ "clusters": names.collect::<Value>() }))
    },
};
