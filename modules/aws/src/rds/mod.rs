//! The service `rds`: one file a kind; [`guarded`] for what is deleted only as far as the script allows, [`simulate`] for what the
//! simulated kinds share.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{DynCall, DynDriver};

pub mod db_cluster;
pub mod db_cluster_parameter_group;
pub mod db_instance;
pub mod db_parameter_group;
pub mod db_proxy;
pub mod db_proxy_targets;
pub mod db_subnet_group;
pub mod engine_versions;
pub mod guarded;
#[cfg(feature = "live")]
mod live;
pub mod modify;
pub mod option_group;
mod simulate;
#[cfg(test)]
mod tests;

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(
        &[
            &db_subnet_group::KIND,
            &db_parameter_group::KIND,
            &db_cluster_parameter_group::KIND,
            &option_group::KIND,
            &db_cluster::KIND,
            &db_instance::KIND,
            &db_proxy::KIND,
            &db_proxy_targets::KIND,
        ],
        &[
            &engine_versions::DESCRIBE,
            &db_parameter_group::MODIFY,
            &db_cluster_parameter_group::MODIFY,
            &db_cluster::DESCRIBE,
            &modify::CLUSTER,
            &db_instance::DESCRIBE,
            &modify::INSTANCE,
            &db_proxy_targets::DESCRIBE,
        ],
    );
}

/// The live calls of a kind.
#[cfg(feature = "live")]
pub fn driver(kind: &str) -> Option<&'static dyn DynDriver> {
    Some(match kind {
        "rds.db_subnet_group" => &live::SubnetGroup,
        "rds.db_parameter_group" => &live::ParameterGroup,
        "rds.db_cluster_parameter_group" => &live::ClusterParameterGroup,
        "rds.option_group" => &live::OptionGroup,
        "rds.db_cluster" => &live::Cluster,
        "rds.db_instance" => &live::Instance,
        "rds.db_proxy" => &live::Proxy,
        "rds.db_proxy_targets" => &live::Targets,
        _ => return None,
    })
}

/// The live call of an operation.
#[cfg(feature = "live")]
pub fn call(operation: &str) -> Option<&'static dyn DynCall> {
    Some(match operation {
        "rds.describe_db_engine_versions" => &live::EngineVersions,
        "rds.modify_db_parameter_group" => &live::ModifyParameters,
        "rds.modify_db_cluster_parameter_group" => &live::ModifyClusterParameters,
        "rds.describe_db_clusters" => &live::DescribeClusters,
        "rds.modify_db_cluster" => &live::ModifyCluster,
        "rds.describe_db_instances" => &live::DescribeInstances,
        "rds.modify_db_instance" => &live::ModifyInstance,
        "rds.describe_db_proxy_targets" => &live::DescribeTargets,
        _ => return None,
    })
}
