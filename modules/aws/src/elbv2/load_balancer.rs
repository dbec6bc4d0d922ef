//! `elbv2.load_balancer`: an application or network load balancer; `describe_load_balancers`, `delete_load_balancer`.

use std::{collections::BTreeMap, time::Duration};

use runbook_modules::{
    error::CallError,
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Identity, Kind, Meta},
    sandbox::{
        balancers::{LOAD_BALANCER, build::hosted_zone},
        clock_text::rfc3339,
        sim::{Failing, Ref, Sim, SimCall, Simple},
        simple::begin_deletion,
        world::{Object, World, key},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{tags::carries, target_group};
use crate::{
    row::{Difference, Row, judge_state, text, unordered},
    simulate::{body, digits},
};

/// Input of `create_load_balancer`.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its name: at most 32 letters, digits and hyphens, not beginning with `internal-`.
    pub name: String,
    /// Ids of the subnets, one for each zone. An application load balancer needs two.
    pub subnets: Vec<String>,
    /// Ids of security groups; the VPC's default one without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_groups: Option<Vec<String>>,
    /// `internet-facing` (AWS's default) or `internal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// `application` (AWS's default) or `network`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `ipv4` (AWS's default) or `dualstack`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address_type: Option<String>,
}

pub(super) static META: Meta = Meta {
    name: LOAD_BALANCER,
    create: "create_load_balancer",
    operations: ("CreateLoadBalancer", "DeleteLoadBalancer"),
    doc: "Makes a load balancer and waits until it is active.\n\nIts network interfaces outlive its deletion for a while, and hold \
          the subnets and security groups. \
          [CreateLoadBalancer](https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html)",
    identity: Identity::Key,
    usual: (Duration::from_secs(150), Duration::from_secs(5)),
    cost: Some("load balancer"),
    replaces: false,
    shared: false,
};

/// The kind.
pub static KIND: Row = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check,
    locator: &["load_balancer_arn"],
    along: &[],
    parents: &["subnets", "security_groups"],
    judge: |described| {
        let reason = described.pointer("/state/reason");
        judge_state(text(described, "state.code"), reason, &["active", "active_impaired"], &["failed"], &[])
    },
    differences,
    sim: &SIM,
};

fn check(value: &Value) -> Result<(), InputError> {
    let typed: Input = input::parse(value)?;
    name("name", &typed.name)?;
    let kind = typed.kind.as_deref().unwrap_or("application");
    if !matches!(kind, "application" | "network") {
        return Err(InputError::new("type", "must be application or network"));
    }
    match (kind, typed.subnets.len()) {
        (_, 0) => Err(InputError::new("subnets", "must name a subnet")),
        ("application", 1) => {
            Err(InputError::new("subnets", "an application load balancer needs two subnets, in two zones"))
        }
        _ => Ok(()),
    }
}

/// The rule for names of load balancers and target groups.
pub(super) fn name(field: &str, name: &str) -> Result<(), InputError> {
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    match !name.is_empty() && name.len() <= 32 && letters && !name.starts_with('-') && !name.ends_with('-') {
        true => Ok(()),
        false => Err(InputError::new(field, "must be 1 to 32 letters, digits or hyphens, no hyphen at the ends")),
    }
}

/// The input names subnets, the description lists zones with their subnets.
fn differences(input: &Value, described: &Value) -> Vec<Difference> {
    let zones = described.get("availability_zones").and_then(Value::as_array).into_iter().flatten();
    let subnets: Value = zones.filter_map(|zone| zone.get("subnet_id")).cloned().collect();
    let mut described = described.clone();
    if let Value::Object(map) = &mut described {
        map.insert("subnets".to_owned(), subnets);
    }
    unordered(input, &described)
}

static SIM: Simple = Simple {
    id: |call| {
        let letters = if call.text("type") == "network" { "net" } else { "app" };
        arn(call, &format!("loadbalancer/{letters}/{}/{}", call.text("name"), digits(call.token, 16)))
    },
    refs: &[
        Ref { field: "subnets", kind: "ec2.subnet", missing: "SubnetNotFound", owned: false },
        Ref { field: "security_groups", kind: "ec2.security_group", missing: "InvalidSecurityGroup", owned: false },
    ],
    unique: (&["name"], "DuplicateLoadBalancerName"),
    state_field: "state.code",
    states: ("provisioning", "active", ""),
    failing: Some(Failing {
        state: "failed",
        words: |_| json!({ "state": { "reason": "There are not enough free IP addresses in a subnet to provision the load balancer" } }),
    }),
    blocked: "ResourceInUse",
    missing: "LoadBalancerNotFound",
    repeats: true,
    check: refuse,
    describe: |world, call, id| {
        let region = &call.place.region;
        let network = call.text("type") == "network";
        let subnets: Vec<&Object> = subnets(world, call).collect();
        let zone = |o: &&Object| json!({ "zone_name": o.body["availability_zone"], "subnet_id": o.id });
        let given = |field: &str, otherwise: &str| match call.text(field) {
            "" => otherwise.to_owned(),
            text => text.to_owned(),
        };
        let unique = digits(call.token, 10);
        let host = if network { format!("elb.{region}") } else { format!("{region}.elb") };
        let hidden = if call.text("scheme") == "internal" { "internal-" } else { "" };
        json!({
            "arn": id, "load_balancer_arn": id, "load_balancer_name": call.text("name"),
            "dns_name": format!("{hidden}{}-{unique}.{host}.amazonaws.com", call.text("name")),
            "canonical_hosted_zone_id": hosted_zone(region, network), "created_time": rfc3339(call.now_ms),
            "scheme": given("scheme", "internet-facing"), "type": given("type", "application"),
            "ip_address_type": given("ip_address_type", "ipv4"),
            "vpc_id": subnets.first().map(|o| body(o, "vpc_id")),
            "availability_zones": subnets.iter().map(zone).collect::<Value>(),
        })
    },
    made: |world, call, made| {
        let subnets: Vec<String> = subnets(world, call).map(Object::key).collect();
        for subnet in subnets {
            interface(world, call, made, &subnet);
        }
    },
    deleted: |world, call, gone| {
        let about = interfaces_of(&gone.id);
        let left: Vec<String> = world
            .list("ec2.network_interface", &call.place.region, call.now_ms)
            .filter(|o| body(o, "description") == about)
            .map(Object::key)
            .collect();
        for key in left {
            begin_deletion(world, &key, call.now_ms, "", call.now_ms + INTERFACES_GONE_MS);
        }
        target_group::note_senders(world, call);
    },
    // One that does not exist is no error.
    delete_other: |_, _| Some(Ok(())),
    ..Simple::DEFAULT
};

fn refuse(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    let name = call.text("name");
    if name.starts_with("internal-") {
        let text = format!("Load balancer name '{name}' cannot begin with 'internal-'");
        return Err(CallError::refused("ValidationError", text));
    }
    let zones: Vec<&str> = subnets(world, call).map(|subnet| body(subnet, "availability_zone")).collect();
    let mut once = zones.clone();
    once.sort_unstable();
    once.dedup();
    if once.len() < zones.len() {
        let text = "A load balancer cannot be attached to multiple subnets in the same Availability Zone";
        return Err(CallError::refused("InvalidConfigurationRequest", text));
    }
    Ok(())
}

/// From the end of a load balancer to that of its network interfaces.
const INTERFACES_GONE_MS: i64 = 30_000;

/// An ARN of the service.
pub(super) fn arn(call: &SimCall<'_>, rest: &str) -> String {
    format!("arn:aws:elasticloadbalancing:{}:{}:{rest}", call.place.region, call.account)
}

fn subnets<'w>(world: &'w World, call: &SimCall<'_>) -> impl Iterator<Item = &'w Object> {
    let (region, now) = (call.place.region.clone(), call.now_ms);
    let ids = call.input.get("subnets").and_then(Value::as_array).cloned().unwrap_or_default();
    ids.into_iter().filter_map(move |id| world.get("ec2.subnet", &region, id.as_str()?, now))
}

/// What AWS writes into the description of a load balancer's interfaces: `ELB net/NAME/ID`.
fn interfaces_of(arn: &str) -> String {
    format!("ELB {}", arn.rsplit_once(":loadbalancer/").map_or(arn, |(_, rest)| rest))
}

fn interface(world: &mut World, call: &SimCall<'_>, balancer: &Object, subnet: &str) {
    let id = world.new_id("eni-");
    let region = &call.place.region;
    let Some(subnet) = world.by_key(subnet).cloned() else { return };
    let groups = call.input.get("security_groups").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut refs = vec![subnet.key()];
    refs.extend(groups.iter().filter_map(Value::as_str).map(|id| key("ec2.security_group", region, id)));
    world.put(Object {
        kind: "ec2.network_interface".to_owned(),
        place: region.clone(),
        id: id.clone(),
        body: json!({
            "id": id, "network_interface_id": id, "subnet_id": subnet.id, "vpc_id": subnet.body["vpc_id"],
            "description": interfaces_of(&balancer.id), "requester_managed": true,
            "groups": groups.iter().map(|group| json!({ "group_id": group })).collect::<Value>(),
        }),
        tags: BTreeMap::new(),
        token: String::new(),
        input: Value::Null,
        refs,
        owner: None,
        states: vec![(call.now_ms, "in-use".to_owned())],
        gone_at: None,
    });
}

/// Input of `describe_load_balancers`.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeLoadBalancers.html>
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these ARNs; one that does not exist is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancer_arns: Option<Vec<String>>,
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

/// The simulated load balancers that a describe call asks for.
///
/// # Errors
/// LoadBalancerNotFound.
pub(super) fn described(world: &World, call: &SimCall<'_>, asked: &Describe) -> Result<Vec<Value>, CallError> {
    let all = world.list(META.name, &call.place.region, call.now_ms);
    let mut found: Vec<Value> = all.map(|object| SIM.description(object, call.now_ms)).collect();
    for (field, wanted) in [("load_balancer_arn", &asked.load_balancer_arns), ("load_balancer_name", &asked.names)] {
        let Some(wanted) = wanted.as_ref().filter(|wanted| !wanted.is_empty()) else { continue };
        if let Some(none) = wanted.iter().find(|one| !found.iter().any(|o| text(o, field) == one.as_str())) {
            return Err(CallError::not_found("LoadBalancerNotFound", format!("Load balancers '[{none}]' not found")));
        }
        found.retain(|o| wanted.iter().any(|one| text(o, field) == one));
    }
    found.retain(|described| asked.keeps(described));
    Ok(found)
}

/// The operation `elbv2.describe_load_balancers`.
pub static DESCRIBE: Operation = Operation {
    name: "elbv2.describe_load_balancers",
    operation: "DescribeLoadBalancers",
    doc: "Lists load balancers with their tags, as `#{load_balancers: [...]}`. `vpc_id` and `tags` are ours: AWS has no such filters. \
          [DescribeLoadBalancers](https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeLoadBalancers.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| {
        let asked = Describe::deserialize(call.input).unwrap_or_default();
        Ok(json!({ "load_balancers": described(world, call, &asked)? }))
    },
};

/// Input of `delete_load_balancer`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// Its ARN.
    pub load_balancer_arn: String,
}

/// The operation `elbv2.delete_load_balancer`.
pub static DELETE: Operation = Operation {
    name: "elbv2.delete_load_balancer",
    operation: "DeleteLoadBalancer",
    doc: "Deletes a load balancer that this run does not own (a controller made it), with its listeners. One that is gone is no error. \
          [DeleteLoadBalancer](https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteLoadBalancer.html)",
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
