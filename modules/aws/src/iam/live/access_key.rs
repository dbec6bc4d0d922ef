//! CreateAccessKey, ListAccessKeys, DeleteAccessKey. Only the creation tells the secret.

use aws_sdk_iam::types::AccessKeyMetadata;
use runbook_modules::error::CallError;
use serde_json::Value;

use super::none_if_missing;
use crate::{
    iam::access_key::Input,
    live::{
        Clients, Driver, Sent, classify,
        convert::{Described, field},
    },
};

pub(in crate::iam) struct AccessKey;

fn described(key: &AccessKeyMetadata) -> Value {
    Described::new()
        .text("id", key.access_key_id())
        .text("access_key_id", key.access_key_id())
        .text("user_name", key.user_name())
        .text("status", key.status().map(|status| status.as_str()))
        .time("create_date", key.create_date())
        .done()
}

async fn of_user(clients: &Clients, user: &str) -> Result<Vec<Value>, CallError> {
    let listed = clients.iam.list_access_keys().user_name(user).into_paginator().items().send();
    let found = none_if_missing(listed.try_collect().await.map_err(classify))?;
    Ok(found.unwrap_or_default().iter().map(described).collect())
}

impl Driver for AccessKey {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Input = sent.typed()?;
        let answer = clients.iam.create_access_key().user_name(input.user_name).send().await.map_err(classify)?;
        let Some(key) = answer.access_key() else { return Ok(Value::Null) };
        let made = Described::new()
            .text("id", Some(key.access_key_id()))
            .text("access_key_id", Some(key.access_key_id()))
            .text("user_name", Some(key.user_name()))
            .text("status", Some(key.status().as_str()))
            .time("create_date", key.create_date())
            .text("secret_access_key", Some(key.secret_access_key()));
        Ok(made.done())
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let keys = of_user(clients, field(at, "user_name")).await?;
        Ok(keys.into_iter().find(|key| key["access_key_id"] == at["access_key_id"]))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        of_user(clients, field(sent.input, "user_name")).await
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let request = clients.iam.delete_access_key().user_name(field(at, "user_name"));
        request.access_key_id(field(at, "access_key_id")).send().await.map_err(classify).map(|_| ())
    }
}
