//! The SDK calls of KMS.

use runbook_modules::error::{CallError, Class};

mod alias;
mod key;
#[cfg(test)]
mod tests;

pub(super) use alias::{Alias, ListAliases};
pub(super) use key::{CancelDeletion, DescribeKey, EnableRotation, Key, RotationStatus};

fn none_if_missing<T>(found: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match found {
        Err(e) if e.class == Class::NotFound => Ok(None),
        other => other.map(Some),
    }
}
