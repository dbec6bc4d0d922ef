//! The service `route53`: one file a kind, [`change`] for what comes through later.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{Call, Driver};

pub mod change;
pub mod hosted_zone;
pub mod record_set;
#[cfg(test)]
mod tests;
pub mod vpc_association;

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(
        &[&hosted_zone::KIND, &vpc_association::KIND, &record_set::KIND],
        &[&change::GET, &hosted_zone::GET, &hosted_zone::LIST_BY_NAME, &record_set::LIST, &record_set::DELETE],
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
