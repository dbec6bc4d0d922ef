//! The service `account`: which regions an account may use.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{DynCall, DynDriver};

#[cfg(feature = "live")]
mod live;
pub mod region;
mod regions;
#[cfg(test)]
mod tests;

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(&[&region::KIND], &[&region::STATUS]);
}

/// The live calls of a kind.
#[cfg(feature = "live")]
pub fn driver(kind: &str) -> Option<&'static dyn DynDriver> {
    match kind {
        "account.region" => Some(&live::Region),
        _ => None,
    }
}

/// The live call of an operation.
#[cfg(feature = "live")]
pub fn call(operation: &str) -> Option<&'static dyn DynCall> {
    match operation {
        "account.get_region_opt_status" => Some(&live::GetRegionOptStatus),
        _ => None,
    }
}
