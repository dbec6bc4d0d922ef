//! The service `logs` (CloudWatch Logs): one file a kind.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{DynCall, DynDriver};

pub mod adopted_log_group;
#[cfg(feature = "live")]
mod live;
pub mod log_group;
pub mod retention_policy;
#[cfg(test)]
mod tests;

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(
        &[&log_group::KIND, &adopted_log_group::KIND, &retention_policy::KIND],
        &[&log_group::DESCRIBE, &log_group::DELETE],
    );
}

/// The live calls of a kind.
#[cfg(feature = "live")]
pub fn driver(kind: &str) -> Option<&'static dyn DynDriver> {
    Some(match kind {
        "logs.log_group" => &live::LogGroup,
        "logs.adopted_log_group" => &live::AdoptedLogGroup,
        "logs.retention_policy" => &live::RetentionPolicy,
        _ => return None,
    })
}

/// The live call of an operation.
#[cfg(feature = "live")]
pub fn call(operation: &str) -> Option<&'static dyn DynCall> {
    Some(match operation {
        "logs.describe_log_groups" => &live::DescribeLogGroups,
        "logs.delete_log_group" => &live::DeleteLogGroup,
        _ => return None,
    })
}
