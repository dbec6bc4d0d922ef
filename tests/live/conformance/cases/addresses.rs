//! Elastic IP addresses.

use serde_json::json;

use crate::conformance::case::{Case, holds, is, list, text};

const NOT_THERE: &str = "eipalloc-0123456789abcdef0";

pub const CASES: &[Case] = &[
    Case {
        name: "an address is described as it was allocated",
        aws: "for VPCs, with a public address, associated with nothing, with the tags",
        page: "ec2/AllocateAddress",
        run: |lab| {
            let made = lab.make("ec2.allocate_address", json!({}))?;
            is(&made, "domain", "vpc")?;
            holds(text(&made, "public_ip").split('.').count() == 4, "no public address")?;
            holds(text(&made, "association_id").is_empty(), "associated with something")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "two addresses are two",
        aws: "another allocation and another address each time",
        page: "ec2/AllocateAddress",
        run: |lab| {
            let one = lab.make("ec2.allocate_address", json!({}))?;
            let two = lab.make("ec2.allocate_address", json!({}))?;
            holds(one["public_ip"] != two["public_ip"] && one["id"] != two["id"], "the same one again")?;
            let both = json!({ "allocation_ids": [one["id"], two["id"]] });
            let found = lab.call("ec2.describe_addresses", both).ok()?;
            holds(list(&found, "addresses").len() == 2, "not two addresses")
        },
    },
    Case {
        name: "an address that does not exist is described",
        aws: "`InvalidAllocationID.NotFound`",
        page: "ec2/errors",
        run: |lab| {
            let input = json!({ "allocation_ids": [NOT_THERE] });
            lab.call("ec2.describe_addresses", input).refused(&["InvalidAllocationID.NotFound"])
        },
    },
    Case {
        name: "an address is released twice",
        aws: "gone, then `InvalidAllocationID.NotFound`",
        page: "ec2/ReleaseAddress",
        run: |lab| {
            let at = json!({ "allocation_id": lab.make("ec2.allocate_address", json!({}))?["id"] });
            lab.delete("ec2.address", at.clone()).ok()?;
            lab.gone("ec2.address", at.clone())?;
            lab.delete("ec2.address", at).refused(&["InvalidAllocationID.NotFound"])
        },
    },
    Case {
        name: "an address that a NAT gateway uses is described",
        aws: "with its association, its network interface and the private address",
        page: "ec2/DescribeAddresses",
        run: |lab| {
            let vpc = lab.vpc()?;
            lab.gateway(&vpc)?;
            let address = lab.make("ec2.allocate_address", json!({}))?["id"].clone();
            let input = json!({ "subnet_id": lab.subnet(&vpc, 1, 'a')?, "allocation_id": address });
            let nat = lab.make("ec2.create_nat_gateway", input)?;
            let found = lab.standing("ec2.address", json!({ "allocation_id": address }))?;
            let interface = nat["nat_gateway_addresses"][0]["network_interface_id"].clone();
            is(&found, "network_interface_id", interface)?;
            is(&found, "private_ip_address", nat["nat_gateway_addresses"][0]["private_ip"].clone())?;
            holds(!text(&found, "association_id").is_empty(), "no association")
        },
    },
    Case {
        name: "an address that a NAT gateway uses is released",
        aws: "`InvalidIPAddress.InUse` (the reference) or `AuthFailure` (what is seen in the field)",
        page: "ec2/ReleaseAddress",
        run: |lab| {
            let vpc = lab.vpc()?;
            lab.gateway(&vpc)?;
            let address = lab.make("ec2.allocate_address", json!({}))?["id"].clone();
            let input = json!({ "subnet_id": lab.subnet(&vpc, 1, 'a')?, "allocation_id": address });
            lab.make("ec2.create_nat_gateway", input)?;
            let at = json!({ "allocation_id": address });
            lab.delete("ec2.address", at).refused(&["InvalidIPAddress.InUse", "AuthFailure"])
        },
    },
];
