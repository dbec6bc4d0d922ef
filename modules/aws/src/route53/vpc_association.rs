//! `route53.vpc_association`: one more VPC that sees a private zone.

use std::time::Duration;

use runbook_modules::{
    error::{CallError, Class},
    input,
    resource::{Identity, Meta},
    sandbox::{
        sim::{Ref, SimCall, Simple},
        world::World,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{change, hosted_zone};
use crate::{
    row::{Difference, Row},
    simulate::{body, operation_id},
};

/// What associates a VPC. See <https://docs.aws.amazon.com/Route53/latest/APIReference/API_AssociateVPCWithHostedZone.html>.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The private zone.
    pub hosted_zone_id: String,
    /// The VPC.
    pub vpc: hosted_zone::Vpc,
    /// A comment.
    pub comment: Option<String>,
}

pub(super) static META: Meta = Meta {
    name: "route53.vpc_association",
    create: "associate_vpc_with_hosted_zone",
    operations: ("AssociateVPCWithHostedZone", "DisassociateVPCFromHostedZone"),
    doc: "Lets one more VPC see a private zone and waits until the change has come through.\n\nSee the \
          [Route 53 reference](https://docs.aws.amazon.com/Route53/latest/APIReference/API_AssociateVPCWithHostedZone.html).",
    identity: Identity::Key,
    usual: (Duration::from_secs(30), Duration::ZERO),
    cost: None,
    replaces: false,
    shared: false,
};

/// The kind.
pub static KIND: Row = Row {
    meta: &META,
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    locator: &["hosted_zone_id", "vpc.vpc_id"],
    along: &["vpc_region", "change_id"],
    parents: &["hosted_zone_id", "vpc.vpc_id"],
    judge: change::judge,
    differences,
    sim: &SIM,
};

/// Found by zone and VPC, it can differ in nothing.
fn differences(_: &Value, _: &Value) -> Vec<Difference> {
    Vec::new()
}

fn vpc(call: &SimCall<'_>) -> Value {
    hosted_zone::with_region(call.input.get("vpc").unwrap_or(&Value::Null), call)
}

static SIM: Simple = Simple {
    id: |call| {
        let zone = call.text("hosted_zone_id");
        format!("{zone}/{}", crate::row::text(call.input, "vpc.vpc_id"))
    },
    global: true,
    refs: &[Ref { field: "hosted_zone_id", kind: "route53.hosted_zone", missing: "NoSuchHostedZone", owned: true }],
    unique: (&["hosted_zone_id", "vpc.vpc_id"], "ConflictingDomainExists"),
    state_field: "change_info.status",
    states: ("PENDING", "INSYNC", ""),
    missing: "VPCAssociationNotFound",
    check: |world, call| {
        let zone = hosted_zone::named(world, call, "hosted_zone_id")?;
        if zone.body.pointer("/config/private_zone") != Some(&Value::Bool(true)) {
            let text = "You're trying to associate a VPC with a public hosted zone.";
            return Err(CallError::refused("PublicZoneVPCAssociation", text));
        }
        hosted_zone::check_vpc(world, call, call.input.get("vpc").unwrap_or(&Value::Null), body(zone, "name"))
    },
    describe: |_, call, _| {
        let vpc = vpc(call);
        let change = operation_id(call.token, call.now_ms + 30_000);
        json!({ "vpc_id": vpc["vpc_id"], "vpc_region": vpc["vpc_region"], "change_id": change })
    },
    made: |world, _, object| {
        let vpc = json!({ "vpc_id": object.body["vpc_id"], "vpc_region": object.body["vpc_region"] });
        change_vpcs(world, body(object, "hosted_zone_id"), |vpcs| vpcs.push(vpc));
    },
    deleted: |world, _, object| {
        let id = object.body["vpc_id"].clone();
        change_vpcs(world, body(object, "hosted_zone_id"), |vpcs| vpcs.retain(|vpc| vpc["vpc_id"] != id));
    },
    check_delete: |world, call, object| {
        let zone = world.get(hosted_zone::META.name, "", body(object, "hosted_zone_id"), call.now_ms);
        match zone.and_then(|zone| zone.body["vpcs"].as_array()).map_or(0, Vec::len) {
            1 => Err(last()),
            _ => Ok(()),
        }
    },
    delete_other: |world, call| first(world, call),
    taggable: false,
    ..Simple::DEFAULT
};

/// The VPC that the zone was made with: no association of its own was made for it.
fn first(world: &mut World, call: &SimCall<'_>) -> Option<Result<(), CallError>> {
    let (zone, vpc) = (call.text("hosted_zone_id"), call.input.get("vpc_id")?);
    let vpcs = world.get(hosted_zone::META.name, "", zone, call.now_ms)?.body.get("vpcs")?.as_array()?;
    vpcs.iter().find(|one| one["vpc_id"] == *vpc)?;
    if vpcs.len() == 1 {
        return Some(Err(last()));
    }
    change_vpcs(world, zone, |vpcs| vpcs.retain(|one| one["vpc_id"] != *vpc));
    Some(Ok(()))
}

fn last() -> CallError {
    let text = "The VPC that you are trying to disassociate from the private hosted zone is the last VPC that is associated with \
                the hosted zone.";
    CallError::new(Class::Blocked, "LastVPCAssociation", text)
}

fn change_vpcs(world: &mut World, zone: &str, with: impl FnOnce(&mut Vec<Value>)) {
    world.change(hosted_zone::META.name, "", zone, |zone| {
        if let Some(vpcs) = zone.body.get_mut("vpcs").and_then(Value::as_array_mut) {
            with(vpcs);
        }
    });
}
