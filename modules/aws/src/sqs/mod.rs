//! The service `sqs`: queues.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{DynCall, DynDriver};

#[cfg(feature = "live")]
mod live;
pub mod queue;
#[cfg(test)]
mod tests;

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(&[&queue::KIND], &[&queue::GET_ATTRIBUTES]);
}

/// The live calls of a kind.
#[cfg(feature = "live")]
pub fn driver(kind: &str) -> Option<&'static dyn DynDriver> {
    Some(match kind {
        "sqs.queue" => &live::Queue,
        _ => return None,
    })
}

/// The live call of an operation.
#[cfg(feature = "live")]
pub fn call(operation: &str) -> Option<&'static dyn DynCall> {
    Some(match operation {
        "sqs.get_queue_attributes" => &live::GetAttributes,
        _ => return None,
    })
}
