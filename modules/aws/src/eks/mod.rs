//! The service `eks`: one file a kind, [`versions`] for what EKS offers, [`cluster_sim`] for the simulated control plane.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{Call, Driver};

pub mod addon;
pub mod cluster;
mod cluster_sim;
pub mod nodegroup;
#[cfg(test)]
mod tests;
pub mod versions;

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(
        &[&cluster::KIND, &nodegroup::KIND, &addon::KIND],
        &[
            &cluster::DESCRIBE,
            &cluster::LIST,
            &nodegroup::DESCRIBE,
            &nodegroup::LIST,
            &addon::DESCRIBE,
            &versions::DESCRIBE_ADDON_VERSIONS,
            &versions::DESCRIBE_CLUSTER_VERSIONS,
        ],
    );
}

/// The live calls of a kind.
#[cfg(feature = "live")]
pub fn driver(kind: &str) -> Option<&'static dyn Driver> {
    let _ = kind;
    None
}

/// The live call of an operation.
#[cfg(feature = "live")]
pub fn call(operation: &str) -> Option<&'static dyn Call> {
    let _ = operation;
    None
}
