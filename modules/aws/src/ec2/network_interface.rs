//! Network interfaces: `create_network_interface`, `describe_network_interfaces`.
//!
//! Most are made by AWS itself (NAT gateways, EKS, load balancers); in the sandbox through [`put`].

use std::{net::Ipv4Addr, time::Duration};

use runbook_modules::{
    error::{CallError, Class as ErrorClass},
    input,
    operation::{Class, Operation},
    resource::{Identity, Meta, same_fields},
    sandbox::{
        sim::{Ref, SimCall, Simple},
        world::{Object, World, key},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{REMEMBERED, cidr, filter::Filters, simulate};
use crate::row::{Difference, Row, judge_state, text};

/// Input of `create_network_interface`.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkInterface.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The subnet.
    pub subnet_id: String,
    /// Ids of security groups; the VPC's default one without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// A description for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its private address; AWS chooses one without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_ip_address: Option<String>,
}

/// The kind `ec2.network_interface`.
pub static NETWORK_INTERFACE: Row = Row {
    meta: &Meta {
        name: "ec2.network_interface",
        create: "create_network_interface",
        operations: ("CreateNetworkInterface", "DeleteNetworkInterface"),
        doc: "Makes a network interface in a subnet. \
              [CreateNetworkInterface](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkInterface.html)",
        identity: Identity::Token { field: "client_token", safe: REMEMBERED, key: false },
        usual: (Duration::from_secs(2), Duration::ZERO),
        cost: None,
        replaces: false,
        shared: false,
    },
    schema: input::schema::<Input>,
    check: input::check::<Input>,
    locator: &["network_interface_id"],
    along: &[],
    parents: &["subnet_id", "groups"],
    judge: |described| {
        judge_state(text(described, "status"), None, &["available", "in-use", "associated"], &[], &["detaching"])
    },
    differences,
    sim: &Simple {
        prefix: "eni-",
        refs: &[
            Ref { field: "subnet_id", kind: "ec2.subnet", missing: "InvalidSubnetID.NotFound", owned: false },
            Ref { field: "groups", kind: "ec2.security_group", missing: "InvalidGroup.NotFound", owned: false },
        ],
        state_field: "status",
        states: ("pending", "available", ""),
        token: true,
        missing: "InvalidNetworkInterfaceID.NotFound",
        check: refuse,
        describe: |world, call, id| {
            let asked = call.input.get("groups").and_then(Value::as_array);
            let mut groups: Vec<&str> = asked.into_iter().flatten().filter_map(Value::as_str).collect();
            if groups.is_empty() {
                groups.extend(default_group(world, call).map(|group| group.id.as_str()));
            }
            let mut body = contents(world, call, id, call.text("subnet_id"), &groups);
            if let (Some(map), Some(ip)) = (body.as_object_mut(), call.input.get("private_ip_address")) {
                map.insert("private_ip_address".to_owned(), ip.clone());
            }
            body
        },
        check_delete: |_, call, eni| match eni.state(call.now_ms) {
            "in-use" => {
                let message = format!("Network interface '{}' is currently in use.", eni.id);
                Err(CallError::new(ErrorClass::Blocked, "InvalidNetworkInterface.InUse", message))
            }
            _ => Ok(()),
        },
        ..Simple::DEFAULT
    },
};

/// The default security group of the subnet's VPC.
fn default_group<'w>(world: &'w World, call: &SimCall<'_>) -> Option<&'w Object> {
    let vpc = simulate::body(simulate::get(world, call, "ec2.subnet", call.text("subnet_id"))?, "vpc_id");
    simulate::list(world, call, "ec2.security_group")
        .find(|group| simulate::body(group, "vpc_id") == vpc && simulate::body(group, "group_name") == "default")
}

/// Refuses an address that another interface has, or that the subnet does not have.
fn refuse(world: &World, call: &SimCall<'_>) -> Result<(), CallError> {
    let (asked, subnet) = (call.text("private_ip_address"), call.text("subnet_id"));
    let Ok(address) = asked.parse::<Ipv4Addr>() else {
        return match asked {
            "" => Ok(()),
            _ => Err(CallError::refused(
                "InvalidParameterValue",
                format!("invalid value for parameter address: {asked}"),
            )),
        };
    };
    let net = simulate::get(world, call, "ec2.subnet", subnet).and_then(|s| cidr::net(simulate::body(s, "cidr_block")));
    if net.is_some_and(|net| !net.contains(&address)) {
        let message = format!("Address {asked} does not fall within the subnet's address range");
        return Err(CallError::refused("InvalidParameterValue", message));
    }
    let taken = simulate::list(world, call, NETWORK_INTERFACE.meta.name).any(|other| {
        simulate::body(other, "subnet_id") == subnet && simulate::body(other, "private_ip_address") == asked
    });
    match taken {
        true => Err(CallError::refused("InvalidIPAddress.InUse", format!("Address {asked} is in use."))),
        false => Ok(()),
    }
}

/// The input names groups by id, the description lists maps.
fn differences(input: &Value, described: &Value) -> Vec<Difference> {
    let mut plain = input.clone();
    let asked = plain.as_object_mut().and_then(|map| map.remove("groups"));
    let mut found = same_fields(&plain, described);
    let ids = |list: &Value, field: &str| {
        let mut ids: Vec<String> = list.as_array().into_iter().flatten().map(|g| text(g, field).to_owned()).collect();
        ids.sort();
        ids
    };
    if let (Some(asked), Some(has)) = (asked, described.get("groups")) {
        let mut wanted: Vec<String> =
            asked.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        wanted.sort();
        let has = ids(has, "group_id");
        if wanted != has {
            found.push(("groups".to_owned(), json!(wanted), json!(has)));
        }
    }
    found
}

fn contents(world: &World, call: &SimCall<'_>, id: &str, subnet: &str, groups: &[&str]) -> Value {
    let subnet = simulate::get(world, call, "ec2.subnet", subnet);
    let field = |name| subnet.map_or("", |subnet| simulate::body(subnet, name));
    let name =
        |id| simulate::get(world, call, "ec2.security_group", id).map_or("", |g| simulate::body(g, "group_name"));
    let groups: Vec<Value> = groups.iter().map(|id| json!({ "group_id": id, "group_name": name(id) })).collect();
    let digest = Sha256::digest(id);
    json!({
        "network_interface_id": id, "vpc_id": field("vpc_id"), "availability_zone": field("availability_zone"),
        "owner_id": call.account, "groups": groups, "interface_type": "interface", "requester_managed": false,
        "private_ip_address": subnet.and_then(|subnet| simulate::private_ip(world, call, subnet)).unwrap_or_default(),
        "mac_address": format!("0a:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", digest[0], digest[1], digest[2], digest[3], digest[4]),
        "source_dest_check": true,
    })
}

/// A network interface that AWS makes for a service.
pub struct Made<'a> {
    /// The subnet.
    pub subnet: &'a str,
    /// Its security groups.
    pub groups: &'a [&'a str],
    /// As AWS describes it: `Interface for NAT Gateway nat-…`, `Amazon EKS redis1-demo-cluster`.
    pub description: &'a str,
    /// `nat_gateway`, `interface`, `network_load_balancer` …
    pub interface_type: &'a str,
    /// Key of the object that it goes away with; None: somebody must delete it (what a controller leaves behind).
    pub owner: Option<String>,
    /// `in-use` while its service has it, `available` when it was left behind.
    pub status: &'a str,
}

/// Puts a network interface that AWS makes for a service; None when the subnet does not exist. Gives its id.
pub fn put(world: &mut World, call: &SimCall<'_>, made: &Made<'_>) -> Option<String> {
    simulate::get(world, call, "ec2.subnet", made.subnet)?;
    let id = world.new_id("eni-");
    let mut body = contents(world, call, &id, made.subnet, made.groups);
    if let Value::Object(map) = &mut body {
        map.insert("id".to_owned(), id.as_str().into());
        map.insert("subnet_id".to_owned(), made.subnet.into());
        map.insert("description".to_owned(), made.description.into());
        map.insert("interface_type".to_owned(), made.interface_type.into());
        map.insert("requester_managed".to_owned(), true.into());
    }
    let region = call.place.region.as_str();
    let mut refs: Vec<String> = made.groups.iter().map(|group| key("ec2.security_group", region, group)).collect();
    refs.push(key("ec2.subnet", region, made.subnet));
    refs.extend(made.owner.clone());
    world.put(Object {
        kind: NETWORK_INTERFACE.meta.name.to_owned(),
        place: region.to_owned(),
        id: id.clone(),
        body,
        tags: Default::default(),
        token: String::new(),
        input: Value::Null,
        refs,
        owner: made.owner.clone(),
        states: vec![(call.now_ms, made.status.to_owned())],
        gone_at: None,
    });
    Some(id)
}

/// Input of `describe_network_interfaces`.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html>
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Only these ids; one that does not exist is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_interface_ids: Option<Vec<String>>,
    /// Filters by AWS's names, e.g. `#{"vpc-id": vpc.id, "description": "aws-K8S-*", "status": "available"}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// The operation `ec2.describe_network_interfaces`.
pub static DESCRIBE: Operation = Operation {
    name: "ec2.describe_network_interfaces",
    operation: "DescribeNetworkInterfaces",
    doc: "Lists network interfaces, as `#{network_interfaces: [...]}`. \
          [DescribeNetworkInterfaces](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: None,
    sim: |world, call| {
        let aliases = &[
            ("group-id", "groups.group_id"),
            ("group-name", "groups.group_name"),
            ("attachment.instance-id", "attachment.instance_id"),
            ("attachment.status", "attachment.status"),
        ];
        simulate::describe(&NETWORK_INTERFACE, world, call, "network_interface_ids", "network_interfaces", aliases)
    },
};

/// The SDK calls.
#[cfg(feature = "live")]
pub mod live {
    use aws_sdk_ec2::types::{Filter, NetworkInterface, ResourceType};
    use runbook_modules::error::CallError;
    use serde_json::Value;

    use super::super::wire::{self, Listed};
    use crate::live::{
        Clients, Driver, Sent, classify,
        convert::{Described, field},
        empty,
    };

    /// Network interfaces.
    pub struct NetworkInterfaces;

    fn described(eni: &NetworkInterface) -> Value {
        let association = eni.association().map(|association| {
            Described::new()
                .text("allocation_id", association.allocation_id())
                .text("association_id", association.association_id())
                .text("public_ip", association.public_ip())
                .done()
        });
        let attachment = eni.attachment().map(|attachment| {
            Described::new()
                .text("attachment_id", attachment.attachment_id())
                .text("instance_id", attachment.instance_id())
                .text("status", attachment.status())
                .value("device_index", attachment.device_index())
                .done()
        });
        Described::new()
            .text("id", eni.network_interface_id())
            .text("network_interface_id", eni.network_interface_id())
            .text("vpc_id", eni.vpc_id())
            .text("subnet_id", eni.subnet_id())
            .text("availability_zone", eni.availability_zone())
            .text("owner_id", eni.owner_id())
            .text("description", eni.description())
            .list("groups", eni.groups(), |group| {
                Described::new().text("group_id", group.group_id()).text("group_name", group.group_name()).done()
            })
            .text("interface_type", eni.interface_type())
            .value("requester_managed", eni.requester_managed())
            .text("requester_id", eni.requester_id())
            .text("private_ip_address", eni.private_ip_address())
            .text("mac_address", eni.mac_address())
            .value("source_dest_check", eni.source_dest_check())
            .text("status", eni.status())
            .value("association", association)
            .value("attachment", attachment)
            .tags(wire::pairs(eni.tag_set()))
            .done()
    }

    /// The network interfaces that stand in something, for people: `eni-0f2c "ELB net/k8s-…" in-use`.
    pub async fn standing_in(clients: &Clients, place: Filter) -> Vec<String> {
        let list = NetworkInterfaces::list(clients, Vec::new(), vec![place]).await.unwrap_or_default();
        let each =
            |eni: &Value| format!("{} \"{}\" {}", field(eni, "id"), field(eni, "description"), field(eni, "status"));
        list.iter().map(each).collect()
    }

    /// The network interfaces of a VPC that have a public address, for people.
    pub async fn public_addresses_in(clients: &Clients, vpc: &str) -> Vec<String> {
        let list =
            NetworkInterfaces::list(clients, Vec::new(), vec![wire::by("vpc-id", vpc)]).await.unwrap_or_default();
        let public = |eni: &&Value| eni.get("association").is_some_and(|a| !field(a, "public_ip").is_empty());
        let each = |eni: &Value| {
            let address = eni.get("association").map(|a| field(a, "public_ip")).unwrap_or_default();
            format!("{} \"{}\" has {address}", field(eni, "id"), field(eni, "description"))
        };
        list.iter().filter(public).map(each).collect()
    }

    impl Listed for NetworkInterfaces {
        const IDS: &'static str = "network_interface_ids";
        const ANSWER: &'static str = "network_interfaces";

        async fn list(clients: &Clients, ids: Vec<String>, filters: Vec<Filter>) -> Result<Vec<Value>, CallError> {
            let call = clients.ec2.describe_network_interfaces();
            let call = call.set_network_interface_ids(wire::some(ids)).set_filters(wire::some(filters));
            let interfaces = call.into_paginator().items().send().try_collect().await.map_err(classify)?;
            Ok(interfaces.iter().map(described).collect())
        }
    }

    impl Driver for NetworkInterfaces {
        async fn create(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Value, CallError> {
            let input: super::Input = sent.typed()?;
            let call = clients
                .ec2
                .create_network_interface()
                .client_token(sent.token)
                .subnet_id(input.subnet_id)
                .set_groups(input.groups)
                .set_description(input.description)
                .set_private_ip_address(input.private_ip_address)
                .tag_specifications(wire::tags(ResourceType::NetworkInterface, sent));
            let answer = call.send().await.map_err(wire::making)?;
            answer.network_interface().map(described).ok_or_else(|| empty("network interface"))
        }

        async fn read(&self, clients: &Clients, at: &Value) -> Result<Option<Value>, CallError> {
            wire::one::<Self>(clients, field(at, "network_interface_id")).await
        }

        async fn find(&self, clients: &Clients, sent: &Sent<'_>) -> Result<Vec<Value>, CallError> {
            Self::list(clients, Vec::new(), vec![wire::by_effect(sent)]).await
        }

        async fn delete(&self, clients: &Clients, at: &Value, _: Option<&Value>) -> Result<(), CallError> {
            let call = clients.ec2.delete_network_interface().network_interface_id(field(at, "network_interface_id"));
            call.send().await.map_err(classify)?;
            Ok(())
        }

        async fn obstacles(&self, clients: &Clients, at: &Value) -> Vec<String> {
            let eni = self.read(clients, at).await.ok().flatten();
            let attachment = eni.as_ref().and_then(|eni| eni.get("attachment"));
            attachment.map(|a| format!("attached to {}", field(a, "instance_id"))).into_iter().collect()
        }
    }
}
