//! The SDK calls of Secrets Manager. No call reads a value.

use aws_sdk_secretsmanager::{operation::describe_secret::DescribeSecretOutput, types::Tag};
use runbook_modules::error::{CallError, Class};
use serde_json::{Map, Value, json};

use crate::{
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, field, texts},
    },
    secretsmanager::{
        secret::{Delete, Input, with_way_out},
        value::Put,
    },
};

#[cfg(test)]
mod tests;

pub(super) struct Secret;
pub(super) struct DescribeSecret;
pub(super) struct RestoreSecret;
pub(super) struct DeleteSecret;
pub(super) struct PutSecretValue;

/// What is only known from the input: how it is to be deleted.
const ALONG: [&str; 2] = ["recovery_window_in_days", "force_delete_without_recovery"];

fn described(found: &DescribeSecretOutput, from: &Value) -> Value {
    let stages: Map<String, Value> = found
        .version_ids_to_stages()
        .into_iter()
        .flatten()
        .map(|(version, stages)| (version.clone(), texts(stages)))
        .collect();
    let current = stages.iter().find(|(_, stages)| stages.as_array().is_some_and(|s| s.contains(&json!("AWSCURRENT"))));
    let tags = found.tags().iter().map(|tag| (tag.key(), tag.value()));
    let described = Described::new()
        .text("id", found.name())
        .text("name", found.name())
        .text("arn", found.arn())
        .text("description", found.description())
        .text("kms_key_id", found.kms_key_id())
        .text("version_id", current.map(|(version, _)| version))
        .value("version_ids_to_stages", Some(stages.clone()))
        .time("deleted_date", found.deleted_date())
        .tags(tags);
    along(described, from)
}

fn along(described: Described, from: &Value) -> Value {
    ALONG.into_iter().fold(described, |described, name| described.value(name, from.get(name).cloned())).done()
}

async fn describe(clients: &Clients, id: &str) -> Result<DescribeSecretOutput, CallError> {
    clients.secretsmanager.describe_secret().secret_id(id).send().await.map_err(classify)
}

async fn delete(clients: &Clients, how: Delete) -> Result<(), CallError> {
    let request = clients.secretsmanager.delete_secret().secret_id(how.secret_id);
    let request = request.set_recovery_window_in_days(how.recovery_window_in_days);
    let request = request.set_force_delete_without_recovery(how.force_delete_without_recovery);
    request.send().await.map_err(classify).map(|_| ())
}

impl Driver for Secret {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Input = sent.typed()?;
        let tags = sent.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let request = clients
            .secretsmanager
            .create_secret()
            .name(&input.name)
            .set_description(input.description.clone())
            .set_kms_key_id(input.kms_key_id.clone())
            .set_secret_string(input.secret_string)
            .client_request_token(sent.token)
            .set_tags(Some(tags.collect()));
        let answer = request.send().await.map_err(classify).map_err(|error| {
            let taken = error.class == Class::Refused && error.message.contains("scheduled for deletion");
            if taken { with_way_out(error, &input.name) } else { error }
        })?;
        let described = Described::new()
            .text("id", Some(&input.name))
            .text("name", Some(&input.name))
            .text("arn", answer.arn())
            .text("description", input.description.as_ref())
            .text("kms_key_id", input.kms_key_id.as_ref())
            .text("version_id", answer.version_id())
            .tags(sent.tags.iter().map(|(key, value)| (Some(key.as_str()), Some(value.as_str()))));
        Ok(along(described, sent.input))
    }

    /// One whose deletion is under way counts as gone.
    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        match describe(clients, field(at, "name")).await {
            Err(e) if e.class == Class::NotFound => Ok(None),
            found => Ok(Some(found?).filter(|found| found.deleted_date().is_none()).map(|found| described(&found, at))),
        }
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let how = Delete {
            secret_id: field(at, "name").to_owned(),
            recovery_window_in_days: at.get(ALONG[0]).and_then(Value::as_i64),
            force_delete_without_recovery: at.get(ALONG[1]).and_then(Value::as_bool),
        };
        delete(clients, how).await
    }
}

impl Call for DescribeSecret {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        describe(clients, field(sent.input, "secret_id")).await.map(|found| described(&found, &Value::Null))
    }
}

impl Call for RestoreSecret {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let request = clients.secretsmanager.restore_secret().secret_id(field(sent.input, "secret_id"));
        let answer = request.send().await.map_err(classify)?;
        Ok(Described::new().text("name", answer.name()).text("arn", answer.arn()).done())
    }
}

impl Call for DeleteSecret {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let how: Delete = sent.typed()?;
        let name = how.secret_id.clone();
        delete(clients, how).await.map(|()| json!({ "name": name }))
    }
}

impl Call for PutSecretValue {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Put = sent.typed()?;
        let request = clients.secretsmanager.put_secret_value().secret_id(input.secret_id);
        let request = request.secret_string(input.secret_string).client_request_token(sent.token);
        let answer = request.send().await.map_err(classify)?;
        let described = Described::new().text("name", answer.name()).text("arn", answer.arn());
        Ok(described.text("version_id", answer.version_id()).done())
    }
}
