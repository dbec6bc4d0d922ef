//! Subnets.

use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, Seen, is},
    lab::{Lab, REGION},
};

/// A subnet that is refused in a VPC of 10.5.0.0/16 which has 10.5.0.0/20.
fn refused(lab: &Lab, block: &str, codes: &[&str]) -> Seen {
    let vpc = lab.vpc()?;
    lab.make("ec2.create_subnet", json!({ "vpc_id": vpc, "cidr_block": "10.5.0.0/20" }))?;
    lab.call("ec2.create_subnet", json!({ "vpc_id": vpc, "cidr_block": block })).refused(codes)
}

fn one(lab: &Lab) -> Result<Value, crate::conformance::case::Other> {
    let zone = format!("{REGION}b");
    let input = json!({ "vpc_id": lab.vpc()?, "cidr_block": "10.5.1.0/24", "availability_zone": zone });
    lab.make("ec2.create_subnet", input)
}

pub const CASES: &[Case] = &[
    Case {
        name: "a subnet is described as it was made",
        aws: "its block and zone, 251 free addresses in a /24, no public addresses, the tags",
        page: "ec2/CreateSubnet",
        run: |lab| {
            let made = one(lab)?;
            is(&made, "cidr_block", "10.5.1.0/24")?;
            is(&made, "availability_zone", format!("{REGION}b"))?;
            is(&made, "state", "available")?;
            is(&made, "available_ip_address_count", 251)?;
            is(&made, "map_public_ip_on_launch", false)?;
            lab.tagged(&made)?;
            let found = lab.call("ec2.describe_subnets", json!({ "filters": { "vpc-id": made["vpc_id"] } })).ok()?;
            is(&found, "subnets.0.id", made["id"].clone())
        },
    },
    Case {
        name: "a subnet in a zone by the zone's id",
        aws: "the zone of that id",
        page: "ec2/CreateSubnet",
        run: |lab| {
            let zones = lab.call("ec2.describe_availability_zones", json!({})).ok()?;
            let (id, name) = (&zones["availability_zones"][1]["zone_id"], &zones["availability_zones"][1]["zone_name"]);
            let input = json!({ "vpc_id": lab.vpc()?, "cidr_block": "10.5.1.0/24", "availability_zone_id": id });
            is(&lab.make("ec2.create_subnet", input)?, "availability_zone", name.clone())
        },
    },
    Case {
        name: "a subnet outside its VPC",
        aws: "`InvalidSubnet.Range`",
        page: "ec2/CreateSubnet",
        run: |lab| refused(lab, "10.6.0.0/24", &["InvalidSubnet.Range"]),
    },
    Case {
        name: "a subnet smaller than /28",
        aws: "`InvalidSubnet.Range`",
        page: "ec2/CreateSubnet",
        run: |lab| refused(lab, "10.5.255.0/29", &["InvalidSubnet.Range"]),
    },
    Case {
        name: "a subnet that overlaps another",
        aws: "`InvalidSubnet.Conflict`",
        page: "ec2/CreateSubnet",
        run: |lab| refused(lab, "10.5.1.0/24", &["InvalidSubnet.Conflict"]),
    },
    Case {
        name: "the same subnet again",
        aws: "`InvalidSubnet.Conflict`",
        page: "ec2/CreateSubnet",
        run: |lab| refused(lab, "10.5.0.0/20", &["InvalidSubnet.Conflict"]),
    },
    Case {
        name: "a subnet in a VPC that does not exist",
        aws: "`InvalidVpcID.NotFound`",
        page: "ec2/CreateSubnet",
        run: |lab| {
            let input = json!({ "vpc_id": "vpc-0123456789abcdef0", "cidr_block": "10.5.1.0/24" });
            lab.call("ec2.create_subnet", input).refused(&["InvalidVpcID.NotFound"])
        },
    },
    Case {
        name: "a subnet in a zone that does not exist",
        aws: "`InvalidParameterValue`",
        page: "ec2/CreateSubnet",
        run: |lab| {
            let zone = format!("{REGION}z");
            let input = json!({ "vpc_id": lab.vpc()?, "cidr_block": "10.5.1.0/24", "availability_zone": zone });
            lab.call("ec2.create_subnet", input).refused(&["InvalidParameterValue"])
        },
    },
    Case {
        name: "a subnet is to give public addresses",
        aws: "`map_public_ip_on_launch` is true from then on",
        page: "ec2/ModifySubnetAttribute",
        run: |lab| {
            let subnet = one(lab)?["id"].clone();
            lab.call("ec2.modify_subnet_attribute", json!({ "subnet_id": subnet, "map_public_ip_on_launch": true }))
                .ok()?;
            is(&lab.standing("ec2.subnet", json!({ "subnet_id": subnet }))?, "map_public_ip_on_launch", true)
        },
    },
    Case {
        name: "an attribute of a subnet that does not exist",
        aws: "`InvalidSubnetID.NotFound`",
        page: "ec2/ModifySubnetAttribute",
        run: |lab| {
            let input = json!({ "subnet_id": "subnet-0123456789abcdef0", "map_public_ip_on_launch": true });
            lab.call("ec2.modify_subnet_attribute", input).refused(&["InvalidSubnetID.NotFound"])
        },
    },
    Case {
        name: "a subnet with a network interface is deleted",
        aws: "`DependencyViolation`",
        page: "ec2/DeleteSubnet",
        run: |lab| {
            let subnet = one(lab)?["id"].clone();
            lab.make("ec2.create_network_interface", json!({ "subnet_id": subnet }))?;
            lab.delete("ec2.subnet", json!({ "subnet_id": subnet })).refused(&["DependencyViolation"])
        },
    },
    Case {
        name: "a subnet is deleted twice",
        aws: "`InvalidSubnetID.NotFound`",
        page: "ec2/DeleteSubnet",
        run: |lab| {
            let at = json!({ "subnet_id": one(lab)?["id"] });
            lab.delete("ec2.subnet", at.clone()).ok()?;
            lab.gone("ec2.subnet", at.clone())?;
            lab.delete("ec2.subnet", at).refused(&["InvalidSubnetID.NotFound"])
        },
    },
];
