//! Peering connections: `create_vpc_peering_connection`, `describe_vpc_peering_connections`.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input,
    operation::{Class, Operation},
    resource::{Health, Identity, Meta, same_fields},
    sandbox::{
        clock_text::rfc3339,
        sim::{Ref, SimCall, Simple},
        world::{Object, World, key},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{cidr, filter::Filters, route, simulate};
use crate::row::{Row, judge_state, text};

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
    along: &[],
    parents: &["vpc_id", "peer_vpc_id"],
    judge: |described| {
        let reason = described.get("status").and_then(|status| status.get("message"));
        let ready = &["pending-acceptance", "provisioning", "active"];
        let code = text(described, "status.code");
        judge_state(code, reason, ready, &["failed", "rejected", "expired"], &["deleting", "deleted"])
    },
    differences: same_fields,
    sim: &Simple {
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
        "expiration_time": rfc3339(call.now_ms + 7 * 86_400_000),
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
        let fields = ("vpc_peering_connection_ids", "vpc_peering_connections");
        let gone = simulate::gone(&PEERING, world, call, 2 * 3_600_000);
        simulate::describe_with(&PEERING, world, call, gone, fields, aliases)
    },
};

/// Judges the first connection of a describe call: is it active?
pub fn judge_active(answer: &Value) -> Health {
    let first = answer.get("vpc_peering_connections").and_then(|list| list.get(0)).unwrap_or(&Value::Null);
    let reason = first.get("status").and_then(|status| status.get("message"));
    let over = &["failed", "rejected", "expired", "deleted"];
    judge_state(text(first, "status.code"), reason, &["active"], over, &["deleting"])
}

/// The SDK calls.
#[cfg(feature = "live")]
pub mod live {
    use aws_sdk_ec2::types::{Filter, ResourceType, VpcPeeringConnection, VpcPeeringConnectionVpcInfo};
    use runbook_modules::error::{CallError, Class};
    use serde_json::Value;

    use super::super::wire::{self, Listed};
    use crate::live::{
        Clients, Driver, Sent, classify,
        convert::{Described, field},
        empty,
    };

    /// Peering connections.
    pub struct Peerings;

    /// A connection as a map, also for the operations on it.
    pub fn described(peering: &VpcPeeringConnection) -> Value {
        let vpc = |side: Option<&VpcPeeringConnectionVpcInfo>| side.and_then(|side| side.vpc_id().map(str::to_owned));
        let status = peering
            .status()
            .map(|status| Described::new().text("code", status.code()).text("message", status.message()).done());
        Described::new()
            .text("id", peering.vpc_peering_connection_id())
            .text("vpc_peering_connection_id", peering.vpc_peering_connection_id())
            .text("vpc_id", vpc(peering.requester_vpc_info()).as_ref())
            .text("peer_vpc_id", vpc(peering.accepter_vpc_info()).as_ref())
            .value("status", status)
            .value("requester_vpc_info", peering.requester_vpc_info().map(side))
            .value("accepter_vpc_info", peering.accepter_vpc_info().map(side))
            .time("expiration_time", peering.expiration_time())
            .tags(wire::pairs(peering.tags()))
            .done()
    }

    fn side(side: &VpcPeeringConnectionVpcInfo) -> Value {
        let options = side.peering_options().map(|options| {
            let dns = options.allow_dns_resolution_from_remote_vpc();
            Described::new().value("allow_dns_resolution_from_remote_vpc", dns).done()
        });
        Described::new()
            .text("vpc_id", side.vpc_id())
            .text("owner_id", side.owner_id())
            .text("region", side.region())
            .text("cidr_block", side.cidr_block())
            .value("peering_options", options)
            .done()
    }

    /// Whether a connection came to nothing or was deleted. AWS lists such ones for hours more.
    fn over(peering: &Value) -> bool {
        let code = peering.get("status").map(|status| field(status, "code")).unwrap_or_default();
        matches!(code, "failed" | "rejected" | "expired" | "deleting" | "deleted")
    }

    impl Listed for Peerings {
        const IDS: &'static str = "vpc_peering_connection_ids";
        const ANSWER: &'static str = "vpc_peering_connections";

        async fn list(clients: &Clients, ids: Vec<String>, filters: Vec<Filter>) -> Result<Vec<Value>, CallError> {
            let call = clients.ec2.describe_vpc_peering_connections();
            let call = call.set_vpc_peering_connection_ids(wire::some(ids)).set_filters(wire::some(filters));
            let peerings = call.into_paginator().items().send().try_collect().await.map_err(classify)?;
            Ok(peerings.iter().map(described).collect())
        }
    }

    impl Driver for Peerings {
        async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let input: super::Input = sent.typed()?;
            let call = clients
                .ec2
                .create_vpc_peering_connection()
                .vpc_id(input.vpc_id)
                .peer_vpc_id(input.peer_vpc_id)
                .set_peer_owner_id(input.peer_owner_id)
                .set_peer_region(input.peer_region)
                .tag_specifications(wire::tags(ResourceType::VpcPeeringConnection, sent));
            let answer = call.send().await.map_err(wire::making)?;
            answer.vpc_peering_connection().map(described).ok_or_else(|| empty("peering connection"))
        }

        async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
            let peering = wire::one::<Self>(clients, field(at, "vpc_peering_connection_id")).await?;
            let deleted = |p: &Value| p.get("status").is_some_and(|status| field(status, "code") == "deleted");
            Ok(peering.filter(|peering| !deleted(peering)))
        }

        async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
            let key = vec![
                wire::by("requester-vpc-info.vpc-id", field(sent.input, "vpc_id")),
                wire::by("accepter-vpc-info.vpc-id", field(sent.input, "peer_vpc_id")),
            ];
            let mut found = Self::list(clients, Vec::new(), key).await?;
            found.retain(|peering| !over(peering));
            Ok(found)
        }

        /// One that failed cannot be deleted: it holds nothing, and AWS forgets it in two hours.
        async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
            let call = clients.ec2.delete_vpc_peering_connection();
            let call = call.vpc_peering_connection_id(field(at, "vpc_peering_connection_id"));
            let Err(error) = call.send().await.map_err(classify) else { return Ok(()) };
            if error.code != "InvalidStateTransition" {
                return Err(error);
            }
            let gone = self.read(clients, at).await?.is_none_or(|peering| over(&peering));
            let class = if gone { Class::NotFound } else { Class::Blocked };
            Err(CallError { class, ..error })
        }
    }
}
