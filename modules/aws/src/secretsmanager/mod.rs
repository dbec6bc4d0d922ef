//! The service `secretsmanager`: one file a kind.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{DynCall, DynDriver};

#[cfg(feature = "live")]
mod live;
pub mod secret;
#[cfg(test)]
mod tests;
pub mod value;

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(&[&secret::KIND], &[&secret::DESCRIBE, &secret::RESTORE, &secret::DELETE, &value::PUT]);
}

/// The live calls of a kind.
#[cfg(feature = "live")]
pub fn driver(kind: &str) -> Option<&'static dyn DynDriver> {
    match kind {
        "secretsmanager.secret" => Some(&live::Secret),
        _ => None,
    }
}

/// The live call of an operation.
#[cfg(feature = "live")]
pub fn call(operation: &str) -> Option<&'static dyn DynCall> {
    Some(match operation {
        "secretsmanager.describe_secret" => &live::DescribeSecret,
        "secretsmanager.restore_secret" => &live::RestoreSecret,
        "secretsmanager.delete_secret" => &live::DeleteSecret,
        "secretsmanager.put_secret_value" => &live::PutSecretValue,
        _ => return None,
    })
}
