//! CreateKey, DescribeKey, ScheduleKeyDeletion, CancelKeyDeletion, and rotation.

use aws_sdk_kms::types::{self, KeyMetadata, KeyState, Tag};
use runbook_modules::{
    error::{CallError, Class},
    target::EFFECT_TAG,
};
use serde_json::{Value, json};

use super::none_if_missing;
use crate::{
    iam::document::normal,
    kms::{key::Input, rotation::Enable},
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, built, field},
        empty,
    },
};

pub(in crate::kms) struct Key;
pub(in crate::kms) struct DescribeKey;
pub(in crate::kms) struct CancelDeletion;
pub(in crate::kms) struct EnableRotation;
pub(in crate::kms) struct RotationStatus;

fn described(key: &KeyMetadata) -> Described {
    Described::new()
        .text("id", Some(key.key_id()))
        .text("key_id", Some(key.key_id()))
        .text("arn", key.arn())
        .text("description", key.description())
        .text("key_state", key.key_state().map(KeyState::as_str))
        .text("key_usage", key.key_usage().map(types::KeyUsageType::as_str))
        .text("key_spec", key.key_spec().map(types::KeySpec::as_str))
        .text("key_manager", key.key_manager().map(types::KeyManagerType::as_str))
        .value("enabled", Some(key.enabled()))
        .value("multi_region", key.multi_region())
        .time("deletion_date", key.deletion_date())
}

async fn metadata(clients: &Clients, id: &str) -> Result<KeyMetadata, CallError> {
    let answer = clients.kms.describe_key().key_id(id).send().await.map_err(classify)?;
    answer.key_metadata().cloned().ok_or_else(|| empty("key"))
}

async fn tags(clients: &Clients, id: &str) -> Result<Vec<Tag>, CallError> {
    let listed = clients.kms.list_resource_tags().key_id(id).into_paginator().items().send();
    listed.try_collect().await.map_err(classify)
}

fn pairs(tags: &[Tag]) -> impl Iterator<Item = (Option<&str>, Option<&str>)> {
    tags.iter().map(|tag| (Some(tag.tag_key()), Some(tag.tag_value())))
}

/// Whether its deletion is scheduled: it counts as gone.
fn going(key: &KeyMetadata) -> bool {
    matches!(key.key_state(), Some(KeyState::PendingDeletion | KeyState::PendingReplicaDeletion))
}

/// The whole description; the window of its deletion is only known from the input.
async fn whole(clients: &Clients, key: &KeyMetadata, window: Option<&Value>) -> Result<Value, CallError> {
    let tags = tags(clients, key.key_id()).await?;
    let policy =
        clients.kms.get_key_policy().key_id(key.key_id()).policy_name("default").send().await.map_err(classify)?;
    let policy = policy.policy().map(|text| normal(&Value::from(text)));
    let described = described(key).value("policy", policy).value("pending_window_in_days", window.cloned());
    Ok(described.tags(pairs(&tags)).done())
}

impl Driver for Key {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Input = sent.typed()?;
        let tag = |(key, value): (&String, &String)| built(Tag::builder().tag_key(key).tag_value(value).build());
        let request = clients
            .kms
            .create_key()
            .set_description(input.description)
            .set_policy(input.policy.map(|policy| policy.text()))
            .set_key_usage(input.key_usage.map(|usage| usage.as_str().into()))
            .set_key_spec(input.key_spec.map(|spec| spec.as_str().into()))
            .set_multi_region(input.multi_region)
            .set_tags(Some(sent.tags.iter().map(tag).collect::<Result<_, _>>()?));
        let answer = request.send().await.map_err(classify)?;
        let Some(key) = answer.key_metadata() else { return Ok(Value::Null) };
        let tags = sent.tags.iter().map(|(key, value)| (Some(key.as_str()), Some(value.as_str())));
        Ok(described(key).value("pending_window_in_days", input.pending_window_in_days).tags(tags).done())
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        match none_if_missing(metadata(clients, field(at, "key_id")).await)? {
            Some(key) if !going(&key) => whole(clients, &key, at.get("pending_window_in_days")).await.map(Some),
            _ => Ok(None),
        }
    }

    /// KMS lists no tags with its keys: each key of the region is asked for its own.
    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        let keys = clients.kms.list_keys().into_paginator().items().send().try_collect().await.map_err(classify)?;
        let mut found = Vec::new();
        for id in keys.iter().filter_map(|key| key.key_id()) {
            // AWS's own keys do not let their tags be read.
            let tags = match tags(clients, id).await {
                Err(e) if e.class == Class::Refused || e.class == Class::NotFound => continue,
                tags => tags?,
            };
            let ours = |tag: &Tag| {
                tag.tag_key() == EFFECT_TAG && sent.tags.get(EFFECT_TAG).is_some_and(|v| v == tag.tag_value())
            };
            if !tags.iter().any(ours) {
                continue;
            }
            let key = metadata(clients, id).await?;
            if !going(&key) {
                found.push(whole(clients, &key, sent.input.get("pending_window_in_days")).await?);
            }
        }
        Ok(found)
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let days = at.get("pending_window_in_days").and_then(Value::as_i64).and_then(|days| i32::try_from(days).ok());
        let request = clients.kms.schedule_key_deletion().key_id(field(at, "key_id"));
        match request.set_pending_window_in_days(days).send().await.map_err(classify) {
            // A second time: it is scheduled already.
            Err(e) if e.code == "KMSInvalidStateException" && e.message.contains("pending deletion") => Ok(()),
            other => other.map(|_| ()),
        }
    }
}

impl Call for DescribeKey {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let key = metadata(clients, field(sent.input, "key_id")).await?;
        whole(clients, &key, None).await
    }
}

impl Call for CancelDeletion {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let id = field(sent.input, "key_id");
        match clients.kms.cancel_key_deletion().key_id(id).send().await.map_err(classify) {
            // A second time, after an answer that was lost: it is taken back already.
            Err(e) if e.code == "KMSInvalidStateException" && e.message.contains("not pending deletion") => {
                Ok(Described::new().text("key_id", metadata(clients, id).await?.arn()).done())
            }
            answer => Ok(Described::new().text("key_id", answer?.key_id()).done()),
        }
    }
}

impl Call for EnableRotation {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Enable = sent.typed()?;
        let request = clients.kms.enable_key_rotation().key_id(input.key_id);
        request.set_rotation_period_in_days(input.rotation_period_in_days).send().await.map_err(classify)?;
        Ok(json!({}))
    }
}

impl Call for RotationStatus {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let request = clients.kms.get_key_rotation_status().key_id(field(sent.input, "key_id"));
        let answer = request.send().await.map_err(classify)?;
        let described = Described::new()
            .text("key_id", answer.key_id())
            .value("key_rotation_enabled", Some(answer.key_rotation_enabled()))
            .value("rotation_period_in_days", answer.rotation_period_in_days());
        Ok(described.done())
    }
}
