//! Kubernetes and add-on versions: `describe_cluster_versions` and `describe_addon_versions`.

use runbook_modules::{
    error::CallError,
    input,
    operation::{Class, Operation},
    sandbox::{sim::SimCall, world::World},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The Kubernetes versions that the sandbox's EKS offers, newest first.
pub(crate) const KUBERNETES: [&str; 5] = ["1.36", "1.35", "1.34", "1.33", "1.32"];

/// The version of a cluster that names none.
pub(super) const DEFAULT: &str = "1.35";

/// The add-ons that the sandbox's EKS offers: name, type, and the version for the newest Kubernetes.
const ADDONS: [(&str, &str, [u32; 3]); 6] = [
    ("vpc-cni", "networking", [1, 21, 1]),
    ("coredns", "networking", [1, 14, 0]),
    ("kube-proxy", "networking", [1, 36, 0]),
    ("aws-ebs-csi-driver", "storage", [1, 56, 0]),
    ("eks-pod-identity-agent", "security", [1, 3, 10]),
    ("metrics-server", "observability", [0, 8, 1]),
];

/// Which versions are asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Addons {
    /// Only this add-on.
    pub addon_name: Option<String>,
    /// Only those that run on this Kubernetes version.
    pub kubernetes_version: Option<String>,
}

/// `eks.describe_addon_versions`.
pub static DESCRIBE_ADDON_VERSIONS: Operation = Operation {
    name: "eks.describe_addon_versions",
    operation: "DescribeAddonVersions",
    doc: "Lists add-ons with their versions, newest first, as `#{addons: [...]}`: maps with `addon_name`, `type` and \
          `addon_versions`, of which each has `addon_version` and `compatibilities` (`cluster_version`, `default_version`).\n\nSee the \
          [EKS reference](https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeAddonVersions.html).",
    class: Class::Read,
    schema: input::schema::<Addons>,
    check: input::check::<Addons>,
    token: None,
    settle: None,
    sim: describe_addon_versions,
};

fn describe_addon_versions(_: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let (name, kubernetes) = (call.text("addon_name"), call.text("kubernetes_version"));
    if !name.is_empty() && !ADDONS.iter().any(|(addon, _, _)| *addon == name) {
        return Err(CallError::refused(
            "InvalidParameterException",
            format!("Addon {name} specified is not supported"),
        ));
    }
    let wanted: Vec<&str> =
        KUBERNETES.into_iter().filter(|version| kubernetes.is_empty() || *version == kubernetes).collect();
    let addons = ADDONS.iter().filter(|(addon, _, _)| !wanted.is_empty() && (name.is_empty() || *addon == name));
    let listed: Value = addons.map(|(addon, kind, _)| described(addon, kind, &wanted)).collect();
    Ok(json!({ "addons": listed }))
}

fn described(addon: &str, kind: &str, wanted: &[&str]) -> Value {
    let compatible = |default: bool| -> Value {
        wanted
            .iter()
            .map(|v| json!({ "cluster_version": v, "default_version": default, "platform_versions": ["*"] }))
            .collect()
    };
    let version = |name: String, default| json!({ "addon_version": name, "architecture": ["amd64", "arm64"], "compatibilities": compatible(default) });
    let newest = wanted.first().copied().unwrap_or(DEFAULT);
    json!({
        "addon_name": addon, "type": kind, "owner": "aws", "publisher": "eks",
        "addon_versions": [version(version_of(addon, newest, 2), false), version(version_of(addon, newest, 1), true)],
    })
}

/// The default version of an add-on for a Kubernetes version; None for an add-on that the sandbox's EKS does not offer.
pub(super) fn default_addon(addon: &str, kubernetes: &str) -> Option<String> {
    ADDONS.iter().any(|(name, _, _)| *name == addon).then(|| version_of(addon, kubernetes, 1))
}

/// Whether EKS offers a version of an add-on.
pub(super) fn offers(addon: &str, kubernetes: &str, version: &str) -> bool {
    [1, 2].into_iter().any(|build| version_of(addon, kubernetes, build) == version)
}

fn version_of(addon: &str, kubernetes: &str, build: u32) -> String {
    let [major, minor, patch] = ADDONS.iter().find(|(name, _, _)| *name == addon).map_or([1, 0, 0], |(_, _, v)| *v);
    match addon {
        "kube-proxy" => format!("v{kubernetes}.{patch}-eksbuild.{build}"),
        _ => format!("v{major}.{minor}.{patch}-eksbuild.{build}"),
    }
}

/// Which Kubernetes versions are asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clusters {
    /// Only the version of a cluster that names none.
    pub default_only: Option<bool>,
}

/// `eks.describe_cluster_versions`.
pub static DESCRIBE_CLUSTER_VERSIONS: Operation = Operation {
    name: "eks.describe_cluster_versions",
    operation: "DescribeClusterVersions",
    doc: "Lists the Kubernetes versions that EKS offers, as `#{cluster_versions: [...]}`: maps with `cluster_version`, \
          `default_version` and `version_status`.\n\nSee the \
          [EKS reference](https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeClusterVersions.html).",
    class: Class::Read,
    schema: input::schema::<Clusters>,
    check: input::check::<Clusters>,
    token: None,
    settle: None,
    sim: describe_cluster_versions,
};

fn describe_cluster_versions(_: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let default_only = call.input.get("default_only") == Some(&Value::Bool(true));
    let status = |version| if version == "1.32" { "EXTENDED_SUPPORT" } else { "STANDARD_SUPPORT" };
    let wanted = KUBERNETES.into_iter().filter(|version| !default_only || *version == DEFAULT);
    let described = |version| {
        json!({
            "cluster_version": version, "cluster_type": "eks", "default_version": version == DEFAULT,
            "version_status": status(version),
        })
    };
    Ok(json!({ "cluster_versions": wanted.map(described).collect::<Value>() }))
}
