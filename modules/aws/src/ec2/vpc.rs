//! VPCs: `create_vpc`, `describe_vpcs`.

use std::time::Duration;

use runbook_modules::{
    error::CallError,
    input,
    operation::{Class, Operation},
    resource::{Identity, Meta, same_fields},
    sandbox::{
        sim::{SimCall, Simple},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    cidr::{self, Cidr},
    filter::Filters,
    route_table, security_group, simulate,
};
use crate::row::{Row, judge_state, text};

/// Input of `create_vpc`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpc.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The IPv4 block, between /16 and /28, e.g. `10.5.0.0/16`.
    pub cidr_block: Cidr,
    /// `default` or `dedicated` (instances on hardware of their own).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_tenancy: Option<Tenancy>,
    /// Asks for a /56 block of IPv6 addresses as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amazon_provided_ipv6_cidr_block: Option<bool>,
}

/// On which hardware instances run.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tenancy {
    /// Shared.
    Default,
    /// The account's own.
    Dedicated,
}

/// The kind `ec2.vpc`.
pub static VPC: Row = Row {
    meta: &Meta {
        name: "ec2.vpc",
        create: "create_vpc",
        operations: ("CreateVpc", "DeleteVpc"),
        doc: "Makes a virtual private cloud.\n\nA main route table with the local route and a default security group come and go \
              with it. [CreateVpc](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpc.html)",
        identity: Identity::Tag,
        usual: (Duration::from_secs(2), Duration::ZERO),
        cost: None,
        replaces: false,
        shared: false,
    },
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    locator: &["vpc_id"],
    along: &[],
    parents: &[],
    judge: |described| judge_state(text(described, "state"), None, &["available"], &[], &[]),
    differences: same_fields,
    sim: &Simple {
        prefix: "vpc-",
        state_field: "state",
        states: ("pending", "available", ""),
        missing: "InvalidVpcID.NotFound",
        check: |_, call| cidr::check_size(call.text("cidr_block"), "InvalidVpc.Range").map(|_| ()),
        describe: |_, call, id| {
            json!({
                "vpc_id": id, "owner_id": call.account, "is_default": false, "dhcp_options_id": "dopt-0a1b2c3d4e5f60718",
                "instance_tenancy": if call.text("instance_tenancy").is_empty() { "default" } else { call.text("instance_tenancy") },
            })
        },
        made: with_it,
        ..Simple::DEFAULT
    },
};

/// Where the sandbox keeps the attributes of a VPC: its description does not tell them, as AWS's does not.
pub const ATTRIBUTES: &str = "ec2.vpc_attributes";

/// What AWS makes with a VPC: the main route table and the default security group.
fn with_it(world: &mut World, call: &SimCall<'_>, vpc: &Object) {
    route_table::put_main(world, call, vpc);
    security_group::put_default(world, call, vpc);
    let attributes = json!({ "enable_dns_support": true, "enable_dns_hostnames": false });
    simulate::put_owned(world, call, ATTRIBUTES, &vpc.id, vpc, attributes);
}

/// Input of `describe_vpcs`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcs.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these ids; one that does not exist is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc_ids: Option<Vec<String>>,
    /// Filters by AWS's names, e.g. `#{"tag:Name": "web", "cidr": ["10.5.0.0/16"]}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// The operation `ec2.describe_vpcs`.
pub static DESCRIBE: Operation = Operation {
    name: "ec2.describe_vpcs",
    operation: "DescribeVpcs",
    doc: "Lists VPCs, as `#{vpcs: [...]}`. \
          [DescribeVpcs](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcs.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| simulate::describe(&VPC, world, call, "vpc_ids", "vpcs", &[("cidr", "cidr_block")]),
};

/// Refuses a VPC that does not exist.
///
/// # Errors
/// `InvalidVpcID.NotFound`.
pub fn simulated<'w>(world: &'w World, call: &SimCall<'_>, id: &str) -> Result<&'w Object, CallError> {
    simulate::get(world, call, "ec2.vpc", id)
        .ok_or_else(|| CallError::not_found("InvalidVpcID.NotFound", format!("The vpc ID '{id}' does not exist")))
}

/// The SDK calls.
#[cfg(feature = "live")]
pub mod live {
    use aws_sdk_ec2::types::{Filter, ResourceType, Vpc};
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

    /// VPCs.
    pub struct Vpcs;

    fn described(vpc: &Vpc) -> Value {
        Described::new()
            .text("id", vpc.vpc_id())
            .text("vpc_id", vpc.vpc_id())
            .text("cidr_block", vpc.cidr_block())
            .text("state", vpc.state())
            .text("owner_id", vpc.owner_id())
            .text("dhcp_options_id", vpc.dhcp_options_id())
            .text("instance_tenancy", vpc.instance_tenancy())
            .value("is_default", vpc.is_default())
            .tags(wire::pairs(vpc.tags()))
            .done()
    }

    impl Listed for Vpcs {
        const IDS: &'static str = "vpc_ids";
        const ANSWER: &'static str = "vpcs";

        async fn list(clients: &Clients, ids: Vec<String>, filters: Vec<Filter>) -> Result<Vec<Value>, CallError> {
            let call = clients.ec2.describe_vpcs().set_vpc_ids(wire::some(ids)).set_filters(wire::some(filters));
            let vpcs = call.into_paginator().items().send().try_collect().await.map_err(classify)?;
            Ok(vpcs.iter().map(described).collect())
        }
    }

    impl Driver for Vpcs {
        async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let input: super::Input = sent.typed()?;
            let tenancy = field(sent.input, "instance_tenancy");
            let call = clients
                .ec2
                .create_vpc()
                .cidr_block(input.cidr_block.0.to_string())
                .set_instance_tenancy((!tenancy.is_empty()).then(|| tenancy.into()))
                .set_amazon_provided_ipv6_cidr_block(input.amazon_provided_ipv6_cidr_block)
                .tag_specifications(wire::tags(ResourceType::Vpc, sent));
            let answer = call.send().await.map_err(wire::making)?;
            answer.vpc().map(described).ok_or_else(|| empty("VPC"))
        }

        async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
            wire::one::<Self>(clients, field(at, "vpc_id")).await
        }

        async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
            Self::list(clients, Vec::new(), vec![wire::by_effect(sent)]).await
        }

        async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
            clients.ec2.delete_vpc().vpc_id(field(at, "vpc_id")).send().await.map_err(classify)?;
            Ok(())
        }

        async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
            standing_in(clients, wire::by("vpc-id", field(at, "vpc_id"))).await
        }
    }
}
