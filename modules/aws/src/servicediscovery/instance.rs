//! `servicediscovery.instance`: an instance registered with a service, and finding instances.

use std::{collections::BTreeMap, time::Duration};

use runbook_modules::{
    error::CallError,
    input,
    operation::{Class, Operation},
    resource::{Identity, Kind, Meta},
    sandbox::{
        sim::{Ref, Sim, SimCall, Simple},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{REMEMBERED, namespace, operation, service};
use crate::{
    row::{Row, unordered},
    simulate::{Upsert, body, having, operation_id},
};

/// What registers an instance. See <https://docs.aws.amazon.com/cloud-map/latest/api/API_RegisterInstance.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The service's id.
    pub service_id: String,
    /// The instance's id, unique in the service.
    pub instance_id: String,
    /// What is known of it, e.g. `AWS_INSTANCE_IPV4`, `AWS_INSTANCE_PORT`.
    pub attributes: BTreeMap<String, String>,
}

pub(super) static META: Meta = Meta {
    name: "servicediscovery.instance",
    create: "register_instance",
    operations: ("RegisterInstance", "DeregisterInstance"),
    doc: "Registers an instance with a service and waits until that is done.\n\nAn instance of the same id is replaced, and put back \
          when the run is undone. See the \
          [Cloud Map reference](https://docs.aws.amazon.com/cloud-map/latest/api/API_RegisterInstance.html).",
    identity: Identity::Token { field: "creator_request_id", safe: REMEMBERED, key: false },
    usual: (Duration::from_secs(5), Duration::from_secs(5)),
    cost: None,
    replaces: true,
    shared: false,
};

/// The kind.
pub static KIND: Row<Upsert> = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    locator: &["service_id", "instance_id"],
    along: &["operation_id"],
    parents: &["service_id"],
    judge: operation::judge,
    differences: unordered,
    sim: &SIM,
};

static SIM: Upsert = Upsert(Simple {
    id: |call| format!("{}/{}", call.text("service_id"), call.text("instance_id")),
    refs: &[Ref { field: "service_id", kind: "servicediscovery.service", missing: "ServiceNotFound", owned: false }],
    state_field: "operation_status",
    states: ("PENDING", "SUCCESS", ""),
    missing: "InstanceNotFound",
    check: has_what_the_records_need,
    describe: |_, call, _| json!({ "operation_id": operation_id(call.token, call.now_ms + 5_000) }),
    taggable: false,
    ..Simple::DEFAULT
});

/// Record types, and the attributes of which an instance needs one for such a record.
const NEEDED: [(&str, &[&str]); 4] = [
    ("A", &["AWS_INSTANCE_IPV4", "AWS_ALIAS_DNS_NAME", "AWS_EC2_INSTANCE_ID"]),
    ("AAAA", &["AWS_INSTANCE_IPV6", "AWS_ALIAS_DNS_NAME"]),
    ("CNAME", &["AWS_INSTANCE_CNAME"]),
    ("SRV", &["AWS_INSTANCE_PORT"]),
];

fn has_what_the_records_need(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    let service = service::named(world, call, call.text("service_id"))?;
    let records = service.body.pointer("/dns_config/dns_records").and_then(Value::as_array);
    let has = |name: &&str| call.input.get("attributes").is_some_and(|attributes| attributes.get(*name).is_some());
    for kind in records.into_iter().flatten().map(|record| crate::row::text(record, "type")) {
        let needed = NEEDED.iter().find(|(known, _)| *known == kind).map_or(&[][..], |(_, needed)| needed);
        if let (Some(first), false) = (needed.first(), needed.iter().any(has)) {
            let text = format!("Attributes: {first} is needed for the {kind} record of service {}", service.id);
            return Err(CallError::refused("InvalidInput", text));
        }
    }
    Ok(())
}

/// Whose instances are asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The service's id.
    pub service_id: String,
}

/// `servicediscovery.list_instances`.
pub static LIST: Operation = Operation {
    name: "servicediscovery.list_instances",
    operation: "ListInstances",
    doc: "Lists the instances of a service, as `#{instances: [...]}`: maps with `id` and `attributes`.\n\nSee the \
          [Cloud Map reference](https://docs.aws.amazon.com/cloud-map/latest/api/API_ListInstances.html).",
    class: Class::Read,
    schema: input::schema::<List>,
    check: input::check::<List>,
    token: None,
    settle: None,
    sim: |world, call| {
        let service = service::named(world, call, call.text("service_id"))?.id.clone();
        let instances = having(world, META.name, &call.place.region, call.now_ms, "service_id", &service);
        let summary = |o: &Object| json!({ "id": instance_id(o), "attributes": o.body["attributes"] });
        Ok(json!({ "instances": instances.map(summary).collect::<Value>() }))
    },
};

/// The instance's own id: a controller's object has it in `id`.
fn instance_id(object: &Object) -> &str {
    match body(object, "instance_id") {
        "" => object.id.rsplit('/').next().unwrap_or_default(),
        id => id,
    }
}

/// Which instances are looked for. See <https://docs.aws.amazon.com/cloud-map/latest/api/API_DiscoverInstances.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Discover {
    /// The namespace's name.
    pub namespace_name: String,
    /// The service's name.
    pub service_name: String,
    /// Attributes that they must have.
    pub query_parameters: Option<BTreeMap<String, String>>,
    /// `HEALTHY`, `UNHEALTHY`, `ALL` or `HEALTHY_OR_ELSE_ALL`.
    pub health_status: Option<String>,
    /// At most so many.
    pub max_results: Option<i32>,
}

/// `servicediscovery.discover_instances`.
pub static DISCOVER: Operation = Operation {
    name: "servicediscovery.discover_instances",
    operation: "DiscoverInstances",
    doc: "Finds the instances of a service by names, as clients do, and answers `#{instances: [...]}`: maps with `instance_id`, \
          `namespace_name`, `service_name`, `health_status` and `attributes`.\n\nSee the \
          [Cloud Map reference](https://docs.aws.amazon.com/cloud-map/latest/api/API_DiscoverInstances.html).",
    class: Class::Read,
    schema: input::schema::<Discover>,
    check: input::check::<Discover>,
    token: None,
    settle: None,
    sim: discover,
};

fn discover(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let (space, name) = (call.text("namespace_name"), call.text("service_name"));
    let found = namespace::all(world, call).find(|namespace| body(namespace, "name") == space);
    let found =
        found.ok_or_else(|| CallError::not_found("NamespaceNotFound", format!("Namespace {space} not found")))?;
    let service = having(world, service::META.name, &call.place.region, call.now_ms, "namespace_id", &found.id)
        .find(|service| body(service, "name") == name)
        .ok_or_else(|| CallError::not_found("ServiceNotFound", format!("Service {name} not found")))?;
    let wanted = call.input.get("query_parameters").and_then(Value::as_object);
    let fits =
        |o: &&Object| wanted.into_iter().flatten().all(|(key, value)| o.body["attributes"].get(key) == Some(value));
    let most =
        call.input.get("max_results").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()).unwrap_or(100);
    let described = |o: &Object| {
        json!({
            "instance_id": instance_id(o), "namespace_name": space, "service_name": name, "health_status": "UNKNOWN",
            "attributes": o.body["attributes"],
        })
    };
    let instances = having(world, META.name, &call.place.region, call.now_ms, "service_id", &service.id);
    Ok(json!({ "instances": instances.filter(fits).take(most).map(described).collect::<Value>() }))
}

/// Which instance goes.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deregister {
    /// The service's id.
    pub service_id: String,
    /// The instance's id.
    pub instance_id: String,
}

/// `servicediscovery.deregister_instance`.
pub static DEREGISTER: Operation = Operation {
    name: "servicediscovery.deregister_instance",
    operation: "DeregisterInstance",
    doc: "Deregisters an instance that this run does not own (a controller registered it) and waits until that is done.\n\nSee the \
          [Cloud Map reference](https://docs.aws.amazon.com/cloud-map/latest/api/API_DeregisterInstance.html).",
    class: Class::Delete,
    schema: input::schema::<Deregister>,
    check: input::check::<Deregister>,
    token: None,
    settle: Some(operation::SETTLE),
    sim: deregister,
};

fn deregister(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let (service, wanted) =
        (service::named(world, call, call.text("service_id"))?.id.clone(), call.text("instance_id"));
    let found = having(world, META.name, &call.place.region, call.now_ms, "service_id", &service)
        .find(|object| instance_id(object) == wanted)
        .map(|object| object.id.clone());
    let id = found.ok_or_else(|| CallError::not_found("InstanceNotFound", format!("Instance {wanted} not found")))?;
    let at = json!({ "id": id });
    SIM.0.delete(&KIND as &dyn Kind, world, &SimCall { input: &at, ..*call }, None)?;
    Ok(json!({ "operation_id": operation_id(call.token, call.now_ms + 5_000) }))
}
