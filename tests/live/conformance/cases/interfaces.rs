//! Network interfaces.

use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, Other, holds, is, part, text},
    lab::Lab,
};

/// The input for one in 10.5.1.0/24.
fn asked(lab: &Lab) -> Result<Value, Other> {
    Ok(json!({ "subnet_id": lab.subnet(&lab.vpc()?, 1, 'a')? }))
}

pub const CASES: &[Case] = &[
    Case {
        name: "a network interface is described as it was made",
        aws: "`available`, an address of the subnet, a MAC address, the tags",
        page: "ec2/CreateNetworkInterface",
        run: |lab| {
            let made = lab.make("ec2.create_network_interface", asked(lab)?)?;
            is(&made, "status", "available")?;
            is(&made, "interface_type", "interface")?;
            holds(text(&made, "private_ip_address").starts_with("10.5.1."), "no address of the subnet")?;
            holds(text(&made, "mac_address").split(':').count() == 6, "no MAC address")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a network interface without security groups",
        aws: "gets the VPC's default one",
        page: "ec2/CreateNetworkInterface",
        run: |lab| {
            let made = lab.make("ec2.create_network_interface", asked(lab)?)?;
            is(&made, "groups.0.group_name", "default")
        },
    },
    Case {
        name: "a network interface with an address of our choice",
        aws: "has that address",
        page: "ec2/CreateNetworkInterface",
        run: |lab| {
            let mut input = asked(lab)?;
            input["private_ip_address"] = "10.5.1.77".into();
            is(&lab.make("ec2.create_network_interface", input)?, "private_ip_address", "10.5.1.77")
        },
    },
    Case {
        name: "a network interface with an address in use",
        aws: "`InvalidIPAddress.InUse`",
        page: "ec2/errors",
        run: |lab| {
            let mut input = asked(lab)?;
            input["private_ip_address"] = "10.5.1.77".into();
            lab.make("ec2.create_network_interface", input.clone())?;
            lab.call("ec2.create_network_interface", input).refused(&["InvalidIPAddress.InUse"])
        },
    },
    Case {
        name: "a network interface with an address outside its subnet",
        aws: "`InvalidParameterValue`",
        page: "ec2/errors",
        run: |lab| {
            let mut input = asked(lab)?;
            input["private_ip_address"] = "10.5.2.77".into();
            lab.call("ec2.create_network_interface", input).refused(&["InvalidParameterValue"])
        },
    },
    Case {
        name: "a network interface in a subnet that does not exist",
        aws: "`InvalidSubnetID.NotFound`",
        page: "ec2/CreateNetworkInterface",
        run: |lab| {
            let input = json!({ "subnet_id": "subnet-0123456789abcdef0" });
            lab.call("ec2.create_network_interface", input).refused(&["InvalidSubnetID.NotFound"])
        },
    },
    Case {
        name: "a network interface with a security group that does not exist",
        aws: "`InvalidGroup.NotFound` or `InvalidSecurityGroupID.NotFound`: the list has both",
        page: "ec2/CreateNetworkInterface",
        run: |lab| {
            let mut input = asked(lab)?;
            input["groups"] = json!(["sg-0123456789abcdef0"]);
            lab.call("ec2.create_network_interface", input)
                .refused(&["InvalidGroup.NotFound", "InvalidSecurityGroupID.NotFound"])
        },
    },
    Case {
        name: "the same request for a network interface, with the same client token",
        aws: "the same interface again",
        page: "ec2/CreateNetworkInterface",
        run: |lab| {
            let (input, token) = (asked(lab)?, lab.token());
            let made = lab.with_token(&token, "ec2.create_network_interface", input.clone()).ok()?;
            let again = lab.with_token(&token, "ec2.create_network_interface", input).ok()?;
            holds(again["id"] == made["id"], "a second interface")
        },
    },
    Case {
        name: "a network interface is deleted twice",
        aws: "`InvalidNetworkInterfaceID.NotFound`",
        page: "ec2/DeleteNetworkInterface",
        run: |lab| {
            let at = json!({ "network_interface_id": lab.make("ec2.create_network_interface", asked(lab)?)?["id"] });
            lab.delete("ec2.network_interface", at.clone()).ok()?;
            lab.gone("ec2.network_interface", at.clone())?;
            lab.delete("ec2.network_interface", at).refused(&["InvalidNetworkInterfaceID.NotFound"])
        },
    },
    Case {
        name: "the network interface of a NAT gateway is deleted",
        aws: "refused: it is in use (`InvalidNetworkInterface.InUse`, `InvalidParameterValue` or `OperationNotPermitted`)",
        page: "ec2/DeleteNetworkInterface",
        run: |lab| {
            let input = json!({ "subnet_id": lab.subnet(&lab.vpc()?, 1, 'a')?, "connectivity_type": "private" });
            let made = lab.make("ec2.create_nat_gateway", input)?;
            let at = json!({ "network_interface_id": part(&made, "nat_gateway_addresses.0.network_interface_id") });
            let codes = &["InvalidNetworkInterface.InUse", "InvalidParameterValue", "OperationNotPermitted"];
            lab.delete("ec2.network_interface", at).refused(codes)
        },
    },
];
