//! The service `events`: rules of EventBridge and where their events go.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{DynCall, DynDriver};

#[cfg(feature = "live")]
mod live;
pub mod rule;
pub mod targets;
#[cfg(test)]
mod tests;

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(&[&rule::KIND, &targets::KIND], &[&targets::LIST]);
}

/// The live calls of a kind.
#[cfg(feature = "live")]
pub fn driver(kind: &str) -> Option<&'static dyn DynDriver> {
    Some(match kind {
        "events.rule" => &live::Rule,
        "events.targets" => &live::Targets,
        _ => return None,
    })
}

/// The live call of an operation.
#[cfg(feature = "live")]
pub fn call(operation: &str) -> Option<&'static dyn DynCall> {
    Some(match operation {
        "events.list_targets_by_rule" => &live::ListTargets,
        _ => return None,
    })
}
