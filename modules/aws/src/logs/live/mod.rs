//! The SDK calls of CloudWatch Logs.

use aws_sdk_cloudwatchlogs::types;
use runbook_modules::error::{CallError, Class};
use serde_json::{Value, json};

use crate::{
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, field, hash_map},
    },
    logs::{log_group::Input, retention_policy},
};

#[cfg(test)]
mod tests;

pub(super) struct LogGroup;
pub(super) struct AdoptedLogGroup;
pub(super) struct RetentionPolicy;
pub(super) struct DescribeLogGroups;
pub(super) struct DeleteLogGroup;

fn described(group: &types::LogGroup) -> Described {
    Described::new()
        .text("id", group.log_group_name())
        .text("name", group.log_group_name())
        .text("log_group_name", group.log_group_name())
        .text("arn", group.log_group_arn())
        .text("log_group_class", group.log_group_class().map(types::LogGroupClass::as_str))
        .text("kms_key_id", group.kms_key_id())
        .value("retention_in_days", group.retention_in_days())
}

async fn list(clients: &Clients, prefix: &str) -> Result<Vec<types::LogGroup>, CallError> {
    let prefix = Some(prefix).filter(|prefix| !prefix.is_empty()).map(str::to_owned);
    let listed = clients.logs.describe_log_groups().set_log_group_name_prefix(prefix).into_paginator().items().send();
    listed.try_collect().await.map_err(classify)
}

async fn named(clients: &Clients, name: &str) -> Result<Option<types::LogGroup>, CallError> {
    Ok(list(clients, name).await?.into_iter().find(|group| group.log_group_name() == Some(name)))
}

/// With its tags, which are read apart.
async fn whole(clients: &Clients, name: &str) -> Result<Option<Value>, CallError> {
    let Some(group) = named(clients, name).await? else { return Ok(None) };
    let request = clients.logs.list_tags_for_resource().set_resource_arn(group.log_group_arn().map(str::to_owned));
    match request.send().await.map_err(classify) {
        Err(e) if e.class == Class::NotFound => Ok(None),
        tags => Ok(Some(described(&group).tag_map(tags?.tags()).done())),
    }
}

async fn create(clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
    let input: Input = sent.typed()?;
    let request = clients
        .logs
        .create_log_group()
        .log_group_name(&input.log_group_name)
        .set_kms_key_id(input.kms_key_id.clone())
        .set_log_group_class(input.log_group_class.as_deref().map(Into::into))
        .set_tags(Some(hash_map(sent.tags)));
    request.send().await.map_err(classify)?;
    let described = Described::new()
        .text("id", Some(&input.log_group_name))
        .text("name", Some(&input.log_group_name))
        .text("log_group_name", Some(&input.log_group_name))
        .text("kms_key_id", input.kms_key_id.as_ref())
        .text("log_group_class", input.log_group_class.as_ref())
        .tag_map(Some(&hash_map(sent.tags)));
    Ok(described.done())
}

async fn delete(clients: &Clients, name: &str) -> Result<(), CallError> {
    clients.logs.delete_log_group().log_group_name(name).send().await.map_err(classify).map(|_| ())
}

impl Driver for LogGroup {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        create(clients, sent).await
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        whole(clients, field(at, "log_group_name")).await
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        delete(clients, field(at, "log_group_name")).await
    }
}

impl Driver for AdoptedLogGroup {
    /// One that stands gets our tags and the key; both calls may be repeated.
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        match create(clients, sent).await {
            Err(e) if e.class == Class::AlreadyExists => {}
            made => return made,
        }
        let input: Input = sent.typed()?;
        let missing = || CallError::new(Class::NotYet, "ResourceNotFoundException", "it stands, and is not listed yet");
        let group = named(clients, &input.log_group_name).await?.ok_or_else(missing)?;
        let request = clients.logs.tag_resource().set_resource_arn(group.log_group_arn().map(str::to_owned));
        request.set_tags(Some(hash_map(sent.tags))).send().await.map_err(classify)?;
        if let Some(key) = input.kms_key_id {
            let request = clients.logs.associate_kms_key().log_group_name(&input.log_group_name).kms_key_id(key);
            request.send().await.map_err(classify)?;
        }
        whole(clients, &input.log_group_name).await?.ok_or_else(missing)
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        LogGroup.read(clients, at).await
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        LogGroup.find(clients, sent).await
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        delete(clients, field(at, "log_group_name")).await
    }
}

async fn keep(clients: &Clients, name: &str, days: i32) -> Result<Value, CallError> {
    let request = clients.logs.put_retention_policy().log_group_name(name).retention_in_days(days);
    request.send().await.map_err(classify)?;
    Ok(kept(name, days))
}

fn kept(name: &str, days: i32) -> Value {
    json!({ "id": name, "name": name, "log_group_name": name, "retention_in_days": days })
}

impl Driver for RetentionPolicy {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: retention_policy::Input = sent.typed()?;
        keep(clients, &input.log_group_name, input.retention_in_days).await
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let name = field(at, "log_group_name");
        let days = named(clients, name).await?.and_then(|group| group.retention_in_days());
        Ok(days.map(|days| kept(name, days)))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, put_back: Option<&Value>) -> Result<(), CallError> {
        let name = field(at, "log_group_name");
        let before = put_back.and_then(|before| before.get("retention_in_days")).and_then(Value::as_i64);
        if let Some(days) = before.and_then(|days| i32::try_from(days).ok()) {
            return keep(clients, name, days).await.map(|_| ());
        }
        clients.logs.delete_retention_policy().log_group_name(name).send().await.map_err(classify).map(|_| ())
    }
}

impl Call for DescribeLogGroups {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let groups = list(clients, field(sent.input, "log_group_name_prefix")).await?;
        let groups: Value = groups.iter().map(|group| described(group).done()).collect();
        Ok(json!({ "log_groups": groups }))
    }
}

impl Call for DeleteLogGroup {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        delete(clients, field(sent.input, "log_group_name")).await.map(|()| json!({}))
    }
}
