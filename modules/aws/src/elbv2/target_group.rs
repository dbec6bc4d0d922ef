//! `elbv2.target_group`: where a listener sends what comes in; `describe_target_groups`, `delete_target_group`.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Identity, Kind, Meta, same_fields},
    sandbox::{
        balancers::{LISTENER, TARGET_GROUP},
        sim::{Ref, Sim, SimCall, Simple},
        world::World,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    load_balancer::{arn, name},
    tags::carries,
};
use crate::{
    row::{Row, at_once, text},
    simulate::digits,
};

/// Input of `create_target_group`.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its name: at most 32 letters, digits and hyphens.
    pub name: String,
    /// `HTTP`, `HTTPS`, `TCP`, `TLS`, `UDP` or `TCP_UDP`.
    pub protocol: String,
    /// The port that the targets listen on.
    pub port: i32,
    /// The VPC of the targets.
    pub vpc_id: String,
    /// `instance` (AWS's default), `ip` or `alb`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_type: Option<String>,
    /// What health is asked with, when it is not the protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check_protocol: Option<String>,
    /// The path that health is asked at, for HTTP and HTTPS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check_path: Option<String>,
    /// The port that health is asked at; `traffic-port` without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check_port: Option<String>,
}

pub(super) static META: Meta = Meta {
    name: TARGET_GROUP,
    create: "create_target_group",
    operations: ("CreateTargetGroup", "DeleteTargetGroup"),
    doc: "Makes a target group. It cannot be deleted while a listener sends to it. \
          [CreateTargetGroup](https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html)",
    identity: Identity::Key,
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
        let typed: Input = input::parse(value)?;
        name("name", &typed.name)?;
        match ["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP"].contains(&typed.protocol.as_str()) {
            true => Ok(()),
            false => Err(InputError::new("protocol", "must be HTTP, HTTPS, TCP, TLS, UDP or TCP_UDP")),
        }
    },
    locator: &["target_group_arn"],
    along: &[],
    parents: &["vpc_id"],
    judge: at_once,
    differences: same_fields,
    sim: &SIM,
};

static SIM: Simple = Simple {
    id: |call| arn(call, &format!("targetgroup/{}/{}", call.text("name"), digits(call.token, 16))),
    refs: &[Ref { field: "vpc_id", kind: "ec2.vpc", missing: "InvalidConfigurationRequest", owned: false }],
    unique: (&["name"], "DuplicateTargetGroupName"),
    blocked: "ResourceInUse",
    missing: "TargetGroupNotFound",
    repeats: true,
    // One that does not exist is no error.
    delete_other: |_, _| Some(Ok(())),
    describe: |_, call, id| {
        let health = match (call.text("health_check_protocol"), call.text("protocol")) {
            ("", "HTTP" | "HTTPS") => "HTTP",
            ("", _) => "TCP",
            (asked, _) => asked,
        };
        let given = match call.text("target_type") {
            "" => "instance",
            kind => kind,
        };
        let mut described = json!({
            "arn": id, "target_group_arn": id, "target_group_name": call.text("name"), "target_type": given,
            "load_balancer_arns": [], "health_check_protocol": health,
            "health_check_port": match call.text("health_check_port") { "" => "traffic-port", port => port },
        });
        if health.starts_with("HTTP") && call.text("health_check_path").is_empty() {
            described["health_check_path"] = "/".into();
        }
        described
    },
    ..Simple::DEFAULT
};

/// Notes with every group which load balancers send to it: those of the listeners that stand.
pub(super) fn note_senders(world: &mut World, call: &SimCall<'_>) {
    let region = &call.place.region;
    let mut senders: BTreeMap<String, BTreeSet<String>> =
        world.list(META.name, region, call.now_ms).map(|group| (group.id.clone(), BTreeSet::new())).collect();
    for listener in world.list(LISTENER, region, call.now_ms).filter(|listener| listener.gone_at.is_none()) {
        for action in listener.body["default_actions"].as_array().into_iter().flatten() {
            if let Some(balancers) = senders.get_mut(text(action, "target_group_arn")) {
                balancers.insert(text(&listener.body, "load_balancer_arn").to_owned());
            }
        }
    }
    for (group, balancers) in senders {
        world.change(META.name, region, &group, |group| group.body["load_balancer_arns"] = json!(balancers));
    }
}

/// Input of `describe_target_groups`.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetGroups.html>
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only those of this load balancer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancer_arn: Option<String>,
    /// Only these ARNs; one that does not exist is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_group_arns: Option<Vec<String>>,
    /// Only these names; one that does not exist is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<String>>,
    /// Only those in this VPC. AWS itself has no such filter: all are read and these are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc_id: Option<String>,
    /// Only those with all of these tags. AWS itself has no such filter: all are read and these are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

impl Describe {
    /// Whether a description passes what AWS does not filter by.
    pub fn keeps(&self, described: &Value) -> bool {
        let here = self.vpc_id.as_deref().is_none_or(|vpc| text(described, "vpc_id") == vpc);
        here && carries(described, self.tags.as_ref())
    }
}

/// The operation `elbv2.describe_target_groups`.
pub static DESCRIBE: Operation = Operation {
    name: "elbv2.describe_target_groups",
    operation: "DescribeTargetGroups",
    doc: "Lists target groups with their tags, as `#{target_groups: [...]}`. `vpc_id` and `tags` are ours: AWS has no such filters. \
          [DescribeTargetGroups](https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetGroups.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| {
        let asked = Describe::deserialize(call.input).unwrap_or_default();
        let all = world.list(META.name, &call.place.region, call.now_ms);
        let mut found: Vec<Value> = all.map(|object| SIM.description(object, call.now_ms)).collect();
        for (field, wanted) in [("target_group_arn", &asked.target_group_arns), ("target_group_name", &asked.names)] {
            let Some(wanted) = wanted.as_ref().filter(|wanted| !wanted.is_empty()) else { continue };
            if let Some(none) = wanted.iter().find(|one| !found.iter().any(|o| text(o, field) == one.as_str())) {
                return Err(CallError::not_found("TargetGroupNotFound", format!("Target groups '{none}' not found")));
            }
            found.retain(|o| wanted.iter().any(|one| text(o, field) == one));
        }
        if let Some(balancer) = &asked.load_balancer_arn {
            let sends =
                |o: &Value| o["load_balancer_arns"].as_array().is_some_and(|l| l.contains(&balancer.as_str().into()));
            found.retain(sends);
        }
        found.retain(|described| asked.keeps(described));
        Ok(json!({ "target_groups": found }))
    },
};

/// Input of `delete_target_group`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// Its ARN.
    pub target_group_arn: String,
}

/// The operation `elbv2.delete_target_group`.
pub static DELETE: Operation = Operation {
    name: "elbv2.delete_target_group",
    operation: "DeleteTargetGroup",
    doc: "Deletes a target group that this run does not own (a controller made it). One that is gone is no error. \
          [DeleteTargetGroup](https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteTargetGroup.html)",
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
