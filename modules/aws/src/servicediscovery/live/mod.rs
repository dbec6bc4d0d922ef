//! The SDK calls of Cloud Map.

use aws_sdk_servicediscovery::types::{OperationTargetType, Tag};
use runbook_modules::error::{CallError, Class};
use serde_json::Value;

use crate::live::{
    Call, Clients, Sent, classify,
    convert::{Described, built, field},
};

mod instance;
mod namespace;
mod service;
#[cfg(test)]
mod tests;

pub(super) use instance::{DeregisterInstance, DiscoverInstances, Instance, ListInstances};
pub(super) use namespace::{DeleteNamespace, HttpNamespace, ListNamespaces, PrivateDnsNamespace};
pub(super) use service::{DeleteService, ListServices, Service};

pub(super) struct GetOperation;

fn none_if_missing<T>(found: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match found {
        Err(e) if e.class == Class::NotFound => Ok(None),
        other => other.map(Some),
    }
}

fn tags(sent: &Sent<'_>) -> Result<Vec<Tag>, CallError> {
    sent.tags.iter().map(|(key, value)| built(Tag::builder().key(key).value(value).build())).collect()
}

/// The tags of a resource, as pairs.
async fn tags_of(clients: &Clients, arn: &str) -> Result<Vec<Tag>, CallError> {
    let answer = clients.servicediscovery.list_tags_for_resource().resource_arn(arn).send().await.map_err(classify)?;
    Ok(answer.tags().to_vec())
}

fn pairs(tags: &[Tag]) -> impl Iterator<Item = (Option<&str>, Option<&str>)> {
    tags.iter().map(|tag| (Some(tag.key()), Some(tag.value())))
}

fn own<'a>(sent: &Sent<'a>) -> impl Iterator<Item = (Option<&'a str>, Option<&'a str>)> {
    sent.tags.iter().map(|(key, value)| (Some(key.as_str()), Some(value.as_str())))
}

/// Where an operation stands.
struct Standing {
    status: String,
    target: Option<String>,
    error: (Option<String>, Option<String>),
}

impl Standing {
    /// `operation_status` and what went wrong, on a description.
    fn on(&self, described: Described) -> Described {
        let described = described.text("operation_status", Some(&self.status));
        described.text("error_code", self.error.0.as_ref()).text("error_message", self.error.1.as_ref())
    }
}

/// Where an operation stands; None: Cloud Map has forgotten it.
async fn standing(clients: &Clients, id: &str, target: OperationTargetType) -> Result<Option<Standing>, CallError> {
    if id.is_empty() {
        return Ok(None);
    }
    let answer = clients.servicediscovery.get_operation().operation_id(id).send().await.map_err(classify);
    let answer = none_if_missing(answer)?;
    Ok(answer.and_then(|answer| answer.operation).map(|operation| Standing {
        status: operation.status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        target: operation.targets().and_then(|targets| targets.get(&target)).cloned(),
        error: (operation.error_code, operation.error_message),
    }))
}

impl Call for GetOperation {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let id = field(sent.input, "operation_id");
        let answer = clients.servicediscovery.get_operation().operation_id(id).send().await.map_err(classify)?;
        let Some(operation) = answer.operation() else { return Ok(Value::Null) };
        let described = Described::new()
            .text("id", operation.id())
            .text("operation_id", operation.id())
            .text("type", operation.r#type().map(|kind| kind.as_str()))
            .text("status", operation.status().map(|status| status.as_str()))
            .text("error_code", operation.error_code())
            .text("error_message", operation.error_message());
        Ok(described.done())
    }
}
