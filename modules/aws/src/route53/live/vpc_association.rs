//! AssociateVPCWithHostedZone, DisassociateVPCFromHostedZone.

use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::{follow_change, hosted_zone, none_if_missing, plain_id, with_change};
use crate::{
    live::{
        Clients, Driver, Sent, classify,
        convert::{Described, field},
    },
    route53::{hosted_zone::Vpc, vpc_association::Input},
    row::text,
};

pub(in crate::route53) struct VpcAssociation;

/// It cannot bear tags, so its description has none: after an unknown outcome it may be ours (see the engine's `resolve`).
async fn association(clients: &Clients, zone: &str, vpc: &str) -> Result<Option<Value>, CallError> {
    let seen = none_if_missing(hosted_zone::vpcs(clients, zone).await)?.unwrap_or_default();
    let found = seen.into_iter().find(|one| field(one, "vpc_id") == vpc);
    Ok(found.map(|one| {
        let id = format!("{}/{vpc}", plain_id(zone));
        json!({ "id": id, "hosted_zone_id": plain_id(zone), "vpc_id": vpc, "vpc_region": one["vpc_region"] })
    }))
}

impl Driver for VpcAssociation {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let Input { hosted_zone_id, vpc, comment } = sent.typed()?;
        let (zone, id) = (plain_id(&hosted_zone_id).to_owned(), vpc.vpc_id.clone());
        let vpc = hosted_zone::vpc(clients, vpc);
        let region = vpc.vpc_region().map(|region| region.as_str().to_owned());
        let request = clients.route53.associate_vpc_with_hosted_zone().hosted_zone_id(&zone).vpc(vpc);
        let answer = request.set_comment(comment).send().await.map_err(classify)?;
        let described = Described::new()
            .text("id", Some(&format!("{zone}/{id}")))
            .text("hosted_zone_id", Some(&zone))
            .text("vpc_id", Some(&id))
            .text("vpc_region", region.as_ref());
        Ok(with_change(described, answer.change_info()).done())
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let found = association(clients, field(at, "hosted_zone_id"), field(at, "vpc_id")).await?;
        let Some(mut found) = found else { return Ok(None) };
        follow_change(clients, at, &mut found).await?;
        Ok(Some(found))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        let vpc = text(sent.input, "vpc.vpc_id");
        Ok(association(clients, field(sent.input, "hosted_zone_id"), vpc).await?.into_iter().collect())
    }

    async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
        let region = at.get("vpc_region").and_then(Value::as_str).map(str::to_owned);
        let vpc = Vpc { vpc_id: field(at, "vpc_id").to_owned(), vpc_region: region };
        let request = clients.route53.disassociate_vpc_from_hosted_zone().hosted_zone_id(field(at, "hosted_zone_id"));
        request.vpc(hosted_zone::vpc(clients, vpc)).send().await.map_err(classify).map(|_| ())
    }
}
