//! `route53.hosted_zone`: a DNS zone, public or private.

use std::time::Duration;

use runbook_modules::{
    error::{CallError, Class as ErrorClass},
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Identity, Kind, Meta},
    sandbox::{
        sim::{Sim, SimCall, Simple},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{change, record_set};
use crate::{
    row::{Difference, Row, text, unordered},
    simulate::{body, having, operation_id, owned},
};

/// What makes a zone. See <https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHostedZone.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The domain, e.g. `redis-ha.internal`.
    pub name: String,
    /// The first VPC that sees a private zone. Without it the zone is public.
    pub vpc: Option<Vpc>,
    /// A comment.
    pub hosted_zone_config: Option<Config>,
}

/// A VPC. See <https://docs.aws.amazon.com/Route53/latest/APIReference/API_VPC.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vpc {
    /// Its id.
    pub vpc_id: String,
    /// Its region; the place's when left out.
    pub vpc_region: Option<String>,
}

/// A comment. See <https://docs.aws.amazon.com/Route53/latest/APIReference/API_HostedZoneConfig.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What the zone is for.
    pub comment: Option<String>,
}

pub(super) static META: Meta = Meta {
    name: "route53.hosted_zone",
    create: "create_hosted_zone",
    operations: ("CreateHostedZone", "DeleteHostedZone"),
    doc: "Makes a hosted zone and waits until Route 53's servers know it (INSYNC).\n\nThe caller reference is the effect's token; \
          tags follow in a call of their own, since Route 53 takes none at creation. `id` comes without `/hostedzone/`. See the \
          [Route 53 reference](https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHostedZone.html).",
    identity: Identity::Key,
    usual: (Duration::from_secs(30), Duration::ZERO),
    cost: Some("hosted zone"),
    replaces: false,
    shared: false,
};

/// The kind.
pub static KIND: Row = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        input::check::<Input>(value)?;
        match text(value, "name").trim_end_matches('.').is_empty() {
            true => Err(InputError::new("name", "must be a domain")),
            false => Ok(()),
        }
    },
    locator: &["id"],
    along: &["change_id"],
    parents: &["vpc.vpc_id"],
    judge: change::judge,
    differences,
    sim: &SIM,
};

/// Route 53 answers names with a dot at the end. A VPC asked for is among those that see the zone.
fn differences(input: &Value, described: &Value) -> Vec<Difference> {
    let mut input = input.clone();
    let mut found = Vec::new();
    if let Value::Object(map) = &mut input {
        map.insert(
            "name".to_owned(),
            Value::from(dotted(text(described, "name"), text(&Value::Object(map.clone()), "name"))),
        );
        let vpc = map.remove("vpc");
        let seen = described.get("vpcs").and_then(Value::as_array);
        if let (Some(vpc), Some(seen)) = (vpc, seen)
            && !seen.iter().any(|one| one.get("vpc_id") == vpc.get("vpc_id"))
        {
            found.push(("vpc".to_owned(), vpc, json!(seen)));
        }
    }
    found.extend(unordered(&input, described));
    found
}

/// A name as Route 53 would answer it; the answered one where both mean the same.
pub(super) fn dotted(answered: &str, asked: &str) -> String {
    let full = full_name(asked);
    if full.eq_ignore_ascii_case(answered) { answered.to_owned() } else { full }
}

/// A domain in lower case with the dot at the end.
pub fn full_name(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.').to_lowercase())
}

pub(super) static SIM: Simple = Simple {
    prefix: "Z",
    global: true,
    state_field: "change_info.status",
    states: ("PENDING", "INSYNC", ""),
    missing: "NoSuchHostedZone",
    check,
    describe: |_, call, id| {
        let private = call.input.get("vpc").is_some_and(Value::is_object);
        let vpcs: Vec<Value> =
            call.input.get("vpc").filter(|vpc| vpc.is_object()).map(|vpc| with_region(vpc, call)).into_iter().collect();
        json!({
            "name": full_name(call.text("name")), "arn": format!("arn:aws:route53:::hostedzone/{id}"), "vpcs": vpcs,
            "caller_reference": call.token, "config": { "private_zone": private },
            "name_servers": if private { json!([]) } else { json!(NAME_SERVERS) },
            "change_id": operation_id(call.token, call.now_ms + 30_000),
        })
    },
    made,
    check_delete,
    ..Simple::DEFAULT
};

const NAME_SERVERS: [&str; 4] =
    ["ns-1.awsdns-01.com.", "ns-513.awsdns-00.net.", "ns-1025.awsdns-00.org.", "ns-1537.awsdns-00.co.uk."];

/// A VPC with its region.
pub(super) fn with_region(vpc: &Value, call: &SimCall<'_>) -> Value {
    let region = vpc.get("vpc_region").and_then(Value::as_str).unwrap_or(&call.place.region);
    json!({ "vpc_id": vpc.get("vpc_id"), "vpc_region": region })
}

fn check(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    if world.made_by(META.name, "", call.token).is_some() {
        let text =
            format!("A hosted zone has already been created with the specified caller reference: {}", call.token);
        return Err(CallError::new(ErrorClass::AlreadyExists, "HostedZoneAlreadyExists", text));
    }
    match call.input.get("vpc").filter(|vpc| vpc.is_object()) {
        Some(vpc) => check_vpc(world, call, vpc, &full_name(call.text("name"))),
        None => Ok(()),
    }
}

/// Refuses a VPC that does not exist or that sees a zone of the same name.
pub(super) fn check_vpc(world: &World, call: &SimCall<'_>, vpc: &Value, name: &str) -> Result<(), CallError> {
    let vpc = with_region(vpc, call);
    let (id, region) = (text(&vpc, "vpc_id"), text(&vpc, "vpc_region"));
    if world.get("ec2.vpc", region, id, call.now_ms).is_none() {
        return Err(CallError::refused("InvalidVPCId", format!("The VPC: {id} that you provided is not found")));
    }
    let sees = |zone: &&Object| {
        body(zone, "name") == name
            && zone.body.get("vpcs").and_then(Value::as_array).is_some_and(|vpcs| vpcs.contains(&vpc))
    };
    match world.list(META.name, "", call.now_ms).find(sees) {
        None => Ok(()),
        Some(zone) => {
            let text = format!(
                "The VPC {id} in region {region} has already been associated with the hosted zone {} with the same domain name.",
                zone.id
            );
            Err(CallError::new(ErrorClass::AlreadyExists, "ConflictingDomainExists", text))
        }
    }
}

fn made(world: &mut World, _: &SimCall<'_>, zone: &Object) {
    let name = body(zone, "name");
    let soa = "ns-1536.awsdns-00.co.uk. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400";
    for (kind, ttl, values) in [("NS", 172_800, json!(NAME_SERVERS)), ("SOA", 900, json!([soa]))] {
        let id = record_set::id(&zone.id, name, kind, "");
        let body = json!({ "id": id, "hosted_zone_id": zone.id, "name": name, "type": kind, "ttl": ttl, "resource_records": values });
        world.put(owned(record_set::META.name, "", &id, zone, body, vec![zone.key()]));
    }
}

fn check_delete(world: &World, call: &SimCall<'_>, zone: &Object) -> Result<(), CallError> {
    let kept = |record: &&Object| !record_set::is_own(body(zone, "name"), &record.body);
    let mut records = having(world, record_set::META.name, "", call.now_ms, "hosted_zone_id", &zone.id);
    match records.find(kept) {
        None => Ok(()),
        Some(record) => {
            let text = "The specified hosted zone contains non-required resource record sets and so cannot be deleted.";
            let hint = format!("held by record {} {}", body(record, "name"), body(record, "type"));
            Err(CallError::new(ErrorClass::Blocked, "HostedZoneNotEmpty", text).hint(hint))
        }
    }
}

/// Which zone is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Get {
    /// The zone's id.
    pub id: String,
}

/// `route53.get_hosted_zone`.
pub static GET: Operation = Operation {
    name: "route53.get_hosted_zone",
    operation: "GetHostedZone",
    doc: "Describes a hosted zone.\n\nSee the \
          [Route 53 reference](https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHostedZone.html).",
    class: Class::Read,
    schema: input::schema::<Get>,
    check: input::check::<Get>,
    token: None,
    settle: None,
    sim: |world, call| {
        let id = named(world, call, "id")?.id.clone();
        let at = json!({ "id": id });
        Ok(SIM.read(&KIND as &dyn Kind, world, &SimCall { input: &at, ..*call }).unwrap_or_default())
    },
};

/// The zone that a call names under a field, with or without `/hostedzone/`.
///
/// # Errors
/// NoSuchHostedZone.
pub(super) fn named<'w>(world: &'w World, call: &SimCall<'_>, field: &str) -> Result<&'w Object, CallError> {
    let id = call.text(field).trim_start_matches("/hostedzone/");
    world
        .get(META.name, "", id, call.now_ms)
        .ok_or_else(|| CallError::not_found("NoSuchHostedZone", format!("No hosted zone found with ID: {id}")))
}

/// Which zones are asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListByName {
    /// The first name, in Route 53's order (labels from the right); all zones when left out.
    pub dns_name: Option<String>,
    /// At most so many.
    pub max_items: Option<i32>,
}

/// `route53.list_hosted_zones_by_name`.
pub static LIST_BY_NAME: Operation = Operation {
    name: "route53.list_hosted_zones_by_name",
    operation: "ListHostedZonesByName",
    doc: "Lists hosted zones in the order of their names, beginning with `dns_name`, as `#{hosted_zones: [...]}`: maps with `id`, \
          `name`, `caller_reference` and `config`. Compare `name` (with its dot) to find one.\n\nSee the \
          [Route 53 reference](https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHostedZonesByName.html).",
    class: Class::Read,
    schema: input::schema::<ListByName>,
    check: input::check::<ListByName>,
    token: None,
    settle: None,
    sim: list_by_name,
};

fn list_by_name(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let from = call.input.get("dns_name").and_then(Value::as_str).map(|name| labels(&full_name(name)));
    let mut zones: Vec<&Object> = world.list(META.name, "", call.now_ms).collect();
    zones.sort_by_cached_key(|zone| (labels(body(zone, "name")), zone.id.clone()));
    zones.retain(|zone| from.as_ref().is_none_or(|from| labels(body(zone, "name")) >= *from));
    let most = call.input.get("max_items").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let described = |zone: &Object| {
        json!({
            "id": zone.id, "name": zone.body["name"], "caller_reference": zone.body["caller_reference"],
            "config": zone.body["config"],
        })
    };
    let listed: Value = zones.into_iter().take(most.unwrap_or(usize::MAX)).map(described).collect();
    Ok(json!({ "hosted_zones": listed }))
}

/// The labels of a name from the right: the order in which Route 53 lists.
pub(super) fn labels(name: &str) -> Vec<String> {
    name.trim_end_matches('.').rsplit('.').map(str::to_owned).collect()
}
