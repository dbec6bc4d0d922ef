//! ChangeResourceRecordSets (UPSERT, DELETE), ListResourceRecordSets.

use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ChangeInfo, ResourceRecord, ResourceRecordSet, RrType,
};
use runbook_modules::error::CallError;
use serde_json::{Value, json};

use super::{follow_change, hosted_zone, none_if_missing, plain_id, with_change};
use crate::{
    live::{
        Call, Clients, Driver, Sent, classify,
        convert::{Described, built, field},
    },
    route53::{
        hosted_zone::full_name,
        record_set::{Delete, Input, goes, id},
    },
};

pub(in crate::route53) struct RecordSet;
pub(in crate::route53) struct ListRecordSets;
pub(in crate::route53) struct DeleteRecordSets;

/// Route 53 takes at most 1,000 values in one change; half of that leaves room for sets with several.
const BATCH: usize = 500;

fn described(record: &ResourceRecordSet) -> Described {
    let alias = record.alias_target().map(|alias| {
        json!({
            "hosted_zone_id": alias.hosted_zone_id(), "dns_name": alias.dns_name(),
            "evaluate_target_health": alias.evaluate_target_health(),
        })
    });
    let values: Vec<Value> = record.resource_records().iter().map(|one| Value::from(one.value())).collect();
    Described::new()
        .text("name", Some(&unescaped(record.name())))
        .text("type", Some(record.r#type().as_str()))
        .value("ttl", record.ttl())
        .value("resource_records", (!values.is_empty()).then_some(values))
        .value("alias_target", alias)
        .text("set_identifier", record.set_identifier())
        .value("weight", record.weight())
}

/// Route 53 answers a wildcard as `\052`.
fn unescaped(name: &str) -> String {
    name.replace("\\052", "*")
}

fn whole(zone: &str, record: &ResourceRecordSet) -> Described {
    let set = record.set_identifier().unwrap_or_default();
    described(record)
        .text("id", Some(&id(plain_id(zone), &unescaped(record.name()), record.r#type().as_str(), set)))
        .text("hosted_zone_id", Some(plain_id(zone)))
}

fn record_set(input: Input) -> Result<ResourceRecordSet, CallError> {
    let alias = input.alias_target.map(|alias| {
        let target = AliasTarget::builder().hosted_zone_id(alias.hosted_zone_id).dns_name(alias.dns_name);
        built(target.evaluate_target_health(alias.evaluate_target_health).build())
    });
    let values = input.resource_records.map(|values| {
        let value = |value: String| built(ResourceRecord::builder().value(value).build());
        values.into_iter().map(value).collect::<Result<Vec<_>, _>>()
    });
    let record = ResourceRecordSet::builder()
        .name(input.name)
        .r#type(RrType::from(input.kind.as_str()))
        .set_ttl(input.ttl)
        .set_resource_records(values.transpose()?)
        .set_alias_target(alias.transpose()?)
        .set_set_identifier(input.set_identifier)
        .set_weight(input.weight);
    built(record.build())
}

/// Sends one change of several record sets.
async fn change(
    clients: &Clients, zone: &str, action: ChangeAction, records: Vec<ResourceRecordSet>,
) -> Result<Option<ChangeInfo>, CallError> {
    let one = |record| built(Change::builder().action(action.clone()).resource_record_set(record).build());
    let changes = records.into_iter().map(one).collect::<Result<Vec<_>, _>>()?;
    let batch = built(ChangeBatch::builder().set_changes(Some(changes)).build())?;
    let request = clients.route53.change_resource_record_sets().hosted_zone_id(plain_id(zone)).change_batch(batch);
    request.send().await.map_err(classify).map(|answer| answer.change_info)
}

/// All record sets of a zone, as the SDK has them.
async fn all(clients: &Clients, zone: &str) -> Result<Vec<ResourceRecordSet>, CallError> {
    let mut records = Vec::new();
    let mut next = (None, None, None);
    loop {
        let request = clients.route53.list_resource_record_sets().hosted_zone_id(plain_id(zone));
        let request = request.set_start_record_name(next.0).set_start_record_type(next.1);
        let page = request.set_start_record_identifier(next.2).send().await.map_err(classify)?;
        records.extend_from_slice(page.resource_record_sets());
        if !page.is_truncated() {
            return Ok(records);
        }
        let (name, identifier) = (page.next_record_name(), page.next_record_identifier());
        next = (name.map(str::to_owned), page.next_record_type().cloned(), identifier.map(str::to_owned));
    }
}

/// A zone's name and its record sets, described.
pub(super) async fn of_zone(clients: &Clients, zone: &str) -> Result<(String, Vec<Value>), CallError> {
    let name = hosted_zone::name(clients, zone).await?;
    Ok((name, all(clients, zone).await?.iter().map(|record| described(record).done()).collect()))
}

/// The record set that a locator or input names, as it stands.
async fn standing(clients: &Clients, at: &Value) -> Result<Option<ResourceRecordSet>, CallError> {
    let (name, kind, set) = (full_name(field(at, "name")), field(at, "type"), field(at, "set_identifier"));
    let request = clients.route53.list_resource_record_sets().hosted_zone_id(plain_id(field(at, "hosted_zone_id")));
    let request = request.start_record_name(&name).start_record_type(RrType::from(kind));
    let request = request.set_start_record_identifier((!set.is_empty()).then(|| set.to_owned())).max_items(1);
    let Some(page) = none_if_missing(request.send().await.map_err(classify))? else { return Ok(None) };
    let same = |record: &&ResourceRecordSet| {
        unescaped(record.name()) == name
            && record.r#type().as_str() == kind
            && record.set_identifier().unwrap_or_default() == set
    };
    Ok(page.resource_record_sets().iter().find(same).cloned())
}

impl Driver for RecordSet {
    async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let zone = field(sent.input, "hosted_zone_id");
        let record = record_set(sent.typed()?)?;
        let change = change(clients, zone, ChangeAction::Upsert, vec![record.clone()]).await?;
        let mut described = with_change(whole(zone, &record), change.as_ref()).done();
        described["name"] = Value::from(full_name(record.name()));
        Ok(described)
    }

    async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
        let Some(record) = standing(clients, at).await? else { return Ok(None) };
        let mut described = whole(field(at, "hosted_zone_id"), &record).done();
        follow_change(clients, at, &mut described).await?;
        Ok(Some(described))
    }

    async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
        Ok(self.read(clients, sent.input).await?.into_iter().collect())
    }

    /// A deletion must name the values as they stand, so they are read first.
    async fn delete(&self, clients: &Clients, at: &Value, put_back: Option<&Value>) -> Result<(), CallError> {
        let zone = field(at, "hosted_zone_id");
        let (action, record) = match put_back {
            Some(before) => {
                let mut before = before.clone();
                if let Value::Object(map) = &mut before {
                    map.retain(|name, _| INPUT.contains(&name.as_str()));
                    map.insert("hosted_zone_id".to_owned(), Value::from(zone));
                }
                let tags = std::collections::BTreeMap::new();
                (ChangeAction::Upsert, record_set(Sent { input: &before, token: "", tags: &tags }.typed()?)?)
            }
            None => match standing(clients, at).await? {
                Some(record) => (ChangeAction::Delete, record),
                None => return Err(CallError::not_found("RecordSetNotFound", "the record set does not exist")),
            },
        };
        change(clients, zone, action, vec![record]).await.map(|_| ())
    }
}

/// The fields of a description that are also the input's.
const INPUT: [&str; 7] = ["name", "type", "ttl", "resource_records", "alias_target", "set_identifier", "weight"];

impl Call for ListRecordSets {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let records = all(clients, field(sent.input, "hosted_zone_id")).await?;
        Ok(Described::new().list("resource_record_sets", &records, |record| described(record).done()).done())
    }
}

impl Call for DeleteRecordSets {
    async fn call(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
        let Delete { hosted_zone_id: zone, record_sets } = sent.typed()?;
        let name = hosted_zone::name(clients, &zone).await?;
        let mut records = all(clients, &zone).await?;
        records.retain(|record| goes(&name, &described(record).done(), record_sets.as_deref()));
        for some in records.chunks(BATCH) {
            change(clients, &zone, ChangeAction::Delete, some.to_vec()).await?;
        }
        Ok(json!({ "deleted": records.len() }))
    }
}
