//! What the simulated databases share: networks, names, endpoints.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use runbook_modules::{
    error::CallError,
    input::InputError,
    sandbox::{
        sim::SimCall,
        simple::lookup,
        world::{Object, World},
    },
};
use serde_json::Value;

use super::db_subnet_group;
use crate::{
    ec2::network_interface,
    row::text,
    simulate::{body, digits, having},
};

/// The texts of a list in the input.
pub(super) fn texts<'a>(input: &'a Value, path: &str) -> Vec<&'a str> {
    lookup(input, path).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// An ARN of the service in the sandbox's account: `db:orders`, `subgrp:orders`.
pub(super) fn arn(call: &SimCall<'_>, noun: &str, id: &str) -> String {
    format!("arn:aws:rds:{}:{}:{noun}:{id}", call.place.region, call.account)
}

/// The name under which an instance, a cluster or a proxy is reached.
pub(super) fn host(call: &SimCall<'_>, name: &str, mark: &str) -> String {
    let account = digits(&format!("{}{}", call.account, call.place.region), 12);
    format!("{name}.{mark}{account}.{}.rds.amazonaws.com", call.place.region)
}

/// Refuses a first password that RDS finds too short.
pub(super) fn check_password(call: &SimCall<'_>) -> Result<(), CallError> {
    match call.text("master_user_password").len() {
        1..8 => {
            let text =
                "The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters.";
            Err(CallError::refused("InvalidParameterValue", text))
        }
        _ => Ok(()),
    }
}

/// The port that an engine listens on.
pub(super) fn port(engine: &str) -> u16 {
    if engine.contains("postgres") { 5432 } else { 3306 }
}

/// Refuses a name that RDS would not keep as it is written: it keeps lower-case letters, digits and hyphens.
///
/// # Errors
/// The field.
pub(super) fn check_name(input: &Value, field: &str, most: usize) -> Result<(), InputError> {
    let name = text(input, field);
    let letters = name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
    let shape = name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.ends_with('-') && !name.contains("--");
    if letters && shape && name.len() <= most {
        return Ok(());
    }
    let rule = format!(
        "1 to {most} lower-case letters, digits and single hyphens, a letter first (RDS keeps names in lower case)"
    );
    Err(InputError::new(field, format!("{name:?} must be {rule}")))
}

/// Refuses a role that IAM does not know.
pub(super) fn check_role(world: &World, call: &SimCall<'_>, field: &str) -> Result<(), CallError> {
    let arn = call.text(field);
    let known = world.get("iam.role", "", arn.rsplit('/').next().unwrap_or_default(), call.now_ms);
    if arn.is_empty() || known.is_some_and(|role| body(role, "arn") == arn) {
        return Ok(());
    }
    let text = format!("IAM role ARN value is invalid or does not include the required permissions: {arn}");
    Err(CallError::refused("InvalidParameterValue", text))
}

/// The subnets of a subnet group that the input names, with the VPC; refuses security groups of another VPC.
pub(super) fn network<'w>(world: &'w World, call: &SimCall<'_>) -> Result<(Vec<&'w str>, &'w str), CallError> {
    let region = &call.place.region;
    let group = world.get(db_subnet_group::META.name, region, call.text("db_subnet_group_name"), call.now_ms);
    let subnets = group.map(|group| texts(&group.body, "subnet_ids")).unwrap_or_default();
    let vpc = group.map_or("", |group| body(group, "vpc_id"));
    check_groups(world, call, vpc)?;
    Ok((subnets, vpc))
}

/// Refuses security groups that do not stand in a VPC.
pub(super) fn check_groups(world: &World, call: &SimCall<'_>, vpc: &str) -> Result<(), CallError> {
    for id in texts(call.input, "vpc_security_group_ids") {
        let of =
            world.get("ec2.security_group", &call.place.region, id, call.now_ms).map(|group| body(group, "vpc_id"));
        if of != Some(vpc) && (of.is_none() || !vpc.is_empty()) {
            let text =
                format!("Invalid security group , groupId= {id}, groupName=: it does not stand in the VPC {vpc}.");
            return Err(CallError::refused("InvalidParameterValue", text));
        }
    }
    Ok(())
}

/// Puts the network interfaces of something that listens in subnets; they go with it.
pub(super) fn listen(world: &mut World, call: &SimCall<'_>, owner: &Object, subnets: &[String]) {
    let groups: Vec<String> = texts(call.input, "vpc_security_group_ids").into_iter().map(str::to_owned).collect();
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    for subnet in subnets {
        let made = network_interface::Made {
            subnet,
            groups: &groups,
            description: "RDSNetworkInterface",
            interface_type: "interface",
            owner: Some(owner.key()),
            status: "in-use",
        };
        let address = address(world, call, subnet, &owner.key());
        if let (Some(id), Some(address)) = (network_interface::put(world, call, &made), address) {
            world.change("ec2.network_interface", &call.place.region, &id, |interface| {
                interface.body["private_ip_address"] = address.into();
            });
        }
    }
}

/// An address near a subnet's end, made of its owner: the same whatever else is made in the subnet meanwhile.
fn address(world: &World, call: &SimCall<'_>, subnet: &str, owner: &str) -> Option<String> {
    let region = &call.place.region;
    let cidr = world.get("ec2.subnet", region, subnet, call.now_ms).map(|subnet| body(subnet, "cidr_block"))?;
    let net: Ipv4Net = cidr.parse().ok()?;
    let taken = |address: &str| {
        having(world, "ec2.network_interface", region, call.now_ms, "subnet_id", subnet)
            .any(|other| body(other, "private_ip_address") == address)
    };
    let first = u32::from_str_radix(&digits(owner, 2), 16).unwrap_or_default() % 100;
    let last = u32::from(net.broadcast()).checked_sub(first + 1)?;
    (0..100)
        .map(|n| Ipv4Addr::from(last - n))
        .filter(|ip| net.contains(ip))
        .map(|ip| ip.to_string())
        .find(|ip| !taken(ip))
}

/// Takes out of a description what RDS never answers: the password, and what the script says about the deletion.
pub(super) fn conceal(world: &mut World, kind: &str, call: &SimCall<'_>, id: &str) {
    world.change(kind, &call.place.region, id, |object| {
        if let Value::Object(map) = &mut object.body {
            map.remove("master_user_password");
            super::guarded::FIELDS.iter().for_each(|field| {
                map.remove(*field);
            });
        }
    });
}

/// Whether an asked version stands for a found one: `16` for `16.6`.
pub(super) fn same_version(asked: &str, found: &str) -> bool {
    found.strip_prefix(asked).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
