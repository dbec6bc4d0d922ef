//! CreateService, GetService, ListServices, DeleteService.

use aws_sdk_servicediscovery::{
    operation::list_services::ListServicesOutput,
    types::{
        self, DnsConfig, DnsRecord, HealthCheckCustomConfig, RecordType, RoutingPolicy, ServiceFilter,
        ServiceFilterName, ServiceType,
    },
};
use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::{none_if_missing, own, pairs, tags, tags_of};
use crate::{
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, built, field},
        empty,
    },
    servicediscovery::service::{DnsConfig as AskedDns, Input},
};

pub(in crate::servicediscovery) struct Service;
pub(in crate::servicediscovery) struct ListServices;
pub(in crate::servicediscovery) struct DeleteService;

fn described(found: &types::Service) -> Described {
    let dns = found.dns_config().map(|dns| {
        let record = |one: &DnsRecord| json!({ "type": one.r#type().as_str(), "ttl": one.ttl() });
        let described = Described::new().text("routing_policy", dns.routing_policy().map(RoutingPolicy::as_str));
        described.list("dns_records", dns.dns_records(), record).done()
    });
    Described::new()
        .text("id", found.id())
        .text("arn", found.arn())
        .text("name", found.name())
        .text("namespace_id", found.namespace_id())
        .text("description", found.description())
        .text("type", found.r#type().map(ServiceType::as_str))
        .text("creator_request_id", found.creator_request_id())
        .value("dns_config", dns)
}

fn dns_config(asked: AskedDns) -> Result<DnsConfig, CallError> {
    let record = |one: crate::servicediscovery::service::DnsRecord| {
        built(DnsRecord::builder().r#type(RecordType::from(one.kind.as_str())).ttl(one.ttl).build())
    };
    let records = asked.dns_records.into_iter().map(record).collect::<Result<Vec<_>, _>>()?;
    let policy = asked.routing_policy.map(|policy| RoutingPolicy::from(policy.as_str()));
    built(DnsConfig::builder().set_routing_policy(policy).set_dns_records(Some(records)).build())
}

async fn summaries(clients: &Clients, namespace: &str) -> Result<Vec<types::ServiceSummary>, CallError> {
    let filter = match namespace {
        "" => None,
        id => {
            let filter = ServiceFilter::builder().name(ServiceFilterName::NamespaceId).values(id).build();
            Some(vec![built(filter)?])
        }
    };
    let pages = clients.servicediscovery.list_services().set_filters(filter).into_paginator().send();
    let pages: Vec<ListServicesOutput> = pages.try_collect().await.map_err(classify)?;
    Ok(pages.into_iter().flat_map(|page| page.services.unwrap_or_default()).collect())
}

impl Driver for Service {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Input = sent.typed()?;
        let health = input.health_check_custom_config.map(|_| HealthCheckCustomConfig::builder().build());
        let request = clients
            .servicediscovery
            .create_service()
            .name(input.name)
            .namespace_id(input.namespace_id)
            .set_description(input.description)
            .set_dns_config(input.dns_config.map(dns_config).transpose()?)
            .set_health_check_custom_config(health)
            .creator_request_id(sent.token)
            .set_tags(Some(tags(sent)?));
        let answer = request.send().await.map_err(classify)?;
        answer.service().map(|made| described(made).tags(own(sent)).done()).ok_or_else(|| empty("service"))
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let answer = clients.servicediscovery.get_service().id(field(at, "id")).send().await.map_err(classify);
        let Some(answer) = none_if_missing(answer)? else { return Ok(None) };
        let found = answer.service.ok_or_else(|| empty("service"))?;
        let tags = tags_of(clients, found.arn().unwrap_or_default()).await?;
        Ok(Some(described(&found).tags(pairs(&tags)).done()))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        let all = summaries(clients, field(sent.input, "namespace_id")).await?;
        let named = all.iter().find(|one| one.name() == Some(field(sent.input, "name")));
        let Some(id) = named.and_then(|one| one.id()) else { return Ok(Vec::new()) };
        Ok(self.read(clients, &json!({ "id": id })).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        clients.servicediscovery.delete_service().id(field(at, "id")).send().await.map_err(classify).map(|_| ())
    }
}

impl Call for ListServices {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let summary = |one: &types::ServiceSummary| {
            Described::new()
                .text("id", one.id())
                .text("arn", one.arn())
                .text("name", one.name())
                .text("type", one.r#type().map(ServiceType::as_str))
                .text("description", one.description())
                .done()
        };
        let found = summaries(clients, field(sent.input, "namespace_id")).await?;
        Ok(Described::new().list("services", &found, summary).done())
    }
}

impl Call for DeleteService {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        clients.servicediscovery.delete_service().id(field(sent.input, "id")).send().await.map_err(classify)?;
        Ok(json!({}))
    }
}
