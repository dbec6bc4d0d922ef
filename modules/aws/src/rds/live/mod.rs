//! The SDK calls of RDS.

use runbook_modules::{
    error::{CallError, Class},
    resource::Health,
};
use serde_json::Value;

use crate::live::{Sent, convert::field};

mod cluster;
mod groups;
mod instance;
mod proxy;
#[cfg(test)]
mod tests;
mod versions;

use aws_sdk_rds::types::{SourceType, Tag};

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

/// How far back RDS's events are looked at, in minutes.
const DAY: i32 = 24 * 60;

/// With why it failed, when it has: what RDS said last of it.
async fn explained(clients: &Clients, of: SourceType, health: &Health, mut found: Value) -> Value {
    if let Health::Failed(_) = health {
        let request = clients.rds.describe_events().source_type(of).source_identifier(field(&found, "id"));
        let events = request.duration(DAY).send().await.ok().and_then(|answer| answer.events).unwrap_or_default();
        let last = events.into_iter().max_by_key(|event| event.date.map(|at| at.secs()));
        if let Some(said) = last.and_then(|event| event.message) {
            found["status_reason"] = said.into();
        }
    }
    found
}

/// Whether it failed before anybody could use it. Nothing is in it that a snapshot would keep (RDS takes none of it) or a protection would
/// guard. `used`: the field that it has from its first use on.
fn is_unborn(found: &Value, health: &Health, used: &str) -> bool {
    matches!(health, Health::Failed(_)) && field(found, used).is_empty() && !found[used].is_object()
}

/// The protection is being lifted; the deletion is sent when it is.
fn lifting(id: &str) -> CallError {
    CallError::new(Class::Blocked, "DeletionProtection", format!("the deletion protection of {id} is being lifted"))
}
