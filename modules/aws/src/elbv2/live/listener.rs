//! CreateListener, DescribeListeners, DeleteListener.

use aws_sdk_elasticloadbalancingv2::types::{
    self, ActionTypeEnum, Certificate, Listener as Found, ProtocolEnum, RedirectActionConfig,
    RedirectActionStatusCodeEnum,
};
use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::{or_none, tags, with_tags};
use crate::{
    elbv2::listener::{Action, Input, Redirect},
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, field},
        empty,
    },
};

pub(in crate::elbv2) struct Listener;
pub(in crate::elbv2) struct DescribeListeners;

fn described(found: &Found) -> Value {
    Described::new()
        .text("id", found.listener_arn())
        .text("arn", found.listener_arn())
        .text("listener_arn", found.listener_arn())
        .text("load_balancer_arn", found.load_balancer_arn())
        .value("port", found.port())
        .text("protocol", found.protocol().map(|protocol| protocol.as_str()))
        .text("ssl_policy", found.ssl_policy())
        .list("certificates", found.certificates(), |one| {
            Described::new().text("certificate_arn", one.certificate_arn()).done()
        })
        .list("default_actions", found.default_actions(), |action| {
            let redirect = action.redirect_config().map(|redirect| {
                Described::new()
                    .text("status_code", redirect.status_code().map(|code| code.as_str()))
                    .text("protocol", redirect.protocol())
                    .text("port", redirect.port())
                    .text("host", redirect.host())
                    .done()
            });
            Described::new()
                .text("type", action.r#type().map(|kind| kind.as_str()))
                .text("target_group_arn", action.target_group_arn())
                .value("redirect_config", redirect)
                .done()
        })
        .done()
}

fn redirect(asked: Redirect) -> RedirectActionConfig {
    RedirectActionConfig::builder()
        .status_code(RedirectActionStatusCodeEnum::from(asked.status_code.as_str()))
        .set_protocol(asked.protocol)
        .set_port(asked.port)
        .set_host(asked.host)
        .build()
}

fn action(asked: Action) -> types::Action {
    types::Action::builder()
        .r#type(ActionTypeEnum::from(asked.kind.as_str()))
        .set_target_group_arn(asked.target_group_arn)
        .set_redirect_config(asked.redirect_config.map(redirect))
        .build()
}

async fn of(clients: &Clients, balancer: &str) -> Result<Vec<Value>, CallError> {
    let call = clients.elbv2.describe_listeners().load_balancer_arn(balancer);
    let found = call.into_paginator().items().send().try_collect().await.map_err(classify)?;
    with_tags(clients, found.iter().map(described).collect()).await
}

impl Driver for Listener {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Input = sent.typed()?;
        let actions = input.default_actions.into_iter().map(action).collect();
        let certificate = |one: crate::elbv2::listener::Certificate| {
            Certificate::builder().certificate_arn(one.certificate_arn).build()
        };
        let certificates = input.certificates.map(|list| list.into_iter().map(certificate).collect());
        let call = clients
            .elbv2
            .create_listener()
            .load_balancer_arn(input.load_balancer_arn)
            .port(input.port)
            .protocol(ProtocolEnum::from(input.protocol.as_str()))
            .set_ssl_policy(input.ssl_policy)
            .set_certificates(certificates)
            .set_default_actions(Some(actions))
            .set_tags(Some(tags(sent)));
        let answer = call.send().await.map_err(classify)?;
        let mut made = answer.listeners().first().map(described).ok_or_else(|| empty("listener"))?;
        made["tags"] = json!(sent.tags);
        Ok(made)
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let call = clients.elbv2.describe_listeners().listener_arns(field(at, "listener_arn"));
        let found =
            call.send().await.map_err(classify).map(|answer| answer.listeners().iter().map(described).collect());
        let found = with_tags(clients, or_none(found)?).await?;
        Ok(found.into_iter().next())
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        let mut found = or_none(of(clients, field(sent.input, "load_balancer_arn")).await)?;
        found.retain(|one| one.get("port") == sent.input.get("port"));
        Ok(found)
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let call = clients.elbv2.delete_listener().listener_arn(field(at, "listener_arn"));
        call.send().await.map_err(classify).map(|_| ())
    }
}

impl Call for DescribeListeners {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        Ok(json!({ "listeners": of(clients, field(sent.input, "load_balancer_arn")).await? }))
    }
}
