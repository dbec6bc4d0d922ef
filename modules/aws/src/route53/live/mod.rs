//! The SDK calls of Route 53.

use runbook_modules::error::{CallError, Class};
use serde_json::{Value, json};

use crate::live::{
    Call, Clients, Sent, classify,
    convert::{Described, field},
    empty,
};

mod hosted_zone;
mod record_set;
#[cfg(test)]
mod tests;
mod vpc_association;

pub(super) use hosted_zone::{GetHostedZone, HostedZone, ListByName};
pub(super) use record_set::{DeleteRecordSets, ListRecordSets, RecordSet};
pub(super) use vpc_association::VpcAssociation;

pub(super) struct GetChange;

fn none_if_missing<T>(found: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match found {
        Err(e) if e.class == Class::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// An id without the path before it: `/hostedzone/Z1`, `/change/C1`.
fn plain_id(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// `change_id` and `change_info` of a description.
fn with_change(described: Described, change: Option<&aws_sdk_route53::types::ChangeInfo>) -> Described {
    let Some(change) = change else { return described };
    let id = plain_id(change.id());
    described
        .text("change_id", Some(id))
        .value("change_info", Some(json!({ "id": id, "status": change.status().as_str() })))
}

/// Puts the state of the change that the locator names into a description. A change so old that it is forgotten is through.
async fn follow_change(clients: &Clients, at: &Value, described: &mut Value) -> Result<(), CallError> {
    let id = field(at, "change_id");
    if id.is_empty() {
        return Ok(());
    }
    let status = none_if_missing(change_status(clients, id).await)?.unwrap_or_else(|| "INSYNC".to_owned());
    described["change_id"] = Value::from(id);
    described["change_info"] = json!({ "id": id, "status": status });
    Ok(())
}

async fn change_status(clients: &Clients, id: &str) -> Result<String, CallError> {
    let answer = clients.route53.get_change().id(id).send().await.map_err(classify)?;
    answer.change_info().map(|change| change.status().as_str().to_owned()).ok_or_else(|| empty("change info"))
}

impl Call for GetChange {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let id = field(sent.input, "id");
        Ok(json!({ "id": plain_id(id), "status": change_status(clients, id).await? }))
    }
}
