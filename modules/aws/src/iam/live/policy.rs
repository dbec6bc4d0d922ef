//! CreatePolicy, GetPolicy, DeletePolicy.

use aws_sdk_iam::types::PolicyScopeType;
use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::{none_if_missing, pairs, tags};
use crate::{
    iam::{document::normal, policy},
    live::{
        Clients, Driver, Sent, classify,
        convert::{Described, field},
        empty,
    },
};

pub(in crate::iam) struct Policy;

fn described_policy(policy: &aws_sdk_iam::types::Policy) -> Value {
    Described::new()
        .text("id", policy.arn())
        .text("arn", policy.arn())
        .text("name", policy.policy_name())
        .text("policy_name", policy.policy_name())
        .text("policy_id", policy.policy_id())
        .text("path", policy.path())
        .text("description", policy.description())
        .text("default_version_id", policy.default_version_id())
        .tags(pairs(policy.tags()))
        .done()
}

impl Driver for Policy {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: policy::Input = sent.typed()?;
        let request = clients
            .iam
            .create_policy()
            .policy_name(input.policy_name)
            .policy_document(input.policy_document.text())
            .set_path(input.path)
            .set_description(input.description)
            .set_tags(Some(tags(sent)?));
        let answer = request.send().await.map_err(classify)?;
        answer.policy().map(described_policy).ok_or_else(|| empty("policy"))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let arn = field(at, "arn");
        let answer = clients.iam.get_policy().policy_arn(arn).send().await.map_err(classify);
        let Some(answer) = none_if_missing(answer)? else { return Ok(None) };
        let Some(found) = answer.policy() else { return Ok(None) };
        let mut described = described_policy(found);
        let version = found.default_version_id().unwrap_or_default();
        let answer = clients.iam.get_policy_version().policy_arn(arn).version_id(version).send().await;
        let version = answer.map_err(classify)?;
        if let Some(document) = version.policy_version().and_then(|version| version.document()) {
            described["policy_document"] = normal(&Value::from(document));
        }
        Ok(Some(described))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        let pages = clients.iam.list_policies().scope(PolicyScopeType::Local).into_paginator().items().send();
        let all: Vec<aws_sdk_iam::types::Policy> = pages.try_collect().await.map_err(classify)?;
        let named = all.iter().find(|policy| policy.policy_name() == Some(field(sent.input, "policy_name")));
        let Some(arn) = named.and_then(|policy| policy.arn()) else { return Ok(Vec::new()) };
        Ok(self.read(clients, &json!({ "arn": arn })).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        clients.iam.delete_policy().policy_arn(field(at, "arn")).send().await.map_err(classify).map(|_| ())
    }
}
