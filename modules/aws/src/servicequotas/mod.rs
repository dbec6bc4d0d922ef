//! The service `servicequotas`: how much of something an account may have.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{DynCall, DynDriver};

mod known;
#[cfg(feature = "live")]
mod live;
pub mod quota;
#[cfg(test)]
mod tests;

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(&[], &[&quota::GET]);
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
        "servicequotas.get_service_quota" => Some(&live::GetServiceQuota),
        _ => None,
    }
}
