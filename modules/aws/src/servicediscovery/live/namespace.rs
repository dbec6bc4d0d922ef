//! CreateHttpNamespace, CreatePrivateDnsNamespace, GetNamespace, ListNamespaces, DeleteNamespace.

use aws_sdk_servicediscovery::{
    operation::list_namespaces::ListNamespacesOutput,
    types::{
        self, NamespaceType, OperationTargetType, PrivateDnsNamespaceProperties, PrivateDnsPropertiesMutable, Soa,
    },
};
use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::{none_if_missing, own, pairs, standing, tags, tags_of};
use crate::{
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, built, field},
        empty,
    },
    servicediscovery::namespace::{Http, PrivateDns},
};

pub(in crate::servicediscovery) struct HttpNamespace;
pub(in crate::servicediscovery) struct PrivateDnsNamespace;
pub(in crate::servicediscovery) struct ListNamespaces;
pub(in crate::servicediscovery) struct DeleteNamespace;

/// What a creation answers: the operation, and what will stand when it is done.
fn accepted(sent: &Sent<'_>, kind: &str, operation: Option<&str>) -> Value {
    Described::new()
        .text("name", Some(field(sent.input, "name")))
        .text("type", Some(kind))
        .text("creator_request_id", Some(sent.token))
        .text("operation_id", operation)
        .text("operation_status", Some("SUBMITTED"))
        .tags(own(sent))
        .done()
}

fn properties(found: &types::NamespaceProperties) -> Value {
    let dns = found.dns_properties().map(|dns| {
        let soa = dns.soa().map(|soa| json!({ "ttl": soa.ttl() }));
        Described::new().text("hosted_zone_id", dns.hosted_zone_id()).value("soa", soa).done()
    });
    let http = found.http_properties().map(|http| json!({ "http_name": http.http_name() }));
    Described::new().value("dns_properties", dns).value("http_properties", http).done()
}

async fn get(clients: &Clients, id: &str, operation: &str) -> Result<Option<Value>, CallError> {
    let answer = clients.servicediscovery.get_namespace().id(id).send().await.map_err(classify);
    let Some(answer) = none_if_missing(answer)? else { return Ok(None) };
    let found = answer.namespace.ok_or_else(|| empty("namespace"))?;
    let tags = tags_of(clients, found.arn().unwrap_or_default()).await?;
    let described = Described::new()
        .text("id", found.id())
        .text("arn", found.arn())
        .text("name", found.name())
        .text("type", found.r#type().map(NamespaceType::as_str))
        .text("description", found.description())
        .text("creator_request_id", found.creator_request_id())
        .value("properties", found.properties().map(properties))
        .text("operation_id", (!operation.is_empty()).then_some(operation))
        .text("operation_status", Some("SUCCESS"));
    Ok(Some(described.tags(pairs(&tags)).done()))
}

/// A namespace by its id, else by the operation that makes it, else by name and type.
async fn read(clients: &Clients, at: &Value, kind: &NamespaceType) -> Result<Option<Value>, CallError> {
    let (id, operation) = (field(at, "id"), field(at, "operation_id"));
    if !id.is_empty() {
        return get(clients, id, operation).await;
    }
    match standing(clients, operation, OperationTargetType::Namespace).await? {
        Some(done) if done.status == "SUCCESS" => match &done.target {
            Some(id) => get(clients, id, operation).await,
            None => by_name(clients, field(at, "name"), kind).await,
        },
        Some(going) => {
            let described =
                Described::new().text("name", Some(field(at, "name"))).text("operation_id", Some(operation));
            Ok(Some(going.on(described.text("type", Some(kind.as_str()))).tags([]).done()))
        }
        None => by_name(clients, field(at, "name"), kind).await,
    }
}

async fn summaries(clients: &Clients) -> Result<Vec<types::NamespaceSummary>, CallError> {
    let pages = clients.servicediscovery.list_namespaces().into_paginator().send();
    let pages: Vec<ListNamespacesOutput> = pages.try_collect().await.map_err(classify)?;
    Ok(pages.into_iter().flat_map(|page| page.namespaces.unwrap_or_default()).collect())
}

async fn by_name(clients: &Clients, name: &str, kind: &NamespaceType) -> Result<Option<Value>, CallError> {
    let all = summaries(clients).await?;
    let found = all.iter().find(|one| one.name() == Some(name) && one.r#type() == Some(kind));
    match found.and_then(|one| one.id()) {
        Some(id) => get(clients, id, "").await,
        None => Ok(None),
    }
}

async fn delete(clients: &Clients, id: &str) -> Result<Option<String>, CallError> {
    let answer = clients.servicediscovery.delete_namespace().id(id).send().await.map_err(classify)?;
    Ok(answer.operation_id)
}

async fn delete_at(clients: &Clients, at: &Value, kind: &NamespaceType) -> Result<(), CallError> {
    let id = match field(at, "id") {
        "" => read(clients, at, kind).await?.map(|found| field(&found, "id").to_owned()).unwrap_or_default(),
        id => id.to_owned(),
    };
    if id.is_empty() {
        let text = format!("there is no namespace {}", field(at, "name"));
        return Err(CallError::not_found("NamespaceNotFound", text));
    }
    delete(clients, &id).await.map(|_| ())
}

impl Driver for HttpNamespace {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let Http { name, description } = sent.typed()?;
        let request = clients.servicediscovery.create_http_namespace().name(name).set_description(description);
        let request = request.creator_request_id(sent.token).set_tags(Some(tags(sent)?));
        let answer = request.send().await.map_err(classify)?;
        Ok(accepted(sent, "HTTP", answer.operation_id()))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        read(clients, at, &NamespaceType::Http).await
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(by_name(clients, field(sent.input, "name"), &NamespaceType::Http).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        delete_at(clients, at, &NamespaceType::Http).await
    }
}

impl Driver for PrivateDnsNamespace {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let PrivateDns { name, vpc, description, properties } = sent.typed()?;
        let settings = properties.map(|properties| {
            let soa = built(Soa::builder().ttl(properties.dns_properties.soa.ttl).build())?;
            let dns = PrivateDnsPropertiesMutable::builder().soa(soa).build();
            Ok::<_, CallError>(PrivateDnsNamespaceProperties::builder().dns_properties(dns).build())
        });
        let request = clients.servicediscovery.create_private_dns_namespace().name(name).vpc(vpc);
        let request = request.set_description(description).set_properties(settings.transpose()?);
        let request = request.creator_request_id(sent.token).set_tags(Some(tags(sent)?));
        let answer = request.send().await.map_err(classify)?;
        Ok(accepted(sent, "DNS_PRIVATE", answer.operation_id()))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        read(clients, at, &NamespaceType::DnsPrivate).await
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(by_name(clients, field(sent.input, "name"), &NamespaceType::DnsPrivate).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        delete_at(clients, at, &NamespaceType::DnsPrivate).await
    }
}

impl Call for ListNamespaces {
    async fn call(&self, clients: &Clients, _: &Sent<'_>) -> Result<Value, CallError> {
        let summary = |one: &types::NamespaceSummary| {
            Described::new()
                .text("id", one.id())
                .text("arn", one.arn())
                .text("name", one.name())
                .text("type", one.r#type().map(NamespaceType::as_str))
                .text("description", one.description())
                .done()
        };
        Ok(Described::new().list("namespaces", &summaries(clients).await?, summary).done())
    }
}

impl Call for DeleteNamespace {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        Ok(json!({ "operation_id": delete(clients, field(sent.input, "id")).await? }))
    }
}
