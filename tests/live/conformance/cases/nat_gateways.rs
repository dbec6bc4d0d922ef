//! NAT gateways.

use runbook_modules::resource::Health;
use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, Other, Seen, holds, is, list, other, text},
    lab::Lab,
};

/// What a public NAT gateway is made of, in a VPC with an internet gateway.
fn public(lab: &Lab) -> Result<Value, Other> {
    let vpc = lab.vpc()?;
    lab.gateway(&vpc)?;
    let address = lab.make("ec2.allocate_address", json!({}))?["id"].clone();
    Ok(json!({ "subnet_id": lab.subnet(&vpc, 1, 'a')?, "allocation_id": address }))
}

/// Refused with a code, or accepted and failed with it: the reference lists these codes for both.
fn fails(lab: &Lab, input: Value, code: &str) -> Seen {
    let answer = lab.call("ec2.create_nat_gateway", input.clone());
    match answer.result {
        Ok(made) => match lab.settled("ec2.create_nat_gateway", &input, &made)? {
            (found, Health::Failed(_)) => is(&found, "failure_code", code),
            _ => Err(other("it becomes available")),
        },
        Err(_) => answer.refused(&[code]),
    }
}

const NOT_THERE: &str = "nat-0123456789abcdef0";

pub const CASES: &[Case] = &[
    Case {
        name: "a NAT gateway is described as it was made",
        aws: "`available` in the end, with VPC, address and network interface, and the tags",
        page: "ec2/CreateNatGateway",
        run: |lab| {
            let input = public(lab)?;
            let made = lab.make("ec2.create_nat_gateway", input.clone())?;
            is(&made, "state", "available")?;
            is(&made, "connectivity_type", "public")?;
            is(&made, "nat_gateway_addresses.0.allocation_id", input["allocation_id"].clone())?;
            holds(!text(&made, "nat_gateway_addresses.0.public_ip").is_empty(), "no public address")?;
            holds(!text(&made, "nat_gateway_addresses.0.network_interface_id").is_empty(), "no network interface")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a NAT gateway is pending at first",
        aws: "the answer says `pending`",
        page: "ec2/CreateNatGateway",
        run: |lab| is(&lab.call("ec2.create_nat_gateway", public(lab)?).ok()?, "state", "pending"),
    },
    Case {
        name: "a private NAT gateway",
        aws: "needs no address and has no public one",
        page: "ec2/CreateNatGateway",
        run: |lab| {
            let input = json!({ "subnet_id": lab.subnet(&lab.vpc()?, 1, 'a')?, "connectivity_type": "private" });
            let made = lab.make("ec2.create_nat_gateway", input)?;
            is(&made, "connectivity_type", "private")?;
            holds(text(&made, "nat_gateway_addresses.0.public_ip").is_empty(), "a public address")?;
            holds(text(&made, "nat_gateway_addresses.0.private_ip").starts_with("10.5.1."), "no private address")
        },
    },
    Case {
        name: "the network interface of a NAT gateway",
        aws: "stands in the subnet, type `nat_gateway`, managed by AWS",
        page: "ec2/NetworkInterface",
        run: |lab| {
            let input = public(lab)?;
            lab.make("ec2.create_nat_gateway", input.clone())?;
            let own = json!({ "filters": { "subnet-id": input["subnet_id"] } });
            let found = lab.call("ec2.describe_network_interfaces", own).ok()?;
            holds(list(&found, "network_interfaces").len() == 1, "not one network interface")?;
            is(&found, "network_interfaces.0.interface_type", "nat_gateway")?;
            is(&found, "network_interfaces.0.requester_managed", true)?;
            is(&found, "network_interfaces.0.status", "in-use")
        },
    },
    Case {
        name: "a NAT gateway with an address that another one uses",
        aws: "`Resource.AlreadyAssociated`, answered at once or as the reason why it failed",
        page: "ec2/NatGateway",
        run: |lab| {
            let input = public(lab)?;
            lab.make("ec2.create_nat_gateway", input.clone())?;
            fails(lab, input, "Resource.AlreadyAssociated")
        },
    },
    Case {
        name: "a public NAT gateway in a VPC without internet gateway",
        aws: "accepted, then `failed` with `Gateway.NotAttached`",
        page: "ec2/NatGateway",
        run: |lab| {
            let address = lab.make("ec2.allocate_address", json!({}))?["id"].clone();
            let input = json!({ "subnet_id": lab.subnet(&lab.vpc()?, 1, 'a')?, "allocation_id": address });
            fails(lab, input, "Gateway.NotAttached")
        },
    },
    Case {
        name: "a NAT gateway in a subnet that does not exist",
        aws: "`InvalidSubnetID.NotFound`, answered at once or as the reason why it failed",
        page: "ec2/NatGateway",
        run: |lab| {
            let input = json!({ "subnet_id": "subnet-0123456789abcdef0", "connectivity_type": "private" });
            fails(lab, input, "InvalidSubnetID.NotFound")
        },
    },
    Case {
        name: "a NAT gateway with an address that does not exist",
        aws: "`InvalidAllocationID.NotFound`, answered at once or as the reason why it failed",
        page: "ec2/NatGateway",
        run: |lab| {
            let mut input = public(lab)?;
            input["allocation_id"] = "eipalloc-0123456789abcdef0".into();
            fails(lab, input, "InvalidAllocationID.NotFound")
        },
    },
    Case {
        name: "the same request for a NAT gateway, with the same client token",
        aws: "the same gateway again",
        page: "ec2/CreateNatGateway",
        run: |lab| {
            let (input, token) = (public(lab)?, lab.token());
            let made = lab.with_token(&token, "ec2.create_nat_gateway", input.clone()).ok()?;
            let again = lab.with_token(&token, "ec2.create_nat_gateway", input).ok()?;
            holds(again["id"] == made["id"], "a second gateway")
        },
    },
    Case {
        name: "another request for a NAT gateway, with the same client token",
        aws: "`IdempotentParameterMismatch`",
        page: "ec2/errors",
        run: |lab| {
            let (mut input, token) = (public(lab)?, lab.token());
            lab.with_token(&token, "ec2.create_nat_gateway", input.clone()).ok()?;
            input["allocation_id"] = lab.make("ec2.allocate_address", json!({}))?["id"].clone();
            let again = lab.with_token(&token, "ec2.create_nat_gateway", input);
            again.refused(&["IdempotentParameterMismatch"])
        },
    },
    Case {
        name: "a subnet with a NAT gateway is deleted",
        aws: "`DependencyViolation`",
        page: "ec2/DeleteSubnet",
        run: |lab| {
            let input = public(lab)?;
            lab.make("ec2.create_nat_gateway", input.clone())?;
            let at = json!({ "subnet_id": input["subnet_id"] });
            lab.delete("ec2.subnet", at).refused(&["DependencyViolation"])
        },
    },
    Case {
        name: "a NAT gateway is deleting at first",
        aws: "`deleting`, described as such",
        page: "ec2/DeleteNatGateway",
        run: |lab| {
            let at = json!({ "nat_gateway_id": lab.make("ec2.create_nat_gateway", public(lab)?)?["id"] });
            lab.delete("ec2.nat_gateway", at.clone()).ok()?;
            is(&lab.standing("ec2.nat_gateway", at)?, "state", "deleting")
        },
    },
    Case {
        name: "a NAT gateway is deleted, then its address is released",
        aws: "the address is free again; the gateway is listed as `deleted` for about an hour",
        page: "ec2/DeleteNatGateway",
        run: |lab| {
            let input = public(lab)?;
            let at = json!({ "nat_gateway_id": lab.make("ec2.create_nat_gateway", input.clone())?["id"] });
            lab.delete("ec2.nat_gateway", at.clone()).ok()?;
            lab.gone("ec2.nat_gateway", at.clone())?;
            lab.delete("ec2.address", json!({ "allocation_id": input["allocation_id"] })).ok()?;
            let listed = json!({ "nat_gateway_ids": [at["nat_gateway_id"]] });
            is(&lab.call("ec2.describe_nat_gateways", listed).ok()?, "nat_gateways.0.state", "deleted")
        },
    },
    Case {
        name: "a NAT gateway that does not exist is described",
        aws: "`NatGatewayNotFound`",
        page: "ec2/errors",
        run: |lab| {
            let input = json!({ "nat_gateway_ids": [NOT_THERE] });
            lab.call("ec2.describe_nat_gateways", input).refused(&["NatGatewayNotFound"])
        },
    },
    Case {
        name: "a NAT gateway that does not exist is deleted",
        aws: "`NatGatewayNotFound`",
        page: "ec2/errors",
        run: |lab| {
            lab.delete("ec2.nat_gateway", json!({ "nat_gateway_id": NOT_THERE })).refused(&["NatGatewayNotFound"])
        },
    },
];
