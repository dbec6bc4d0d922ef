//! The service `autoscaling`: the groups that EKS makes for its node groups, read.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{DynCall, DynDriver};

pub mod group;
#[cfg(feature = "live")]
mod live;
mod simulate;
#[cfg(test)]
mod tests;

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(&[], &[&group::DESCRIBE]);
}

/// The live calls of a kind: the service makes nothing.
#[cfg(feature = "live")]
pub fn driver(_: &str) -> Option<&'static dyn DynDriver> {
    None
}

/// The live call of an operation.
#[cfg(feature = "live")]
pub fn call(operation: &str) -> Option<&'static dyn DynCall> {
    match operation {
        "autoscaling.describe_auto_scaling_groups" => Some(&live::DescribeGroups),
        _ => None,
    }
}
