//! CreateRole, GetRole, DeleteRole.

use runbook_modules::error::CallError;
use serde_json::Value;

use super::{none_if_missing, pairs, role_policy::list_attached, tags};
use crate::{
    iam::{document::normal, role},
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, field},
        empty,
    },
};

pub(in crate::iam) struct Role;
pub(in crate::iam) struct GetRole;

fn described_role(role: &aws_sdk_iam::types::Role) -> Value {
    let document = role.assume_role_policy_document().map(|text| normal(&Value::from(text)));
    let boundary = role.permissions_boundary().and_then(|boundary| boundary.permissions_boundary_arn());
    Described::new()
        .text("id", Some(role.role_name()))
        .text("name", Some(role.role_name()))
        .text("role_name", Some(role.role_name()))
        .text("arn", Some(role.arn()))
        .text("role_id", Some(role.role_id()))
        .text("path", Some(role.path()))
        .text("description", role.description())
        .value("max_session_duration", role.max_session_duration())
        .text("permissions_boundary", boundary)
        .value("assume_role_policy_document", document)
        .tags(pairs(role.tags()))
        .done()
}

async fn get_role(clients: &Clients, name: &str) -> Result<Value, CallError> {
    let answer = clients.iam.get_role().role_name(name).send().await.map_err(classify)?;
    answer.role().map(described_role).ok_or_else(|| empty("role"))
}

impl Driver for Role {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: role::Input = sent.typed()?;
        let request = clients
            .iam
            .create_role()
            .role_name(input.role_name)
            .assume_role_policy_document(input.assume_role_policy_document.text())
            .set_path(input.path)
            .set_description(input.description)
            .set_max_session_duration(input.max_session_duration)
            .set_permissions_boundary(input.permissions_boundary)
            .set_tags(Some(tags(sent)?));
        let answer = request.send().await.map_err(classify)?;
        answer.role().map(described_role).ok_or_else(|| empty("role"))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        none_if_missing(get_role(clients, field(at, "role_name")).await)
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        clients.iam.delete_role().role_name(field(at, "role_name")).send().await.map_err(classify).map(|_| ())
    }

    async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
        let name = field(at, "role_name");
        let attached = list_attached(clients, name).await.unwrap_or_default();
        let written = clients.iam.list_role_policies().role_name(name).into_paginator().items().send();
        let written: Vec<String> = written.try_collect().await.unwrap_or_default();
        let attached = attached.iter().map(|policy| format!("attached policy {}", field(policy, "policy_arn")));
        attached.chain(written.iter().map(|name| format!("written policy {name}"))).collect()
    }
}

impl Call for GetRole {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        get_role(clients, field(sent.input, "role_name")).await
    }
}
