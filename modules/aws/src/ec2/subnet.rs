//! Subnets: `create_subnet`, `describe_subnets`.

use std::time::Duration;

use runbook_modules::{
    error::{CallError, Class as ErrorClass},
    input,
    operation::{Class, Operation},
    resource::{Identity, Meta, same_fields},
    sandbox::{
        sim::{Ref, SimCall, Simple},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    cidr::{self, Cidr},
    filter::Filters,
    simulate,
};
use crate::row::{Row, judge_state, text};

/// Input of `create_subnet`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The VPC.
    pub vpc_id: String,
    /// The IPv4 block, inside the VPC's, between /16 and /28, e.g. `10.5.1.0/24`.
    pub cidr_block: Cidr,
    /// The zone, e.g. `us-east-1a`. Without it AWS chooses one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability_zone: Option<String>,
    /// The zone by its id, e.g. `use1-az1`, which means the same place in every account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability_zone_id: Option<String>,
}

/// The kind `ec2.subnet`.
pub static SUBNET: Row = Row {
    meta: &Meta {
        name: "ec2.subnet",
        create: "create_subnet",
        operations: ("CreateSubnet", "DeleteSubnet"),
        doc: "Makes a subnet in one zone of a VPC. \
              [CreateSubnet](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html)",
        identity: Identity::Key,
        usual: (Duration::from_secs(1), Duration::ZERO),
        cost: None,
        replaces: false,
        shared: false,
    },
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    locator: &["subnet_id"],
    along: &[],
    parents: &["vpc_id"],
    judge: |described| judge_state(text(described, "state"), None, &["available"], &["failed"], &[]),
    differences: same_fields,
    sim: &Simple {
        prefix: "subnet-",
        refs: &[Ref { field: "vpc_id", kind: "ec2.vpc", missing: "InvalidVpcID.NotFound", owned: false }],
        unique: (&["vpc_id", "cidr_block"], "InvalidSubnet.Conflict"),
        state_field: "state",
        states: ("pending", "available", ""),
        missing: "InvalidSubnetID.NotFound",
        check: refuse,
        describe,
        deleted: |world, call, subnet| {
            let tables: Vec<String> = simulate::list(world, call, "ec2.route_table").map(|t| t.id.clone()).collect();
            for table in tables {
                simulate::change(world, call, "ec2.route_table", &table, |map| {
                    simulate::drop_entries(map, "associations", |a| text(a, "subnet_id") == subnet.id);
                });
            }
        },
        ..Simple::DEFAULT
    },
};

fn refuse(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    let block = call.text("cidr_block");
    let net = cidr::check_size(block, "InvalidSubnet.Range")?;
    let vpc = simulate::get(world, call, "ec2.vpc", call.text("vpc_id"));
    let whole = vpc.and_then(|vpc| cidr::net(simulate::body(vpc, "cidr_block")));
    if let Some(whole) = whole.filter(|whole| !whole.contains(&net)) {
        let refused = CallError::refused("InvalidSubnet.Range", format!("The CIDR '{block}' is invalid."));
        return Err(refused.hint(format!("the VPC's block is {whole}")));
    }
    let other = simulate::list(world, call, "ec2.subnet").find(|other| {
        simulate::body(other, "vpc_id") == call.text("vpc_id")
            && cidr::net(simulate::body(other, "cidr_block")).is_some_and(|there| cidr::overlap(there, net))
    });
    if let Some(other) = other {
        let message = format!("The CIDR '{block}' conflicts with another subnet");
        return Err(CallError::new(ErrorClass::AlreadyExists, "InvalidSubnet.Conflict", message).hint(format!(
            "{} has {}",
            other.id,
            simulate::body(other, "cidr_block")
        )));
    }
    let zone = zone(call);
    let zones = simulate::zones(&call.place.region);
    if !zones.contains(&zone) {
        return Err(CallError::refused(
            "InvalidParameterValue",
            format!(
                "Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: {}.",
                zones.join(", ")
            ),
        ));
    }
    Ok(())
}

fn zone(call: &SimCall<'_>) -> String {
    let by_id = call.text("availability_zone_id");
    match call.text("availability_zone") {
        "" if by_id.is_empty() => format!("{}a", call.place.region),
        "" => {
            let zones = simulate::zones(&call.place.region);
            zones.into_iter().find(|zone| simulate::zone_id(zone) == by_id).unwrap_or_else(|| by_id.to_owned())
        }
        zone => zone.to_owned(),
    }
}

fn describe(_: &World, call: &SimCall<'_>, id: &str) -> Value {
    let zone = zone(call);
    let arn = simulate::arn(call, "subnet", id);
    let size = cidr::net(call.text("cidr_block")).map_or(0, |net| (1_u64 << (32 - net.prefix_len())) - 5);
    json!({
        "subnet_id": id, "arn": arn, "subnet_arn": arn, "owner_id": call.account,
        "availability_zone_id": simulate::zone_id(&zone), "availability_zone": zone,
        "available_ip_address_count": size, "map_public_ip_on_launch": false,
        "assign_ipv6_address_on_creation": false, "default_for_az": false,
    })
}

/// Input of `describe_subnets`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSubnets.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these ids; one that does not exist is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet_ids: Option<Vec<String>>,
    /// Filters by AWS's names, e.g. `#{"vpc-id": vpc.id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// The operation `ec2.describe_subnets`.
pub static DESCRIBE: Operation = Operation {
    name: "ec2.describe_subnets",
    operation: "DescribeSubnets",
    doc: "Lists subnets, as `#{subnets: [...]}`. \
          [DescribeSubnets](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSubnets.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| {
        simulate::describe(
            &SUBNET,
            world,
            call,
            "subnet_ids",
            "subnets",
            &[("cidr", "cidr_block"), ("cidr-block", "cidr_block")],
        )
    },
};

/// A subnet of the call's region, e.g. for a network interface.
///
/// # Errors
/// `InvalidSubnetID.NotFound`.
pub fn simulated<'w>(world: &'w World, call: &SimCall<'_>, id: &str) -> Result<&'w Object, CallError> {
    simulate::get(world, call, "ec2.subnet", id)
        .ok_or_else(|| CallError::not_found("InvalidSubnetID.NotFound", format!("The subnet ID '{id}' does not exist")))
}

/// The SDK calls.
#[cfg(feature = "live")]
pub mod live {
    use aws_sdk_ec2::types::{Filter, ResourceType, Subnet};
    use runbook_modules::error::CallError;
    use serde_json::Value;

    use super::super::{
        network_interface::live::standing_in,
        wire::{self, Listed},
    };
    use crate::live::{
        Clients, Driver, Sent, classify,
        convert::{Described, field},
        empty,
    };

    /// Subnets.
    pub struct Subnets;

    fn described(subnet: &Subnet) -> Value {
        Described::new()
            .text("id", subnet.subnet_id())
            .text("subnet_id", subnet.subnet_id())
            .text("arn", subnet.subnet_arn())
            .text("subnet_arn", subnet.subnet_arn())
            .text("vpc_id", subnet.vpc_id())
            .text("cidr_block", subnet.cidr_block())
            .text("state", subnet.state())
            .text("owner_id", subnet.owner_id())
            .text("availability_zone", subnet.availability_zone())
            .text("availability_zone_id", subnet.availability_zone_id())
            .value("available_ip_address_count", subnet.available_ip_address_count())
            .value("map_public_ip_on_launch", subnet.map_public_ip_on_launch())
            .value("assign_ipv6_address_on_creation", subnet.assign_ipv6_address_on_creation())
            .value("default_for_az", subnet.default_for_az())
            .tags(wire::pairs(subnet.tags()))
            .done()
    }

    impl Listed for Subnets {
        const IDS: &'static str = "subnet_ids";
        const ANSWER: &'static str = "subnets";

        async fn list(clients: &Clients, ids: Vec<String>, filters: Vec<Filter>) -> Result<Vec<Value>, CallError> {
            let call = clients.ec2.describe_subnets().set_subnet_ids(wire::some(ids)).set_filters(wire::some(filters));
            let subnets = call.into_paginator().items().send().try_collect().await.map_err(classify)?;
            Ok(subnets.iter().map(described).collect())
        }
    }

    impl Driver for Subnets {
        async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let input: super::Input = sent.typed()?;
            let call = clients
                .ec2
                .create_subnet()
                .vpc_id(input.vpc_id)
                .cidr_block(input.cidr_block.0.to_string())
                .set_availability_zone(input.availability_zone)
                .set_availability_zone_id(input.availability_zone_id)
                .tag_specifications(wire::tags(ResourceType::Subnet, sent));
            let answer = call.send().await.map_err(wire::making)?;
            answer.subnet().map(described).ok_or_else(|| empty("subnet"))
        }

        async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
            wire::one::<Self>(clients, field(at, "subnet_id")).await
        }

        async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
            let key = ["vpc_id", "cidr_block"].map(|name| wire::by(name.replace('_', "-"), field(sent.input, name)));
            Self::list(clients, Vec::new(), key.into()).await
        }

        async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
            clients.ec2.delete_subnet().subnet_id(field(at, "subnet_id")).send().await.map_err(classify)?;
            Ok(())
        }

        async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
            standing_in(clients, wire::by("subnet-id", field(at, "subnet_id"))).await
        }
    }
}
