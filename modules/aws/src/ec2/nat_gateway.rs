//! NAT gateways: `create_nat_gateway`, `describe_nat_gateways`.

use std::time::Duration;

use runbook_modules::{
    error::{CallError, Class as ErrorClass},
    input::{self, InputError},
    operation::{Class, Operation},
    resource::{Identity, Meta, same_fields},
    sandbox::{
        clock_text::rfc3339,
        sim::{Failing, Ref, SimCall, Simple},
        world::{Object, World},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{REMEMBERED, filter::Filters, network_interface, route, simulate};
use crate::row::{Difference, Row, judge_state, text};

/// Input of `create_nat_gateway`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNatGateway.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The subnet it stands in; for a public one, a subnet with a route to the internet gateway.
    pub subnet_id: String,
    /// The Elastic IP address of a public NAT gateway: its allocation id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocation_id: Option<String>,
    /// `public` (the default) or `private`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connectivity_type: Option<Connectivity>,
    /// Its private address; AWS chooses one without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_ip_address: Option<String>,
}

/// Where a NAT gateway leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Connectivity {
    /// To the internet.
    Public,
    /// To other VPCs and networks.
    Private,
}

/// The kind `ec2.nat_gateway`.
pub static NAT_GATEWAY: Row = Row {
    meta: &Meta {
        name: "ec2.nat_gateway",
        create: "create_nat_gateway",
        operations: ("CreateNatGateway", "DeleteNatGateway"),
        doc: "Makes a NAT gateway and waits until it is available, which takes some minutes.\n\nA public one needs an Elastic IP \
              address and an internet gateway at its VPC; otherwise it ends as `failed`, with the reason. \
              [CreateNatGateway](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNatGateway.html)",
        identity: Identity::Token { field: "client_token", safe: REMEMBERED, key: false },
        usual: (Duration::from_secs(150), Duration::from_secs(50)),
        cost: Some("NAT gateway"),
        replaces: false,
        shared: false,
    },
    schema: input::schema::<Input>,
    check: |map| {
        let typed = input::parse::<Input>(map)?;
        let public = typed.connectivity_type != Some(Connectivity::Private);
        match (public, typed.allocation_id) {
            (true, None) => {
                Err(InputError::new("allocation_id", "a public NAT gateway needs an address: allocate_address"))
            }
            (false, Some(_)) => Err(InputError::new("allocation_id", "a private NAT gateway has no public address")),
            _ => Ok(()),
        }
    },
    locator: &["nat_gateway_id"],
    along: &[],
    parents: &["subnet_id", "allocation_id"],
    judge: |described| {
        let reason = described.get("failure_message");
        judge_state(text(described, "state"), reason, &["available"], &["failed"], &["deleting", "deleted"])
    },
    differences,
    sim: &Simple {
        prefix: "nat-",
        refs: &[
            Ref { field: "subnet_id", kind: "ec2.subnet", missing: "InvalidSubnetID.NotFound", owned: false },
            Ref { field: "allocation_id", kind: "ec2.address", missing: "InvalidAllocationID.NotFound", owned: false },
        ],
        state_field: "state",
        states: ("pending", "available", "deleting"),
        token: true,
        // Why stands in it from the start.
        failing: Some(Failing { state: "failed", words: |_| Value::Null }),
        missing: "NatGatewayNotFound",
        check: refuse,
        describe,
        made,
        deleted: |world, call, gone| {
            route::set_state(world, call, "nat_gateway_id", &gone.id, "blackhole");
            let address = simulate::body(gone, "allocation_id");
            simulate::change(world, call, "ec2.address", address, |map| {
                map.retain(|field, _| !ASSOCIATION.contains(&field.as_str()));
            });
        },
        ..Simple::DEFAULT
    },
};

/// The fields by which an address tells who uses it.
const ASSOCIATION: [&str; 3] = ["association_id", "network_interface_id", "private_ip_address"];

/// The addresses stand in a list; the first is the primary one.
fn differences(input: &Value, described: &Value) -> Vec<Difference> {
    let mut found = same_fields(input, described);
    let addresses = described.get("nat_gateway_addresses").and_then(Value::as_array).filter(|list| !list.is_empty());
    for (asked, field) in [("allocation_id", "allocation_id"), ("private_ip_address", "private_ip")] {
        let Some((asked_value, addresses)) = input.get(asked).zip(addresses) else { continue };
        if !addresses.iter().any(|address| address.get(field) == Some(asked_value)) {
            let has = addresses[0].get(field).cloned().unwrap_or_default();
            found.push((asked.to_owned(), asked_value.clone(), has));
        }
    }
    found
}

fn vpc_of<'w>(world: &'w World, call: &SimCall<'_>) -> &'w str {
    simulate::get(world, call, "ec2.subnet", call.text("subnet_id")).map_or("", |s| simulate::body(s, "vpc_id"))
}

fn private(call: &SimCall<'_>) -> bool {
    call.text("connectivity_type") == "private"
}

fn refuse(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    let allocation = call.text("allocation_id");
    let holds = |nat: &Object| simulate::body(nat, "allocation_id") == allocation && nat.state(call.now_ms) != "failed";
    if !allocation.is_empty() && simulate::list(world, call, NAT_GATEWAY.meta.name).any(holds) {
        let message = format!("Elastic IP address [{allocation}] is already associated");
        return Err(CallError::new(ErrorClass::AlreadyExists, "Resource.AlreadyAssociated", message));
    }
    Ok(())
}

fn describe(world: &World, call: &SimCall<'_>, id: &str) -> Value {
    let subnet = simulate::get(world, call, "ec2.subnet", call.text("subnet_id"));
    let asked = call.text("private_ip_address");
    let ip = match subnet {
        Some(subnet) if asked.is_empty() => simulate::private_ip(world, call, subnet).unwrap_or_default(),
        _ => asked.to_owned(),
    };
    let mut address = json!({ "private_ip": ip, "is_primary": true, "status": "succeeded" });
    if let (Some(map), false) = (address.as_object_mut(), private(call)) {
        let allocation = call.text("allocation_id");
        map.insert("allocation_id".to_owned(), allocation.into());
        map.insert("public_ip".to_owned(), simulate::public_ip(allocation).into());
    }
    json!({
        "nat_gateway_id": id, "vpc_id": vpc_of(world, call), "create_time": rfc3339(call.now_ms),
        "connectivity_type": if private(call) { "private" } else { "public" }, "nat_gateway_addresses": [address],
    })
}

/// Why a gateway fails a little after AWS has accepted the request: its code and message.
fn failure(world: &World, call: &SimCall<'_>) -> Option<(&'static str, String)> {
    if call.doomed {
        let text = "Subnet has insufficient free addresses to create this NAT gateway";
        return Some(("InsufficientFreeAddressesInSubnet", text.to_owned()));
    }
    let vpc = vpc_of(world, call);
    let attached =
        simulate::list(world, call, "ec2.internet_gateway_attachment").any(|a| simulate::body(a, "vpc_id") == vpc);
    let lacking = !private(call) && !attached;
    lacking.then(|| ("Gateway.NotAttached", format!("Network {vpc} has no Internet gateway attached")))
}

/// Its network interface and the address's association come at once, unless it is going to fail.
fn made(world: &mut World, call: &SimCall<'_>, nat: &Object) {
    if let Some((code, message)) = failure(world, call) {
        world.change(NAT_GATEWAY.meta.name, &call.place.region, &nat.id, |nat| {
            nat.states = vec![(call.now_ms, "pending".to_owned()), (call.now_ms + 10_000, "failed".to_owned())];
            if let Value::Object(map) = &mut nat.body {
                map.insert("failure_code".to_owned(), code.into());
                map.insert("failure_message".to_owned(), message.into());
            }
            nat.refs.clear();
        });
        return;
    }
    let made = network_interface::Made {
        subnet: call.text("subnet_id"),
        groups: &[],
        description: &format!("Interface for NAT Gateway {}", nat.id),
        interface_type: "nat_gateway",
        owner: Some(nat.key()),
        status: "in-use",
    };
    let Some(interface) = network_interface::put(world, call, &made) else { return };
    let association = world.new_id("eipassoc-");
    if !private(call) {
        let ip = simulate::get(world, call, "ec2.network_interface", &interface)
            .map(|interface| simulate::body(interface, "private_ip_address").to_owned());
        let used = ASSOCIATION.into_iter().zip([association.clone(), interface.clone(), ip.unwrap_or_default()]);
        simulate::change(world, call, "ec2.address", call.text("allocation_id"), |map| {
            map.extend(used.map(|(field, value)| (field.to_owned(), value.into())));
        });
    }
    simulate::change(world, call, NAT_GATEWAY.meta.name, &nat.id, |map| {
        let addresses = map.get_mut("nat_gateway_addresses").and_then(Value::as_array_mut);
        for address in addresses.into_iter().flatten().filter_map(Value::as_object_mut) {
            address.insert("network_interface_id".to_owned(), interface.as_str().into());
            if !private(call) {
                address.insert("association_id".to_owned(), association.as_str().into());
            }
        }
    });
}

/// Input of `describe_nat_gateways`. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNatGateways.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these ids; one that does not exist is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nat_gateway_ids: Option<Vec<String>>,
    /// Filters by AWS's names, e.g. `#{"vpc-id": vpc.id, "state": "available"}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// The operation `ec2.describe_nat_gateways`.
pub static DESCRIBE: Operation = Operation {
    name: "ec2.describe_nat_gateways",
    operation: "DescribeNatGateways",
    doc: "Lists NAT gateways, as `#{nat_gateways: [...]}`. One that was deleted is listed for about an hour more. \
          [DescribeNatGateways](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNatGateways.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| {
        let gone = simulate::gone(&NAT_GATEWAY, world, call, 3_600_000);
        simulate::describe_with(&NAT_GATEWAY, world, call, gone, ("nat_gateway_ids", "nat_gateways"), &[])
    },
};

/// The SDK calls.
#[cfg(feature = "live")]
pub mod live {
    use aws_sdk_ec2::types::{Filter, NatGateway, NatGatewayAddress, ResourceType};
    use runbook_modules::error::CallError;
    use serde_json::Value;

    use super::super::wire::{self, Listed};
    use crate::live::{
        Clients, Driver, Sent, classify,
        convert::{Described, field},
        empty,
    };

    /// NAT gateways.
    pub struct NatGateways;

    fn described(nat: &NatGateway) -> Value {
        let primary = nat.nat_gateway_addresses().iter().find_map(NatGatewayAddress::allocation_id);
        Described::new()
            .text("id", nat.nat_gateway_id())
            .text("nat_gateway_id", nat.nat_gateway_id())
            .text("vpc_id", nat.vpc_id())
            .text("subnet_id", nat.subnet_id())
            .text("state", nat.state())
            .text("allocation_id", primary)
            .text("connectivity_type", nat.connectivity_type())
            .text("failure_code", nat.failure_code())
            .text("failure_message", nat.failure_message())
            .time("create_time", nat.create_time())
            .list("nat_gateway_addresses", nat.nat_gateway_addresses(), address)
            .tags(wire::pairs(nat.tags()))
            .done()
    }

    fn address(address: &NatGatewayAddress) -> Value {
        Described::new()
            .text("allocation_id", address.allocation_id())
            .text("association_id", address.association_id())
            .text("network_interface_id", address.network_interface_id())
            .text("private_ip", address.private_ip())
            .text("public_ip", address.public_ip())
            .value("is_primary", address.is_primary())
            .text("status", address.status())
            .text("failure_message", address.failure_message())
            .done()
    }

    impl Listed for NatGateways {
        const IDS: &'static str = "nat_gateway_ids";
        const ANSWER: &'static str = "nat_gateways";

        async fn list(clients: &Clients, ids: Vec<String>, filters: Vec<Filter>) -> Result<Vec<Value>, CallError> {
            let call = clients.ec2.describe_nat_gateways();
            let call = call.set_nat_gateway_ids(wire::some(ids)).set_filter(wire::some(filters));
            let gateways = call.into_paginator().items().send().try_collect().await.map_err(classify)?;
            Ok(gateways.iter().map(described).collect())
        }
    }

    impl Driver for NatGateways {
        async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let input: super::Input = sent.typed()?;
            let kind = field(sent.input, "connectivity_type");
            let call = clients
                .ec2
                .create_nat_gateway()
                .client_token(sent.token)
                .subnet_id(input.subnet_id)
                .set_allocation_id(input.allocation_id)
                .set_connectivity_type((!kind.is_empty()).then(|| kind.into()))
                .set_private_ip_address(input.private_ip_address)
                .tag_specifications(wire::tags(ResourceType::Natgateway, sent));
            let answer = call.send().await.map_err(wire::making)?;
            answer.nat_gateway().map(described).ok_or_else(|| empty("NAT gateway"))
        }

        /// One that was deleted is listed for about an hour more.
        async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
            let nat = wire::one::<Self>(clients, field(at, "nat_gateway_id")).await?;
            Ok(nat.filter(|nat| field(nat, "state") != "deleted"))
        }

        async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
            let mut found = Self::list(clients, Vec::new(), vec![wire::by_effect(sent)]).await?;
            found.retain(|nat| !matches!(field(nat, "state"), "deleting" | "deleted"));
            Ok(found)
        }

        async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
            let call = clients.ec2.delete_nat_gateway().nat_gateway_id(field(at, "nat_gateway_id"));
            call.send().await.map_err(classify)?;
            Ok(())
        }
    }
}
