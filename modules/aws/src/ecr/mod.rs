//! The service `ecr`: repositories of container images, and their lifecycle policies.

use runbook_modules::table::Table;

#[cfg(feature = "live")]
use crate::live::{DynCall, DynDriver};

pub mod image;
pub mod lifecycle_policy;
#[cfg(feature = "live")]
mod live;
pub mod repository;
#[cfg(test)]
mod tests;

/// Adds the kinds and operations of the service to the table.
pub fn register(table: &mut Table) {
    table.add(&[&repository::KIND, &lifecycle_policy::KIND], &[&repository::DESCRIBE, &image::DESCRIBE]);
}

/// The live calls of a kind.
#[cfg(feature = "live")]
pub fn driver(kind: &str) -> Option<&'static dyn DynDriver> {
    Some(match kind {
        "ecr.repository" => &live::Repository,
        "ecr.lifecycle_policy" => &live::LifecyclePolicy,
        _ => return None,
    })
}

/// The live call of an operation.
#[cfg(feature = "live")]
pub fn call(operation: &str) -> Option<&'static dyn DynCall> {
    Some(match operation {
        "ecr.describe_repositories" => &live::DescribeRepositories,
        "ecr.describe_images" => &live::DescribeImages,
        _ => return None,
    })
}
