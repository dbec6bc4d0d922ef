//! The policies of a role: AttachRolePolicy, DetachRolePolicy, PutRolePolicy, DeleteRolePolicy and their reads.

use std::collections::BTreeMap;

use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::none_if_missing;
use crate::{
    iam::{document::normal, role_policy, role_policy_attachment},
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, field},
    },
};

pub(in crate::iam) struct Attachment;
pub(in crate::iam) struct ListAttached;
pub(in crate::iam) struct RolePolicy;

pub(super) async fn list_attached(clients: &Clients, role: &str) -> Result<Vec<Value>, CallError> {
    let pages = clients.iam.list_attached_role_policies().role_name(role).into_paginator().items().send();
    let all: Vec<aws_sdk_iam::types::AttachedPolicy> = pages.try_collect().await.map_err(classify)?;
    Ok(all.iter().map(|p| json!({ "policy_name": p.policy_name(), "policy_arn": p.policy_arn() })).collect())
}

fn attachment(role: &str, arn: &str) -> Value {
    json!({ "id": format!("{role}/{arn}"), "role_name": role, "policy_arn": arn })
}

impl Driver for Attachment {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let role_policy_attachment::Input { role_name, policy_arn } = sent.typed()?;
        let request = clients.iam.attach_role_policy().role_name(&role_name).policy_arn(&policy_arn);
        request.send().await.map_err(classify)?;
        Ok(attachment(&role_name, &policy_arn))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let (role, arn) = (field(at, "role_name"), field(at, "policy_arn"));
        let attached = none_if_missing(list_attached(clients, role).await)?.unwrap_or_default();
        let stands = attached.iter().any(|policy| field(policy, "policy_arn") == arn);
        Ok(stands.then(|| attachment(role, arn)))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, put_back: Option<&Value>) -> Result<(), CallError> {
        if put_back.is_some() {
            return Ok(());
        }
        let request = clients.iam.detach_role_policy().role_name(field(at, "role_name"));
        request.policy_arn(field(at, "policy_arn")).send().await.map_err(classify).map(|_| ())
    }
}

async fn put_role_policy(clients: &Clients, policy: role_policy::Input) -> Result<Value, CallError> {
    let document = policy.policy_document.text();
    let id = format!("{}/{}", policy.role_name, policy.policy_name);
    let described = Described::new()
        .text("id", Some(&id))
        .text("role_name", Some(&policy.role_name))
        .text("policy_name", Some(&policy.policy_name))
        .value("policy_document", Some(normal(&Value::from(document.as_str()))));
    let request = clients.iam.put_role_policy().role_name(policy.role_name).policy_name(policy.policy_name);
    request.policy_document(document).send().await.map_err(classify)?;
    Ok(described.done())
}

impl Driver for RolePolicy {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        put_role_policy(clients, sent.typed()?).await
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let (role, name) = (field(at, "role_name"), field(at, "policy_name"));
        let request = clients.iam.get_role_policy().role_name(role).policy_name(name);
        let Some(found) = none_if_missing(request.send().await.map_err(classify))? else { return Ok(None) };
        let document = normal(&Value::from(found.policy_document()));
        let id = format!("{role}/{name}");
        Ok(Some(json!({ "id": id, "role_name": role, "policy_name": name, "policy_document": document })))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, put_back: Option<&Value>) -> Result<(), CallError> {
        let (role, name) = (field(at, "role_name"), field(at, "policy_name"));
        if let Some(document) = put_back.and_then(|before| before.get("policy_document")) {
            let before = json!({ "role_name": role, "policy_name": name, "policy_document": document });
            let tags = BTreeMap::new();
            let before = Sent { input: &before, token: "", tags: &tags }.typed()?;
            return put_role_policy(clients, before).await.map(|_| ());
        }
        let request = clients.iam.delete_role_policy().role_name(role).policy_name(name);
        request.send().await.map_err(classify).map(|_| ())
    }
}

impl Call for ListAttached {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        Ok(json!({ "attached_policies": list_attached(clients, field(sent.input, "role_name")).await? }))
    }
}
