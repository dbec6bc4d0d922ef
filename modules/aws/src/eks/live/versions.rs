//! DescribeAddonVersions, DescribeClusterVersions.

use aws_sdk_eks::types::{AddonInfo, AddonVersionInfo, ClusterVersionInformation, Compatibility, VersionStatus};
use runbook_modules::error::CallError;
use serde_json::Value;

use crate::{
    eks::versions::{Addons, Clusters},
    live::{
        Call, Clients, Sent, classify,
        convert::{Described, texts},
    },
};

pub(in crate::eks) struct AddonVersions;
pub(in crate::eks) struct ClusterVersions;

fn compatibility(one: &Compatibility) -> Value {
    Described::new()
        .text("cluster_version", one.cluster_version())
        .value("default_version", Some(one.default_version()))
        .value("platform_versions", Some(texts(one.platform_versions())))
        .done()
}

fn version(one: &AddonVersionInfo) -> Value {
    Described::new()
        .text("addon_version", one.addon_version())
        .value("architecture", Some(texts(one.architecture())))
        .list("compatibilities", one.compatibilities(), compatibility)
        .done()
}

fn addon(one: &AddonInfo) -> Value {
    Described::new()
        .text("addon_name", one.addon_name())
        .text("type", one.r#type())
        .text("owner", one.owner())
        .text("publisher", one.publisher())
        .list("addon_versions", one.addon_versions(), version)
        .done()
}

impl Call for AddonVersions {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let Addons { addon_name, kubernetes_version } = sent.typed()?;
        let request = clients.eks.describe_addon_versions();
        let request = request.set_addon_name(addon_name).set_kubernetes_version(kubernetes_version);
        let all: Vec<AddonInfo> = request.into_paginator().items().send().try_collect().await.map_err(classify)?;
        Ok(Described::new().list("addons", &all, addon).done())
    }
}

impl Call for ClusterVersions {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let Clusters { default_only } = sent.typed()?;
        let pages = clients.eks.describe_cluster_versions().set_default_only(default_only).into_paginator();
        let all: Vec<ClusterVersionInformation> = pages.items().send().try_collect().await.map_err(classify)?;
        let described = |one: &ClusterVersionInformation| {
            Described::new()
                .text("cluster_version", one.cluster_version())
                .text("cluster_type", one.cluster_type())
                .value("default_version", Some(one.default_version()))
                .text("version_status", one.version_status().map(VersionStatus::as_str))
                .done()
        };
        Ok(Described::new().list("cluster_versions", &all, described).done())
    }
}
