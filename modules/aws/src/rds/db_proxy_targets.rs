//! `rds.db_proxy_targets`: the databases behind a proxy; and `describe_db_proxy_targets`.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Health, Identity, Meta, same_fields},
    sandbox::{
        sim::{Ref, SimCall, Simple},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{db_cluster, db_instance, db_proxy, simulate::texts};
use crate::{
    row::{Row, text},
    simulate::having,
};

/// What puts databases behind a proxy.
/// See <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RegisterDBProxyTargets.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The proxy.
    pub db_proxy_name: String,
    /// The target group; `default` is the only one that RDS has.
    #[serde(default = "default_group")]
    pub target_group_name: String,
    /// One instance, or none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub db_instance_identifiers: Vec<String>,
    /// One Aurora cluster, or none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub db_cluster_identifiers: Vec<String>,
}

fn default_group() -> String {
    "default".to_owned()
}

pub(super) static META: Meta = Meta {
    name: "rds.db_proxy_targets",
    create: "register_db_proxy_targets",
    operations: ("RegisterDBProxyTargets", "DeregisterDBProxyTargets"),
    doc: "Puts an instance or an Aurora cluster behind a proxy and waits until the proxy reaches it.\n\nSee the \
          [RDS reference](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RegisterDBProxyTargets.html).",
    identity: Identity::Key,
    usual: (Duration::from_secs(90), Duration::from_secs(5)),
    cost: None,
    replaces: false,
    shared: false,
};

/// The kind.
pub static KIND: Row = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        let typed = input::parse::<Input>(value)?;
        match (typed.db_instance_identifiers.len(), typed.db_cluster_identifiers.len()) {
            (1, 0) | (0, 1) => Ok(()),
            _ => Err(InputError::new(
                "",
                "a proxy takes one of db_instance_identifiers or one of db_cluster_identifiers",
            )),
        }
    },
    locator: &["db_proxy_name"],
    along: &["target_group_name", "db_instance_identifiers", "db_cluster_identifiers"],
    parents: &[
        "rds.db_proxy db_proxy_name",
        "rds.db_instance db_instance_identifiers",
        "rds.db_cluster db_cluster_identifiers",
    ],
    judge,
    differences: same_fields,
    sim: &SIM,
};

/// Usable when all targets are. AUTH_FAILURE and the like may heal: the secret may still come.
fn judge(described: &Value) -> Health {
    let state = text(described, "state");
    if state == "AVAILABLE" {
        return Health::Ready;
    }
    let targets = described.get("targets").and_then(Value::as_array).into_iter().flatten();
    let words = targets.flat_map(|target| ["reason", "description"].map(|field| text(&target["target_health"], field)));
    let words: Vec<&str> = [state].into_iter().chain(words).filter(|word| !word.is_empty()).collect();
    Health::Pending(words.join(": "))
}

static SIM: Simple = Simple {
    id: |call| {
        let named =
            [texts(call.input, "db_instance_identifiers"), texts(call.input, "db_cluster_identifiers")].concat();
        format!("{}/{}", call.text("db_proxy_name"), named.join(","))
    },
    refs: &[Ref { field: "db_proxy_name", kind: "rds.db_proxy", missing: "DBProxyNotFoundFault", owned: true }],
    unique: (&["db_proxy_name"], "DBProxyTargetAlreadyRegisteredFault"),
    state_field: "state",
    states: ("REGISTERING", "AVAILABLE", ""),
    missing: "DBProxyTargetNotFoundFault",
    check,
    describe: |_, call, _| {
        let group = if call.text("target_group_name").is_empty() { "default" } else { call.text("target_group_name") };
        json!({ "target_group_name": group, "targets": [] })
    },
    made,
    taggable: false,
    ..Simple::DEFAULT
};

fn check(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    let region = &call.place.region;
    let proxy = world.get(db_proxy::META.name, region, call.text("db_proxy_name"), call.now_ms);
    if let Some(proxy) = proxy.filter(|proxy| proxy.state(call.now_ms) != "available") {
        let text = format!("DB proxy {} is {}", proxy.id, proxy.state(call.now_ms));
        return Err(CallError::refused("InvalidDBProxyStateFault", text));
    }
    for id in texts(call.input, "db_instance_identifiers") {
        match world.get(db_instance::META.name, region, id, call.now_ms) {
            None => return Err(CallError::refused("DBInstanceNotFound", format!("DBInstance {id} not found."))),
            Some(found) if found.state(call.now_ms) != "available" => {
                let text = format!("DB instance {id} is {}", found.state(call.now_ms));
                return Err(CallError::refused("InvalidDBInstanceState", text));
            }
            Some(_) => {}
        }
    }
    for id in texts(call.input, "db_cluster_identifiers") {
        if world.get(db_cluster::META.name, region, id, call.now_ms).is_none() {
            return Err(CallError::refused("DBClusterNotFoundFault", format!("DBCluster {id} not found.")));
        }
    }
    Ok(())
}

fn made(world: &mut World, call: &SimCall<'_>, targets: &Object) {
    let region = call.place.region.as_str();
    let mut listed = Vec::new();
    for (field, kind, of) in [
        ("db_instance_identifiers", db_instance::META.name, "RDS_INSTANCE"),
        ("db_cluster_identifiers", db_cluster::META.name, "TRACKED_CLUSTER"),
    ] {
        for id in texts(call.input, field) {
            let found = world.get(kind, region, id, call.now_ms).map(|found| found.body["endpoint"].clone());
            let endpoint = found.map(|endpoint| endpoint.get("address").cloned().unwrap_or(endpoint));
            listed.push(json!({ "rds_resource_id": id, "type": of, "endpoint": endpoint }));
        }
    }
    world.change(META.name, region, &targets.id, |object| object.body["targets"] = listed.into());
}

/// Which targets are asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// The proxy.
    pub db_proxy_name: String,
}

/// `rds.describe_db_proxy_targets`.
pub static DESCRIBE: Operation = Operation {
    name: "rds.describe_db_proxy_targets",
    operation: "DescribeDBProxyTargets",
    doc: "Lists what stands behind a proxy, as `#{targets: [...]}`: maps with `rds_resource_id`, `type`, `endpoint` and \
          `target_health` (`state`, `reason`, `description`).\n\nSee the \
          [RDS reference](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBProxyTargets.html).",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: describe,
};

fn describe(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    let (name, region) = (call.text("db_proxy_name"), &call.place.region);
    if world.get(db_proxy::META.name, region, name, call.now_ms).is_none() {
        return Err(CallError::not_found("DBProxyNotFoundFault", format!("DBProxy {name} not found.")));
    }
    let mut all = Vec::new();
    for object in having(world, META.name, region, call.now_ms, "db_proxy_name", name) {
        for target in object.body["targets"].as_array().into_iter().flatten() {
            let mut target = target.clone();
            target["target_health"] = json!({ "state": object.state(call.now_ms) });
            all.push(target);
        }
    }
    Ok(json!({ "targets": all }))
}
