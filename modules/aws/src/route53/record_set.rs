//! `route53.record_set`: a record set, upserted; what stood there before is kept and put back by undo.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Identity, Meta},
    sandbox::{
        sim::{Ref, SimCall, Simple},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    change,
    hosted_zone::{self, dotted, full_name, labels},
};
use crate::{
    row::{Difference, Row, text, unordered},
    simulate::{Upsert, body, having, operation_id},
};

/// What upserts a record set. See <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The zone.
    pub hosted_zone_id: String,
    /// The full name, with or without the dot at the end.
    pub name: String,
    /// `A`, `AAAA`, `CNAME`, `TXT`, `SOA` …
    #[serde(rename = "type")]
    pub kind: String,
    /// For how many seconds resolvers keep it. Not for an alias.
    pub ttl: Option<i64>,
    /// The values. Text records carry their own quotes.
    pub resource_records: Option<Vec<String>>,
    /// Instead of values: another name of AWS's.
    pub alias_target: Option<Alias>,
    /// Tells record sets of the same name and type apart.
    pub set_identifier: Option<String>,
    /// Share of the answers, with `set_identifier`.
    pub weight: Option<i64>,
}

/// Another name of AWS's. See <https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    /// The zone of the target, e.g. of a load balancer.
    pub hosted_zone_id: String,
    /// The target's name.
    pub dns_name: String,
    /// Whether the target's health counts.
    #[serde(default)]
    pub evaluate_target_health: bool,
}

pub(super) static META: Meta = Meta {
    name: "route53.record_set",
    create: "upsert_record_set",
    operations: ("ChangeResourceRecordSets", "ChangeResourceRecordSets"),
    doc: "Makes or changes a record set (action UPSERT) and waits until the change has come through.\n\nWhat stood there before is \
          kept, and put back when the run is undone. See the \
          [Route 53 reference](https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html).",
    identity: Identity::Repeat,
    usual: (Duration::from_secs(30), Duration::ZERO),
    cost: None,
    replaces: true,
    shared: false,
};

/// The kind.
pub static KIND: Row<Upsert> = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        let input: Input = input::parse(value)?;
        match (&input.resource_records, &input.alias_target) {
            (Some(values), None) if !values.is_empty() => Ok(()),
            (None, Some(_)) => Ok(()),
            _ => Err(InputError::new("resource_records", "either these or `alias_target` must be given")),
        }
    },
    locator: &["hosted_zone_id", "name", "type"],
    along: &["set_identifier", "change_id"],
    parents: &["hosted_zone_id"],
    judge: change::judge,
    differences: |input, described| {
        let mut input = input.clone();
        if let Some(name) = input.get_mut("name") {
            *name = Value::from(dotted(text(described, "name"), name.as_str().unwrap_or_default()));
        }
        let found = unordered(&input, described);
        found.into_iter().filter(|(field, _, _)| field != "hosted_zone_id").collect::<Vec<Difference>>()
    },
    sim: &SIM,
};

/// The id of a record set: zone, name, type and set identifier.
pub fn id(zone: &str, name: &str, kind: &str, set: &str) -> String {
    let id = format!("{zone}/{}/{kind}", full_name(name));
    if set.is_empty() { id } else { format!("{id}/{set}") }
}

/// Whether it belongs to the zone itself: NS and SOA at its top.
pub(super) fn is_own(zone: &str, record: &Value) -> bool {
    text(record, "name") == zone && matches!(text(record, "type"), "NS" | "SOA")
}

static SIM: Upsert = Upsert(Simple {
    id: |call| {
        let zone = call.text("hosted_zone_id").trim_start_matches("/hostedzone/");
        id(zone, call.text("name"), call.text("type"), call.text("set_identifier"))
    },
    global: true,
    refs: &[Ref { field: "hosted_zone_id", kind: "route53.hosted_zone", missing: "NoSuchHostedZone", owned: true }],
    state_field: "change_info.status",
    states: ("PENDING", "INSYNC", ""),
    missing: "InvalidChangeBatch",
    check: |world, call| {
        let zone = hosted_zone::named(world, call, "hosted_zone_id")?;
        let (name, domain) = (full_name(call.text("name")), body(zone, "name"));
        if name != domain && !name.ends_with(&format!(".{domain}")) {
            return Err(invalid(format!("RRSet with DNS name {name} is not permitted in zone {domain}")));
        }
        check_values(call)?;
        check_alias(world, call, zone, &name)
    },
    check_delete: |world, call, record| {
        let zone = world.get(hosted_zone::META.name, "", body(record, "hosted_zone_id"), call.now_ms);
        match zone.is_some_and(|zone| is_own(body(zone, "name"), &record.body)) {
            false => Ok(()),
            true => {
                let (kind, name) = (body(record, "type"), body(record, "name"));
                Err(invalid(format!("A HostedZone must contain exactly one {kind} record: {name}")))
            }
        }
    },
    describe: |_, call, _| {
        let change = operation_id(call.token, call.now_ms + 30_000);
        json!({ "name": full_name(call.text("name")), "change_id": change })
    },
    taggable: false,
    ..Simple::DEFAULT
});

fn invalid(text: String) -> CallError {
    CallError::refused("InvalidChangeBatch", text)
}

/// Refuses values that cannot be of their type.
fn check_values(call: &SimCall<'_>) -> Result<(), CallError> {
    let fits = |value: &str| match call.text("type") {
        "A" => value.parse::<Ipv4Addr>().is_ok(),
        "AAAA" => value.parse::<Ipv6Addr>().is_ok(),
        "TXT" => value.len() >= 2 && value.starts_with('"') && value.ends_with('"'),
        _ => true,
    };
    let values = call.input.get("resource_records").and_then(Value::as_array);
    match values.into_iter().flatten().filter_map(Value::as_str).find(|value| !fits(value)) {
        None => Ok(()),
        Some(value) => {
            let kind = call.text("type");
            let why = if kind == "TXT" { "Value should be enclosed in quotation marks" } else { "Value is no address" };
            Err(invalid(format!("Invalid Resource Record: '{why}' encountered with '{value}' ({kind})")))
        }
    }
}

/// Refuses a CNAME at the zone's top or beside another record, and another record beside a CNAME.
fn check_alias(world: &World, call: &SimCall<'_>, zone: &Object, name: &str) -> Result<(), CallError> {
    let (kind, domain) = (call.text("type"), body(zone, "name"));
    if kind == "CNAME" && name == domain {
        return Err(invalid(format!(
            "RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {domain}"
        )));
    }
    let other = having(world, META.name, "", call.now_ms, "hosted_zone_id", &zone.id)
        .filter(|record| body(record, "name") == name && body(record, "type") != kind)
        .find(|record| kind == "CNAME" || body(record, "type") == "CNAME");
    match other {
        None => Ok(()),
        Some(other) => {
            let there = body(other, "type");
            Err(invalid(format!("RRSet of type {kind} with DNS name {name} conflicts with the record of type {there}")))
        }
    }
}

/// Which records are asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The zone.
    pub hosted_zone_id: String,
}

/// `route53.list_resource_record_sets`.
pub static LIST: Operation = Operation {
    name: "route53.list_resource_record_sets",
    operation: "ListResourceRecordSets",
    doc: "Lists the record sets of a zone, as `#{resource_record_sets: [...]}`: maps with `name` (with its dot), `type`, `ttl` \
          and `resource_records`, a list of texts.\n\nSee the \
          [Route 53 reference](https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html).",
    class: Class::Read,
    schema: input::schema::<List>,
    check: input::check::<List>,
    token: None,
    settle: None,
    sim: |world, call| {
        let zone = hosted_zone::named(world, call, "hosted_zone_id")?.id.clone();
        let mut records: Vec<&Object> = having(world, META.name, "", call.now_ms, "hosted_zone_id", &zone).collect();
        records.sort_by_cached_key(|record| (labels(body(record, "name")), body(record, "type").to_owned()));
        Ok(json!({ "resource_record_sets": records.iter().map(|record| plain(&record.body)).collect::<Value>() }))
    },
};

/// A record as the list answers it.
fn plain(record: &Value) -> Value {
    let fields = ["name", "type", "ttl", "resource_records", "alias_target", "set_identifier", "weight"];
    let kept = fields.iter().filter_map(|field| Some(((*field).to_owned(), record.get(*field)?.clone())));
    Value::Object(kept.filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>())
}

/// Which records go.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// The zone.
    pub hosted_zone_id: String,
    /// Only these; all but the zone's own NS and SOA when left out.
    pub record_sets: Option<Vec<Named>>,
}

/// A record set by its name.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The full name, with or without the dot at the end.
    pub name: String,
    /// `A`, `TXT` …; all types when left out.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

impl Named {
    /// Whether a described record is meant.
    pub fn fits(&self, record: &Value) -> bool {
        full_name(&self.name) == text(record, "name")
            && self.kind.as_ref().is_none_or(|kind| kind == text(record, "type"))
    }
}

/// Whether a described record goes.
pub(super) fn goes(zone: &str, record: &Value, wanted: Option<&[Named]>) -> bool {
    !is_own(zone, record) && wanted.is_none_or(|wanted| wanted.iter().any(|one| one.fits(record)))
}

/// `route53.delete_record_sets`.
pub static DELETE: Operation = Operation {
    name: "route53.delete_record_sets",
    operation: "ChangeResourceRecordSets",
    doc: "Deletes record sets of a zone, those that controllers made: all but the zone's own NS and SOA, or those named. Answers how \
          many were `deleted`. A zone that does not exist has none.\n\nSee the \
          [Route 53 reference](https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html).",
    class: Class::Delete,
    schema: input::schema::<Delete>,
    check: input::check::<Delete>,
    token: None,
    settle: None,
    sim: delete,
};

fn delete(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let zone = hosted_zone::named(world, call, "hosted_zone_id")?;
    let (id, name) = (zone.id.clone(), body(zone, "name").to_owned());
    let wanted = call.input.get("record_sets").and_then(|list| Vec::<Named>::deserialize(list).ok());
    let gone: Vec<String> = having(world, META.name, "", call.now_ms, "hosted_zone_id", &id)
        .filter(|record| goes(&name, &record.body, wanted.as_deref()))
        .map(Object::key)
        .collect();
    gone.iter().for_each(|key| world.remove(key));
    Ok(json!({ "deleted": gone.len() }))
}
