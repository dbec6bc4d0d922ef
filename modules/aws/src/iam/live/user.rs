//! CreateUser, GetUser, DeleteUser; PutUserPolicy, GetUserPolicy, DeleteUserPolicy.

use std::collections::BTreeMap;

use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::{none_if_missing, pairs, tags};
use crate::{
    iam::{document::normal, user, user_policy},
    live::{
        Clients, Driver, Sent, classify,
        convert::{Described, field},
        empty,
    },
};

pub(in crate::iam) struct User;
pub(in crate::iam) struct UserPolicy;

fn described(user: &aws_sdk_iam::types::User) -> Value {
    let boundary = user.permissions_boundary().and_then(|boundary| boundary.permissions_boundary_arn());
    Described::new()
        .text("id", Some(user.user_name()))
        .text("name", Some(user.user_name()))
        .text("user_name", Some(user.user_name()))
        .text("arn", Some(user.arn()))
        .text("user_id", Some(user.user_id()))
        .text("path", Some(user.path()))
        .text("permissions_boundary", boundary)
        .tags(pairs(user.tags()))
        .done()
}

impl Driver for User {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: user::Input = sent.typed()?;
        let request = clients
            .iam
            .create_user()
            .user_name(input.user_name)
            .set_path(input.path)
            .set_permissions_boundary(input.permissions_boundary)
            .set_tags(Some(tags(sent)?));
        let answer = request.send().await.map_err(classify)?;
        answer.user().map(described).ok_or_else(|| empty("user"))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let found = clients.iam.get_user().user_name(field(at, "user_name")).send().await.map_err(classify);
        Ok(none_if_missing(found)?.and_then(|found| found.user().map(described)))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        clients.iam.delete_user().user_name(field(at, "user_name")).send().await.map_err(classify).map(|_| ())
    }

    async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
        let name = field(at, "user_name");
        let keys = clients.iam.list_access_keys().user_name(name).into_paginator().items().send();
        let keys = keys.try_collect().await.unwrap_or_default();
        let written = clients.iam.list_user_policies().user_name(name).into_paginator().items().send();
        let written: Vec<String> = written.try_collect().await.unwrap_or_default();
        let keys = keys.iter().map(|key| format!("access key {}", key.access_key_id().unwrap_or_default()));
        keys.chain(written.iter().map(|name| format!("written policy {name}"))).collect()
    }
}

async fn put(clients: &Clients, policy: user_policy::Input) -> Result<Value, CallError> {
    let document = policy.policy_document.text();
    let id = format!("{}/{}", policy.user_name, policy.policy_name);
    let described = Described::new()
        .text("id", Some(&id))
        .text("user_name", Some(&policy.user_name))
        .text("policy_name", Some(&policy.policy_name))
        .value("policy_document", Some(normal(&Value::from(document.as_str()))));
    let request = clients.iam.put_user_policy().user_name(policy.user_name).policy_name(policy.policy_name);
    request.policy_document(document).send().await.map_err(classify)?;
    Ok(described.done())
}

impl Driver for UserPolicy {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        put(clients, sent.typed()?).await
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let (user, name) = (field(at, "user_name"), field(at, "policy_name"));
        let request = clients.iam.get_user_policy().user_name(user).policy_name(name);
        let Some(found) = none_if_missing(request.send().await.map_err(classify))? else { return Ok(None) };
        let document = normal(&Value::from(found.policy_document()));
        let id = format!("{user}/{name}");
        Ok(Some(json!({ "id": id, "user_name": user, "policy_name": name, "policy_document": document })))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, put_back: Option<&Value>) -> Result<(), CallError> {
        let (user, name) = (field(at, "user_name"), field(at, "policy_name"));
        if let Some(document) = put_back.and_then(|before| before.get("policy_document")) {
            let before = json!({ "user_name": user, "policy_name": name, "policy_document": document });
            let tags = BTreeMap::new();
            let before = Sent { input: &before, token: "", tags: &tags }.typed()?;
            return put(clients, before).await.map(|_| ());
        }
        let request = clients.iam.delete_user_policy().user_name(user).policy_name(name);
        request.send().await.map_err(classify).map(|_| ())
    }
}
