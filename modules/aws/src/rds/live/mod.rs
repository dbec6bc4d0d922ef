//! The SDK calls of RDS.

use runbook_modules::error::{CallError, Class};

use crate::live::Sent;

mod cluster;
mod groups;
mod instance;
mod proxy;
#[cfg(test)]
mod tests;
mod versions;

use aws_sdk_rds::types::Tag;

pub(super) use self::{
    cluster::{Cluster, DescribeClusters, ModifyCluster},
    groups::{
        ClusterParameterGroup, ModifyClusterParameters, ModifyParameters, OptionGroup, ParameterGroup, SubnetGroup,
    },
    instance::{DescribeInstances, Instance, ModifyInstance},
    proxy::{DescribeTargets, Proxy, Targets},
    versions::EngineVersions,
};
use crate::live::Clients;

/// RDS's own codes, some with `Fault` at the end and some without, as classes.
fn sorted(error: CallError) -> CallError {
    if error.class != Class::Refused {
        return error;
    }
    let code = error.code.strip_suffix("Fault").unwrap_or(&error.code);
    let class = if code.ends_with("AlreadyExists") || code.ends_with("AlreadyRegistered") {
        Class::AlreadyExists
    } else if code.ends_with("NotFound") {
        Class::NotFound
    } else if NOT_YET.iter().any(|text| error.message.contains(text)) {
        Class::NotYet
    } else {
        Class::Refused
    };
    CallError { class, ..error }
}

/// What RDS says of a role that IAM made a moment ago.
const NOT_YET: [&str; 3] = [
    "does not include the required permissions for: ENHANCED_MONITORING",
    "RDS is not authorized to assume",
    "could not be assumed",
];

/// As [`sorted`], of a deletion: what is in a state in which it cannot be deleted is waited for.
fn deleting(error: CallError) -> CallError {
    let error = sorted(error);
    let state =
        error.code.starts_with("Invalid") && (error.code.ends_with("State") || error.code.ends_with("StateFault"));
    if error.class == Class::Refused && state { CallError { class: Class::Blocked, ..error } } else { error }
}

fn none_if_missing<T>(found: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match found {
        Err(error) if error.class == Class::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// The tags of a request.
fn tags(sent: &Sent<'_>) -> Option<Vec<Tag>> {
    let tags = sent.tags.iter();
    Some(tags.map(|(key, value)| Tag::builder().key(key.as_str()).value(value.as_str()).build()).collect())
}

fn pairs(tags: &[Tag]) -> impl Iterator<Item = (Option<&str>, Option<&str>)> {
    tags.iter().map(|tag| (tag.key(), tag.value()))
}

/// The tags of what does not describe its own.
async fn tags_of(clients: &Clients, arn: Option<&str>) -> Result<Vec<Tag>, CallError> {
    let Some(arn) = arn else { return Ok(Vec::new()) };
    let answer = clients.rds.list_tags_for_resource().resource_name(arn).send().await;
    Ok(answer.map_err(crate::live::classify).map_err(sorted)?.tag_list.unwrap_or_default())
}

/// The protection is being lifted; the deletion is sent when it is.
fn lifting(id: &str) -> CallError {
    CallError::new(Class::Blocked, "DeletionProtection", format!("the deletion protection of {id} is being lifted"))
}
