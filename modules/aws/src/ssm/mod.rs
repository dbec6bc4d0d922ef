//! The service `ssm` (Systems Manager): parameters that are read, AWS's public ones among them.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{DynCall, DynDriver};

#[cfg(feature = "live")]
mod live;
pub mod parameter;
mod public;
#[cfg(test)]
mod tests;

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(&[], &[&parameter::GET]);
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
        "ssm.get_parameter" => Some(&live::GetParameter),
        _ => None,
    }
}
