//! The service `eks`: one file a kind, [`versions`] for what EKS offers, [`cluster_sim`] and [`nodegroup_sim`] for the simulated
//! control plane and nodes.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{DynCall, DynDriver};

pub mod access_entry;
pub mod addon;
pub mod addon_settings;
pub mod cluster;
mod cluster_sim;
#[cfg(feature = "live")]
mod live;
pub mod nodegroup;
mod nodegroup_sim;
pub mod pod_identity_association;
#[cfg(test)]
mod tests;
pub mod update;
pub mod update_cluster_config;
pub mod versions;

pub(crate) use cluster_sim::writes_to;

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(
        &[
            &cluster::KIND,
            &nodegroup::KIND,
            &addon::KIND,
            &addon_settings::KIND,
            &access_entry::KIND,
            &pod_identity_association::KIND,
        ],
        &[
            &cluster::DESCRIBE,
            &cluster::LIST,
            &nodegroup::DESCRIBE,
            &nodegroup::LIST,
            &addon::DESCRIBE,
            &versions::DESCRIBE_ADDON_VERSIONS,
            &versions::DESCRIBE_CLUSTER_VERSIONS,
            &update_cluster_config::UPDATE,
            &update::DESCRIBE,
        ],
    );
}

/// The live calls of a kind.
#[cfg(feature = "live")]
pub fn driver(kind: &str) -> Option<&'static dyn DynDriver> {
    Some(match kind {
        "eks.cluster" => &live::Cluster,
        "eks.nodegroup" => &live::Nodegroup,
        "eks.addon" => &live::Addon,
        "eks.addon_settings" => &live::AddonSettings,
        "eks.access_entry" => &live::AccessEntry,
        "eks.pod_identity_association" => &live::PodIdentity,
        _ => return None,
    })
}

/// The live call of an operation.
#[cfg(feature = "live")]
pub fn call(operation: &str) -> Option<&'static dyn DynCall> {
    Some(match operation {
        "eks.describe_cluster" => &live::DescribeCluster,
        "eks.list_clusters" => &live::ListClusters,
        "eks.describe_nodegroup" => &live::DescribeNodegroup,
        "eks.list_nodegroups" => &live::ListNodegroups,
        "eks.describe_addon" => &live::DescribeAddon,
        "eks.describe_addon_versions" => &live::AddonVersions,
        "eks.describe_cluster_versions" => &live::ClusterVersions,
        "eks.update_cluster_config" => &live::UpdateConfig,
        "eks.describe_update" => &live::DescribeUpdate,
        _ => return None,
    })
}
