//! The service `cloudwatch`: alarms on metrics.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{DynCall, DynDriver};

mod check;
pub mod describe;
#[cfg(feature = "live")]
mod live;
pub mod metric_alarm;
mod simulate;
#[cfg(test)]
mod tests;

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(&[&metric_alarm::KIND], &[&describe::DESCRIBE]);
}

/// The live calls of a kind.
#[cfg(feature = "live")]
pub fn driver(kind: &str) -> Option<&'static dyn DynDriver> {
    match kind {
        "cloudwatch.metric_alarm" => Some(&live::MetricAlarm),
        _ => None,
    }
}

/// The live call of an operation.
#[cfg(feature = "live")]
pub fn call(operation: &str) -> Option<&'static dyn DynCall> {
    match operation {
        "cloudwatch.describe_alarms" => Some(&live::DescribeAlarms),
        _ => None,
    }
}
