//! `servicediscovery.service`: a service in a namespace.

use std::time::Duration;

use runbook_modules::{
    error::{CallError, Class as ErrorClass},
    input,
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

use super::{REMEMBERED, instance, namespace};
use crate::{
    row::{Row, at_once, unordered},
    simulate::{body, having},
};

/// What makes a service. See <https://docs.aws.amazon.com/cloud-map/latest/api/API_CreateService.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name, unique in the namespace.
    pub name: String,
    /// The namespace's id.
    pub namespace_id: String,
    /// What it is for.
    pub description: Option<String>,
    /// The DNS records that registering an instance makes.
    pub dns_config: Option<DnsConfig>,
    /// A health that is set by calls.
    pub health_check_custom_config: Option<HealthCheck>,
}

/// DNS records.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnsConfig {
    /// `MULTIVALUE` or `WEIGHTED`.
    pub routing_policy: Option<String>,
    /// The records.
    pub dns_records: Vec<DnsRecord>,
}

/// A DNS record.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnsRecord {
    /// `A`, `AAAA`, `SRV` or `CNAME`.
    #[serde(rename = "type")]
    pub kind: String,
    /// For how many seconds resolvers keep it.
    pub ttl: i64,
}

/// A health that is set by calls.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// Always 1 by now.
    pub failure_threshold: Option<i32>,
}

pub(super) static META: Meta = Meta {
    name: "servicediscovery.service",
    create: "create_service",
    operations: ("CreateService", "DeleteService"),
    doc: "Makes a Cloud Map service.\n\nSee the \
          [Cloud Map reference](https://docs.aws.amazon.com/cloud-map/latest/api/API_CreateService.html).",
    identity: Identity::Token { field: "creator_request_id", safe: REMEMBERED, key: true },
    usual: (Duration::ZERO, Duration::ZERO),
    cost: None,
    replaces: false,
    shared: false,
};

/// The kind.
pub static KIND: Row = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    locator: &["id"],
    along: &[],
    parents: &["namespace_id"],
    judge: at_once,
    differences: unordered,
    sim: &SIM,
};

static SIM: Simple = Simple {
    prefix: "srv-",
    unique: (&["namespace_id", "name"], "ServiceAlreadyExists"),
    token: true,
    missing: "ServiceNotFound",
    check: |world, call| namespace::named(world, call, call.text("namespace_id")).map(|_| ()),
    describe: |_, call, id| {
        let arn = format!("arn:aws:servicediscovery:{}:{}:service/{id}", call.place.region, call.account);
        let kind = if call.input.get("dns_config").is_some_and(Value::is_object) { "DNS_HTTP" } else { "HTTP" };
        let mut described = json!({ "arn": arn, "type": kind, "creator_request_id": call.token });
        if kind == "DNS_HTTP" && crate::row::text(call.input, "dns_config.routing_policy").is_empty() {
            described["dns_config"] = json!({ "routing_policy": "MULTIVALUE" });
        }
        described
    },
    check_delete: |world, call, service| {
        let mut instances =
            having(world, instance::META.name, &call.place.region, call.now_ms, "service_id", &service.id);
        match instances.next() {
            None => Ok(()),
            Some(instance) => {
                let text = "Service contains registered instances; delete the instances before deleting the service";
                let hint = format!("held by servicediscovery.instance {}", instance.id);
                Err(CallError::new(ErrorClass::Blocked, "ResourceInUse", text).hint(hint))
            }
        }
    },
    ..Simple::DEFAULT
};

/// A service by id.
///
/// # Errors
/// ServiceNotFound.
pub(super) fn named<'w>(world: &'w World, call: &SimCall<'_>, id: &str) -> Result<&'w Object, CallError> {
    world
        .get(META.name, &call.place.region, id, call.now_ms)
        .ok_or_else(|| CallError::not_found("ServiceNotFound", format!("Service {id} not found")))
}

/// Which services are asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only those of this namespace.
    pub namespace_id: Option<String>,
}

/// `servicediscovery.list_services`.
pub static LIST: Operation = Operation {
    name: "servicediscovery.list_services",
    operation: "ListServices",
    doc: "Lists services, as `#{services: [...]}`: maps with `id`, `arn`, `name` and `description`.\n\nSee the \
          [Cloud Map reference](https://docs.aws.amazon.com/cloud-map/latest/api/API_ListServices.html).",
    class: Class::Read,
    schema: input::schema::<List>,
    check: input::check::<List>,
    token: None,
    settle: None,
    sim: |world, call| {
        let namespace = call.text("namespace_id");
        let all = world.list(META.name, &call.place.region, call.now_ms);
        let summary =
            |o: &Object| json!({ "id": o.id, "arn": body(o, "arn"), "name": body(o, "name"), "type": body(o, "type") });
        let wanted = all.filter(|o| namespace.is_empty() || body(o, "namespace_id") == namespace);
        Ok(json!({ "services": wanted.map(summary).collect::<Value>() }))
    },
};

/// Which service goes.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// Its id.
    pub id: String,
}

/// `servicediscovery.delete_service`.
pub static DELETE: Operation = Operation {
    name: "servicediscovery.delete_service",
    operation: "DeleteService",
    doc: "Deletes a service that this run does not own (a controller made it). It must have no instances.\n\nSee the \
          [Cloud Map reference](https://docs.aws.amazon.com/cloud-map/latest/api/API_DeleteService.html).",
    class: Class::Delete,
    schema: input::schema::<Delete>,
    check: input::check::<Delete>,
    token: None,
    settle: None,
    sim: |world, call| {
        SIM.delete(&KIND as &dyn Kind, world, call, None)?;
        Ok(json!({}))
    },
};
