//! RegisterInstance, GetInstance, ListInstances, DiscoverInstances, DeregisterInstance.

use aws_sdk_servicediscovery::{
    operation::list_instances::ListInstancesOutput,
    types::{HealthStatus, HealthStatusFilter, HttpInstanceSummary, InstanceSummary, OperationTargetType},
};
use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::{none_if_missing, standing};
use crate::{
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, field, hash_map},
    },
    servicediscovery::instance::{Discover, Input},
};

pub(in crate::servicediscovery) struct Instance;
pub(in crate::servicediscovery) struct ListInstances;
pub(in crate::servicediscovery) struct DiscoverInstances;
pub(in crate::servicediscovery) struct DeregisterInstance;

fn described(service: &str, instance: &str, attributes: Value) -> Described {
    Described::new()
        .text("id", Some(&format!("{service}/{instance}")))
        .text("service_id", Some(service))
        .text("instance_id", Some(instance))
        .value("attributes", Some(attributes))
}

async fn register(clients: &Clients, input: Input, token: &str) -> Result<Value, CallError> {
    let request = clients
        .servicediscovery
        .register_instance()
        .service_id(&input.service_id)
        .instance_id(&input.instance_id)
        .set_attributes(Some(hash_map(&input.attributes)));
    let request = if token.is_empty() { request } else { request.creator_request_id(token) };
    let answer = request.send().await.map_err(classify)?;
    let described = described(&input.service_id, &input.instance_id, json!(input.attributes));
    Ok(described.text("operation_id", answer.operation_id()).text("operation_status", Some("SUBMITTED")).done())
}

async fn get(clients: &Clients, service: &str, instance: &str) -> Result<Option<Value>, CallError> {
    let request = clients.servicediscovery.get_instance().service_id(service).instance_id(instance);
    let found = none_if_missing(request.send().await.map_err(classify))?.and_then(|answer| answer.instance);
    Ok(found.map(|found| described(service, instance, json!(found.attributes())).done()))
}

async fn deregister(clients: &Clients, at: &Value) -> Result<Option<String>, CallError> {
    let request = clients.servicediscovery.deregister_instance().service_id(field(at, "service_id"));
    let answer = request.instance_id(field(at, "instance_id")).send().await.map_err(classify)?;
    Ok(answer.operation_id)
}

impl Driver for Instance {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        register(clients, sent.typed()?, sent.token).await
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let (service, instance, operation) =
            (field(at, "service_id"), field(at, "instance_id"), field(at, "operation_id"));
        let going = standing(clients, operation, OperationTargetType::Instance).await?;
        if let Some(going) = going.filter(|going| going.status != "SUCCESS") {
            return Ok(Some(going.on(described(service, instance, json!({}))).done()));
        }
        let found = get(clients, service, instance).await?;
        Ok(found.map(|mut found| {
            found["operation_status"] = Value::from("SUCCESS");
            found
        }))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        let found = get(clients, field(sent.input, "service_id"), field(sent.input, "instance_id")).await?;
        Ok(found.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, put_back: Option<&Value>) -> Result<(), CallError> {
        let Some(before) = put_back else { return deregister(clients, at).await.map(|_| ()) };
        let attributes = before.get("attributes").cloned().unwrap_or_else(|| json!({}));
        let input =
            json!({ "service_id": at["service_id"], "instance_id": at["instance_id"], "attributes": attributes });
        let tags = std::collections::BTreeMap::new();
        let input = Sent { input: &input, token: "", tags: &tags }.typed()?;
        register(clients, input, "").await.map(|_| ())
    }
}

impl Call for ListInstances {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let request = clients.servicediscovery.list_instances().service_id(field(sent.input, "service_id"));
        let pages: Vec<ListInstancesOutput> = request.into_paginator().send().try_collect().await.map_err(classify)?;
        let summary = |one: &InstanceSummary| json!({ "id": one.id(), "attributes": one.attributes() });
        let found = pages.iter().flat_map(|page| page.instances()).map(summary);
        Ok(json!({ "instances": found.collect::<Value>() }))
    }
}

impl Call for DiscoverInstances {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Discover = sent.typed()?;
        let request = clients
            .servicediscovery
            .discover_instances()
            .namespace_name(input.namespace_name)
            .service_name(input.service_name)
            .set_query_parameters(input.query_parameters.as_ref().map(hash_map))
            .set_health_status(input.health_status.map(|status| HealthStatusFilter::from(status.as_str())))
            .set_max_results(input.max_results);
        let answer = request.send().await.map_err(classify)?;
        let described = |one: &HttpInstanceSummary| {
            Described::new()
                .text("instance_id", one.instance_id())
                .text("namespace_name", one.namespace_name())
                .text("service_name", one.service_name())
                .text("health_status", one.health_status().map(HealthStatus::as_str))
                .value("attributes", Some(json!(one.attributes())))
                .done()
        };
        Ok(Described::new().list("instances", answer.instances(), described).done())
    }
}

impl Call for DeregisterInstance {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        Ok(json!({ "operation_id": deregister(clients, sent.input).await? }))
    }
}
