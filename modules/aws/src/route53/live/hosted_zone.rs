//! CreateHostedZone with its tags, GetHostedZone, ListHostedZonesByName, DeleteHostedZone.

use aws_sdk_route53::types::{self, HostedZoneConfig, Tag, TagResourceType, Vpc, VpcRegion};
use runbook_modules::error::{CallError, Class};
use serde_json::{Value, json};

use super::{follow_change, none_if_missing, plain_id, with_change};
use crate::{
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, field, texts},
    },
    route53::hosted_zone::{Input, ListByName as Query, Vpc as AskedVpc},
};

pub(in crate::route53) struct HostedZone;
pub(in crate::route53) struct GetHostedZone;
pub(in crate::route53) struct ListByName;

pub(super) fn vpc(clients: &Clients, vpc: AskedVpc) -> Vpc {
    let region = vpc.vpc_region.unwrap_or_else(|| clients.region.clone());
    Vpc::builder().vpc_id(vpc.vpc_id).vpc_region(VpcRegion::from(region.as_str())).build()
}

fn described_vpc(vpc: &Vpc) -> Value {
    json!({ "vpc_id": vpc.vpc_id(), "vpc_region": vpc.vpc_region().map(VpcRegion::as_str) })
}

fn described(zone: &types::HostedZone) -> Described {
    let id = plain_id(zone.id());
    let config = zone.config().map(|config| {
        Described::new().text("comment", config.comment()).value("private_zone", Some(config.private_zone())).done()
    });
    Described::new()
        .text("id", Some(id))
        .text("arn", Some(&format!("arn:aws:route53:::hostedzone/{id}")))
        .text("name", Some(zone.name()))
        .text("caller_reference", Some(zone.caller_reference()))
        .value("config", config)
        .value("resource_record_set_count", zone.resource_record_set_count())
}

async fn tag(clients: &Clients, id: &str, sent: &Sent<'_>) -> Result<(), CallError> {
    let tags = sent.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    let request = clients.route53.change_tags_for_resource().resource_type(TagResourceType::Hostedzone).resource_id(id);
    request.set_add_tags(Some(tags)).send().await.map_err(classify).map(|_| ())
}

async fn get(clients: &Clients, id: &str) -> Result<Value, CallError> {
    let id = plain_id(id);
    let found = clients.route53.get_hosted_zone().id(id).send().await.map_err(classify)?;
    let request = clients.route53.list_tags_for_resource().resource_type(TagResourceType::Hostedzone);
    let tags = request.resource_id(id).send().await.map_err(classify)?;
    let tags = tags.resource_tag_set().map(|set| set.tags()).unwrap_or_default();
    let Some(zone) = found.hosted_zone() else { return Ok(Value::Null) };
    let servers = found.delegation_set().map(|set| texts(set.name_servers())).unwrap_or_else(|| json!([]));
    let described = described(zone).list("vpcs", found.vpcs(), described_vpc).value("name_servers", Some(servers));
    Ok(described.tags(tags.iter().map(|tag| (tag.key(), tag.value()))).done())
}

impl Driver for HostedZone {
    /// The tags go in a second request, since Route 53 takes none at creation. When only that one fails, the zone stands and
    /// the outcome is unknown: [`Driver::find`] knows the zone by its caller reference and tags it.
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let input: Input = sent.typed()?;
        // AWS sees from the VPC that the zone is private; moto wants it said.
        let config = (input.hosted_zone_config.is_some() || input.vpc.is_some()).then(|| {
            let comment = input.hosted_zone_config.and_then(|config| config.comment);
            let private = input.vpc.is_some();
            HostedZoneConfig::builder().set_comment(comment).private_zone(private).build()
        });
        let request = clients
            .route53
            .create_hosted_zone()
            .name(input.name)
            .caller_reference(sent.token)
            .set_vpc(input.vpc.map(|asked| vpc(clients, asked)))
            .set_hosted_zone_config(config);
        let answer = request.send().await.map_err(classify)?;
        let Some(zone) = answer.hosted_zone() else {
            return Err(CallError::new(Class::Unknown, "NoHostedZone", "the answer holds no hosted zone"));
        };
        tag(clients, plain_id(zone.id()), sent).await.map_err(|e| {
            let message = format!("the hosted zone {} was made, but not tagged: {}", zone.id(), e.message);
            CallError { class: Class::Unknown, message, ..e }
        })?;
        let servers = answer.delegation_set().map(|set| texts(set.name_servers())).unwrap_or_else(|| json!([]));
        let vpcs: Vec<Value> = answer.vpc().map(described_vpc).into_iter().collect();
        let described = described(zone).value("vpcs", Some(vpcs)).value("name_servers", Some(servers));
        let tags = sent.tags.iter().map(|(key, value)| (Some(key.as_str()), Some(value.as_str())));
        Ok(with_change(described.tags(tags), answer.change_info()).done())
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let Some(mut found) = none_if_missing(get(clients, field(at, "id")).await)? else { return Ok(None) };
        follow_change(clients, at, &mut found).await?;
        Ok(Some(found))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        let pages = clients.route53.list_hosted_zones().into_paginator().items().send();
        let all: Vec<types::HostedZone> = pages.try_collect().await.map_err(classify)?;
        let Some(ours) = all.iter().find(|zone| zone.caller_reference() == sent.token) else { return Ok(Vec::new()) };
        let id = plain_id(ours.id());
        let found = get(clients, id).await?;
        let tagged = |(key, value): (&String, &String)| found["tags"].get(key).and_then(Value::as_str) == Some(value);
        if sent.tags.iter().all(tagged) {
            return Ok(vec![found]);
        }
        tag(clients, id, sent).await?;
        Ok(vec![get(clients, id).await?])
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        clients.route53.delete_hosted_zone().id(field(at, "id")).send().await.map_err(classify).map(|_| ())
    }

    async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
        let Ok((zone, records)) = super::record_set::of_zone(clients, field(at, "id")).await else { return Vec::new() };
        let kept = records.iter().filter(|record| crate::route53::record_set::goes(&zone, record, None));
        kept.map(|record| format!("record {} {}", field(record, "name"), field(record, "type"))).collect()
    }
}

impl Call for GetHostedZone {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        get(clients, field(sent.input, "id")).await
    }
}

impl Call for ListByName {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let Query { dns_name, max_items } = sent.typed()?;
        let most = max_items.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
        let mut next = (dns_name, None);
        let mut zones = Vec::new();
        loop {
            let request = clients.route53.list_hosted_zones_by_name().set_dns_name(next.0).set_hosted_zone_id(next.1);
            let page = request.set_max_items(max_items).send().await.map_err(classify)?;
            zones.extend(page.hosted_zones().iter().map(|zone| described(zone).done()));
            if !page.is_truncated() || zones.len() >= most {
                zones.truncate(most);
                return Ok(json!({ "hosted_zones": zones }));
            }
            next = (page.next_dns_name().map(str::to_owned), page.next_hosted_zone_id().map(str::to_owned));
        }
    }
}

/// The name of a zone, with its dot.
pub(super) async fn name(clients: &Clients, id: &str) -> Result<String, CallError> {
    let found = clients.route53.get_hosted_zone().id(plain_id(id)).send().await.map_err(classify)?;
    Ok(found.hosted_zone().map(|zone| zone.name().to_owned()).unwrap_or_default())
}

/// The VPCs that see a zone.
pub(super) async fn vpcs(clients: &Clients, id: &str) -> Result<Vec<Value>, CallError> {
    let found = clients.route53.get_hosted_zone().id(plain_id(id)).send().await.map_err(classify)?;
    Ok(found.vpcs().iter().map(described_vpc).collect())
}
