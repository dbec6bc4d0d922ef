//! `eks.addon`: an add-on that EKS manages in a cluster.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Health, Identity, Meta},
    sandbox::{
        sim::{Failing, Ref, SimCall, Simple},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{cluster, cluster_sim, nodegroup, versions};
use crate::{
    row::{Difference, Row, text, unordered},
    simulate::{body, digits, having},
};

/// What makes an add-on. See <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAddon.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The cluster's name.
    pub cluster_name: String,
    /// The add-on's name, e.g. `vpc-cni`.
    pub addon_name: String,
    /// The version; EKS's default for the cluster's version when left out.
    pub addon_version: Option<String>,
    /// ARN of the role for the add-on's service account.
    pub service_account_role_arn: Option<String>,
    /// What happens to settings that stand already: `NONE`, `OVERWRITE` or `PRESERVE`.
    pub resolve_conflicts: Option<String>,
    /// The add-on's own settings: JSON or YAML text.
    pub configuration_values: Option<String>,
}

pub(super) static META: Meta = Meta {
    name: "eks.addon",
    create: "create_addon",
    operations: ("CreateAddon", "DeleteAddon"),
    doc: "Makes an EKS add-on and waits until it is ACTIVE.\n\nAn add-on whose pods find no node is DEGRADED and is waited for. See \
          the [EKS reference](https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAddon.html).",
    identity: Identity::Token { field: "client_request_token", safe: Duration::from_secs(12 * 3600), key: true },
    usual: (Duration::from_secs(45), Duration::from_secs(20)),
    cost: None,
    replaces: false,
    shared: false,
};

/// The kind.
pub static KIND: Row = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: |value| {
        input::check::<Input>(value)?;
        check_conflicts(value)
    },
    locator: &["cluster_name", "addon_name"],
    along: &[],
    parents: &["eks.cluster cluster_name", "service_account_role_arn"],
    judge: |described| match text(described, "status") {
        "UPDATE_FAILED" => Health::Ready,
        _ => cluster::judge(described),
    },
    differences,
    sim: &SIM,
};

/// Refuses a word that `resolve_conflicts` does not know.
pub(super) fn check_conflicts(value: &Value) -> Result<(), InputError> {
    match text(value, "resolve_conflicts") {
        "" | "NONE" | "OVERWRITE" | "PRESERVE" => Ok(()),
        other => Err(InputError::new(
            "resolve_conflicts",
            format!("must be one of NONE, OVERWRITE, PRESERVE, not {other:?}"),
        )),
    }
}

/// `resolve_conflicts` says how to create or change, not what is.
pub(super) fn differences(input: &Value, described: &Value) -> Vec<Difference> {
    let mut input = input.clone();
    if let Value::Object(map) = &mut input {
        map.remove("resolve_conflicts");
    }
    unordered(&input, described)
}

static SIM: Simple = Simple {
    id: |call| format!("{}/{}", call.text("cluster_name"), call.text("addon_name")),
    refs: &[Ref { field: "cluster_name", kind: "eks.cluster", missing: "ResourceNotFoundException", owned: true }],
    unique: (&["cluster_name", "addon_name"], "ResourceInUseException"),
    state_field: "status",
    states: ("CREATING", "ACTIVE", "DELETING"),
    token: true,
    failing: Some(Failing {
        state: "CREATE_FAILED",
        words: |_| {
            let conflict = "Conflicts found when trying to apply. Will not continue due to resolve conflicts mode.";
            cluster_sim::issue("ConfigurationConflict", conflict)
        },
    }),
    missing: "ResourceNotFoundException",
    check,
    describe: |world, call, id| {
        let name = call.text("addon_name");
        let arn = format!("arn:aws:eks:{}:{}:addon/{id}/{}", call.place.region, call.account, digits(call.token, 32));
        let kubernetes =
            cluster_sim::named(world, call, "cluster_name").map_or(versions::DEFAULT, |c| body(c, "version"));
        let asked = call.input.get("addon_version").and_then(Value::as_str).map(str::to_owned);
        let version = asked.or_else(|| versions::default_addon(name, kubernetes));
        json!({ "name": name, "arn": arn, "addon_version": version, "health": { "issues": [] } })
    },
    made,
    ..Simple::DEFAULT
};

/// Refuses an add-on, a version or a role that EKS or IAM does not know.
pub(super) fn check(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    let cluster = cluster_sim::active(world, call)?;
    let (name, version, kubernetes) = (call.text("addon_name"), call.text("addon_version"), body(cluster, "version"));
    if versions::default_addon(name, kubernetes).is_none() {
        return Err(CallError::refused(
            "InvalidParameterException",
            format!("Addon {name} specified is not supported"),
        ));
    }
    if !version.is_empty() && !versions::offers(name, kubernetes, version) {
        let text = format!("Addon version specified is not supported: {version} for Kubernetes {kubernetes}");
        return Err(CallError::refused("InvalidParameterException", text));
    }
    if call.text("service_account_role_arn").is_empty() {
        return Ok(());
    }
    cluster_sim::check_role(world, call, "service_account_role_arn")
}

/// Add-ons whose pods are Deployments: without a node they are DEGRADED.
const NEED_NODES: [&str; 3] = ["aws-ebs-csi-driver", "coredns", "metrics-server"];

fn made(world: &mut World, call: &SimCall<'_>, addon: &Object) {
    if call.doomed || !NEED_NODES.contains(&body(addon, "addon_name")) {
        return;
    }
    let region = call.place.region.as_str();
    let cluster = body(addon, "cluster_name");
    let nodes = having(world, nodegroup::META.name, region, call.now_ms, "cluster_name", cluster)
        .filter_map(|group| group.states.iter().find(|(_, state)| state == "ACTIVE").map(|(from, _)| *from))
        .min();
    world.change(META.name, region, &addon.id, |addon| {
        let Some((usual, _)) = addon.states.last().cloned() else { return };
        match nodes {
            Some(ready) if ready <= usual => {}
            Some(ready) => wait_for_nodes(addon, usual, Some(ready)),
            None => wait_for_nodes(addon, usual, None),
        }
    });
}

/// It is DEGRADED from `usual` on, and ACTIVE when the nodes are there.
fn wait_for_nodes(addon: &mut Object, usual: i64, ready: Option<i64>) {
    addon.states.pop();
    addon.states.push((usual, "DEGRADED".to_owned()));
    if let Some(ready) = ready {
        addon.states.push((ready.max(usual) + 15_000, "ACTIVE".to_owned()));
    }
}

/// The cluster's first nodes will be ready: what was DEGRADED recovers.
pub(super) fn nodes_come(world: &mut World, call: &SimCall<'_>, cluster: &str, ready: i64) {
    let region = call.place.region.as_str();
    let waiting: Vec<String> = having(world, META.name, region, call.now_ms, "cluster_name", cluster)
        .filter(|addon| addon.gone_at.is_none() && addon.states.last().is_some_and(|(_, state)| state == "DEGRADED"))
        .map(|addon| addon.id.clone())
        .collect();
    for id in waiting {
        world.change(META.name, region, &id, |addon| {
            let usual = addon.states.last().map_or(ready, |(from, _)| *from);
            wait_for_nodes(addon, usual, Some(ready));
        });
    }
}

/// Which add-on is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// The cluster's name.
    pub cluster_name: String,
    /// The add-on's name.
    pub addon_name: String,
}

/// `eks.describe_addon`.
pub static DESCRIBE: Operation = Operation {
    name: "eks.describe_addon",
    operation: "DescribeAddon",
    doc: "Describes an add-on.\n\nSee the [EKS reference](https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeAddon.html).",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: describe,
};

fn describe(world: &mut World, call: &SimCall<'_>) -> Result<Value, CallError> {
    cluster_sim::named(world, call, "cluster_name")?;
    described(world, call).ok_or_else(|| missing(call))
}

fn missing(call: &SimCall<'_>) -> CallError {
    let name = call.text("addon_name");
    CallError::not_found("ResourceNotFoundException", format!("No addon: {name} found in cluster."))
}

/// The add-on that a call names.
///
/// # Errors
/// ResourceNotFoundException.
pub(super) fn standing<'w>(world: &'w World, call: &SimCall<'_>) -> Result<&'w Object, CallError> {
    cluster_sim::named(world, call, "cluster_name")?;
    world.get(META.name, &call.place.region, &(SIM.id)(call), call.now_ms).ok_or_else(|| missing(call))
}

/// The description of the add-on that a call names.
pub(super) fn described(world: &World, call: &SimCall<'_>) -> Option<Value> {
    standing(world, call).ok().map(|addon| SIM.description(addon, call.now_ms))
}

/// The settings of an add-on go with it: alone they can only be put back.
pub(super) fn nothing_before() -> CallError {
    CallError::not_found("ResourceNotFoundException", "nothing stood before that could be put back")
}
