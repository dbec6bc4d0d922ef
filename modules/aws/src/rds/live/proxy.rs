//! CreateDBProxy, DescribeDBProxies, DeleteDBProxy; RegisterDBProxyTargets and its like.

use aws_sdk_rds::types::{
    AuthScheme, ClientPasswordAuthType, DbProxy, DbProxyTarget, EngineFamily, IamAuthMode, Tag, UserAuthConfig,
};
use runbook_modules::error::{CallError, Class};
use serde_json::{Value, json};

use super::{deleting, none_if_missing, pairs, sorted, tags, tags_of};
use crate::{
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, field, texts},
        empty,
    },
    rds::{
        db_proxy::{Auth, Input},
        db_proxy_targets,
    },
};

pub(in crate::rds) struct Proxy;
pub(in crate::rds) struct Targets;
pub(in crate::rds) struct DescribeTargets;

fn described(proxy: &DbProxy, tags: &[Tag]) -> Value {
    Described::new()
        .text("id", proxy.db_proxy_name())
        .text("name", proxy.db_proxy_name())
        .text("arn", proxy.db_proxy_arn())
        .text("db_proxy_name", proxy.db_proxy_name())
        .text("status", proxy.status())
        .text("engine_family", proxy.engine_family())
        .text("vpc_id", proxy.vpc_id())
        .text("endpoint", proxy.endpoint())
        .text("role_arn", proxy.role_arn())
        .value("vpc_subnet_ids", Some(texts(proxy.vpc_subnet_ids())))
        .value("vpc_security_group_ids", Some(texts(proxy.vpc_security_group_ids())))
        .value("require_tls", proxy.require_tls())
        .value("idle_client_timeout", proxy.idle_client_timeout())
        .value("debug_logging", proxy.debug_logging())
        .tags(pairs(tags))
        .done()
}

fn auth(auth: Auth) -> UserAuthConfig {
    UserAuthConfig::builder()
        .set_auth_scheme(auth.auth_scheme.as_deref().map(AuthScheme::from))
        .set_secret_arn(auth.secret_arn)
        .set_iam_auth(auth.iam_auth.as_deref().map(IamAuthMode::from))
        .set_client_password_auth_type(auth.client_password_auth_type.as_deref().map(ClientPasswordAuthType::from))
        .set_description(auth.description)
        .build()
}

impl Driver for Proxy {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Input = sent.typed()?;
        let request = clients
            .rds
            .create_db_proxy()
            .db_proxy_name(input.db_proxy_name)
            .engine_family(EngineFamily::from(input.engine_family.as_str()))
            .set_auth(Some(input.auth.into_iter().map(auth).collect()))
            .role_arn(input.role_arn)
            .set_vpc_subnet_ids(Some(input.vpc_subnet_ids))
            .set_vpc_security_group_ids(input.vpc_security_group_ids)
            .set_require_tls(input.require_tls)
            .set_idle_client_timeout(input.idle_client_timeout)
            .set_debug_logging(input.debug_logging)
            .set_tags(tags(sent));
        let answer = request.send().await.map_err(classify).map_err(sorted)?;
        let tags = tags(sent).unwrap_or_default();
        answer.db_proxy().map(|proxy| described(proxy, &tags)).ok_or_else(|| empty("DB proxy"))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let request = clients.rds.describe_db_proxies().db_proxy_name(field(at, "db_proxy_name"));
        let answer = none_if_missing(request.send().await.map_err(classify).map_err(sorted))?;
        let Some(proxy) = answer.as_ref().and_then(|answer| answer.db_proxies().first()) else { return Ok(None) };
        let tags = tags_of(clients, proxy.db_proxy_arn()).await?;
        Ok(Some(described(proxy, &tags)))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        let found = self.read(clients, sent.input).await?;
        Ok(found.into_iter().filter(|found| field(found, "status") != "deleting").collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let request = clients.rds.delete_db_proxy().db_proxy_name(field(at, "db_proxy_name"));
        request.send().await.map_err(classify).map_err(deleting).map(|_| ())
    }
}

fn target(target: &DbProxyTarget) -> Value {
    let health = target.target_health().map(|health| {
        Described::new()
            .text("state", health.state())
            .text("reason", health.reason())
            .text("description", health.description())
            .done()
    });
    Described::new()
        .text("rds_resource_id", target.rds_resource_id())
        .text("type", target.r#type())
        .text("endpoint", target.endpoint())
        .value("target_health", health)
        .done()
}

async fn targets(clients: &Clients, proxy: &str) -> Result<Vec<Value>, CallError> {
    let pages = clients.rds.describe_db_proxy_targets().db_proxy_name(proxy).into_paginator();
    let all: Vec<DbProxyTarget> = pages.items().send().try_collect().await.map_err(classify).map_err(sorted)?;
    Ok(all.iter().map(target).collect())
}

/// The names of the input or locator.
fn names(at: &Value, of: &str) -> Vec<String> {
    let list = at.get(of).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The described targets that the input or locator names; of a cluster its instances are listed too.
fn own(at: &Value, all: Vec<Value>) -> Option<Value> {
    let wanted = [names(at, "db_instance_identifiers"), names(at, "db_cluster_identifiers")].concat();
    let own: Vec<Value> =
        all.into_iter().filter(|target| wanted.iter().any(|name| name == field(target, "rds_resource_id"))).collect();
    if own.is_empty() {
        return None;
    }
    // A cluster's own entry has no health.
    let states = own.iter().map(|target| field(&target["target_health"], "state"));
    let state = states.filter(|state| !state.is_empty()).find(|state| *state != "AVAILABLE").unwrap_or("AVAILABLE");
    let proxy = field(at, "db_proxy_name");
    let id = format!("{proxy}/{}", wanted.join(","));
    let mut found = json!({ "id": id, "db_proxy_name": proxy, "state": state, "targets": own });
    for list in ["db_instance_identifiers", "db_cluster_identifiers"] {
        if let Some(names) = at.get(list) {
            found[list] = names.clone();
        }
    }
    Some(found)
}

impl Driver for Targets {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: db_proxy_targets::Input = sent.typed()?;
        let request = clients
            .rds
            .register_db_proxy_targets()
            .db_proxy_name(input.db_proxy_name)
            .target_group_name(input.target_group_name)
            .set_db_instance_identifiers(Some(input.db_instance_identifiers).filter(|names| !names.is_empty()))
            .set_db_cluster_identifiers(Some(input.db_cluster_identifiers).filter(|names| !names.is_empty()));
        let answer = request.send().await.map_err(classify).map_err(sorted)?;
        let all = answer.db_proxy_targets().iter().map(target).collect();
        own(sent.input, all).ok_or_else(|| {
            CallError::new(Class::Unknown, "EmptyAnswer", "RDS answered without the targets that were registered")
        })
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let all = none_if_missing(targets(clients, field(at, "db_proxy_name")).await)?;
        Ok(all.and_then(|all| own(at, all)))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let group = Some(field(at, "target_group_name")).filter(|group| !group.is_empty());
        let request = clients.rds.deregister_db_proxy_targets().db_proxy_name(field(at, "db_proxy_name"));
        let request = request
            .target_group_name(group.unwrap_or("default"))
            .set_db_instance_identifiers(Some(names(at, "db_instance_identifiers")).filter(|names| !names.is_empty()))
            .set_db_cluster_identifiers(Some(names(at, "db_cluster_identifiers")).filter(|names| !names.is_empty()));
        request.send().await.map_err(classify).map_err(deleting).map(|_| ())
    }
}

impl Call for DescribeTargets {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let db_proxy_targets::Describe { db_proxy_name } = sent.typed()?;
        Ok(json!({ "targets": targets(clients, &db_proxy_name).await? }))
    }
}
