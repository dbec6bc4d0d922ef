//! The SDK calls of WAF.

use aws_sdk_wafv2::types::Tag;
use runbook_modules::error::{CallError, Class};
use serde_json::Value;

use crate::live::{
    Clients, Sent, classify,
    convert::{built, field},
    empty,
};

mod association;
mod ip_set;
mod logging;
mod rule;
#[cfg(test)]
mod tests;
mod web_acl;

pub(super) use association::{Association, GetForResource};
pub(super) use ip_set::{GetIpSet, IpSet, UpdateIpSet};
pub(super) use logging::Logging;
pub(super) use web_acl::{GetWebAcl, WebAcl};

fn tags(sent: &Sent<'_>) -> Result<Vec<Tag>, CallError> {
    sent.tags.iter().map(|(key, value)| built(Tag::builder().key(key).value(value).build())).collect()
}

/// The tags of something by its ARN.
async fn tags_of(clients: &Clients, arn: &str) -> Result<Vec<Tag>, CallError> {
    let answer = clients.wafv2.list_tags_for_resource().resource_arn(arn).send().await.map_err(classify)?;
    answer.tag_info_for_resource().map(|info| info.tag_list().to_vec()).ok_or_else(|| empty("tag info for resource"))
}

fn pairs(tags: &[Tag]) -> impl Iterator<Item = (Option<&str>, Option<&str>)> {
    tags.iter().map(|tag| (Some(tag.key()), Some(tag.value())))
}

fn none_if_missing<T>(found: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match found {
        Err(e) if e.class == Class::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// The id, name and scope by which WAF finds something.
fn key(at: &Value) -> (&str, &str, &str) {
    (field(at, "id"), field(at, "name"), field(at, "scope"))
}
