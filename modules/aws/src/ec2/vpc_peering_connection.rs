//! Peering connections: `create_vpc_peering_connection`, `describe_vpc_peering_connections`.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input,
    operation::{Class, Operation},
    resource::{Health, Identity, Meta, same_fields},
    sandbox::{
        sim::{Ref, SimCall, Simple},
        world::{Object, World, key},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    cidr,
    filter::Filters,
    route,
    row::{Row, judge_state, text},
    simulate,
};

/// Input of `create_vpc_peering_connection`.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcPeeringConnection.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The VPC that asks.
    pub vpc_id: String,
    /// The VPC that accepts. The blocks of the two must not overlap.
    pub peer_vpc_id: String,
    /// The account of the accepting VPC; this account without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer_owner_id: Option<String>,
    /// The region of the accepting VPC; this region without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer_region: Option<String>,
}

/// The kind `ec2.vpc_peering_connection`.
pub static PEERING: Row = Row {
    meta: &Meta {
        name: "ec2.vpc_peering_connection",
        create: "create_vpc_peering_connection",
        operations: ("CreateVpcPeeringConnection", "DeleteVpcPeeringConnection"),
        doc: "Asks for a peering connection between two VPCs; it is made when it waits for acceptance \
              (`accept_vpc_peering_connection`).\n\nWith overlapping blocks AWS takes the request and the connection ends as \
              `failed`. \
              [CreateVpcPeeringConnection](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcPeeringConnection.html)",
        identity: Identity::Key,
        usual: (Duration::from_secs(2), Duration::from_secs(5)),
        cost: None,
        replaces: false,
        shared: false,
    },
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    locator: &["vpc_peering_connection_id"],
    parents: &["vpc_id", "peer_vpc_id"],
    judge: |described| {
        let reason = described.get("status").and_then(|status| status.get("message"));
        let ready = &["pending-acceptance", "provisioning", "active"];
        let code = text(described, "status.code");
        judge_state(code, reason, ready, &["failed", "rejected", "expired"], &["deleting", "deleted"])
    },
    differences: same_fields,
    sim: Simple {
        prefix: "pcx-",
        refs: &[Ref { field: "vpc_id", kind: "ec2.vpc", missing: "InvalidVpcID.NotFound", owned: false }],
        unique: (&["vpc_id", "peer_vpc_id"], "VpcPeeringConnectionAlreadyExists"),
        state_field: "status.code",
        states: ("initiating-request", "pending-acceptance", "deleting"),
        missing: "InvalidVpcPeeringConnectionID.NotFound",
        check: |world, call| {
            if call.text("vpc_id") == call.text("peer_vpc_id") {
                return Err(CallError::refused("InvalidParameterValue", "A VPC cannot be peered with itself"));
            }
            let other_account = !call.text("peer_owner_id").is_empty() && call.text("peer_owner_id") != call.account;
            if !other_account && peer(world, call).is_none() {
                let message = format!("The vpc ID '{}' does not exist", call.text("peer_vpc_id"));
                return Err(CallError::refused("InvalidVpcID.NotFound", message));
            }
            Ok(())
        },
        describe,
        made,
        deleted: |world, call, gone| route::set_state(world, call, "vpc_peering_connection_id", &gone.id, "blackhole"),
        ..Simple::DEFAULT
    },
};

fn peer_region<'a>(call: &SimCall<'a>) -> &'a str {
    match call.input.get("peer_region").and_then(Value::as_str).unwrap_or_default() {
        "" => &call.place.region,
        region => region,
    }
}

fn peer<'w>(world: &'w World, call: &SimCall<'_>) -> Option<&'w Object> {
    world.get("ec2.vpc", peer_region(call), call.text("peer_vpc_id"), call.now_ms)
}

fn describe(world: &World, call: &SimCall<'_>, id: &str) -> Value {
    let side = |vpc: Option<&Object>, id: &str, owner: &str, region: &str| {
        json!({
            "vpc_id": id, "owner_id": owner, "region": region, "cidr_block": vpc.map_or("", |vpc| simulate::body(vpc, "cidr_block")),
            "peering_options": { "allow_dns_resolution_from_remote_vpc": false },
        })
    };
    let requester = simulate::get(world, call, "ec2.vpc", call.text("vpc_id"));
    let owner = Some(call.text("peer_owner_id")).filter(|owner| !owner.is_empty()).unwrap_or(call.account);
    let waiting = format!("Pending Acceptance by {owner}");
    json!({
        "vpc_peering_connection_id": id, "status": { "message": waiting },
        "requester_vpc_info": side(requester, call.text("vpc_id"), call.account, &call.place.region),
        "accepter_vpc_info": side(peer(world, call), call.text("peer_vpc_id"), owner, peer_region(call)),
        "expiration_time": simulate::rfc3339(call.now_ms + 7 * 86_400_000),
    })
}

/// Overlapping blocks: AWS takes the request, and it fails.
fn made(world: &mut World, call: &SimCall<'_>, made: &Object) {
    let block = |vpc: Option<&Object>| vpc.and_then(|vpc| cidr::net(simulate::body(vpc, "cidr_block")));
    let ours = block(simulate::get(world, call, "ec2.vpc", call.text("vpc_id")));
    let theirs = block(peer(world, call));
    let overlapping = ours.zip(theirs).is_some_and(|(a, b)| cidr::overlap(a, b));
    let peer_key = key("ec2.vpc", peer_region(call), call.text("peer_vpc_id"));
    world.change(PEERING.meta.name, &call.place.region, &made.id, |connection| {
        if !overlapping {
            connection.refs.push(peer_key);
            return;
        }
        connection.refs.clear();
        connection.states =
            vec![(call.now_ms, "initiating-request".to_owned()), (call.now_ms + 1_000, "failed".to_owned())];
        if let Some(status) = connection.body.get_mut("status").and_then(Value::as_object_mut) {
            let message = "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range";
            status.insert("message".to_owned(), message.into());
        }
    });
}

/// A connection by its id: it lives in the requester's region and is seen from both.
///
/// # Errors
/// `InvalidVpcPeeringConnectionID.NotFound`.
pub fn simulated<'w>(world: &'w World, call: &SimCall<'_>, id: &str) -> Result<&'w Object, CallError> {
    let here = simulate::get(world, call, PEERING.meta.name, id);
    let from_there = || {
        world.all(call.now_ms).find(|o| {
            o.kind == PEERING.meta.name && o.id == id && text(&o.body, "accepter_vpc_info.region") == call.place.region
        })
    };
    here.or_else(from_there).ok_or_else(|| {
        let message = format!("The vpcPeeringConnection ID '{id}' does not exist");
        CallError::not_found("InvalidVpcPeeringConnectionID.NotFound", message)
    })
}

/// Input of `describe_vpc_peering_connections`.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcPeeringConnections.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these ids; one that does not exist is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc_peering_connection_ids: Option<Vec<String>>,
    /// Filters by AWS's names, e.g. `#{"requester-vpc-info.vpc-id": vpc.id, "status-code": "active"}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// The operation `ec2.describe_vpc_peering_connections`.
pub static DESCRIBE: Operation = Operation {
    name: "ec2.describe_vpc_peering_connections",
    operation: "DescribeVpcPeeringConnections",
    doc: "Lists peering connections, as `#{vpc_peering_connections: [...]}`. \
          [DescribeVpcPeeringConnections](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcPeeringConnections.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| {
        let aliases = &[
            ("status-code", "status.code"),
            ("status-message", "status.message"),
            ("requester-vpc-info.vpc-id", "requester_vpc_info.vpc_id"),
            ("requester-vpc-info.cidr-block", "requester_vpc_info.cidr_block"),
            ("accepter-vpc-info.vpc-id", "accepter_vpc_info.vpc_id"),
            ("accepter-vpc-info.cidr-block", "accepter_vpc_info.cidr_block"),
        ];
        simulate::describe(&PEERING, world, call, "vpc_peering_connection_ids", "vpc_peering_connections", aliases)
    },
};

/// Judges the first connection of a describe call: is it active?
pub fn judge_active(answer: &Value) -> Health {
    let first = answer.get("vpc_peering_connections").and_then(|list| list.get(0)).unwrap_or(&Value::Null);
    let reason = first.get("status").and_then(|status| status.get("message"));
    let over = &["failed", "rejected", "expired", "deleted"];
    judge_state(text(first, "status.code"), reason, &["active"], over, &["deleting"])
}
