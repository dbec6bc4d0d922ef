//! The SDK calls of Elastic Load Balancing.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::Tag;
use runbook_modules::error::{CallError, Class};
use serde_json::{Value, json};

use crate::live::{Call, Clients, Sent, classify, convert::field};

mod listener;
mod load_balancer;
mod target_group;
#[cfg(test)]
mod tests;

pub(super) use listener::{DescribeListeners, Listener};
pub(super) use load_balancer::{DeleteLoadBalancer, DescribeLoadBalancers, LoadBalancer, Wait};
pub(super) use target_group::{DeleteTargetGroup, DescribeTargetGroups, DescribeTargetHealth, TargetGroup};

pub(super) struct DescribeTags;

/// As many ARNs as one DescribeTags takes.
const AT_ONCE: usize = 20;

/// The tags of a request.
fn tags(sent: &Sent<'_>) -> Vec<Tag> {
    sent.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Tags by ARN.
async fn tags_of(clients: &Clients, arns: &[String]) -> Result<BTreeMap<String, Value>, CallError> {
    let mut found = BTreeMap::new();
    for some in arns.chunks(AT_ONCE) {
        let answer =
            clients.elbv2.describe_tags().set_resource_arns(Some(some.to_vec())).send().await.map_err(classify)?;
        for one in answer.tag_descriptions() {
            let pair = |tag: &Tag| Some((tag.key()?.to_owned(), Value::from(tag.value().unwrap_or_default())));
            let tags: Value = Value::Object(one.tags().iter().filter_map(pair).collect());
            found.insert(one.resource_arn().unwrap_or_default().to_owned(), tags);
        }
    }
    Ok(found)
}

/// Descriptions with their tags, which the describe calls themselves do not give.
async fn with_tags(clients: &Clients, mut described: Vec<Value>) -> Result<Vec<Value>, CallError> {
    let arns: Vec<String> = described.iter().map(|one| field(one, "id").to_owned()).collect();
    let mut tags = tags_of(clients, &arns).await?;
    for one in &mut described {
        one["tags"] = tags.remove(field(one, "id")).unwrap_or_else(|| json!({}));
    }
    Ok(described)
}

/// What a describe call found; nothing when what it named does not exist.
fn or_none(found: Result<Vec<Value>, CallError>) -> Result<Vec<Value>, CallError> {
    match found {
        Err(e) if e.class == Class::NotFound => Ok(Vec::new()),
        other => other,
    }
}

impl Call for DescribeTags {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: super::tags::Describe = sent.typed()?;
        let found = tags_of(clients, &input.resource_arns).await?;
        let shown = found.into_iter().map(|(arn, tags)| json!({ "resource_arn": arn, "tags": tags }));
        Ok(json!({ "tag_descriptions": shown.collect::<Value>() }))
    }
}
