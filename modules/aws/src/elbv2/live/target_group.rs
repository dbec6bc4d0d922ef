//! CreateTargetGroup, DescribeTargetGroups, DescribeTargetHealth, DeleteTargetGroup.

use aws_sdk_elasticloadbalancingv2::types::{ProtocolEnum, TargetGroup as Found, TargetTypeEnum};
use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::{or_none, tags, with_tags};
use crate::{
    elbv2::target_group::{Describe, Input},
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, field, texts},
        empty,
    },
};

pub(in crate::elbv2) struct TargetGroup;
pub(in crate::elbv2) struct DescribeTargetGroups;
pub(in crate::elbv2) struct DescribeTargetHealth;
pub(in crate::elbv2) struct DeleteTargetGroup;

fn described(found: &Found) -> Value {
    Described::new()
        .text("id", found.target_group_arn())
        .text("arn", found.target_group_arn())
        .text("target_group_arn", found.target_group_arn())
        .text("target_group_name", found.target_group_name())
        .text("name", found.target_group_name())
        .text("protocol", found.protocol().map(|protocol| protocol.as_str()))
        .value("port", found.port())
        .text("vpc_id", found.vpc_id())
        .text("target_type", found.target_type().map(|kind| kind.as_str()))
        .text("health_check_protocol", found.health_check_protocol().map(|protocol| protocol.as_str()))
        .text("health_check_path", found.health_check_path())
        .text("health_check_port", found.health_check_port())
        .value("load_balancer_arns", Some(texts(found.load_balancer_arns())))
        .done()
}

async fn list(clients: &Clients, asked: &Describe) -> Result<Vec<Value>, CallError> {
    let call = clients
        .elbv2
        .describe_target_groups()
        .set_load_balancer_arn(asked.load_balancer_arn.clone())
        .set_target_group_arns(asked.target_group_arns.clone())
        .set_names(asked.names.clone());
    let found = call.into_paginator().items().send().try_collect().await.map_err(classify)?;
    let mut found = with_tags(clients, found.iter().map(described).collect()).await?;
    found.retain(|one| asked.keeps(one));
    Ok(found)
}

impl Driver for TargetGroup {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Input = sent.typed()?;
        let call = clients
            .elbv2
            .create_target_group()
            .name(input.name)
            .protocol(ProtocolEnum::from(input.protocol.as_str()))
            .port(input.port)
            .vpc_id(input.vpc_id)
            .set_target_type(input.target_type.as_deref().map(TargetTypeEnum::from))
            .set_health_check_protocol(input.health_check_protocol.as_deref().map(ProtocolEnum::from))
            .set_health_check_path(input.health_check_path)
            .set_health_check_port(input.health_check_port)
            .set_tags(Some(tags(sent)));
        let answer = call.send().await.map_err(classify)?;
        let mut made = answer.target_groups().first().map(described).ok_or_else(|| empty("target group"))?;
        made["tags"] = json!(sent.tags);
        Ok(made)
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let arns = vec![field(at, "target_group_arn").to_owned()];
        let asked = Describe { target_group_arns: Some(arns), ..Describe::default() };
        Ok(or_none(list(clients, &asked).await)?.into_iter().next())
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        let names = vec![field(sent.input, "name").to_owned()];
        or_none(list(clients, &Describe { names: Some(names), ..Describe::default() }).await)
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        delete(clients, field(at, "target_group_arn")).await
    }
}

async fn delete(clients: &Clients, arn: &str) -> Result<(), CallError> {
    clients.elbv2.delete_target_group().target_group_arn(arn).send().await.map_err(classify).map(|_| ())
}

impl Call for DescribeTargetGroups {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        Ok(json!({ "target_groups": list(clients, &sent.typed()?).await? }))
    }
}

impl Call for DeleteTargetGroup {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        delete(clients, field(sent.input, "target_group_arn")).await?;
        Ok(json!({}))
    }
}

impl Call for DescribeTargetHealth {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let call = clients.elbv2.describe_target_health().target_group_arn(field(sent.input, "target_group_arn"));
        let answer = call.send().await.map_err(classify)?;
        let shown = Described::new().list("target_health_descriptions", answer.target_health_descriptions(), |one| {
            let target =
                one.target().map(|target| Described::new().text("id", target.id()).value("port", target.port()).done());
            let health = one.target_health().map(|health| {
                Described::new()
                    .text("state", health.state().map(|state| state.as_str()))
                    .text("reason", health.reason().map(|reason| reason.as_str()))
                    .text("description", health.description())
                    .done()
            });
            Described::new().value("target", target).value("target_health", health).done()
        });
        Ok(shown.done())
    }
}
