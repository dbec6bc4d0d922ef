//! The service `sts`.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{Call, Driver};

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(&[], &[]);
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
