//! `eks.access_entry`: a role or user that a cluster lets in.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    resource::{Identity, Meta},
    sandbox::{
        sim::{Ref, SimCall, Simple},
        world::World,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::cluster_sim;
use crate::{
    row::{Row, at_once, unordered},
    simulate::{body, digits},
};

/// What lets somebody in. See <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAccessEntry.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The cluster's name.
    pub cluster_name: String,
    /// ARN of the role or user; it has one entry in a cluster.
    pub principal_arn: String,
    /// `STANDARD`, or what nodes with this role are: `EC2_LINUX`, `EC2_WINDOWS`, `FARGATE_LINUX`, `EC2`, `HYBRID_LINUX`.
    pub r#type: Option<String>,
    /// Groups of Kubernetes that it belongs to; for STANDARD only.
    pub kubernetes_groups: Option<Vec<String>>,
    /// Its name in Kubernetes; for STANDARD only.
    pub username: Option<String>,
}

const TYPES: [&str; 6] = ["STANDARD", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "EC2", "HYBRID_LINUX"];

pub(super) static META: Meta = Meta {
    name: "eks.access_entry",
    create: "create_access_entry",
    operations: ("CreateAccessEntry", "DeleteAccessEntry"),
    doc: "Lets a role or user into a cluster.\n\nThe cluster's authentication mode must know access entries: `API` or \
          `API_AND_CONFIG_MAP`. See the \
          [EKS reference](https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAccessEntry.html).",
    identity: Identity::Token { field: "client_request_token", safe: Duration::from_secs(12 * 3600), key: true },
    usual: (Duration::ZERO, Duration::ZERO),
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
        let kind = typed.r#type.as_deref().unwrap_or("STANDARD");
        if !TYPES.contains(&kind) {
            return Err(InputError::new("type", format!("must be one of {}, not {kind:?}", TYPES.join(", "))));
        }
        let named = typed.username.is_some() || typed.kubernetes_groups.is_some_and(|groups| !groups.is_empty());
        if kind != "STANDARD" && named {
            return Err(InputError::new(
                "username",
                format!("EKS names nodes itself: no username or groups with type {kind}"),
            ));
        }
        Ok(())
    },
    locator: &["cluster_name", "principal_arn"],
    along: &[],
    parents: &["eks.cluster cluster_name", "principal_arn"],
    judge: at_once,
    differences: unordered,
    sim: &SIM,
};

static SIM: Simple = Simple {
    id: |call| format!("{}/{}", call.text("cluster_name"), call.text("principal_arn")),
    refs: &[Ref { field: "cluster_name", kind: "eks.cluster", missing: "ResourceNotFoundException", owned: true }],
    unique: (&["cluster_name", "principal_arn"], "ResourceInUseException"),
    token: true,
    missing: "ResourceNotFoundException",
    check,
    describe: |_, call, id| {
        let principal = call.text("principal_arn");
        let kind = call.input.get("type").and_then(serde_json::Value::as_str).unwrap_or("STANDARD");
        let username = match kind {
            "STANDARD" => session(principal),
            _ => "system:node:{{EC2PrivateDNSName}}".to_owned(),
        };
        let groups = if kind == "STANDARD" { json!([]) } else { json!(["system:nodes"]) };
        json!({
            "name": principal, "type": kind,
            "arn": format!("arn:aws:eks:{}:{}:access-entry/{id}/{}", call.place.region, call.account, digits(call.token, 32)),
            "username": call.input.get("username").cloned().unwrap_or_else(|| username.into()),
            "kubernetes_groups": call.input.get("kubernetes_groups").cloned().unwrap_or(groups),
        })
    },
    ..Simple::DEFAULT
};

/// What a principal is called in Kubernetes: a role by its sessions, without its path.
/// <https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html>
fn session(principal: &str) -> String {
    let role = principal.split_once(":role/").and_then(|(start, path)| Some((start, path.rsplit('/').next()?)));
    role.map_or_else(
        || principal.to_owned(),
        |(start, name)| format!("{}:assumed-role/{name}/{{{{SessionName}}}}", start.replacen(":iam:", ":sts:", 1)),
    )
}

fn check(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    let cluster = cluster_sim::active(world, call)?;
    if body(cluster, "access_config.authentication_mode") == "CONFIG_MAP" {
        let text = "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.";
        return Err(CallError::refused("InvalidRequestException", text));
    }
    let principal = call.text("principal_arn");
    let name = principal.rsplit('/').next().unwrap_or_default();
    let role = principal.contains(":role/");
    if role && world.get("iam.role", "", name, call.now_ms).is_none_or(|found| body(found, "arn") != principal) {
        let text = format!("The specified principalArn is invalid: invalid principal {principal}");
        return Err(CallError::refused("InvalidParameterException", text));
    }
    Ok(())
}
