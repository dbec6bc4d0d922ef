//! CreateLoadBalancer, DescribeLoadBalancers, DeleteLoadBalancer.

use aws_sdk_elasticloadbalancingv2::types::{
    IpAddressType, LoadBalancer as Found, LoadBalancerSchemeEnum, LoadBalancerTypeEnum,
};
use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::{or_none, tags, with_tags};
use crate::{
    elbv2::{
        load_balancer::{Describe, Input},
        wait::{Which, answer},
    },
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, field, texts},
        empty,
    },
};

pub(in crate::elbv2) struct LoadBalancer;
pub(in crate::elbv2) struct DescribeLoadBalancers;
pub(in crate::elbv2) struct DeleteLoadBalancer;
pub(in crate::elbv2) struct Wait {
    pub(in crate::elbv2) gone: bool,
}

fn described(found: &Found) -> Value {
    let state = found.state().map(|state| {
        let code = state.code().map(|code| code.as_str());
        Described::new().text("code", code).text("reason", state.reason()).done()
    });
    Described::new()
        .text("id", found.load_balancer_arn())
        .text("arn", found.load_balancer_arn())
        .text("load_balancer_arn", found.load_balancer_arn())
        .text("load_balancer_name", found.load_balancer_name())
        .text("name", found.load_balancer_name())
        .text("dns_name", found.dns_name())
        .text("canonical_hosted_zone_id", found.canonical_hosted_zone_id())
        .time("created_time", found.created_time())
        .text("scheme", found.scheme().map(|scheme| scheme.as_str()))
        .text("vpc_id", found.vpc_id())
        .text("type", found.r#type().map(|kind| kind.as_str()))
        .text("ip_address_type", found.ip_address_type().map(|kind| kind.as_str()))
        .value("security_groups", Some(texts(found.security_groups())))
        .value("state", state)
        .list("availability_zones", found.availability_zones(), |zone| {
            Described::new().text("zone_name", zone.zone_name()).text("subnet_id", zone.subnet_id()).done()
        })
        .done()
}

async fn list(clients: &Clients, asked: &Describe) -> Result<Vec<Value>, CallError> {
    let call = clients
        .elbv2
        .describe_load_balancers()
        .set_load_balancer_arns(asked.load_balancer_arns.clone())
        .set_names(asked.names.clone());
    let found = call.into_paginator().items().send().try_collect().await.map_err(classify)?;
    let here: Vec<Value> = found
        .iter()
        .map(described)
        .filter(|one| asked.vpc_id.as_deref().is_none_or(|vpc| field(one, "vpc_id") == vpc))
        .collect();
    let mut found = with_tags(clients, here).await?;
    found.retain(|one| asked.keeps(one));
    Ok(found)
}

impl Driver for LoadBalancer {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Input = sent.typed()?;
        let call = clients
            .elbv2
            .create_load_balancer()
            .name(input.name)
            .set_subnets(Some(input.subnets))
            .set_security_groups(input.security_groups)
            .set_scheme(input.scheme.as_deref().map(LoadBalancerSchemeEnum::from))
            .set_type(input.kind.as_deref().map(LoadBalancerTypeEnum::from))
            .set_ip_address_type(input.ip_address_type.as_deref().map(IpAddressType::from))
            .set_tags(Some(tags(sent)));
        let answer = call.send().await.map_err(classify)?;
        let mut made = answer.load_balancers().first().map(described).ok_or_else(|| empty("load balancer"))?;
        made["tags"] = json!(sent.tags);
        Ok(made)
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let arns = vec![field(at, "load_balancer_arn").to_owned()];
        let asked = Describe { load_balancer_arns: Some(arns), ..Describe::default() };
        Ok(or_none(list(clients, &asked).await)?.into_iter().next())
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        let names = vec![field(sent.input, "name").to_owned()];
        or_none(list(clients, &Describe { names: Some(names), ..Describe::default() }).await)
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        delete(clients, field(at, "load_balancer_arn")).await
    }
}

async fn delete(clients: &Clients, arn: &str) -> Result<(), CallError> {
    clients.elbv2.delete_load_balancer().load_balancer_arn(arn).send().await.map_err(classify).map(|_| ())
}

impl Call for DescribeLoadBalancers {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        Ok(json!({ "load_balancers": list(clients, &sent.typed()?).await? }))
    }
}

impl Call for DeleteLoadBalancer {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        delete(clients, field(sent.input, "load_balancer_arn")).await?;
        Ok(json!({}))
    }
}

impl Call for Wait {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let which: Which = sent.typed()?;
        let mut found = list(clients, &which.describe()).await?;
        found.retain(|one| which.means(one));
        Ok(answer(&found, self.gone))
    }
}
