//! Namespaces: `servicediscovery.http_namespace` and `servicediscovery.private_dns_namespace`.

use std::time::Duration;

use runbook_modules::{
    error::{CallError, Class as ErrorClass},
    input,
    operation::{Class, Operation},
    resource::{Kind, Meta},
    sandbox::{
        sim::{SimCall, Simple},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{TOKEN, operation, service};
use crate::{
    row::{Row, unordered},
    simulate::{body, having, operation_id, owned},
};

/// What makes an HTTP namespace. See <https://docs.aws.amazon.com/cloud-map/latest/api/API_CreateHttpNamespace.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// The name, unique in account and region.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
}

/// What makes a private DNS namespace. See
/// <https://docs.aws.amazon.com/cloud-map/latest/api/API_CreatePrivateDnsNamespace.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrivateDns {
    /// The domain; Cloud Map makes a private hosted zone for it.
    pub name: String,
    /// Id of the VPC that sees the zone.
    pub vpc: String,
    /// What it is for.
    pub description: Option<String>,
    /// Settings of the zone.
    pub properties: Option<Properties>,
}

/// Settings of a private DNS namespace.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Properties {
    /// Settings of the zone.
    pub dns_properties: DnsProperties,
}

/// Settings of the zone.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnsProperties {
    /// The zone's SOA record.
    pub soa: Soa,
}

/// The zone's SOA record.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Soa {
    /// For how many seconds resolvers keep a negative answer.
    pub ttl: i64,
}

pub(super) static HTTP_META: Meta = Meta {
    name: "servicediscovery.http_namespace",
    create: "create_http_namespace",
    operations: ("CreateHttpNamespace", "DeleteNamespace"),
    doc: "Makes a Cloud Map namespace whose services are found by API calls only.\n\nSee the \
          [Cloud Map reference](https://docs.aws.amazon.com/cloud-map/latest/api/API_CreateHttpNamespace.html).",
    identity: TOKEN,
    usual: (Duration::from_secs(5), Duration::from_secs(5)),
    cost: None,
    replaces: false,
    shared: false,
};

pub(super) static PRIVATE_META: Meta = Meta {
    name: "servicediscovery.private_dns_namespace",
    create: "create_private_dns_namespace",
    operations: ("CreatePrivateDnsNamespace", "DeleteNamespace"),
    doc: "Makes a Cloud Map namespace whose services are found by DNS in a VPC; Cloud Map makes the private hosted zone.\n\nSee the \
          [Cloud Map reference](https://docs.aws.amazon.com/cloud-map/latest/api/API_CreatePrivateDnsNamespace.html).",
    identity: TOKEN,
    usual: (Duration::from_secs(40), Duration::from_secs(20)),
    cost: Some("hosted zone"),
    replaces: false,
    shared: false,
};

/// The kind `servicediscovery.http_namespace`.
pub static HTTP: Row = Row {
    meta: &HTTP_META,
    schema: input::schema::<Http>,
    check: input::check::<Http>,
    locator: &["name"],
    along: &["id", "operation_id"],
    parents: &[],
    judge: operation::judge,
    differences: unordered,
    sim: &HTTP_SIM,
};

/// The kind `servicediscovery.private_dns_namespace`.
pub static PRIVATE_DNS: Row = Row {
    meta: &PRIVATE_META,
    schema: input::schema::<PrivateDns>,
    check: input::check::<PrivateDns>,
    locator: &["name"],
    along: &["id", "operation_id"],
    parents: &["vpc"],
    judge: operation::judge,
    differences: unordered,
    sim: &PRIVATE_SIM,
};

static HTTP_SIM: Simple = Simple {
    prefix: "ns-",
    unique: (&["name"], "NamespaceAlreadyExists"),
    state_field: "operation_status",
    states: ("PENDING", "SUCCESS", ""),
    token: true,
    missing: "NamespaceNotFound",
    describe: |_, call, id| {
        let mut body = described(call, id, "HTTP", 5_000);
        body["properties"] = json!({ "http_properties": { "http_name": call.text("name") } });
        body
    },
    check_delete: no_services,
    ..Simple::DEFAULT
};

static PRIVATE_SIM: Simple = Simple {
    prefix: "ns-",
    unique: (&["name", "vpc"], "NamespaceAlreadyExists"),
    state_field: "operation_status",
    states: ("PENDING", "SUCCESS", ""),
    token: true,
    missing: "NamespaceNotFound",
    check: |world, call| match world.get("ec2.vpc", &call.place.region, call.text("vpc"), call.now_ms) {
        Some(_) => Ok(()),
        None => Err(CallError::refused("InvalidInput", format!("The VPC {} does not exist", call.text("vpc")))),
    },
    describe: |_, call, id| described(call, id, "DNS_PRIVATE", 40_000),
    made: zone,
    check_delete: no_services,
    ..Simple::DEFAULT
};

fn described(call: &SimCall<'_>, id: &str, kind: &str, takes_ms: i64) -> Value {
    json!({
        "name": call.text("name"), "type": kind, "creator_request_id": call.token,
        "arn": format!("arn:aws:servicediscovery:{}:{}:namespace/{id}", call.place.region, call.account),
        "operation_id": operation_id(call.token, call.now_ms + takes_ms),
    })
}

/// Cloud Map makes a private zone of the same name.
fn zone(world: &mut World, call: &SimCall<'_>, namespace: &Object) {
    let id = world.new_id("Z");
    let name = format!("{}.", body(namespace, "name"));
    let vpc = json!({ "vpc_id": body(namespace, "vpc"), "vpc_region": call.place.region });
    let zone = json!({
        "id": id, "name": name, "arn": format!("arn:aws:route53:::hostedzone/{id}"), "config": { "private_zone": true },
        "vpcs": [vpc], "caller_reference": format!("cloudmap/{}", namespace.id), "name_servers": [],
    });
    world.put(owned("route53.hosted_zone", "", &id, namespace, zone, Vec::new()));
    world.change(PRIVATE_META.name, &call.place.region, &namespace.id, |object| {
        object.body["properties"] = json!({
            "dns_properties": { "hosted_zone_id": id, "soa": { "ttl": 15 } },
            "http_properties": { "http_name": name.trim_end_matches('.') },
        });
    });
}

fn no_services(world: &World, call: &SimCall<'_>, namespace: &Object) -> Result<(), CallError> {
    let mut services =
        having(world, service::META.name, &call.place.region, call.now_ms, "namespace_id", &namespace.id);
    match services.next() {
        None => Ok(()),
        Some(service) => {
            let text = format!("Namespace has not been cleaned up: it has the service {}", body(service, "name"));
            let hint = format!("held by servicediscovery.service {} ({})", service.id, body(service, "name"));
            Err(CallError::new(ErrorClass::Blocked, "ResourceInUse", text).hint(hint))
        }
    }
}

/// Every namespace of the call's region, with its kind.
pub(super) fn all<'w>(world: &'w World, call: &SimCall<'_>) -> impl Iterator<Item = &'w Object> + use<'w> {
    let (place, now) = (call.place.region.clone(), call.now_ms);
    [HTTP_META.name, PRIVATE_META.name].into_iter().flat_map(move |kind| world.list(kind, &place, now))
}

/// A namespace by id.
///
/// # Errors
/// NamespaceNotFound.
pub(super) fn named<'w>(world: &'w World, call: &SimCall<'_>, id: &str) -> Result<&'w Object, CallError> {
    all(world, call)
        .find(|namespace| namespace.id == id)
        .ok_or_else(|| CallError::not_found("NamespaceNotFound", format!("Namespace {id} not found")))
}

/// Nothing is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {}

/// `servicediscovery.list_namespaces`.
pub static LIST: Operation = Operation {
    name: "servicediscovery.list_namespaces",
    operation: "ListNamespaces",
    doc: "Lists the namespaces of the region, as `#{namespaces: [...]}`: maps with `id`, `arn`, `name`, `type` (HTTP, DNS_PRIVATE, \
          DNS_PUBLIC) and `description`.\n\nSee the \
          [Cloud Map reference](https://docs.aws.amazon.com/cloud-map/latest/api/API_ListNamespaces.html).",
    class: Class::Read,
    schema: input::schema::<List>,
    check: input::check::<List>,
    token: None,
    settle: None,
    sim: |world, call| {
        let summary = |namespace: &Object| {
            let kind = if namespace.kind == HTTP_META.name { "HTTP" } else { "DNS_PRIVATE" };
            json!({ "id": namespace.id, "arn": body(namespace, "arn"), "name": body(namespace, "name"), "type": kind })
        };
        Ok(json!({ "namespaces": all(world, call).map(summary).collect::<Value>() }))
    },
};

/// Which namespace goes.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// Its id.
    pub id: String,
}

/// `servicediscovery.delete_namespace`.
pub static DELETE: Operation = Operation {
    name: "servicediscovery.delete_namespace",
    operation: "DeleteNamespace",
    doc: "Deletes a namespace that this run does not own (a controller made it) and waits until it is gone. It must have no \
          services.\n\nSee the [Cloud Map reference](https://docs.aws.amazon.com/cloud-map/latest/api/API_DeleteNamespace.html).",
    class: Class::Delete,
    schema: input::schema::<Delete>,
    check: input::check::<Delete>,
    token: None,
    settle: Some(operation::SETTLE),
    sim: |world, call| {
        let kind = if named(world, call, call.text("id"))?.kind == HTTP_META.name { &HTTP } else { &PRIVATE_DNS };
        let takes = i64::try_from(kind.meta.usual.1.as_millis()).unwrap_or_default();
        let kind: &dyn Kind = kind;
        kind.sim().delete(kind, world, call, None)?;
        Ok(json!({ "operation_id": operation_id(call.token, call.now_ms + takes) }))
    },
};
