//! The service `kms`: one file a kind.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{DynCall, DynDriver};

pub mod alias;
pub mod key;
#[cfg(feature = "live")]
mod live;
pub mod policy;
pub mod rotation;
#[cfg(test)]
mod tests;

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(
        &[&key::KIND, &alias::KIND],
        &[&key::DESCRIBE, &key::CANCEL_DELETION, &rotation::ENABLE, &rotation::STATUS, &alias::LIST],
    );
}

/// The live calls of a kind.
#[cfg(feature = "live")]
pub fn driver(kind: &str) -> Option<&'static dyn DynDriver> {
    Some(match kind {
        "kms.key" => &live::Key,
        "kms.alias" => &live::Alias,
        _ => return None,
    })
}

/// The live call of an operation.
#[cfg(feature = "live")]
pub fn call(operation: &str) -> Option<&'static dyn DynCall> {
    Some(match operation {
        "kms.describe_key" => &live::DescribeKey,
        "kms.cancel_key_deletion" => &live::CancelDeletion,
        "kms.enable_key_rotation" => &live::EnableRotation,
        "kms.get_key_rotation_status" => &live::RotationStatus,
        "kms.list_aliases" => &live::ListAliases,
        _ => return None,
    })
}
